//! Whether and how a system updates itself, and where updates come from.

mod apt;
pub(super) mod apt_conf;
mod ini;
mod rpm;
mod sources;

use fathom_report::{Enabled, Evidence, Fact, PackageKind, Service, Setting, Updates};

use super::Known;
use crate::files::{Files, Read};

/// What the report loses if a file cannot be read.
const HIDES: &str = "how the system is updated";

/// What is known of it, and settings that say more.
pub(super) struct Found {
    pub(super) updates: Fact<Updates>,
    pub(super) settings: Vec<Setting>,
}

/// What updates it.
pub(super) fn of(files: &Files<'_>, known: &Known<'_>) -> Found {
    let mut search = Search { files, known, evidence: Vec::new(), settings: Vec::new() };
    let updates = match search.updates() {
        Ok(Some(value)) => {
            let mut evidence = search.evidence;
            evidence.sort();
            evidence.dedup();
            Fact::Known { value, evidence }
        }
        Ok(None) => Fact::unknown("no database of packages is there that is known to be updated"),
        Err(why) => Fact::unknown(why),
    };
    Found { updates, settings: search.settings }
}

/// A search; what could not be read ends it, and is its error.
struct Search<'a> {
    files: &'a Files<'a>,
    known: &'a Known<'a>,
    evidence: Vec<Evidence>,
    settings: Vec<Setting>,
}

impl Search<'_> {
    fn updates(&mut self) -> Result<Option<Updates>, String> {
        let kinds = [PackageKind::Deb, PackageKind::Rpm, PackageKind::Apk, PackageKind::Pacman];
        let has = |kind| self.known.packages.items.iter().any(|package| package.kind == kind);
        let Some(kind) = kinds.into_iter().find(|kind| has(*kind)) else {
            return match &self.known.packages.reason {
                Some(why) if self.known.packages.items.is_empty() => Err(why.clone()),
                _ => Ok(None),
            };
        };
        let (system, automatic, sources) = match kind {
            PackageKind::Deb => {
                let (system, automatic) = self.apt()?;
                (system, automatic, self.apt_sources()?)
            }
            PackageKind::Rpm => {
                let (system, automatic) = self.rpm()?;
                (system, automatic, self.rpm_sources()?)
            }
            PackageKind::Apk => ("none", false, self.apk_sources()?),
            _ => ("none", false, self.pacman_sources()?),
        };
        Ok(Some(Updates { system: system.to_owned(), automatic, sources }))
    }

    /// The text of a file that may be missing.
    fn text(&mut self, path: &str) -> Result<Option<String>, String> {
        match self.files.text(path, HIDES) {
            Read::There(text) => {
                self.evidence.push(path.into());
                Ok(Some(text))
            }
            Read::Absent => Ok(None),
            Read::Unread(why) => Err(why),
        }
    }

    /// The names in a folder that may be missing.
    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        match self.files.children(folder, HIDES) {
            Read::There(children) => Ok(children.into_iter().map(|(name, _)| name).collect()),
            Read::Absent => Ok(Vec::new()),
            Read::Unread(why) => Err(why),
        }
    }

    fn service(&self, name: &str) -> Option<&Service> {
        self.known.services.items.iter().find(|service| service.name == name)
    }

    /// Whether it is started; an error where that is not known.
    fn starts(&mut self, name: &str) -> Result<bool, String> {
        let Some(service) = self.service(name) else { return Ok(false) };
        let starts = match &service.enabled {
            Fact::Known { value, .. } => *value == Enabled::Enabled,
            Fact::Absent { .. } => false,
            Fact::Unknown { reason } => return Err(format!("{name}: {reason}")),
        };
        let evidence = service.evidence.first().cloned();
        self.evidence.extend(evidence.filter(|_| starts));
        Ok(starts)
    }

    fn has_package(&self, name: &str) -> bool {
        self.known.packages.items.iter().any(|package| package.name == name)
    }

    fn setting(&mut self, name: &str, value: impl Into<String>, place: Option<Evidence>) {
        self.settings.push(Setting { name: name.into(), value: value.into(), evidence: place });
    }
}

/// The address without what may be a password.
fn without_secret(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_get_out() {
        for (address, shown) in [
            ("https://joe:secret@host/path@x", "https://host/path@x"),
            ("https://host/path@x", "https://host/path@x"),
            ("file:/srv", "file:/srv"),
            ("https://a:b@c@host", "https://host"),
        ] {
            assert_eq!(without_secret(address), shown);
        }
    }
}
