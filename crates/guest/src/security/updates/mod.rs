//! Whether and how a system updates itself, and where updates come from.

mod apt;
pub(super) mod apt_conf;
mod ini;
mod rpm;
mod sources;

use fathom_report::{
    Coverage, Enabled, Evidence, Fact, Listing, PackageKind, Service, Setting, Updates,
};

use self::sources::MAX_SOURCES;
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
    let mut search =
        Search { files, known, evidence: Vec::new(), settings: Vec::new(), doubt: None };
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
    /// Why something that was not found may be there all the same.
    doubt: Option<String>,
}

/// Why the list may lack something, if it may.
fn hidden<T>(listing: &Listing<T>) -> Option<String> {
    let why = || listing.reason.clone().unwrap_or_else(|| "some could not be read".to_owned());
    (listing.coverage != Coverage::Complete).then(why)
}

impl Search<'_> {
    fn updates(&mut self) -> Result<Option<Updates>, String> {
        let kinds = [PackageKind::Deb, PackageKind::Rpm, PackageKind::Apk, PackageKind::Pacman];
        let has = |kind| self.known.packages.items.iter().any(|package| package.kind == kind);
        let Some(kind) = kinds.into_iter().find(|kind| has(*kind)) else {
            let packages = self.known.packages;
            return match (hidden(packages), &packages.reason) {
                (Some(why), _) => Err(why),
                (None, Some(why)) if packages.items.is_empty() => Err(why.clone()),
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
        if sources.len() > MAX_SOURCES {
            return Err(format!("packages come from more than {MAX_SOURCES} places"));
        }
        // What was not found may be among what could not be read.
        match self.doubt.take().filter(|_| !automatic) {
            Some(why) => Err(why),
            None => Ok(Some(Updates { system: system.to_owned(), automatic, sources })),
        }
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
        let Some(service) = self.service(name) else {
            self.doubt = self.doubt.take().or_else(|| hidden(self.known.services));
            return Ok(false);
        };
        let starts = match &service.enabled {
            Fact::Known { value, .. } => *value == Enabled::Enabled,
            Fact::Absent { .. } => false,
            Fact::Unknown { reason } => return Err(format!("{name}: {reason}")),
        };
        let evidence = service.evidence.first().cloned();
        self.evidence.extend(evidence.filter(|_| starts));
        Ok(starts)
    }

    fn has_package(&mut self, name: &str) -> bool {
        let has = self.known.packages.items.iter().any(|package| package.name == name);
        if !has {
            self.doubt = self.doubt.take().or_else(|| hidden(self.known.packages));
        }
        has
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

    /// What the search says of a Debian with these services and packages.
    fn of_debian(
        files: &[(&str, &[u8])],
        services: &Listing<Service>,
        packages: &Listing<fathom_report::Package>,
    ) -> Fact<Updates> {
        let system = fathom_report::System::unknown("", fathom_report::Family::Linux, "");
        let known = Known {
            packages,
            boot: &system.boot,
            services,
            users: &system.users,
            mounts: &system.mounts,
        };
        let tree = crate::memory::tree(files);
        of(&Files::new(&tree), &known).updates
    }

    #[test]
    fn what_could_not_be_read_is_not_missing() {
        let package = |name: &str| {
            let document = serde_json::json!({
                "kind": "deb", "name": name, "version": "1", "evidence": "/",
            });
            serde_json::from_value::<fathom_report::Package>(document).unwrap()
        };
        let conf: (&str, &[u8]) =
            ("/etc/apt/apt.conf.d/20auto", b"APT::Periodic::Unattended-Upgrade \"1\";\n");
        let script: (&str, &[u8]) = ("/etc/cron.daily/apt-compat", b"");
        let tool = Listing::complete(vec![package("unattended-upgrades")], Vec::new());
        let other = Listing::complete(vec![package("bash")], Vec::new());
        let none = || Listing::complete(Vec::new(), Vec::new());
        let mut partly = none();
        partly.hide("/usr is damaged");
        let automatic = |fact: Fact<Updates>| fact.value().map(|updates| updates.automatic);
        // Without systemd the script counts, but whether there is systemd has to be known.
        assert_eq!(automatic(of_debian(&[conf, script], &none(), &tool)), Some(true));
        let fact = of_debian(&[conf, script], &partly, &tool);
        assert!(matches!(&fact, Fact::Unknown { reason } if reason.contains("/usr is damaged")));
        // Where nothing asks for it, it does not matter.
        assert_eq!(automatic(of_debian(&[script], &partly, &tool)), Some(false));
        // The package may be among those that could not be read.
        assert_eq!(automatic(of_debian(&[conf], &none(), &other)), Some(false));
        let mut hidden = other.clone();
        hidden.hide("a record is damaged");
        let fact = of_debian(&[conf], &none(), &hidden);
        assert!(matches!(&fact, Fact::Unknown { reason } if reason == "a record is damaged"));
        // Without /var there may be a database, whatever else was found.
        let mut language = package("left-pad");
        language.kind = PackageKind::Npm;
        let mut away = Listing::complete(vec![language], Vec::new());
        away.hide("/var is on a disk that was not given");
        let fact = of_debian(&[], &none(), &away);
        assert!(matches!(&fact, Fact::Unknown { reason } if reason.contains("not given")));
    }
}
