//! The file of exceptions that was named.

use std::collections::HashSet;
use std::path::Path;

use fathom_advisory::Day;
use fathom_advisory::exception::{self, Exception, Standing};
use fathom_report::finding::Findings;

use crate::exit::{Failure, say};

/// Exceptions, and which of them were about something.
pub(super) struct Exceptions {
    all: Vec<Exception>,
    used: HashSet<usize>,
}

impl Exceptions {
    /// Reads them; a line that makes no sense is an error.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let all = match path {
            None => Vec::new(),
            Some(path) => {
                let shown = path.display().to_string();
                let text =
                    std::fs::read_to_string(path).map_err(Failure::reading(shown.clone()))?;
                exception::parse(&text)
                    .map_err(|error| Failure::Usage(format!("{shown}: {error}")))?
            }
        };
        Ok(Self { all, used: HashSet::new() })
    }

    /// Tells findings of a machine apart; of which exceptions are over is handed to `over`.
    pub(super) fn apply(
        &mut self,
        findings: &mut Findings,
        today: Day,
        mut over: impl FnMut(&Exception),
    ) {
        let applied = exception::apply(findings, &mut self.all, today);
        applied.over.iter().filter_map(|index| self.all.get(*index)).for_each(&mut over);
        self.used.extend(applied.used);
    }

    /// An exception that was about nothing may have been meant for another machine, or name what it is
    /// about in another way. Of one that is over it was said already.
    pub(super) fn say_what_was_not_used(&self) {
        let unused = self.all.iter().enumerate().filter(|(index, it)| {
            !self.used.contains(index) && it.standing() == Standing::Approved
        });
        for (_, exception) in unused {
            let of = exception.package.as_ref().map_or(String::new(), |it| format!(" of {it}"));
            say(&format!("note: the exception of {}{of} is about nothing here", exception.flaw));
        }
    }
}
