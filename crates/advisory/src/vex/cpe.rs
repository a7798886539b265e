//! Names of platforms (CPE), as far as they mean a system.

use fathom_report::finding::Scanned;

/// Vendors and products of those names, and the short name of the distribution that they mean.
const SYSTEMS: [(&str, &str, &str); 12] = [
    ("redhat", "enterprise_linux", "rhel"),
    ("debian", "debian_linux", "debian"),
    ("canonical", "ubuntu_linux", "ubuntu"),
    ("almalinux", "almalinux", "almalinux"),
    ("rocky", "rocky", "rocky"),
    ("resf", "rocky_linux", "rocky"),
    ("oracle", "linux", "ol"),
    ("suse", "sles", "sles"),
    ("suse", "linux_enterprise_server", "sles"),
    ("opensuse", "leap", "opensuse-leap"),
    ("alpinelinux", "alpine_linux", "alpine"),
    ("fedoraproject", "fedora", "fedora"),
];

/// What Red Hat delivers the packages of one release in, as the editions in those names.
const REPOSITORIES: [&str; 10] = [
    "appstream",
    "baseos",
    "crb",
    "extras",
    "highavailability",
    "nfv",
    "realtime",
    "resilientstorage",
    "sap",
    "supplementary",
];

/// Whether a name means the system and all of it.
pub(super) fn is_all_of(text: &str, system: &Scanned) -> bool {
    is_of(text, system) && Name::parse(text).is_some_and(|it| !it.has_repository)
}

/// Whether a name means the system, or a part of it that packages are delivered in. One without a
/// version means all of them, one of a major version its minor ones too.
pub(super) fn is_of(text: &str, system: &Scanned) -> bool {
    let Some(found) = Name::parse(text) else { return false };
    let known = SYSTEMS.iter().find(|it| it.0 == found.vendor && it.1 == found.product);
    if known.map(|it| it.2) != system.distribution.as_deref() || known.is_none() {
        return false;
    }
    found.version().is_none_or(|wanted| is_version(&wanted, system))
}

/// Whether a system is of a version, or of a minor one of that.
pub(super) fn is_version(wanted: &str, system: &Scanned) -> bool {
    let Some(version) = system.version.as_deref() else { return false };
    let rest = version.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

struct Name<'t> {
    vendor: &'t str,
    product: &'t str,
    version: &'t str,
    update: &'t str,
    has_repository: bool,
}

impl<'t> Name<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let rest = text.strip_prefix("cpe:2.3:").or_else(|| text.strip_prefix("cpe:/"))?;
        let mut fields = rest.split(':');
        // Modules of Red Hat's releases are named as applications.
        let is_of_systems = matches!(fields.next()?, "o" | "a");
        let (vendor, product) = (fields.next()?, fields.next()?);
        let known = |field: Option<&'t str>| match field {
            Some("*" | "-") | None => "",
            Some(other) => other,
        };
        let (version, update) = (known(fields.next()), known(fields.next()));
        // The first versions of these names pack further fields into one, between tildes.
        let mut others =
            fields.flat_map(|it| it.split('~')).filter(|it| !known(Some(it)).is_empty());
        let mut has_repository = false;
        let is_known = others.all(|other| {
            let is_repository = vendor == "redhat" && REPOSITORIES.contains(&other);
            has_repository |= is_repository;
            is_repository || (vendor == "canonical" && other == "lts")
        });
        let is_pack = vendor == "suse" && update.starts_with("sp") && !version.is_empty();
        let is_known = is_known && (update.is_empty() || is_pack);
        let name = Self { vendor, product, version, update, has_repository };
        (is_of_systems && is_known).then_some(name)
    }

    /// The version as systems write it: a service pack of SUSE is behind a dot.
    fn version(&self) -> Option<String> {
        let version = self.version.replace('\\', "");
        let pack = self.update.strip_prefix("sp").filter(|_| self.vendor == "suse");
        match (version.as_str(), pack) {
            ("", _) => None,
            (_, Some(pack)) => Some(format!("{version}.{pack}")),
            _ => Some(version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cpe: &str, distribution: &str, version: &str, expected: bool) {
        let system = Scanned::bare("/", distribution, version);
        assert_eq!(is_of(cpe, &system), expected, "{cpe} is {distribution} {version}");
    }

    #[test]
    fn names_mean_the_systems_of_their_version() {
        check("cpe:/o:redhat:enterprise_linux:8::baseos", "rhel", "8.6", true);
        check("cpe:/a:redhat:enterprise_linux:8::appstream", "rhel", "8", true);
        check("cpe:2.3:o:debian:debian_linux:11:*:*:*:*:*:*:*", "debian", "11", true);
        check("cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:lts:*:*:*", "ubuntu", "22.04", true);
        check("cpe:/o:suse:sles:15:sp4", "sles", "15.4", true);
        check("cpe:/o:redhat:enterprise_linux", "rhel", "9.2", true);
    }

    #[test]
    fn what_is_said_behind_the_version_is_heeded() {
        check("cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:arm64:*", "debian", "12", false);
        check("cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:-:*", "debian", "12", true);
        check("cpe:2.3:o:debian:debian_linux:12:rc1:*:*:*:*:*:*", "debian", "12", false);
        check("cpe:/o:canonical:ubuntu_linux:22.04::~~lts~~~", "ubuntu", "22.04", true);
        check("cpe:/o:canonical:ubuntu_linux:22.04::~~lts~~arm64~", "ubuntu", "22.04", false);
        check("cpe:/o:redhat:enterprise_linux:8::elsewhere", "rhel", "8.6", false);
        let system = Scanned::bare("/", "rhel", "8.6");
        assert!(!is_all_of("cpe:/o:redhat:enterprise_linux:8::baseos", &system));
        assert!(is_all_of("cpe:/o:redhat:enterprise_linux:8", &system));
    }

    #[test]
    fn and_no_others() {
        check("cpe:/o:redhat:enterprise_linux:9", "rhel", "8.6", false);
        check("cpe:/o:redhat:enterprise_linux:8.4", "rhel", "8.6", false);
        check("cpe:/o:redhat:enterprise_linux:8", "rhel", "80", false);
        check("cpe:/o:redhat:enterprise_linux:8", "almalinux", "8.6", false);
        check("cpe:/o:redhat:rhel_eus:8.6::baseos", "rhel", "8.6", false);
        check("cpe:/a:redhat:openshift:4", "rhel", "8.6", false);
        check("cpe:/o:suse:sles:15:sp4", "sles", "15.3", false);
        check("cpe:/o", "rhel", "8", false);
        check("redhat", "rhel", "8", false);
        let unknown = Scanned { distribution: None, version: None, ..Scanned::bare("/", "", "") };
        assert!(!is_of("cpe:/o:nobody:nothing", &unknown));
    }
}
