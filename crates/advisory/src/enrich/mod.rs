//! From a report to findings: what matches, what everybody says of it, how much is at stake, and what
//! all that does not say.

mod component;
mod finding;
mod flaw;
mod notes;
pub mod service;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fathom_report::finding::{Finding, Findings, Scanned, Severity, Source, Summary, Unscanned};
use fathom_report::{Coverage, Report, System, inventory};

use self::finding::Teller;
use crate::database::Database;
use crate::day::Day;
use crate::error::Result;
use crate::matching::{self, Matches, Why};
use crate::risk::{self, Weights};

/// How many of the packages that were not compared are named.
const NAMED: usize = 10;

/// What is wanted of a scan.
#[derive(Clone, Debug)]
pub struct Options {
    /// How risk is computed.
    pub weights: Weights,
    /// Whether findings have descriptions and references.
    pub texts: bool,
    /// The day that ages are told from; unknown where none are to be told.
    pub today: Day,
    /// The program that asks, and its version.
    pub generator: String,
}

/// Tells what is known to be wrong with the machine of a report.
pub fn scan(
    report: &Report,
    subject: &str,
    database: &Database,
    options: &Options,
) -> Result<Findings> {
    let mut findings =
        Findings { database: sources(database), ..nothing(report, subject, options) };
    if report.systems.is_empty() {
        findings.notes.extend(notes::of_no_system(report));
    }
    let mut unscanned = BTreeMap::new();
    let mut providers = BTreeSet::new();
    for system in &report.systems {
        let matches = matching::find(database, system, options.today)?;
        findings.notes.extend(notes::of_system(system, &matches));
        providers.extend(&matches.providers);
        count_unscanned(system, &matches, &mut unscanned);
        let mut found = tell(&matches, system, database, options)?;
        if report.systems.len() > 1 {
            found.iter_mut().for_each(|it| it.system = Some(system.root.clone()));
        }
        findings.vulnerabilities.extend(found);
    }
    let of_database = notes::of_database(database, &providers, options.today)?;
    findings.notes.splice(..0, of_database);
    if !findings.vulnerabilities.is_empty() {
        findings.notes.extend(notes::of_providers(database));
    }
    sort(&mut findings.vulnerabilities);
    findings.unscanned = unscanned.into_values().collect();
    summarize(&mut findings);
    Ok(findings)
}

/// Puts the worst first. What is sorted are their places, since a finding is much to move.
fn sort(findings: &mut Vec<Finding>) {
    let mut places: Vec<usize> = (0..findings.len()).collect();
    let order = |one: &Finding, other: &Finding| {
        let severity = |it: &Finding| std::cmp::Reverse(it.severity);
        let risk = other.risk.score.total_cmp(&one.risk.score);
        risk.then_with(|| severity(one).cmp(&severity(other)))
            .then_with(|| (&one.package, &one.cve_id).cmp(&(&other.package, &other.cve_id)))
    };
    places.sort_by(|one, other| order(&findings[*one], &findings[*other]));
    let mut all: Vec<_> = std::mem::take(findings).into_iter().map(Some).collect();
    findings.extend(places.into_iter().filter_map(|place| all.get_mut(place)?.take()));
}

/// How many flaws in packages [`scan`] would tell of: to compare, and to tell nothing of it.
pub fn count(report: &Report, database: &Database, today: Day) -> Result<usize> {
    let found = |system| Ok(matching::find(database, system, today)?.found.len());
    report.systems.iter().map(found).sum()
}

/// What is said of a machine before anything is compared.
fn nothing(report: &Report, subject: &str, options: &Options) -> Findings {
    let systems = report.systems.iter().map(scanned).collect();
    Findings {
        summary: Summary { total_packages: installed(report), ..Summary::default() },
        ..Findings::none(subject, &options.generator, systems)
    }
}

fn tell(
    matches: &Matches<'_>,
    system: &System,
    database: &Database,
    options: &Options,
) -> Result<Vec<Finding>> {
    let mut teller = Teller::of(database, system, &options.weights);
    let mut told = Vec::with_capacity(matches.found.len());
    for found in &matches.found {
        if let Some(finding) = teller.finding(found)? {
            told.push((found, finding));
        }
    }
    if options.texts {
        teller.describe(&mut told)?;
    }
    Ok(told.into_iter().map(|(_, finding)| finding).collect())
}

fn sources(database: &Database) -> Vec<Source> {
    let abouts = database.segments().iter().map(|segment| segment.about());
    let source = |about: &crate::segment::About| Source {
        provider: about.provider.clone(),
        as_of: about.as_of.clone(),
        built: about.built.clone(),
    };
    abouts.map(source).collect()
}

/// What is said of a system that was scanned.
pub(crate) fn scanned(system: &System) -> Scanned {
    Scanned {
        root: system.root.clone(),
        distribution: system.identity.distribution.value().cloned(),
        version: system.identity.version.value().cloned(),
        hostname: system.identity.hostname.value().cloned(),
        inventory: (system.packages.coverage != Coverage::Unknown)
            .then(|| inventory::of_packages(&system.packages.items)),
    }
}

fn count_unscanned(system: &System, matches: &Matches<'_>, counted: &mut BTreeMap<Why, Unscanned>) {
    for unscanned in &matches.unscanned {
        let Some(package) = system.packages.items.get(unscanned.package) else { continue };
        let entry = counted.entry(unscanned.why).or_insert_with(|| Unscanned {
            reason: unscanned.why.text().to_owned(),
            count: 0,
            examples: Vec::new(),
        });
        entry.count += 1;
        if entry.examples.len() < NAMED && !entry.examples.contains(&package.name) {
            entry.examples.push(package.name.clone());
        }
    }
}

/// Why packages are not told of whose flaws are known.
pub const TOO_MANY: &str = "the others have more flaws than are told of one system";

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::NoEcosystem => "nobody in the database speaks of such packages",
            Self::NoName => "the name does not tell which package of its kind it is",
            Self::NoVersion => "the version cannot be compared by the rules of its kind",
            Self::Foreign => "not from the distribution, whose advisories do not hold for it",
            Self::KernelAid => "built from a kernel's sources, but no part of what runs",
            Self::Variant => {
                "a build for FIPS 140 or Ksplice, of which nobody in the database speaks"
            }
            Self::NoStream => "of a module, and nothing tells of which of its streams",
            Self::TooMany => TOO_MANY,
            Self::Owned => "belongs to a package of the distribution, which was compared instead",
        }
    }
}

/// How many packages are installed.
fn installed(report: &Report) -> usize {
    let packages = report.systems.iter().flat_map(|system| &system.packages.items);
    packages.filter(|package| package.is_installed()).count()
}

/// Counts anew.
pub fn summarize(findings: &mut Findings) {
    findings.components = component::components(&findings.vulnerabilities);
    let mut flaws: HashMap<&str, (Option<Severity>, bool, bool)> = HashMap::new();
    for finding in &findings.vulnerabilities {
        let flaw = flaws.entry(&finding.cve_id).or_default();
        flaw.0 = flaw.0.max(finding.severity);
        flaw.1 |= finding.is_fixable();
        flaw.2 |= finding.exploitability.exploited_since.is_some();
    }
    let of = |severity| flaws.values().filter(|flaw| flaw.0 == severity).count();
    let packages: BTreeSet<_> = findings
        .vulnerabilities
        .iter()
        .map(|it| (&it.system, &it.package, &it.installed_version, &it.architecture, &it.location))
        .collect();
    findings.summary = Summary {
        total_packages: findings.summary.total_packages,
        vulnerable_packages: packages.len(),
        vulnerabilities: flaws.len(),
        critical: of(Some(Severity::Critical)),
        high: of(Some(Severity::High)),
        medium: of(Some(Severity::Medium)),
        low: of(Some(Severity::Low)),
        negligible: of(Some(Severity::Negligible)),
        unknown: of(None),
        fixable: flaws.values().filter(|flaw| flaw.1).count(),
        exploited: flaws.values().filter(|flaw| flaw.2).count(),
        excepted: findings.excepted.len(),
        risk: risk::of_machine(&findings.vulnerabilities),
    };
}
