//! Photon OS: which builds mended which flaws of what packages were built from, a document a release.
//!
//! The name of a document says which release it is about (`cve_data_photon4.0.json`); where it does
//! not, its versions do, which end as `.ph4`. Nothing in it has a date, so that it is as old as the
//! file that it came in.

use std::borrow::Cow;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;
use serde::Deserialize;

use crate::error::Result;
use crate::json::values;
use crate::known::{Known, add};
use crate::source::entries;
use crate::tally;

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
struct Record<'r> {
    #[serde(borrow)]
    cve_id: Text<'r>,
    #[serde(borrow)]
    pkg: Text<'r>,
    /// As NVD computes it.
    #[serde(default)]
    cve_score: Option<f64>,
    /// `all versions before 2.7.6-2.ph3 are vulnerable`, `NA`.
    #[serde(borrow, default)]
    aff_ver: Text<'r>,
    /// The build that mends it, or `NA`.
    #[serde(borrow, default)]
    res_ver: Text<'r>,
    #[serde(borrow, default)]
    status: Text<'r>,
}

/// Adds all documents of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut known = Known::default();
    let mut changed = Day::default();
    entries(path, &|name| name.contains(".json"), &mut |entry, stream| {
        changed = changed.max(entry.modified);
        let release = named(entry.name);
        values(stream, entry.name, None, &mut |value| {
            let said = value.parse::<Record<'_>>().and_then(|record| {
                let state = state(&record)?;
                let cve = record.cve_id.parse::<Cve>();
                cve.map_err(|error| format!("{:?} is {error}", record.cve_id))?;
                Ok((record, state))
            });
            match said {
                Ok((record, state)) => one(&record, state, release, &mut known, writer),
                Err(why) => {
                    let named = format!("{}, record {}", entry.name, value.index);
                    tally::malformed(writer.about(), &named, why);
                    Ok(())
                }
            }
        })
    })?;
    tally::file_changed(writer.about(), changed);
    Ok(())
}

fn one(
    record: &Record<'_>,
    state: State,
    release: Option<&str>,
    known: &mut Known,
    writer: &mut Writer,
) -> Result<()> {
    let own = tagged(&record.res_ver);
    let release = release.map(str::to_owned).or(own);
    let Some(release) = release else {
        let why = "neither its document nor its version says of which release it is";
        tally::malformed(writer.about(), &format!("{}, {}", record.cve_id, record.pkg), why);
        return Ok(());
    };
    let cve: Option<Cve> = record.cve_id.parse().ok();
    let advisory =
        NewAdvisory { name: &record.cve_id, cves: cve.as_slice(), ..NewAdvisory::default() };
    let Some(id) = known.get(&advisory, writer)? else { return Ok(()) };
    let statement = Statement {
        namespace: &format!("Photon OS:{release}"),
        scheme: Scheme::Rpm,
        subject: Subject::Source,
        name: &record.pkg,
        lower: None,
        upper: (state == State::Fixed).then_some(Upper::Before(&record.res_ver)),
        state,
        severity: record.cve_score.and_then(severity),
        qualifier: None,
    };
    add(id, &record.cve_id, &statement, writer);
    Ok(())
}

fn state(record: &Record<'_>) -> std::result::Result<State, String> {
    let is_named = !matches!(&*record.res_ver, "" | "NA");
    match &*record.status {
        "Not Affected" => Ok(State::NotAffected),
        _ if is_named => Ok(State::Fixed),
        _ if record.aff_ver.starts_with("all versions") => Ok(State::Affected),
        _ => Err(format!("{}: says neither what has the flaw nor what mends it", record.pkg)),
    }
}

/// The release that the name of a document says: `4.0` of `cve_data_photon4.0.json`.
fn named(document: &str) -> Option<&str> {
    let (_, rest) = document.rsplit_once("photon")?;
    let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
    let release = rest.get(..end)?.trim_matches('.');
    release.contains('.').then_some(release)
}

/// The release that a version says: `4.0` of `2.7.6-2.ph4`.
fn tagged(version: &str) -> Option<String> {
    let (_, tag) = version.rsplit_once(".ph")?;
    let is_number = !tag.is_empty() && tag.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| format!("{tag}.0"))
}

/// What a score means by the scale of CVSS 3; one of nought says that nobody has computed any.
fn severity(score: f64) -> Option<Severity> {
    Some(match score {
        score if score >= 9.0 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score >= 0.1 => Severity::Low,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_named_by_documents_or_by_versions() {
        for (name, expected) in [
            ("cve_data_photon4.0.json", Some("4.0")),
            ("photon/cve_data_photon5.0.json.gz", Some("5.0")),
            ("photon.json", None),
            ("feed", None),
        ] {
            assert_eq!(named(name), expected, "{name}");
        }
        assert_eq!(tagged("2.7.6-2.ph3").as_deref(), Some("3.0"));
        assert_eq!(tagged("1.0-1.phone"), None);
        assert_eq!(tagged("NA"), None);
    }
}
