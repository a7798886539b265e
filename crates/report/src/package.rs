//! What is installed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Evidence;

/// Which database a package is in, or what ecosystem it belongs to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PackageKind {
    /// Debian and its kin.
    Deb,
    /// Red Hat, SUSE and their kin.
    Rpm,
    /// Alpine.
    Apk,
    /// Arch.
    Pacman,
    /// Gentoo.
    Portage,
    /// Snap.
    Snap,
    /// Flatpak.
    Flatpak,
    /// A program of Windows.
    Program,
    /// An update of Windows.
    Hotfix,
    /// A role or feature of Windows.
    Feature,
    /// An app of the Windows store.
    StoreApp,
    /// Python.
    Python,
    /// Node.js.
    Npm,
    /// Ruby.
    Gem,
    /// Java.
    Maven,
    /// Go.
    Go,
    /// Rust.
    Cargo,
    /// PHP.
    Composer,
    /// .NET.
    Nuget,
}

/// What the list of packages gives as its reason where those of languages were looked for in the
/// usual places alone, so that there may be more of them.
pub const USUAL_PLACES_ALONE: &str = "packages of languages were looked for in the usual places of \
                                      Python, Node.js and Ruby alone; --deep looks everywhere";

impl PackageKind {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Deb,
        Self::Rpm,
        Self::Apk,
        Self::Pacman,
        Self::Portage,
        Self::Snap,
        Self::Flatpak,
        Self::Program,
        Self::Hotfix,
        Self::Feature,
        Self::StoreApp,
        Self::Python,
        Self::Npm,
        Self::Gem,
        Self::Maven,
        Self::Go,
        Self::Cargo,
        Self::Composer,
        Self::Nuget,
    ];

    /// Whether a language keeps it, and no system.
    pub fn is_of_language(self) -> bool {
        matches!(
            self,
            Self::Python
                | Self::Npm
                | Self::Gem
                | Self::Maven
                | Self::Go
                | Self::Cargo
                | Self::Composer
                | Self::Nuget
        )
    }

    /// Its name in the documents: `deb`, `rpm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Portage => "portage",
            Self::Snap => "snap",
            Self::Flatpak => "flatpak",
            Self::Program => "program",
            Self::Hotfix => "hotfix",
            Self::Feature => "feature",
            Self::StoreApp => "store-app",
            Self::Python => "python",
            Self::Npm => "npm",
            Self::Gem => "gem",
            Self::Maven => "maven",
            Self::Go => "go",
            Self::Cargo => "cargo",
            Self::Composer => "composer",
            Self::Nuget => "nuget",
        }
    }
}

/// Something that is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Package {
    /// Where it is from.
    pub kind: PackageKind,
    /// Its name.
    pub name: String,
    /// Its version as its own tools write it, without the epoch.
    pub version: String,
    /// The epoch, where its kind knows one and it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u32>,
    /// The release, where its kind keeps it apart from the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// The source package it was built from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The version of the source package, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version: Option<String>,
    /// The licence, as the database says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Who made it: vendor, maintainer or publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Where it was got from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The module that it belongs to, as `nodejs:18:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// When it was installed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// How many bytes it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The state, where it is not simply installed, as `half-configured`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A checksum of what it was recognised by, as of a JAR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// For whom it is installed, where its kind knows a difference: `machine`, or the user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Where it lies, of what is not in a database of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The package of the system that this file belongs to, of what is not in a database of the
    /// system: `python3-yaml`. The two are one piece of software, listed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where it says so.
    pub evidence: Evidence,
}

impl Package {
    /// A package of which nothing further is known.
    pub fn bare(
        kind: PackageKind,
        name: impl Into<String>,
        version: impl Into<String>,
        evidence: impl Into<Evidence>,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            version: version.into(),
            epoch: None,
            release: None,
            architecture: None,
            source: None,
            source_version: None,
            licence: None,
            vendor: None,
            origin: None,
            module: None,
            signature: None,
            installed: None,
            size: None,
            state: None,
            checksum: None,
            scope: None,
            location: None,
            owner: None,
            evidence: evidence.into(),
        }
    }

    /// Whether it is there: not only known to the database by what it left behind.
    pub fn is_installed(&self) -> bool {
        let gone = ["config-files", "not-installed", "removed"];
        let state = self.state.as_deref().unwrap_or_default();
        !gone.iter().any(|gone| state.contains(gone))
    }

    /// The version as its own tools show it: with the epoch and the release.
    pub fn full_version(&self) -> String {
        let epoch = self.epoch.map_or(String::new(), |epoch| format!("{epoch}:"));
        let release = self.release.as_deref().map_or(String::new(), |it| format!("-{it}"));
        format!("{epoch}{}{release}", self.version)
    }
}
