//! Who is told about what has happened.

use std::path::PathBuf;

use fathom_secret::{Secret, SecretUrl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret_source::SecretSource;
use crate::value::{Network, Span};

/// An address that is told about what has happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// What it is called. What waits to be told goes by it.
    pub name: String,
    /// Where it is.
    #[schemars(with = "SecretSource")]
    pub url: SecretUrl,
    /// What messages to it are signed with. Without it they are not.
    #[serde(default)]
    #[schemars(with = "Option<SecretSource>")]
    pub secret: Option<Secret>,
    /// What it is told about; without any, everything.
    #[serde(default)]
    pub events: Vec<WebhookEvent>,
    /// The namespaces that it is told about; without any, all.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Networks that its name may lead to although they are not public.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// The certificates that are trusted, in PEM. Default: those of this host.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long it may take to answer.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// How long a message is tried again.
    #[serde(default = "give_up")]
    pub give_up: Span,
}

/// Something that a webhook may be told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum WebhookEvent {
    /// A job has ended.
    #[serde(rename = "job.finished")]
    JobFinished,
    /// Something critical is known to be wrong with a machine that was not before.
    #[serde(rename = "findings.critical")]
    FindingsCritical,
}

fn timeout() -> Span {
    Span::seconds(10)
}

fn give_up() -> Span {
    Span::days(1)
}
