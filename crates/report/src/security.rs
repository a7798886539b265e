//! How a system is guarded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// What the lists of files and of certificates say where not every file was looked at.
pub const USUAL_FOLDERS_ALONE: &str =
    "only the usual folders were looked at; --deep looks at every file";

/// What the list of certificates says where every file was looked at: a certificate is looked for by the
/// name of its file.
pub const NAMED_FILES_ALONE: &str = "certificates were looked for in files that are named as such \
     (.pem, .crt, .cer, .cert, .der, .p7b, .p7c), and outside of /usr in short texts without an ending or \
     in .conf, .cfg, .txt, .ovpn and bundles; under other names, in .key, .p12, .pfx and .jks, and in long \
     texts they are not";

/// How a system is guarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Security {
    /// What holds for logins over SSH, includes resolved.
    pub sshd: Fact<Sshd>,
    /// What confines programs: SELinux, AppArmor.
    pub mandatory_access: Listing<MandatoryAccess>,
    /// What is asked of passwords.
    pub password_policy: Listing<Setting>,
    /// Parameters of the kernel that the system sets when it starts, the last of a name counting.
    pub kernel_parameters: Listing<Setting>,
    /// Programs that run as their owner or group whoever starts them.
    pub set_id: Listing<OpenFile>,
    /// Files and folders of the system that everybody may write.
    pub world_writable: Listing<OpenFile>,
    /// Certificates, and when they end.
    pub certificates: Listing<Certificate>,
    /// Whether actions are recorded for review.
    pub audit: Fact<Audit>,
    /// Whether and how the system updates itself.
    pub updates: Fact<Updates>,
    /// Whether only signed programs start the system, where that can be told from the disk.
    pub secure_boot: Fact<bool>,
    /// Further settings that matter, as of Windows: `lsa.run-as-ppl`.
    pub settings: Listing<Setting>,
}

/// What holds for logins over SSH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sshd {
    /// What holds unless a condition says otherwise, names in lower case, defaults included.
    pub settings: Vec<Setting>,
    /// What holds under a condition, in the order of the files. Where several conditions hold, what
    /// stands first counts.
    pub matches: Vec<SshdMatch>,
    /// The release of the program, whose defaults are among the settings. Where it is not known only
    /// what is set is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Settings that the files change in a way that cannot be told without knowing the release better.
    /// A name that is neither here nor among the settings is one whose default is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// What the program would refuse: with a mistake in its files it does not start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<String>,
}

/// What holds for some logins only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshdMatch {
    /// The condition, as it is written.
    pub condition: String,
    /// What then holds.
    pub settings: Vec<Setting>,
    /// Where it stands.
    pub evidence: Evidence,
}

/// A name, what it is set to, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The name.
    pub name: String,
    /// What it is set to.
    pub value: String,
    /// Where it says so; nothing where it is the program's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

/// What confines programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MandatoryAccess {
    /// `selinux` or `apparmor`.
    pub system: String,
    /// `enforcing`, `permissive` or `disabled`, as it will be when the system starts.
    pub mode: Fact<String>,
    /// The policy or the profiles.
    pub policies: Vec<String>,
}

/// A file that is open to more than its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenFile {
    /// Where it lies.
    pub path: String,
    /// Its mode in octal, as `4755`.
    pub mode: String,
    /// The number of its owner.
    pub owner: u32,
    /// The number of its group.
    pub group: u32,
    /// The capabilities that it gives to who starts it, as `getcap` writes them: `cap_net_raw=ep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<String>,
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Whom it is about.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// Its number, in hexadecimal.
    pub serial: String,
    /// The names that it is valid for.
    pub names: Vec<String>,
    /// When it begins, RFC 3339.
    pub not_before: String,
    /// When it ends, RFC 3339.
    pub not_after: String,
    /// The SHA-256 of it, in hexadecimal.
    pub fingerprint: String,
    /// Its kind of key and how large it is, as `rsa 2048`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How it is signed, as `sha256WithRSAEncryption`, or the number of it where it has no name here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Whether it may vouch for others.
    #[serde(default)]
    pub authority: bool,
    /// Where it lies.
    pub evidence: Evidence,
}

/// Whether actions are recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Audit {
    /// What records: `auditd`, `windows`.
    pub system: String,
    /// Whether it starts with the system.
    pub started: bool,
    /// Its rules, as they are written.
    pub rules: Vec<String>,
}

/// How a system updates itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Updates {
    /// What does it: `unattended-upgrades`, `dnf-automatic`, `windows-update`, `none`.
    pub system: String,
    /// Whether updates are installed without anybody's doing.
    pub automatic: bool,
    /// Where updates come from, as it says it.
    pub sources: Vec<String>,
}
