//! Debian's security tracker: how every release stands to every flaw of every package, that nobody
//! will mend it among them.
//!
//! It is one document of many megabytes: packages, in each of them flaws, in each of these releases.
//! Nothing in it has a date, so that it is as old as the file that it came in.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;
use serde::Deserialize;

use crate::error::Result;
use crate::json::{Value, values};
use crate::known::{Known, add};
use crate::source::entries;
use crate::tally;

type Text<'r> = Cow<'r, str>;

/// Releases by the names that the tracker has for them.
const RELEASES: [(&str, &str); 16] = [
    ("woody", "3.0"),
    ("sarge", "3.1"),
    ("etch", "4"),
    ("lenny", "5"),
    ("squeeze", "6"),
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("duke", "15"),
    // What never gets a number goes by its name.
    ("sid", "sid"),
    ("experimental", "experimental"),
];

#[derive(Deserialize)]
struct Flaw<'r> {
    #[serde(borrow, default)]
    description: Text<'r>,
}

#[derive(Deserialize)]
struct Standing<'r> {
    #[serde(borrow)]
    status: Text<'r>,
    #[serde(borrow, default)]
    fixed_version: Text<'r>,
    #[serde(borrow, default)]
    urgency: Text<'r>,
    #[serde(borrow, default)]
    nodsa_reason: Option<Text<'r>>,
}

/// What is remembered from one package to the next.
#[derive(Default)]
struct Reading {
    known: Known,
    /// Releases without a number that were named.
    unnumbered: BTreeSet<String>,
}

/// Adds all packages of the document.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut reading = Reading::default();
    let mut changed = Day::default();
    entries(path, &|name| name.contains(".json"), &mut |entry, stream| {
        changed = changed.max(entry.modified);
        values(stream, entry.name, None, &mut |package| {
            let name = package.name.unwrap_or_default();
            let read = package.values(&mut |flaw| reading.flaw(name, flaw, writer))?;
            if let Err(why) = read {
                tally::malformed(writer.about(), name, why);
            }
            Ok(())
        })
    })?;
    tally::file_changed(writer.about(), changed);
    Ok(())
}

impl Reading {
    fn flaw(&mut self, package: &str, flaw: &Value<'_>, writer: &mut Writer) -> Result<()> {
        let name = flaw.name.unwrap_or_default();
        let about = match flaw.parse::<Flaw<'_>>() {
            Ok(about) if is_name(name) => about,
            Ok(_) => {
                tally::malformed(writer.about(), &format!("{package}, {name}"), "names no flaw");
                return Ok(());
            }
            Err(why) => {
                tally::malformed(writer.about(), &format!("{package}, {name}"), why);
                return Ok(());
            }
        };
        let cve: Option<Cve> = name.parse().ok();
        let advisory = NewAdvisory {
            name,
            cves: cve.as_slice(),
            texts: Texts {
                details: about.description.into_owned(),
                references: vec![format!("https://security-tracker.debian.org/tracker/{name}")],
                ..Texts::default()
            },
            ..NewAdvisory::default()
        };
        let Some(id) = self.known.get(&advisory, writer)? else { return Ok(()) };
        let read = flaw.values(&mut |member| {
            if member.name != Some("releases") {
                return Ok(());
            }
            let read = member.values(&mut |release| {
                let codename = release.name.unwrap_or_default();
                match said(release) {
                    Ok((standing, said)) => {
                        let namespace = self.namespace(codename, writer);
                        let statement = Statement {
                            namespace: &namespace,
                            scheme: Scheme::Debian,
                            subject: Subject::Source,
                            name: package,
                            lower: None,
                            upper: said.is_mended.then_some(Upper::Before(&standing.fixed_version)),
                            state: said.state,
                            severity: said.severity,
                            qualifier: None,
                        };
                        add(id, name, &statement, writer);
                    }
                    Err(why) => {
                        let named = format!("{name}, {package}, {codename}");
                        tally::malformed(writer.about(), &named, why);
                    }
                }
                Ok(())
            })?;
            if let Err(why) = read {
                tally::malformed(writer.about(), &format!("{package}, {name}"), why);
            }
            Ok(())
        })?;
        if let Err(why) = read {
            tally::malformed(writer.about(), &format!("{package}, {name}"), why);
        }
        Ok(())
    }

    /// The ecosystem of a release. One that is not known goes by its name, so that nothing is lost,
    /// and is counted: no machine is compared with it.
    fn namespace(&mut self, codename: &str, writer: &mut Writer) -> String {
        let known = RELEASES.iter().find(|(name, _)| *name == codename);
        if known.is_none() && !self.unnumbered.contains(codename) {
            self.unnumbered.insert(codename.to_owned());
            let why = "is a release whose number is not known, so that no machine has it";
            tally::malformed(writer.about(), codename, why);
        }
        format!("Debian:{}", known.map_or(codename, |(_, number)| number))
    }
}

/// What a release says, as we say it.
struct Said {
    state: State,
    severity: Option<Severity>,
    /// Whether a version ends it.
    is_mended: bool,
}

fn said<'v>(release: &Value<'v>) -> std::result::Result<(Standing<'v>, Said), String> {
    let standing: Standing<'_> = release.parse()?;
    // Stars are those of whoever has not looked at it twice.
    let urgency = standing.urgency.trim_end_matches('*');
    let severity = match urgency {
        "" | "not yet assigned" | "end-of-life" => None,
        word => {
            Some(crate::severity::severity(word).ok_or_else(|| format!("{word:?} is no urgency"))?)
        }
    };
    let decided = standing.nodsa_reason.as_deref().unwrap_or_default();
    let state = match (&*standing.status, &*standing.fixed_version) {
        ("resolved", "") => return Err("is resolved by no version".to_owned()),
        // Mended in version 0: no version of it there ever had the flaw.
        ("resolved", "0") => State::NotAffected,
        ("resolved", _) => State::Fixed,
        ("open", _) => match (urgency, decided) {
            ("end-of-life", _) => State::EndOfLife,
            (_, "ignored") => State::WillNotFix,
            (_, "postponed") => State::Deferred,
            _ => State::Affected,
        },
        ("undetermined", _) => State::UnderInvestigation,
        (other, _) => return Err(format!("{other:?} is no status")),
    };
    let is_mended = state == State::Fixed;
    Ok((standing, Said { state, severity, is_mended }))
}

/// Whether it is the name of a flaw: a number of the CVE list, or one that stands in for it until there
/// is one.
fn is_name(name: &str) -> bool {
    name.parse::<Cve>().is_ok() || name.starts_with("TEMP-")
}
