//! The parts of OSV's schema that are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
pub(super) struct Record<'r> {
    #[serde(borrow)]
    pub(super) id: Text<'r>,
    #[serde(borrow, default)]
    pub(super) aliases: Vec<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) upstream: Vec<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) related: Vec<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) summary: Text<'r>,
    #[serde(borrow, default)]
    pub(super) details: Text<'r>,
    #[serde(borrow, default)]
    pub(super) published: Text<'r>,
    #[serde(borrow, default)]
    pub(super) modified: Text<'r>,
    pub(super) withdrawn: Option<Value>,
    #[serde(borrow, default)]
    pub(super) severity: Vec<Score<'r>>,
    #[serde(borrow, default)]
    pub(super) affected: Vec<Affected<'r>>,
    #[serde(borrow, default)]
    pub(super) references: Vec<Reference<'r>>,
    #[serde(borrow, default)]
    pub(super) database_specific: Option<OfRecord<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Score<'r> {
    #[serde(borrow, rename = "type", default)]
    pub(super) kind: Text<'r>,
    #[serde(borrow, default)]
    pub(super) score: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Reference<'r> {
    #[serde(borrow, default)]
    pub(super) url: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Affected<'r> {
    #[serde(borrow)]
    pub(super) package: Option<Package<'r>>,
    #[serde(borrow, default)]
    pub(super) ranges: Vec<Range<'r>>,
    #[serde(borrow, default)]
    pub(super) versions: Vec<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) severity: Vec<Score<'r>>,
    #[serde(borrow, default)]
    pub(super) ecosystem_specific: Option<OfEcosystem<'r>>,
    #[serde(borrow, default)]
    pub(super) database_specific: Option<OfAffected<'r>>,
}

/// What databases add to what is affected.
#[derive(Deserialize, Default)]
pub(super) struct OfAffected<'r> {
    /// GitHub, of what nothing mends: `<= 1.2.3`.
    #[serde(borrow, default)]
    last_known_affected_version_range: Option<Text<'r>>,
    /// RustSec, of what is told for another reason than a flaw: `unmaintained`, `unsound`, `notice`.
    #[serde(borrow, default)]
    informational: Option<Text<'r>>,
}

impl OfAffected<'_> {
    /// The last version that is known to be affected, and whether it is itself.
    pub(super) fn last_known(&self) -> Option<(bool, &str)> {
        let range = self.last_known_affected_version_range.as_deref()?.trim();
        let (is_inclusive, version) = match range.strip_prefix("<=") {
            Some(version) => (true, version),
            None => (false, range.strip_prefix('<')?),
        };
        Some((is_inclusive, version.trim()))
    }

    /// Whether it tells of something that is no flaw.
    pub(super) fn is_no_flaw(&self) -> bool {
        matches!(self.informational.as_deref(), Some("unmaintained" | "notice"))
    }
}

#[derive(Deserialize)]
pub(super) struct Package<'r> {
    /// Empty where a record is about commits alone.
    #[serde(borrow, default)]
    pub(super) ecosystem: Text<'r>,
    #[serde(borrow, default)]
    pub(super) name: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Range<'r> {
    #[serde(borrow, rename = "type", default)]
    pub(super) kind: Text<'r>,
    #[serde(borrow, default)]
    pub(super) events: Vec<Event<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Event<'r> {
    #[serde(borrow)]
    pub(super) introduced: Option<Text<'r>>,
    #[serde(borrow)]
    pub(super) fixed: Option<Text<'r>>,
    #[serde(borrow)]
    pub(super) last_affected: Option<Text<'r>>,
    #[serde(borrow)]
    pub(super) limit: Option<Text<'r>>,
}

/// What ecosystems add to what is affected.
#[derive(Deserialize, Default)]
pub(super) struct OfEcosystem<'r> {
    /// Debian: `unimportant`, `low`, `end-of-life`, …
    #[serde(borrow, default)]
    pub(super) urgency: Text<'r>,
    /// Ubuntu: `needed`, `ignored`, …
    #[serde(borrow, default)]
    pub(super) tracker_status: Text<'r>,
    /// Packages by their names, each with the version that mends it. Of Ubuntu, it says which packages
    /// there are, and nothing that the range does not.
    #[serde(borrow, default)]
    pub(super) binaries: Vec<BTreeMap<Text<'r>, Value>>,
}

/// What databases add to a record.
#[derive(Deserialize, Default)]
pub(super) struct OfRecord<'r> {
    #[serde(borrow, default)]
    pub(super) severity: Option<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) cwe_ids: Vec<Text<'r>>,
}
