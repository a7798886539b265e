//! A report as Markdown, in the dialect that has tables.

use std::io::{self, Write};

use fathom_report::{Coverage, Fact, Report, System};

use crate::view::{self, List, Section, Sink, Value, Weight};
use crate::words::{harmless, size};

/// Writes the sections of one report, or all of them if none is named.
pub fn report(report: &Report, sections: &[Section], out: &mut dyn Write) -> io::Result<()> {
    let sections = if sections.is_empty() { &Section::ALL } else { sections };
    let name = report.disks.first().map_or("machine", |disk| disk.name.as_str());
    writeln!(out, "# {}\n", escape(name))?;
    for disk in &report.disks {
        let checksum = match &disk.checksum {
            Some(checksum) => format!(", {}", escape(checksum)),
            None => String::new(),
        };
        let (name, format) = (escape(&disk.name), escape(&disk.format));
        writeln!(out, "- {name}: {format}, {}{checksum}", size(disk.virtual_size))?;
    }
    if report.systems.is_empty() {
        writeln!(out, "\nNo operating system was found.")?;
    }
    for system in &report.systems {
        writeln!(out, "\n## {}", escape(&title(system)))?;
        for section in sections.iter().filter(|section| view::is_of_system(**section)) {
            writeln!(out, "\n### {}", section.title())?;
            view::system(*section, system, &mut Tables::new(out))?;
        }
    }
    if sections.iter().any(|section| view::is_of_machine(*section)) {
        writeln!(out, "\n## The machine")?;
    }
    for section in sections.iter().filter(|section| view::is_of_machine(**section)) {
        writeln!(out, "\n### {}", section.title())?;
        view::machine(*section, report, &mut Tables::new(out))?;
    }
    writeln!(out, "\n{}, {}", escape(&report.generator), escape(&report.schema))
}

/// What a system is called, and where it lies.
pub(crate) fn title(system: &System) -> String {
    let identity = &system.identity;
    let name = match (&identity.name, &identity.distribution) {
        (Fact::Known { value, .. }, _) | (_, Fact::Known { value, .. }) => value.as_str(),
        _ => "unknown system",
    };
    format!("{name} on {}", system.root)
}

/// Lists as tables.
struct Tables<'a> {
    out: &'a mut dyn Write,
    /// Which columns are shown.
    shown: Vec<usize>,
    rows: usize,
    heads: String,
    /// Whether it has been said already why there are none.
    said: bool,
}

impl<'a> Tables<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self { out, shown: Vec::new(), rows: 0, heads: String::new(), said: false }
    }
}

impl Sink for Tables<'_> {
    fn begin(&mut self, list: &List<'_>) -> io::Result<()> {
        self.rows = 0;
        self.said = list.coverage != Coverage::Complete || list.reason.is_some();
        let shown = list.columns.iter().enumerate();
        let shown = shown.filter(|(_, column)| column.weight != Weight::Detail);
        self.shown = shown.map(|(index, _)| index).collect();
        let columns = || self.shown.iter().filter_map(|index| list.columns.get(*index));
        let names: Vec<&str> = columns().map(|column| column.name).collect();
        let rules: Vec<&str> =
            columns().map(|column| if column.number { "--:" } else { "---" }).collect();
        self.heads = format!("| {} |\n| {} |\n", names.join(" | "), rules.join(" | "));
        writeln!(self.out, "\n#### {}\n", list.title)?;
        let reason = escape(list.reason.unwrap_or("some could not be read"));
        match (list.coverage, list.reason) {
            (Coverage::Complete, None) => Ok(()),
            (Coverage::Complete, Some(_)) => writeln!(self.out, "{reason}\n"),
            (Coverage::Partial, _) => {
                writeln!(self.out, "**Not complete, there may be more:** {reason}\n")
            }
            (Coverage::Unknown, _) => writeln!(self.out, "**Unknown:** {reason}\n"),
        }
    }

    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        if self.rows == 0 {
            self.out.write_all(self.heads.as_bytes())?;
        }
        self.rows += 1;
        let cells: Vec<String> = self
            .shown
            .iter()
            .filter_map(|index| values.get(*index))
            .map(|value| escape(&value.shown()))
            .collect();
        writeln!(self.out, "| {} |", cells.join(" | "))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.rows == 0 && !self.said { writeln!(self.out, "No entries.") } else { Ok(()) }
    }
}

/// Text that Markdown gives no meaning: nothing in it becomes a link, an element or a cell.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in harmless(text).chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' => {
                shown.push('\\');
                shown.push(c);
            }
            // So that what looks like an address does not become a link by itself.
            ':' if ends_with(&shown, &["http", "https", "ftp"]) => shown.push_str("&#58;"),
            '.' if ends_with(&shown, &["www"]) => shown.push_str("&#46;"),
            '@' => shown.push_str("&#64;"),
            c => shown.push(c),
        }
    }
    shown
}

/// Whether the text ends with one of these words, in whichever letters.
fn ends_with(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let end = text.len().checked_sub(word.len()).and_then(|start| text.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_out_of_an_image_has_a_meaning() {
        assert_eq!(escape("a|b\n<img src=x>"), "a\\|b\\\\n&lt;img src=x&gt;");
        assert_eq!(escape("[x](javascript:1)"), "\\[x\\]\\(javascript:1\\)");
        assert_eq!(escape("https://evil.example"), "https&#58;//evil.example");
        assert_eq!(escape("HTTP://evil.example"), "HTTP&#58;//evil.example");
        assert_eq!(escape("www.evil.example"), "www&#46;evil.example");
    }
}
