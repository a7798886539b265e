//! Who is told about what has happened.

use fathom_secret::{Secret, SecretUrl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;
use crate::value::Span;

/// An address that is told about what has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// What it is called in logs.
    pub name: String,
    /// Where it is.
    #[schemars(with = "SecretSource")]
    pub url: SecretUrl,
    /// What messages to it are signed with. Without it they are not.
    #[serde(default)]
    #[schemars(with = "Option<SecretSource>")]
    pub secret: Option<Secret>,
    /// What it is told about, as job.failed or job.*; without any, everything.
    #[serde(default)]
    pub events: Vec<String>,
    /// How long it may take to answer.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// How many more times it is tried.
    #[serde(default = "retries")]
    pub retries: u32,
}

fn timeout() -> Span {
    Span::seconds(10)
}

fn retries() -> u32 {
    5
}
