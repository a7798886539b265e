//! Are the documents what they say they are? Each is read by the tools that others have for its
//! format, and compared with the report it was made of: PyYAML, Python's csv, html5lib in its strict
//! mode, the official schemas of CycloneDX, the validator of SPDX, the package URL library, and a
//! JSON Schema validator for our own schemas.
//!
//! Findings have formats of their own (`findings`).
//!
//! Three reports: that of the sample disk, one on the packages of this machine, and one whose texts
//! are as hostile as they can be.

mod findings;

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fathom_document::{Csv, Section};
use fathom_guest::Options;
use fathom_guest::report::{
    Concern, Coverage, Evidence, Fact, Listing, Package, PackageKind, Problem, ProblemKind, Report,
    SCHEMA, Setting, Sshd, System,
};

use super::{Case, Work};
use crate::shell::project;
use crate::tools;

/// When the documents say they were made.
const TIME: &str = "2026-01-31T12:00:00Z";

/// What a report is made of.
type Make = fn(&Work) -> Result<Report>;

pub(super) fn cases() -> Vec<Case> {
    let reports: [(&str, Make); 3] =
        [("sample", sample), ("this-machine", this_machine), ("hostile", hostile)];
    let mut cases = Vec::new();
    for (name, make) in reports {
        for kind in ["yaml", "csv", "html", "cyclonedx", "spdx", "schema"] {
            cases.push(Case::new(format!("document/{kind}-{name}"), move |work| {
                check(work, kind, &make(work)?)
            }));
        }
    }
    cases.push(Case::new("document/diff", difference));
    cases.push(Case::new("document/the-check-checks", the_check_checks));
    cases.extend(findings::cases());
    cases
}

/// Writes a file in the folder of the case.
fn write(
    work: &Work,
    name: &str,
    document: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    let mut file = std::io::BufWriter::new(File::create(work.path(name))?);
    document(&mut file)?;
    Ok(file.flush()?)
}

/// What the other tools say of a document; nothing if it is right.
fn python(work: &Work, arguments: &str) -> Result<String> {
    let folder = project().join("xtask/src/oracle/document");
    let python = tools::python_with(&folder.join("requirements.txt"))?;
    let script = folder.join("check.py");
    let (python, script) = (python.display(), script.display());
    work.bash(&format!("'{python}' '{script}' {arguments} 2>&1"))
}

/// Writes the document of one kind, twice, and lets the others read it.
fn check(work: &Work, kind: &str, report: &Report) -> Result<()> {
    let json = |out: &mut dyn Write| Ok(serde_json::to_writer(out, report)?);
    write(work, "report.json", json)?;
    if kind == "csv" {
        let mut names = Vec::new();
        for section in Section::ALL {
            let name = format!("{}.csv", section.name());
            write(work, &name, |out| Csv::new(section, true, out).report(report))?;
            names.push(name);
        }
        python(work, &format!("csv report.json {}", names.join(" ")))?;
        return Ok(());
    }
    let document = |out: &mut dyn Write| match kind {
        "yaml" => fathom_document::yaml(report, out),
        "html" => fathom_document::html(report, out),
        "cyclonedx" => fathom_document::cyclonedx(report, TIME, out),
        "spdx" => fathom_document::spdx(report, TIME, out),
        _ => Ok(serde_json::to_writer(out, report)?),
    };
    let (name, again) = (format!("{kind}.{kind}.json"), "again");
    write(work, &name, document)?;
    write(work, again, document)?;
    ensure!(
        std::fs::read(work.path(&name))? == std::fs::read(work.path(again))?,
        "the same report gives another document the second time"
    );
    let first = match kind {
        "schema" => schema("report")?,
        _ => "report.json".to_owned(),
    };
    python(work, &format!("{kind} {first} {name}"))?;
    Ok(())
}

fn schema(name: &str) -> Result<String> {
    let path = project().join(format!("schemas/{name}.v1.json"));
    ensure!(path.exists(), "there is no {}", path.display());
    Ok(format!("'{}'", path.display()))
}

/// The report on what lies in an image.
fn inspected(work: &Work, name: &str, image: &Path) -> Result<Report> {
    std::fs::copy(image, work.path(name))?;
    let inspection = fathom_guest::inspect(&work.discover(&[name], &[])?, &Options::default());
    ensure!(!inspection.systems.is_empty(), "no system was found");
    Ok(Report {
        schema: SCHEMA.to_owned(),
        generator: "fathom 0.0.0".to_owned(),
        disks: vec![fathom_guest::report::Disk {
            name: name.to_owned(),
            format: "raw".to_owned(),
            virtual_size: 0,
            checksum: None,
        }],
        systems: inspection.systems,
        storage: inspection.storage,
        concerns: inspection.concerns,
        undecided: inspection.undecided,
        profiles: Vec::new(),
        problems: inspection.problems.iter().map(fathom_guest::problem).collect(),
    })
}

fn sample(work: &Work) -> Result<Report> {
    inspected(work, "server.qcow2", &project().join("samples/server.qcow2"))
}

/// The packages and accounts of the machine that runs this.
fn this_machine(work: &Work) -> Result<Report> {
    work.bash(
        "mkdir -p root/etc root/var/lib/dpkg
         cp -L /etc/os-release /etc/passwd /etc/group root/etc/
         cp /var/lib/dpkg/status root/var/lib/dpkg/
         mke2fs -q -t ext4 -d root image.raw 64M 2>&1",
    )?;
    let report = inspected(work, "disk.raw", &work.path("image.raw"))?;
    let count = report.systems.first().map_or(0, |system| system.packages.items.len());
    let theirs = work.bash("dpkg-query -W | wc -l")?.trim().parse::<usize>()?;
    ensure!(count == theirs, "{count} packages, and dpkg-query says {theirs}");
    Ok(report)
}

/// Texts that some format gives a meaning.
const HOSTILE: &[&str] = &[
    "</script><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "<!-- -->]]>&amp;&#x3c;",
    "=HYPERLINK(\"http://evil.example\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "| a | b |\n\n# heading",
    "yes",
    "1:30",
    "- a: b #c",
    "\u{1b}[31mred\u{7}\u{0}\u{85}\u{2028}\u{feff}\u{ffff}",
    "\u{202e}txt.exe\u{1f600}é日",
    "a\\b\"c'd\te\r\nf",
    "pkg:deb/x@1?y=z#w",
    "  ",
    "../../etc/passwd%2F%00",
    "{{7*7}}${7*7}",
    "~",
    "0x1f",
];

/// A package of each kind with each of these texts, and everything else strange as well.
fn hostile(work: &Work) -> Result<Report> {
    let mut report = sample(work)?;
    let system = report.systems.first_mut().context("no system")?;
    for kind in PackageKind::ALL {
        for (index, name) in names(kind).iter().enumerate() {
            system.packages.items.push(package(kind, name, index)?);
        }
        for (index, text) in HOSTILE.iter().enumerate() {
            let mut package = package(kind, &format!("strange{index}"), index)?;
            package.licence = Some((*text).to_owned());
            package.vendor = Some((*text).to_owned());
            package.source = Some((*text).to_owned());
            package.evidence = Evidence::from(*text);
            package.location = Some((*text).to_owned());
            system.packages.items.push(package);
        }
    }
    system.packages.hide(HOSTILE.join(" "));
    let fact = |text: &str| Fact::known(text.to_owned(), text);
    system.identity.hostname = fact(HOSTILE[0]);
    system.identity.name = fact(HOSTILE[2]);
    system.identity.cpe = fact("cpe:/o:\"<evil>");
    system.identity.codename = Fact::unknown(HOSTILE[9]);
    let settings = HOSTILE.iter().map(|text| Setting {
        name: (*text).to_owned(),
        value: (*text).to_owned(),
        evidence: Some(Evidence::from(*text)),
    });
    let sshd = Sshd {
        settings: settings.collect(),
        matches: Vec::new(),
        version: None,
        unknown: Vec::new(),
        mistakes: Vec::new(),
    };
    system.security.sshd = Fact::known(sshd, "/etc/ssh/sshd_config");
    // Two systems, of which nothing is known of the second.
    let why = HOSTILE[1];
    report.systems.push(System::unknown("disk9/p1:@\"<x>", report.systems[0].identity.family, why));
    report.concerns = Listing::complete(
        HOSTILE
            .iter()
            .map(|text| Concern {
                id: "strange".to_owned(),
                category: fathom_guest::report::Category::Critical,
                label: (*text).to_owned(),
                message: (*text).to_owned(),
                system: None,
                evidence: vec![Evidence::from(*text)],
            })
            .collect(),
        Vec::new(),
    );
    report.concerns.coverage = Coverage::Partial;
    report.problems.push(Problem {
        kind: ProblemKind::Corrupt,
        message: HOSTILE.join(" "),
        evidence: None,
        hides: None,
    });
    Ok(report)
}

/// Names as each kind has them.
fn names(kind: PackageKind) -> &'static [&'static str] {
    match kind {
        PackageKind::Deb => &["libstdc++6", "0ad-data", "python3.11"],
        PackageKind::Rpm => &["gcc-c++", "NetworkManager", "perl-IO-Zlib"],
        PackageKind::Portage => &["dev-lang/python", "alone"],
        PackageKind::Program => &["Visual Studio (x64) 2022 – Größe", "7-Zip"],
        PackageKind::Python => &["ruamel.yaml", "Foo_Bar"],
        PackageKind::Npm => &["@angular/core", "left-pad"],
        PackageKind::Maven => &["org.apache.logging.log4j:log4j-core", "nogroup"],
        PackageKind::Go => &["github.com/Azure/go-autorest", "stdlib", "golang.org/x/crypto"],
        PackageKind::Composer => &["Symfony/Console", "alone"],
        PackageKind::Nuget => &["Newtonsoft.Json"],
        _ => &["plain", "plain"],
    }
}

fn package(kind: PackageKind, name: &str, index: usize) -> Result<Package> {
    let text = format!(
        r#"{{"kind":"{}","version":"1.{index}+b~c^d","evidence":"/db","name":""}}"#,
        kind.name()
    );
    let mut package: Package = serde_json::from_str(&text)?;
    package.name = name.to_owned();
    package.epoch = matches!(kind, PackageKind::Deb | PackageKind::Rpm).then_some(2);
    package.release = (kind == PackageKind::Rpm).then(|| "3.el9_4".to_owned());
    package.architecture = Some("x86_64".to_owned());
    package.licence = Some(["MIT", "GPLv2+ and BSD", "Apache-2.0 OR MIT"][index % 3].to_owned());
    package.vendor = Some("A Vendor, Inc. <mail@example.org>".to_owned());
    package.checksum = Some(["0"; 40].concat());
    Ok(package)
}

/// Two reports compared: the document is what its schema says, and the page is one.
fn difference(work: &Work) -> Result<()> {
    let (before, after) = (sample(work)?, hostile(work)?);
    let difference = fathom_diff::compare(&before, &after, "fathom 0.0.0");
    ensure!(!difference.changes.is_empty() && !difference.unknown.is_empty());
    write(work, "diff.json", |out| Ok(serde_json::to_writer(out, &difference)?))?;
    python(work, &format!("schema {} diff.json", schema("diff")?))?;
    // The page holds nothing of a report but the differences: nothing is asked for in it.
    let mut nothing = before.clone();
    nothing.systems.clear();
    write(work, "report.json", |out| Ok(serde_json::to_writer(out, &nothing)?))?;
    write(work, "diff.html", |out| fathom_document::difference_html(&difference, out))?;
    python(work, "html report.json diff.html")?;
    Ok(())
}

/// Documents that are wrong are found to be.
fn the_check_checks(work: &Work) -> Result<()> {
    let report = sample(work)?;
    write(work, "report.json", |out| Ok(serde_json::to_writer(out, &report)?))?;
    let broken = |kind: &str, text: String, from: &str, to: &str| -> Result<()> {
        ensure!(text.contains(from), "{kind} has no {from}");
        let name = format!("{kind}.{kind}.json");
        std::fs::write(work.path(&name), text.replacen(from, to, 1))?;
        ensure!(
            python(work, &format!("{kind} report.json {name}")).is_err(),
            "{kind} with {to} for {from} passes"
        );
        Ok(())
    };
    let text = |document: &dyn Fn(&mut dyn Write) -> std::io::Result<()>| -> Result<String> {
        let mut bytes = Vec::new();
        document(&mut bytes)?;
        Ok(String::from_utf8(bytes)?)
    };
    let yaml = text(&|out| fathom_document::yaml(&report, out))?;
    broken("yaml", yaml, "\"5.2.15-2+b7\"", "5.2")?;
    let html = text(&|out| fathom_document::html(&report, out))?;
    broken("html", html.clone(), "</table>", "</table></b>")?;
    broken("html", html, "<td>bash</td>", "<td><img src=x></td>")?;
    let cyclonedx = text(&|out| fathom_document::cyclonedx(&report, TIME, out))?;
    broken("cyclonedx", cyclonedx.clone(), "\"library\"", "\"book\"")?;
    broken("cyclonedx", cyclonedx, "%2Bb7", "+b7")?;
    let spdx = text(&|out| fathom_document::spdx(&report, TIME, out))?;
    let licence = "\"licenseConcluded\": \"NOASSERTION\"";
    broken("spdx", spdx.clone(), licence, "\"licenseConcluded\": \"No such licence\"")?;
    broken("spdx", spdx, "\"bash\"", "\"dash\"")
}
