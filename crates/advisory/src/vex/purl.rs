//! Package URLs, taken apart and compared.

use std::collections::BTreeMap;

use fathom_report::percent_decoded;

/// A package URL in its parts, each as its kind of package writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Purl {
    kind: String,
    namespace: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    qualifiers: BTreeMap<String, String>,
    subpath: Option<String>,
}

impl Purl {
    /// Takes a package URL apart; nothing where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("pkg:")?.trim_start_matches('/');
        let (rest, subpath) = match rest.split_once('#') {
            Some((rest, subpath)) => (rest, Some(percent_decoded(subpath.trim_matches('/'))?)),
            None => (rest, None),
        };
        let (rest, listed) = rest.split_once('?').unwrap_or((rest, ""));
        let mut qualifiers = BTreeMap::new();
        for pair in listed.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            if !value.is_empty() {
                qualifiers.insert(key.to_ascii_lowercase(), percent_decoded(value)?);
            }
        }
        let (kind, rest) = rest.split_once('/')?;
        let kind = kind.to_ascii_lowercase();
        let is_kind = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-');
        if kind.is_empty() || !kind.bytes().all(is_kind) {
            return None;
        }
        // The version stands behind the last `@`, unless that begins a scope of npm.
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !path.is_empty() && !path.ends_with('/') => {
                (path, Some(percent_decoded(version)?))
            }
            _ => (rest, None),
        };
        let path = path.trim_matches('/');
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let segments: Option<Vec<_>> =
            namespace.split('/').filter(|part| !part.is_empty()).map(percent_decoded).collect();
        let (namespace, name) = as_its_kind(&kind, segments?.join("/"), percent_decoded(name)?);
        (!name.is_empty()).then_some(Self {
            kind,
            namespace,
            name,
            version: version.filter(|version| !version.is_empty()),
            qualifiers,
            subpath: subpath.filter(|subpath| !subpath.is_empty()),
        })
    }

    /// Whether a package is one that this means: of the same kind and name, of the same version if
    /// this has one, and with all the qualifiers that this has.
    pub(super) fn covers(&self, package: &Self) -> bool {
        self.is_named(package, &package.name)
            && self.version.as_ref().is_none_or(|version| package.version.as_ref() == Some(version))
            && self.has_qualifiers_of(package, None)
    }

    /// Whether this means sources that a package was built from: a distribution's own packages are
    /// marked as such by their architecture.
    pub(super) fn covers_source(&self, package: &Self, source: &str) -> bool {
        let is_of_sources = match self.kind.as_str() {
            "rpm" => self.architecture() == Some("src"),
            "deb" => self.architecture() == Some("source"),
            _ => false,
        };
        let version = package.version_of_sources();
        is_of_sources
            && self.is_named(package, source)
            && self.version.as_deref().is_none_or(|wanted| version == Some(wanted))
            && self.has_qualifiers_of(package, Some("arch"))
    }

    /// The version of the sources of a package, which stands beside their name where it is another.
    pub(super) fn version_of_sources(&self) -> Option<&str> {
        let upstream = self.qualifiers.get("upstream");
        let of_source = upstream.and_then(|upstream| Some(upstream.split_once('@')?.1));
        of_source.or(self.version.as_deref())
    }

    /// Whether a text says no more of a version than this does: as the name alone, or as `rpm` writes a
    /// package, `NAME-EPOCH:VERSION.ARCHITECTURE`.
    pub(super) fn says(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(self.name.as_str()) else { return false };
        if rest.is_empty() {
            return true;
        }
        let epoch = self.qualifiers.get("epoch");
        let rest = rest.strip_prefix('-').zip(self.version.as_deref());
        let behind = rest.and_then(|(rest, version)| {
            let bare = epoch.and_then(|epoch| rest.strip_prefix(epoch.as_str())?.strip_prefix(':'));
            bare.unwrap_or(rest).strip_prefix(version)
        });
        behind.is_some_and(|it| it.is_empty() || it.strip_prefix('.') == self.architecture())
    }

    pub(super) fn architecture(&self) -> Option<&str> {
        self.qualifiers.get("arch").map(String::as_str)
    }

    fn is_named(&self, package: &Self, name: &str) -> bool {
        self.kind == package.kind
            && self.namespace == package.namespace
            && self.name == name
            && self.subpath.as_ref().is_none_or(|path| package.subpath.as_ref() == Some(path))
    }

    fn has_qualifiers_of(&self, package: &Self, but: Option<&str>) -> bool {
        let mut wanted = self.qualifiers.iter().filter(|(key, _)| Some(key.as_str()) != but);
        wanted.all(|(key, value)| package.qualifiers.get(key) == Some(value))
    }
}

/// Names as the registries of each kind fold them.
fn as_its_kind(kind: &str, namespace: String, name: String) -> (String, String) {
    match kind {
        "deb" | "apk" | "alpm" | "bitbucket" | "github" | "golang" | "composer" => {
            (namespace.to_lowercase(), name.to_lowercase())
        }
        "rpm" => (namespace.to_lowercase(), name),
        "pypi" => (namespace, name.to_lowercase().replace('_', "-")),
        "npm" => (namespace.to_lowercase(), name.to_lowercase()),
        _ => (namespace, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, package: &str, expected: bool) {
        let found = Purl::parse(statement).zip(Purl::parse(package));
        let found = found.map(|(statement, package)| statement.covers(&package));
        assert_eq!(found, Some(expected), "{statement} covers {package}");
    }

    const OPENSSL: &str = "pkg:deb/debian/libssl1.1@1.1.1k-1?arch=amd64&distro=debian-11";

    #[test]
    fn what_a_statement_leaves_out_is_anything() {
        check("pkg:deb/debian/libssl1.1", OPENSSL, true);
        check("pkg:deb/debian/libssl1.1@1.1.1k-1", OPENSSL, true);
        check("pkg:deb/Debian/libssl1.1?distro=debian-11", OPENSSL, true);
        check("pkg:npm/%40angular/core@1.0.0", "pkg:npm/@angular/core@1.0.0", true);
        check("pkg:npm/@angular/core", "pkg:npm/%40angular/core@1.0.0", true);
        check("pkg:pypi/Foo_Bar", "pkg:pypi/foo-bar@2", true);
        check("pkg:deb/debian/bash@5.2%2Bb7", "pkg:deb/debian/bash@5.2+b7", true);
    }

    #[test]
    fn what_it_says_must_be_so() {
        for other in [
            "pkg:deb/debian/libssl1.1@1.1.1l-1",
            "pkg:deb/ubuntu/libssl1.1",
            "pkg:rpm/debian/libssl1.1",
            "pkg:deb/debian/libssl3",
            "pkg:deb/debian/libssl1.1?arch=arm64",
            "pkg:deb/debian/libssl1.1?distro=debian-12",
            "pkg:deb/debian/libssl1.1?repository_url=elsewhere",
            "pkg:deb/debian/libssl1.1#etc",
            "pkg:deb/libssl1.1",
        ] {
            check(other, OPENSSL, false);
        }
        // A package whose version nobody knows is not the one of a version.
        check("pkg:pypi/x@1", "pkg:pypi/x", false);
    }

    #[test]
    fn sources_mean_what_was_built_from_them() {
        let binary = Purl::parse("pkg:rpm/redhat/openssl-libs@1.1.1k-7.el8?arch=x86_64");
        let of = |text: &str| {
            let statement = Purl::parse(text)?;
            Some(statement.covers_source(binary.as_ref()?, "openssl"))
        };
        assert_eq!(of("pkg:rpm/redhat/openssl?arch=src"), Some(true));
        assert_eq!(of("pkg:rpm/redhat/openssl@1.1.1k-7.el8?arch=src"), Some(true));
        assert_eq!(of("pkg:rpm/redhat/openssl@1.1.1k-8.el8?arch=src"), Some(false));
        assert_eq!(of("pkg:rpm/redhat/openssl"), Some(false));
        assert_eq!(of("pkg:rpm/redhat/bash?arch=src"), Some(false));
        let binary =
            Purl::parse("pkg:deb/debian/gcc@4:12.2?arch=amd64&upstream=gcc-defaults@1.203");
        let of = |text: &str| {
            let statement = Purl::parse(text)?;
            Some(statement.covers_source(binary.as_ref()?, "gcc-defaults"))
        };
        assert_eq!(of("pkg:deb/debian/gcc-defaults@1.203?arch=source"), Some(true));
        assert_eq!(of("pkg:deb/debian/gcc-defaults@4:12.2?arch=source"), Some(false));
    }

    #[test]
    fn texts_of_a_version_say_no_more() {
        let purl = Purl::parse("pkg:rpm/redhat/openssl@3.0.7-25.el9?arch=src&epoch=1");
        for (text, expected) in [
            ("openssl", true),
            ("openssl-1:3.0.7-25.el9.src", true),
            ("openssl-3.0.7-25.el9", true),
            ("openssl-2:3.0.7-25.el9.src", false),
            ("openssl-1:3.0.7-25.el9_1.src", false),
            ("openssl-1:3.0.7-25.el9.x86_64", false),
            ("openssl-libs", false),
            ("3.0.12", false),
        ] {
            assert_eq!(purl.as_ref().map(|it| it.says(text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_package_url_is_none() {
        for text in [
            "",
            "pkg:",
            "pkg:deb",
            "pkg:deb/",
            "deb/x",
            "pkg:d b/x",
            "pkg:deb/%",
            "pkg:deb/x%zz",
            "pkg:deb/x@%ff",
            "pkg:deb/x?y",
        ] {
            assert_eq!(Purl::parse(text), None, "{text}");
        }
    }
}
