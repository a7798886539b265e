//! Feeds that say more of flaws, whoever has them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compiled;

use compiled::{add, archive, compile};
use fathom_advisory::risk::Weights;
use fathom_advisory::segment::End;
use fathom_advisory::{Database, Day, Options};
use fathom_report::finding::Severity;
use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};

/// As NVD publishes it, without the products.
const LOG4J: &str = r#"{"cve":{"id":"CVE-2021-44228","sourceIdentifier":"security@apache.org","published":"2021-12-10T10:15:09.143","lastModified":"2025-10-27T17:35:48.337","vulnStatus":"Analyzed","cveTags":[],"descriptions":[{"lang":"es","value":"Las características JNDI"},{"lang":"en","value":"Apache Log4j2 2.0-beta9 through 2.15.0 JNDI features do not protect against attacker controlled endpoints."}],"metrics":{"cvssMetricV31":[{"source":"134c704f-9b21-4f2e-91b3-4a467353bcc0","type":"Secondary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","baseScore":10.0}},{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H","baseScore":10.0,"baseSeverity":"CRITICAL"}}],"cvssMetricV2":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"version":"2.0","vectorString":"AV:N/AC:M/Au:N/C:C/I:C/A:C","baseScore":9.3}}]},"weaknesses":[{"source":"security@apache.org","type":"Secondary","description":[{"lang":"en","value":"CWE-20"},{"lang":"en","value":"CWE-400"},{"lang":"en","value":"CWE-502"}]},{"source":"nvd@nist.gov","type":"Primary","description":[{"lang":"en","value":"CWE-917"},{"lang":"en","value":"NVD-CWE-noinfo"}]}],"configurations":[{"nodes":[]}],"references":[{"url":"https://logging.apache.org/log4j/2.x/security.html","source":"security@apache.org","tags":["Vendor Advisory"]},{"url":"http://packetstormsecurity.com/files/165225","tags":["Exploit","Third Party Advisory"]},{"url":"http://packetstormsecurity.com/files/165225"}]}}"#;

const OTHERS: &str = r#"{"cve":{"id":"CVE-2023-0001","published":"2023-02-08T18:15:11.523","lastModified":"2024-11-21T07:36:22.750","vulnStatus":"Modified","descriptions":[{"lang":"en","value":"An information exposure"}],"metrics":{"cvssMetricV40":[{"source":"psirt@paloaltonetworks.com","type":"Secondary","cvssData":{"version":"4.0","vectorString":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}}],"cvssMetricV31":[{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H"}},{"source":"nvd@nist.gov","type":"Primary","cvssData":{"vectorString":"none"}}]}}},
{"cve":{"id":"CVE-2023-0002","published":"2023-01-01T00:00:00.000","lastModified":"2023-11-07T03:59:21.967","vulnStatus":"Rejected","descriptions":[{"lang":"en","value":"Rejected reason: not used"}]}},
{"cve":{"published":"2023-01-01"}},
{"cve":{"id":"GHSA-1"}}"#;

fn page(total: u64, items: &str) -> String {
    format!(
        r#"{{"resultsPerPage":2,"startIndex":0,"totalResults":{total},"format":"NVD_CVE","version":"2.0","timestamp":"2025-12-01T00:00:00.000","vulnerabilities":[{items}]}}"#
    )
}

#[test]
fn nvd_says_what_flaws_are() {
    let packed = archive(&[
        ("nvdcve-2.0-2021.json", page(1, LOG4J).as_bytes()),
        ("nvdcve-2.0-2023.json", page(4, OTHERS).as_bytes()),
        ("nvdcve-2.0-2023.meta", b"sha256:0"),
    ]);
    let compiled = compile("nvd.tar.zst", &packed).unwrap();
    let segment = compiled.segment();
    let advisory = segment.advisory(0).unwrap();
    assert_eq!(advisory.name, "CVE-2021-44228");
    let shown = |index: u32| {
        let vectors = segment.advisory(index).unwrap().vectors;
        vectors.iter().map(|it| (it.is_own, it.version, it.score)).collect::<Vec<_>>()
    };
    // NVD's own first, and what two say is said once.
    assert_eq!(shown(0), [(true, 3, 100), (true, 2, 93)]);
    assert_eq!(shown(1), [(true, 3, 78), (false, 4, 93)]);
    assert_eq!(advisory.weaknesses, [20, 400, 502, 917]);
    assert!(advisory.has_exploit);
    assert_eq!(advisory.published.to_string(), "2021-12-10");
    assert_eq!(advisory.modified.to_string(), "2025-10-27");
    let texts = segment.texts(0).unwrap();
    assert!(texts.details.starts_with("Apache Log4j2 2.0-beta9"), "{}", texts.details);
    assert_eq!(texts.references.len(), 2);
    assert_eq!(compiled.about.advisories, 2);
    assert_eq!(compiled.about.as_of, "2025-10-27");
    let wrong = compiled.about.examples.join("\n");
    assert_eq!(compiled.about.malformed, 3, "{wrong}");
    assert!(wrong.contains("CVE-2023-0001: \"none\" is no vector of CVSS"), "{wrong}");
}

#[test]
fn what_nvd_says_is_told_of_what_others_find() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = r#"{"apache-log4j2":{"CVE-2021-44228":{"releases":{"bullseye":{"status":"resolved","fixed_version":"2.15.0-1~deb11u1","urgency":"not yet assigned"}}}}}"#;
    add(folder.path(), "debian-tracker.json", tracker.as_bytes()).unwrap();
    add(folder.path(), "nvd.json", page(1, LOG4J).as_bytes()).unwrap();
    let mut system = System::unknown("/", Family::Linux, "not asked");
    system.identity.distribution = Fact::known("debian".to_owned(), "test");
    system.identity.version = Fact::known("11".to_owned(), "test");
    let package = Package::bare(PackageKind::Deb, "apache-log4j2", "2.13.3-1", "status");
    system.packages = Listing::complete(vec![package], Vec::new());
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of("2026-01-01"),
        generator: "test".to_owned(),
    };
    let database = Database::open(folder.path()).unwrap();
    let report = Report::of(vec![system], "not asked");
    let findings = fathom_advisory::scan(&report, "test", &database, &options).unwrap();
    let [finding] = &*findings.vulnerabilities else { unreachable!("{findings:?}") };
    assert_eq!(finding.severity, Some(Severity::Critical));
    assert_eq!(finding.severity_source.as_deref(), Some("CVSS of nvd"));
    assert_eq!(finding.cvss.iter().map(|it| it.version).collect::<Vec<_>>(), [3, 2]);
    assert!(finding.description.as_ref().unwrap().starts_with("Apache Log4j2"));
    assert!(finding.exploitability.public_exploit);
    assert_eq!(finding.weaknesses[3], "CWE-917");
}

#[test]
fn one_page_of_many_is_not_taken_for_all() {
    let compiled = compile("nvd.json", page(2000, LOG4J).as_bytes()).unwrap();
    assert_eq!(compiled.about.examples, ["the feed: has 1 of 2000 flaws"]);
    let whole = compile("nvd.json", page(1, LOG4J).as_bytes()).unwrap();
    assert_eq!(whole.about.malformed, 0);
    for content in ["{}", "[]", "<html>", r#"{"CVE_Items":[{}]}"#] {
        assert!(compile("nvd.json", content.as_bytes()).is_err(), "{content}");
    }
}

#[test]
fn releases_of_distributions_end() {
    let debian = br#"[{"cycle":"13","codename":"Trixie","releaseDate":"2025-08-09","eol":"2028-08-09","extendedSupport":"2030-06-30","latest":"13.2","latestReleaseDate":"2025-11-15","lts":false},{"cycle":"9","eol":"2020-07-18","extendedSupport":"2022-06-30","latestReleaseDate":"2999-01-01"},{"cycle":"1","eol":"when it is done"},{"eol":false}]"#;
    let alpine = br#"[{"cycle":"3.18","eol":"2025-05-09","latest":"3.18.12","lts":false}]"#;
    let centos = br#"[{"cycle":5,"eol":true},{"cycle":"99","eol":false},{"cycle":"98","eol":"2020-01-01","extendedSupport":true}]"#;
    let packed = archive(&[
        ("api/debian.json", debian.as_slice()),
        ("api/alpine-linux.json", alpine.as_slice()),
        ("api/centos.json", centos.as_slice()),
        ("api/python.json", b"[{\"cycle\":\"3.8\",\"eol\":\"2024-10-07\"}]"),
        ("api/all.json", b"[\"debian\"]"),
    ]);
    let compiled = compile("endoflife.tar.zst", &packed).unwrap();
    let segment = compiled.segment();
    let end = |distribution: &str, version: &str| segment.end_of(distribution, version).unwrap();
    let on = |support: &str, extended: &str| {
        Some(End { support: Day::of(support), extended: Day::of(extended) })
    };
    assert_eq!(end("debian", "13"), on("2028-08-09", "2030-06-30"));
    assert_eq!(end("debian", "13.2"), on("2028-08-09", "2030-06-30"));
    assert_eq!(end("debian", "1"), None);
    assert_eq!(end("debian", "90"), None);
    assert_eq!(end("alpine", "3.18.4"), on("2025-05-09", ""));
    assert_eq!(end("alpine", "3.1"), None);
    assert_eq!(end("centos", "5"), on("", ""));
    assert_eq!(end("centos", "99"), None);
    assert_eq!(end("centos", "98"), None);
    assert_eq!(end("python", "3.8"), None);
    assert_eq!((compiled.about.malformed, compiled.about.as_of.as_str()), (2, "2025-11-15"));
    // All in one document.
    let one = br#"{"debian":[{"cycle":"9","eol":"2022-06-30"}],"python":7,"ubuntu":8}"#;
    let compiled = compile("endoflife.json", one).unwrap();
    assert_eq!(compiled.segment().end_of("debian", "9").unwrap(), on("2022-06-30", ""));
    assert_eq!(compiled.about.malformed, 1);
    assert!(compile("endoflife.json", br#"{"result":{}}"#).is_err());
}
