//! What could not be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// What kept something from being read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// This machine failed.
    Io,
    /// It is not where it was said to be.
    NotFound,
    /// It is recognised, but not read by this version.
    Unsupported,
    /// It contradicts its own format.
    Corrupt,
    /// There is no key for it.
    Encrypted,
    /// The image asked for what it may not have.
    Refused,
    /// A server did not answer.
    Unreachable,
}

/// Something that could not be read, and what that hides.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kept it from being read.
    pub kind: ProblemKind,
    /// What happened, where, and what to do.
    pub message: String,
    /// What lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What of the report may be missing or out of date because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hides: Option<String>,
}
