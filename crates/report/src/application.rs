//! Programs that matter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationKind {
    /// Keeps data.
    Database,
    /// Serves pages or programs over HTTP.
    WebServer,
    /// Runs other programs.
    Runtime,
    /// Runs containers.
    Container,
    /// Speaks for the machine to what it runs on.
    GuestAgent,
    /// Guards the machine.
    Security,
}

/// A program that matters to those who move or guard a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Application {
    /// What it is for.
    pub kind: ApplicationKind,
    /// Its name, as `PostgreSQL`.
    pub name: String,
    /// Its version, where that could be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it says so.
    pub evidence: Vec<Evidence>,
}
