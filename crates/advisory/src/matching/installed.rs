//! A package as advisories speak of it.

use std::borrow::Cow;

use fathom_report::{Package, PackageKind};

use crate::segment::Subject;

/// What advisories call Go's own packages, which are part of every program.
const GO_ITSELF: &str = "stdlib";

/// The ecosystem of a package that comes from no distribution.
pub(crate) fn language(kind: PackageKind) -> Option<&'static str> {
    Some(match kind {
        PackageKind::Python => "PyPI",
        PackageKind::Npm => "npm",
        PackageKind::Gem => "RubyGems",
        PackageKind::Maven => "Maven",
        PackageKind::Go => "Go",
        PackageKind::Cargo => "crates.io",
        PackageKind::Composer => "Packagist",
        PackageKind::Nuget => "NuGet",
        _ => return None,
    })
}

/// Whether the name tells which package it is. In a repository of Java there are several of one name,
/// which their groups tell apart; an archive does not always say its own.
pub(crate) fn is_told(package: &Package) -> bool {
    package.kind != PackageKind::Maven || package.name.contains(':')
}

/// The version of a package of a language that everybody has: what somebody built for themselves
/// (`2.5.1+cu118`) is that for whoever speaks of versions of Python.
fn of_all(package: &Package) -> &str {
    match package.kind {
        PackageKind::Python => package.version.split('+').next().unwrap_or_default(),
        _ => &package.version,
    }
}

/// Whether the version is one, and not a range of them or a word: some orders of versions have a place for
/// any text.
pub(crate) fn has_version(package: &Package) -> bool {
    let version = package.version.as_str();
    let is_of_range = |c: char| "<>=|*[](){}, ".contains(c);
    let is_one = version.contains(|c: char| c.is_ascii_digit())
        && !version.contains(is_of_range)
        && !version.starts_with(['^', '~']);
    is_one || !package.kind.is_of_language()
}

/// The name that advisories of this subject know the package by, and its version.
pub(crate) fn named(package: &Package, subject: Subject) -> (Cow<'_, str>, Cow<'_, str>) {
    let own = || Cow::Owned(package.full_version());
    if let Some(ecosystem) = language(package.kind) {
        let name = normalised(ecosystem, &package.name);
        // Go itself is numbered in a way of its own, which it is known by: `go1.22rc1`.
        let is_go = package.kind == PackageKind::Go && name == GO_ITSELF;
        let version = match is_go && !package.version.starts_with("go") {
            // As modules are numbered: `v1.22.3`.
            true => Cow::Owned(format!("go{}", package.version.trim_start_matches('v'))),
            false => Cow::Borrowed(of_all(package)),
        };
        return (Cow::Owned(name), version);
    }
    if subject == Subject::Installed {
        return (Cow::Borrowed(&package.name), own());
    }
    let source = package.source.as_deref().unwrap_or(&package.name);
    if let Some(source) = unsigned(package.kind, source) {
        return (Cow::Owned(source), own());
    }
    if let Some((name, version)) = unsigned_loader(package, source) {
        return (Cow::Borrowed(name), Cow::Owned(version));
    }
    let version = match &package.source_version {
        None => own(),
        // rpm names what a package was built from by a file, and no epoch is in its name.
        Some(version) if package.kind == PackageKind::Rpm && !version.contains(':') => {
            let epoch = package.epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
            Cow::Owned(format!("{epoch}{version}"))
        }
        Some(version) => Cow::Borrowed(version.as_str()),
    };
    (Cow::Borrowed(source), version)
}

/// What signed boot loaders were built from before they were signed, and its version. GRUB of Ubuntu is not
/// among them: what is said of it is said of what is signed.
fn unsigned_loader(package: &Package, source: &str) -> Option<(&'static str, String)> {
    if package.kind != PackageKind::Deb {
        return None;
    }
    let installed = package.full_version();
    if source == "shim-signed" {
        let own = package.source_version.as_deref();
        return Some(("shim", behind(&installed, own).unwrap_or(&installed).to_owned()));
    }
    let name = match source.strip_suffix("-signed")? {
        rest if rest.starts_with("grub-efi-") => "grub2",
        rest if rest.starts_with("shim-helpers-") => "shim",
        _ => return None,
    };
    let version = package.source_version.as_ref().unwrap_or(&installed);
    Some((name, of_loader(version).unwrap_or_else(|| version.clone())))
}

/// The version that was signed behind that of the signing: `15.7-1~deb11u1` of
/// `1.39~1+deb11u1+15.7-1~deb11u1`, which `1.39~1+deb11u1` signed.
fn behind<'v>(installed: &'v str, signing: Option<&str>) -> Option<&'v str> {
    let known = signing.and_then(|signing| installed.strip_prefix(signing)?.strip_prefix('+'));
    let is_version = |rest: &&str| rest.starts_with(|it: char| it.is_ascii_digit());
    let guessed =
        || installed.rmatch_indices('+').map(|(at, _)| &installed[at + 1..]).find(is_version);
    known.or_else(guessed)
}

/// The version of the boot loader that was signed: `2.06-13+deb12u1` of `1+2.06+13+deb12u1`.
fn of_loader(signed: &str) -> Option<String> {
    let (_, version) = signed.split_once('+')?;
    Some(match version.contains('-') {
        true => version.to_owned(),
        false => version.replacen('+', "-", 1),
    })
}

/// What signed kernels of Debian and Ubuntu were built from before they were signed: advisories are
/// about that, and its version is that of the package.
fn unsigned(kind: PackageKind, source: &str) -> Option<String> {
    if kind != PackageKind::Deb {
        return None;
    }
    let rest = source.strip_prefix("linux-signed")?;
    // Debian signs for each architecture by itself: `linux-signed-6.1-amd64`.
    let architectures = ["-amd64", "-arm64", "-i386", "-armhf"];
    let of_debian = architectures.iter().find_map(|it| rest.strip_suffix(it));
    Some(format!("linux{}", of_debian.unwrap_or(rest)))
}

/// The name as all write it who mean this package. Behind the name of an ecosystem may stand which
/// repository of it is meant: `Packagist:https://packages.drupal.org/8`.
pub fn normalised(ecosystem: &str, name: &str) -> String {
    match ecosystem.split(':').next().unwrap_or_default() {
        "PyPI" => python(name),
        "NuGet" | "Packagist" => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// As PEP 503 writes names.
fn python(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_known_by_what_was_signed() {
        for (source, source_version, version, name, compared) in [
            ("linux-signed-amd64", None, "6.1.76-1", "linux", "6.1.76-1"),
            ("linux-signed-6.1-amd64", None, "6.1.90-1~deb11u1", "linux-6.1", "6.1.90-1~deb11u1"),
            ("linux-signed", None, "5.15.0-91.101", "linux", "5.15.0-91.101"),
            ("linux-signed-hwe-5.15", None, "5.15.0-91.101", "linux-hwe-5.15", "5.15.0-91.101"),
            ("grub-efi-amd64-signed", None, "1+2.06+13+deb12u1", "grub2", "2.06-13+deb12u1"),
            (
                "grub2-signed",
                Some("1.187.6"),
                "1.187.6+2.06-2ubuntu14.4",
                "grub2-signed",
                "1.187.6",
            ),
            ("shim-signed", None, "1.40+15.7-1", "shim", "15.7-1"),
            (
                "shim-signed",
                Some("1.39~1+deb11u1"),
                "1.39~1+deb11u1+15.7-1~deb11u1",
                "shim",
                "15.7-1~deb11u1",
            ),
            ("shim-signed", None, "1.39~1+deb11u1+15.7-1~deb11u1", "shim", "15.7-1~deb11u1"),
            ("shim-signed", Some("1.51.3"), "1.51.3+15.7-0ubuntu1", "shim", "15.7-0ubuntu1"),
            ("shim-helpers-amd64-signed", None, "1+15.8+1~deb12u1", "shim", "15.8-1~deb12u1"),
        ] {
            let mut package = Package::bare(PackageKind::Deb, source, version, "status");
            package.source = Some(source.to_owned());
            package.source_version = source_version.map(str::to_owned);
            let found = named(&package, Subject::Source);
            assert_eq!((&*found.0, &*found.1), (name, compared), "{source} {version}");
        }
    }
}
