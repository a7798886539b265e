//! What stands in the way of a migration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Category {
    /// The machine will not start, or not be reachable.
    Critical,
    /// It needs a hand.
    Warning,
    /// Worth knowing.
    Information,
}

/// Something that stands in the way of a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Concern {
    /// What kind of thing it is, as `fstab-by-path-device`.
    pub id: String,
    /// How much it matters.
    pub category: Category,
    /// A short name for people.
    pub label: String,
    /// What it is and what to do.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}
