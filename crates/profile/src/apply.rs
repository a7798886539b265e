//! The rules of a profile, applied to the systems of a report.

use fathom_report::{Coverage, Evidence, Outcome, Profile, Report, RuleResult, System};
use serde_json::{Value, json};

use crate::evaluate::{Evaluator, Truth, Verdict};
use crate::rule::Rule;
use crate::score::score;
use fathom_report::Day;

/// What the rules make of each system of the report. Days are judged by `today`.
pub fn apply(profile: &str, rules: &[&Rule], report: &Report, today: Day) -> Vec<Profile> {
    let of_system = |system: &System| {
        let document = document(report, system);
        let evaluator = Evaluator::new(&document, today);
        let mut results: Vec<_> = rules.iter().map(|rule| result(rule, &evaluator)).collect();
        results.sort_by(|a, b| a.id.cmp(&b.id));
        Profile {
            name: profile.to_owned(),
            system: system.root.clone(),
            score: score(&results),
            results,
        }
    };
    report.systems.iter().map(of_system).collect()
}

fn result(rule: &Rule, evaluator: &Evaluator<'_>) -> RuleResult {
    let applies = rule.applies.as_ref().map(|check| evaluator.evaluate(&check.expression));
    let (outcome, verdict) = match applies {
        Some(verdict) if verdict.truth == Truth::No => (Outcome::NotApplicable, verdict),
        Some(verdict) if verdict.truth == Truth::Unknown => (Outcome::Unknown, verdict),
        _ => {
            let verdict = evaluator.evaluate(&rule.check.expression);
            (outcome(&verdict), verdict)
        }
    };
    RuleResult {
        id: rule.id.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        outcome,
        message: verdict.message(),
        rationale: rule.rationale.clone(),
        reference: rule.reference.clone(),
        evidence: verdict.evidence.into_iter().map(Evidence).collect(),
    }
}

fn outcome(verdict: &Verdict) -> Outcome {
    match verdict.truth {
        Truth::Yes => Outcome::Pass,
        Truth::No => Outcome::Fail,
        Truth::Unknown => Outcome::Unknown,
    }
}

/// What rules see: the system, the concerns that are about it or about the disks, and the volumes.
fn document(report: &Report, system: &System) -> Value {
    // The types of the report have only names as keys, so that this cannot fail.
    let Ok(Value::Object(mut document)) = serde_json::to_value(system) else {
        return json!({ "state": "unknown", "reason": "the report cannot be written" });
    };
    let is_about = |of: &Option<String>| of.as_ref().is_none_or(|root| *root == system.root);
    let mut concerns = report.concerns.clone();
    concerns.items.retain(|concern| is_about(&concern.system));
    let undecided: Vec<_> =
        report.undecided.iter().filter(|concern| is_about(&concern.system)).collect();
    // Where nothing on the disks says what starts, something else does.
    if let Some(default) = document.get_mut("boot").and_then(|boot| boot.get_mut("default"))
        && default["state"] == "absent"
    {
        let why = "nothing on these disks says what the system starts with";
        *default = json!({ "state": "unknown", "reason": why });
    }
    document.insert("concerns".to_owned(), json!(concerns));
    document.insert("undecided".to_owned(), json!(undecided));
    document.insert("storage".to_owned(), json!({ "volumes": volumes(report) }));
    Value::Object(document)
}

/// The volumes. What was not read of one is unknown, and where something of the disks could not be
/// read there may be more.
fn volumes(report: &Report) -> Value {
    let volume = |volume: &fathom_report::Volume| {
        let mut value = json!(volume);
        let content = &volume.content;
        if content.ends_with("not read") || content == "could not be looked at" {
            for name in ["used", "health", "label", "uuid"] {
                if value.get(name).is_none() {
                    value[name] = json!({ "state": "unknown", "reason": content });
                }
            }
        }
        value
    };
    let items: Vec<_> = report.storage.volumes.iter().map(volume).collect();
    let (coverage, reason) = match report.problems.first() {
        None => (Coverage::Complete, None),
        Some(problem) => (Coverage::Partial, Some(&problem.message)),
    };
    json!({ "coverage": coverage, "reason": reason, "evidence": [], "items": items })
}
