//! The language of checks: small, total, bounded.
//!
//! ```text
//! expression = conjunction { "or" conjunction }
//! conjunction = unary { "and" unary }
//! unary      = "not" unary | "(" expression ")" | predicate
//! predicate  = path comparison
//!            | path "is" ("known" | "absent")
//!            | "any" path [ "where" unary ]
//!            | "no" path [ "where" unary ]
//!            | "every" [ "found" ] path [ "where" unary ] "has" unary
//!            | "count" path [ "where" unary ] ("=" | "!=" | "<" | "<=" | ">" | ">=") number
//!            | "installed" string { "," string }
//!            | "enabled" string { "," string }
//!            | "concern" string
//!            | "unknown" string
//! comparison = ("=" | "!=") value | ("<" | "<=" | ">" | ">=") (number | day)
//!            | "in" "[" value { "," value } "]"
//!            | ("contains" | "starts" | "ends" | "matches") string
//! path       = "it" | name { "." name | "[" string "]" }
//! value      = string | number | decimal | "true" | "false" | day
//! day        = "today" [ ("+" | "-") number ]
//! ```
//!
//! `found` asks of a list that was made of the usual folders alone, or of files with certain names, no
//! more than it holds.
//!
//! `unknown` is never yes and never no: a rule says by it that what it found decides nothing, and why.
//!
//! There are no loops but those over lists of the report, no functions, no variables. A path is one of
//! the report's own, from a system on; within `where` and `has` it begins at the item. What a rule
//! names must be there in the report's schema, or the rule is refused.

mod lexer;
mod parser;
mod schema;

pub use parser::parse;
pub(crate) use parser::parse_of;
pub(crate) use schema::{ALIASES, Shape, known_value, referred};

use std::fmt;

/// What is asked of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of them hold.
    And(Vec<Expression>),
    /// One of them holds.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// What stands there is so.
    Is(Path, Test),
    /// An item of a list for which it holds.
    Any(Path, Option<Box<Expression>>),
    /// Every item for which the first holds has the second.
    Every(Path, Option<Box<Expression>>, Box<Expression>),
    /// The same of what was found where it was looked.
    EveryFound(Path, Option<Box<Expression>>, Box<Expression>),
    /// How many items there are for which it holds.
    Count(Path, Option<Box<Expression>>, Operator, i64),
    /// One of the packages is installed.
    Installed(Vec<String>),
    /// One of the services is started with the system.
    Enabled(Vec<String>),
    /// There is this concern.
    Concern(String),
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// How it compares.
    Compare(Operator, Literal),
    /// It is one of them.
    In(Vec<Literal>),
    /// It is a list with this item, or a text with this in it.
    Contains(String),
    /// It is a text that begins so.
    Starts(String),
    /// It is a text that ends so.
    Ends(String),
    /// It is a text like this, where a star stands for anything.
    Matches(String),
    /// It is known.
    Known,
    /// It is known that it is not there.
    Absent,
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// They are the same.
    Equal,
    /// They differ.
    NotEqual,
    /// The first is smaller.
    Less,
    /// The first is not larger.
    AtMost,
    /// The first is larger.
    More,
    /// The first is not smaller.
    AtLeast,
}

impl Operator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether values that compare so are as it says.
    pub(crate) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// A value in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number with decimals, in millionths.
    Decimal(i64),
    /// Yes or no.
    Flag(bool),
    /// So many days after today.
    Today(i64),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Decimal(millionths) => f.write_str(&lexer::decimal(*millionths)),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Today(0) => write!(f, "today"),
            Self::Today(days) => write!(f, "today{days:+}"),
        }
    }
}

/// The way to something in the report; the item itself, if it is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// A step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The property of this name.
    Field(String),
    /// What the setting of this name is set to.
    Setting(String),
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "it");
        }
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if index == 0 => write!(f, "{name}")?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Setting(name) => write!(f, "[{name:?}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(operator, literal) => write!(f, "{} {literal}", operator.symbol()),
            Self::In(literals) => {
                let all: Vec<_> = literals.iter().map(ToString::to_string).collect();
                write!(f, "in [{}]", all.join(", "))
            }
            Self::Contains(text) => write!(f, "contains {text:?}"),
            Self::Starts(text) => write!(f, "starts {text:?}"),
            Self::Ends(text) => write!(f, "ends {text:?}"),
            Self::Matches(text) => write!(f, "matches {text:?}"),
            Self::Known => write!(f, "is known"),
            Self::Absent => write!(f, "is absent"),
        }
    }
}
