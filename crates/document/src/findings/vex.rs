//! How each finding stands, in the words of VEX: what documents of that kind are made of.

use fathom_report::PackageKind;
use fathom_report::finding::{Exemption, ExemptionKind, Finding, Findings, State, VexStatus};

/// The justifications that OpenVEX and CSAF have words for.
const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// What is to be done about a package that is affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remedy {
    /// A later version mends it.
    Fix,
    /// Nothing does yet.
    NoneYet,
    /// Nothing ever will.
    NonePlanned,
}

/// A finding and how it stands.
pub(super) struct Stated<'f> {
    pub(super) finding: &'f Finding,
    pub(super) status: VexStatus,
    pub(super) justification: Option<&'f str>,
    /// Why it is not affected, or what to do.
    pub(super) text: String,
    pub(super) remedy: Remedy,
}

/// All findings of a machine with how each stands, those that somebody has decided about among them.
pub(super) fn stated(findings: &Findings) -> Vec<Stated<'_>> {
    let open = findings.vulnerabilities.iter().map(of_finding);
    let decided = findings.excepted.iter().map(|it| of_excepted(&it.finding, &it.exemption));
    open.chain(decided).collect()
}

fn of_finding(finding: &Finding) -> Stated<'_> {
    let (status, remedy) = match finding.state {
        State::Fixed => (VexStatus::Affected, Remedy::Fix),
        State::Affected | State::Deferred => (VexStatus::Affected, Remedy::NoneYet),
        State::WillNotFix | State::EndOfLife => (VexStatus::Affected, Remedy::NonePlanned),
        State::UnderInvestigation => (VexStatus::UnderInvestigation, Remedy::NoneYet),
        State::NotAffected => (VexStatus::NotAffected, Remedy::NoneYet),
    };
    let text = finding.remediation.clone();
    Stated { finding, status, justification: None, text, remedy }
}

fn of_excepted<'f>(finding: &'f Finding, exemption: &'f Exemption) -> Stated<'f> {
    let said = exemption.statement.as_ref();
    let mut stated = of_finding(finding);
    stated.status = match (exemption.kind, said) {
        (_, Some(said)) => said.status,
        (ExemptionKind::FalsePositive, None) => VexStatus::NotAffected,
        (ExemptionKind::Deferred, None) => VexStatus::Affected,
    };
    let justification = said.and_then(|it| it.justification.as_deref());
    stated.justification = justification.filter(|word| JUSTIFICATIONS.contains(word));
    stated.text = match exemption.kind {
        ExemptionKind::FalsePositive => exemption.reason.clone(),
        ExemptionKind::Deferred => {
            let until = exemption.until.as_deref();
            let until = until.map_or(String::new(), |until| format!(" (until {until})"));
            format!("Put off{until}: {}. {}", exemption.reason, stated.text)
        }
    };
    stated
}

/// What a package is called in a document, each once.
pub(super) fn reference(finding: &Finding) -> String {
    crate::sbom::uuid(&[
        finding.system.as_deref().unwrap_or_default(),
        finding.package_kind.name(),
        &finding.package,
        &finding.installed_version,
        finding.architecture.as_deref().unwrap_or_default(),
        finding.location.as_deref().unwrap_or_default(),
    ])
}

/// Whether a name is a number of the CVE list, of which the formats have a place of their own.
pub(super) fn is_cve(name: &str) -> bool {
    let number = name.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    number.is_some_and(|(year, number)| {
        let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        year.len() == 4 && number.len() >= 4 && is_digits(year) && is_digits(number)
    })
}

/// The package and its version, for people.
pub(super) fn package(finding: &Finding) -> String {
    match finding.package_kind {
        PackageKind::Hotfix => finding.package.clone(),
        _ => format!("{} {}", finding.package, finding.installed_version),
    }
}
