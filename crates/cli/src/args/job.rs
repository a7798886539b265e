//! Jobs of a service, asked for over HTTP.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// The service. A token is in the environment variable FATHOM_TOKEN, or in a file.
#[derive(Args, Debug)]
pub(crate) struct Remote {
    /// Where the service is.
    #[arg(long, env = "FATHOM_SERVER", default_value = "http://127.0.0.1:8080")]
    #[arg(help_heading = "Service", value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) server: String,

    /// The file that holds the token, where FATHOM_TOKEN does not.
    #[arg(long, env = "FATHOM_TOKEN_FILE", help_heading = "Service", value_name = "FILE")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,

    /// Trust the certificate authorities in this PEM file instead of the well-known ones.
    #[arg(long, help_heading = "Service", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum JobCommand {
    /// Send a job.
    Submit(JobSubmit),
    /// List jobs, the newest first.
    List(JobList),
    /// Show how a job stands.
    Show(OneJob),
    /// Follow a job until it ends.
    Watch(OneJob),
    /// Call a job off.
    Cancel(OneJob),
    /// Print what a job came to, as JSON.
    Result(JobResult),
    /// Send a job that failed for good once more.
    Replay(OneJob),
}

#[derive(Args, Debug)]
pub(crate) struct JobSubmit {
    /// What is to be done, as inspect, scan, profile, checksum, diff or echo.
    #[arg(value_name = "OPERATION", value_hint = ValueHint::Other)]
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) operation: Option<String>,

    /// The image that it is about, as the service's workers know it; more of them are further disks of
    /// the same machine.
    #[arg(long, value_name = "IMAGE", value_hint = ValueHint::Other, conflicts_with = "file")]
    pub(crate) image: Vec<String>,

    /// What else it is about: an object of JSON, as {"options":{"deep_scan":true}}.
    #[arg(long, value_name = "JSON", value_hint = ValueHint::Other, conflicts_with = "file")]
    pub(crate) payload: Option<String>,

    /// Send this file, which holds a job in either form; `-` is standard input.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// What the job is called.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) id: Option<String>,

    /// Whoever sends a job again under this key gets the first one.
    #[arg(long, value_name = "KEY", value_hint = ValueHint::Other)]
    pub(crate) key: Option<String>,

    /// How urgent it is, from 1 to 10, which comes first.
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    pub(crate) priority: Option<u8>,

    /// How often it is tried at most.
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    pub(crate) max_attempts: Option<u32>,

    /// How many seconds a try may take.
    #[arg(long, value_name = "SECONDS", value_hint = ValueHint::Other)]
    pub(crate) timeout: Option<u64>,

    /// Whose it is.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) namespace: Option<String>,

    /// The pool of workers that is to do it.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) pool: Option<String>,

    /// Follow it until it ends, as `job watch` does.
    #[arg(long)]
    pub(crate) wait: bool,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

#[derive(Args, Debug)]
pub(crate) struct JobList {
    /// Only those in these states, as failed,dead.
    #[arg(long, value_name = "STATES", value_hint = ValueHint::Other)]
    pub(crate) status: Option<String>,

    /// Only those of this operation.
    #[arg(long, value_name = "OPERATION", value_hint = ValueHint::Other)]
    pub(crate) operation: Option<String>,

    /// Only those of these namespaces, parted by commas.
    #[arg(long, value_name = "NAMES", value_hint = ValueHint::Other)]
    pub(crate) namespace: Option<String>,

    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50, value_hint = ValueHint::Other)]
    pub(crate) limit: usize,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

#[derive(Args, Debug)]
pub(crate) struct OneJob {
    /// Which, by its name.
    #[arg(value_name = "JOB", value_hint = ValueHint::Other)]
    pub(crate) id: String,

    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) remote: Remote,
}

#[derive(Args, Debug)]
pub(crate) struct JobResult {
    /// Which, by its name.
    #[arg(value_name = "JOB", value_hint = ValueHint::Other)]
    pub(crate) id: String,

    /// Print only what the operation gives.
    #[arg(long)]
    pub(crate) data: bool,

    #[command(flatten)]
    pub(crate) remote: Remote,
}
