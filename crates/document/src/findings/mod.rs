//! Findings as documents: tables for people and spreadsheets, and what other programs take.
//!
//! Every document says what the findings do not say: their notes stand at its beginning, or where its
//! format has a place for them, so that no list reads as all there is if it is not.

mod csaf;
mod csv;
mod cyclonedx;
mod gitlab;
mod html;
mod junit;
mod markdown;
mod openvex;
mod plan;
mod sarif;
mod vex;

use std::io;

use fathom_report::finding::{Excepted, ExemptionKind, Finding, Findings, Severity, State};

pub use csaf::write as csaf;
pub use csv::Csv;
pub use cyclonedx::write as cyclonedx;
pub use gitlab::write as gitlab;
pub use html::write as html;
pub use junit::write as junit;
pub use markdown::write as markdown;
pub use openvex::write as openvex;
pub use plan::{markdown as plan_markdown, restart, some_of};
pub use sarif::write as sarif;

/// The columns of tables.
const COLUMNS: [&str; 15] = [
    "flaw",
    "severity",
    "cvss",
    "risk",
    "package",
    "installed",
    "fixed",
    "state",
    "epss",
    "exploited",
    "advisories",
    "source",
    "kind",
    "location",
    "remediation",
];

/// The cells of a finding, in the order of the columns.
fn cells(finding: &Finding) -> [String; COLUMNS.len()] {
    let number = |value: Option<f64>| value.map_or(String::new(), |it| it.to_string());
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        finding.cve_id.clone(),
        severity(finding).to_owned(),
        number(finding.cvss_score),
        finding.risk.score.to_string(),
        finding.package.clone(),
        finding.installed_version.clone(),
        fix(finding),
        finding.state.name().to_owned(),
        number(finding.exploitability.epss),
        text(&finding.exploitability.exploited_since),
        finding.advisories.join(" "),
        text(&finding.source_package),
        finding.package_kind.name().to_owned(),
        text(&finding.location),
        finding.remediation.clone(),
    ]
}

fn severity(finding: &Finding) -> &'static str {
    finding.severity.map_or("unrated", Severity::name)
}

/// The version that mends it, and from where it comes if not everybody gets it; empty where none does.
pub fn fix(finding: &Finding) -> String {
    match (&finding.fixed_version, &finding.fixed_in) {
        (Some(version), Some(from)) => format!("{version} ({from})"),
        (Some(version), None) if finding.state == State::Fixed => version.clone(),
        _ => String::new(),
    }
}

/// What was decided about a finding that is told apart, and why.
pub fn decided(excepted: &Excepted) -> String {
    let exemption = &excepted.exemption;
    let kind = match exemption.kind {
        ExemptionKind::Deferred => "deferred",
        ExemptionKind::FalsePositive => "false positive",
    };
    let until = exemption.until.as_ref().map_or(String::new(), |it| format!(" until {it}"));
    let by = exemption.by.as_ref().map_or(String::new(), |it| format!(" by {it}"));
    format!("{kind}{until}{by}: {}", exemption.reason)
}

/// Whether a reference is an address on the web that every reader takes for one: feeds are written by
/// others, and one address that is none makes a whole document wrong.
fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_of_addresses =
        |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=%".contains(&b);
    let is_escape =
        |part: &str| part.get(..2).is_some_and(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric())
            && rest.bytes().all(is_of_addresses)
            && rest.split('%').skip(1).all(is_escape)
            && rest.matches('#').count() < 2
    })
}

/// A document that has to say something cannot be written of nothing.
fn nothing_to_state() -> io::Error {
    let why = "there is no flaw to make a statement of, and such a document has one at least";
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// The counts: how many flaws there are, and what is to be made of them.
pub fn counts(findings: &Findings) -> [String; 2] {
    let it = &findings.summary;
    let flaws = format!(
        "{} of {} packages have {} flaws: {} critical, {} high, {} medium, {} low, {} negligible, {} \
         unrated",
        it.vulnerable_packages,
        it.total_packages,
        it.vulnerabilities,
        it.critical,
        it.high,
        it.medium,
        it.low,
        it.negligible,
        it.unknown,
    );
    let rest = format!(
        "{} can be mended by an upgrade, {} are known to be exploited; risk {:.0} of 100",
        it.fixable, it.exploited, it.risk,
    );
    [flaws, rest]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_looks_like_them() {
        for text in ["https://a.example/b?c=d&e#f", "http://a", "https://a.example/%20"] {
            assert!(is_address(text), "{text}");
        }
        let wrong = [
            "",
            "a",
            "https://",
            "https://a b",
            "https://a/%2",
            "https://a#b#c",
            "ftp://a",
            "http://[::1]",
        ];
        for text in wrong {
            assert!(!is_address(text), "{text}");
        }
    }
}
