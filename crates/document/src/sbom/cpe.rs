//! Names of the Common Platform Enumeration, where one can be sure of them.

use fathom_report::{Identity, Package, PackageKind};

/// Packages whose vendor and product in the dictionary of vulnerabilities are beyond doubt: the
/// names of their source packages, vendor, product.
const KNOWN: &[(&str, &str, &str)] = &[
    ("apache2", "apache", "http_server"),
    ("bash", "gnu", "bash"),
    ("bind9", "isc", "bind"),
    ("busybox", "busybox", "busybox"),
    ("bzip2", "bzip", "bzip2"),
    ("coreutils", "gnu", "coreutils"),
    ("curl", "haxx", "curl"),
    ("dpkg", "debian", "dpkg"),
    ("expat", "libexpat_project", "libexpat"),
    ("glibc", "gnu", "glibc"),
    ("gnutls", "gnu", "gnutls"),
    ("gnutls28", "gnu", "gnutls"),
    ("httpd", "apache", "http_server"),
    ("libxml2", "xmlsoft", "libxml2"),
    ("mariadb", "mariadb", "mariadb"),
    ("nginx", "f5", "nginx"),
    ("openssh", "openbsd", "openssh"),
    ("openssl", "openssl", "openssl"),
    ("redis", "redis", "redis"),
    ("rsync", "samba", "rsync"),
    ("samba", "samba", "samba"),
    ("sqlite", "sqlite", "sqlite"),
    ("sqlite3", "sqlite", "sqlite"),
    ("sudo", "sudo_project", "sudo"),
    ("systemd", "systemd_project", "systemd"),
    ("vim", "vim", "vim"),
    ("xz", "tukaani", "xz"),
    ("xz-utils", "tukaani", "xz"),
    ("zlib", "zlib", "zlib"),
];

/// The CPE of a package, if it is one of those that there is no doubt about and its upstream version
/// is plain. Distributions mend without raising that version: a match is a hint.
pub(super) fn of_package(package: &Package) -> Option<String> {
    let distribution_package = matches!(
        package.kind,
        PackageKind::Deb | PackageKind::Rpm | PackageKind::Apk | PackageKind::Pacman
    );
    if !distribution_package {
        return None;
    }
    let source = package.source.as_deref().unwrap_or(&package.name);
    let (_, vendor, product) = KNOWN.iter().find(|(name, _, _)| *name == source)?;
    let version = package.source_version.as_deref().unwrap_or(&package.version);
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    let version = version.split_once('-').map_or(version, |(version, _)| version);
    let (version, update) = match version.split_once('p') {
        // OpenSSH's portable releases: the dictionary keeps `p1` apart.
        Some((version, update)) if *product == "openssh" && is_number(update) => {
            (version, format!("p{update}"))
        }
        _ => (version, "*".to_owned()),
    };
    let plain = version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| format!("cpe:2.3:a:{vendor}:{product}:{version}:{update}:*:*:*:*:*:*"))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The CPE of the system: what it says itself, or what the dictionary calls it for sure.
pub(super) fn of_system(identity: &Identity) -> Option<String> {
    if let Some(cpe) = identity.cpe.value() {
        return is_valid(cpe).then(|| cpe.clone());
    }
    let version = identity.version.value()?;
    let plain = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let (vendor, product) = match identity.distribution.value()?.as_str() {
        "debian" => ("debian", "debian_linux"),
        "ubuntu" => ("canonical", "ubuntu_linux"),
        "alpine" => ("alpinelinux", "alpine_linux"),
        _ => return None,
    };
    plain.then(|| format!("cpe:2.3:o:{vendor}:{product}:{version}:*:*:*:*:*:*:*"))
}

/// Whether a text has the form of a CPE, 2.2 or 2.3: what a system says of itself may be anything.
fn is_valid(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '`');
    if !text.chars().all(legal) || text.len() > 1024 {
        return false;
    }
    if let Some(rest) = text.strip_prefix("cpe:2.3:") {
        return rest.starts_with(['a', 'o', 'h']) && split_bound(rest) == 11;
    }
    let Some(rest) = text.strip_prefix("cpe:/") else { return false };
    let word = |c: char| c.is_ascii_alphanumeric() || "._-~%".contains(c);
    let parts: Vec<&str> = rest.split(':').collect();
    matches!(parts.first(), Some(&("a" | "o" | "h")))
        && parts.len() <= 7
        && parts.iter().all(|part| part.chars().all(word))
}

/// How many parts a bound name has; a colon behind a backslash parts nothing.
fn split_bound(text: &str) -> usize {
    let mut parts = 1;
    let mut escaped = false;
    for c in text.chars() {
        parts += usize::from(c == ':' && !escaped);
        escaped = c == '\\' && !escaped;
    }
    parts
}

/// Which version of the form it has, in the words of SPDX.
pub(super) fn kind(cpe: &str) -> &'static str {
    if cpe.starts_with("cpe:2.3:") { "cpe23Type" } else { "cpe22Type" }
}
