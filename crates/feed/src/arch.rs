//! Arch Linux's security tracker: groups of flaws of packages, and what mended them.
//!
//! Nothing in it has a date, so that it is as old as the file that it came in.

use std::borrow::Cow;
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::State;
use fathom_version::Scheme;
use serde::Deserialize;

use crate::error::Result;
use crate::json::values;
use crate::known::add;
use crate::severity::severity;
use crate::source::entries;
use crate::tally;

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
struct Group<'r> {
    #[serde(borrow)]
    name: Text<'r>,
    #[serde(borrow)]
    packages: Vec<Text<'r>>,
    #[serde(borrow)]
    status: Text<'r>,
    #[serde(borrow, default)]
    severity: Text<'r>,
    /// As `arbitrary code execution`.
    #[serde(borrow, rename = "type", default)]
    kind: Text<'r>,
    #[serde(borrow, default)]
    fixed: Option<Text<'r>>,
    #[serde(borrow, default)]
    ticket: Option<Text<'r>>,
    #[serde(borrow, default)]
    issues: Vec<Text<'r>>,
    #[serde(borrow, default)]
    advisories: Vec<Text<'r>>,
}

/// Adds all groups of the document.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    let mut changed = Day::default();
    entries(path, &|name| name.contains(".json"), &mut |entry, stream| {
        changed = changed.max(entry.modified);
        values(stream, entry.name, None, &mut |value| {
            match value.parse::<Group<'_>>() {
                Ok(group) => one(&group, writer)?,
                Err(why) => {
                    let named = format!("group {}", value.index);
                    tally::malformed(writer.about(), &named, why);
                }
            }
            Ok(())
        })
    })?;
    tally::file_changed(writer.about(), changed);
    Ok(())
}

fn one(group: &Group<'_>, writer: &mut Writer) -> Result<()> {
    let fixed = group.fixed.as_deref().filter(|version| !version.is_empty());
    let state = match (&*group.status, fixed) {
        // What mends it lies in the repository for tests, and comes to everybody from there.
        ("Fixed" | "Testing" | "Vulnerable", Some(_)) => State::Fixed,
        ("Vulnerable", None) => State::Affected,
        ("Unknown", _) => State::UnderInvestigation,
        ("Not affected", _) => State::NotAffected,
        (status, _) => {
            let why = match status {
                "Fixed" | "Testing" => "is mended by no version".to_owned(),
                other => format!("{other:?} is no status"),
            };
            tally::malformed(writer.about(), &group.name, why);
            return Ok(());
        }
    };
    let cves: Vec<Cve> = group.issues.iter().filter_map(|name| name.parse().ok()).collect();
    if cves.len() < group.issues.len() || cves.is_empty() {
        tally::malformed(writer.about(), &group.name, "names what is no number of the CVE list");
    }
    if cves.is_empty() {
        return Ok(());
    }
    let aliases: Vec<String> = group.advisories.iter().map(|it| it.to_string()).collect();
    let page = format!("https://security.archlinux.org/{}", group.name);
    let ticket = group.ticket.iter().map(|it| format!("https://bugs.archlinux.org/task/{it}"));
    let advisory = NewAdvisory {
        name: &group.name,
        cves: &cves,
        aliases: &aliases,
        severity: severity(&group.severity),
        texts: Texts {
            summary: group.kind.clone().into_owned(),
            details: String::new(),
            references: std::iter::once(page).chain(ticket).collect(),
        },
        ..NewAdvisory::default()
    };
    let id = match writer.advisory(&advisory)? {
        Ok(id) => id,
        Err(refused) => {
            tally::malformed(writer.about(), &group.name, refused.0);
            return Ok(());
        }
    };
    for package in &group.packages {
        let statement = Statement {
            namespace: "Arch Linux",
            scheme: Scheme::Pacman,
            subject: Subject::Installed,
            name: package,
            lower: None,
            upper: fixed.filter(|_| state != State::NotAffected).map(Upper::Before),
            state,
            severity: None,
            qualifier: None,
        };
        add(id, &group.name, &statement, writer);
    }
    Ok(())
}
