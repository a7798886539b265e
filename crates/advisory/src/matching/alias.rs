//! Flaws of packages of languages, which several name each in their own way.
//!
//! GitHub, Go, Rust and Python each number what they publish, and say which numbers of others mean the
//! same. A flaw that has a number of the CVE list goes by that; where one of them does not know it yet,
//! another that means the same may. What nobody has such a number for goes by one of its names, always
//! the same one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::resolve::{Flaw, Hit};
use crate::error::Result;

/// The flaws of advisories, by the names of these.
#[derive(Default)]
pub(super) struct Aliases {
    flaws: HashMap<String, Vec<Flaw>>,
}

/// An advisory, and what else it is called.
struct Names<'d> {
    own: &'d str,
    others: Vec<&'d str>,
    numbered: Vec<Flaw>,
}

impl Aliases {
    /// What the advisories mean that these statements are of.
    pub(super) fn of<'h, 'd: 'h>(hits: impl Iterator<Item = &'h Hit<'d>>) -> Result<Self> {
        let mut all = BTreeMap::new();
        for hit in hits {
            let advisory = hit.segment.advisory(hit.row.advisory)?;
            let numbered = advisory.cves.iter().copied().map(Flaw::Numbered).collect();
            let names = Names { own: advisory.name, others: advisory.aliases, numbered };
            all.entry(names.own).or_insert(names);
        }
        let all: Vec<_> = all.into_values().collect();
        let groups = groups(&all);
        let mut flaws = HashMap::with_capacity(all.len());
        for (names, group) in all.iter().zip(&groups) {
            let of_group = || all.iter().zip(&groups).filter(|(_, it)| *it == group);
            let mut meant: Vec<Flaw> = names.numbered.clone();
            if meant.is_empty() {
                let numbered = of_group().flat_map(|(names, _)| names.numbered.iter().cloned());
                meant = numbered.collect::<BTreeSet<_>>().into_iter().collect();
            }
            if meant.is_empty() {
                let named = of_group().flat_map(|(it, _)| it.others.iter().chain([&it.own]));
                let first = named.min_by_key(|name| (rank(name), **name));
                meant.extend(first.map(|name| Flaw::Named((*name).to_owned())));
            }
            flaws.insert(names.own.to_owned(), meant);
        }
        Ok(Self { flaws })
    }

    /// The flaws that the advisory of this name is about.
    pub(super) fn flaws(&self, advisory: &str) -> Vec<Flaw> {
        self.flaws.get(advisory).cloned().unwrap_or_default()
    }
}

/// Which of the advisories mean the same: those that share a name, and those that share one with these.
/// A number of the CVE list joins none, since one may be about several of them.
fn groups(all: &[Names<'_>]) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..all.len()).collect();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (index, names) in all.iter().enumerate() {
        for name in names.others.iter().chain([&names.own]) {
            let Some(known) = by_name.insert(name, index) else { continue };
            let (one, other) = (root(&groups, known), root(&groups, index));
            if let Some(group) = groups.get_mut(one.max(other)) {
                *group = one.min(other);
            }
        }
    }
    (0..all.len()).map(|index| root(&groups, index)).collect()
}

/// The first of a group. What is joined points to an earlier one, so that this ends.
fn root(groups: &[usize], mut index: usize) -> usize {
    while let Some(&before) = groups.get(index).filter(|before| **before < index) {
        index = before;
    }
    index
}

/// Which name a flaw goes by: that it is no flaw but a package that does harm, GitHub's, any other.
fn rank(name: &str) -> u8 {
    match name {
        name if name.starts_with("MAL-") => 0,
        name if name.starts_with("GHSA-") => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_a_name_is_one() {
        let named = |own: &'static str, others: &[&'static str]| Names {
            own,
            others: others.to_vec(),
            numbered: Vec::new(),
        };
        let all = [
            named("GHSA-1", &["GO-1"]),
            named("GHSA-2", &[]),
            named("GO-1", &["GHSA-1"]),
            named("PYSEC-1", &["GHSA-3"]),
            named("PYSEC-2", &["GHSA-3", "GHSA-2"]),
        ];
        assert_eq!(groups(&all), [0, 1, 0, 1, 1]);
        assert_eq!(["PYSEC-1", "GHSA-2", "MAL-1"].map(rank), [2, 1, 0]);
    }
}
