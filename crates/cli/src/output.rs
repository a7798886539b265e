//! Standard output: buffered, and an error when it cannot be written.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};

use serde::Serialize;

use crate::exit::Failure;
use crate::text::commands_a_terminal;

/// Standard output.
pub(crate) struct Out(BufWriter<StdoutLock<'static>>);

impl Out {
    /// Standard output, locked for this command.
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout().lock()))
    }

    /// Whether somebody looks at it on a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.0.get_ref().is_terminal()
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.0.write_all(bytes).map_err(Failure::host("standard output"))
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) -> Result<(), Failure> {
        self.bytes(line.as_ref().as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes a value as JSON and a newline.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        fathom_document::json(value, &mut self.0).map_err(Failure::host("standard output"))?;
        self.bytes(b"\n")
    }

    /// Writes a piece of a document that ends between two characters: as it is, or on a terminal so
    /// that this obeys nothing in it.
    fn document(&mut self, piece: &[u8]) -> Result<(), Failure> {
        match self.is_terminal() {
            true => Harmless::new(&mut self.0).write_all(piece),
            false => self.0.write_all(piece),
        }
        .map_err(Failure::host("standard output"))
    }

    /// Writes what is held back, so that what is said on standard error stands behind it.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.0.flush().map_err(Failure::host("standard output"))
    }

    /// Makes sure that all of it is written.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.0.flush().map_err(Failure::host("standard output"))
    }
}

/// So that documents can be written to it as to a file.
impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Documents on a terminal: what it would obey is written as `\u009b`, which JSON and YAML mean by that
/// too. Everything but the end of a line counts, since none of our documents holds more.
pub(crate) struct Harmless<W> {
    out: W,
    /// The beginning of a character, or a carriage return, of which the next write shows more.
    held: Vec<u8>,
}

impl<W: Write> Harmless<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out, held: Vec::new() }
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let mut whole = match std::str::from_utf8(&all) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => all.len(),
        };
        if whole == all.len() && all.ends_with(b"\r") {
            whole -= 1;
        }
        self.held = all.split_off(whole);
        let text = String::from_utf8_lossy(&all);
        let mut shown = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let ends_line = c == '\n' || (c == '\r' && characters.peek() == Some(&'\n'));
            if !ends_line && commands_a_terminal(c) {
                shown.push_str(&format!("\\u{:04x}", c as u32));
            } else {
                shown.push(c);
            }
        }
        self.out.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A JSON array that is written item by item: a directory may hold millions.
#[derive(Default)]
pub(crate) struct JsonArray {
    any: bool,
}

impl JsonArray {
    /// Writes one more item.
    pub(crate) fn item(&mut self, out: &mut Out, item: &impl Serialize) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        fathom_document::json(item, &mut bytes).map_err(Failure::host("standard output"))?;
        let text = String::from_utf8_lossy(&bytes);
        out.bytes(if self.any { b",\n  " } else { b"[\n  " })?;
        self.any = true;
        // No string in JSON holds a newline as it is, so these are the lines of the layout.
        out.document(text.replace('\n', "\n  ").as_bytes())
    }

    /// Ends the array.
    pub(crate) fn finish(self, out: &mut Out) -> Result<(), Failure> {
        out.bytes(if self.any { b"\n]\n" } else { b"[]\n" })
    }
}

/// Text in columns: each as wide as its widest cell, numbers to the right.
pub(crate) struct Columns {
    right: &'static [usize],
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// Columns, of which those numbered in `right` are aligned to the right.
    pub(crate) fn new(right: &'static [usize]) -> Self {
        Self { right, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Writes all rows.
    pub(crate) fn write(&self, out: &mut Out) -> Result<(), Failure> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column > 0 {
                    line.push_str("  ");
                }
                let fill = widths[column] - cell.chars().count();
                if self.right.contains(&column) {
                    line.extend(std::iter::repeat_n(' ', fill));
                    line.push_str(cell);
                } else {
                    line.push_str(cell);
                    line.extend(std::iter::repeat_n(' ', fill));
                }
            }
            out.line(line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_in_a_document() {
        let text = "{\"a\": \"\u{9b}2J\u{202e}\u{e9}\"}\r\n\u{1b}[31m\rx\n";
        let expected = "{\"a\": \"\\u009b2J\\u202e\u{e9}\"}\r\n\\u001b[31m\\u000dx\n";
        // Wherever it is cut, also within a character.
        for cut in 0..text.len() {
            let mut shown = Harmless::new(Vec::new());
            let (before, after) = text.as_bytes().split_at(cut);
            shown.write_all(before).unwrap();
            shown.write_all(after).unwrap();
            assert_eq!(String::from_utf8(shown.out).unwrap(), expected, "{cut}");
        }
    }
}
