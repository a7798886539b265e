//! How a system is secured.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// How the system is secured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Security {
    /// The settings of the SSH server for a connection that no `Match` block speaks of.
    pub sshd: Fact<BTreeMap<String, Vec<String>>>,
    /// The mode of SELinux: `enforcing`, `permissive`, `disabled`.
    pub selinux: Fact<String>,
    /// Whether AppArmor is started with the system.
    pub apparmor: Fact<bool>,
    /// Rules for passwords, by the name of the setting.
    pub password_policy: Fact<BTreeMap<String, String>>,
    /// Programs that run as their owner or group.
    pub set_id: Listing<SpecialFile>,
    /// System files that anybody may write.
    pub world_writable: Listing<SpecialFile>,
    /// Certificates, with the day they end.
    pub certificates: Listing<Certificate>,
    /// Whether auditd is started with the system.
    pub auditd: Fact<bool>,
    /// How updates come, by the name of the setting.
    pub updates: Fact<BTreeMap<String, String>>,
    /// Whether the firmware checks what it starts.
    pub secure_boot: Fact<bool>,
}

/// A file whose permissions matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SpecialFile {
    /// Where it is.
    pub path: String,
    /// Its permissions in octal.
    pub mode: String,
    /// The number of its owner.
    pub uid: u32,
    /// The number of its group.
    pub gid: u32,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// The first moment of its life, RFC 3339.
    pub not_before: String,
    /// The last moment of its life, RFC 3339.
    pub not_after: String,
    /// Where it lies.
    pub evidence: Evidence,
}
