//! Feeds as their providers publish them, and what a database made of them says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compiled;

use std::path::{Path, PathBuf};

use compiled::{Compiled, check, compile};
use fathom_feed::provider::Provider;
use fathom_report::finding::{Severity, State};

const DEBIAN: &str = r#"{"id":"CVE-2022-48303","published":"2023-01-30T04:15:08Z","modified":"2025-01-14T11:32:06Z","details":"tar 1.34 reads one byte too many","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"}],"affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.34+dfsg-1+deb11u1"}]}],"ecosystem_specific":{"urgency":"low"}},{"package":{"ecosystem":"Debian:13","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"versions":["1.34-1"],"ecosystem_specific":{"urgency":"end-of-life"}},{"package":{}}]}
{"id":"DSA-1-1","related":["CVE-2022-48303","CVE-2005-2541"],"modified":"2023-02-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.34-0"}]}]}]}
{"id":"CVE-2000-0001","withdrawn":"2023-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"versions":["1"]}]}
{"id":"CVE-2022-0001","affected":[{"package":{"ecosystem":"Debian:11","name":"bad"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1_0"}]}]}]}
{"id": 7}
no JSON at all
"#;

#[test]
fn records_of_osv_become_statements() {
    let compiled = compile("debian-osv.jsonl", DEBIAN.as_bytes()).unwrap();
    let segment = compiled.segment();
    check(
        &segment,
        "Debian:11",
        "tar",
        &["CVE-2022-48303 [,1.34+dfsg-1+deb11u1) fixed", "DSA-1-1 [,1.34-0) fixed"],
    );
    check(&segment, "Debian:13", "tar", &["CVE-2022-48303 [,) end-of-life"]);
    check(&segment, "Debian:11", "bad", &[]);
    assert_eq!(compiled.about.as_of, "2025-01-14");
    assert_eq!((compiled.about.malformed, compiled.about.examples.len()), (3, 3));
    assert!(compiled.about.examples[0].contains("1_0"), "{:?}", compiled.about.examples);
    let advisory = segment.advisory(0).unwrap();
    assert_eq!((advisory.vectors[0].score, advisory.vectors[0].version), (55, 3));
    assert_eq!(segment.mentions("CVE-2022-48303".parse().unwrap()).unwrap(), [0, 1]);
    assert_eq!(segment.texts(0).unwrap().details, "tar 1.34 reads one byte too many");
    let debian = &segment.namespaces().unwrap()[0];
    assert_eq!(segment.rows(debian, "tar").unwrap()[0].severity, Some(Severity::Low));
}

#[test]
fn however_a_feed_is_packed_it_says_the_same() {
    let plain = compile("debian-osv.jsonl", DEBIAN.as_bytes()).unwrap();
    let zstd = zstd::encode_all(DEBIAN.as_bytes(), 1).unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    for (index, line) in DEBIAN.lines().enumerate() {
        let mut header = tar::Header::new_ustar();
        header.set_size(line.len() as u64);
        header.set_mode(0o644);
        let name = format!("CVE/{index}.json");
        tar.append_data(&mut header, name, line.as_bytes()).unwrap();
    }
    let tar = zstd::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap();
    for (name, content) in [("debian-osv.jsonl.zst", zstd), ("debian-osv.tar.zst", tar)] {
        let packed = compile(name, &content).unwrap();
        let path = |it: &Compiled| it.provider.path(it.folder.path());
        let (one, other) = (read(&path(&plain)), read(&path(&packed)));
        // What is malformed is named by where it stands.
        assert!(one.len().abs_diff(other.len()) < 100, "{name}");
        assert_eq!(packed.about.statements, plain.about.statements, "{name}");
        // A feed that was cut is no feed.
        let cut = &content[..content.len() - 20];
        assert!(compile(name, cut).is_err(), "{name}");
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn the_same_feed_makes_the_same_file() {
    let one = compile("debian-osv.jsonl", DEBIAN.as_bytes()).unwrap();
    let other = compile("debian-osv.jsonl", DEBIAN.as_bytes()).unwrap();
    let path = |it: &Compiled| -> PathBuf { it.provider.path(it.folder.path()) };
    assert_eq!(read(&path(&one)), read(&path(&other)));
}

#[test]
fn suse_names_what_was_built() {
    let record = r#"{"id":"SUSE-SU-2023:0705-1","related":["CVE-2022-41862"],"modified":"2023-03-10T13:11:12Z","summary":"Security update for postgresql14","affected":[{"package":{"ecosystem":"SUSE:Linux Enterprise Module for Basesystem 15 SP4","name":"postgresql14"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"14.7-150200.5.23.1"}]}],"ecosystem_specific":{"binaries":[{"libpq5":"14.7-150200.5.23.1","postgresql14-debuginfo":"14.7-150200.5.23.1"}]}}]}"#;
    let segment = compile("suse-osv.json", record.as_bytes()).unwrap().segment();
    let ecosystem = "SUSE:Linux Enterprise Module for Basesystem 15 SP4";
    check(&segment, ecosystem, "libpq5", &["SUSE-SU-2023:0705-1 [,14.7-150200.5.23.1) fixed"]);
    check(&segment, ecosystem, "postgresql14", &[]);
    check(&segment, ecosystem, "postgresql14-debuginfo", &[]);
}

#[test]
fn red_hat_names_streams_in_titles() {
    let record = r#"{"id":"RHSA-2023:1583","related":["CVE-2023-23918"],"modified":"2024-11-22T22:32:23Z","summary":"Red Hat Security Advisory: nodejs:18 security, bug fix, and enhancement update","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"nodejs"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:18.14.2-2.module+el8.7.0+18445+9493b6ea"}]}]}]}"#;
    let segment = compile("redhat-osv.json", record.as_bytes()).unwrap().segment();
    check(
        &segment,
        "Red Hat:enterprise_linux:8::appstream",
        "nodejs",
        &["RHSA-2023:1583 [,1:18.14.2-2.module+el8.7.0+18445+9493b6ea) fixed nodejs:18"],
    );
}

#[test]
fn ubuntu_says_what_it_will_not_mend() {
    let record = r#"{"id":"UBUNTU-CVE-2023-24288","upstream":["CVE-2023-24288"],"severity":[{"type":"Ubuntu","score":"low"}],"published":"2023-04-24","affected":[{"package":{"ecosystem":"Ubuntu:18.04:LTS","name":"sgt-puzzles"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"tracker_status":"ignored"}},{"package":{"ecosystem":"Ubuntu:Pro:18.04:LTS","name":"sgt-puzzles"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"tracker_status":"needs-triage"}}]}"#;
    let segment = compile("ubuntu-osv.jsonl", record.as_bytes()).unwrap().segment();
    let said = |state: State| format!("UBUNTU-CVE-2023-24288 [,) {}", state.name());
    check(&segment, "Ubuntu:18.04:LTS", "sgt-puzzles", &[&said(State::WillNotFix)]);
    check(&segment, "Ubuntu:Pro:18.04:LTS", "sgt-puzzles", &[&said(State::UnderInvestigation)]);
    assert_eq!(segment.advisory(0).unwrap().severity, Some(Severity::Low));
    assert_eq!(segment.advisory(0).unwrap().cves[0].to_string(), "CVE-2023-24288");
}

#[test]
fn alpine_says_what_it_never_had() {
    let secdb = r#"{"distroversion":"v3.18","reponame":"main","packages":[{"pkg":{"name":"apache2","secfixes":{"0":["CVE-2022-1"],"2.4.26-r0":["CVE-2017-3167","CVE-2017-7659 (+ regression fix)"],"2.4.54-r0":null}}},{"pkg":{"name":"xen","secfixes":{"4.7.0-r0":["CVE-2016-6258 XSA-182"]}}}]}"#;
    let compiled = compile("alpine-secdb.json", secdb.as_bytes()).unwrap();
    let segment = compiled.segment();
    check(
        &segment,
        "Alpine:v3.18",
        "apache2",
        &[
            "CVE-2017-3167 [,2.4.26-r0) fixed",
            "CVE-2017-7659 [,2.4.26-r0) fixed",
            "CVE-2022-1 [,) not-affected",
        ],
    );
    check(
        &segment,
        "Alpine:v3.18",
        "xen",
        &["CVE-2016-6258 [,4.7.0-r0) fixed", "XSA-182 [,4.7.0-r0) fixed"],
    );
    assert_eq!(compiled.about.malformed, 0);
}

#[test]
fn red_hat_says_how_products_stand() {
    let document = r#"{"name":"CVE-2023-28859","threat_severity":"Moderate","public_date":"2023-03-26T00:00:00Z","bugzilla":{"description":" redis: disclosure "},"cvss3":{"cvss3_scoring_vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"},"cwe":"CWE-200->CWE-125","details":["one","two"],"affected_release":[{"advisory":"RHSA-2005:415","cpe":"cpe:/o:redhat:enterprise_linux:3","package":"squid-7:2.5.STABLE3-6.3E.13"},{"cpe":"cpe:/a:redhat:enterprise_linux:8","package":"nodejs:16-8050020211213115342.c5368500"}],"package_state":[{"cpe":"cpe:/o:redhat:enterprise_linux:8","fix_state":"Will not fix","package_name":"mariadb:10.3/mariadb"},{"cpe":"cpe:/o:redhat:enterprise_linux:9","fix_state":"Out of support scope","package_name":"redis"},{"cpe":"cpe:/a:redhat:quay:3","fix_state":"Affected","package_name":"quay/quay-rhel8"},{"cpe":"cpe:/o:redhat:enterprise_linux:9","fix_state":"Something new","package_name":"x"}]}"#;
    let compiled = compile("redhat-cve-api.json", document.as_bytes()).unwrap();
    let segment = compiled.segment();
    check(
        &segment,
        "Red Hat:enterprise_linux:3",
        "squid",
        &["CVE-2023-28859 [,7:2.5.STABLE3-6.3E.13) fixed"],
    );
    check(
        &segment,
        "Red Hat:enterprise_linux:8",
        "mariadb",
        &["CVE-2023-28859 [,) will-not-fix mariadb:10.3"],
    );
    check(&segment, "Red Hat:enterprise_linux:9", "redis", &["CVE-2023-28859 [,) end-of-life"]);
    assert_eq!((compiled.about.statements, compiled.about.malformed), (3, 1));
    let advisory = segment.advisory(0).unwrap();
    assert_eq!(advisory.weaknesses, [200, 125]);
    assert_eq!(advisory.severity, Some(Severity::Medium));
    assert_eq!(segment.texts(0).unwrap().summary, "redis: disclosure");
}

#[test]
fn estimates_and_exploits_are_looked_up() {
    let epss = "#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\n\
                CVE-1999-0001,0.03351,0.87650\nCVE-2021-44228,0.94358,0.99957\nCVE-1,0.1,0.1\n\
                CVE-2021-0001,1.5,0.1\n";
    let compiled = compile("epss_scores.csv", epss.as_bytes()).unwrap();
    let score = compiled.segment().likelihood("CVE-2021-44228".parse().unwrap()).unwrap().unwrap();
    assert!((score.likelihood - 0.94358).abs() < 0.000_001, "{score:?}");
    assert_eq!((compiled.about.as_of.as_str(), compiled.about.malformed), ("2026-08-16", 2));
    assert!(compile("epss_scores.csv", b"").is_err());
    assert!(compile("epss_scores.csv", b"<html>").is_err());
    let kev = r#"{"dateReleased":"2025-08-25T17:04:19Z","vulnerabilities":[{"cveID":"CVE-2021-44228","dateAdded":"2021-12-10","dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known"},{"cveID":7}]}"#;
    let compiled = compile("kev.json", kev.as_bytes()).unwrap();
    let exploited =
        compiled.segment().exploited("CVE-2021-44228".parse().unwrap()).unwrap().unwrap();
    assert!(exploited.by_ransomware);
    assert_eq!(exploited.added.to_string(), "2021-12-10");
    assert_eq!(compiled.about.malformed, 1);
}

#[test]
fn a_feed_that_makes_no_sense_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let feed = folder.path().join("debian-osv.jsonl");
    std::fs::write(&feed, DEBIAN).unwrap();
    let provider = Provider::of(&feed).unwrap();
    provider.compile(&feed, folder.path(), "").unwrap();
    let before = read(&provider.path(folder.path()));
    for content in [b"<html>not found</html>".as_slice(), b"", b"\x28\xB5\x2F\xFDbroken"] {
        std::fs::write(&feed, content).unwrap();
        assert!(provider.compile(&feed, folder.path(), "").is_err(), "{content:?}");
        assert_eq!(read(&provider.path(folder.path())), before);
    }
    // Nothing else is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn updates_of_windows_mend_and_replace() {
    let table = "\"DatePosted\",\"CVE\",\"BulletinKB\",\"Title\",\"AffectedProduct\",\"AffectedComponent\",\"Severity\",\"Impact\",\"Supersedes\",\"Exploits\"\n\
                 \"20211214\",\"CVE-2019-0887\",\"5008223\",\"Remote, Desktop\",\"Windows Server 2022\",\"Microsoft Windows\",\"Important\",\"Remote Code Execution\",\"5007205;5007206\",\"https://exploit.example/1\"\n\
                 \"20211214\",\"CVE-2019-0887\",\"\",\"Remote, Desktop\",\"Windows Server 2022\",\"\",\"\",\"\",\"\",\"\"\n\
                 \"20211214\",\"CVE-2019-0887\",\"5008299\",\"Remote, Desktop\",\"Windows Server 2022\",\"Microsoft .NET Framework 3.5.1\",\"\",\"\",\"\",\"\"\n\
                 \"20180105\",\"ADV180002\",\"4056890\",\"Speculative\",\"Windows Server 2022\",\"Windows Kernel\",\"\",\"\",\"\",\"\"\n\
                 \"20211214\",\"CVE-2019-0888\",\"5008224\",\"jq\",\"cbl2 jq 1.6 on CBL Mariner 2.0\",\"Mariner\",\"Critical\",\"\",\"\",\"\"\n\
                 \"20211214\",\"CVE-X\",\"5008225\",\"bad\",\"Windows 10 for x64-based Systems\",\"\",\"\",\"\",\"\",\"\"\n";
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [("CVEs_20260628.csv", table), ("Custom_20190321.csv", "# none")] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, content.as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    for (name, content) in [
        ("windows-wesng-definitions.zip", zip.as_slice()),
        ("windows-wesng-definitions.zip", b"PK"),
    ] {
        let Ok(compiled) = compile(name, content) else {
            assert_eq!(content, b"PK");
            continue;
        };
        let segment = compiled.segment();
        check(
            &segment,
            "Windows:Windows Server 2022",
            "Microsoft Windows",
            &["CVE-2019-0887 [,) fixed KB5008223"],
        );
        check(
            &segment,
            "Windows:Windows Server 2022",
            "Windows Kernel",
            &["ADV180002 [,) fixed KB4056890"],
        );
        assert_eq!(segment.namespaces().unwrap().len(), 1);
        // What is about .NET is not compared.
        let server = &segment.namespaces().unwrap()[0];
        assert!(segment.rows(server, "Microsoft .NET Framework 3.5.1").unwrap().is_empty());
        assert_eq!(segment.replacements(5_007_206).unwrap(), [5_008_223]);
        let advisory = segment.advisory(1).unwrap();
        assert_eq!((advisory.severity, advisory.has_exploit), (Some(Severity::High), true));
        assert_eq!(compiled.about.as_of, "2026-06-28");
        assert_eq!(compiled.about.malformed, 1);
    }
}

#[test]
fn a_record_of_more_parts_than_any_real_one_is_passed_over() {
    let hostile = format!(r#"{{"id":"GHSA-1","affected":[{}{{}}]}}"#, "{},".repeat(1 << 20));
    let compiled = compile("debian-osv.jsonl", format!("{DEBIAN}{hostile}\n").as_bytes()).unwrap();
    assert_eq!(compiled.about.malformed, 4);
    let last = compiled.about.examples.last().unwrap();
    assert!(last.contains("parts"), "{last}");
}
