//! One number for a profile.

use fathom_report::{Outcome, RuleResult, Severity};

/// How much a rule counts.
pub fn weight(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 8,
        Severity::High => 4,
        Severity::Medium => 2,
        Severity::Low => 1,
    }
}

/// The weight of what passes in percent of the weight of what passes or fails, rounded down: 100 means
/// that nothing fails. Nothing where nothing could be told. What is unknown or not applicable counts
/// on neither side.
pub fn score(results: &[RuleResult]) -> Option<u8> {
    let of = |outcome| -> u64 {
        let these = results.iter().filter(|result| result.outcome == outcome);
        these.map(|result| u64::from(weight(result.severity))).sum()
    };
    let (passed, failed) = (of(Outcome::Pass), of(Outcome::Fail));
    (passed * 100).checked_div(passed + failed).and_then(|percent| u8::try_from(percent).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(severity: Severity, outcome: Outcome) -> RuleResult {
        RuleResult {
            id: String::new(),
            title: String::new(),
            severity,
            outcome,
            message: String::new(),
            rationale: String::new(),
            reference: None,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn what_is_not_known_never_counts() {
        use Outcome::{Fail, NotApplicable, Pass, Unknown};
        let of = |results: &[(Severity, Outcome)]| {
            let results: Vec<_> = results.iter().map(|(a, b)| result(*a, *b)).collect();
            score(&results)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(Severity::High, Unknown), (Severity::Low, NotApplicable)]), None);
        assert_eq!(of(&[(Severity::High, Pass), (Severity::Critical, Unknown)]), Some(100));
        assert_eq!(of(&[(Severity::High, Pass), (Severity::High, Fail)]), Some(50));
        assert_eq!(of(&[(Severity::Critical, Fail), (Severity::Low, Pass)]), Some(11));
        // 99.9 is not all.
        let mut many = vec![(Severity::Critical, Pass); 200];
        many.push((Severity::Low, Fail));
        assert_eq!(of(&many), Some(99));
    }
}
