//! What rules make of a report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// How grave it is to fail a rule.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody can take the system over, or it will not work.
    Critical,
    /// It should not stay so.
    High,
    /// It is weaker than it need be.
    Medium,
    /// A matter of good order.
    Low,
}

/// What came of a rule.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is as it should be.
    Pass,
    /// It is not as it should be.
    Fail,
    /// It could not be told.
    Unknown,
    /// The rule is not about systems like this.
    NotApplicable,
}

/// What the rules of a profile make of one system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// Its name: `security`, `hardening`, `compliance`, `performance`, `migration`, or of a folder.
    pub name: String,
    /// The system, by the volume of its root.
    pub system: String,
    /// How many of the weighed rules that could be told are as they should be, in percent. Nothing
    /// where none could be told: a score is never made of what is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// Each rule, in the order of their names.
    pub results: Vec<RuleResult>,
}

/// What came of one rule on one system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleResult {
    /// The rule's name, as `sshd-no-root-password`. Never changes its meaning.
    pub id: String,
    /// What it asks.
    pub title: String,
    /// How grave it is to fail it.
    pub severity: Severity,
    /// What came of it.
    pub outcome: Outcome,
    /// What was found, or why it could not be told.
    pub message: String,
    /// Why it matters, and what to do.
    pub rationale: String,
    /// Where others say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the outcome rests on.
    pub evidence: Vec<Evidence>,
}
