//! What documents lie under.

use std::fmt;

use crate::error::{Error, Kind, Result};

/// The longest key: the bound of S3.
const MAX_KEY: usize = 1024;
/// The longest part of one. Names of files have 255 bytes, of which some are for temporary ones.
const MAX_PART: usize = 200;
/// The most parts.
const MAX_PARTS: usize = 32;

/// What a document lies under: parts with `/` between them, that mean the same to a filesystem, to a
/// server and to a shell. Nothing in it leads anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The key that is written so.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        match objection(&text) {
            Some(why) => {
                let shown: String = text.chars().take(100).collect();
                Err(Error::new(Kind::Invalid, format!("{shown:?}"), why))
            }
            None => Ok(Self(text)),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that it lies in, and its name there.
    pub(crate) fn split(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why the text is no key.
fn objection(text: &str) -> Option<&'static str> {
    if text.is_empty() || text.len() > MAX_KEY {
        return Some("a name has 1 to 1024 characters");
    }
    if text.split('/').count() > MAX_PARTS {
        return Some("a name has at most 32 parts");
    }
    for part in text.split('/') {
        if part.is_empty() || part.len() > MAX_PART {
            return Some("each part of a name has 1 to 200 characters");
        }
        // Names that begin so lead elsewhere, or are ours.
        if part.starts_with('.') {
            return Some("no part of a name begins with a dot");
        }
        if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+=@,".contains(&byte)) {
            return Some("a name is made of A-Z a-z 0-9 . _ - + = @ , with / between its parts");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_nowhere_else_is_a_key() {
        for text in ["a", "reports/2026/x.json.gz", "job-01a2", "a..b", "A_B-c+d=e@f,g"] {
            assert_eq!(Key::new(text).unwrap().as_str(), text);
        }
        let long = ["a".repeat(201), "a/".repeat(600) + "a", "a/".repeat(32) + "a"];
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "../a",
            ".hidden",
            "a/.b",
            "a\0b",
            "a\nb",
            "a b",
            "a\\b",
            "a%2fb",
            "ä",
            "a:b",
            "a*",
            "~",
            "\u{202e}a",
        ]
        .into_iter()
        .chain(long.iter().map(String::as_str))
        {
            assert_eq!(Key::new(text).unwrap_err().kind(), Kind::Invalid, "{text:?}");
        }
        assert_eq!(Key::new("a/b/c").unwrap().split(), ("a/b", "c"));
        assert_eq!(Key::new("c").unwrap().split(), ("", "c"));
    }
}
