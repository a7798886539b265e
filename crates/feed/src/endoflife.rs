//! endoflife.date: until when releases of distributions are mended.
//!
//! It keeps a document a product; those of distributions are read, by the names that they have for
//! themselves. A document may also hold several products, by their names.

use std::borrow::Cow;
use std::path::Path;

use fathom_advisory::Day;
use fathom_advisory::segment::{End, Writer};
use serde::Deserialize;

use crate::error::Result;
use crate::json::{Value, values};
use crate::source::entries;
use crate::tally;

type Text<'r> = Cow<'r, str>;

/// Products that are distributions, with the names that these have for themselves.
const DISTRIBUTIONS: [(&str, &str); 17] = [
    ("almalinux", "almalinux"),
    ("alpine", "alpine"),
    ("alpine-linux", "alpine"),
    ("amazon-linux", "amzn"),
    ("centos", "centos"),
    ("centos-stream", "centos-stream"),
    ("debian", "debian"),
    ("devuan", "devuan"),
    ("fedora", "fedora"),
    ("linuxmint", "linuxmint"),
    ("mageia", "mageia"),
    ("opensuse", "opensuse-leap"),
    ("oracle-linux", "ol"),
    ("rhel", "rhel"),
    ("rocky-linux", "rocky"),
    ("sles", "sles"),
    ("ubuntu", "ubuntu"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cycle<'r> {
    #[serde(borrow)]
    cycle: Name<'r>,
    #[serde(borrow)]
    eol: Ending<'r>,
    #[serde(borrow, default)]
    extended_support: Option<Ending<'r>>,
    #[serde(borrow, default)]
    latest_release_date: Text<'r>,
}

/// Versions are texts, or numbers by mistake.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name<'r> {
    Text(#[serde(borrow)] Text<'r>),
    Number(u64),
}

/// The day on which something ends, or whether it has.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ending<'r> {
    On(#[serde(borrow)] Text<'r>),
    HasEnded(bool),
}

/// Adds all releases of all distributions.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    entries(path, &|name| name.contains(".json"), &mut |entry, stream| {
        tally::changed(writer.about(), entry.modified);
        let file = entry.name.rsplit('/').next().unwrap_or_default();
        let of_file = distribution(file.split('.').next().unwrap_or_default());
        values(stream, entry.name, None, &mut |value| {
            match (value.name, of_file) {
                (None, Some(distribution)) => one(distribution, value, writer),
                (Some(product), _) => {
                    if let Some(distribution) = distribution(product) {
                        let read = value.values(&mut |cycle| {
                            one(distribution, cycle, writer);
                            Ok(())
                        })?;
                        if let Err(why) = read {
                            tally::malformed(writer.about(), product, why);
                        }
                    }
                }
                (None, None) => {}
            }
            Ok(())
        })
    })
}

fn distribution(product: &str) -> Option<&'static str> {
    DISTRIBUTIONS.iter().find(|(name, _)| *name == product).map(|(_, distribution)| *distribution)
}

fn one(distribution: &str, value: &Value<'_>, writer: &mut Writer) {
    let said = value.parse::<Cycle<'_>>().and_then(|cycle| {
        let version = match &cycle.cycle {
            Name::Text(text) => text.clone().into_owned(),
            Name::Number(number) => number.to_string(),
        };
        Ok((version, end(&cycle)?, Day::of(&cycle.latest_release_date)))
    });
    let added = said.and_then(|(version, end, latest)| {
        tally::changed(writer.about(), latest);
        match end {
            Some(end) => writer.ends(distribution, &version, end).map_err(|refused| refused.0),
            None => Ok(()),
        }
    });
    if let Err(why) = added {
        let named = format!("{distribution}, release {}", value.index);
        tally::malformed(writer.about(), &named, why);
    }
}

/// When a release ends; nothing where that is open.
fn end(cycle: &Cycle<'_>) -> std::result::Result<Option<End>, String> {
    let day = |text: &str| match Day::of(text) {
        day if day.is_known() => Ok(day),
        _ => Err(format!("{text:?} is no day")),
    };
    let support = match &cycle.eol {
        Ending::On(text) => day(text)?,
        // It is over, and nobody says since when.
        Ending::HasEnded(true) => Day::default(),
        Ending::HasEnded(false) => return Ok(None),
    };
    let extended = match &cycle.extended_support {
        Some(Ending::On(text)) => day(text)?,
        // Those who pay go on getting mends.
        Some(Ending::HasEnded(true)) => return Ok(None),
        Some(Ending::HasEnded(false)) | None => Day::default(),
    };
    Ok(Some(End { support, extended }))
}
