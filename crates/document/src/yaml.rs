//! YAML that readers of version 1.1 and 1.2 take for the same values as the JSON of the document.
//!
//! Block style, as people write it. A text stands without quotes only where no reader can take it
//! for anything else: `no`, `1:30`, `0x1f` and `2024-01-01` are all quoted.

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{self, SerializeMap as _};

use crate::words::turns_direction;

/// Writes a value as one YAML document.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    value.serialize(Writer { out, indent: 0, place: Place::Start }).map_err(|Error(error)| error)
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning.
    Start,
    /// Behind `key:`.
    Key,
    /// Behind the dash of a list.
    Dash,
}

/// Why it could not be written.
#[derive(Debug)]
struct Error(io::Error);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(io::Error::other(message.to_string()))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

struct Writer<'a> {
    out: &'a mut dyn Write,
    /// How far the entries of a map or list that stands here are set in.
    indent: usize,
    place: Place,
}

impl<'a> Writer<'a> {
    /// Writes something that takes no lines of its own.
    fn scalar(self, text: &str) -> Result<(), Error> {
        let lead = if self.place == Place::Start { "" } else { " " };
        Ok(writeln!(self.out, "{lead}{text}")?)
    }

    fn entries(self) -> Entries<'a> {
        Entries { out: self.out, indent: self.indent, place: self.place, any: false }
    }
}

/// A map or a list under way.
struct Entries<'a> {
    out: &'a mut dyn Write,
    indent: usize,
    place: Place,
    any: bool,
}

impl Entries<'_> {
    /// Begins one more entry's line.
    fn begin(&mut self) -> Result<(), Error> {
        match (self.any, self.place) {
            // The first entry of a map or list within a list stands on the line of its dash.
            (false, Place::Dash) => self.out.write_all(b" ")?,
            (false, Place::Start) => {}
            (false, Place::Key) => write!(self.out, "\n{:1$}", "", self.indent)?,
            (true, _) => write!(self.out, "{:1$}", "", self.indent)?,
        }
        self.any = true;
        Ok(())
    }

    fn key(&mut self, key: &str) -> Result<(), Error> {
        self.begin()?;
        Ok(write!(self.out, "{}:", text(key))?)
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T, place: Place) -> Result<(), Error> {
        value.serialize(Writer { out: self.out, indent: self.indent + 2, place })
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.begin()?;
        self.out.write_all(b"-")?;
        self.value(value, Place::Dash)
    }

    fn finish(self, empty: &str) -> Result<(), Error> {
        if self.any {
            return Ok(());
        }
        Writer { out: self.out, indent: self.indent, place: self.place }.scalar(empty)
    }
}

macro_rules! numbers {
    ($($name:ident: $kind:ty),*) => {
        $(fn $name(self, value: $kind) -> Result<(), Error> {
            self.scalar(&value.to_string())
        })*
    };
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Entries<'a>;
    type SerializeTuple = Entries<'a>;
    type SerializeTupleStruct = Entries<'a>;
    type SerializeTupleVariant = ser::Impossible<(), Error>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = ser::Impossible<(), Error>;

    numbers!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64
    );

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if value.is_finite() { self.scalar(&format!("{value:?}")) } else { self.scalar("null") }
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.scalar(&text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.scalar("null")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.scalar("null")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.scalar("null")
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut map = self.serialize_map(Some(1))?;
        map.serialize_entry(variant, value)?;
        map.end()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Entries<'a>, Error> {
        Ok(self.entries())
    }

    fn serialize_tuple(self, _length: usize) -> Result<Entries<'a>, Error> {
        Ok(self.entries())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Entries<'a>, Error> {
        Ok(self.entries())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(ser::Error::custom("no document has a variant of this kind"))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Entries<'a>, Error> {
        Ok(self.entries())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Entries<'a>, Error> {
        Ok(self.entries())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(ser::Error::custom("no document has a variant of this kind"))
    }
}

impl ser::SerializeSeq for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish("[]")
    }
}

impl ser::SerializeTuple for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish("[]")
    }
}

impl ser::SerializeTupleStruct for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.item(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish("[]")
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = serde_json::to_value(key).map_err(<Error as ser::Error>::custom)?;
        match key {
            serde_json::Value::String(key) => self.key(&key),
            other => self.key(&other.to_string()),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value, Place::Key)
    }

    fn end(self) -> Result<(), Error> {
        self.finish("{}")
    }
}

impl ser::SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.key(key)?;
        self.value(value, Place::Key)
    }

    fn end(self) -> Result<(), Error> {
        self.finish("{}")
    }
}

/// Words that some version of YAML takes for something else than text.
const TAKEN: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// A text, in quotes unless nobody can take it for anything else.
fn text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./+@- ".contains(c))
        && !text.ends_with(' ')
        && !TAKEN.iter().any(|word| text.eq_ignore_ascii_case(word));
    if plain { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes. What is not shown by every reader is spelled out.
fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 2);
    shown.push('"');
    for c in text.chars() {
        match c {
            '"' => shown.push_str("\\\""),
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            ' '..='~' | '\u{a0}'..='\u{d7ff}'
                if !matches!(c, '\u{2028}' | '\u{2029}') && !turns_direction(c) =>
            {
                shown.push(c);
            }
            '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' => shown.push(c),
            c if c as u32 <= 0xff => shown.push_str(&format!("\\x{:02x}", c as u32)),
            c if c as u32 <= 0xffff => shown.push_str(&format!("\\u{:04x}", c as u32)),
            c => shown.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    shown.push('"');
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(value: &serde_json::Value, wanted: &str) {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }

    #[test]
    fn maps_and_lists() {
        check(
            &json!({"a": 1, "b": [], "c": {}, "d": [1, {"e": null, "f": [2.5, [3], []]}]}),
            "a: 1\nb: []\nc: {}\nd:\n  - 1\n  - e: null\n    f:\n      - 2.5\n      - - 3\n      - []\n",
        );
        check(&json!([]), "[]\n");
        check(&json!([["a"]]), "- - a\n");
    }

    #[test]
    fn what_could_be_something_else_is_quoted() {
        for (value, wanted) in [
            ("bash", "bash"),
            ("GNU/Linux 12", "GNU/Linux 12"),
            ("No", "\"No\""),
            ("1:30", "\"1:30\""),
            ("0x1f", "\"0x1f\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("~", "\"~\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("é日", "\"é日\""),
            ("a\u{202e}b", "\"a\\u202eb\""),
            (
                "a\u{1b}\u{85}\u{2028}\u{feff}\u{1f600}\r",
                "\"a\\x1b\\x85\\u2028\\ufeff\\U0001f600\\x0d\"",
            ),
        ] {
            assert_eq!(text(value), wanted);
        }
    }
}
