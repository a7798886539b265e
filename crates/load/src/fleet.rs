//! A fleet: machines that are copies of golden images, each drifted a little.
//!
//! Packages and findings are written by the types of the published documents, so that what is kept is
//! what a service would keep.

use std::collections::BTreeMap;

use anyhow::Result;
use fathom_report::finding::{Finding, Findings};
use fathom_report::{Fact, Family, Listing, PackageKind, Report, System};
use fathom_store::{Flaw, Look, Nature, Package, Tally, Verdict, Whose};
use serde_json::json;

use crate::dice::Dice;

/// The names that a distribution has packages of.
const NAMES: usize = 1500;
/// The versions that a package has come out in.
const VERSIONS: usize = 6;
/// How many packages an image has.
const INSTALLED: usize = 500;
/// How many of them drift on a machine at most.
const DRIFT: usize = 12;

const SYSTEMS: [(&str, &str); 8] = [
    ("debian", "11"),
    ("debian", "12"),
    ("debian", "13"),
    ("ubuntu", "20.04"),
    ("ubuntu", "22.04"),
    ("ubuntu", "24.04"),
    ("devuan", "5"),
    ("kali", "2026.1"),
];

/// What a machine has of a distribution: a version of each package that is there.
type Installed = BTreeMap<usize, usize>;

/// Golden images, and what is made of them.
pub(crate) struct Fleet {
    images: Vec<(usize, Installed)>,
    seed: u64,
    before: String,
    behind: String,
    findings_before: String,
    findings_behind: String,
}

impl Fleet {
    pub(crate) fn new(seed: u64, images: usize) -> Result<Self> {
        let mut dice = Dice::new(seed);
        let mut image = |index: usize| {
            let system = index % SYSTEMS.len();
            let mut installed = Installed::new();
            while installed.len() < INSTALLED {
                // What everybody has comes first; the rest is more seldom the further behind it is.
                let name = match installed.len() < INSTALLED / 2 {
                    true => installed.len(),
                    false => INSTALLED / 2 + dice.below(NAMES - INSTALLED / 2),
                };
                installed.insert(name, dice.below(VERSIONS));
            }
            (system, installed)
        };
        let images = (0..images).map(&mut image).collect();
        let place = "/etc/os-release";
        let mut system = System::unknown("sda1", Family::Linux, "made up");
        system.identity.distribution = Fact::known("@os@".to_owned(), place);
        system.identity.version = Fact::known("@version@".to_owned(), place);
        system.identity.hostname = Fact::known("@name@".to_owned(), "/etc/hostname");
        system.packages = Listing::complete(
            vec![fathom_report::Package::bare(PackageKind::Deb, "@packages@", "", "")],
            vec!["/var/lib/dpkg/status".into()],
        );
        let marker = serde_json::to_string(&system.packages.items)?;
        let report = serde_json::to_string(&Report::of(vec![system], "made up"))?;
        let (before, behind) = parted(&report, &marker)?;
        let findings: Findings = serde_json::from_value(json!({
            "schema": "fathom.findings/v1", "generator": "made up", "subject": "@name@",
            "systems": [], "database": [], "notes": [], "vulnerabilities": [], "components": [],
            "unscanned": [], "excepted": [],
            "summary": { "total_packages": INSTALLED, "vulnerable_packages": 0,
                "vulnerabilities": 0, "critical": 0, "high": 0, "medium": 0, "low": 0,
                "negligible": 0, "unknown": 0, "fixable": 0, "exploited": 0, "excepted": 0,
                "risk": 0.0 },
        }))?;
        let findings = serde_json::to_string(&findings)?;
        let (findings_before, findings_behind) = parted(&findings, "\"vulnerabilities\":[]")?;
        Ok(Self { images, seed, before, behind, findings_before, findings_behind })
    }

    /// The name of a machine.
    pub(crate) fn name(number: usize) -> String {
        format!("vm-{number:07}")
    }

    /// The name of a flaw that machines have: of those in what everybody has, and of others.
    pub(crate) fn flaw(index: usize) -> String {
        let (system, package) = (index % SYSTEMS.len(), index / SYSTEMS.len() % NAMES);
        cve(system, package, 0)
    }

    /// A machine, as somebody who looked would have it kept.
    pub(crate) fn look(&self, number: usize) -> Result<Look> {
        let mut dice = Dice::new(self.seed ^ (number as u64) << 20);
        dice.next();
        let (system, golden) = &self.images[dice.below(self.images.len())];
        let mut installed = golden.clone();
        for _ in 0..dice.below(DRIFT + 1) {
            let name = *installed.keys().nth(dice.below(installed.len())).unwrap_or(&0);
            installed.insert(name, dice.below(VERSIONS));
        }
        let (os, version) = SYSTEMS[*system];
        let name = Self::name(number);
        let said = |text: &str| {
            text.replace("@os@", os).replace("@version@", version).replace("@name@", &name)
        };
        let mut report = said(&self.before);
        let mut findings = said(&self.findings_before);
        findings.push_str("\"vulnerabilities\":[");
        let (mut packages, mut flaws) = (Vec::new(), Vec::new());
        let (mut worst, mut tally) = (0.0_f64, Tally::default());
        report.push('[');
        for (index, (package, version)) in installed.iter().enumerate() {
            if index > 0 {
                report.push(',');
            }
            let kept = self::package(*system, *package, *version);
            report.push_str(&written(&kept)?);
            for which in 0..flaws_of(*package, *version) {
                let flaw = self::flaw(*system, &kept, *package, which);
                if !flaws.is_empty() {
                    findings.push(',');
                }
                findings.push_str(&told(&flaw)?);
                worst = worst.max(flaw.risk);
                match flaw.severity {
                    Some(5) => tally.critical += 1,
                    Some(4) => tally.high += 1,
                    Some(3) => tally.medium += 1,
                    Some(2) => tally.low += 1,
                    _ => tally.negligible += 1,
                }
                tally.exploited += u32::from(flaw.exploited);
                tally.fixable += 1;
                flaws.push(flaw);
            }
            packages.push(kept);
        }
        report.push(']');
        report.push_str(&said(&self.behind));
        findings.push(']');
        findings.push_str(&self.findings_behind);
        tally.risk = worst;
        Ok(Look {
            machine: Whose {
                namespace: ["ops", "shop", "lab"][number % 3].to_owned(),
                key: format!("image:/vms/{name}.qcow2"),
                alias: None,
                name: name.clone(),
            },
            job: None,
            report,
            likeness: format!("{system}-{:x}", dice.next()),
            nature: Nature {
                hostname: Some(name),
                family: Some("linux".to_owned()),
                os: Some(os.to_owned()),
                os_version: Some(version.to_owned()),
                os_name: Some(format!("{os} {version}")),
                architecture: Some("amd64".to_owned()),
                kernel: None,
            },
            packages: Some(packages),
            packages_known: true,
            verdict: Some(Verdict {
                findings,
                with: "made up".to_owned(),
                flaws,
                known: true,
                tally,
            }),
        })
    }
}

fn parted(text: &str, marker: &str) -> Result<(String, String)> {
    let (before, behind) =
        text.split_once(marker).ok_or_else(|| anyhow::anyhow!("{marker} is not there"))?;
    Ok((before.to_owned(), behind.to_owned()))
}

fn package(system: usize, package: usize, version: usize) -> Package {
    let (os, release) = SYSTEMS[system];
    Package {
        system: format!("{os} {release}"),
        kind: "deb".to_owned(),
        name: format!("package-{package:04}"),
        version: format!("1.{version}.{}-1", package % 7),
        architecture: Some("amd64".to_owned()),
        source: Some(format!("source-{:04}", package / 3)),
        scheme: Some(fathom_version::Scheme::Debian),
    }
}

fn written(package: &Package) -> Result<String> {
    let document = fathom_report::Package {
        architecture: package.architecture.clone(),
        source: package.source.clone(),
        licence: Some("GPL-2+".to_owned()),
        vendor: Some("Maintainers <maintainers@example.org>".to_owned()),
        size: Some(package.name.len() as u64 * 4096),
        ..fathom_report::Package::bare(
            PackageKind::Deb,
            package.name.clone(),
            package.version.clone(),
            "/var/lib/dpkg/status",
        )
    };
    Ok(serde_json::to_string(&document)?)
}

/// How many flaws a package has in a version: the earlier, the more.
fn flaws_of(package: usize, version: usize) -> usize {
    match package % 5 {
        0 => VERSIONS - 1 - version,
        2 => usize::from(version < 2),
        _ => 0,
    }
}

fn cve(system: usize, package: usize, which: usize) -> String {
    // Distributions have most flaws in common.
    let own = if package.is_multiple_of(4) { system } else { 0 };
    format!("CVE-20{:02}-{:05}", 15 + which * 2 + own % 2, package * 10 + which)
}

fn flaw(system: usize, of: &Package, package: usize, which: usize) -> Flaw {
    let severity = [3, 4, 2, 5, 1][(package + which) % 5];
    Flaw {
        cve: cve(system, package, which),
        aliases: vec![format!("DSA-{}-{which}", 1000 + package)],
        system: of.system.clone(),
        kind: of.kind.clone(),
        package: of.name.clone(),
        version: of.version.clone(),
        fixed_version: Some(format!("1.5.{}-1", package % 7)),
        state: "fixed".to_owned(),
        severity: Some(severity),
        cvss: Some(f64::from(severity) * 2.0 - 0.5),
        epss: Some((package % 100) as f64 / 100.0),
        exploited: (package * 7 + which).is_multiple_of(97),
        excepted: None,
        risk: f64::from(severity) * 4.0 * (package % 100) as f64 / 20.0,
    }
}

fn told(flaw: &Flaw) -> Result<String> {
    let severity = ["negligible", "low", "medium", "high", "critical"]
        [usize::from(flaw.severity.unwrap_or(1)) - 1];
    let finding: Finding = serde_json::from_value(json!({
        "cve_id": flaw.cve, "advisories": flaw.aliases, "package": flaw.package,
        "package_kind": flaw.kind, "installed_version": flaw.version, "architecture": "amd64",
        "fixed_version": flaw.fixed_version, "state": flaw.state, "severity": severity,
        "severity_source": "made-up", "cvss_score": flaw.cvss, "cvss": [],
        "exploitability": { "public_exploit": false, "ransomware": false, "epss": flaw.epss },
        "risk": { "score": flaw.risk, "severity": 0.5, "likelihood": 0.5, "context": 0.5 },
        "description": "A function of it does not look how long what it copies is.",
        "references": [format!("https://example.org/{}", flaw.cve)], "weaknesses": ["CWE-787"],
        "because": [{ "advisory": flaw.aliases[0], "ecosystem": flaw.system, "name": flaw.package,
            "provider": "made-up", "rule": format!("{} is before the version that mends it", flaw.version),
            "state": flaw.state, "version": flaw.version }],
        "evidence": "/var/lib/dpkg/status", "inactive": false,
        "remediation": "install the version that mends it",
    }))?;
    Ok(serde_json::to_string(&finding)?)
}
