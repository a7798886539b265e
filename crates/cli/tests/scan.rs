//! `fathom db` and `fathom scan`, as they are typed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const FEED: &str = r#"{"id":"CVE-2021-3711","modified":"2021-09-01T00:00:00Z","details":"SM2 decryption writes past a buffer","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1.1l-1"}]}]}]}
{"id":"CVE-2007-6755","modified":"2021-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}
"#;

const KEV: &str = r#"{"dateReleased":"2021-09-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2021-3711","dateAdded":"2021-08-30"}]}"#;

fn fathom(folder: &Path, arguments: &[&str]) -> Output {
    fathom_at("1630500000", folder, arguments)
}

/// Runs it as of this second.
fn fathom_at(now: &str, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(arguments)
        .current_dir(folder)
        .env("FATHOM_DB", folder.join("db"))
        .env("SOURCE_DATE_EPOCH", now)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What nobody uses much.
const EPSS: &str = "#model_version:v1,score_date:2021-09-01T00:00:00+0000\ncve,epss,percentile\nCVE-1999-0001,0.03,0.8\n";

/// A folder with a database of three feeds and a report of a machine.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("feeds")).unwrap();
    std::fs::write(folder.path().join("feeds/debian-osv.jsonl"), FEED).unwrap();
    std::fs::write(folder.path().join("feeds/kev.json"), KEV).unwrap();
    std::fs::write(folder.path().join("feeds/epss_scores.csv"), EPSS).unwrap();
    let built = fathom(folder.path(), &["db", "build", "feeds"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    let mut report: Value = serde_json::from_str(&machine()).unwrap();
    report["systems"][0]["identity"]["version"]["value"] = "11".into();
    std::fs::write(folder.path().join("machine.json"), report.to_string()).unwrap();
    folder
}

/// A report of a machine with one package.
fn machine() -> String {
    use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};
    let mut system = System::unknown("/dev/sda1", Family::Linux, "nobody looked");
    system.identity.distribution = Fact::known("debian".to_owned(), "/etc/os-release");
    system.identity.version = Fact::known("11".to_owned(), "/etc/os-release");
    let package = Package {
        source: Some("openssl".to_owned()),
        architecture: Some("amd64".to_owned()),
        ..Package::bare(PackageKind::Deb, "libssl1.1", "1.1.1k-1", "/var/lib/dpkg/status")
    };
    system.packages = Listing::complete(vec![package], Vec::new());
    let report = Report::of(vec![system], "nobody looked");
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
fn a_condition_decides_how_it_ends() {
    let folder = prepared();
    let of =
        |condition: &str| fathom(folder.path(), &["scan", "machine.json", "--fail-if", condition]);
    let failed = of(r#"severity = "critical" and state = "fixed""#);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed.stderr));
    assert!(text(&failed.stderr).contains("1 findings: severity"), "{}", text(&failed.stderr));
    assert_eq!(of(r#"package = "bash""#).status.code(), Some(0));
    assert_eq!(of("severty = 1").status.code(), Some(2));
}

#[test]
fn what_somebody_has_decided_about_is_told_apart() {
    let folder = prepared();
    let of = |lines: &str| {
        std::fs::write(folder.path().join("decided"), lines).unwrap();
        fathom(folder.path(), &["scan", "machine.json", "--json", "--exceptions", "decided"])
    };
    let counts = |output: &Output| -> (usize, usize, Value) {
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
        let count = |name: &str| findings[name].as_array().map_or(0, Vec::len);
        (count("vulnerabilities"), count("excepted"), findings["summary"]["critical"].clone())
    };
    let deferred = of("CVE-2021-3711 package=openssl machine=mach* # nobody reaches it\n");
    assert_eq!(counts(&deferred), (1, 1, 0.into()), "{}", text(&deferred.stderr));
    assert!(!text(&deferred.stderr).contains("about nothing"), "{}", text(&deferred.stderr));
    let elsewhere = of("CVE-2021-3711 machine=web-* # nobody reaches it\n");
    assert_eq!(counts(&elsewhere), (2, 0, 1.into()));
    let said = "note: the exception of CVE-2021-3711 is about nothing here";
    assert!(text(&elsewhere.stderr).contains(said), "{}", text(&elsewhere.stderr));
    let group = of("@here = web-* mach*\nCVE-2021-3711 group=here # nobody reaches it\n");
    assert_eq!(counts(&group), (1, 1, 0.into()), "{}", text(&group.stderr));
    let other = of("@there = web-*\nCVE-2021-3711 group=there # nobody reaches it\n");
    assert_eq!(counts(&other), (2, 0, 1.into()));
    for over in ["until=2021-08-31", "until=fixable", "until=all-fixable"] {
        let over = of(&format!("CVE-2021-3711 {over} # nobody reaches it\n"));
        assert_eq!(counts(&over), (2, 0, 1.into()));
        assert!(text(&over.stderr).contains("the exception of CVE-2021-3711 is over"));
    }
    assert_eq!(of("CVE-2021-3711\n").status.code(), Some(2));
}

#[test]
fn every_format_is_written() {
    let folder = prepared();
    // One that knows of no system.
    std::fs::create_dir(folder.path().join("other")).unwrap();
    let kev = |folder_of: &str| folder.path().join(folder_of).join("kev.advisories");
    std::fs::copy(kev("db/current"), kev("other")).unwrap();
    for (format, part) in [
        ("csv", "CVE-2021-3711,critical,9.8"),
        ("markdown", "| CVE-2021-3711 | critical | 9.8 | libssl1.1 |"),
        ("html", "<th scope=\"row\">CVE-2021-3711</th>"),
        ("sarif", "\"ruleId\": \"CVE-2021-3711\""),
        ("cyclonedx", "\"id\": \"CVE-2021-3711\""),
        ("junit", "name=\"CVE-2021-3711\"><failure type=\"critical\""),
        ("gitlab", "\"severity\": \"Critical\""),
        ("openvex", "\"name\": \"CVE-2021-3711\""),
        ("csaf-vex", "\"cve\": \"CVE-2021-3711\""),
    ] {
        let written = fathom(folder.path(), &["scan", "machine.json", "--format", format]);
        assert_eq!(written.status.code(), Some(0), "{format}: {}", text(&written.stderr));
        let document = text(&written.stdout);
        assert!(document.contains(part), "{format}: {document}");
        // What could not be compared is said in every document.
        let noted =
            fathom(folder.path(), &["scan", "machine.json", "--db", "other", "--format", format]);
        assert_eq!(noted.status.code(), Some(9), "{format}: {}", text(&noted.stderr));
        // Documents that are of flaws alone are not written without any.
        let is_written = !format.contains("vex");
        let said = if is_written { &noted.stdout } else { &noted.stderr };
        let document = text(said).replace('\\', "");
        assert!(document.contains("OS_UNSUPPORTED"), "{format}: {document}");
        assert_eq!(noted.stdout.is_empty(), !is_written, "{format}");
    }
}

#[test]
fn a_name_that_nothing_goes_by_is_said() {
    let folder = prepared();
    let of = |name: &str| {
        let scanned =
            fathom(folder.path(), &["scan", "machine.json", "--format", "csv", "--only", name]);
        (text(&scanned.stdout).lines().count(), text(&scanned.stderr))
    };
    for name in ["CVE-2021-3711", "openssl", "libssl1.1"] {
        let (lines, said) = of(name);
        assert!(lines > 1 && !said.contains(name), "{name}: {lines} {said}");
    }
    let (lines, said) = of("opnssl");
    assert_eq!(lines, 1);
    assert!(said.contains("note: no finding here is of opnssl"), "{said}");
}

#[test]
fn findings_of_several_machines_are_read_again() {
    let folder = prepared();
    let other = machine().replace("1.1.1k-1", "1.1.1l-1");
    std::fs::write(folder.path().join("other.json"), other.replace("\"11\"", "\"12\"")).unwrap();
    let both = fathom(folder.path(), &["scan", "machine.json", "other.json", "--json"]);
    std::fs::write(folder.path().join("both.json"), &both.stdout).unwrap();
    let again = fathom(folder.path(), &["scan", "both.json", "--json", "--db", "nowhere"]);
    assert_eq!(again.stdout, both.stdout, "{}", text(&again.stderr));
    assert_eq!(again.status.code(), both.status.code());
}

#[test]
fn options_of_disks_are_not_passed_over() {
    let folder = prepared();
    for option in [&["--deep"][..], &["--disk", "other.qcow2"], &["--key-env", "NOPE"], &["--io"]] {
        let refused = fathom(folder.path(), &[&["scan", "machine.json"], option].concat());
        assert_eq!(refused.status.code(), Some(2), "{option:?}");
        assert!(text(&refused.stderr).contains(option[0]), "{}", text(&refused.stderr));
    }
}

#[test]
fn findings_with_numbers_that_are_none_are_refused() {
    let folder = prepared();
    let scanned = fathom(folder.path(), &["scan", "machine.json", "--json"]);
    let mut findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    findings["vulnerabilities"][0]["risk"]["score"] = 1e9.into();
    std::fs::write(folder.path().join("saved.json"), findings.to_string()).unwrap();
    let again = fathom(folder.path(), &["scan", "saved.json"]);
    assert_eq!(again.status.code(), Some(5), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("risk.score is 1000000000"), "{}", text(&again.stderr));
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
    for words in [&["scan", "machine.json"][..], &["db", "status"], &["db", "search", "openssl"]] {
        let scanned = fathom(folder.path(), &[words, &["--db", "empty"]].concat());
        assert_eq!(scanned.status.code(), Some(3), "{words:?}");
        assert!(text(&scanned.stderr).contains("there is no database"), "{words:?}");
    }
    let damaged = folder.path().join("db/current/debian.advisories");
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

#[test]
fn databases_travel_signed() {
    let folder = prepared();
    let of = |arguments: &[&str]| fathom(folder.path(), arguments);
    let key = of(&["db", "keygen", "secret.key"]);
    assert_eq!(key.status.code(), Some(0), "{}", text(&key.stderr));
    let key = text(&key.stdout).trim().to_owned();
    assert_eq!(of(&["db", "keygen", "secret.key"]).status.code(), Some(2));
    let exported = of(&["db", "export", "bundle.tar", "--sign", "secret.key"]);
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported.stderr));
    let other = ["--db", "other", "--trust", &key];
    let import = |name: &str| of(&[&["db", "import", name], &other[..]].concat());
    let imported = import("bundle.tar");
    assert_eq!(imported.status.code(), Some(0), "{}", text(&imported.stderr));
    let scanned = of(&["scan", "machine.json", "--db", "other", "--json"]);
    let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(findings["vulnerabilities"].as_array().unwrap().len(), 2);
    let bundle = std::fs::read(folder.path().join("bundle.tar")).unwrap();
    std::fs::write(folder.path().join("cut.tar"), &bundle[..bundle.len() / 2]).unwrap();
    assert_eq!(import("cut.tar").status.code(), Some(5));
    std::fs::create_dir(folder.path().join("mirror")).unwrap();
    let exported = of(&["db", "export", "mirror", "--sign", "secret.key"]);
    assert_eq!(exported.status.code(), Some(0), "{}", text(&exported.stderr));
    let third = ["--mirror", "mirror", "--db", "third", "--trust", &key];
    let updated = of(&[&["db", "update"], &third[..]].concat());
    assert_eq!(updated.status.code(), Some(0), "{}", text(&updated.stderr));
    let again = of(&[&["db", "update"], &third[..]].concat());
    assert!(text(&again.stdout).contains("is up to date"), "{}", text(&again.stdout));
    let unsigned = of(&["db", "import", "bundle.tar", "--db", "other"]);
    assert_eq!(unsigned.status.code(), Some(2));
    let public = key.replace("public", "secret");
    let wrong = of(&["db", "import", "bundle.tar", "--db", "other", "--trust", &public]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// Killed at whatever moment, what is installed is what was there before or what was to come.
#[test]
fn a_kill_leaves_a_database_in_place() {
    let folder = prepared();
    let of = |arguments: &[&str]| fathom(folder.path(), arguments);
    assert_eq!(of(&["db", "export", "bundle.tar"]).status.code(), Some(0));
    std::fs::create_dir(folder.path().join("mirror")).unwrap();
    assert_eq!(of(&["db", "export", "mirror"]).status.code(), Some(0));
    let tasks: [&[&str]; 3] = [
        &["db", "build", "feeds"],
        &["db", "import", "bundle.tar", "--unsigned"],
        &["db", "update", "--mirror", "mirror", "--unsigned"],
    ];
    // How long they take is another matter on each machine.
    let length = tasks.map(|task| {
        let started = std::time::Instant::now();
        assert_eq!(of(task).status.code(), Some(0));
        started.elapsed()
    });
    let mut killed = 0;
    for round in 0..210 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fathom"))
            .args(tasks[round % 3])
            .current_dir(folder.path())
            .env("FATHOM_DB", folder.path().join("db"))
            // Another moment makes another database.
            .env("SOURCE_DATE_EPOCH", (1_630_500_000 + round).to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // From before anything was done until after all of it.
        std::thread::sleep(length[round % 3] * ((round as u32 * 397) % 1200) / 1000);
        killed += usize::from(child.try_wait().unwrap().is_none());
        drop(child.kill());
        child.wait().unwrap();
        let scanned = of(&["scan", "machine.json", "--json"]);
        assert_eq!(scanned.status.code(), Some(0), "{round}: {}", text(&scanned.stderr));
        let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        assert_eq!(findings["vulnerabilities"].as_array().unwrap().len(), 2, "{round}");
        assert_eq!(findings["database"].as_array().unwrap().len(), 3, "{round}");
    }
    assert!(killed > 60, "{killed} were killed at work");
    assert_eq!(of(tasks[0]).status.code(), Some(0));
    let kept = std::fs::read_dir(folder.path().join("db/generations")).unwrap().count();
    assert!(kept <= 2, "{kept} generations are left");
}

/// A report of a machine as `machine`, with what differs between kinds of packages.
fn larger() -> fathom_report::Report {
    use fathom_report::{Package, PackageKind};
    let mut report: fathom_report::Report = serde_json::from_str(&machine()).unwrap();
    let items = &mut report.systems[0].packages.items;
    items[0].epoch = Some(0);
    items.push(Package {
        architecture: Some("amd64".to_owned()),
        source: Some("openssl".to_owned()),
        source_version: Some("1.1.1l-1".to_owned()),
        ..Package::bare(PackageKind::Deb, "libssl-other", "3.0+b1", "/var/lib/dpkg/status")
    });
    items.push(Package {
        location: Some("/srv/app/node_modules/lodash".to_owned()),
        ..Package::bare(
            PackageKind::Npm,
            "lodash",
            "4.17.20",
            "/srv/app/node_modules/lodash/package.json",
        )
    });
    items.push(Package {
        location: Some("/usr/share/nodejs/lodash".to_owned()),
        owner: Some("libssl1.1".to_owned()),
        ..Package::bare(
            PackageKind::Npm,
            "lodash",
            "4.17.19",
            "/usr/share/nodejs/lodash/package.json",
        )
    });
    report
}

const NPM: &str = r#"{"id":"GHSA-35jh-r3h4-6jhm","aliases":["CVE-2021-23337"],"modified":"2021-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}
"#;

/// A folder as `prepared`, whose database knows a language too, with the larger report.
fn prepared_larger() -> tempfile::TempDir {
    let folder = prepared();
    let feed = format!("{FEED}{NPM}");
    std::fs::write(folder.path().join("feeds/debian-osv.jsonl"), feed).unwrap();
    let built = fathom(folder.path(), &["db", "build", "feeds"]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    let report = serde_json::to_string(&larger()).unwrap();
    std::fs::write(folder.path().join("larger.json"), report).unwrap();
    folder
}

/// What is found, apart from where it was read and how much is at stake.
fn found(folder: &Path, arguments: &[&str]) -> Vec<[Value; 7]> {
    let scanned = fathom(folder, &[&["scan", "--json", "--sort", "cve"], arguments].concat());
    let findings: Value = serde_json::from_slice(&scanned.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&scanned.stderr)));
    let names = [
        "cve_id",
        "package",
        "source_package",
        "installed_version",
        "fixed_version",
        "state",
        "location",
    ];
    let all = findings["vulnerabilities"].as_array().unwrap();
    all.iter().map(|it| names.map(|name| it[name].clone())).collect()
}

#[test]
fn a_bill_of_materials_of_ours_gives_what_the_report_gives() {
    let folder = prepared_larger();
    let wanted = found(folder.path(), &["larger.json"]);
    assert_eq!(wanted.len(), 4, "{wanted:?}");
    for (format, name) in [("cyclonedx", "of-ours.cdx.json"), ("spdx", "of-ours.spdx.json")] {
        let arguments = ["inspect", "larger.json", "--format", format, "-o", name];
        let written = fathom(folder.path(), &arguments);
        assert!(folder.path().join(name).exists(), "{}", text(&written.stderr));
        assert_eq!(found(folder.path(), &[name]), wanted, "{format}");
        // What it is, its content says; that it is a document, its name.
        let scanned = fathom(folder.path(), &["scan", name]);
        assert_eq!(scanned.status.code(), Some(0), "{format}: {}", text(&scanned.stderr));
    }
}

#[test]
fn what_a_bill_of_materials_does_not_tell_is_said() {
    let folder = prepared();
    let of = |name: &str, document: &str| {
        std::fs::write(folder.path().join(name), document).unwrap();
        fathom(folder.path(), &["scan", name, "--json"])
    };
    let scanned = of(
        "other.cdx.json",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
        {"type":"library","name":"libssl1.1","purl":"pkg:deb/debian/libssl1.1@1.1.1k-1?distro=debian-11&upstream=openssl"},
        {"type":"application","name":"node","purl":"pkg:generic/node@22.11.0"}]}"#,
    );
    assert_eq!(scanned.status.code(), Some(9), "{}", text(&scanned.stderr));
    assert!(text(&scanned.stderr).contains("MISSING_SCAN_DATA"), "{}", text(&scanned.stderr));
    let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(findings["vulnerabilities"][0]["cve_id"], "CVE-2021-3711");
    assert_eq!(findings["unscanned"][0]["examples"][0], "node");
    let scanned = of(
        "two.json",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[
        {"type":"library","name":"a","purl":"pkg:deb/debian/openssl@1.1.1k-1?distro=debian-11"},
        {"type":"library","name":"b","purl":"pkg:deb/debian/openssl@1.1.1k-1?distro=debian-12"}]}"#,
    );
    assert_eq!(scanned.status.code(), Some(9));
    let said = text(&scanned.stderr);
    assert!(said.contains("OS_UNKNOWN") && said.contains("debian 11, debian 12"), "{said}");
    for (name, document, code) in [
        ("three.json", r#"{"@context":"x","@graph":[]}"#, 4),
        ("broken.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":["#, 5),
        ("nothing.json", "{}", 2),
        ("list.json", "[]", 2),
        ("bom.xml", r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.4"/>"#, 4),
    ] {
        let refused = of(name, document);
        assert_eq!(refused.status.code(), Some(code), "{name}: {}", text(&refused.stderr));
        assert!(refused.stdout.is_empty(), "{name}");
    }
}

#[test]
fn a_list_of_a_language_needs_no_system() {
    let folder = prepared_larger();
    let document = r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"lodash","SPDXID":"SPDXRef-1","versionInfo":"4.17.20",
        "externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:npm/lodash@4.17.20"}]}]}"#;
    std::fs::write(folder.path().join("app.spdx"), document).unwrap();
    let scanned = fathom(folder.path(), &["scan", "app.spdx"]);
    assert_eq!(scanned.status.code(), Some(0), "{}", text(&scanned.stderr));
    assert!(text(&scanned.stdout).contains("CVE-2021-23337"), "{}", text(&scanned.stdout));
}

#[test]
fn a_folder_is_scanned_in_the_order_of_its_names() {
    let folder = prepared();
    let fleet = folder.path().join("fleet");
    std::fs::create_dir(&fleet).unwrap();
    for name in ["b.json", "a.json", "d.json"] {
        std::fs::copy(folder.path().join("machine.json"), fleet.join(name)).unwrap();
    }
    std::fs::write(fleet.join("c.json"), "{}").unwrap();
    std::fs::write(fleet.join("README.txt"), "no report").unwrap();
    for jobs in ["1", "4"] {
        let scanned = fathom(folder.path(), &["scan", "fleet", "--json", "--jobs", jobs]);
        let said = text(&scanned.stderr);
        assert_eq!(scanned.status.code(), Some(9), "{said}");
        assert!(said.contains("fleet/c.json: it is no report of ours"), "{said}");
        assert!(said.contains("left alone, by the names: README.txt"), "{said}");
        let all: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        let subjects: Vec<&Value> =
            all.as_array().unwrap().iter().map(|it| &it["subject"]).collect();
        assert_eq!(subjects, ["fleet/a.json", "fleet/b.json", "fleet/c.json", "fleet/d.json"]);
        assert_eq!(all[3]["vulnerabilities"].as_array().unwrap().len(), 2);
        // What could not be read does not read as clean.
        assert_eq!(all[2]["notes"][0]["kind"], "SCAN_FAILED");
    }
    let sarif = fathom(folder.path(), &["scan", "fleet", "--format", "sarif"]);
    let sarif: Value = serde_json::from_slice(&sarif.stdout).unwrap();
    let ended = |run: usize| &sarif["runs"][run]["invocations"][0]["executionSuccessful"];
    assert_eq!((ended(0), ended(2)), (&true.into(), &false.into()));
    let gitlab = fathom(folder.path(), &["scan", "fleet", "--format", "gitlab"]);
    let gitlab: Value = serde_json::from_slice(&gitlab.stdout).unwrap();
    assert_eq!(gitlab["scan"]["status"], "failure");
    let whole = fathom(folder.path(), &["scan", "fleet", "--format", "html"]);
    assert_eq!(whole.status.code(), Some(2));
    std::fs::create_dir(folder.path().join("none")).unwrap();
    assert_eq!(fathom(folder.path(), &["scan", "none"]).status.code(), Some(3));
}

#[test]
fn findings_are_chosen_and_sorted() {
    let folder = prepared_larger();
    let of = |arguments: &[&str]| -> Vec<String> {
        let scanned =
            fathom(folder.path(), &[&["scan", "larger.json", "--json"], arguments].concat());
        let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
        let all = findings["vulnerabilities"].as_array().unwrap();
        all.iter().map(|it| it["cve_id"].as_str().unwrap().to_owned()).collect()
    };
    let by_name = ["CVE-2007-6755", "CVE-2007-6755", "CVE-2021-3711", "CVE-2021-23337"];
    assert_eq!(of(&["--sort", "cve"]), by_name);
    assert_eq!(of(&["--sort", "cvss"])[0], "CVE-2021-3711");
    assert_eq!(of(&["--sort", "package"])[3], "CVE-2021-23337");
    assert_eq!(of(&["--exclude-path", "/srv/app", "--sort", "cve"]), by_name[..3]);
    assert_eq!(of(&["--exclude-path", "/srv/*/node_modules", "--sort", "cve"]), by_name[..3]);
    assert_eq!(of(&["--exclude-path", "/srv/other", "--sort", "cve"]), by_name);
}

#[test]
fn findings_that_were_saved_are_weighed_anew_without_a_database() {
    let folder = prepared_larger();
    let of = |arguments: &[&str]| fathom(folder.path(), arguments);
    let saved = of(&["scan", "larger.json", "--json", "-o", "findings.json"]);
    assert_eq!(saved.status.code(), Some(0), "{}", text(&saved.stderr));
    let again = of(&["scan", "findings.json", "--json", "--db", "nowhere"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert_eq!(again.stdout, std::fs::read(folder.path().join("findings.json")).unwrap());
    // The same weights as when a report is scanned with them.
    std::fs::write(folder.path().join("weights.toml"), "other = 0.4\nnegligible = 0.5\n").unwrap();
    let weights = ["--json", "--weights", "weights.toml"];
    let scanned = of(&[&["scan", "larger.json"], &weights[..]].concat());
    let weighed = of(&[&["scan", "findings.json", "--db", "nowhere"], &weights[..]].concat());
    let document = |output: &Output| -> Value {
        let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
        document["subject"] = Value::Null;
        document
    };
    assert_eq!(document(&weighed), document(&scanned));
    assert_ne!(document(&weighed)["summary"]["risk"], document(&again)["summary"]["risk"]);
    let table = of(&["scan", "findings.json", "--db", "nowhere", "--only", "CVE-2021-3711"]);
    assert!(text(&table.stdout).contains("CVE-2021-3711"), "{}", text(&table.stdout));
    // What was chosen when it was saved is not taken for all.
    assert_eq!(
        of(&["scan", "larger.json", "--json", "--only", "lodash", "-o", "few.json"]).status.code(),
        Some(0)
    );
    let few = of(&["scan", "few.json", "--db", "nowhere"]);
    assert_eq!(few.status.code(), Some(9), "{}", text(&few.stderr));
    assert!(text(&few.stderr).contains("1 of 3 flaws are listed"), "{}", text(&few.stderr));
    for wrong in ["othr = 0.4", "other = 4", "other = nan"] {
        std::fs::write(folder.path().join("wrong.toml"), wrong).unwrap();
        let refused = of(&["scan", "findings.json", "--weights", "wrong.toml"]);
        assert_eq!(refused.status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn what_differs_says_whether_the_machine_changed_or_what_is_known() {
    let folder = prepared();
    let of = |arguments: &[&str]| fathom(folder.path(), &[&["scan"], arguments].concat());
    let diff = |name: &str, before: &str| -> (Option<i32>, Value) {
        let output = of(&[name, "--diff", before, "--json"]);
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        (output.status.code(), document)
    };
    assert_eq!(of(&["machine.json", "--json", "-o", "before.json"]).status.code(), Some(0));
    let (code, same) = diff("machine.json", "before.json");
    assert_eq!((code, &same["summary"]["same"]), (Some(0), &2.into()));
    assert_eq!(same["schema"], "fathom.findings-diff/v1");
    // The package was upgraded: that one flaw is gone is no failure.
    let report = std::fs::read_to_string(folder.path().join("machine.json")).unwrap();
    std::fs::write(folder.path().join("after.json"), report.replace("1.1.1k-1", "1.1.1l-1"))
        .unwrap();
    for before in ["before.json", "machine.json"] {
        let (code, upgraded) = diff("after.json", before);
        assert_eq!(code, Some(0));
        let changes = upgraded["changes"].as_array().unwrap();
        let shown: Vec<_> =
            changes.iter().map(|it| [&it["kind"], &it["cause"], &it["cve_id"]]).collect();
        assert_eq!(
            shown,
            [["changed", "machine", "CVE-2007-6755"], ["gone", "machine", "CVE-2021-3711"]]
        );
    }
    let (code, back) = diff("machine.json", "after.json");
    assert_eq!((code, &back["changes"][0]["kind"]), (Some(1), &"new".into()));
    // More is known: the same machine, another database.
    let more = FEED.replace("CVE-2007-6755", "CVE-2022-0778").replace("2021-09-01", "2021-09-02");
    std::fs::write(folder.path().join("feeds/debian-osv.jsonl"), format!("{FEED}{more}")).unwrap();
    let built = fathom_at("1630590000", folder.path(), &["db", "build", "feeds"]);
    assert_eq!(built.status.code(), Some(0));
    let (code, known) = diff("machine.json", "before.json");
    assert_eq!(code, Some(1));
    assert_eq!(known["same_packages"], true);
    assert_eq!(known["changes"][0]["cause"], "database");
    assert_eq!(known["changes"][0]["cve_id"], "CVE-2022-0778");
    let table = of(&["machine.json", "--diff", "before.json"]);
    let shown = text(&table.stdout);
    assert!(shown.contains("+ CVE-2022-0778") && shown.contains("(more is known)"), "{shown}");
    for wrong in [
        &["machine.json", "--diff", "before.json", "--format", "csv"][..],
        &["machine.json", "after.json", "--diff", "before.json"],
        &["feeds", "--diff", "before.json"],
    ] {
        assert_eq!(of(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn what_documents_say_is_believed_of_what_they_are_about() {
    let folder = prepared();
    let of = |product: &str, status: &str, more: &[&str]| {
        let document = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://a.example/1","author":"A","timestamp":"2023-01-08T18:02:03Z","version":1,"statements":[{{"vulnerability":{{"name":"CVE-2021-3711"}},"products":[{{"@id":"{product}"}}],"status":"{status}","impact_statement":"no SM2"}}]}}"#
        );
        std::fs::write(folder.path().join("said.json"), document).unwrap();
        let arguments = ["scan", "machine.json", "--vex", "said.json"];
        fathom(folder.path(), &[&arguments[..], more].concat())
    };
    let json = |output: &Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };
    let told = of("pkg:deb/debian/libssl1.1", "not_affected", &["--json"]);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let findings = json(&told);
    assert_eq!(findings["summary"]["critical"], 0);
    let excepted = &findings["excepted"][0];
    assert_eq!(excepted["finding"]["cve_id"], "CVE-2021-3711");
    assert_eq!(excepted["exemption"]["reason"], "it is not affected: no SM2");
    assert_eq!(excepted["exemption"]["statement"]["document"], "said.json (https://a.example/1)");
    assert_eq!(
        excepted["finding"]["purl"],
        "pkg:deb/debian/libssl1.1@1.1.1k-1?arch=amd64&distro=debian-11&upstream=openssl"
    );
    let other = of("pkg:deb/debian/libssl3", "not_affected", &["--json"]);
    assert_eq!(json(&other)["summary"]["critical"], 1);
    assert!(text(&other.stderr).contains("said.json (https://a.example/1): none of its 1"));
    let noted = of("pkg:deb/debian/libssl1.1", "under_investigation", &["--explain"]);
    assert!(text(&noted.stdout).contains("VEX: being looked into"), "{}", text(&noted.stdout));
    assert!(text(&noted.stdout).contains("said.json (https://a.example/1) by A of 2023-01-08"));
    let wrong = of("pkg:deb/debian/libssl1.1", "harmless", &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("said.json: unknown variant"), "{}", text(&wrong.stderr));
    let missing = fathom(folder.path(), &["scan", "machine.json", "--vex", "nowhere.json"]);
    assert_eq!(missing.status.code(), Some(3));
}

/// What was decided here is believed there, of the same machine and of no other.
#[test]
fn documents_that_are_written_are_read_again() {
    let folder = prepared();
    let decided = "CVE-2021-3711 kind=false-positive # no SM2\nCVE-2007-6755 # nobody asks\n";
    std::fs::write(folder.path().join("decided"), decided).unwrap();
    std::fs::copy(folder.path().join("machine.json"), folder.path().join("other.json")).unwrap();
    for format in ["openvex", "csaf-vex", "cyclonedx"] {
        let of = |arguments: &[&str]| fathom(folder.path(), arguments);
        let arguments = [
            "scan",
            "machine.json",
            "--exceptions",
            "decided",
            "--format",
            format,
            "-o",
            "vex.json",
            "--force",
        ];
        let written = of(&arguments);
        assert_eq!(written.status.code(), Some(0), "{format}: {}", text(&written.stderr));
        let first = std::fs::read(folder.path().join("vex.json")).unwrap();
        of(&arguments);
        assert_eq!(std::fs::read(folder.path().join("vex.json")).unwrap(), first, "{format}");
        let scanned = |name: &str| {
            let scanned = of(&["scan", name, "--vex", "vex.json", "--json"]);
            assert_eq!(scanned.status.code(), Some(0), "{format}: {}", text(&scanned.stderr));
            let findings: Value = serde_json::from_slice(&scanned.stdout).unwrap();
            let names = |list: &Value, path: &str| -> Vec<String> {
                let all = list.as_array().into_iter().flatten();
                all.map(|it| it.pointer(path).unwrap().as_str().unwrap().to_owned()).collect()
            };
            let vulnerabilities = &findings["vulnerabilities"];
            let noted =
                vulnerabilities.as_array().unwrap().iter().filter(|it| it["vex"].is_object());
            let noted = noted.count();
            (
                names(vulnerabilities, "/cve_id"),
                names(&findings["excepted"], "/finding/cve_id"),
                noted,
            )
        };
        let (left, apart) = ("CVE-2007-6755".to_owned(), "CVE-2021-3711".to_owned());
        // What was put off is affected for all others.
        assert_eq!(
            scanned("machine.json"),
            (vec![left.clone()], vec![apart.clone()], 1),
            "{format}"
        );
        assert_eq!(scanned("other.json"), (vec![apart, left], Vec::new(), 0), "{format}");
    }
    // Nothing is no document of this kind.
    let nothing =
        fathom(folder.path(), &["scan", "machine.json", "--only", "none", "--format", "openvex"]);
    assert_eq!(nothing.status.code(), Some(9), "{}", text(&nothing.stderr));
    assert!(
        text(&nothing.stderr).contains("no flaw to make a statement of"),
        "{}",
        text(&nothing.stderr)
    );
}

#[test]
fn a_plan_says_what_to_install() {
    let folder = prepared();
    let of = |format: &str| {
        fathom(folder.path(), &["scan", "machine.json", "--plan", "--format", format])
    };
    let json = of("json");
    assert_eq!(json.status.code(), Some(0), "{}", text(&json.stderr));
    let plan: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(plan["schema"], "fathom.plan/v1");
    let step = &plan["steps"][0];
    assert_eq!(step["packages"][0]["from"], "1.1.1k-1");
    assert_eq!(step["packages"][0]["to"], "1.1.1l-1");
    assert_eq!(
        (&step["flaws"][0], &step["exploited"][0]),
        (&"CVE-2021-3711".into(), &"CVE-2021-3711".into())
    );
    assert_eq!(step["command"], "apt-get install --only-upgrade libssl1.1");
    assert_eq!(step["restart"], "services");
    assert_eq!(step["risk_before"], plan["risk_before"]);
    assert_eq!(step["risk_after"], plan["risk_after"]);
    assert!(plan["risk_before"].as_f64() > plan["risk_after"].as_f64());
    assert_eq!(plan["remaining"][0]["flaws"][0], "CVE-2007-6755");
    assert_eq!(plan["remaining"][0]["state"], "affected");
    let table = text(&of("table").stdout);
    assert!(table.contains("1. libssl1.1 1.1.1k-1 → 1.1.1l-1"), "{table}");
    let markdown = text(&of("markdown").stdout);
    assert!(markdown.contains("| 1 | libssl1.1 | 1.1.1k-1 | 1.1.1l-1 | 1 | 1 |"), "{markdown}");
    assert_eq!(of("sarif").status.code(), Some(2));
}

#[test]
fn what_is_not_here_is_explained_too() {
    let folder = prepared();
    let report = std::fs::read_to_string(folder.path().join("machine.json")).unwrap();
    std::fs::write(folder.path().join("mended.json"), report.replace("1.1.1k-1", "1.1.1l-1"))
        .unwrap();
    let of = |flaw: &str| {
        let scanned = fathom(folder.path(), &["scan", "mended.json", "--explain", "--only", flaw]);
        assert_eq!(scanned.status.code(), Some(0));
        text(&scanned.stderr)
    };
    let told = of("CVE-2021-3711");
    assert_eq!(
        told.trim(),
        "fathom: note: CVE-2021-3711 is not told of libssl1.1 1.1.1l-1: \
         1.1.1l-1 is not before 1.1.1l-1, in the words of Debian:11"
    );
    assert!(of("CVE-2021-9999").contains("nobody in the database speaks of it"));
    assert_eq!(of("CVE-2007-6755"), "");
}
