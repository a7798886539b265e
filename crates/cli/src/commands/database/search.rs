//! `fathom db search`.

use std::iter;

use fathom_advisory::segment::{Row, Segment};
use fathom_advisory::{Database, REPOSITORIES, STREAMS};
use serde::Serialize;

use super::{failed, open};
use crate::args::Search;
use crate::exit::{Failure, Verdict, say};
use crate::output::{Columns, Out};
use crate::text::harmless;

/// A statement of the database.
#[derive(Serialize)]
struct Statement {
    provider: String,
    advisory: String,
    cves: Vec<String>,
    ecosystem: String,
    package: String,
    versions: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    qualifier: Option<String>,
}

pub(super) fn run(options: &Search) -> Result<Verdict, Failure> {
    let database = open(&options.database)?;
    let found = find(&database, &options.name).map_err(failed)?;
    let mut out = Out::new();
    if options.output.is_json() {
        out.json(&found)?;
    } else {
        let mut columns = Columns::new(&[]);
        let heads = ["advisory", "ecosystem", "package", "versions", "state"];
        columns.row(heads.map(str::to_owned).to_vec());
        for it in &found {
            let package = match &it.qualifier {
                Some(qualifier) => format!("{} ({qualifier})", it.package),
                None => it.package.clone(),
            };
            columns.row(vec![
                harmless(&it.advisory),
                harmless(&it.ecosystem),
                harmless(&package),
                harmless(&it.versions),
                it.state.to_owned(),
            ]);
        }
        columns.write(&mut out)?;
    }
    out.finish()?;
    if found.is_empty() {
        say(&format!("nobody in the database speaks of {}", options.name));
        return Ok(Verdict::No);
    }
    Ok(Verdict::Done)
}

/// What is said of what goes by the name: a flaw; a package, also as packages are written mostly; or
/// an advisory, by any of its names.
fn find(database: &Database, name: &str) -> fathom_advisory::Result<Vec<Statement>> {
    let mut found = Vec::new();
    if let Ok(cve) = name.to_uppercase().parse() {
        for segment in database.segments() {
            by_advisories(segment, &segment.mentions(cve)?, &mut found)?;
        }
        return Ok(found);
    }
    for segment in database.segments() {
        by_package(segment, name, &mut found)?;
    }
    if found.is_empty() {
        let lower = name.to_lowercase();
        for segment in database.segments() {
            by_package(segment, &lower, &mut found)?;
        }
    }
    if found.is_empty() {
        for segment in database.segments() {
            by_advisories(segment, &called(segment, name)?, &mut found)?;
        }
    }
    Ok(found)
}

/// The advisories of this name.
fn called(segment: &Segment, name: &str) -> fathom_advisory::Result<Vec<u32>> {
    let mut called = Vec::new();
    let count = u32::try_from(segment.about().advisories).unwrap_or(u32::MAX);
    for index in 0..count {
        let advisory = segment.advisory(index)?;
        let mut names = iter::once(advisory.name).chain(advisory.aliases);
        if names.any(|it| it.eq_ignore_ascii_case(name)) {
            called.push(index);
        }
    }
    Ok(called)
}

fn by_package(
    segment: &Segment,
    name: &str,
    found: &mut Vec<Statement>,
) -> fathom_advisory::Result<()> {
    // Maps of repositories and of streams say nothing of packages.
    let is_map = |name| [REPOSITORIES, STREAMS].contains(&name);
    let ecosystems = segment.namespaces()?.into_iter().filter(|it| !is_map(it.name));
    for namespace in ecosystems {
        for row in segment.rows(&namespace, name)? {
            found.push(statement(segment, namespace.name, name, &row)?);
        }
    }
    Ok(())
}

fn by_advisories(
    segment: &Segment,
    advisories: &[u32],
    found: &mut Vec<Statement>,
) -> fathom_advisory::Result<()> {
    if advisories.is_empty() {
        return Ok(());
    }
    // Rows are sorted by package: those of an advisory are found by looking at all.
    for namespace in segment.namespaces()? {
        for named in segment.all(&namespace) {
            let (name, rows) = named?;
            for row in rows.iter().filter(|row| advisories.contains(&row.advisory)) {
                found.push(statement(segment, namespace.name, name, row)?);
            }
        }
    }
    Ok(())
}

fn statement(
    segment: &Segment,
    ecosystem: &str,
    package: &str,
    row: &Row<'_>,
) -> fathom_advisory::Result<Statement> {
    let advisory = segment.advisory(row.advisory)?;
    let versions = match (row.lower, row.upper) {
        (None, None) => "all".to_owned(),
        (Some(lower), None) => format!("from {}", lower.text),
        (None, Some(upper)) if row.is_inclusive => format!("up to {}", upper.text),
        (None, Some(upper)) => format!("before {}", upper.text),
        (Some(lower), Some(upper)) if row.is_inclusive => {
            format!("from {} up to {}", lower.text, upper.text)
        }
        (Some(lower), Some(upper)) => format!("from {} before {}", lower.text, upper.text),
    };
    Ok(Statement {
        provider: segment.about().provider.clone(),
        advisory: advisory.name.to_owned(),
        cves: advisory.cves.iter().map(ToString::to_string).collect(),
        ecosystem: ecosystem.to_owned(),
        package: package.to_owned(),
        versions,
        state: row.state.name(),
        qualifier: row.qualifier.map(str::to_owned),
    })
}
