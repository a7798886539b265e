//! NVD: what every flaw of the CVE list is, how bad, and of which kind.
//!
//! Files of a year and pages of the API have one form, and are large: flaws are cut out of them one by
//! one. What NVD says of affected products goes by CPE, which nothing that is installed goes by; it is
//! not read.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, NewVector, Texts, Writer};
use fathom_advisory::{Cve, Day};
use serde::Deserialize;

use crate::error::Result;
use crate::json::values;
use crate::source::entries;
use crate::{cvss, tally};

type Text<'r> = Cow<'r, str>;

/// Who NVD is, among those who give vectors.
const NVD: &str = "nvd@nist.gov";

/// How many vectors and places to read more are kept of one flaw.
const MOST: usize = 64;

#[derive(Deserialize)]
struct Item<'r> {
    #[serde(borrow)]
    cve: Flaw<'r>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flaw<'r> {
    #[serde(borrow)]
    id: Text<'r>,
    #[serde(borrow, default)]
    published: Text<'r>,
    #[serde(borrow, default)]
    last_modified: Text<'r>,
    #[serde(borrow, default)]
    vuln_status: Text<'r>,
    #[serde(borrow, default)]
    descriptions: Vec<Described<'r>>,
    #[serde(borrow, default)]
    metrics: Metrics<'r>,
    #[serde(borrow, default)]
    weaknesses: Vec<Weakness<'r>>,
    #[serde(borrow, default)]
    references: Vec<Reference<'r>>,
}

#[derive(Deserialize)]
struct Described<'r> {
    #[serde(borrow, default)]
    lang: Text<'r>,
    #[serde(borrow, default)]
    value: Text<'r>,
}

#[derive(Deserialize, Default)]
struct Metrics<'r> {
    #[serde(borrow, rename = "cvssMetricV40", default)]
    v40: Vec<Metric<'r>>,
    #[serde(borrow, rename = "cvssMetricV31", default)]
    v31: Vec<Metric<'r>>,
    #[serde(borrow, rename = "cvssMetricV30", default)]
    v30: Vec<Metric<'r>>,
    #[serde(borrow, rename = "cvssMetricV2", default)]
    v2: Vec<Metric<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metric<'r> {
    #[serde(borrow, default)]
    source: Text<'r>,
    #[serde(borrow, rename = "type", default)]
    kind: Text<'r>,
    #[serde(borrow)]
    cvss_data: Data<'r>,
}

impl Metric<'_> {
    /// Whether NVD stands behind it, and not only passes it on.
    fn is_own(&self) -> bool {
        self.kind == "Primary" && self.source == NVD
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'r> {
    #[serde(borrow)]
    vector_string: Text<'r>,
}

#[derive(Deserialize)]
struct Weakness<'r> {
    #[serde(borrow, default)]
    description: Vec<Described<'r>>,
}

#[derive(Deserialize)]
struct Reference<'r> {
    #[serde(borrow, default)]
    url: Text<'r>,
    #[serde(borrow, default)]
    tags: Vec<Text<'r>>,
}

/// How many flaws there are, and how many there should be.
#[derive(Default)]
struct Count {
    found: u64,
    announced: u64,
}

/// Adds all flaws of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut count = Count::default();
    entries(path, &|name| name.contains(".json"), &mut |entry, stream| {
        values(stream, entry.name, Some("vulnerabilities"), &mut |value| match value.name {
            Some("totalResults") => {
                count.announced = count.announced.max(value.parse().unwrap_or_default());
                Ok(())
            }
            Some(_) => Ok(()),
            None => {
                count.found += 1;
                match value.parse::<Item<'_>>() {
                    Ok(item) => one(&item.cve, writer),
                    Err(why) => {
                        let named = format!("{}, record {}", entry.name, value.index);
                        tally::malformed(writer.about(), &named, why);
                        Ok(())
                    }
                }
            }
        })
    })?;
    // One page of many is less than it looks.
    if count.found < count.announced {
        let why = format!("has {} of {} flaws", count.found, count.announced);
        tally::malformed(writer.about(), "the feed", why);
    }
    Ok(())
}

fn one(flaw: &Flaw<'_>, writer: &mut Writer) -> Result<()> {
    let cve = match flaw.id.parse::<Cve>() {
        Ok(cve) => cve,
        Err(error) => {
            tally::malformed(writer.about(), &flaw.id, error);
            return Ok(());
        }
    };
    let modified = Day::of(&flaw.last_modified);
    tally::changed(writer.about(), modified.max(Day::of(&flaw.published)));
    // A number that was given back is about nothing.
    if flaw.vuln_status == "Rejected" {
        return Ok(());
    }
    let vectors = vectors(flaw, writer);
    let described = flaw.descriptions.iter().find(|it| it.lang == "en");
    let exploits = |reference: &Reference<'_>| reference.tags.iter().any(|tag| tag == "Exploit");
    let advisory = NewAdvisory {
        name: &flaw.id,
        cves: &[cve],
        weaknesses: &weaknesses(flaw),
        vectors: &vectors,
        published: Day::of(&flaw.published),
        modified,
        has_exploit: flaw.references.iter().any(exploits),
        texts: Texts {
            summary: String::new(),
            details: described.map(|it| it.value.trim().to_owned()).unwrap_or_default(),
            references: references(flaw),
        },
        ..NewAdvisory::default()
    };
    if let Err(refused) = writer.advisory(&advisory)? {
        tally::malformed(writer.about(), &flaw.id, refused.0);
    }
    Ok(())
}

/// The vectors, those that count first in front: NVD's own before those of others, newer versions of
/// CVSS before older ones.
fn vectors(flaw: &Flaw<'_>, writer: &mut Writer) -> Vec<NewVector> {
    let Metrics { v40, v31, v30, v2 } = &flaw.metrics;
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for metric in v40.iter().chain(v31).chain(v30).chain(v2) {
        let text = &metric.cvss_data.vector_string;
        match cvss::vector(text, metric.is_own()) {
            Some(vector) if vector.is_own => own.push(vector),
            Some(vector) => others.push(vector),
            None => {
                let why = format!("{text:?} is no vector of CVSS");
                tally::malformed(writer.about(), &flaw.id, why);
            }
        }
    }
    own.extend(others);
    // Two who give the same vector are one.
    let mut seen = BTreeSet::new();
    own.retain(|vector| seen.insert(vector.text.clone()));
    own.truncate(MOST);
    own
}

/// Numbers of CWE. That none is known has a name too, and is left out.
fn weaknesses(flaw: &Flaw<'_>) -> Vec<u16> {
    let named = flaw.weaknesses.iter().flat_map(|it| &it.description);
    let numbers = named.filter_map(|it| it.value.strip_prefix("CWE-")?.parse().ok());
    let numbers: BTreeSet<u16> = numbers.collect();
    numbers.into_iter().take(MOST).collect()
}

fn references(flaw: &Flaw<'_>) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for reference in flaw.references.iter().take(MOST) {
        if !urls.iter().any(|known| *known == reference.url) {
            urls.push(reference.url.clone().into_owned());
        }
    }
    urls
}
