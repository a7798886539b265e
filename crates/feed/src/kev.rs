//! KEV: CVEs that CISA knows to be exploited.

use std::path::Path;

use fathom_advisory::segment::Writer;
use fathom_advisory::{Cve, Day};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::source::document;
use crate::tally;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    date_released: String,
    vulnerabilities: Vec<Value>,
}

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
    let malformed = |error| Error::Malformed(path.display().to_string(), format!("{error}"));
    let catalogue: Catalogue = serde_json::from_reader(document(path)?).map_err(malformed)?;
    writer.about().as_of = catalogue.date_released.get(..10).unwrap_or_default().to_owned();
    for (index, entry) in catalogue.vulnerabilities.into_iter().enumerate() {
        let named = format!("entry {index}");
        match serde_json::from_value::<Entry>(entry) {
            Err(error) => tally::malformed(writer.about(), &named, error),
            Ok(entry) => match entry.cve.parse::<Cve>() {
                Err(error) => tally::malformed(writer.about(), &entry.cve, error),
                Ok(cve) => writer.exploited(
                    cve,
                    Day::of(&entry.date_added),
                    Day::of(&entry.due_date),
                    entry.known_ransomware_campaign_use == "Known",
                ),
            },
        }
    }
    Ok(())
}
