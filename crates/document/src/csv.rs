//! A section as comma-separated values, as RFC 4180 has them.
//!
//! One rectangular table, whatever lists the section is made of: each row says of which machine,
//! system and list it is, and whether that list is complete, so that no spreadsheet reads "could
//! not look" as "nothing there". A list without rows has one row that says why.

use std::borrow::Cow;
use std::io::{self, Write};

use fathom_report::{Coverage, Report};

use crate::view::{self, Column, List, Section, Sink, Value};
use crate::words::word;

/// What every row begins with.
const LEAD: [&str; 5] = ["machine", "system", "list", "coverage", "reason"];

/// Writes one section of any number of machines.
pub struct Csv<'a> {
    section: Section,
    /// Whether the names of the columns are still to be written.
    header: bool,
    out: &'a mut dyn Write,
    columns: Vec<&'static str>,
}

impl<'a> Csv<'a> {
    /// A table of the section, with or without the names of its columns in front; they are those of
    /// all its lists, so that they depend on nothing but the section.
    pub fn new(section: Section, header: bool, out: &'a mut dyn Write) -> Self {
        Self { section, header, out, columns: view::columns(section) }
    }

    /// Adds the rows of one machine.
    pub fn report(&mut self, report: &Report) -> io::Result<()> {
        if std::mem::take(&mut self.header) {
            let heads: Vec<&str> = LEAD.iter().chain(&self.columns).copied().collect();
            record(self.out, heads.into_iter())?;
        }
        let machine = report.disks.first().map_or("", |disk| disk.name.as_str());
        let mut rows = Rows {
            out: self.out,
            all: &self.columns,
            machine,
            system: "",
            list: None,
            columns: &[],
            empty: true,
        };
        view::machine(self.section, report, &mut rows)?;
        for system in &report.systems {
            rows.system = &system.root;
            view::system(self.section, system, &mut rows)?;
        }
        Ok(())
    }
}

/// The rows of one machine.
struct Rows<'a> {
    out: &'a mut dyn Write,
    /// The columns of the table.
    all: &'a [&'static str],
    machine: &'a str,
    system: &'a str,
    list: Option<(&'static str, Coverage, String)>,
    /// Those of the list that is under way.
    columns: &'static [Column],
    empty: bool,
}

impl Rows<'_> {
    fn write(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        let Some((title, coverage, reason)) = &self.list else { return Ok(()) };
        let coverage = word(coverage);
        let lead = [self.machine, self.system, title, &coverage, reason];
        let place = |name: &str| {
            self.columns.iter().position(|column| column.name == name).and_then(|at| values.get(at))
        };
        let cells: Vec<String> =
            self.all.iter().map(|name| place(name).map_or(String::new(), cell)).collect();
        record(self.out, lead.into_iter().chain(cells.iter().map(String::as_str)))
    }
}

/// A value for programs: nothing where it is absent, numbers without a unit.
fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Size(bytes) => bytes.to_string(),
        other => other.shown().into_owned(),
    }
}

impl Sink for Rows<'_> {
    fn begin(&mut self, list: &List<'_>) -> io::Result<()> {
        self.list = Some((list.title, list.coverage, list.reason.unwrap_or_default().to_owned()));
        self.columns = list.columns;
        self.empty = true;
        Ok(())
    }

    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.empty = false;
        self.write(values)
    }

    fn end(&mut self) -> io::Result<()> {
        if self.empty { self.write(&[]) } else { Ok(()) }
    }
}

/// Writes one record.
pub fn record<'a>(out: &mut dyn Write, cells: impl Iterator<Item = &'a str>) -> io::Result<()> {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        field(out, cell)?;
    }
    out.write_all(b"\r\n")
}

/// Writes one field, quoted where it must be. A spreadsheet takes what begins with one of these
/// characters for a formula; what an image put there must not be computed, so a quote precedes it.
fn field(out: &mut dyn Write, text: &str) -> io::Result<()> {
    // Some take a `;` for the end of a field, whatever stands around it.
    let pieces: Vec<&str> = text.split(';').collect();
    let is_any = pieces.iter().any(|piece| is_formula(piece));
    let text = match is_any {
        false => Cow::Borrowed(text),
        true => {
            let lead = |piece: &&str| if is_formula(piece) { "'" } else { "" };
            let guarded = pieces.iter().map(|piece| format!("{}{piece}", lead(piece)));
            Cow::Owned(guarded.collect::<Vec<_>>().join(";"))
        }
    };
    if is_any || text.contains([',', ';', '"', '\n', '\r']) {
        write!(out, "\"{}\"", text.replace('"', "\"\""))
    } else {
        out.write_all(text.as_bytes())
    }
}

/// Whether spreadsheets take the text for a formula.
fn is_formula(text: &str) -> bool {
    // A scope of npm, `@angular/core`, has nothing in it that could do anything.
    let is_name = |c: char| c.is_ascii_alphanumeric() || "@/._~-".contains(c);
    // Some take the wide forms of these characters for the same.
    let wide = ['\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    text.starts_with(['=', '\t', '\r'])
        || text.starts_with(wide)
        || (text.starts_with(['+', '-', '@']) && !text.chars().all(is_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        field(&mut out, text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_quoted_and_no_formula_is_computed() {
        for (text, there) in [
            ("bash", "bash"),
            ("a,b", "\"a,b\""),
            ("/x;=HYPERLINK(1)", "\"/x;'=HYPERLINK(1)\""),
            ("a;b", "\"a;b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=cmd|'/c calc'!A0", "\"'=cmd|'/c calc'!A0\""),
            ("@SUM(1+1)*cmd", "\"'@SUM(1+1)*cmd\""),
            ("@angular/core", "@angular/core"),
            ("\u{ff1d}1+1", "\"'\u{ff1d}1+1\""),
            ("\u{ff20}SUM(1)", "\"'\u{ff20}SUM(1)\""),
            ("", ""),
        ] {
            assert_eq!(written(text), there);
        }
    }
}
