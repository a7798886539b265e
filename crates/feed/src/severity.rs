//! The words that providers have for how bad something is.

use fathom_report::finding::Severity;

/// What a word means, however it is written; nothing for one that means nothing.
pub(crate) fn severity(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "negligible" | "unimportant" => Severity::Negligible,
        "low" => Severity::Low,
        "medium" | "moderate" => Severity::Medium,
        "high" | "important" => Severity::High,
        "critical" => Severity::Critical,
        _ => return None,
    })
}
