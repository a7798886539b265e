//! What stands in the way of moving a machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// How grave a concern is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Category {
    /// The machine will not start, or not be what it was.
    Critical,
    /// It needs attention.
    Warning,
    /// Good to know.
    Information,
}

/// Something that stands in the way of moving a machine, or that has to be looked after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Concern {
    /// What it is, as `fstab-by-path-device`. Never changes its meaning.
    pub id: String,
    /// How grave it is.
    pub category: Category,
    /// What it is, in a few words.
    pub label: String,
    /// What it is about on this machine, and what to do.
    pub message: String,
    /// The system that it is about, by the volume of its root; nothing where it is about the disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// A concern of which it could not be told whether there is one. It is not to be taken for "none".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undecided {
    /// What it would be, as in [`Concern::id`].
    pub id: String,
    /// The system that it would be about, by the volume of its root; nothing where it is about the
    /// disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Why it could not be told.
    pub reason: String,
}
