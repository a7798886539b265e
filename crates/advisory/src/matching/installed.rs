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

/// The name that advisories of this subject know the package by, and its version.
pub(crate) fn named(package: &Package, subject: Subject) -> (Cow<'_, str>, Cow<'_, str>) {
    let own = || Cow::Owned(package.full_version());
    if let Some(ecosystem) = language(package.kind) {
        let name = normalised(ecosystem, &package.name);
        // Go itself is numbered in a way of its own, which it is known by: `go1.22rc1`.
        let is_go = package.kind == PackageKind::Go && name == GO_ITSELF;
        let version = match is_go && !package.version.starts_with("go") {
            true => Cow::Owned(format!("go{}", package.version)),
            false => Cow::Borrowed(package.version.as_str()),
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
    if let Some(source) = unsigned_loader(package.kind, source) {
        let version = package.source_version.clone().unwrap_or_else(|| package.full_version());
        return (Cow::Borrowed(source), Cow::Owned(of_loader(&version).unwrap_or(version)));
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

/// What signed boot loaders of Debian and Ubuntu were built from before they were signed.
fn unsigned_loader(kind: PackageKind, source: &str) -> Option<&'static str> {
    if kind != PackageKind::Deb {
        return None;
    }
    match source {
        "grub2-signed" => Some("grub2"),
        "shim-signed" => Some("shim"),
        _ => (source.starts_with("grub-efi-") && source.ends_with("-signed")).then_some("grub2"),
    }
}

/// The version of the boot loader that was signed: `2.06-13+deb12u1` of `1+2.06+13+deb12u1`, `15.7-1` of
/// `1.40+15.7-1`.
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
    let architectures = ["-amd64", "-arm64", "-i386", "-armhf"];
    let of_debian = architectures.contains(&rest);
    Some(if of_debian { "linux".to_owned() } else { format!("linux{rest}") })
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
