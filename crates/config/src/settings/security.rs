//! What may be done, and who may ask.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group;
use crate::value::Network;

group! {
    /// What may be done, and who may ask.
    #[derive(Default)]
    pub struct Security {
        /// How much may be done.
        pub mode: Mode,
        /// The file that every action is written to, besides the store.
        pub audit_log: Option<PathBuf>,
        /// Networks that may use the API; without any, all of them may.
        pub ip_allowlist: Vec<Network>,
    }
}

/// How much may be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Looking alone.
    Restricted,
    /// Looking, and changes that somebody has agreed to.
    #[default]
    Standard,
    /// Everything, and nobody is asked.
    Unrestricted,
}
