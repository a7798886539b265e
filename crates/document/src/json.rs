//! JSON in which nothing commands a terminal or turns the direction of writing: what does so and is
//! not spelled out by JSON itself is spelled out here. Every reader takes it for the same text.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use crate::words::turns_direction;

/// Writes a value as people read it, in lines that are set in.
pub fn write(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let formatter = Harmless(PrettyFormatter::new());
    let mut serializer = serde_json::Serializer::with_formatter(out, formatter);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Lines that are set in, with texts that are harmless.
struct Harmless(PrettyFormatter<'static>);

/// Passes the layout on.
macro_rules! layout {
    ($($name:ident($($argument:ident: $kind:ty)?)),*) => {
        $(fn $name<W: ?Sized + Write>(&mut self, writer: &mut W $(, $argument: $kind)?)
            -> io::Result<()>
        {
            self.0.$name(writer $(, $argument)?)
        })*
    };
}

impl Formatter for Harmless {
    layout!(
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        begin_object_value(),
        end_object_value(),
        write_char_escape(escape: CharEscape)
    );

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut from = 0;
        let commands = |c: char| c.is_control() || turns_direction(c);
        for (at, c) in fragment.char_indices().filter(|(_, c)| commands(*c)) {
            writer.write_all(fragment.get(from..at).unwrap_or_default().as_bytes())?;
            // All of them are below 0x10000.
            write!(writer, "\\u{:04x}", u32::from(c))?;
            from = at + c.len_utf8();
        }
        writer.write_all(fragment.get(from..).unwrap_or_default().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_commands_is_spelled_out_and_read_as_the_same() {
        let value = json!({"a\u{202e}": ["\u{7f}\u{9b}31m", "é日\u{1b}\"", {}, []], "b": 1});
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' || turns_direction(c)), "{text}");
        assert!(text.contains("\\u007f\\u009b31m") && text.contains("é日\\u001b"), "{text}");
        // Apart from that it is what serde_json writes.
        let plain = json!({"a": [1, {"b": null}, []], "c": {}});
        let mut out = Vec::new();
        write(&plain, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string_pretty(&plain).unwrap());
    }
}
