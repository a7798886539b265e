//! One component of a list, as a package.

use fathom_report::{Evidence, Package, PackageKind};

use crate::distribution::Distribution;
use crate::lenient::Properties;
use crate::purl::Purl;

/// What a list says of a component.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// What it may be called; the spelling of one of these is believed before the package URL's.
    pub(crate) names: Vec<String>,
    pub(crate) version: Option<String>,
    pub(crate) purl: Option<String>,
    /// What kind of package it is, where the list says it beside the package URL.
    pub(crate) kind: Option<PackageKind>,
    pub(crate) vendor: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) source: Option<Source>,
    pub(crate) module: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) state: Option<String>,
}

/// What a package was built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
}

impl Source {
    /// Of the name of its file, as `openssl-3.0.7-18.el9.src.rpm`; of a name and a version parted by
    /// an `@`; or of a name alone.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(file) = text.strip_suffix(".src.rpm").or(text.strip_suffix(".nosrc.rpm")) {
            let (rest, release) = file.rsplit_once('-')?;
            let (name, version) = rest.rsplit_once('-')?;
            let version = Some(format!("{version}-{release}"));
            return (!name.is_empty()).then(|| Self { name: name.to_owned(), version });
        }
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.to_owned())),
            None => (text, None),
        };
        (!name.is_empty()).then(|| Self { name: name.to_owned(), version })
    }

    /// What properties say of it.
    pub(crate) fn of(properties: &Properties) -> Option<Self> {
        let named =
            |name: Option<String>, version: Option<String>| name.map(|name| Self { name, version });
        let get = |name: &str| properties.get(name).map(str::to_owned);
        named(get("fathom:source"), get("fathom:source-version"))
            .or_else(|| {
                let version = get("aquasecurity:trivy:SrcVersion").map(|version| {
                    let epoch = get("aquasecurity:trivy:SrcEpoch").filter(|epoch| epoch != "0");
                    let epoch = epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
                    let release = get("aquasecurity:trivy:SrcRelease");
                    let release = release.map_or(String::new(), |release| format!("-{release}"));
                    format!("{epoch}{version}{release}")
                });
                named(get("aquasecurity:trivy:SrcName"), version)
            })
            .or_else(|| named(get("syft:metadata:source"), get("syft:metadata:sourceVersion")))
            .or_else(|| Self::parse(properties.get("syft:metadata:sourceRpm")?))
            .or_else(|| named(get("syft:metadata:originPackage"), None))
    }
}

/// A package, and the distribution that its package URL names.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) package: Package,
    pub(crate) distribution: Option<Distribution>,
    /// Whether the list says what it was built from.
    pub(crate) is_source_said: bool,
}

impl Component {
    /// Whether other sources than those that packages are called by are usual.
    pub(crate) fn has_source(&self) -> bool {
        matches!(self.package.kind, PackageKind::Deb | PackageKind::Apk | PackageKind::Rpm)
    }
}

/// Why a component cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unusable {
    NoUrl,
    BadUrl,
    OfKind(String),
    NoVersion,
    BadVersion(PackageKind, String),
    Source,
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoUrl => {
                out.write_str("without a package URL, so that it is not known what they are")
            }
            Self::BadUrl => out.write_str("with a package URL that makes no sense"),
            Self::OfKind(kind) => {
                write!(out, "of the kind {kind:?}, of which no advisories are kept")
            }
            Self::NoVersion => out.write_str("without a version"),
            Self::BadVersion(kind, version) => {
                write!(out, "with a version that no package of {} has: {version:?}", kind.name())
            }
            Self::Source => out.write_str("sources, which are not installed"),
        }
    }
}

/// The kind of packages of a type of package URLs.
pub(crate) fn of_type(kind: &str) -> Option<PackageKind> {
    Some(match kind {
        "deb" => PackageKind::Deb,
        "rpm" => PackageKind::Rpm,
        "apk" => PackageKind::Apk,
        "alpm" | "arch" => PackageKind::Pacman,
        "ebuild" => PackageKind::Portage,
        "pypi" => PackageKind::Python,
        "npm" => PackageKind::Npm,
        "gem" => PackageKind::Gem,
        "maven" => PackageKind::Maven,
        "golang" => PackageKind::Go,
        "cargo" => PackageKind::Cargo,
        "composer" => PackageKind::Composer,
        "nuget" => PackageKind::Nuget,
        _ => return None,
    })
}

/// The kind of packages that somebody calls so: in our own documents, or in syft's.
pub(crate) fn kind_named(name: &str) -> Option<PackageKind> {
    PackageKind::ALL.into_iter().find(|kind| kind.name() == name).or(match name {
        "alpm" => Some(PackageKind::Pacman),
        "java-archive" => Some(PackageKind::Maven),
        "go-module" => Some(PackageKind::Go),
        "rust-crate" => Some(PackageKind::Cargo),
        "php-composer" => Some(PackageKind::Composer),
        "dotnet" => Some(PackageKind::Nuget),
        _ => None,
    })
}

/// Whether versions of such packages are compared with anything.
fn is_compared(kind: PackageKind) -> bool {
    !matches!(
        kind,
        PackageKind::Hotfix
            | PackageKind::Feature
            | PackageKind::Program
            | PackageKind::StoreApp
            | PackageKind::Snap
            | PackageKind::Flatpak
    )
}

impl Said {
    /// The package that this is, or why it is none that can be used.
    pub(crate) fn component(self, evidence: &str) -> Result<Component, Unusable> {
        let purl = match &self.purl {
            Some(text) => Some(Purl::parse(text).ok_or(Unusable::BadUrl)?),
            None => None,
        };
        let of_url = purl.as_ref().and_then(|purl| of_type(&purl.kind));
        let Some(kind) = of_url.or(self.kind) else {
            return Err(match purl {
                Some(purl) => {
                    Unusable::OfKind(format!("pkg:{}", crate::kind::shortened(&purl.kind)))
                }
                None => Unusable::NoUrl,
            });
        };
        let qualifier =
            |key: &str| purl.as_ref().and_then(|it| it.qualifier(key)).map(str::to_owned);
        let architecture = qualifier("arch").or(self.architecture);
        if matches!(architecture.as_deref(), Some("src" | "source")) {
            return Err(Unusable::Source);
        }
        let own_name = self.names.first().cloned();
        let name = match &purl {
            Some(purl) if of_url.is_some() => spelled(kind, name_of(kind, purl), &self.names),
            Some(purl) => own_name.unwrap_or_else(|| purl.name.clone()),
            None => own_name.ok_or(Unusable::NoUrl)?,
        };
        let of_purl = purl.as_ref().and_then(|purl| purl.version.clone());
        let full = match of_purl
            .filter(|it| is_said(it))
            .or_else(|| self.version.filter(|it| is_said(it)))
        {
            Some(full) => full,
            // An update of Windows is known by its number alone.
            None if !is_compared(kind) => String::new(),
            None => return Err(Unusable::NoVersion),
        };
        let of_url = ["upstream", "sourcerpm", "source"].iter().find_map(|key| qualifier(key));
        let source = self.source.or_else(|| Source::parse(&of_url?));
        let epoch = qualifier("epoch");
        let of_source =
            source.as_ref().and_then(|it| it.version.as_deref()).filter(|it| is_said(it));
        let versions = [Some(full.as_str()), of_source];
        if let Some(none) = versions.into_iter().flatten().find(|it| !is_version(kind, it)) {
            return Err(Unusable::BadVersion(kind, crate::kind::shortened(none)));
        }
        if let Some(epoch) = epoch.as_deref().filter(|it| it.parse::<u32>().is_err()) {
            let version = format!("{epoch}:{full}");
            return Err(Unusable::BadVersion(kind, crate::kind::shortened(&version)));
        }
        let (epoch, version, release) = parted(kind, &full, epoch.as_deref());
        let distribution = match kind {
            PackageKind::Deb | PackageKind::Rpm | PackageKind::Apk | PackageKind::Pacman => {
                purl.as_ref().and_then(Distribution::of)
            }
            _ => None,
        };
        let evidence = Evidence::from(self.location.clone().unwrap_or_else(|| evidence.to_owned()));
        let mut package = Package {
            epoch,
            release,
            architecture,
            vendor: self.vendor,
            module: self
                .module
                .or_else(|| qualifier("rpmmod"))
                .or_else(|| qualifier("modularitylabel")),
            origin: self.origin,
            owner: self.owner,
            state: self.state,
            location: self.location.filter(|_| kind.is_of_language()),
            ..Package::bare(kind, name, version, evidence)
        };
        let is_source_said = source.is_some();
        set_source(&mut package, source);
        Ok(Component { package, distribution, is_source_said })
    }
}

/// Says what the package was built from. The version is kept only where it is another than the
/// package's own.
fn set_source(package: &mut Package, source: Option<Source>) {
    let Some(Source { name, version }) = source else {
        // Whoever names no origin of a package of Alpine's means the package itself.
        package.source = (package.kind == PackageKind::Apk).then(|| package.name.clone());
        return;
    };
    let own = package.full_version();
    // Files of sources are named without an epoch.
    let without = own.split_once(':').map_or(own.as_str(), |(_, rest)| rest);
    let is_own = |version: &String| {
        *version == own || package.kind == PackageKind::Rpm && version.as_str() == without
    };
    package.source_version = version.filter(|version| is_said(version) && !is_own(version));
    package.source = Some(name);
}

/// Whether a version is said: SPDX has words for one that is not.
fn is_said(version: &str) -> bool {
    !matches!(version.trim(), "" | "NOASSERTION" | "NONE")
}

/// Whether a version may be one of such packages. What is none is ordered behind all that are, so that
/// all flaws would seem mended.
fn is_version(kind: PackageKind, full: &str) -> bool {
    let knows_epochs = matches!(kind, PackageKind::Deb | PackageKind::Rpm | PackageKind::Pacman);
    let version = match full.split_once(':').filter(|_| knows_epochs) {
        Some((epoch, _)) if epoch.parse::<u32>().is_err() => return false,
        Some((_, version)) => version,
        None => full,
    };
    let is_digit = |c: char| c.is_ascii_digit();
    match kind {
        PackageKind::Deb | PackageKind::Apk => version.starts_with(is_digit),
        PackageKind::Rpm => version.contains(is_digit),
        _ => true,
    }
}

/// The epoch, the version and the release, as reports have them.
fn parted(
    kind: PackageKind,
    full: &str,
    epoch: Option<&str>,
) -> (Option<u32>, String, Option<String>) {
    let knows_epochs = matches!(kind, PackageKind::Deb | PackageKind::Rpm | PackageKind::Pacman);
    if !knows_epochs {
        let full = match kind {
            // The standard library is numbered as the language is.
            PackageKind::Go => full.strip_prefix("go").unwrap_or(full),
            _ => full,
        };
        return (None, full.to_owned(), None);
    }
    let (own, version) = match full.split_once(':') {
        Some((number, version)) => match number.parse::<u32>() {
            Ok(number) => (Some(number), version),
            Err(_) => (None, full),
        },
        None => (None, full),
    };
    let epoch = own.or_else(|| epoch?.parse().ok());
    match (kind, version.rsplit_once('-')) {
        (PackageKind::Rpm, Some((version, release))) => {
            (epoch, version.to_owned(), Some(release.to_owned()))
        }
        _ => (epoch, version.to_owned(), None),
    }
}

/// The name of a package as its own tools write it, of its URL.
fn name_of(kind: PackageKind, purl: &Purl) -> String {
    let by = match kind {
        PackageKind::Maven => ":",
        PackageKind::Npm | PackageKind::Go | PackageKind::Composer | PackageKind::Portage => "/",
        _ => return purl.name.clone(),
    };
    let namespace = match kind {
        PackageKind::Maven => purl.namespace.join("."),
        _ => purl.namespace.join("/"),
    };
    match namespace.is_empty() {
        true => purl.name.clone(),
        false => format!("{namespace}{by}{}", purl.name),
    }
}

/// The same name as the list spells it, if it does: package URLs of some kinds are in small letters.
fn spelled(kind: PackageKind, name: String, names: &[String]) -> String {
    let plain = |name: &str| match kind {
        PackageKind::Python => name.to_lowercase().replace(['_', '.'], "-"),
        _ => name.to_lowercase(),
    };
    let wanted = plain(&name);
    names.iter().find(|it| plain(it) == wanted).cloned().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(purl: &str, names: &[&str]) -> Package {
        let said = Said {
            purl: Some(purl.to_owned()),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Said::default()
        };
        said.component("a list").unwrap().package
    }

    #[test]
    fn a_package_of_debian() {
        let found = package(
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc",
            &["libc6"],
        );
        assert_eq!((found.kind, &*found.name), (PackageKind::Deb, "libc6"));
        assert_eq!((found.epoch, &*found.full_version()), (None, "2.36-9+deb12u4"));
        assert_eq!(found.source.as_deref(), Some("glibc"));
        assert_eq!(found.source_version, None);
        assert_eq!(found.architecture.as_deref(), Some("amd64"));
        let found = package("pkg:deb/debian/x@1%3A2-3?upstream=y%401%3A2-3", &[]);
        assert_eq!((found.epoch, &*found.version), (Some(1), "2-3"));
        assert_eq!((found.source.as_deref(), found.source_version), (Some("y"), None));
        let found = package("pkg:deb/debian/libgcc1@10.2-6?epoch=1&upstream=gcc-10%4010.2-6", &[]);
        assert_eq!(found.full_version(), "1:10.2-6");
        assert_eq!(found.source_version.as_deref(), Some("10.2-6"));
    }

    #[test]
    fn a_package_of_red_hat() {
        let found = package(
            "pkg:rpm/rhel/openssl-libs@3.0.7-18.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-18.el9.src.rpm",
            &["openssl-libs"],
        );
        assert_eq!((found.epoch, &*found.version), (Some(1), "3.0.7"));
        assert_eq!(found.release.as_deref(), Some("18.el9"));
        assert_eq!((found.source.as_deref(), found.source_version), (Some("openssl"), None));
        let found = package("pkg:rpm/x/a-lib@1-2?sourcerpm=a-3-4.src.rpm&rpmmod=a:1:2:3", &[]);
        assert_eq!(found.source_version.as_deref(), Some("3-4"));
        assert_eq!(found.module.as_deref(), Some("a:1:2:3"));
    }

    #[test]
    fn packages_of_languages() {
        for (purl, names, expected) in [
            ("pkg:npm/%40babel/core@7.0.0", &["core", "@babel/core"][..], "@babel/core"),
            ("pkg:maven/org.apache/commons@1", &["commons"], "org.apache:commons"),
            (
                "pkg:golang/github.com/masterminds/goutils@v1.1.0",
                &["github.com/Masterminds/goutils"],
                "github.com/Masterminds/goutils",
            ),
            ("pkg:pypi/ruamel-yaml@1", &["ruamel.yaml"], "ruamel.yaml"),
            ("pkg:pypi/six@1", &["other"], "six"),
            ("pkg:nuget/Newtonsoft.Json@9.0.1", &[], "Newtonsoft.Json"),
        ] {
            assert_eq!(package(purl, names).name, expected, "{purl}");
        }
        assert_eq!(package("pkg:golang/stdlib@go1.21.5", &[]).version, "1.21.5");
    }

    #[test]
    fn what_is_no_version_is_never_compared() {
        let why = |purl: &str, version: Option<&str>| {
            let version = version.map(str::to_owned);
            let said = Said { purl: Some(purl.to_owned()), version, ..Said::default() };
            said.component("a list").map(|it| it.package.full_version())
        };
        let no = Some("NOASSERTION");
        assert_eq!(why("pkg:deb/debian/x", no), Err(Unusable::NoVersion));
        assert_eq!(why("pkg:pypi/x@NOASSERTION", Some("NONE")), Err(Unusable::NoVersion));
        assert_eq!(why("pkg:deb/debian/x@1", no), Ok("1".to_owned()));
        assert_eq!(why("pkg:deb/debian/x@NONE", Some("2")), Ok("2".to_owned()));
        for (purl, kind, version) in [
            ("pkg:deb/debian/x@unknown", PackageKind::Deb, "unknown"),
            ("pkg:deb/debian/x@1:abc", PackageKind::Deb, "1:abc"),
            ("pkg:deb/debian/x@4294967296:1", PackageKind::Deb, "4294967296:1"),
            ("pkg:deb/debian/x@1?epoch=4294967296", PackageKind::Deb, "4294967296:1"),
            ("pkg:deb/debian/x@1?upstream=y@abc", PackageKind::Deb, "abc"),
            ("pkg:apk/alpine/x@latest", PackageKind::Apk, "latest"),
            ("pkg:rpm/rhel/x@unknown", PackageKind::Rpm, "unknown"),
            ("pkg:rpm/rhel/x@x:1-1", PackageKind::Rpm, "x:1-1"),
        ] {
            assert_eq!(why(purl, None), Err(Unusable::BadVersion(kind, version.to_owned())));
        }
        assert_eq!(why("pkg:rpm/rhel/x@r12-1", None), Ok("r12-1".to_owned()));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let why = |purl: &str| {
            let said = Said { purl: Some(purl.to_owned()), ..Said::default() };
            said.component("a list").unwrap_err()
        };
        assert_eq!(why("pkg:generic/node@22"), Unusable::OfKind("pkg:generic".to_owned()));
        assert_eq!(why("pkg:github/a/b@main"), Unusable::OfKind("pkg:github".to_owned()));
        assert_eq!(why("pkg:deb/debian/x"), Unusable::NoVersion);
        assert_eq!(why("pkg:rpm/rhel/x@1-2?arch=src"), Unusable::Source);
        assert_eq!(why("nonsense"), Unusable::BadUrl);
        assert_eq!(Said::default().component("a list").unwrap_err(), Unusable::NoUrl);
        assert_eq!(Source::parse(".src.rpm"), None);
        assert_eq!(Source::parse("@1"), None);
    }
}
