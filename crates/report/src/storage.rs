//! What disks are made of, and what is mounted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// What the disks of a machine are made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Storage {
    /// Disks, partitions, logical and unlocked volumes, each after what it lies on.
    pub volumes: Vec<Volume>,
}

/// A range of bytes that something lies on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Its name in the tree of volumes.
    pub id: String,
    /// What it lies on.
    pub parents: Vec<String>,
    /// How many bytes it has.
    pub size: u64,
    /// What it is: `disk`, `partition`, `array`, `logical-volume`, `luks`.
    pub layer: String,
    /// What lies on it: the kind of filesystem, table or container, in words.
    pub content: String,
    /// Whether it can only be read with a key.
    pub encrypted: bool,
    /// The filesystem's label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The filesystem's UUID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// How many bytes of the filesystem are in use, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// The filesystem's health: `clean`, `replayed`, `dirty`, `errors`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
}

/// A filesystem that the system mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// What, as the system names it: `UUID=…`.
    pub device: String,
    /// The kind of filesystem that it expects.
    pub kind: String,
    /// How.
    pub options: Vec<String>,
    /// The volume that this is, where it is on the disks that were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Where it says so.
    pub evidence: Evidence,
}

/// Something that the system swaps to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Swap {
    /// What, as the system names it.
    pub device: String,
    /// Where it says so.
    pub evidence: Evidence,
}
