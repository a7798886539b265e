//! What everybody says of one flaw: how bad it is, and whether it is exploited.

use std::collections::HashMap;

use fathom_report::finding::{Cvss, Exploitability, Severity};

use crate::cve::Cve;
use crate::database::Database;
use crate::error::Result;
use crate::segment::{Segment, Vector};

/// Who describes flaws by themselves, in the order in which they are believed where the provider of a
/// finding says nothing.
const DESCRIBERS: [&str; 5] = ["nvd", "redhat-vex", "redhat-cve", "debian", "ubuntu"];

/// What is known of a flaw, whichever package has it.
#[derive(Clone, Debug, Default)]
pub(super) struct Flaw<'d> {
    /// Vectors, by provider; those who are believed first come first.
    pub(super) vectors: Vec<(&'d str, Vector<'d>)>,
    /// What Red Hat says of it, which counts for all that is built from its sources.
    pub(super) of_red_hat: Option<(Severity, &'d str)>,
    pub(super) weaknesses: Vec<u16>,
    pub(super) exploitability: Exploitability,
    /// Where it is described.
    pub(super) described: Option<(&'d Segment, u32)>,
}

/// Flaws that were looked up.
pub(super) struct Flaws<'d> {
    describers: Vec<&'d Segment>,
    scores: Option<&'d Segment>,
    exploited: Option<&'d Segment>,
    known: HashMap<String, Flaw<'d>>,
}

impl<'d> Flaws<'d> {
    pub(super) fn of(database: &'d Database) -> Self {
        Self {
            describers: DESCRIBERS.iter().filter_map(|name| database.provider(name)).collect(),
            scores: database.provider("epss"),
            exploited: database.provider("kev"),
            known: HashMap::new(),
        }
    }

    /// What is known of the flaw of this name.
    pub(super) fn get(&mut self, name: &str) -> Result<&Flaw<'d>> {
        if !self.known.contains_key(name) {
            let flaw = match name.parse() {
                Ok(cve) => self.look_up(cve, name)?,
                Err(_) => Flaw::default(),
            };
            self.known.insert(name.to_owned(), flaw);
        }
        Ok(&self.known[name])
    }

    fn look_up(&self, cve: Cve, name: &str) -> Result<Flaw<'d>> {
        let mut flaw = Flaw::default();
        for segment in &self.describers {
            let provider = segment.about().provider.as_str();
            for index in segment.mentions(cve)? {
                let advisory = segment.advisory(index)?;
                // An announcement of several says nothing of each.
                if !advisory.name.ends_with(name) || advisory.cves.len() != 1 {
                    continue;
                }
                flaw.vectors.extend(advisory.vectors.iter().map(|vector| (provider, *vector)));
                flaw.weaknesses.extend(&advisory.weaknesses);
                flaw.exploitability.public_exploit |= advisory.has_exploit;
                flaw.described = flaw.described.or(Some((*segment, index)));
                if matches!(provider, "redhat-vex" | "redhat-cve") {
                    let severity = advisory.severity.map(|severity| (severity, provider));
                    flaw.of_red_hat = flaw.of_red_hat.or(severity);
                }
            }
        }
        flaw.weaknesses.sort_unstable();
        flaw.weaknesses.dedup();
        let score = self.scores.map(|it| it.likelihood(cve)).transpose()?.flatten();
        flaw.exploitability.epss = score.map(|it| it.likelihood);
        flaw.exploitability.epss_percentile = score.map(|it| it.percentile);
        let known = self.exploited.map(|it| it.exploited(cve)).transpose()?.flatten();
        if let Some(known) = known {
            flaw.exploitability.exploited_since = Some(known.added.to_string());
            flaw.exploitability.due = known.due.is_known().then(|| known.due.to_string());
            flaw.exploitability.ransomware = known.by_ransomware;
        }
        Ok(flaw)
    }
}

/// The vectors as documents show them, the one that counts first: the provider's own before those of
/// others, and one of version 2 only where there is no other. None is ever averaged.
pub(super) fn chosen(own: &[(&str, Vector<'_>)], others: &[(&str, Vector<'_>)]) -> Vec<Cvss> {
    let mut all: Vec<(&str, Vector<'_>)> = Vec::new();
    for (provider, vector) in own.iter().chain(others) {
        if !all.iter().any(|(name, known)| name == provider && known.text == vector.text) {
            all.push((*provider, *vector));
        }
    }
    // Stable: within a rank, the order is that of belief.
    all.sort_by_key(|(_, vector)| vector.version < 3);
    let shown = all.into_iter().map(|(provider, vector)| Cvss {
        vector: vector.text.to_owned(),
        score: f64::from(vector.score) / 10.0,
        version: vector.version,
        source: provider.to_owned(),
    });
    shown.collect()
}

/// How bad a score is, by the scale of its version. Version 2 knows nothing that is critical.
pub(super) fn rating(cvss: &Cvss) -> Severity {
    match cvss.score {
        score if score >= 9.0 && cvss.version >= 3 => Severity::Critical,
        score if score >= 7.0 => Severity::High,
        score if score >= 4.0 => Severity::Medium,
        score if score >= 0.1 => Severity::Low,
        _ => Severity::Negligible,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(text: &'static str, version: u8, score: u8) -> Vector<'static> {
        Vector { text, is_own: true, version, score }
    }

    #[test]
    fn the_closest_vector_counts_and_none_is_averaged() {
        let own = [("debian", vector("two", 2, 100))];
        let others = [("nvd", vector("three", 3, 98)), ("redhat-cve", vector("other", 3, 53))];
        let chosen = chosen(&own, &others);
        let order: Vec<_> = chosen.iter().map(|it| (it.source.as_str(), it.score)).collect();
        assert_eq!(order, [("nvd", 9.8), ("redhat-cve", 5.3), ("debian", 10.0)]);
    }

    #[test]
    fn version_2_is_never_critical() {
        let of = |version, score| {
            rating(&Cvss { vector: String::new(), score, version, source: String::new() })
        };
        assert_eq!(of(2, 10.0), Severity::High);
        assert_eq!(of(3, 9.0), Severity::Critical);
        assert_eq!(of(4, 8.9), Severity::High);
        assert_eq!(of(3, 0.0), Severity::Negligible);
    }
}
