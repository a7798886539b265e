//! Packages that have flaws, each with what all of these come to.

use std::collections::{HashMap, HashSet};

use fathom_report::finding::{Component, Finding, State};

use crate::matching::scheme;
use crate::risk;

/// The packages of the findings, those with the most at stake first.
pub(super) fn components(findings: &[Finding]) -> Vec<Component> {
    let mut places = HashMap::new();
    let mut all: Vec<Vec<&Finding>> = Vec::new();
    for finding in findings {
        let key = (
            &finding.system,
            &finding.package,
            finding.package_kind,
            &finding.installed_version,
            &finding.architecture,
            &finding.location,
        );
        let place = *places.entry(key).or_insert(all.len());
        if place == all.len() {
            all.push(Vec::new());
        }
        all[place].push(finding);
    }
    let mut components: Vec<_> = all.iter().filter_map(|findings| component(findings)).collect();
    components.sort_by(|one, other| {
        let risk = other.risk.total_cmp(&one.risk);
        risk.then_with(|| names(one).cmp(&names(other)))
    });
    components
}

/// What those with as much at stake stand in order of.
fn names(it: &Component) -> impl Ord + use<'_> {
    (&it.package, &it.installed_version, &it.system, &it.location)
}

fn component(findings: &[&Finding]) -> Option<Component> {
    let first = findings.first()?;
    let flaws: HashSet<&str> = findings.iter().map(|it| it.cve_id.as_str()).collect();
    let is_fixable = |it: &&&Finding| it.state == State::Fixed;
    let fixable: HashSet<&str> =
        findings.iter().filter(is_fixable).map(|it| it.cve_id.as_str()).collect();
    Some(Component {
        package: first.package.clone(),
        package_kind: first.package_kind,
        source_package: first.source_package.clone(),
        installed_version: first.installed_version.clone(),
        architecture: first.architecture.clone(),
        location: first.location.clone(),
        system: first.system.clone(),
        vulnerabilities: flaws.len(),
        fixable: fixable.len(),
        severity: findings.iter().filter_map(|it| it.severity).max(),
        top_cvss: findings.iter().filter_map(|it| it.cvss_score).max_by(f64::total_cmp),
        fixed_by: fixed_by(findings),
        risk: risk::of_machine(findings.iter().copied()),
    })
}

/// The version that mends all that can be mended: the latest of those that mend something.
fn fixed_by(findings: &[&Finding]) -> Option<String> {
    let scheme = scheme(findings.first()?.package_kind)?;
    let versions = findings.iter().filter(|it| it.state == State::Fixed);
    let versions = versions.filter_map(|it| it.fixed_version.as_deref());
    let ordered = versions.filter_map(|version| Some((scheme.key(version)?, version)));
    ordered.max().map(|(_, version)| version.to_owned())
}

#[cfg(test)]
mod tests {
    use fathom_report::PackageKind;
    use fathom_report::finding::Severity;

    use super::*;

    fn finding(cve: &str, fixed: Option<&str>, score: f64) -> Finding {
        Finding {
            fixed_version: fixed.map(str::to_owned),
            state: if fixed.is_some() { State::Fixed } else { State::Affected },
            severity: Some(Severity::High),
            cvss_score: Some(score),
            ..Finding::bare(cve, PackageKind::Deb, "openssl", "1.1.1k-1")
        }
    }

    #[test]
    fn what_mends_all_is_the_latest_by_the_order_of_its_kind() {
        let findings = [
            finding("CVE-2021-0001", Some("1.1.1k-9"), 5.0),
            finding("CVE-2021-0002", Some("1.1.1k-10"), 7.5),
            // Of two letters: greater as text, and no greater as a version.
            finding("CVE-2021-0003", Some("1.1.1k-10~deb11u9"), 9.8),
            finding("CVE-2021-0004", None, 4.0),
        ];
        let found = components(&findings);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fixed_by.as_deref(), Some("1.1.1k-10"));
        assert_eq!((found[0].vulnerabilities, found[0].fixable), (4, 3));
        assert_eq!(found[0].top_cvss, Some(9.8));
    }
}
