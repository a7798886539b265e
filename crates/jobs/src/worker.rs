//! What a worker says of itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A worker, as it registers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerDescription {
    /// What it is called.
    pub worker_id: String,
    /// Of the program.
    pub version: String,
    /// The machine that it runs on.
    pub hostname: String,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it has to do it with.
    pub resources: Resources,
    /// How it is set up.
    pub configuration: Configuration,
}

/// What a worker can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// Operations, without a family.
    pub operations: Vec<String>,
    /// Other abilities, such as `https` or `confined`.
    pub features: Vec<String>,
    /// Formats of images that it reads.
    pub disk_formats: Vec<String>,
    /// Filesystems that it reads.
    pub filesystems: Vec<String>,
}

/// What a worker has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// Processors that it may use.
    pub cpus: u32,
    /// Memory that it may use.
    pub memory_bytes: u64,
    /// Whether it runs as root.
    pub privileged: bool,
    /// The largest disk that it takes, in GB; nothing: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_disk_size_gb: Option<u64>,
}

/// How a worker is set up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// The pool whose jobs it does.
    pub pool: String,
    /// How many at once.
    pub concurrency: u32,
    /// What it is told apart by: site, datacenter, and the like.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}
