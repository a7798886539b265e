//! KEV: CVEs that CISA knows to be exploited.

use std::path::Path;

use fathom_advisory::segment::Writer;
use fathom_advisory::{Cve, Day};
use serde::Deserialize;

use crate::error::Result;
use crate::json::values;
use crate::source::document;
use crate::tally;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    #[serde(default)]
    due_date: String,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

/// Adds all entries of the catalogue.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let shown = path.display().to_string();
    values(&mut *document(path)?, &shown, Some("vulnerabilities"), &mut |value| {
        match value.name {
            Some("dateReleased") => {
                let released: String = value.parse().unwrap_or_default();
                writer.about().as_of = released.get(..10).unwrap_or_default().to_owned();
            }
            Some(_) => {}
            None => match value.parse() {
                Ok(entry) => add(&entry, writer),
                Err(why) => {
                    tally::malformed(writer.about(), &format!("entry {}", value.index), why);
                }
            },
        }
        Ok(())
    })
}

fn add(entry: &Entry, writer: &mut Writer) {
    match entry.cve.parse::<Cve>() {
        Err(error) => tally::malformed(writer.about(), &entry.cve, error),
        Ok(cve) => writer.exploited(
            cve,
            Day::of(&entry.date_added),
            Day::of(&entry.due_date),
            entry.known_ransomware_campaign_use == "Known",
        ),
    }
}
