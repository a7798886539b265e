//! Whether two who speak of the same say the same.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use anyhow::Result;
use fathom_advisory::Database;
use fathom_advisory::segment::Segment;

/// What came of comparing statements of one with those of another.
#[derive(Default)]
struct Sum {
    same: usize,
    other: usize,
    silent: usize,
    examples: Vec<String>,
}

/// How many statements that differ are shown.
const SHOWN: usize = 5;

/// A table of who was compared with whom.
pub(super) fn table(database: &Database) -> Result<String> {
    let mut text = String::from(
        "\n| statements of | compared with | same version | another | nothing said |\n|---|---|---|---|---|\n",
    );
    let mut examples = Vec::new();
    let (Some(errata), Some(records)) =
        (database.provider("redhat"), database.provider("redhat-cve"))
    else {
        return Ok(String::new());
    };
    let mut line = |one: &str, other: &str, sum: Sum| {
        let _ = writeln!(
            text,
            "| {one} | {other} | {} ({:.1} % of those that both speak of) | {} | {} |",
            sum.same,
            100.0 * sum.same as f64 / (sum.same + sum.other).max(1) as f64,
            sum.other,
            sum.silent,
        );
        examples.extend(sum.examples);
    };
    line("Red Hat, advisories", "Red Hat, CVE database", of_red_hat(errata, records)?);
    for (provider, title) in [("almalinux", "AlmaLinux"), ("rocky", "Rocky Linux")] {
        if let Some(own) = database.provider(provider) {
            line(title, "Red Hat, advisories", rebuilt(own, errata)?);
        }
    }
    for example in examples {
        let _ = writeln!(text, "    {example}");
    }
    Ok(text)
}

/// A version without an epoch of nought, and without what tells builds of modules apart.
fn plain(version: &str) -> String {
    let version = version.strip_prefix("0:").unwrap_or(version);
    let module = version.find(".module").unwrap_or(version.len());
    let (version, build) = version.split_at(module);
    // What the one who rebuilds adds: `.alma.1`.
    let version = version.split(".alma").next().unwrap_or(version);
    let after = build.rsplit_once('+').and_then(|(_, hash)| hash.split_once('.'));
    format!("{version}{}", after.map_or(String::new(), |(_, more)| format!(".{more}")))
}

/// What is mended by which versions: by release and flaw, and a name.
type Mended = HashMap<(String, u32, String), BTreeSet<String>>;

fn mended(
    segment: &Segment,
    named: bool,
    release: impl Fn(&str) -> Option<String>,
) -> Result<Mended> {
    let mut mended = Mended::new();
    for namespace in segment.namespaces()? {
        let Some(release) = release(namespace.name) else { continue };
        for entry in segment.all(&namespace) {
            let (name, rows) = entry?;
            for row in rows {
                let Some(upper) = row.upper else { continue };
                for cve in segment.advisory(row.advisory)?.cves {
                    let name = if named { name.to_owned() } else { String::new() };
                    let key = (release.clone(), cve.number(), name);
                    mended.entry(key).or_default().insert(plain(upper.text));
                }
            }
        }
    }
    Ok(mended)
}

/// The release of `Red Hat:enterprise_linux:9::appstream`, `AlmaLinux:9` and the like.
fn release(namespace: &str) -> Option<String> {
    let (name, rest) = namespace.split_once(':')?;
    let version = match name {
        "Red Hat" => rest.strip_prefix("enterprise_linux:")?,
        "AlmaLinux" | "Rocky Linux" => rest,
        _ => return None,
    };
    version.split([':', '.']).next().map(str::to_owned)
}

/// An advisory names packages, the database of CVEs what they were built from: the same flaw is mended
/// in the same release by a build of the same version, where a source and its packages share one.
fn of_red_hat(errata: &Segment, records: &Segment) -> Result<Sum> {
    let records = mended(records, false, release)?;
    Ok(compared(&mended(errata, false, release)?, &records))
}

/// Who rebuilds a package keeps its version.
fn rebuilt(own: &Segment, errata: &Segment) -> Result<Sum> {
    Ok(compared(&mended(own, true, release)?, &mended(errata, true, release)?))
}

fn compared(one: &Mended, other: &Mended) -> Sum {
    let mut sum = Sum::default();
    let mut ordered: Vec<_> = one.iter().collect();
    ordered.sort();
    for ((release, cve, name), versions) in ordered {
        match other.get(&(release.clone(), *cve, name.clone())) {
            None => sum.silent += 1,
            Some(theirs) if !theirs.is_disjoint(versions) => sum.same += 1,
            Some(theirs) => {
                sum.other += 1;
                if sum.examples.len() < SHOWN {
                    let example = format!("{release} {cve} {name}: {versions:?} and {theirs:?}");
                    sum.examples.push(example.chars().take(200).collect());
                }
            }
        }
    }
    sum
}
