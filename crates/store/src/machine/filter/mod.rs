//! The language in which machines are asked for.
//!
//! ```text
//! expression  = conjunction { "or" conjunction }
//! conjunction = unary { "and" unary }
//! unary       = "not" unary | "(" expression ")" | predicate
//! predicate   = field ("=" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">=") value
//!             | field [ "not" ] "in" "[" value { "," value } "]"
//!             | field "is" ( "known" | "unknown" )
//!             | "package" text ("=" | "<" | "<=" | ">" | ">=") version
//! value       = word | number | "text" | 'text'
//! ```
//!
//! `os = debian and risk > 70 and package ~ openssl` asks for machines that run Debian, of which more
//! than seventy is at stake, and that have a package with `openssl` in its name; `package openssl < 3.0.11`
//! for those that have it in an earlier version, as its kind orders versions.
//!
//! A machine of which it is not known whether it is so is neither given for a condition nor for its
//! opposite.

mod field;
mod lexer;
mod parser;
mod resolve;

use std::cmp::Ordering;
use std::fmt;

pub(super) use field::Field;
pub(super) use resolve::Resolved;

/// What machines are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(super) Expression);

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// How many characters stand before it.
    pub at: usize,
    /// What it is.
    pub what: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "after {} characters: {}", self.at, self.what)
    }
}

impl std::error::Error for FilterError {}

impl Condition {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(Self)
    }

    /// That a machine has this flaw.
    pub fn of_flaw(name: &str) -> Self {
        Self(Expression::Flaw(vec![name.to_owned()]))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// How a field compares.
    Compare(Field, Operator, Value),
    /// That a field is one of these.
    In(Field, Vec<Value>),
    /// That it is known.
    Known(Field),
    /// That a package is installed.
    Package(PackageTest),
    /// That one of these flaws is there.
    Flaw(Vec<String>),
}

/// Which packages are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PackageTest {
    /// Those of one of these names.
    Named(Vec<String>),
    /// Those whose name is like this.
    Like(String),
    /// Those of this name in such a version.
    Version(String, Operator, String),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
    Unlike,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Like => "~",
            Self::Unlike => "!~",
        }
    }

    /// What holds where this does not.
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::More,
            Self::More => Self::AtMost,
            Self::AtLeast => Self::Less,
            Self::Like => Self::Unlike,
            Self::Unlike => Self::Like,
        }
    }

    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal | Self::Like => ordering.is_eq(),
            Self::NotEqual | Self::Unlike => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}
