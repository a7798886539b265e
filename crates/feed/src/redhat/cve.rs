//! Red Hat's security data: a document for each CVE, which says how every product stands to it, those
//! that will not be mended among them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Texts, Writer};
use fathom_advisory::{Cve, Day, STREAMS};
use fathom_report::finding::State;
use serde::Deserialize;

use super::{Said, entry, of_module, weaknesses};
use crate::error::Result;
use crate::severity::severity;
use crate::source::{Item, records};
use crate::{cvss, tally};

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
struct Document<'r> {
    #[serde(borrow)]
    name: Text<'r>,
    #[serde(borrow, default)]
    threat_severity: Option<Text<'r>>,
    #[serde(borrow, default)]
    public_date: Option<Text<'r>>,
    #[serde(borrow, default)]
    bugzilla: Option<Bug<'r>>,
    #[serde(borrow, default)]
    cvss: Option<Cvss2<'r>>,
    #[serde(borrow, default)]
    cvss3: Option<Cvss3<'r>>,
    #[serde(borrow, default)]
    cwe: Option<Text<'r>>,
    #[serde(borrow, default)]
    details: Vec<Text<'r>>,
    #[serde(borrow, default)]
    references: Vec<Text<'r>>,
    #[serde(borrow, default)]
    affected_release: Vec<Release<'r>>,
    #[serde(borrow, default)]
    package_state: Vec<Standing<'r>>,
}

#[derive(Deserialize)]
struct Bug<'r> {
    #[serde(borrow, default)]
    description: Text<'r>,
}

#[derive(Deserialize)]
struct Cvss2<'r> {
    #[serde(borrow, default)]
    cvss_scoring_vector: Text<'r>,
}

#[derive(Deserialize)]
struct Cvss3<'r> {
    #[serde(borrow, default)]
    cvss3_scoring_vector: Text<'r>,
}

#[derive(Deserialize)]
struct Release<'r> {
    /// As `RHSA-2024:1428`.
    #[serde(borrow, default)]
    advisory: Text<'r>,
    #[serde(borrow, default)]
    cpe: Text<'r>,
    /// As `squid-7:2.5.STABLE3-6.3E.13`.
    #[serde(borrow, default)]
    package: Option<Text<'r>>,
}

#[derive(Deserialize)]
struct Standing<'r> {
    #[serde(borrow, default)]
    cpe: Text<'r>,
    #[serde(borrow, default)]
    fix_state: Text<'r>,
    #[serde(borrow, default)]
    package_name: Text<'r>,
}

/// Of which streams announcements are, by their numbers.
type Announced = BTreeSet<(String, String)>;

/// The most of these that are kept; there are some thousands.
const ANNOUNCED: usize = 100_000;

/// Adds all documents of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut announced = Announced::new();
    records(path, &mut |item| one(&item, writer, &mut announced))?;
    if announced.is_empty() {
        return Ok(());
    }
    let advisory = NewAdvisory { name: "modules", ..NewAdvisory::default() };
    let Ok(id) = writer.advisory(&advisory)? else { return Ok(()) };
    for (number, stream) in &announced {
        let statement = entry(STREAMS, number, stream);
        if let Err(refused) = writer.statement(id, &statement) {
            tally::malformed(writer.about(), number, refused.0);
        }
    }
    Ok(())
}

fn one(item: &Item<'_>, writer: &mut Writer, announced: &mut Announced) -> Result<()> {
    let parsed = item.parse().and_then(|document: Document<'_>| {
        let cve: Cve = document.name.parse().map_err(|it| format!("{}: {it}", document.name))?;
        Ok((document, cve))
    });
    let (document, cve) = match parsed {
        Ok(parsed) => parsed,
        Err(why) => {
            tally::malformed(writer.about(), item.name, why);
            return Ok(());
        }
    };
    let vectors = [
        document.cvss3.as_ref().map(|it| &it.cvss3_scoring_vector),
        document.cvss.as_ref().map(|it| &it.cvss_scoring_vector),
    ];
    let vectors: Vec<_> =
        vectors.into_iter().flatten().filter_map(|it| cvss::vector(it, true)).collect();
    let advisory = NewAdvisory {
        name: &document.name,
        cves: &[cve],
        weaknesses: &weaknesses(document.cwe.as_deref().unwrap_or_default()),
        vectors: &vectors,
        severity: document.threat_severity.as_deref().and_then(severity),
        published: document.public_date.as_deref().map(Day::of).unwrap_or_default(),
        texts: texts(&document),
        ..NewAdvisory::default()
    };
    let id = match writer.advisory(&advisory)? {
        Ok(id) => id,
        Err(refused) => {
            tally::malformed(writer.about(), &document.name, refused.0);
            return Ok(());
        }
    };
    tally::changed(writer.about(), advisory.published);
    for standing in &document.package_state {
        let Some(state) = state(&standing.fix_state) else {
            let why = format!("{:?} is no state", standing.fix_state);
            tally::malformed(writer.about(), &document.name, why);
            continue;
        };
        let (stream, name) = of_module(&standing.package_name);
        let cpe = &*standing.cpe;
        let said = Said { cpe, name, stream, before: None, state, severity: None };
        said.add(id, &document.name, writer);
    }
    for release in &document.affected_release {
        let build = release.package.as_deref().unwrap_or_default();
        if let (Some(stream), Some((_, number))) = (stream(build), release.advisory.split_once('-'))
            && announced.len() < ANNOUNCED
        {
            announced.insert((number.to_owned(), stream.to_owned()));
        }
        let Some((name, version)) = of_build(build) else { continue };
        let before = Some(version);
        let (cpe, state) = (&*release.cpe, State::Fixed);
        let said = Said { cpe, name, stream: None, before, state, severity: None };
        said.add(id, &document.name, writer);
    }
    Ok(())
}

fn state(said: &str) -> Option<State> {
    Some(match said {
        "Affected" => State::Affected,
        "Not affected" => State::NotAffected,
        "Will not fix" => State::WillNotFix,
        "Fix deferred" => State::Deferred,
        "New" | "Under investigation" => State::UnderInvestigation,
        "Out of support scope" => State::EndOfLife,
        _ => return None,
    })
}

/// The package and the version of `squid-7:2.5.STABLE3-6.3E.13`. Builds of modules are named by
/// the module, as `nodejs:16-8050020211213115342.c5368500`, and say nothing of a package.
fn of_build(build: &str) -> Option<(&str, &str)> {
    let build = build.strip_suffix(".src").unwrap_or(build);
    let (rest, _) = build.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    let version = build.get(name.len() + 1..)?;
    let is_epoch = |epoch: &str| epoch.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = version.split_once(':').is_none_or(|(epoch, _)| is_epoch(epoch));
    (!name.contains(':') && is_version).then_some((name, version))
}

/// The stream of `nodejs:16-8050020211213115342.c5368500`.
fn stream(build: &str) -> Option<&str> {
    let (stream, _) = build.rsplit_once('-')?;
    let (name, version) = stream.split_once(':')?;
    // `squid-7:2.5` is an epoch.
    let is_name = |it: &str| !it.is_empty() && !it.contains([':', '/']);
    (is_name(name) && is_name(version) && of_build(build).is_none()).then_some(stream)
}

fn texts(document: &Document<'_>) -> Texts {
    let references = document.references.iter().flat_map(|it| it.split_whitespace());
    Texts {
        summary: match &document.bugzilla {
            Some(bug) => bug.description.trim().to_owned(),
            None => String::new(),
        },
        details: document.details.join("\n\n"),
        references: references.map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_of_packages_or_of_streams() {
        for (build, package, named) in [
            ("squid-7:2.5.STABLE3-6.3E.13", Some(("squid", "7:2.5.STABLE3-6.3E.13")), None),
            ("kernel-0:4.18.0-553.el8_10.src", Some(("kernel", "0:4.18.0-553.el8_10")), None),
            ("nodejs:16-8050020211213115342.c5368500", None, Some("nodejs:16")),
            ("container-tools:rhel8-8100020240101.a1b2c3d4", None, Some("container-tools:rhel8")),
            ("389-ds:1.4-8100020240101.a1b2c3d4", None, Some("389-ds:1.4")),
            ("openshift4/ose-cli:v4.1-1", None, None),
            ("", None, None),
        ] {
            assert_eq!((of_build(build), stream(build)), (package, named), "{build}");
        }
    }
}
