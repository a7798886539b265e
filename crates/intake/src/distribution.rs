//! Which distribution a list is of, as far as it says.

use crate::purl::Purl;

/// A distribution and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// As `os-release` has it: `debian`, `rhel`.
    pub(crate) id: String,
    pub(crate) version: Option<String>,
}

/// What others call distributions, and what they call themselves.
const NAMES: &[(&str, &str)] = &[
    ("alma", "almalinux"),
    ("almalinux", "almalinux"),
    ("alpine", "alpine"),
    ("alpine linux", "alpine"),
    ("amazon", "amzn"),
    ("amazon linux", "amzn"),
    ("amazonlinux", "amzn"),
    ("amzn", "amzn"),
    ("arch", "arch"),
    ("arch linux", "arch"),
    ("archlinux", "arch"),
    ("azurelinux", "azurelinux"),
    ("cbl-mariner", "mariner"),
    ("centos", "centos"),
    ("centos linux", "centos"),
    ("centos stream", "centos"),
    ("chainguard", "chainguard"),
    ("debian", "debian"),
    ("debian gnu/linux", "debian"),
    ("fedora", "fedora"),
    ("fedora linux", "fedora"),
    ("freebsd", "freebsd"),
    ("mariner", "mariner"),
    ("ol", "ol"),
    ("opensuse", "opensuse"),
    ("opensuse leap", "opensuse-leap"),
    ("opensuse-leap", "opensuse-leap"),
    ("opensuse.leap", "opensuse-leap"),
    ("opensuse tumbleweed", "opensuse-tumbleweed"),
    ("opensuse-tumbleweed", "opensuse-tumbleweed"),
    ("opensuse.tumbleweed", "opensuse-tumbleweed"),
    ("oracle", "ol"),
    ("oracle linux", "ol"),
    ("oracle linux server", "ol"),
    ("oraclelinux", "ol"),
    ("photon", "photon"),
    ("red hat enterprise linux", "rhel"),
    ("redhat", "rhel"),
    ("rhel", "rhel"),
    ("rocky", "rocky"),
    ("rocky linux", "rocky"),
    ("rockylinux", "rocky"),
    ("sled", "sled"),
    ("sles", "sles"),
    ("sles_sap", "sles_sap"),
    ("suse linux enterprise server", "sles"),
    ("ubuntu", "ubuntu"),
    ("windows", "windows"),
    ("wolfi", "wolfi"),
];

/// Names of releases that stand in the place of their numbers.
const RELEASES: &[(&str, &str)] = &[
    ("wheezy", "7"),
    ("jessie", "8"),
    ("stretch", "9"),
    ("buster", "10"),
    ("bullseye", "11"),
    ("bookworm", "12"),
    ("trixie", "13"),
    ("forky", "14"),
    ("trusty", "14.04"),
    ("xenial", "16.04"),
    ("bionic", "18.04"),
    ("focal", "20.04"),
    ("jammy", "22.04"),
    ("noble", "24.04"),
];

/// What a distribution calls itself that somebody calls so; nothing for one that is not known.
pub(crate) fn known(name: &str) -> Option<&'static str> {
    let name = name.trim().to_lowercase();
    NAMES.iter().find(|(theirs, _)| *theirs == name).map(|(_, id)| *id)
}

/// The number of a version: `2` of `2 (Karoo)`.
pub(crate) fn number(version: &str) -> Option<String> {
    let first = version.split_whitespace().next()?.trim_start_matches('v');
    let release = RELEASES.iter().find(|(name, _)| first.eq_ignore_ascii_case(name));
    Some(release.map_or(first, |(_, number)| number).to_owned())
}

impl Distribution {
    /// The distribution of this name and version.
    pub(crate) fn named(name: &str, version: Option<&str>) -> Self {
        if let Some(id) = known(name) {
            return Self { id: id.to_owned(), version: version.and_then(number) };
        }
        // `Ubuntu 22.04.3 LTS`: some have both in one.
        let at = name.find(|it: char| it.is_ascii_digit());
        let parts = at.and_then(|at| Some((known(name.get(..at)?)?, name.get(at..)?)));
        match parts {
            Some((id, rest)) => {
                Self { id: id.to_owned(), version: version.or(Some(rest)).and_then(number) }
            }
            None => Self { id: name.trim().to_lowercase(), version: version.and_then(number) },
        }
    }

    /// What the package URL of a package of a distribution says of it.
    pub(crate) fn of(purl: &Purl) -> Option<Self> {
        let vendor = purl.namespace.first().map(String::as_str);
        let Some(value) = purl.qualifier("distro") else {
            // Of SUSE there are several, which the vendor does not tell apart.
            return vendor.and_then(known).map(|id| Self { id: id.to_owned(), version: None });
        };
        if value.starts_with(|first: char| first.is_ascii_digit()) {
            return vendor.map(|vendor| Self::named(vendor, Some(value)));
        }
        if known(value).is_some() {
            return Some(Self::named(value, None));
        }
        if let (Some(vendor), true) = (vendor, RELEASES.iter().any(|(name, _)| *name == value)) {
            return Some(Self::named(vendor, Some(value)));
        }
        match value.match_indices('-').map(|(at, _)| at).find(|at| {
            let rest = &value[at + 1..];
            let is_release = RELEASES.iter().any(|(name, _)| *name == rest);
            is_release || rest.starts_with(|first: char| first.is_ascii_digit())
        }) {
            Some(at) => Some(Self::named(&value[..at], Some(&value[at + 1..]))),
            None => Some(Self::named(value, None)),
        }
    }

    /// What the name of a repository's content says, in the words of CPE: Red Hat names by it what
    /// its packages are for.
    pub(crate) fn of_cpe(cpe: &str) -> Option<Self> {
        let bound = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/"))?;
        let mut parts = bound.split(':');
        let (_, vendor, product, version) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let products =
            ["enterprise_linux", "rhel_eus", "rhel_aus", "rhel_tus", "rhel_e4s", "rhel_els"];
        let is_number = version.starts_with(|first: char| first.is_ascii_digit());
        (vendor == "redhat" && products.contains(&product) && is_number)
            .then(|| Self::named("rhel", Some(version)))
    }

    /// Whether both may be the same: one says no more than the other, and nothing else.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        let within = |one: &str, other: &str| {
            one == other || other.strip_prefix(one).is_some_and(|rest| rest.starts_with('.'))
        };
        (self.id == other.id || self.is_kin(&other.id) || other.is_kin(&self.id))
            && match (&self.version, &other.version) {
                (Some(one), Some(other)) => within(one, other) || within(other, one),
                _ => true,
            }
    }

    /// Whether this is the vendor of several, of which that is one.
    pub(crate) fn is_kin(&self, id: &str) -> bool {
        match self.id.as_str() {
            "opensuse" => matches!(id, "opensuse-leap" | "opensuse-tumbleweed"),
            "suse" => matches!(id, "sles" | "sled" | "sles_sap"),
            _ => false,
        }
    }

    /// Takes what an agreeing one says more precisely.
    pub(crate) fn refine(&mut self, other: &Self) {
        if self.is_kin(&other.id) {
            self.id.clone_from(&other.id);
        }
        let len = |version: &Option<String>| version.as_ref().map_or(0, String::len);
        if len(&other.version) > len(&self.version) {
            self.version.clone_from(&other.version);
        }
    }
}

impl std::fmt::Display for Distribution {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(out, "{} {version}", self.id),
            None => out.write_str(&self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_tell_the_distribution() {
        for (text, expected) in [
            ("pkg:deb/debian/x@1?distro=debian-12", "debian 12"),
            ("pkg:deb/debian/x@1?distro=debian-bookworm", "debian 12"),
            ("pkg:deb/debian/x@1?distro=jessie", "debian 8"),
            ("pkg:deb/ubuntu/x@1?distro=ubuntu-22.04", "ubuntu 22.04"),
            ("pkg:apk/alpine/x@1?distro=3.15.0", "alpine 3.15.0"),
            ("pkg:apk/alpine/x@1?distro=alpine-3.18.4", "alpine 3.18.4"),
            ("pkg:rpm/redhat/x@1?distro=redhat-8.4", "rhel 8.4"),
            ("pkg:rpm/rhel/x@1?distro=rhel-9.3", "rhel 9.3"),
            ("pkg:rpm/centos/x@1?distro=centos-8.3.2011", "centos 8.3.2011"),
            ("pkg:rpm/opensuse/x@1?distro=opensuse-leap-15.4", "opensuse-leap 15.4"),
            ("pkg:rpm/suse/x@1?distro=suse%20linux%20enterprise%20server-15.4", "sles 15.4"),
            ("pkg:rpm/amazon/x@1?distro=amazon-2%20%28Karoo%29", "amzn 2"),
            ("pkg:rpm/opensuse/x@1?distro=opensuse-tumbleweed", "opensuse-tumbleweed"),
            ("pkg:deb/debian/x@1", "debian"),
        ] {
            let found = Distribution::of(&Purl::parse(text).unwrap()).unwrap();
            assert_eq!(found.to_string(), expected, "{text}");
        }
        assert_eq!(Distribution::of(&Purl::parse("pkg:rpm/suse/x@1").unwrap()), None);
        assert_eq!(Distribution::of(&Purl::parse("pkg:deb/x@1").unwrap()), None);
    }

    #[test]
    fn a_name_may_hold_the_version() {
        for (name, version, expected) in [
            ("Ubuntu 22.04.3 LTS", None, "ubuntu 22.04.3"),
            ("Debian GNU/Linux", Some("12 (bookworm)"), "debian 12"),
            ("Haiku R1", None, "haiku r1"),
            ("9front", None, "9front"),
        ] {
            assert_eq!(Distribution::named(name, version).to_string(), expected);
        }
    }

    #[test]
    fn names_of_content_tell_it_too() {
        let of = |cpe| Distribution::of_cpe(cpe).map(|it| it.to_string());
        let appstream = "cpe:2.3:a:redhat:enterprise_linux:9:*:appstream:*:*:*:*:*";
        assert_eq!(of(appstream).as_deref(), Some("rhel 9"));
        assert_eq!(of("cpe:/o:redhat:rhel_eus:8.6::baseos").as_deref(), Some("rhel 8.6"));
        assert_eq!(of("cpe:/a:redhat:openshift:4.12::el8"), None);
        assert_eq!(of("cpe:2.3:*:*:*:*:*:*:*:*:*:*:*"), None);
        assert_eq!(of("x"), None);
    }

    #[test]
    fn one_may_say_less_than_the_other() {
        let of = |version: Option<&str>| Distribution::named("debian", version);
        assert!(of(Some("12")).agrees(&of(Some("12.5"))));
        assert!(of(None).agrees(&of(Some("12.5"))));
        assert!(!of(Some("12")).agrees(&of(Some("11"))));
        assert!(!of(Some("1")).agrees(&of(Some("12"))));
        assert!(!of(None).agrees(&Distribution::named("ubuntu", None)));
        let of = |text: &str| Distribution::of(&Purl::parse(text).unwrap()).unwrap();
        for (text, name, version) in [
            ("pkg:rpm/opensuse/x@1", "opensuse-leap", "15.4"),
            ("pkg:rpm/opensuse/x@1?distro=15.4", "opensuse-leap", "15.4"),
            ("pkg:rpm/opensuse/x@1", "opensuse-tumbleweed", "20240101"),
            ("pkg:rpm/suse/x@1?distro=15.4", "sled", "15.4"),
            ("pkg:rpm/redhat/x@1", "rhel", "9.3"),
            ("pkg:rpm/amazon/x@1", "amzn", "2"),
            ("pkg:rpm/oraclelinux/x@1", "ol", "9.3"),
            ("pkg:rpm/rockylinux/x@1", "rocky", "9.3"),
        ] {
            let system = Distribution::named(name, Some(version));
            let mut found = of(text);
            assert!(system.agrees(&found) && found.agrees(&system), "{text}");
            found.refine(&system);
            assert_eq!(found, system);
        }
        let leap = Distribution::named("opensuse-leap", Some("15.4"));
        assert!(!leap.agrees(&Distribution::named("opensuse-tumbleweed", None)));
        assert!(!leap.agrees(&of("pkg:rpm/suse/x@1?distro=15.4")));
    }
}
