//! What differs between two lists of findings, and whether that is because of the machine or of what is
//! known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::difference::FieldChange;
use crate::finding::{Note, Severity, Source, State};
use crate::package::PackageKind;

/// The version of the document.
pub const SCHEMA: &str = "fathom.findings-diff/v1";

/// What differs between two lists of findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FindingsDifference")]
pub struct Difference {
    /// `fathom.findings-diff/v1`.
    pub schema: String,
    /// The program that made this, and its version.
    pub generator: String,
    /// The first list.
    pub before: Side,
    /// The second.
    pub after: Side,
    /// Whether both were compared with the same database.
    pub same_database: bool,
    /// Whether the same is installed in both; nothing where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_packages: Option<bool>,
    /// How much differs.
    pub summary: Summary,
    /// What differs.
    pub changes: Vec<Change>,
    /// Why more may differ, or less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

/// One of the lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FindingsSide")]
pub struct Side {
    /// What was scanned.
    pub subject: String,
    /// What it was compared with.
    pub database: Vec<Source>,
    /// How many packages are installed.
    pub total_packages: usize,
    /// How many findings there are.
    pub findings: usize,
}

/// How much differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FindingsDifferenceSummary")]
pub struct Summary {
    /// Findings that were not there before.
    pub new: usize,
    /// Findings that are not there any more.
    pub gone: usize,
    /// Findings of which something changed.
    pub changed: usize,
    /// Findings of which nothing did.
    pub same: usize,
}

/// What became of a finding.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FindingChangeKind")]
pub enum ChangeKind {
    /// It was not there before.
    New,
    /// Something of it changed.
    Changed,
    /// It is not there any more.
    Gone,
}

/// What a change comes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FindingCause")]
pub enum Cause {
    /// More is known of the flaw, or something else.
    Database,
    /// The package was installed, removed, or is of another version.
    Machine,
    /// Somebody has decided about it.
    Decision,
    /// It cannot be told from these two lists.
    Unknown,
}

/// A finding that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FindingChange")]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// What that comes of.
    pub cause: Cause,
    /// The flaw.
    pub cve_id: String,
    /// The root of the system, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The package.
    pub package: String,
    /// The kind of package.
    pub package_kind: PackageKind,
    /// The architecture of the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Where the package lies, where it is in no database of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The version that is installed, or was where the finding is gone.
    pub installed_version: String,
    /// How the finding stands, or stood.
    pub state: State,
    /// The version that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_version: Option<String>,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What changed of it, where it is in both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// Why a list may not be all there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FindingsDoubt")]
pub struct Doubt {
    /// Which of the lists.
    pub side: WhichSide,
    /// What it does not say, and why.
    pub note: Note,
}

/// One of two lists.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum WhichSide {
    /// The first.
    Before,
    /// The second.
    After,
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Difference).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), SCHEMA.into());
    }
    schema
}
