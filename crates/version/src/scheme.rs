//! All orders behind one door.

use std::cmp::Ordering;

use crate::{apk, debian, gem, go, maven, nuget, packagist, pacman, pep440, rpm, semver, windows};

/// Whose rules a version is numbered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Debian and all that descend from it: epoch, upstream version and revision. No revision is as
    /// good as the revision 0.
    Debian,
    /// rpm: epoch, version and release. No release comes before every release.
    Rpm,
    /// Alpine: numbers, a letter, suffixes, and a revision. As apk 3 compares, which also reads
    /// numbers behind a letter, as apk 2 does.
    Apk,
    /// Arch: epoch, version and release. To `vercmp` a version without a release equals that
    /// version with every release, which no key can express: here it comes before all of them.
    Pacman,
    /// npm, Cargo and all that follow Semantic Versioning. Up to the pre-release this is read
    /// leniently: any count of numbers of any length, and a `v` or `=` before them.
    Semver,
    /// Modules and releases of Go.
    Go,
    /// Python. What is no version of PEP 440 comes before all that are, as setuptools once ordered
    /// it.
    Pep440,
    /// Maven.
    Maven,
    /// RubyGems; what names a platform behind the version does not count.
    Gem,
    /// NuGet.
    Nuget,
    /// Composer.
    Packagist,
    /// Numbers with dots between them, as files and builds of Windows have them.
    Windows,
}

impl Scheme {
    const ALL: [Self; 12] = [
        Self::Debian,
        Self::Rpm,
        Self::Apk,
        Self::Pacman,
        Self::Semver,
        Self::Go,
        Self::Pep440,
        Self::Maven,
        Self::Gem,
        Self::Nuget,
        Self::Packagist,
        Self::Windows,
    ];

    /// As it is written where it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Semver => "semver",
            Self::Go => "go",
            Self::Pep440 => "pep440",
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Packagist => "packagist",
            Self::Windows => "windows",
        }
    }

    /// The one that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == text)
    }

    /// Adds the key of the version to `key`; false, and nothing added, where it is no version of
    /// the order.
    ///
    /// Plain comparison of the bytes of two keys, where one that begins another comes first, is the
    /// order of the versions. Keys of different orders have nothing to say to each other. A key
    /// takes time and memory in proportion to the length of the version.
    #[must_use]
    pub fn encode(self, version: &str, key: &mut Vec<u8>) -> bool {
        let start = key.len();
        let encode = match self {
            Self::Debian => debian::encode,
            Self::Rpm => rpm::encode,
            Self::Apk => apk::encode,
            Self::Pacman => pacman::encode,
            Self::Semver => semver::encode,
            Self::Go => go::encode,
            Self::Pep440 => pep440::encode,
            Self::Maven => maven::encode,
            Self::Gem => gem::encode,
            Self::Nuget => nuget::encode,
            Self::Packagist => packagist::encode,
            Self::Windows => windows::encode,
        };
        let is_version = encode(version, key).is_some();
        if !is_version {
            key.truncate(start);
        }
        is_version
    }

    /// The key of the version; nothing where it is no version of the order.
    pub fn key(self, version: &str) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        self.encode(version, &mut key).then_some(key)
    }

    /// The order of two versions by their keys; nothing where one of them is no version of the
    /// order.
    pub fn compare(self, one: &str, other: &str) -> Option<Ordering> {
        Some(self.key(one)?.cmp(&self.key(other)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_version_adds_nothing() {
        let mut key = vec![1, 2, 3];
        for (scheme, version) in [
            (Scheme::Debian, "1_0"),
            (Scheme::Semver, "1.2.3-a..b"),
            (Scheme::Go, "(devel)"),
            (Scheme::Gem, "1.2_3"),
            (Scheme::Nuget, "1.2.3.4.5"),
            (Scheme::Packagist, "dev-main"),
            (Scheme::Windows, "10.0.a"),
        ] {
            assert!(!scheme.encode(version, &mut key), "{scheme:?} {version}");
            assert_eq!(scheme.compare(version, "1"), None, "{scheme:?} {version}");
        }
        assert_eq!(key, [1, 2, 3]);
        assert!(Scheme::Windows.encode("10.0", &mut key));
        assert_eq!(key[..3], [1, 2, 3]);
        assert_eq!(Some(&key[3..]), Scheme::Windows.key("10").as_deref());
    }
}
