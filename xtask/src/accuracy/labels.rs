//! What people have judged: whether a package in an image has a flaw.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use fathom_advisory::{Cve, Database};
use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};
use serde_json::Value;

use super::origin::Origins;

/// What was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The package has the flaw.
    Right,
    /// Whoever said so was wrong.
    Wrong,
}

/// One judgement.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) package: String,
    /// The version as it was judged.
    pub(super) version: String,
    /// The version as findings show it.
    pub(super) shown: String,
    pub(super) flaw: String,
    pub(super) verdict: Verdict,
    pub(super) note: String,
    /// What the package was built from.
    pub(super) source: String,
}

impl Label {
    /// The version without the epoch, which packages of one source may differ in.
    fn source_version(&self) -> String {
        self.version.split_once(':').map_or(&*self.version, |(_, rest)| rest).to_owned()
    }
}

/// A source and its version, and a flaw.
type Pair = (String, String, String);

/// Names what packages were built from, and marks what is judged both ways in images of one release.
pub(super) fn compare(images: &mut [Image], origins: &Origins) {
    let mut judged: BTreeMap<(String, Pair), BTreeSet<bool>> = BTreeMap::new();
    for image in images.iter_mut() {
        for label in &mut image.labels {
            let source = origins.source(&image.distribution, &label.package, &label.version);
            label.source = source.unwrap_or_else(|| label.package.clone());
            let pair = (label.source.clone(), label.source_version(), label.flaw.clone());
            let key = (image.distribution.clone(), pair);
            judged.entry(key).or_default().insert(label.verdict == Verdict::Right);
        }
    }
    for image in images {
        let both = judged
            .iter()
            .filter(|((it, _), verdicts)| *it == image.distribution && verdicts.len() > 1);
        image.disputed = both.map(|((_, pair), _)| pair.clone()).collect();
    }
}

/// An image, with what was judged of it.
pub(super) struct Image {
    pub(super) name: String,
    /// The distribution and its version, as `debian 11`; empty where it cannot be told.
    pub(super) distribution: String,
    pub(super) labels: Vec<Label>,
    /// Whether any feed is about the release.
    pub(super) is_covered: bool,
    /// What is judged both ways.
    disputed: BTreeSet<Pair>,
}

/// All judgements of an archive, an image a file.
pub(super) fn read(path: &Path) -> Result<Vec<Image>> {
    let bytes = std::process::Command::new("zstd")
        .args(["-dc", &path.display().to_string()])
        .output()
        .with_context(|| path.display().to_string())?
        .stdout;
    let mut images = Vec::new();
    let mut archive = tar::Archive::new(bytes.as_slice());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        if !name.ends_with(".jsonl") {
            continue;
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text)?;
        images.push(image(&name, &text)?);
    }
    images.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(images)
}

fn image(name: &str, text: &[u8]) -> Result<Image> {
    // Judgements are repeated; where they contradict each other, none counts.
    let mut judged: BTreeMap<(String, String, String), Option<Label>> = BTreeMap::new();
    for line in BufReader::new(text).lines() {
        let value: Value = serde_json::from_str(&line?)?;
        let text = |path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let verdict = match text("/label") {
            "TP" => Verdict::Right,
            "FP" => Verdict::Wrong,
            _ => continue,
        };
        let (package, version) = (text("/package/name"), text("/package/version"));
        if package.is_empty() {
            continue;
        }
        let flaw = match text("/effective_cve") {
            "" => text("/vulnerability_id"),
            flaw => flaw,
        };
        let label = Label {
            package: package.to_owned(),
            version: version.to_owned(),
            shown: version.to_owned(),
            flaw: flaw.to_owned(),
            verdict,
            note: text("/note").to_owned(),
            source: String::new(),
        };
        judged
            .entry((package.to_owned(), version.to_owned(), flaw.to_owned()))
            .and_modify(|known| {
                if known.as_ref().is_some_and(|known| known.verdict != verdict) {
                    *known = None;
                }
            })
            .or_insert(Some(label));
    }
    let labels: Vec<Label> = judged.into_values().flatten().collect();
    let distribution = distribution(name, &labels).unwrap_or_default();
    let mut image = Image {
        name: name.to_owned(),
        distribution,
        labels,
        is_covered: true,
        disputed: BTreeSet::new(),
    };
    for label in &mut image.labels {
        // An epoch of nought is not shown.
        if let Some(rest) = label.version.strip_prefix("0:") {
            label.shown = rest.to_owned();
        }
    }
    Ok(image)
}

/// The distribution, as far as the versions and the image's name tell it.
fn distribution(image: &str, labels: &[Label]) -> Option<String> {
    let version_of = |names: &[&str]| {
        let mut of_names = labels.iter().filter(|it| names.contains(&it.package.as_str()));
        of_names.find(|it| it.version.contains('-')).map(|it| it.version.as_str())
    };
    let count = |part: &str| labels.iter().filter(|it| it.version.contains(part)).count();
    let of = |parts: &[&'static str]| {
        let best = parts.iter().map(|part| (count(part), *part)).max()?;
        (best.0 > 0).then_some(best.1)
    };
    if count("ubuntu") > 0 {
        let libc = version_of(&["libc6", "libc-bin", "glibc"])?;
        let release = match libc.split('-').next()? {
            "2.15" => "12.04",
            "2.17" => "13.04",
            "2.19" => "14.04",
            "2.21" => "15.04",
            "2.23" => "16.04",
            "2.24" if libc.contains("-3") => "16.10",
            "2.24" => "17.04",
            "2.27" => "18.04",
            "2.28" => "18.10",
            "2.29" => "19.04",
            "2.30" => "19.10",
            "2.31" => "20.04",
            "2.32" => "20.10",
            "2.34" => "21.10",
            "2.35" => "22.04",
            "2.36" => "22.10",
            _ => return None,
        };
        return Some(format!("ubuntu {release}"));
    }
    if let Some(part) = of(&["deb8", "deb9", "deb10", "deb11", "deb12"]) {
        return Some(format!("debian {}", &part[3..]));
    }
    if let Some(part) = of(&[".el5", ".el6", ".el7", ".el8", ".el9"]) {
        let families = [("almalinux", "almalinux"), ("rocky", "rocky"), ("oraclelinux", "ol")];
        let family = families.iter().find(|(part, _)| image.contains(part));
        let family = family.map_or("rhel", |(_, family)| family);
        return Some(format!("{family} {}", &part[3..]));
    }
    if count(".amzn2") > 0 {
        return Some("amzn 2".to_owned());
    }
    if image.contains("suse") {
        let openssl = version_of(&["libopenssl1_1", "openssl-1_1"]).unwrap_or_default();
        let packs = [("1.1.0h-", "15"), ("1.1.0i-4.", "15"), ("1.1.0i-14.", "15.1")];
        let pack = packs.iter().find(|(version, _)| openssl.starts_with(version));
        return pack.map(|(_, release)| format!("sles {release}"));
    }
    if image.contains("wolfi") || image.contains("chainguard") {
        return Some("wolfi".to_owned());
    }
    let busybox = version_of(&["busybox", "ssl_client", "musl"]).unwrap_or_default();
    let alpine = [
        ("1.23.2-", "3.2"),
        ("1.24.", "3.4"),
        ("1.26.2-", "3.6"),
        ("1.27.", "3.7"),
        ("1.28.", "3.8"),
        ("1.29.", "3.9"),
        ("1.30.", "3.10"),
        ("1.31.1-r9", "3.11"),
        ("1.31.1-r1", "3.12"),
        ("1.31.1-r2", "3.12"),
        ("1.32.", "3.13"),
        ("1.33.", "3.14"),
        ("1.34.", "3.15"),
        ("1.35.0-r1", "3.16"),
        ("1.35.0-r2", "3.17"),
        ("1.36.0", "3.18"),
        ("1.36.1-r0", "3.18"),
        ("1.36.1-r5", "3.18"),
    ];
    let found = alpine.iter().find(|(version, _)| busybox.starts_with(version))?;
    Some(format!("alpine {}", found.1))
}

impl Image {
    fn parts(&self) -> (&str, &str) {
        self.distribution.split_once(' ').unwrap_or((&self.distribution, ""))
    }

    /// The kind of package that a version is of, where it is one of the distribution's.
    fn kind(&self, version: &str) -> Option<PackageKind> {
        let revision = version.rsplit_once('-').map_or("", |(_, revision)| revision);
        let is_release = |prefix: &str| {
            let digits = revision.strip_prefix(prefix);
            digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
        };
        match self.parts().0 {
            "debian" | "ubuntu" => (!revision.is_empty()).then_some(PackageKind::Deb),
            "alpine" | "wolfi" => is_release("r").then_some(PackageKind::Apk),
            "" => None,
            "sles" => (!revision.is_empty()).then_some(PackageKind::Rpm),
            "amzn" => revision.contains(".amzn").then_some(PackageKind::Rpm),
            _ => (revision.contains(".el") || revision.contains(".module_el"))
                .then_some(PackageKind::Rpm),
        }
    }

    /// Why the judgement says nothing of us, where it does not. `said` is every flaw that anything is
    /// said of in the release.
    pub(super) fn excluded(
        &self,
        label: &Label,
        database: &Database,
        said: &BTreeSet<Cve>,
    ) -> Option<&'static str> {
        if self.distribution.is_empty() {
            return Some("no distribution");
        }
        if !self.is_covered {
            return Some("no feed of this release");
        }
        if self.kind(&label.version).is_none() {
            return Some(super::NO_PACKAGE);
        }
        match label.flaw.parse::<Cve>() {
            Err(_) => Some("no CVE"),
            Ok(cve)
                if database
                    .segments()
                    .iter()
                    .all(|it| it.mentions(cve).is_ok_and(|it| it.is_empty())) =>
            {
                Some("in no feed")
            }
            Ok(cve) if !said.contains(&cve) => Some("in no feed of the release"),
            Ok(_) => self.is_disputed(label).then_some("judged both ways"),
        }
    }

    /// Whether packages of one source and version are judged both ways: feeds speak of sources.
    fn is_disputed(&self, label: &Label) -> bool {
        let key = (label.source.clone(), label.source_version(), label.flaw.clone());
        self.disputed.contains(&key)
    }

    /// The image as a report: what was judged is installed.
    pub(super) fn report(&self) -> Report {
        let why = "nobody looked";
        let mut system = System::unknown("/", Family::Linux, why);
        let (id, version) = self.parts();
        system.identity.distribution = Fact::known(id.to_owned(), "labels");
        system.identity.version = Fact::known(version.to_owned(), "labels");
        system.identity.end_of_life = fathom_guest::end_of_life(&system.identity);
        let mut packages: BTreeMap<(String, String), Package> = BTreeMap::new();
        for label in &self.labels {
            let Some(kind) = self.kind(&label.version) else { continue };
            let key = (label.package.clone(), label.version.clone());
            packages.entry(key).or_insert_with(|| package(kind, label, &self.labels));
        }
        let packages = packages.into_values().collect();
        system.packages = Listing::complete(packages, Vec::new());
        Report::of(vec![system], why)
    }
}

/// The version of what a package was built from, where that tells of another version: what the package
/// of the source's own name has, in the same image, or the version without an epoch that the package
/// has alone.
fn source_version(label: &Label, all: &[Label]) -> Option<String> {
    if label.source == label.package {
        return None;
    }
    let own = all.iter().find(|it| it.package == label.source);
    let has_own_epoch = ["bsdutils", "libgcc1"].contains(&label.package.as_str());
    match own {
        Some(own) => Some(own.version.clone()).filter(|version| *version != label.version),
        None => has_own_epoch.then(|| label.source_version()),
    }
}

fn package(kind: PackageKind, label: &Label, all: &[Label]) -> Package {
    let (epoch, rest) = match label.version.split_once(':') {
        Some((epoch, rest)) if kind == PackageKind::Rpm => (epoch.parse().ok(), rest),
        _ => (None, label.version.as_str()),
    };
    let (version, release) = match (kind, rest.rsplit_once('-')) {
        (PackageKind::Rpm, Some((version, release))) => (version, Some(release.to_owned())),
        _ => (rest, None),
    };
    Package {
        epoch: epoch.filter(|it| *it != 0),
        release,
        source: Some(label.source.clone()).filter(|source| *source != label.package),
        source_version: source_version(label, all),
        ..Package::bare(kind, &label.package, version, "labels")
    }
}
