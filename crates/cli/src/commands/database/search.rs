//! `fathom db search`.

use fathom_advisory::segment::{Row, Segment};
use fathom_advisory::{Cve, REPOSITORIES, STREAMS};
use serde::Serialize;

use super::{failed, open};
use crate::args::Search;
use crate::exit::{Failure, Verdict};
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
    let cve: Option<Cve> = options.name.to_uppercase().parse().ok();
    let mut found = Vec::new();
    for segment in database.segments() {
        match cve {
            Some(cve) => by_flaw(segment, cve, &mut found),
            None => by_package(segment, &options.name, &mut found),
        }
        .map_err(failed)?;
    }
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
    Ok(if found.is_empty() { Verdict::No } else { Verdict::Done })
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

fn by_flaw(segment: &Segment, cve: Cve, found: &mut Vec<Statement>) -> fathom_advisory::Result<()> {
    let advisories = segment.mentions(cve)?;
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
