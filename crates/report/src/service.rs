//! What a system starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// What starts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// A service of systemd.
    Service,
    /// A timer of systemd.
    Timer,
    /// A socket of systemd.
    Socket,
    /// Another unit of systemd.
    Unit,
    /// A script of System V init.
    Sysv,
    /// A service of OpenRC.
    Openrc,
    /// A service of Windows.
    WindowsService,
    /// A driver of Windows.
    WindowsDriver,
    /// A line of cron.
    Cron,
    /// A scheduled task of Windows.
    Task,
    /// A container.
    Container,
}

/// Whether it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enabled {
    /// With the system, or when it is needed.
    Enabled,
    /// Not.
    Disabled,
    /// It cannot be started.
    Masked,
    /// It has no installation of its own; others start it.
    Static,
    /// Started because another unit wants it, made anew at each start.
    Generated,
    /// Started by hand.
    Manual,
    /// Another name of a unit.
    Alias,
    /// Enabled by way of another unit.
    Indirect,
}

/// Something that a system starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// What starts it.
    pub kind: ServiceKind,
    /// Its name.
    pub name: String,
    /// Whether it is started.
    pub enabled: Enabled,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// As whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When, of timers and tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Where it says so; files that change it too.
    pub evidence: Vec<Evidence>,
}
