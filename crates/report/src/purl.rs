//! Package URLs: the names that tools have agreed on for packages of every kind.

use crate::identity::{Family, Identity};
use crate::package::{Package, PackageKind};

/// The package URL of a package, or nothing where it cannot be told: those of distributions begin
/// with the distribution, and where that is not known, none can be made.
pub fn package_url(package: &Package, identity: &Identity) -> Option<String> {
    let distribution = identity.distribution.value().map(String::as_str);
    let name = package.name.as_str();
    if name.is_empty() {
        return None;
    }
    let version = package.full_version();
    let url = match package.kind {
        PackageKind::Deb => of_distribution("deb", distribution?, name, &version),
        PackageKind::Apk => of_distribution("apk", distribution?, &name.to_lowercase(), &version),
        PackageKind::Pacman => {
            of_distribution("alpm", distribution?, &name.to_lowercase(), &version)
        }
        PackageKind::Rpm => {
            // The epoch stands apart, and the release belongs to the version.
            let without = Package { epoch: None, ..package.clone() }.full_version();
            let epoch = package.epoch.map(|epoch| epoch.to_string());
            of_distribution("rpm", vendor_of_rpm(distribution?), name, &without)
                .with("epoch", epoch.as_deref())
                .with("rpmmod", package.module.as_deref())
        }
        PackageKind::Portage => match name.split_once('/') {
            Some((category, name)) => Url::new("ebuild", [category], name, &version),
            None => Url::new("ebuild", [], name, &version),
        },
        PackageKind::Python => {
            Url::new("pypi", [], &name.to_lowercase().replace('_', "-"), &version)
        }
        PackageKind::Npm => match name.split_once('/') {
            Some((scope, name)) => Url::new("npm", [scope], &name.to_lowercase(), &version),
            None => Url::new("npm", [], &name.to_lowercase(), &version),
        },
        PackageKind::Gem => Url::new("gem", [], name, &version),
        PackageKind::Maven => match name.split_once(':') {
            Some((group, artifact)) if !group.is_empty() && !artifact.is_empty() => {
                Url::new("maven", [group], artifact, &version)
            }
            // A JAR that does not say its group has no name in Maven's terms.
            _ => Url::new("generic", [], name, &version),
        },
        PackageKind::Go => {
            let path = name.to_lowercase();
            match path.rsplit_once('/') {
                Some((before, last)) => Url::new("golang", before.split('/'), last, &version),
                None => Url::new("golang", [], &path, &version),
            }
        }
        PackageKind::Cargo => Url::new("cargo", [], name, &version),
        PackageKind::Composer => match name.to_lowercase().split_once('/') {
            Some((vendor, name)) => Url::new("composer", [vendor], name, &version),
            None => Url::new("composer", [], &name.to_lowercase(), &version),
        },
        PackageKind::Nuget => Url::new("nuget", [], name, &version),
        PackageKind::Snap
        | PackageKind::Flatpak
        | PackageKind::Program
        | PackageKind::Hotfix
        | PackageKind::Feature
        | PackageKind::StoreApp => Url::new("generic", [], name, &version),
    };
    let url = match package.kind {
        PackageKind::Deb | PackageKind::Apk | PackageKind::Pacman | PackageKind::Rpm => {
            let upstream = upstream(package);
            url.with("arch", package.architecture.as_deref())
                .with("distro", distro(identity).as_deref())
                .with("upstream", upstream.as_deref())
        }
        _ => url,
    };
    Some(url.finish())
}

/// The package URL of an operating system.
pub fn system_url(identity: &Identity) -> Option<String> {
    let name = identity.distribution.value()?;
    let namespace = match identity.family {
        Family::Windows => ["microsoft"].as_slice(),
        _ => &[],
    };
    let version = identity.version.value().map_or("", String::as_str);
    Some(Url::new("generic", namespace.iter().copied(), name, version).finish())
}

/// The distribution and its version, as `debian-12`.
fn distro(identity: &Identity) -> Option<String> {
    let name = identity.distribution.value()?;
    Some(match (identity.version.value(), identity.codename.value()) {
        (Some(version), _) => format!("{name}-{version}"),
        (None, Some(codename)) => format!("{name}-{codename}"),
        (None, None) => name.clone(),
    })
}

/// Package URLs of rpm say whose the packages are.
fn vendor_of_rpm(distribution: &str) -> &str {
    match distribution {
        "rhel" => "redhat",
        "opensuse-leap" | "opensuse-tumbleweed" | "opensuse-microos" => "opensuse",
        "sles" | "sled" => "suse",
        "ol" => "oracle",
        other => other,
    }
}

/// The source package, where it is another than the package itself.
fn upstream(package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    match &package.source_version {
        Some(version) => Some(format!("{source}@{version}")),
        None if source != package.name => Some(source.to_owned()),
        None => None,
    }
}

fn of_distribution(kind: &str, distribution: &str, name: &str, version: &str) -> Url {
    Url::new(kind, [distribution.to_lowercase().as_str()], name, version)
}

/// A package URL that is being put together.
struct Url {
    head: String,
    qualifiers: Vec<(&'static str, String)>,
}

impl Url {
    fn new<'a>(
        kind: &str,
        namespace: impl IntoIterator<Item = &'a str>,
        name: &str,
        version: &str,
    ) -> Self {
        let mut head = format!("pkg:{kind}/");
        for part in namespace.into_iter().filter(|part| !part.is_empty()) {
            head.push_str(&percent_encoded(part, false));
            head.push('/');
        }
        head.push_str(&percent_encoded(name, false));
        if !version.is_empty() {
            head.push('@');
            head.push_str(&percent_encoded(version, false));
        }
        Self { head, qualifiers: Vec::new() }
    }

    fn with(mut self, key: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            self.qualifiers.push((key, percent_encoded(value, true)));
        }
        self
    }

    /// The whole, qualifiers in the order of their names.
    fn finish(mut self) -> String {
        self.qualifiers.sort_unstable();
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            self.head.push(if index == 0 { '?' } else { '&' });
            self.head.push_str(key);
            self.head.push('=');
            self.head.push_str(value);
        }
        self.head
    }
}

/// Without percent-encoding; nothing where that is broken, or makes no text.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encoding as package URLs have it: everything but letters, digits, `.-_~` and the colon; in qualifiers slashes
/// stay too.
pub fn percent_encoded(text: &str, slashes: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                shown.push(char::from(byte));
            }
            b'/' if slashes => shown.push('/'),
            byte => shown.push_str(&format!("%{byte:02X}")),
        }
    }
    shown
}
