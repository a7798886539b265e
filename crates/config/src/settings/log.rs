//! What is written about what is being done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group;

group! {
    /// What is written about what is being done, to standard error.
    #[derive(Default)]
    pub struct Log {
        /// How much is written.
        pub level: Level,
        /// How a line looks.
        pub format: Format,
    }
}

/// How much is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What failed.
    Error,
    /// Also what may be wrong.
    Warn,
    /// Also what was done.
    #[default]
    Info,
    /// Also how.
    Debug,
    /// Everything.
    Trace,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people on a terminal, for programs elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For programs: a JSON object a line.
    Json,
}
