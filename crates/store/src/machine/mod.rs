//! Machines: what they are, what is on them, and what is known to be wrong with it.
//!
//! Most machines of a fleet are copies of few, so what they have is kept once. A package in a version is
//! a row of `packages`, a flaw in such a package one of `flaws`; what a machine has of them is a *set*
//! ([`set`]), and of the sets that are alike all but one say only where they differ. Which machines have
//! something is then asked of some thousand sets, not of all machines. Documents are kept whole, but as
//! what they differ by from that of a machine like it ([`blob`]).
//!
//! What is not known is `NULL`, and a question about it is answered neither with yes nor with no.

mod blob;
mod fact;
mod filter;
mod flaw;
mod keep;
mod list;
mod membership;
mod news;
mod package;
mod purge;
mod rematch;
mod set;
mod sql;

use crate::time::Time;

pub use blob::Place;
pub use filter::{Condition, FilterError};
pub use flaw::{FlawFilter, FlawOrder, FlawPlace, FlawSummary};
pub use keep::Kept;
pub use list::{Census, Cursor, Found, MachineFilter, MachineOrder, MachinePage, Named, Totals};
pub use package::{PackageFilter, PackageSummary};
pub use purge::Purged;
pub use rematch::Unmatched;

pub(crate) use blob::Documents;
pub(crate) use fact::Numbers;
pub(crate) use set::Bases;

/// How a machine is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Whose it is.
    pub namespace: String,
    /// What tells it from all others of the namespace: where it comes from, and what it is called there.
    pub key: String,
    /// What it is called where it comes from, as a moref; others may be called the same elsewhere.
    pub alias: Option<String>,
    /// What people call it.
    pub name: String,
}

/// What a machine is. What is not known is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nature {
    /// What it calls itself.
    pub hostname: Option<String>,
    /// The family of its system, as `linux`.
    pub family: Option<String>,
    /// The distribution, as `debian`.
    pub os: Option<String>,
    /// Its version.
    pub os_version: Option<String>,
    /// Both, as people write it.
    pub os_name: Option<String>,
    /// The architecture.
    pub architecture: Option<String>,
    /// The kernel that starts.
    pub kernel: Option<String>,
}

/// A package in a version, as a system has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The system, as `debian 12`.
    pub system: String,
    /// Its kind, as `deb`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The version, with epoch and release.
    pub version: String,
    /// The architecture.
    pub architecture: Option<String>,
    /// What it was built from.
    pub source: Option<String>,
    /// How its versions are ordered, where that is known.
    pub scheme: Option<fathom_version::Scheme>,
}

/// A flaw in a package.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// Its number in the CVE list, or its name where it has none.
    pub cve: String,
    /// Its other names, and those of what announced it.
    pub aliases: Vec<String>,
    /// The system, as `debian 12`.
    pub system: String,
    /// The kind of the package.
    pub kind: String,
    /// The package.
    pub package: String,
    /// The version that is installed.
    pub version: String,
    /// The version that mends it.
    pub fixed_version: Option<String>,
    /// What can be said of it, as `fixed`.
    pub state: String,
    /// How bad it is, from 1 (negligible) to 5 (critical), where somebody says so.
    pub severity: Option<u8>,
    /// Its base score.
    pub cvss: Option<f64>,
    /// How likely it is exploited within a month.
    pub epss: Option<f64>,
    /// Whether it is known to be exploited.
    pub exploited: bool,
    /// The kind of decision that tells it apart from the others, where there is one.
    pub excepted: Option<String>,
    /// How much is at stake, from 0 to 100.
    pub risk: f64,
}

/// How much is wrong with a machine. Each flaw counts once, however many packages have it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// How much is at stake, from 0 to 100.
    pub risk: f64,
    /// Flaws that are critical.
    pub critical: u32,
    /// Flaws that are grave.
    pub high: u32,
    /// Flaws of middling gravity.
    pub medium: u32,
    /// Flaws of little consequence.
    pub low: u32,
    /// Flaws of no consequence in practice.
    pub negligible: u32,
    /// Flaws of which nobody says how bad they are.
    pub unrated: u32,
    /// Flaws that are known to be exploited.
    pub exploited: u32,
    /// Flaws that a package mends which is there to be installed.
    pub fixable: u32,
    /// Findings that somebody has decided about.
    pub excepted: u32,
}

/// What is known to be wrong with a machine.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The document that tells it.
    pub findings: String,
    /// What it was compared with: another text, another verdict.
    pub with: String,
    /// The flaws.
    pub flaws: Vec<Flaw>,
    /// Whether nothing was left out: what is not among the flaws is not there.
    pub known: bool,
    /// How much there is.
    pub tally: Tally,
}

/// A look at a machine, and what it found.
#[derive(Clone, Debug)]
pub struct Look {
    /// The machine.
    pub machine: Whose,
    /// The job that looked, and the number by which it was held: who lost the job in the meantime adds
    /// nothing.
    pub job: Option<(String, i64)>,
    /// The document that tells all of it.
    pub report: String,
    /// What machines have in common that have the same findings.
    pub likeness: String,
    /// What it is.
    pub nature: Nature,
    /// What is installed; nothing where it could not be looked at all.
    pub packages: Option<Vec<Package>>,
    /// Whether these are all.
    pub packages_known: bool,
    /// What is wrong with it, where that was looked for.
    pub verdict: Option<Verdict>,
}

/// A machine as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Where it stands in the order of all machines.
    pub number: i64,
    /// By which it is called.
    pub id: String,
    /// How it is known.
    pub whose: Whose,
    /// It grows with every change.
    pub version: i64,
    /// When it was first looked at.
    pub first_seen_at: Time,
    /// When it was last looked at.
    pub seen_at: Time,
    /// The newest look.
    pub inspection: i64,
    /// What it is.
    pub nature: Nature,
    /// How many packages are installed, where that is known.
    pub packages: Option<u32>,
    /// Whether these are all.
    pub packages_known: bool,
    /// Whether what is not among its flaws is not there.
    pub flaws_known: bool,
    /// When it was compared with what is known of flaws.
    pub matched_at: Option<Time>,
    /// With what.
    pub matched_with: Option<String>,
    /// How much is wrong with it, where that was looked for.
    pub tally: Option<Tally>,
}

/// A look at a machine, without what it found.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Where it stands in the order of all looks.
    pub number: i64,
    /// The job that looked.
    pub job: Option<String>,
    /// When.
    pub at: Time,
    /// The digest of its report.
    pub report: String,
    /// How many bytes that has.
    pub size: u64,
    /// The digest of its findings, where these were looked for.
    pub findings: Option<String>,
    /// How much was at stake.
    pub risk: Option<f64>,
}
