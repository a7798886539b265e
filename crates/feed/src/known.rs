//! Advisories that several records of one feed are about.

use std::collections::HashMap;

use fathom_advisory::segment::{AdvisoryId, NewAdvisory, Statement, Writer};

use crate::error::Result;
use crate::tally;

/// Advisories that were added, by their names.
#[derive(Default)]
pub(crate) struct Known(HashMap<String, Option<AdvisoryId>>);

impl Known {
    /// The advisory of this name, which is added where it is new; nothing where it was refused, which
    /// is counted once.
    pub(crate) fn get(
        &mut self,
        new: &NewAdvisory<'_>,
        writer: &mut Writer,
    ) -> Result<Option<AdvisoryId>> {
        if let Some(known) = self.0.get(new.name) {
            return Ok(*known);
        }
        let added = match writer.advisory(new)? {
            Ok(id) => Some(id),
            Err(refused) => {
                tally::malformed(writer.about(), new.name, refused.0);
                None
            }
        };
        self.0.insert(new.name.to_owned(), added);
        Ok(added)
    }
}

/// Adds a statement of the advisory of this name; one that is refused is counted.
pub(crate) fn add(id: AdvisoryId, advisory: &str, statement: &Statement<'_>, writer: &mut Writer) {
    if let Err(refused) = writer.statement(id, statement) {
        tally::malformed(writer.about(), &format!("{advisory}, {}", statement.name), refused.0);
    }
}
