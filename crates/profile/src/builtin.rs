//! The rules that are built in.

use crate::rule::{Rule, RuleError};

/// The profiles that are built in, and what each asks.
pub const PROFILES: [(&str, &str); 5] = [
    ("security", "whether somebody can get in, or can do more than he should"),
    ("hardening", "whether the system offers no more to an attacker than it must"),
    (
        "compliance",
        "whether it is kept as rules for the keeping of systems ask: accounts, passwords, records, updates",
    ),
    ("performance", "whether it is set up to run well on a virtual machine"),
    ("migration", "whether it will start and be reached when it is moved to KVM"),
];

/// Profile, name and text of each.
const RULES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rules that are built in, by profile and name.
pub fn builtin() -> Result<Vec<Rule>, RuleError> {
    RULES.iter().map(|(profile, name, text)| Rule::parse(profile, name, text)).collect()
}
