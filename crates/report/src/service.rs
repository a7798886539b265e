//! What a system starts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact};

/// What starts it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// A service of systemd.
    Service,
    /// A timer of systemd.
    Timer,
    /// A socket of systemd.
    Socket,
    /// Another unit of systemd that starts something: a path, a mount, an automount or a swap.
    Unit,
    /// A script of System V init.
    Sysv,
    /// A line of cron, or a script in one of its folders.
    Cron,
    /// A service of Windows.
    WindowsService,
    /// A driver of Windows.
    WindowsDriver,
    /// A scheduled task of Windows.
    ScheduledTask,
    /// What Windows starts when somebody logs in: `Run` keys and startup folders.
    Autostart,
    /// A script of OpenRC.
    #[serde(rename = "openrc")]
    OpenRc,
    /// A line of anacron.
    Anacron,
    /// A line of `/etc/inittab`.
    Inittab,
    /// A job that `at` is to run once.
    At,
    /// A unit of systemd that accounts start, each for itself; `user` is the account that keeps it.
    UserUnit,
    /// A service that inetd or xinetd starts when somebody connects.
    Inetd,
}

/// Whether it is started, in the words of `systemctl is-enabled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enabled {
    /// With the system, or when it is needed.
    Enabled,
    /// Not, though it could be.
    Disabled,
    /// It cannot be started.
    Masked,
    /// It cannot be enabled by itself; others start it.
    Static,
    /// Another name of a unit.
    Alias,
    /// Enabled by way of another unit.
    Indirect,
    /// It lies outside of where units are looked for, and is linked there.
    Linked,
}

/// Something that a system starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// What starts it.
    pub kind: ServiceKind,
    /// Its name.
    pub name: String,
    /// Whether it is started.
    pub enabled: Fact<Enabled>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// What is run besides: before and after the commands, to stop and to reload it, each as it is
    /// written, `ExecStartPre=/usr/bin/true`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_commands: Vec<String>,
    /// As whom, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When, of timers and of cron; where, of sockets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<String>,
    /// When Windows starts it: `boot`, `system`, `automatic`, `automatic-delayed`, `manual`, `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Where it says so; files that change it too.
    pub evidence: Vec<Evidence>,
}
