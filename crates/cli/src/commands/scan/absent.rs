//! Why flaws that were asked for are not told.

use fathom_advisory::{Cve, Database, Day, Opinion, TOO_MANY, opinions};
use fathom_report::Report;
use fathom_report::finding::{Findings, State};

use super::database;
use crate::exit::{Failure, say};

/// The most statements that are shown of one flaw.
const SHOWN: usize = 20;

/// Says of each of the flaws that is not among the findings what is known of it in what is installed.
pub(super) fn explain(
    flaws: &[String],
    report: &Report,
    findings: &Findings,
    database: &Database,
    today: Day,
) -> Result<(), Failure> {
    for name in flaws {
        let Ok(flaw) = name.parse::<Cve>() else { continue };
        let is_told = findings
            .vulnerabilities
            .iter()
            .any(|it| it.cve_id == *name || it.aliases.contains(name));
        if is_told {
            continue;
        }
        if !database.knows(flaw).map_err(database::failed)? {
            say(&format!("note: {name}: nobody in the database speaks of it"));
            continue;
        }
        let is_cut = findings.unscanned.iter().any(|it| it.reason == TOO_MANY);
        let said = said(flaw, report, database, today, is_cut)?;
        if said.is_empty() {
            say(&format!(
                "note: {name}: nothing is said of it in packages that are installed here"
            ));
        }
        for line in said.iter().take(SHOWN) {
            say(&format!("note: {name} is not told of {line}"));
        }
        if let Some(more) = said.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            say(&format!("note: {name}: so of {more} more"));
        }
    }
    Ok(())
}

fn said(
    flaw: Cve,
    report: &Report,
    database: &Database,
    today: Day,
    is_cut: bool,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for system in &report.systems {
        let all = &system.packages.items;
        let said = opinions(database, system, 0..all.len(), Some(flaw), today);
        for opinion in said.map_err(database::failed)? {
            let Some(package) = all.get(opinion.package) else { continue };
            let version = package.full_version();
            let (why, of) = (why(&opinion, &version, is_cut), &opinion.ecosystem);
            let line = format!("{} {version}: {why} of {of}", package.name);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

/// Why it is not told; `is_cut` where some packages were left out.
fn why(opinion: &Opinion, version: &str, is_cut: bool) -> String {
    match (&opinion.upper, opinion.holds, opinion.state) {
        (_, _, State::NotAffected) => "it is not affected, in the words".to_owned(),
        (Some(upper), false, _) => format!("{version} is not before {upper}, in the words"),
        (None, false, _) => "another version is meant, in the words".to_owned(),
        (_, true, _) if is_cut => {
            format!("{TOO_MANY}, or what is said closer speaks against the words")
        }
        (_, true, _) => "what is said closer to it speaks against the words".to_owned(),
    }
}
