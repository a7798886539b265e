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

/// Whether a name means the system. One without a version means all of them, one of a major version
/// its minor ones too.
pub(super) fn is_of(text: &str, system: &Scanned) -> bool {
    let Some(found) = Name::parse(text) else { return false };
    let known = SYSTEMS.iter().find(|it| it.0 == found.vendor && it.1 == found.product);
    if known.map(|it| it.2) != system.distribution.as_deref() || known.is_none() {
        return false;
    }
    let Some(wanted) = found.version() else { return true };
    let Some(version) = system.version.as_deref() else { return false };
    let rest = version.strip_prefix(wanted.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

struct Name<'t> {
    vendor: &'t str,
    product: &'t str,
    version: &'t str,
    update: &'t str,
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
        is_of_systems.then_some(Self { vendor, product, version, update })
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
