//! LVM's text: sections in braces, and names with a number, a string or a list of them.
//!
//! ```text
//! vg0 {
//!     seqno = 3
//!     status = ["RESIZEABLE", "READ"]   # a comment
//! }
//! ```

use std::collections::BTreeMap;

use fathom_block::{Error, Result};

/// How deep sections may nest. Real metadata has four levels.
const MAX_DEPTH: usize = 16;

/// How many names and values one text may hold: a group of some ten thousand volumes.
const MAX_ITEMS: usize = 500_000;

/// A section: what is in it, by name.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Section(BTreeMap<String, Item>);

/// What a name stands for.
#[derive(Debug, PartialEq)]
pub(super) enum Item {
    Section(Section),
    Value(Value),
}

/// A value.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Number(i64),
    Text(String),
    List(Vec<Value>),
}

impl Section {
    /// The section called `name`.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        match self.0.get(name) {
            Some(Item::Section(section)) => Some(section),
            _ => None,
        }
    }

    /// All sections in this one.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.0.iter().filter_map(|(name, item)| match item {
            Item::Section(section) => Some((name.as_str(), section)),
            Item::Value(_) => None,
        })
    }

    fn value(&self, name: &str) -> Option<&Value> {
        match self.0.get(name) {
            Some(Item::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// The text called `name`.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The number called `name`, which is never negative.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.number()
    }

    /// The list called `name`.
    pub(super) fn list(&self, name: &str) -> Option<&[Value]> {
        match self.value(name) {
            Some(Value::List(list)) => Some(list),
            _ => None,
        }
    }

    /// The texts of the list called `name`.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).unwrap_or_default().iter().filter_map(Value::text).collect()
    }

    /// Every text in this section itself, with its name.
    pub(super) fn all_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, item)| match item {
            Item::Value(Value::Text(text)) => Some((name.as_str(), text.as_str())),
            _ => None,
        })
    }

    /// Every list in this section itself.
    pub(super) fn all_lists(&self) -> impl Iterator<Item = &[Value]> {
        self.0.values().filter_map(|item| match item {
            Item::Value(Value::List(list)) => Some(list.as_slice()),
            _ => None,
        })
    }
}

impl Value {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one and not negative.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }
}

/// Parses a whole text that was read at the byte offset `base`.
pub(super) fn parse(text: &[u8], base: u64) -> Result<Section> {
    // The text ends with a zero byte.
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    let mut parser = Parser { text: &text[..end], at: 0, base, items: 0 };
    parser.section(0)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
    base: u64,
    items: usize,
}

impl<'a> Parser<'a> {
    #[cold]
    fn corrupt(&self, why: impl Into<String>) -> Error {
        Error::corrupt("LVM metadata", self.base.saturating_add(self.at as u64), why)
    }

    /// The next byte that means something, without taking it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => {
                    while !matches!(self.text.get(self.at), None | Some(b'\n')) {
                        self.at += 1;
                    }
                }
                byte => return Some(*byte),
            }
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<()> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        Err(self.corrupt(format!("{:?} is expected", char::from(wanted))))
    }

    fn count(&mut self) -> Result<()> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(Error::unsupported(
                "LVM metadata",
                format!("it holds more than {MAX_ITEMS} values"),
            ));
        }
        Ok(())
    }

    /// The inside of a section, up to its closing brace or, at the top, to the end.
    fn section(&mut self, depth: usize) -> Result<Section> {
        if depth > MAX_DEPTH {
            return Err(self.corrupt(format!("sections nest deeper than {MAX_DEPTH}")));
        }
        let mut section = Section::default();
        loop {
            match self.peek() {
                None if depth == 0 => return Ok(section),
                None => return Err(self.corrupt("the text ends within a section")),
                Some(b'}') if depth > 0 => {
                    self.at += 1;
                    return Ok(section);
                }
                Some(_) => {}
            }
            self.count()?;
            let name = self.name()?;
            let item = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    Item::Section(self.section(depth + 1)?)
                }
                Some(b'=') => {
                    self.at += 1;
                    Item::Value(self.value()?)
                }
                _ => return Err(self.corrupt(format!("{name:?} stands for nothing"))),
            };
            if section.0.insert(name.clone(), item).is_some() {
                return Err(self.corrupt(format!("{name:?} is there twice")));
            }
        }
    }

    fn name(&mut self) -> Result<String> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.corrupt("a name is expected"));
        }
        Ok(word)
    }

    /// Everything up to a byte that has a meaning of its own.
    fn word(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let special = |byte: &u8| b" \t\r\n#={}[],\"'".contains(byte);
        let length = rest.iter().position(special).unwrap_or(rest.len());
        self.at += length;
        String::from_utf8_lossy(&rest[..length]).into_owned()
    }

    fn value(&mut self) -> Result<Value> {
        if self.peek() != Some(b'[') {
            return self.scalar();
        }
        self.at += 1;
        let mut list = Vec::new();
        loop {
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(Value::List(list));
            }
            if !list.is_empty() {
                self.expect(b',')?;
                if self.peek() == Some(b']') {
                    continue;
                }
            }
            list.push(self.scalar()?);
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        self.count()?;
        if self.peek() == Some(b'"') {
            return self.quoted().map(Value::Text);
        }
        let word = self.word();
        match word.parse() {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) if word.is_empty() => Err(self.corrupt("a value is expected")),
            // A fraction, or something newer; nothing that is read here is one.
            Err(_) => Ok(Value::Text(word)),
        }
    }

    /// A quoted string, in which a backslash protects a quote or a backslash.
    fn quoted(&mut self) -> Result<String> {
        self.expect(b'"')?;
        let mut bytes = Vec::new();
        loop {
            match (self.text.get(self.at), self.text.get(self.at + 1)) {
                (Some(b'"'), _) => {
                    self.at += 1;
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                (Some(b'\\'), Some(byte @ (b'"' | b'\\'))) => {
                    bytes.push(*byte);
                    self.at += 2;
                }
                (Some(byte), _) => {
                    bytes.push(*byte);
                    self.at += 1;
                }
                (None, _) => return Err(self.corrupt("the text ends within a string")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_values_lists_and_comments_are_read() {
        let text = br#"
# Generated by LVM2
vg0 {
    id = "a\"b\\c"  # "not this"
    seqno = 3
    status = ["READ", "WRITE",]
    none = []
    lv { segment1 { stripes = ["pv0", 17] } }
}
contents = "Text Format Volume Group"
version = -1
ratio = 0.5
"#;
        let top = parse(text, 0).unwrap();
        let group = top.section("vg0").unwrap();
        assert_eq!(group.text("id"), Some("a\"b\\c"));
        assert_eq!(group.number("seqno"), Some(3));
        assert_eq!(group.texts("status"), ["READ", "WRITE"]);
        assert_eq!(group.list("none"), Some(&[][..]));
        let stripes = group.section("lv").unwrap().section("segment1").unwrap().list("stripes");
        assert_eq!(stripes, Some(&[Value::Text("pv0".into()), Value::Number(17)][..]));
        assert_eq!(top.number("version"), None, "negative");
        assert_eq!(top.text("ratio"), Some("0.5"));
        assert_eq!(top.sections().count(), 1);
        assert_eq!(parse(b"a = 1\0 garbage {{{", 0).unwrap().number("a"), Some(1));
    }

    #[test]
    fn damage_is_corrupt_at_its_place() {
        for (text, at) in [
            (&b"vg {"[..], 4),
            (b"a = \"x", 6),
            (b"a = ", 4),
            (b"a", 1),
            (b"}", 0),
            (b"a = [1 2]", 7),
            (b"a = [1", 6),
            (b"a=1 a=2", 7),
            (b"= 3", 0),
        ] {
            let error = parse(text, 1000).unwrap_err();
            assert_eq!(error.offset(), Some(1000 + at), "{}: {error}", text.escape_ascii());
        }
    }

    #[test]
    fn depth_and_count_are_bounded() {
        assert!(parse("a {".repeat(100_000).as_bytes(), 0).is_err());
        let many = format!("a = [{}]", "1,".repeat(MAX_ITEMS + 1));
        assert!(parse(many.as_bytes(), 0).is_err());
    }
}
