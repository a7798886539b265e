//! A month of Microsoft's, cut to its facts, and what a Windows is told of by it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use fathom_advisory::risk::Weights;
use fathom_advisory::segment::{About, Segment};
use fathom_advisory::{Database, Day, Options};
use fathom_feed::provider::Provider;
use fathom_report::finding::{Findings, NoteKind, Severity};
use fathom_report::{Architecture, Fact, Family, Listing, Package, PackageKind, Report, System};

/// CVE-2024-21338 of February 2024, and what cannot be compared or makes no sense.
const MONTH: &str = r#"{
"DocumentTitle":{"Value":"February 2024 Security Updates"},
"DocumentTracking":{"Identification":{"ID":{"Value":"2024-Feb"}},"InitialReleaseDate":"2024-02-13T08:00:00","CurrentReleaseDate":"2024-03-01T08:00:00"},
"ProductTree":{"Branch":[],"FullProductName":[
 {"ProductID":"11923","Value":"Windows Server 2022"},
 {"ProductID":"11924","Value":"Windows Server 2022 (Server Core installation)"},
 {"ProductID":"11568","Value":"Windows 10 Version 1809 for 32-bit Systems"},
 {"ProductID":"11762","Value":"Microsoft 365 Apps for Enterprise for 32-bit Systems"},
 {"ProductID":"9312","Value":"Microsoft .NET Framework 4.8 on Windows Server 2022"}]},
"Vulnerability":[
 {"CVE":"CVE-2024-21338","Title":{"Value":"Windows Kernel Elevation of Privilege Vulnerability"},
  "Notes":[{"Title":"Description","Type":2,"Ordinal":"0","Value":"<p>A kernel.</p>"},{"Title":"Windows Kernel","Type":7,"Ordinal":"20","Value":"Windows Kernel"}],
  "CWE":[{"ID":"CWE-822","Value":"Untrusted Pointer Dereference"}],
  "Threats":[{"Type":0,"Description":{"Value":"Elevation of Privilege"},"ProductID":["11923"]},{"Type":3,"Description":{"Value":"Important"},"ProductID":["11923"]},{"Type":1,"Description":{"Value":"Publicly Disclosed:No;Exploited:Yes;Latest Software Release:Exploitation Detected"}}],
  "CVSSScoreSets":[{"BaseScore":7.8,"TemporalScore":7.2,"Vector":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H/E:F/RL:O/RC:C","ProductID":["11923"]}],
  "Remediations":[
   {"Type":2,"SubType":"Security Update","Description":{"Value":"5034770"},"URL":"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5034770","Supercedence":"5034129","FixedBuild":"10.0.20348.2322","ProductID":["11923","11924"]},
   {"Type":2,"SubType":"Security Hotpatch Update","Description":{"Value":"5034860"},"Supercedence":"","FixedBuild":"10.0.20348.2305","ProductID":["11923"]},
   {"Type":2,"SubType":"Security Update","Description":{"Value":"5034768"},"FixedBuild":"10.0.17763.5458","ProductID":["11568"]},
   {"Type":5,"Description":{"Value":"5034770"},"ProductID":["11923"]},
   {"Type":2,"Description":{"Value":"Click to Run"},"FixedBuild":"https://aka.ms/OfficeSecurityReleases","ProductID":["11762"]}],
  "RevisionHistory":[{"Number":"1.0","Date":"2024-02-13T08:00:00","Description":{"Value":"Information published."}},{"Number":"1.1","Date":"2024-02-28T08:00:00"}]},
 {"CVE":"ADV240001","Remediations":[]},
 {"CVE":"CVE-2024-1","Remediations":[]},
 {"CVE":7},
 {"CVE":"CVE-2024-20673","Title":{"Value":"Office"},"Remediations":[{"Type":2,"Description":{"Value":"5002537"},"FixedBuild":"16.0.5435.1001","ProductID":["11762"]},{"Type":2,"Description":{"Value":"5034619"},"ProductID":["9312"]}]}
]}"#;

const OTHER: &str = "\"DatePosted\",\"CVE\",\"BulletinKB\",\"Title\",\"AffectedProduct\",\"AffectedComponent\",\"Severity\",\"Impact\",\"Supersedes\",\"Exploits\"\n\
     \"20240213\",\"CVE-2024-21338\",\"5034770\",\"Windows Kernel\",\"Windows Server 2022\",\"Windows Kernel\",\"Important\",\"\",\"5034129\",\"\"\n\
     \"20240213\",\"CVE-2024-99999\",\"5034770\",\"Other\",\"Windows Server 2022\",\"Windows Kernel\",\"Important\",\"\",\"5034129\",\"\"\n";

fn add(folder: &Path, feed: &str, content: &[u8]) -> About {
    let path = folder.join(feed);
    std::fs::write(&path, content).unwrap();
    Provider::of(&path).unwrap().compile(&path, folder, "").unwrap()
}

/// The definitions of WES-NG, which say the same and no builds.
fn add_other(folder: &Path) {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("CVEs_20240301.csv", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut zip, OTHER.as_bytes()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    add(folder, "windows-wesng-definitions.zip", &zip);
}

fn server(build: &str, updates: Option<&[&str]>) -> System {
    let mut system = System::unknown("C:", Family::Windows, "not asked");
    system.identity.distribution = Fact::known("windows".to_owned(), "registry");
    system.identity.name = Fact::known("Windows Server 2022 Standard".to_owned(), "registry");
    system.identity.build = Fact::known(build.to_owned(), "registry");
    system.identity.architecture = Fact::known(Architecture("x86_64".to_owned()), "registry");
    system.packages = match updates {
        None => Listing::unknown("the hive is damaged"),
        Some(updates) => {
            let updates = updates
                .iter()
                .map(|name| Package::bare(PackageKind::Hotfix, *name, "1", "registry"));
            Listing::complete(updates.collect(), Vec::new())
        }
    };
    system
}

fn scan(folder: &Path, system: System) -> Findings {
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of("2024-03-02"),
        generator: "test".to_owned(),
    };
    let database = Database::open(folder).unwrap();
    let report = Report::of(vec![system], "not asked");
    fathom_advisory::scan(&report, "test", &database, &options).unwrap()
}

fn flaws(folder: &Path, build: &str, updates: Option<&[&str]>) -> Vec<String> {
    let findings = scan(folder, server(build, updates));
    let shown = findings
        .vulnerabilities
        .iter()
        .map(|it| format!("{} {}", it.cve_id, it.fixed_version.as_deref().unwrap_or("-")));
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    shown
}

#[test]
fn a_month_says_which_builds_are_mended() {
    let folder = tempfile::tempdir().unwrap();
    let about = add(folder.path(), "msrc-cvrf.json", MONTH.as_bytes());
    assert_eq!((about.as_of.as_str(), about.advisories, about.statements), ("2024-03-01", 1, 4));
    assert_eq!(about.malformed, 2, "{:?}", about.examples);
    let segment = Segment::open(&folder.path().join("msrc.advisories")).unwrap();
    let namespaces = segment.namespaces().unwrap();
    let server = namespaces.iter().find(|it| it.name == "Windows:Windows Server 2022").unwrap();
    let rows = segment.rows(server, "Windows Kernel").unwrap();
    let rows: Vec<_> =
        rows.iter().map(|row| (row.qualifier.unwrap(), row.upper.unwrap().text)).collect();
    assert_eq!(rows, [("KB5034770", "10.0.20348.2322"), ("KB5034860", "10.0.20348.2305")]);
    assert_eq!(segment.replacements(5_034_129).unwrap(), [5_034_770]);
    let advisory = segment.advisory(0).unwrap();
    assert_eq!((advisory.severity, advisory.has_exploit), (Some(Severity::High), true));
    assert_eq!(advisory.published.to_string(), "2024-02-13");
    assert_eq!(advisory.modified.to_string(), "2024-02-28");
    assert_eq!((advisory.vectors[0].score, advisory.weaknesses.as_slice()), (78, &[822][..]));
    assert_eq!(segment.texts(0).unwrap().details, "A kernel.");
    // What is no month is none, and replaces nothing.
    for content in [&b"{}"[..], b"[]", b"{\"Vulnerability\":[],\"ProductTree\":{}}"] {
        let path = folder.path().join("msrc-cvrf.json");
        std::fs::write(&path, content).unwrap();
        assert!(Provider::of(&path).unwrap().compile(&path, folder.path(), "").is_err());
    }
}

#[test]
fn a_build_tells_that_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "msrc-cvrf.json", MONTH.as_bytes());
    let of = |build: &str, updates: Option<&[&str]>| flaws(folder.path(), build, updates);
    let open = ["CVE-2024-21338 KB5034770"];
    assert_eq!(of("20348.2227", Some(&[])), open);
    // An image with all of it in place lists no update.
    assert_eq!(of("20348.2322", Some(&[])), [""; 0]);
    assert_eq!(of("20348.2401", Some(&[])), [""; 0]);
    // A patch without a restart brings it to a build of its own.
    assert_eq!(of("20348.2305", Some(&[])), [""; 0]);
    // An update that is listed tells the same.
    assert_eq!(of("20348.2227", Some(&["KB5034770"])), [""; 0]);
    // Without a revision, only what is listed does.
    assert_eq!(of("20348", Some(&[])), open);
    let findings = scan(folder.path(), server("20348.2227", Some(&[])));
    assert_eq!(
        findings.vulnerabilities[0].because[0].rule,
        "20348.2227 is before 10.0.20348.2322, and neither KB5034770 nor what replaces it is listed"
    );
    // Where it is not known what is installed, the build tells what it tells.
    assert_eq!(of("20348.2227", None), open);
    assert_eq!(of("20348.2322", None), [""; 0]);
    assert_eq!(of("20348", None), [""; 0]);
    let findings = scan(folder.path(), server("20348.2322", None));
    assert!(findings.notes.iter().any(|note| note.kind == NoteKind::MissingScanData));
}

#[test]
fn two_who_speak_of_one_windows_do_not_contradict_each_other() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "msrc-cvrf.json", MONTH.as_bytes());
    add_other(folder.path());
    let of = |build: &str, updates: &[&str]| flaws(folder.path(), build, Some(updates));
    assert_eq!(of("20348.2227", &[]), ["CVE-2024-21338 KB5034770", "CVE-2024-99999 KB5034770"]);
    // Of the second no build is known; the update itself would tell.
    assert_eq!(of("20348.2322", &[]), ["CVE-2024-99999 KB5034770"]);
    assert_eq!(of("20348.2322", &["KB5034770"]), [""; 0]);
}
