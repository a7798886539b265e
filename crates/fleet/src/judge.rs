//! What is known to be wrong with machines, and what was decided about it.

use std::sync::Arc;

use fathom_advisory::exception::{self, Exception, Machines, Until};
use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Fleet, Options};
use fathom_report::Report;
use fathom_report::finding::{ExemptionKind, Finding, Findings, Severity, State};
use fathom_store::{ExceptionRow, Flaw, Tally, Verdict};
use sha2::{Digest as _, Sha256};

use crate::look::{system_name, word};

/// For how many kinds of machines findings are kept where those that are alike come together.
const KINDS: usize = 8;

/// A database of advisories, and what was decided in a namespace.
pub struct Judge {
    database: Arc<Database>,
    exceptions: Vec<Exception>,
    options: Options,
    with: String,
}

impl Judge {
    /// What `exceptions` that have been approved leave of what the database says on day `today`.
    pub fn new(
        database: Arc<Database>,
        exceptions: &[ExceptionRow],
        today: Day,
        generator: &str,
    ) -> Self {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        add(generator);
        for segment in database.segments() {
            let about = segment.about();
            add(&about.provider);
            add(&about.as_of);
            add(&about.built);
        }
        let mut holding = Vec::new();
        for row in exceptions {
            let Some(exception) = exception(row).filter(|it| !is_over(it.until, today)) else {
                continue;
            };
            for text in [Some(&row.flaw), row.package.as_ref(), row.machines.as_ref()] {
                add(text.map_or("\u{1}", |text| text));
            }
            for text in [Some(&row.kind), Some(&row.reason), row.until.as_ref()] {
                add(text.map_or("\u{1}", |text| text));
            }
            add(row.decided_by.as_deref().unwrap_or("\u{1}"));
            holding.push(exception);
        }
        let with = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let options = Options {
            weights: Weights::default(),
            texts: true,
            today,
            generator: generator.to_owned(),
        };
        Self { database, exceptions: holding, options, with }
    }

    /// What decides what is found: as long as it stays, another look at the same report finds the same.
    pub fn with(&self) -> &str {
        &self.with
    }

    /// What is known to be wrong with the machine of a report.
    pub fn findings(&self, report: &Report) -> fathom_advisory::Result<Findings> {
        let subject = subject(report);
        let mut findings = fathom_advisory::scan(report, subject, &self.database, &self.options)?;
        self.except(&mut findings);
        Ok(findings)
    }

    /// The same of many, those that are alike one after the other.
    pub fn all(&self, reports: &[Report]) -> fathom_advisory::Result<Vec<Findings>> {
        let fleet = Fleet::new(&self.database, self.options.clone(), KINDS);
        let one = |report: &Report| {
            let mut findings = fleet.scan(report, subject(report))?;
            self.except(&mut findings);
            Ok(findings)
        };
        reports.iter().map(one).collect()
    }

    fn except(&self, findings: &mut Findings) {
        if !self.exceptions.is_empty() {
            exception::apply(findings, &mut self.exceptions.clone(), self.options.today);
        }
    }

    /// What the store keeps of findings.
    pub fn verdict(&self, findings: &Findings) -> Result<Verdict, serde_json::Error> {
        let open = findings.vulnerabilities.iter().map(|it| (it, None));
        let decided =
            findings.excepted.iter().map(|it| (&it.finding, Some(word(&it.exemption.kind))));
        let flaws = open
            .chain(decided)
            .filter(|(finding, _)| finding.state != State::NotAffected)
            .map(|(finding, excepted)| flaw(findings, finding, excepted))
            .collect();
        let summary = &findings.summary;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Verdict {
            findings: serde_json::to_string(findings)?,
            with: self.with.clone(),
            flaws,
            known: !findings.notes.iter().any(|note| note.kind.is_failure()),
            tally: Tally {
                risk: summary.risk,
                critical: count(summary.critical),
                high: count(summary.high),
                medium: count(summary.medium),
                low: count(summary.low),
                negligible: count(summary.negligible),
                unrated: count(summary.unknown),
                exploited: count(summary.exploited),
                fixable: count(summary.fixable),
                excepted: count(summary.excepted),
            },
        })
    }
}

/// What findings are about.
fn subject(report: &Report) -> &str {
    report.disks.first().map_or("", |disk| disk.name.as_str())
}

fn flaw(findings: &Findings, finding: &Finding, excepted: Option<String>) -> Flaw {
    let root = finding.system.as_ref();
    let of = |it: &&fathom_report::finding::Scanned| root.is_none_or(|root| it.root == *root);
    let system = findings.systems.iter().find(of);
    let names = finding.aliases.iter().chain(finding.advisories.iter());
    Flaw {
        cve: finding.cve_id.clone(),
        aliases: names.cloned().collect(),
        system: system.map_or_else(
            || system_name(None, None),
            |it| system_name(it.distribution.as_deref(), it.version.as_deref()),
        ),
        kind: word(&finding.package_kind),
        package: finding.package.clone(),
        version: finding.installed_version.clone(),
        fixed_version: finding.fixed_version.clone(),
        state: word(&finding.state),
        severity: finding.severity.map(|severity| match severity {
            Severity::Negligible => 1,
            Severity::Low => 2,
            Severity::Medium => 3,
            Severity::High => 4,
            Severity::Critical => 5,
        }),
        cvss: finding.cvss_score,
        epss: finding.exploitability.epss,
        exploited: finding.exploitability.exploited_since.is_some(),
        excepted,
        // How much a machine depends on the package is that machine's own.
        risk: 100.0 * finding.risk.severity * finding.risk.likelihood,
    }
}

/// What was decided, as it is applied; nothing where it makes no sense.
fn exception(row: &ExceptionRow) -> Option<Exception> {
    let kind = match row.kind.as_str() {
        "deferred" => ExemptionKind::Deferred,
        "false-positive" => ExemptionKind::FalsePositive,
        _ => return None,
    };
    let mut exception = Exception::request(row.flaw.clone(), kind, row.reason.clone());
    exception.package = row.package.clone();
    exception.machines = row.machines.clone().map_or(Machines::All, Machines::Like);
    exception.requester = Some(row.requested_by.clone());
    exception.until = match row.until.as_deref() {
        None => Until::Ever,
        Some("fixable") => Until::Fixable,
        Some("all-fixable") => Until::AllFixable,
        Some(day) => match Day::of(day) {
            known if known.is_known() => Until::Day(known),
            // Days before 1970 are over, those that are too far to be counted never come.
            _ if fathom_report::Day::parse(day)?.number() < 0 => return None,
            _ => Until::Ever,
        },
    };
    exception.approve(row.decided_by.clone().unwrap_or_default()).ok()?;
    Some(exception)
}

fn is_over(until: Until, today: Day) -> bool {
    matches!(until, Until::Day(day) if today.is_known() && day < today)
}
