//! Which findings are shown, and in which order.

use std::cmp::{Ordering, Reverse};

use fathom_advisory::Cve;
use fathom_report::finding::{Finding, Findings, Severity};
use fathom_report::is_like;

use crate::args::{Scan, SortBy};
use crate::exit::say;

/// Whether a finding is one of those that were asked for.
pub(super) fn is_wanted(finding: &Finding, options: &Scan) -> bool {
    let is_named = options.only.is_empty() || options.only.iter().any(|name| is_of(finding, name));
    let least = options.severity.map(Into::into);
    let is_excluded = finding.location.as_deref().is_some_and(|location| {
        options.exclude_path.iter().any(|pattern| lies_under(location, pattern))
    });
    is_named
        && !is_excluded
        && (!options.fixable || finding.is_fixable())
        && least.is_none_or(|least| finding.severity.unwrap_or(Severity::Negligible) >= least)
}

/// Whether a finding goes by this name: that of its flaw, of an announcement of it, of its package or of
/// what that was built from.
fn is_of(finding: &Finding, name: &str) -> bool {
    let flaws = finding.aliases.iter().chain(finding.advisories.iter()).chain([&finding.cve_id]);
    let packages = finding.source_package.iter().chain([&finding.package]);
    flaws.chain(packages).any(|it| it == name)
}

/// Names that were asked for, and which of them nothing goes by.
pub(super) struct Named<'o> {
    missing: Vec<&'o str>,
}

impl<'o> Named<'o> {
    /// Of flaws that are not found, `--explain` says more.
    pub(super) fn of(options: &'o Scan) -> Self {
        let names = options.only.iter().map(String::as_str);
        let is_explained = |name: &str| options.explain && name.parse::<Cve>().is_ok();
        Self { missing: names.filter(|name| !is_explained(name)).collect() }
    }

    /// Looks for them in the findings of a machine.
    pub(super) fn look(&mut self, findings: &Findings) {
        let decided = || findings.excepted.iter().map(|it| &it.finding);
        let has = |name: &str| {
            findings.vulnerabilities.iter().chain(decided()).any(|finding| is_of(finding, name))
        };
        self.missing.retain(|name| !has(name));
    }

    /// A name that nothing goes by may be written in another way.
    pub(super) fn say_what_was_not_found(&self) {
        for name in &self.missing {
            say(&format!("note: no finding here is of {name}"));
        }
    }
}

/// Whether a place is at a path that is like the pattern, or beneath one. Others write places without
/// the slash in front.
fn lies_under(location: &str, pattern: &str) -> bool {
    let (location, pattern) = (location.trim_start_matches('/'), pattern.trim_matches('/'));
    pattern.is_empty() || is_like(location, pattern) || is_like(location, &format!("{pattern}/*"))
}

/// Puts findings in the order that was asked for; where that leaves two alike, as by risk.
pub(super) fn sort(findings: &mut [Finding], by: SortBy) {
    let worst = |one: Option<f64>, other: Option<f64>| {
        let value = |it: Option<f64>| it.unwrap_or(-1.0);
        value(other).total_cmp(&value(one))
    };
    findings.sort_by(|one, other| {
        let first = match by {
            SortBy::Risk => Ordering::Equal,
            SortBy::Severity => other.severity.cmp(&one.severity),
            SortBy::Cvss => worst(one.cvss_score, other.cvss_score),
            SortBy::Epss => worst(one.exploitability.epss, other.exploitability.epss),
            SortBy::Package => one.package.cmp(&other.package),
            SortBy::Cve => by_name(&one.cve_id).cmp(&by_name(&other.cve_id)),
        };
        first
            .then_with(|| other.risk.score.total_cmp(&one.risk.score))
            .then_with(|| Reverse(one.severity).cmp(&Reverse(other.severity)))
            .then_with(|| (&one.package, &one.cve_id).cmp(&(&other.package, &other.cve_id)))
    });
}

/// The name of a flaw, numbers as numbers: `CVE-2021-3711` comes before `CVE-2021-44228`.
fn by_name(name: &str) -> (Vec<(Option<u64>, &str)>, &str) {
    let parts = name.split('-').map(|part| (part.parse().ok(), part));
    (parts.collect(), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_of_paths() {
        for (location, pattern, expected) in [
            ("/opt/app/lib/a.jar", "/opt/app", true),
            ("/opt/app/lib/a.jar", "/opt/app/", true),
            ("/opt/application/a.jar", "/opt/app", false),
            ("/opt/app", "/opt/app", true),
            ("/srv/x/node_modules/y", "*/node_modules", true),
            ("/srv/x/y", "*/node_modules", false),
            ("/home/ann/.cargo", "/home/*/.cargo", true),
            ("/anything", "/", true),
            ("opt/app/lib/a.jar", "/opt/app", true),
            ("opt/application/a.jar", "/opt/app", false),
        ] {
            assert_eq!(lies_under(location, pattern), expected, "{location} {pattern}");
        }
    }

    #[test]
    fn flaws_are_ordered_by_number() {
        let mut names = ["CVE-2021-44228", "GHSA-x", "CVE-2021-3711", "CVE-2007-6755"];
        names.sort_by(|one, other| by_name(one).cmp(&by_name(other)));
        assert_eq!(names, ["CVE-2007-6755", "CVE-2021-3711", "CVE-2021-44228", "GHSA-x"]);
    }
}
