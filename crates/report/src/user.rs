//! Accounts and groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Evidence, Fact, Listing};

/// Who may use the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Users {
    /// Accounts.
    pub accounts: Listing<User>,
    /// Groups.
    pub groups: Listing<Group>,
    /// Who may become another, line by line as the rules say it.
    pub sudo: Listing<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its number, or on Windows its security identifier.
    pub id: String,
    /// The number of its first group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its full name or comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its home directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// The program it is given when it logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Whether it can log in by a password. Never the hash.
    pub password: Fact<PasswordState>,
    /// How the password is hashed, as `yescrypt`. Never the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The day of the last change of the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed: Option<String>,
    /// The day from which nobody can log in as it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// The last day on which its password can still be changed after it has become too old: nobody can
    /// log in as it afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_inactive: Option<String>,
    /// What holds for the account besides, of Windows: `disabled`, `locked-out`,
    /// `password-not-required`, `password-never-expires`, `smart-card-required`, `not-of-this-machine`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// When it last logged in, RFC 3339, where accounts say so themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<String>,
    /// The groups that it is a member of besides the first.
    pub groups: Vec<String>,
    /// The keys that it may log in with.
    pub keys: Listing<SshKey>,
}

/// Whether an account can log in by a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordState {
    /// It has one.
    Set,
    /// It needs none.
    Empty,
    /// It is locked, or never had one.
    Locked,
}

/// A key that an account may log in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshKey {
    /// Its kind, as `ssh-ed25519`.
    pub kind: String,
    /// How many bits it has, of RSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// Its fingerprint, as `SHA256:…`.
    pub fingerprint: String,
    /// What is written behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Where it stands.
    pub evidence: Evidence,
}

/// A group of accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its number or security identifier.
    pub id: String,
    /// Its members besides those whose first group it is.
    pub members: Vec<String>,
}
