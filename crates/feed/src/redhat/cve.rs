//! Red Hat's security data: a document for each CVE, which says how every product stands to it, those
//! that will not be mended among them.

use std::borrow::Cow;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Texts, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::State;
use serde::Deserialize;

use super::{Said, of_module, weaknesses};
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

/// Adds all documents of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    records(path, &mut |item| one(&item, writer))
}

fn one(item: &Item<'_>, writer: &mut Writer) -> Result<()> {
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
        let Some((name, version)) = release.package.as_deref().and_then(of_build) else { continue };
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
    (!name.contains(':')).then_some((name, version))
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
