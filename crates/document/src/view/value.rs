//! What stands in one place of a list.

use std::borrow::Cow;

use fathom_report::{Evidence, Fact};
use serde::Serialize;

use crate::words::{size, word};

/// What stands in one place of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, as it was found: nobody has made it harmless yet.
    Text(Cow<'a, str>),
    /// A number.
    Number(u64),
    /// A number of bytes.
    Size(u64),
    /// Yes or no.
    Flag(bool),
    /// It was looked for, and is not there.
    Absent,
    /// It could not be looked, for this reason.
    Unknown(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// Text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// Text that may not be there.
    pub(super) fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Absent, Self::text)
    }

    /// Several texts; absent if there are none.
    pub(super) fn texts<S: AsRef<str>>(texts: &[S]) -> Self {
        if texts.is_empty() {
            return Self::Absent;
        }
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        Self::Text(texts.join(", ").into())
    }

    /// Where something says so.
    pub(super) fn evidence(places: &[Evidence]) -> Self {
        if places.is_empty() {
            return Self::Absent;
        }
        let places: Vec<&str> = places.iter().map(|place| place.0.as_str()).collect();
        Self::Text(places.join(", ").into())
    }

    /// One of a few words.
    pub(super) fn word<T: Serialize>(value: &T) -> Self {
        Self::Text(word(value).into())
    }

    /// What is to be known of a fact.
    pub(super) fn fact<T>(fact: &'a Fact<T>, show: impl FnOnce(&'a T) -> Self) -> Self {
        match fact {
            Fact::Known { value, .. } => show(value),
            Fact::Absent { .. } => Self::Absent,
            Fact::Unknown { reason } => Self::Unknown(reason.into()),
        }
    }

    /// A fact of text.
    pub(super) fn text_fact(fact: &'a Fact<String>) -> Self {
        Self::fact(fact, |text| Self::text(text.as_str()))
    }

    /// What a fact rests on.
    pub(super) fn evidence_of<T>(fact: &Fact<T>) -> Self {
        match fact {
            Fact::Known { evidence, .. } | Fact::Absent { evidence } => Self::evidence(evidence),
            Fact::Unknown { .. } => Self::Absent,
        }
    }

    /// In words, as found.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Number(number) => number.to_string().into(),
            Self::Size(bytes) => size(*bytes).into(),
            Self::Flag(true) => "yes".into(),
            Self::Flag(false) => "no".into(),
            Self::Absent => "-".into(),
            Self::Unknown(reason) => format!("unknown: {reason}").into(),
        }
    }
}

impl<'a> From<Option<u64>> for Value<'a> {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

impl<'a> From<Option<bool>> for Value<'a> {
    fn from(flag: Option<bool>) -> Self {
        flag.map_or(Self::Absent, Self::Flag)
    }
}
