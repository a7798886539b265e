//! One provider's statements, as a file that is looked things up in.
//!
//! A file is made once and never changed: a newer one takes its place. It is mapped into memory, and
//! of its tables only what a question touches is ever read. Who installs a file compares its checksum
//! with the signed one; who opens it later compares what it reads with checksums of a few thousand bytes
//! each, and checks every number where it is used, so that a file that was damaged or made by an enemy
//! gives an error.

mod layout;
mod pool;
mod read;
mod sums;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
mod texts;
mod write;

use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;
use serde::{Deserialize, Serialize};

pub use read::{
    Advisory, End, Exploited, Flaws, Likelihood, Namespace, Row, Segment, Unpacked, Vector, Version,
};
pub use texts::{Texts, beginning};
pub use write::{AdvisoryId, NewAdvisory, NewVector, Refused, Statement, Upper, Writer};

/// What is said about a file in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The short name of the provider, as `debian`.
    pub provider: String,
    /// Its full name.
    pub title: String,
    /// The licence of the data.
    pub licence: String,
    /// The last day on which anything in it was changed, as `2025-02-10`; empty where it is not known.
    pub as_of: String,
    /// When the file was made, RFC 3339.
    pub built: String,
    /// How many advisories there are.
    pub advisories: u64,
    /// How many statements these make.
    pub statements: u64,
    /// About how many names of packages.
    pub names: u64,
    /// How many records were passed over, because they were malformed.
    pub malformed: u64,
    /// The first of these, and why.
    pub examples: Vec<String>,
}

/// What the names of an ecosystem are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Packages as they are installed.
    Installed,
    /// What packages were built from.
    Source,
}

/// The orders of versions, as files number them. New ones are added at the end.
const SCHEMES: [Scheme; 12] = [
    Scheme::Debian,
    Scheme::Rpm,
    Scheme::Apk,
    Scheme::Pacman,
    Scheme::Semver,
    Scheme::Go,
    Scheme::Pep440,
    Scheme::Maven,
    Scheme::Gem,
    Scheme::Nuget,
    Scheme::Packagist,
    Scheme::Windows,
];

/// What can be said of versions, as files number it. New ones are added at the end.
const STATES: [State; 7] = [
    State::Fixed,
    State::Affected,
    State::WillNotFix,
    State::Deferred,
    State::UnderInvestigation,
    State::NotAffected,
    State::EndOfLife,
];

/// Severities, as files number them, from one on.
const SEVERITIES: [Severity; 5] =
    [Severity::Negligible, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// At which place of the list it stands.
fn place<T: PartialEq>(list: &[T], wanted: &T) -> u8 {
    list.iter().position(|it| it == wanted).unwrap_or_default() as u8
}
