//! Further settings that matter for how a system is guarded. Their names are told in
//! `docs/report.md`; where one is missing, there is nothing that says it.

mod access;
mod boot;
mod dumps;
mod modes;
mod shells;

use std::collections::BTreeMap;

use fathom_report::{Evidence, Listing, Setting};

use super::Known;
use crate::files::{Files, Read};
use crate::network::layered_for;
use crate::sections::assignments;

const HIDES: &str = "settings of the system's security";

/// Everything that is found, sorted by name.
pub(super) fn of(
    files: &Files<'_>,
    known: &Known<'_>,
    kernel: &Listing<Setting>,
    others: Vec<Setting>,
) -> Listing<Setting> {
    let listing = Listing::complete(others, Vec::new());
    let mut found = Found { files, listing };
    boot::of(&mut found, known, kernel);
    dumps::of(&mut found);
    shells::of(&mut found);
    access::of(&mut found, known);
    modes::of(&mut found);
    let mut listing = found.listing;
    listing.items.sort_by(|a, b| a.name.cmp(&b.name));
    listing.evidence.sort();
    listing.evidence.dedup();
    listing
}

/// What was found so far.
struct Found<'a> {
    files: &'a Files<'a>,
    listing: Listing<Setting>,
}

impl Found<'_> {
    fn add(&mut self, name: &str, value: impl Into<String>, place: Option<&str>) {
        let evidence = place.map(Evidence::from);
        self.listing.evidence.extend(evidence.clone());
        self.listing.items.push(Setting { name: name.to_owned(), value: value.into(), evidence });
    }

    /// The text of a file; what cannot be read leaves the list partial.
    fn text(&mut self, path: &str) -> Option<String> {
        match self.files.text(path, HIDES) {
            Read::There(text) => Some(text),
            Read::Absent => None,
            Read::Unread(why) => {
                self.listing.hide(why);
                None
            }
        }
    }

    /// The paths that the pattern means.
    fn expand(&mut self, pattern: &str) -> Vec<String> {
        super::glob::expand(self.files, pattern, HIDES).unwrap_or_else(|why| {
            self.listing.hide(why);
            Vec::new()
        })
    }

    /// What the settings of a service of systemd come to, those of its own section: `NAME.conf` of the
    /// vendor or of the administrator, and the parts beside it, by their names. Each with where it
    /// stands.
    fn systemd(
        &mut self,
        name: &str,
        section: &str,
        keys: &[&str],
    ) -> Vec<(String, String, String)> {
        // The administrator's file counts instead of the vendor's, and a link to nothing instead of both.
        let folders =
            ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
        let main = format!("{name}.conf");
        let main = layered_for(self.files, &folders, HIDES, |its| its == main);
        let parts = folders.map(|folder| format!("{folder}/{name}.conf.d"));
        let parts = layered_for(self.files, &parts, HIDES, |its| its.ends_with(".conf"));
        let mut values: BTreeMap<String, (String, String)> = BTreeMap::new();
        for path in main.into_values().chain(parts.into_values()) {
            let Some(text) = self.text(&path) else { continue };
            for one in assignments(&text) {
                if one.section == section && keys.contains(&one.name.as_str()) {
                    values.insert(one.name, (one.value, path.clone()));
                }
            }
        }
        values.into_iter().map(|(key, (value, path))| (key, value, path)).collect()
    }
}

/// `ProcessSizeMax` as `process-size-max`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (index, character) in name.chars().enumerate() {
        if character.is_ascii_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests;
