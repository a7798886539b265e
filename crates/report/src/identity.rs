//! What a system is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Fact;

/// The family of an operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Linux.
    Linux,
    /// Microsoft Windows.
    Windows,
    /// FreeBSD and its kin.
    Bsd,
    /// Something else.
    Other,
}

/// The processor that programs were built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Architecture(pub String);

/// Whether a system still is what an installer or an image builder left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirstBoot {
    /// It will configure itself when it is first started.
    Pending,
    /// It has been started and has configured itself.
    Done,
}

/// What the system is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Linux, Windows, …
    pub family: Family,
    /// The distribution's short name, as `debian`, `rhel`, `windows`.
    pub distribution: Fact<String>,
    /// The distributions that it is derived from.
    pub like: Vec<String>,
    /// Its full name, as it shows it.
    pub name: Fact<String>,
    /// The version, as `12` or `10.0.20348`.
    pub version: Fact<String>,
    /// The name of the version, as `bookworm`.
    pub codename: Fact<String>,
    /// The edition, variant or flavour.
    pub edition: Fact<String>,
    /// How it was installed, of Windows: `Client`, `Server`, `Server Core`, `Nano Server`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installation: Option<String>,
    /// The build, on Windows with its update revision: `20348.2113`.
    pub build: Fact<String>,
    /// The processor architecture, as `x86_64`.
    pub architecture: Fact<Architecture>,
    /// The name of the machine.
    pub hostname: Fact<String>,
    /// The identifier that the system gave itself.
    pub machine_id: Fact<String>,
    /// The time zone, as `Europe/Berlin`.
    pub time_zone: Fact<String>,
    /// The language and region, as `en_US.UTF-8`.
    pub locale: Fact<String>,
    /// When it was installed, RFC 3339.
    pub installed: Fact<String>,
    /// Whether it has been through its first start.
    pub first_boot: Fact<FirstBoot>,
    /// Until when its maker mends it.
    pub end_of_life: Fact<EndOfLife>,
    /// The name by which vulnerability databases know it (CPE 2.2 or 2.3).
    pub cpe: Fact<String>,
}

/// Until when a version of a system is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndOfLife {
    /// The last day on which everybody gets mends, as `2026-06-10`.
    pub support: String,
    /// The last day on which those who pay or ask get them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended: Option<String>,
}
