//! What works on jobs.

use std::path::PathBuf;

use super::group;
use crate::value::{Size, Span};

group! {
    /// What works on jobs.
    pub struct Worker {
        /// What it is called. Default: the name of this host with the number of the process.
        pub id: Option<String>,
        /// The pool that it belongs to: jobs may ask for one.
        pub pool: String,
        /// How many jobs it does at once; 0 for as many as processors and memory allow.
        pub concurrency: u32,
        /// How long a job is its own after it was last heard of.
        pub lease: Span,
        /// How often it is heard of.
        pub heartbeat: Span,
        /// How long it goes on with what it has begun when it is told to end.
        pub drain_timeout: Span,
        /// Where it keeps what it needs for a while. Default: work in the data folder.
        pub work_dir: PathBuf,
        /// Where jobs may ask for their results to be written: folders, and beginnings of s3://BUCKET/….
        pub results: Vec<String>,
        /// Folders that images may lie in. Without any, jobs read no images of this host.
        pub image_roots: Vec<PathBuf>,
        /// Hosts that images may be fetched from, as images.example.com.
        pub https_allowed: Vec<String>,
        /// Where images may be fetched from with the key of a bucket: beginnings of s3://BUCKET/….
        pub s3_allowed: Vec<String>,
        /// What one job may use.
        pub limits: WorkerLimits,
    }
}

impl Default for Worker {
    fn default() -> Self {
        Self {
            id: None,
            pool: "default".into(),
            concurrency: 0,
            lease: Span::seconds(60),
            heartbeat: Span::seconds(15),
            drain_timeout: Span::minutes(2),
            work_dir: "/var/lib/fathom/work".into(),
            results: Vec::new(),
            image_roots: Vec::new(),
            https_allowed: Vec::new(),
            s3_allowed: Vec::new(),
            limits: WorkerLimits::default(),
        }
    }
}

group! {
    /// What one job may use; its process is ended where it takes more.
    pub struct WorkerLimits {
        /// Memory.
        pub memory: Size,
        /// Time on a processor.
        pub cpu: Span,
        /// Time in all.
        pub time: Span,
        /// Files open at once.
        #[schemars(range(min = 16))]
        pub open_files: u32,
        /// Bytes written.
        pub output: Size,
    }
}

impl Default for WorkerLimits {
    fn default() -> Self {
        Self {
            memory: Size::gibibytes(2),
            cpu: Span::minutes(30),
            time: Span::minutes(60),
            open_files: 256,
            output: Size::gibibytes(1),
        }
    }
}
