//! Known, absent, unknown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a statement rests on: a path inside the guest, or a registry key.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Evidence(pub String);

impl<T: Into<String>> From<T> for Evidence {
    fn from(place: T) -> Self {
        Self(place.into())
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Fact<T> {
    /// It was read.
    Known {
        /// What it is.
        value: T,
        /// Where it says so.
        evidence: Vec<Evidence>,
    },
    /// It was looked for where it would be, and is not there.
    Absent {
        /// Where it was looked for.
        evidence: Vec<Evidence>,
    },
    /// It could not be looked, or what stands there could not be understood.
    Unknown {
        /// Why not.
        reason: String,
    },
}

impl<T> Fact<T> {
    /// Read at `place`.
    pub fn known(value: T, place: impl Into<Evidence>) -> Self {
        Self::Known { value, evidence: vec![place.into()] }
    }

    /// Looked for in all `places`, in vain.
    pub fn absent<P: Into<Evidence>>(places: impl IntoIterator<Item = P>) -> Self {
        Self::Absent { evidence: places.into_iter().map(Into::into).collect() }
    }

    /// Not to be known, for this reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    /// The value, if it is known.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value, .. } => Some(value),
            Self::Absent { .. } | Self::Unknown { .. } => None,
        }
    }

    /// The same statement about what `change` makes of the value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known { value, evidence } => Fact::Known { value: change(value), evidence },
            Self::Absent { evidence } => Fact::Absent { evidence },
            Self::Unknown { reason } => Fact::Unknown { reason },
        }
    }
}

/// Whether a list holds all there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Coverage {
    /// All there is; none if the list is empty.
    Complete,
    /// Some could not be read; there may be more.
    Partial,
    /// It could not be looked, so an empty list says nothing.
    Unknown,
}

/// A list, and whether it is all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing<T> {
    /// Whether it holds all there is.
    pub coverage: Coverage,
    /// Why it is empty or not complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it was looked.
    pub evidence: Vec<Evidence>,
    /// What was found.
    pub items: Vec<T>,
}

impl<T> Listing<T> {
    /// All there is at `evidence`.
    pub fn complete(items: Vec<T>, evidence: Vec<Evidence>) -> Self {
        Self { coverage: Coverage::Complete, reason: None, evidence, items }
    }

    /// Nothing, for this reason, although it could be looked everywhere.
    pub fn empty(reason: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        let reason = Some(reason.into());
        Self { coverage: Coverage::Complete, reason, evidence, items: Vec::new() }
    }

    /// It could not be looked.
    pub fn unknown(reason: impl Into<String>) -> Self {
        let reason = Some(reason.into());
        Self { coverage: Coverage::Unknown, reason, evidence: Vec::new(), items: Vec::new() }
    }

    /// Says that there may be more, and why. A list that is unknown stays so.
    pub fn hide(&mut self, why: impl Into<String>) {
        if self.coverage == Coverage::Complete {
            self.coverage = Coverage::Partial;
        }
        let why = why.into();
        self.reason = Some(match self.reason.take() {
            Some(reason) => format!("{reason}; {why}"),
            None => why,
        });
    }

    /// Says something of it that hides nothing.
    pub fn note(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.reason = Some(match self.reason.take() {
            Some(reason) => format!("{reason}; {what}"),
            None => what,
        });
    }

    /// Adds another list of the same: it is complete if both are.
    pub fn join(&mut self, other: Self) {
        self.coverage = match (self.coverage, other.coverage) {
            (Coverage::Complete, Coverage::Complete) => Coverage::Complete,
            (Coverage::Unknown, Coverage::Unknown) => Coverage::Unknown,
            _ => Coverage::Partial,
        };
        self.reason = match (self.reason.take(), other.reason) {
            (Some(ours), Some(theirs)) => Some(format!("{ours}; {theirs}")),
            (ours, theirs) => ours.or(theirs),
        };
        self.evidence.extend(other.evidence);
        self.items.extend(other.items);
    }
}
