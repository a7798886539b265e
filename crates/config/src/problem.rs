//! What is wrong with a setting, and where it was set.

use std::fmt;

/// Where a setting has its value from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// The file of this name, there.
    File {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// What was typed.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, .. } => write!(f, "file {file}:{line}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// What is wrong with a setting, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as `transport.config.url`; empty where it is about the file.
    pub path: String,
    /// Where it was set.
    pub origin: Origin,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(path: impl Into<String>, origin: Origin, what: impl Into<String>) -> Self {
        Self { path: path.into(), origin, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Default => {}
            Origin::File { file, line: 0, .. } => write!(f, "{file}: ")?,
            Origin::File { file, line, column } => write!(f, "{file}:{line}:{column}: ")?,
            Origin::Environment(name) => write!(f, "{name}: ")?,
            Origin::Flag => f.write_str("--set: ")?,
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.what)
    }
}

/// A text as an error may show it: in quotes, and not all of it where it is long.
pub(crate) fn quoted(text: &str) -> String {
    format!("{:?}", clipped(text))
}

/// The beginning of a text that is long.
pub(crate) fn clipped(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
