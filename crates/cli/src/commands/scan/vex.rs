//! VEX documents that were named.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use fathom_advisory::vex::{self, Document};
use fathom_report::finding::Findings;

use crate::exit::{Failure, say};

/// Documents, and which of them were about something.
pub(super) struct Documents {
    all: Vec<Document>,
    used: HashSet<usize>,
}

impl Documents {
    /// Reads them; one that makes no sense is an error.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        let all = paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
        Ok(Self { all, used: HashSet::new() })
    }

    /// Tells findings of a machine apart by what the documents say.
    pub(super) fn apply(&mut self, findings: &mut Findings) {
        if !self.all.is_empty() {
            self.used.extend(vex::apply(findings, &self.all).used);
        }
    }

    /// A document that was about nothing may have been meant for another machine, or name its products
    /// in another way.
    pub(super) fn say_what_was_not_used(&self) {
        let unused = self.all.iter().enumerate().filter(|(index, _)| !self.used.contains(index));
        for (_, document) in unused {
            let (name, count) = (document.name(), document.statements());
            say(&format!(
                "note: {name}: none of its {count} statements is about a flaw in a package here"
            ));
        }
    }
}

fn read(path: &Path) -> Result<Document, Failure> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Failure::reading(shown.clone()))?;
    // One byte more than is read, so that a larger one is refused rather than cut.
    file.take(vex::MOST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(Failure::reading(shown.clone()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Usage(format!("{shown}: byte {at}: it is not in UTF-8"))
    })?;
    Document::parse(&text, &shown).map_err(|why| Failure::Usage(format!("{shown}: {why}")))
}
