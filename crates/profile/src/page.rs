//! The page of the documentation: how rules are written, and every rule that is built in.

use std::fmt::Write as _;

use crate::builtin::PROFILES;
use crate::rule::Rule;
use crate::score::weight;

/// What is written by hand. `{rules}` and `{example}` are filled in.
const TEXT: &str = include_str!("page.md");

/// The example that the page shows, and that a test runs.
const EXAMPLE: &str = include_str!("../tests/house/no-default-accounts.toml");

/// `docs/profiles.md`.
pub fn page(rules: &[Rule]) -> String {
    let mut list = String::new();
    for (profile, asks) in PROFILES {
        let of_profile: Vec<_> = rules.iter().filter(|rule| rule.profile == profile).collect();
        let _ = writeln!(list, "### {profile}\n\nAsks {asks}. {} rules.\n", of_profile.len());
        list.push_str("| rule | asks | severity | reference |\n|---|---|---|---|\n");
        for rule in of_profile {
            let severity = format!("{:?}", rule.severity).to_lowercase();
            let reference = rule.reference.as_deref().unwrap_or("");
            let cells = [rule.title.as_str(), reference].map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(list, "| `{}` | {} | {severity} | {} |", rule.id, cells[0], cells[1]);
        }
        list.push('\n');
    }
    let weights = [
        fathom_report::Severity::Critical,
        fathom_report::Severity::High,
        fathom_report::Severity::Medium,
        fathom_report::Severity::Low,
    ]
    .map(|severity| format!("{} for {}", weight(severity), format!("{severity:?}").to_lowercase()));
    TEXT.replace("{rules}", list.trim_end())
        .replace("{weights}", &weights.join(", "))
        .replace("{example}", EXAMPLE.trim_end())
}
