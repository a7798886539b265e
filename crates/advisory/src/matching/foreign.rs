//! Whether a package is of the distribution.
//!
//! Packages of others go by the same names, and number their versions by themselves. rpm says who made
//! a package. dpkg names a maintainer, who often is the same person; there the version tells, since
//! whoever publishes beside a distribution marks its versions.

use fathom_report::{Package, PackageKind};

/// Whether a package is of the distribution that goes by this name, or nothing speaks against it.
pub(super) fn is_own(package: &Package, distribution: &str) -> bool {
    let (vendor, origin) = (package.vendor.as_deref(), package.origin.as_deref());
    if package.kind != PackageKind::Deb {
        return is_of_vendor(distribution, vendor, origin);
    }
    origin.is_none_or(|origin| origin.to_ascii_lowercase().contains(distribution))
        && !is_of_repository(&package.full_version())
        && !vendor.is_some_and(publishes_itself)
}

/// Whether it is of the distribution by whom rpm says that it was made; where nobody says it, by the
/// repository that it is from.
fn is_of_vendor(id: &str, vendor: Option<&str>, origin: Option<&str>) -> bool {
    let own: &[&str] = match id {
        "rhel" => &["Red Hat"],
        "centos" => &["CentOS", "Red Hat"],
        "almalinux" => &["AlmaLinux"],
        "rocky" => &["Rocky"],
        "ol" => &["Oracle"],
        "sles" | "sled" | "sles_sap" | "opensuse-leap" | "opensuse-tumbleweed" => {
            &["SUSE", "openSUSE"]
        }
        "amzn" => &["Amazon"],
        "photon" => &["VMware", "Broadcom"],
        _ => return true,
    };
    match vendor {
        Some(vendor) => own.iter().any(|name| vendor.contains(name)),
        None => !origin.is_some_and(is_elsewhere),
    }
}

/// What stands in versions of repositories beside those of Debian and Ubuntu, and hardly in any of
/// theirs: PostgreSQL's, NodeSource's, MariaDB's, deb-multimedia, Launchpad's, Sury's.
const MARKS: [&str; 8] =
    ["pgdg", "nodesource", "+maria~", "-dmo", "~ppa", "0ppa", "sury.org", "+ubuntu"];

/// Names of releases that end versions of others (`1.24.0-1~bookworm`). Those of earlier releases ended
/// some of the distributions' own.
const RELEASES: [&str; 13] = [
    "bullseye", "bookworm", "trixie", "forky", "focal", "groovy", "jammy", "kinetic", "lunar",
    "mantic", "noble", "oracular", "plucky",
];

/// Whether a version of dpkg is marked as that of a repository beside the distribution's.
fn is_of_repository(version: &str) -> bool {
    let is_named = version.rsplit_once('~').is_some_and(|(_, end)| {
        RELEASES.contains(&end.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.'))
    });
    is_named || MARKS.iter().any(|mark| version.contains(mark)) || is_of_a_day(version)
}

/// Whether it was built out of a repository on a day: `8.2.13-1+0~20231127.61+debian12~1.gbp8f1a2b`.
fn is_of_a_day(version: &str) -> bool {
    let day = version.split_once("+0~20").map(|(_, rest)| rest.as_bytes());
    day.is_some_and(|day| day.len() > 6 && day[..6].iter().all(u8::is_ascii_digit))
}

/// Maintainers who publish packages of their own, by the ends of their addresses.
const PUBLISHERS: [&str; 5] =
    ["@nodesource.com", "@nginx.com", "@f5.com", "@oss.oracle.com", "@docker.com"];

/// Whether a maintainer is one of them: `NGINX Packaging <nginx-packaging@f5.com>`.
fn publishes_itself(maintainer: &str) -> bool {
    let address = maintainer.trim_end().trim_end_matches('>').to_ascii_lowercase();
    PUBLISHERS.iter().any(|end| address.ends_with(end))
}

/// Repositories of others for systems of Red Hat's kin, by what their names begin with.
const ELSEWHERE: [&str; 20] = [
    "Fedora Project",
    "copr:",
    "docker-ce",
    "elastic",
    "elrepo",
    "epel",
    "gitlab",
    "google-",
    "grafana",
    "hashicorp",
    "ius",
    "kubernetes",
    "mariadb",
    "microsoft-",
    "mysql",
    "nodesource",
    "pgdg",
    "remi",
    "rpmfusion-",
    "zabbix",
];

/// Whether a repository is that of others than the distribution.
fn is_elsewhere(origin: &str) -> bool {
    ELSEWHERE.iter().any(|beginning| origin.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_made_is_told_by_who_made_it_or_where_it_is_from() {
        for (id, vendor, origin, expected) in [
            ("rhel", Some("Red Hat, Inc."), Some("epel"), true),
            ("rhel", Some("Fedora Project"), None, false),
            ("rhel", None, None, true),
            ("rhel", None, Some("rhel-8-for-x86_64-baseos-rpms"), true),
            ("rhel", None, Some("epel"), false),
            ("rocky", None, Some("remi-safe"), false),
            ("rocky", None, Some("copr:copr.fedorainfracloud.org:a:b"), false),
        ] {
            assert_eq!(is_of_vendor(id, vendor, origin), expected, "{id} {vendor:?} {origin:?}");
        }
    }

    #[test]
    fn versions_of_repositories_beside_the_distribution_are_marked() {
        for version in [
            "15.5-1.pgdg120+1",
            "18.19.0-1nodesource1",
            "1:10.11.6+maria~deb12",
            "10:6.1-dmo1+deb12u1",
            "1:2.43.0-0ppa1~ubuntu22.04.1",
            "4.16.2-1~ppa1",
            "2.4.48-1+ubuntu22.04.1+deb.sury.org+1",
            "1:5.0.16-1+ubuntu22.04",
            "1.24.0-1~bookworm",
            "6:7.2.3-1rl1~jammy1",
            "5:24.0.7-1~debian.12~bookworm",
            "8.2.13-1+0~20231127.61+debian12~1.gbp8f1a2b",
        ] {
            assert!(is_of_repository(version), "{version}");
        }
        for version in [
            "2.36-9+deb12u4",
            "1.2-3~bpo12+1",
            "5.15.0-76.83~20.04.1",
            "1:5.1.6~rc2-0ubuntu1~xenial9",
            "38.2.0-1~stretch",
            "23.1.2-0ubuntu0~22.04.1",
            "0~20171227.2-1",
            "1.5+0~2020-1",
            "",
        ] {
            assert!(!is_of_repository(version), "{version}");
        }
    }

    #[test]
    fn some_maintainers_publish_themselves() {
        assert!(publishes_itself("NGINX Packaging <nginx-packaging@f5.com>"));
        assert!(publishes_itself("Ivan Iguaran <ivan@nodesource.com>"));
        assert!(!publishes_itself("Debian Nginx Maintainers <pkg-nginx@lists.debian.org>"));
        assert!(!publishes_itself("nginx.com <someone@example.org>"));
    }

    #[test]
    fn a_package_of_dpkg_may_say_where_it_is_from() {
        let mut package = Package::bare(PackageKind::Deb, "nginx", "1.22.1-9", "status");
        assert!(is_own(&package, "debian"));
        package.origin = Some("Debian".to_owned());
        assert!(is_own(&package, "debian"));
        package.origin = Some("nginx".to_owned());
        assert!(!is_own(&package, "debian"));
    }
}
