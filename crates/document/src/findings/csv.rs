//! A table for spreadsheets. What could not be compared has rows of its own, so that no sheet reads
//! "not compared" as "nothing wrong". What somebody has decided about says so in the column of notes.

use std::io::{self, Write};

use fathom_report::finding::Findings;

use super::{COLUMNS, cells, decided};
use crate::csv::record;

/// Writes the findings of any number of machines.
pub struct Csv<'a> {
    header: bool,
    out: &'a mut dyn Write,
}

impl<'a> Csv<'a> {
    /// A table, with or without the names of its columns in front.
    pub fn new(header: bool, out: &'a mut dyn Write) -> Self {
        Self { header, out }
    }

    /// Adds the rows of one machine.
    pub fn findings(&mut self, findings: &Findings) -> io::Result<()> {
        if std::mem::take(&mut self.header) {
            record(self.out, ["machine", "note"].into_iter().chain(COLUMNS))?;
        }
        let machine = findings.subject.as_str();
        for note in &findings.notes {
            let said = format!("{}: {}", note.kind.name(), note.message);
            let rest = COLUMNS.iter().map(|_| "");
            record(self.out, [machine, said.as_str()].into_iter().chain(rest))?;
        }
        for finding in &findings.vulnerabilities {
            let cells = cells(finding);
            let cells = cells.iter().map(String::as_str);
            record(self.out, [machine, ""].into_iter().chain(cells))?;
        }
        for excepted in &findings.excepted {
            let (said, cells) = (decided(excepted), cells(&excepted.finding));
            let cells = cells.iter().map(String::as_str);
            record(self.out, [machine, said.as_str()].into_iter().chain(cells))?;
        }
        Ok(())
    }
}
