//! Conditions over findings, in the language of the rules: when a scan is to fail.
//!
//! ```text
//! severity in ["high", "critical"] and state = "fixed"
//! exploitability.exploited_since is known or risk.score > 50
//! ```
//!
//! Names are those of a finding in the published document, and are held to its schema.

use fathom_report::finding::Finding;

use crate::evaluate::{Evaluator, Truth};
use crate::language::{Expression, Shape, parse_of};
use fathom_report::Day;

/// A condition over findings.
#[derive(Clone, Debug)]
pub struct Policy {
    text: String,
    expression: Expression,
}

impl Policy {
    /// Reads a condition. What is wrong with it is told in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expression = parse_of(text, &Shape::finding())?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// The condition as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the finding is so; nothing where that cannot be told. What nobody said of a finding
    /// equals nothing and is neither more nor less than anything.
    pub fn holds(&self, finding: &Finding, today: Day) -> Option<bool> {
        let value = serde_json::to_value(finding).ok()?;
        match Evaluator::new(&value, today).evaluate(&self.expression).truth {
            Truth::Yes => Some(true),
            Truth::No => Some(false),
            Truth::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::PackageKind;
    use fathom_report::finding::{Exploitability, Risk, Severity, State};

    use super::*;

    fn finding() -> Finding {
        Finding {
            advisories: ["DSA-4963-1".to_owned()].into(),
            source_package: Some("openssl".to_owned()),
            fixed_version: Some("1.1.1l-1".to_owned()),
            state: State::Fixed,
            severity: Some(Severity::Critical),
            cvss_score: Some(9.8),
            weaknesses: ["CWE-120".to_owned()].into(),
            published: Some("2021-08-24".to_owned()),
            exploitability: Exploitability { epss: Some(0.04), ..Exploitability::default() },
            risk: Risk { score: 4.2, ..Risk::default() },
            ..Finding::bare("CVE-2021-3711", PackageKind::Deb, "libssl1.1", "1.1.1k-1")
        }
    }

    #[track_caller]
    fn check(policy: &str, expected: bool) {
        let today = Day::parse("2021-09-30").unwrap();
        let policy = Policy::parse(policy).unwrap();
        assert_eq!(policy.holds(&finding(), today), Some(expected), "{}", policy.text());
    }

    #[test]
    fn conditions_are_over_what_a_finding_says() {
        check(r#"severity in ["high", "critical"] and state = "fixed""#, true);
        check(r#"severity in ["low"]"#, false);
        check("cvss_score >= 9", true);
        check("exploitability.epss > 0.1", false);
        check("exploitability.exploited_since is known", false);
        check("exploitability.exploited_since is absent and risk.score > 4", true);
        check(r#"source_package = "openssl" or package matches "lib*""#, true);
        check("published < today - 30", true);
        check("published < today - 60", false);
        check(r#"any advisories where it starts "DSA-""#, true);
        check(r#"location is known"#, false);
    }

    #[test]
    fn what_is_misspelt_is_refused() {
        for policy in [
            "severty = \"high\"",
            "severity = \"grave\"",
            "cvss_score >= \"high\"",
            "",
            "package =",
        ] {
            assert!(Policy::parse(policy).is_err(), "{policy}");
        }
        let why = Policy::parse("severty = \"high\"").unwrap_err();
        assert!(why.contains("severity"), "{why}");
    }
}
