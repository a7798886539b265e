//! What differs between two reports, as a published document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// The version of the document.
pub const DIFFERENCE_SCHEMA: &str = "fathom.diff/v1";

/// What differs between two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// `fathom.diff/v1`.
    pub schema: String,
    /// The program that compared them, and its version.
    pub generator: String,
    /// The first of the two, which changes are counted from.
    pub before: Side,
    /// The second.
    pub after: Side,
    /// What differs, in the order of the sections and of the names.
    pub changes: Vec<Change>,
    /// What could not be compared, since one of the two does not know it. It may differ or not.
    pub unknown: Vec<Incomparable>,
}

impl Difference {
    /// How many things could not be compared, since one knows less of them than the other; and how
    /// many neither knows, for the same reason.
    pub fn uncompared(&self) -> (usize, usize) {
        let of_both = self.unknown.iter().filter(|one| one.is_of_both()).count();
        (self.unknown.len() - of_both, of_both)
    }

    /// Whether nothing differs, as far as it could be compared.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }
}

/// One of the two that were compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// What it was opened by.
    pub name: String,
    /// The program that made the report, and its version.
    pub generator: String,
    /// Its operating systems, by the volumes of their roots.
    pub systems: Vec<String>,
}

/// The part of a report that something differs in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Which operating systems there are.
    Systems,
    /// What a system is.
    Identity,
    /// Kernels, what starts by default, firmware, drivers.
    Kernels,
    /// What is installed.
    Packages,
    /// Accounts, groups, keys, and the rules of sudo.
    Users,
    /// What is started.
    Services,
    /// Interfaces, routes, names, firewalls.
    Network,
    /// Volumes, mounts and swap.
    Storage,
    /// What the system is there for.
    Applications,
    /// Containers and their images.
    Containers,
    /// How it is guarded.
    Security,
    /// What stands in the way of moving it.
    Concerns,
}

/// How something differs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is only in the second, and the first is known not to have it.
    Added,
    /// It is only in the first, and the second is known not to have it.
    Removed,
    /// Both have it, and it is not the same.
    Changed,
}

/// Which way a version changed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The second is newer by the rules of its kind.
    Upgrade,
    /// The second is older by the rules of its kind.
    Downgrade,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The part of the report.
    pub part: Part,
    /// The system, by the volume of its root in the second report, or in the first where the
    /// second has it not; nothing where it is about the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// How it differs.
    pub kind: ChangeKind,
    /// What it is: `package`, `account`, `service`.
    pub what: String,
    /// Its name.
    pub name: String,
    /// Which way its version changed. Said only where the rules by which versions of its kind are
    /// ordered are known for sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// What of it is not the same; of what was added or removed, what it was.
    pub fields: Vec<FieldChange>,
    /// Where the first says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_before: Vec<Evidence>,
    /// Where the second says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence_after: Vec<Evidence>,
}

/// A property that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// Its name, as `version`.
    pub name: String,
    /// What it was; nothing where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is; nothing where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Something that could not be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Incomparable {
    /// The part of the report.
    pub part: Part,
    /// The system, by the volume of its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// What: `packages`, `host name`.
    pub what: String,
    /// Why the first does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Why the second does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Names that only one of the two lists, of which the other may have them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl Incomparable {
    /// Whether both are equally in the dark: for one reason, and without anything that only one of
    /// them has. Two reports on one machine are so. Of systems that nobody could look at it is never
    /// said.
    pub fn is_of_both(&self) -> bool {
        self.part != Part::Systems
            && self.before.is_some()
            && self.before == self.after
            && self.names.is_empty()
    }
}

/// The JSON Schema of the difference.
pub fn difference_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Difference).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), DIFFERENCE_SCHEMA.into());
    }
    schema
}
