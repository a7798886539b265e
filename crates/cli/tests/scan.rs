//! `fathom db` and `fathom scan`, as they are typed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const FEED: &str = r#"{"id":"CVE-2021-3711","modified":"2021-09-01T00:00:00Z","details":"SM2 decryption writes past a buffer","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1.1l-1"}]}]}]}
{"id":"CVE-2007-6755","modified":"2021-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}
"#;

const KEV: &str = r#"{"dateReleased":"2021-09-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-3711","dateAdded":"2021-08-30"}]}"#;

fn fathom(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(arguments)
        .current_dir(folder)
        .env("FATHOM_DB", folder.join("db"))
        .env("SOURCE_DATE_EPOCH", "1630500000")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a database of two feeds and a report of a machine.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("feeds")).unwrap();
    std::fs::write(folder.path().join("feeds/debian-osv.jsonl"), FEED).unwrap();
    std::fs::write(folder.path().join("feeds/kev.json"), KEV).unwrap();
    let built = fathom(folder.path(), &["db", "build", "feeds"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    let mut report: Value = serde_json::from_str(&machine()).unwrap();
    report["systems"][0]["identity"]["version"]["value"] = "11".into();
    std::fs::write(folder.path().join("machine.json"), report.to_string()).unwrap();
    folder
}

/// A report of a machine with one package.
fn machine() -> String {
    use fathom_report::{Evidence, Fact, Family, Listing, Package, PackageKind, Report, System};
    let mut system = System::unknown("/dev/sda1", Family::Linux, "nobody looked");
    system.identity.distribution = Fact::known("debian".to_owned(), "/etc/os-release");
    system.identity.version = Fact::known("11".to_owned(), "/etc/os-release");
    let package = Package {
        kind: PackageKind::Deb,
        name: "libssl1.1".to_owned(),
        version: "1.1.1k-1".to_owned(),
        source: Some("openssl".to_owned()),
        epoch: None,
        release: None,
        architecture: Some("amd64".to_owned()),
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
        evidence: Evidence::from("/var/lib/dpkg/status"),
    };
    system.packages = Listing::complete(vec![package], Vec::new());
    let report = Report {
        schema: fathom_report::SCHEMA.to_owned(),
        generator: "test".to_owned(),
        disks: Vec::new(),
        systems: vec![system],
        storage: fathom_report::Storage::default(),
        concerns: Listing::unknown("nobody looked"),
        undecided: Vec::new(),
        profiles: Vec::new(),
        problems: Vec::new(),
    };
    serde_json::to_string(&report).unwrap()
}

#[test]
fn a_report_is_compared_with_a_database() {
    let folder = prepared();
    let scanned = fathom(folder.path(), &["scan", "machine.json", "--json"]);
    assert_eq!(scanned.status.code(), Some(0), "{}", text(&scanned.stderr));
    let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(findings["schema"], "fathom.findings/v1");
    let first = &findings["vulnerabilities"][0];
    assert_eq!(first["cve_id"], "CVE-2021-3711");
    assert_eq!(first["package"], "libssl1.1");
    assert_eq!(first["installed_version"], "1.1.1k-1");
    assert_eq!(first["fixed_version"], "1.1.1l-1");
    assert_eq!(first["severity"], "critical");
    assert_eq!(first["cvss_score"], 9.8);
    assert_eq!(first["description"], "SM2 decryption writes past a buffer");
    assert_eq!(first["remediation"], "Upgrade libssl1.1 to 1.1.1l-1 or later");
    assert_eq!(first["exploitability"]["exploited_since"], "2021-08-30");
    assert_eq!(first["evidence"], "/var/lib/dpkg/status");
    let summary = &findings["summary"];
    assert_eq!((&summary["total_packages"], &summary["critical"]), (&1.into(), &1.into()));
    assert_eq!((&summary["negligible"], &summary["exploited"]), (&1.into(), &1.into()));
}

#[test]
fn a_table_says_why() {
    let folder = prepared();
    let scanned = fathom(folder.path(), &["scan", "machine.json", "--explain", "--fixable"]);
    let table = text(&scanned.stdout);
    assert!(table.contains("CVE-2021-3711"), "{table}");
    assert!(table.contains("built from openssl: 1.1.1k-1 is before 1.1.1l-1"), "{table}");
    assert!(table.contains("installed: /var/lib/dpkg/status"), "{table}");
    assert!(!table.contains("CVE-2007-6755"), "{table}");
}

#[test]
fn without_a_database_nothing_is_said_to_be_clean() {
    let folder = prepared();
    let scanned = fathom(folder.path(), &["scan", "machine.json", "--db", "nowhere"]);
    assert_eq!(scanned.status.code(), Some(3));
    assert!(text(&scanned.stderr).contains("fathom db build"), "{}", text(&scanned.stderr));
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let scanned = fathom(folder.path(), &["scan", "machine.json", "--db", "empty"]);
    assert_eq!(scanned.status.code(), Some(9));
    assert!(text(&scanned.stderr).contains("MISSING_SCANNER"), "{}", text(&scanned.stderr));
    let damaged = folder.path().join("db/debian.advisories");
    let whole = std::fs::read(&damaged).unwrap();
    std::fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();
    let scanned = fathom(folder.path(), &["scan", "machine.json"]);
    assert_eq!(scanned.status.code(), Some(5), "{}", text(&scanned.stderr));
}

#[test]
fn the_database_is_asked() {
    let folder = prepared();
    let found = fathom(folder.path(), &["db", "search", "CVE-2021-3711"]);
    assert!(text(&found.stdout).contains("before 1.1.1l-1"), "{}", text(&found.stdout));
    let found = fathom(folder.path(), &["db", "search", "openssl", "--json"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 2);
    assert_eq!(fathom(folder.path(), &["db", "search", "nothing"]).status.code(), Some(1));
    let status = fathom(folder.path(), &["db", "status", "--json"]);
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["providers"][0]["as_of"], "2021-09-01");
    let stale = Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(["scan", "machine.json"])
        .current_dir(folder.path())
        .env("FATHOM_DB", folder.path().join("db"))
        .env("SOURCE_DATE_EPOCH", "1640000000")
        .output()
        .unwrap();
    assert!(text(&stale.stderr).contains("DATABASE_STALE"), "{}", text(&stale.stderr));
}
