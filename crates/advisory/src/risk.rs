//! How much is at stake.
//!
//! A finding's risk is a hundred times how bad it is, times how likely it is used, times how much the
//! machine depends on the package. A machine's is that at least one of its flaws is used, as if they
//! had nothing to do with each other.

use std::collections::HashMap;

use fathom_report::finding::{Dependent, Finding, Findings, Risk, Severity};
use serde::{Deserialize, Serialize};

use crate::enrich::summarize;

/// The numbers that risk is computed by, each from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// How bad a critical flaw is.
    pub critical: f64,
    /// How bad a grave one is.
    pub high: f64,
    /// How bad one of middling gravity is.
    pub medium: f64,
    /// How bad one of little consequence is.
    pub low: f64,
    /// How bad one of no consequence in practice is.
    pub negligible: f64,
    /// How bad one is of which nobody says it.
    pub unknown: f64,
    /// The least likelihood of a flaw for which a way to exploit it is published.
    pub public_exploit: f64,
    /// The least likelihood of a critical flaw; that of others is in proportion to how bad they are.
    pub prior: f64,
    /// A kernel that starts.
    pub kernel: f64,
    /// A kernel that does not.
    pub inactive_kernel: f64,
    /// A service that starts, and that others can reach.
    pub service: f64,
    /// Everything else.
    pub other: f64,
    /// Documentation, headers and symbols.
    pub documentation: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            critical: 0.95,
            high: 0.8,
            medium: 0.55,
            low: 0.25,
            negligible: 0.05,
            unknown: 0.5,
            public_exploit: 0.2,
            prior: 0.05,
            kernel: 1.0,
            inactive_kernel: 0.3,
            service: 1.0,
            other: 0.8,
            documentation: 0.1,
        }
    }
}

impl Weights {
    /// The weights by their names, in the order in which they are documented.
    pub fn all(&self) -> [(&'static str, f64); 13] {
        [
            ("critical", self.critical),
            ("high", self.high),
            ("medium", self.medium),
            ("low", self.low),
            ("negligible", self.negligible),
            ("unknown", self.unknown),
            ("public_exploit", self.public_exploit),
            ("prior", self.prior),
            ("kernel", self.kernel),
            ("inactive_kernel", self.inactive_kernel),
            ("service", self.service),
            ("other", self.other),
            ("documentation", self.documentation),
        ]
    }

    /// What is wrong with them, if anything is: risk is a probability, and so are its parts.
    pub fn fault(&self) -> Option<String> {
        let is_wrong = |value: f64| !(0.0..=1.0).contains(&value);
        let (name, value) = self.all().into_iter().find(|(_, value)| is_wrong(*value))?;
        Some(format!("{name} is {value}, and must be from 0 to 1"))
    }

    /// The risk of a finding of which everything else is known.
    pub(crate) fn risk(&self, finding: &Finding, dependent: Dependent) -> Risk {
        let said = match finding.severity {
            Some(Severity::Critical) => self.critical,
            Some(Severity::High) => self.high,
            Some(Severity::Medium) => self.medium,
            Some(Severity::Low) => self.low,
            Some(Severity::Negligible) => self.negligible,
            None => self.unknown,
        };
        let severity = match finding.cvss_score {
            Some(score) => (said + score / 10.0) / 2.0,
            None => said,
        };
        let known = &finding.exploitability;
        let floor = if known.public_exploit { self.public_exploit } else { 0.0 };
        let likelihood = match known.exploited_since {
            Some(_) => 1.0,
            None => known.epss.unwrap_or(0.0).max(floor).max(self.prior * said),
        };
        let context = match dependent {
            Dependent::Kernel => self.kernel,
            Dependent::InactiveKernel => self.inactive_kernel,
            Dependent::Service => self.service,
            Dependent::Other => self.other,
            Dependent::Documentation => self.documentation,
        };
        let score = rounded(100.0 * severity * likelihood * context);
        Risk {
            score,
            severity: rounded(severity),
            likelihood: rounded(likelihood),
            context,
            dependent: Some(dependent),
        }
    }

    /// What depends on the package of a finding. Documents of before it was said have a number alone,
    /// by the weights that every one of them was made with.
    fn dependent(finding: &Finding) -> Dependent {
        let default = Self::default();
        let is = |weight: f64| (finding.risk.context - weight).abs() < 1e-9;
        finding.risk.dependent.unwrap_or(match () {
            () if finding.inactive => Dependent::InactiveKernel,
            () if is(default.documentation) => Dependent::Documentation,
            () if is(default.service) => Dependent::Service,
            () => Dependent::Other,
        })
    }
}

/// Weighs the findings of a document anew, without another look at the machine.
pub fn weigh(findings: &mut Findings, weights: &Weights) {
    let excepted = findings.excepted.iter_mut().map(|it| &mut it.finding);
    for finding in findings.vulnerabilities.iter_mut().chain(excepted) {
        finding.risk = weights.risk(finding, Weights::dependent(finding));
    }
    summarize(findings);
}

/// The risk of a machine with these findings: a flaw counts once in what was built from one source.
pub fn of_machine<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> f64 {
    let mut worst: HashMap<(&str, &str), f64> = HashMap::new();
    for finding in findings {
        let source = finding.source_package.as_deref().unwrap_or(&finding.package);
        let risk = worst.entry((&finding.cve_id, source)).or_default();
        *risk = risk.max(finding.risk.score);
    }
    // In an order of its own, so that the same findings make the same number to the last bit.
    let mut risks: Vec<f64> = worst.into_values().collect();
    risks.sort_by(f64::total_cmp);
    let untouched: f64 = risks.iter().map(|risk| 1.0 - risk / 100.0).product();
    rounded(100.0 * (1.0 - untouched))
}

/// What is at stake, as findings are added one by one: the same as [`of_machine`] of them all, without
/// starting over with each.
#[derive(Debug)]
pub(crate) struct Mounting<'f> {
    worst: HashMap<(&'f str, &'f str), f64>,
    /// How likely none of those is used that are not certain.
    untouched: f64,
    certain: usize,
}

impl Default for Mounting<'_> {
    fn default() -> Self {
        Self { worst: HashMap::new(), untouched: 1.0, certain: 0 }
    }
}

impl<'f> Mounting<'f> {
    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: &'f Finding) {
        let source = finding.source_package.as_deref().unwrap_or(&finding.package);
        let worst = self.worst.entry((&finding.cve_id, source)).or_default();
        let (before, after) = (*worst, worst.max(finding.risk.score));
        *worst = after;
        if before >= 100.0 || after <= before {
            return;
        }
        self.untouched /= 1.0 - before / 100.0;
        match after >= 100.0 {
            true => self.certain += 1,
            false => self.untouched *= 1.0 - after / 100.0,
        }
    }

    /// How much is at stake by what was added.
    pub(crate) fn risk(&self) -> f64 {
        match self.certain {
            0 => rounded(100.0 * (1.0 - self.untouched)),
            _ => 100.0,
        }
    }
}

/// To four places, as documents show it.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_from_nought_to_one() {
        assert_eq!(Weights::default().fault(), None);
        for value in [1.5, -0.1, f64::NAN, f64::INFINITY] {
            let weights = Weights { other: value, ..Weights::default() };
            assert!(weights.fault().is_some_and(|it| it.starts_with("other is ")), "{value}");
        }
        let named = serde_json::to_value(Weights::default()).unwrap();
        let all = Weights::default().all();
        assert_eq!(named.as_object().unwrap().len(), all.len());
        assert!(all.iter().all(|(name, value)| named[name] == *value));
    }
}
