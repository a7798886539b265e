//! Who provides what, and how it is read.

use std::path::{Path, PathBuf};

use fathom_advisory::EXTENSION;
use fathom_advisory::segment::{About, Writer};

use crate::error::{Error, Result};
use crate::{
    alpine, amazon, arch, debian, endoflife, epss, kev, msrc, nvd, oracle, osv, photon, redhat,
    windows,
};

/// Whoever publishes a feed.
#[derive(Clone, Copy)]
pub struct Provider {
    /// The short name, which its file has in a database.
    pub name: &'static str,
    /// The full name.
    pub title: &'static str,
    /// What the file is called from which it is read, up to the first dot.
    pub feed: &'static str,
    /// The licence of the data.
    pub licence: &'static str,
    read: fn(&Path, &mut Writer) -> Result<()>,
}

/// All that are known.
pub const PROVIDERS: &[Provider] = &[
    Provider {
        name: "almalinux",
        title: "AlmaLinux",
        feed: "almalinux-osv",
        licence: "MIT",
        read: osv::read,
    },
    Provider {
        name: "alpine",
        title: "Alpine Linux",
        feed: "alpine-secdb",
        licence: "Alpine Linux security database",
        read: alpine::read,
    },
    Provider {
        name: "amazon",
        title: "Amazon Linux",
        feed: "amazon-alas",
        licence: "Amazon Linux security advisories",
        read: amazon::read,
    },
    Provider {
        name: "arch",
        title: "Arch Linux",
        feed: "arch-security",
        licence: "Arch Linux security tracker",
        read: arch::read,
    },
    Provider {
        name: "debian",
        title: "Debian",
        feed: "debian-osv",
        licence: "Debian security tracker",
        read: osv::read,
    },
    Provider {
        name: "debian-tracker",
        title: "Debian security tracker",
        feed: "debian-tracker",
        licence: "Debian security tracker",
        read: debian::read,
    },
    Provider {
        name: "endoflife",
        title: "endoflife.date",
        feed: "endoflife",
        licence: "MIT",
        read: endoflife::read,
    },
    Provider {
        name: "epss",
        title: "FIRST EPSS",
        feed: "epss_scores",
        licence: "FIRST, with attribution",
        read: epss::read,
    },
    Provider { name: "kev", title: "CISA KEV", feed: "kev", licence: "CC0-1.0", read: kev::read },
    Provider { name: "nvd", title: "NVD", feed: "nvd", licence: "public domain", read: nvd::read },
    Provider {
        name: "oracle",
        title: "Oracle Linux",
        feed: "oracle-oval",
        licence: "Oracle Linux errata",
        read: oracle::read,
    },
    Provider {
        name: "photon",
        title: "Photon OS",
        feed: "photon",
        licence: "Photon OS CVE metadata",
        read: photon::read,
    },
    Provider {
        name: "msrc",
        title: "Microsoft Security Response Center",
        feed: "msrc-cvrf",
        licence: "Microsoft API terms",
        read: msrc::read,
    },
    Provider {
        name: "redhat",
        title: "Red Hat advisories",
        feed: "redhat-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "redhat-cve",
        title: "Red Hat CVE database",
        feed: "redhat-cve-api",
        licence: "CC-BY-4.0",
        read: redhat::cve::read,
    },
    Provider {
        name: "redhat-repositories",
        title: "Red Hat repositories",
        feed: "redhat-repository-to-cpe",
        licence: "CC-BY-4.0",
        read: redhat::repositories::read,
    },
    Provider {
        name: "redhat-vex",
        title: "Red Hat CSAF-VEX",
        feed: "redhat-vex",
        licence: "CC-BY-4.0",
        read: redhat::vex::read,
    },
    Provider {
        name: "rocky",
        title: "Rocky Linux",
        feed: "rocky-osv",
        licence: "BSD-3-Clause",
        read: osv::read,
    },
    Provider {
        name: "suse",
        title: "SUSE and openSUSE",
        feed: "suse-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "ubuntu",
        title: "Ubuntu",
        feed: "ubuntu-osv",
        licence: "CC-BY-SA-4.0",
        read: osv::read,
    },
    Provider {
        name: "windows",
        title: "Microsoft updates, by WES-NG",
        feed: "windows-wesng-definitions",
        licence: "BSD-3-Clause",
        read: windows::read,
    },
    Provider {
        name: "chainguard",
        title: "Chainguard",
        feed: "chainguard-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "crates",
        title: "crates.io",
        feed: "crates-osv",
        licence: "CC0-1.0, CC-BY-4.0",
        read: osv::read,
    },
    Provider { name: "go", title: "Go", feed: "go-osv", licence: "CC-BY-4.0", read: osv::read },
    Provider {
        name: "maven",
        title: "Maven",
        feed: "maven-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider { name: "npm", title: "npm", feed: "npm-osv", licence: "CC-BY-4.0", read: osv::read },
    Provider {
        name: "nuget",
        title: "NuGet",
        feed: "nuget-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "opensuse",
        title: "openSUSE",
        feed: "opensuse-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "osv",
        title: "Ecosystems of OSV",
        feed: "osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "packagist",
        title: "Packagist",
        feed: "packagist-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "pypi",
        title: "PyPI",
        feed: "pypi-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "rubygems",
        title: "RubyGems",
        feed: "rubygems-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
    Provider {
        name: "wolfi",
        title: "Wolfi",
        feed: "wolfi-osv",
        licence: "CC-BY-4.0",
        read: osv::read,
    },
];

/// What the names of files begin with as their providers offer them, and what they are called here.
const CALLED: [(&str, &str); 2] =
    [("csaf_vex_", "redhat-vex"), ("repository-to-cpe", "redhat-repository-to-cpe")];

/// What files of feeds end with, where they are called by the ecosystem alone.
const PACKED: [&str; 7] = ["zip", "json", "jsonl", "zst", "gz", "tar", "tgz"];

impl Provider {
    /// The provider whose feed the file is, by its name, or by that which its provider has for it; what OSV offers may also be called by the
    /// ecosystem alone, `npm.zip`, or lie as it does there, `npm/all.zip`.
    pub fn of(path: &Path) -> Option<&'static Self> {
        let first = |path: &Path| {
            let name = path.file_name()?.to_str()?;
            Some(name.split_once('.').map_or(name, |(first, _)| first).to_owned())
        };
        let name = first(path)?;
        if let Some(exact) = PROVIDERS.iter().find(|provider| provider.feed == name) {
            return Some(exact);
        }
        let called = CALLED.iter().find(|(beginning, _)| name.starts_with(beginning));
        if let Some((_, feed)) = called {
            return PROVIDERS.iter().find(|provider| provider.feed == *feed);
        }
        let ending = path.extension()?.to_str()?;
        let ecosystem = match &*name {
            "all" => first(path.parent()?)?,
            _ => name,
        };
        let ecosystem = ecosystem.to_lowercase().replace(' ', "");
        let is_packed = PACKED.contains(&ending);
        PROVIDERS.iter().filter(|_| is_packed).find(|provider| {
            provider.feed.strip_suffix("-osv").is_some_and(|feed| feed == ecosystem)
        })
    }

    /// Makes the provider's file of a database from its feed.
    pub fn compile(&self, feed: &Path, folder: &Path, built: &str) -> Result<About> {
        Ok(self.read(feed, folder, built)?.finish()?)
    }

    /// Reads the feed as [`Provider::compile`] does, and keeps nothing of it but what is said about it.
    /// What is written meanwhile is in the folder.
    pub fn check(&self, feed: &Path, folder: &Path) -> Result<About> {
        Ok(self.read(feed, folder, "")?.counted())
    }

    fn read(&self, feed: &Path, folder: &Path, built: &str) -> Result<Writer> {
        let mut writer = Writer::create(
            &self.path(folder),
            About {
                provider: self.name.to_owned(),
                title: self.title.to_owned(),
                licence: self.licence.to_owned(),
                built: built.to_owned(),
                ..About::default()
            },
        )?;
        (self.read)(feed, &mut writer)?;
        if writer.is_empty() {
            let why = match writer.about().examples.first() {
                Some(example) => format!("nothing in it makes sense: {example}"),
                None => "nothing is in it".to_owned(),
            };
            return Err(Error::Malformed(feed.display().to_string(), why));
        }
        Ok(writer)
    }

    /// Where the provider's file of a database lies.
    pub fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{EXTENSION}", self.name))
    }
}
