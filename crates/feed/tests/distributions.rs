//! Feeds of distributions in their own formats, and what is found with them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod compiled;

use std::io::Write as _;

use compiled::{BUILT, add, archive, check, compile};
use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Options};
use fathom_report::finding::{Finding, Findings, Severity};
use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};

/// What is found on a system with these packages.
fn scan(
    folder: &std::path::Path,
    distribution: &str,
    version: &str,
    packages: Vec<Package>,
) -> Findings {
    let mut system = System::unknown("/", Family::Linux, "not asked");
    system.identity.distribution = Fact::known(distribution.to_owned(), "test");
    system.identity.version = Fact::known(version.to_owned(), "test");
    system.packages = Listing::complete(packages, Vec::new());
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of(BUILT),
        generator: "test".to_owned(),
    };
    let database = Database::open(folder).unwrap();
    let report = Report::of(vec![system], "not asked");
    fathom_advisory::scan(&report, "test", &database, &options).unwrap()
}

fn rpm(name: &str, epoch: u32, version: &str, release: &str) -> Package {
    Package {
        epoch: Some(epoch),
        release: Some(release.to_owned()),
        ..Package::bare(PackageKind::Rpm, name, version, "rpmdb")
    }
}

#[track_caller]
fn check_found(findings: &Findings, expected: &[&str]) {
    let shown = |it: &Finding| {
        let fix = it.fixed_version.as_deref().unwrap_or("-");
        format!("{} {} {fix} {}", it.package, it.cve_id, it.state.name())
    };
    let mut found: Vec<_> = findings.vulnerabilities.iter().map(shown).collect();
    found.sort();
    assert_eq!(found, expected);
}

const TRACKER: &str = r#"{"tar":{"CVE-2005-2541":{"description":"Tar 1.15.1 does not properly warn the user when extracting setuid or setgid files","debianbug":328228,"scope":"remote","releases":{"bullseye":{"status":"open","repositories":{"bullseye":"1.34+dfsg-1+deb11u1"},"urgency":"unimportant"},"sid":{"status":"open","repositories":{"sid":"1.35+dfsg-3.1"},"urgency":"unimportant"}}},"CVE-2022-48303":{"description":"GNU Tar through 1.34 has a one-byte out-of-bounds read","scope":"local","releases":{"bookworm":{"status":"resolved","repositories":{"bookworm":"1.34+dfsg-1.2+deb12u1"},"fixed_version":"1.34+dfsg-1.2","urgency":"not yet assigned"},"bullseye":{"status":"resolved","repositories":{"bullseye":"1.34+dfsg-1+deb11u1"},"fixed_version":"1.34+dfsg-1+deb11u1","urgency":"low**"},"hippopotamus":{"status":"resolved","fixed_version":"1","urgency":"low"}}}},
"openssl":{"CVE-2024-4741":{"description":"Use After Free with SSL_free_buffers","scope":"remote","releases":{"bookworm":{"status":"open","repositories":{"bookworm":"3.0.11-1"},"urgency":"not yet assigned","nodsa":"Minor issue","nodsa_reason":"postponed"},"bullseye":{"status":"open","urgency":"not yet assigned","nodsa":"Minor issue","nodsa_reason":"ignored"},"buster":{"status":"open","urgency":"end-of-life"},"trixie":{"status":"resolved","fixed_version":"0","urgency":"not yet assigned"},"forky":{"status":"undetermined","urgency":"not yet assigned"}}},"TEMP-0000000-AB12CD":{"releases":{"bookworm":{"status":"open","urgency":"low"}}},"no flaw":{"releases":{}}},
"odd":{"CVE-2024-4741":{"releases":{"bookworm":{"status":"resolved","urgency":"low"},"trixie":{"status":"sleeping"},"bullseye":{"status":"open","urgency":"dire"},"buster":{"status":"resolved","fixed_version":"1_0"},"stretch":7}}},
"broken":["no","map"],"cut":{"CVE-2024-4741":{"releases":"none"}}}"#;

#[test]
fn debian_says_how_each_release_stands() {
    let compiled = compile("debian-tracker.json", TRACKER.as_bytes()).unwrap();
    let segment = compiled.segment();
    check(
        &segment,
        "Debian:11",
        "tar",
        &["CVE-2005-2541 [,) affected", "CVE-2022-48303 [,1.34+dfsg-1+deb11u1) fixed"],
    );
    check(&segment, "Debian:12", "tar", &["CVE-2022-48303 [,1.34+dfsg-1.2) fixed"]);
    check(&segment, "Debian:sid", "tar", &["CVE-2005-2541 [,) affected"]);
    check(&segment, "Debian:hippopotamus", "tar", &["CVE-2022-48303 [,1) fixed"]);
    check(
        &segment,
        "Debian:12",
        "openssl",
        &["CVE-2024-4741 [,) deferred", "TEMP-0000000-AB12CD [,) affected"],
    );
    check(&segment, "Debian:11", "openssl", &["CVE-2024-4741 [,) will-not-fix"]);
    check(&segment, "Debian:10", "openssl", &["CVE-2024-4741 [,) end-of-life"]);
    check(&segment, "Debian:13", "openssl", &["CVE-2024-4741 [,) not-affected"]);
    check(&segment, "Debian:14", "openssl", &["CVE-2024-4741 [,) under-investigation"]);
    check(&segment, "Debian:12", "odd", &[]);
    let namespaces = segment.namespaces().unwrap();
    let bullseye = namespaces.iter().find(|it| it.name == "Debian:11").unwrap();
    let severities: Vec<_> =
        segment.rows(bullseye, "tar").unwrap().iter().map(|row| row.severity).collect();
    assert_eq!(severities, [Some(Severity::Negligible), Some(Severity::Low)]);
    // One flaw in several packages is described once.
    assert_eq!(segment.mentions("CVE-2024-4741".parse().unwrap()).unwrap().len(), 1);
    assert!(segment.texts(0).unwrap().details.starts_with("Tar 1.15.1"));
    let wrong = compiled.about.examples.join("\n");
    for why in [
        "hippopotamus: is a release whose number is not known",
        "openssl, no flaw: names no flaw",
        "CVE-2024-4741, odd, bookworm: is resolved by no version",
        "\"sleeping\" is no status",
        "\"dire\" is no urgency",
        "\"1_0\" is no version",
        "CVE-2024-4741, odd, stretch: invalid type",
        "cut, CVE-2024-4741: is neither a list nor a map",
    ] {
        assert!(wrong.contains(why), "{why}:\n{wrong}");
    }
    // Those of a list have no names.
    assert_eq!(compiled.about.malformed, 10, "{wrong}");
    // Nothing says how old it is, and nothing is made up.
    assert_eq!(compiled.about.as_of, "");
}

#[test]
fn both_feeds_of_debian_tell_each_flaw_once() {
    let osv = r#"{"id":"CVE-2022-48303","modified":"2025-12-30T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}
{"id":"CVE-2005-2541","modified":"2025-12-30T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"urgency":"unimportant"}}]}
{"id":"CVE-2024-4741","modified":"2025-12-30T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]},{"package":{"ecosystem":"Debian:13","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}
"#;
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "debian-osv.jsonl", osv.as_bytes()).unwrap();
    add(folder.path(), "debian-tracker.json", TRACKER.as_bytes()).unwrap();
    let on = |version: &str, tar: &str| {
        let packages = vec![
            Package::bare(PackageKind::Deb, "tar", tar, "status"),
            Package::bare(PackageKind::Deb, "openssl", "1.1.1w-0+deb11u1", "status"),
        ];
        scan(folder.path(), "debian", version, packages)
    };
    // Who knows of a fix is believed, and who says that there will be none says more than that there
    // is none.
    let before = on("11", "1.34+dfsg-1");
    check_found(
        &before,
        &[
            "openssl CVE-2024-4741 - will-not-fix",
            "tar CVE-2005-2541 - affected",
            "tar CVE-2022-48303 1.34+dfsg-1+deb11u1 fixed",
        ],
    );
    for finding in &before.vulnerabilities {
        let providers: Vec<_> = finding.because.iter().map(|it| it.provider.as_str()).collect();
        assert_eq!(providers.len(), 2, "{} {providers:?}", finding.cve_id);
        assert!(finding.advisories.is_empty() && finding.aliases.is_empty());
    }
    let mended = on("11", "1.34+dfsg-1+deb11u1");
    check_found(&mended, &["openssl CVE-2024-4741 - will-not-fix", "tar CVE-2005-2541 - affected"]);
    // A release that never had the flaw, as one of the two knows.
    check_found(&on("13", "1.35+dfsg-3.1"), &[]);
}

#[test]
fn a_feed_is_as_old_as_the_file_that_it_came_in() {
    let packed = archive(&[("json", b"{}"), ("data.json", TRACKER.as_bytes())]);
    assert_eq!(compile("debian-tracker.tar.zst", &packed).unwrap().about.as_of, "2025-06-01");
    let mut gzip = flate2::GzBuilder::new()
        .mtime(1_748_779_200)
        .write(Vec::new(), flate2::Compression::fast());
    gzip.write_all(TRACKER.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(compile("debian-tracker.json.gz", &gzip).unwrap().about.as_of, "2025-06-01");
    let secdb = br#"{"distroversion":"v3.18","packages":[{"pkg":{"name":"a","secfixes":{"1-r0":["CVE-2022-0001"]}}}]}"#;
    let packed = archive(&[("v3.18/main.json", secdb)]);
    assert_eq!(compile("alpine-secdb.tar.zst", &packed).unwrap().about.as_of, "2025-06-01");
    assert_eq!(compile("alpine-secdb.json", secdb).unwrap().about.as_of, "");
    // Ubuntu says when a flaw was published, and not when its record was changed.
    let record = r#"{"id":"UBUNTU-CVE-2023-24288","upstream":["CVE-2023-24288"],"published":"2023-04-24T00:00:00Z","affected":[{"package":{"ecosystem":"Ubuntu:18.04:LTS","name":"sgt-puzzles"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;
    let compiled = compile("ubuntu-osv.jsonl", record.as_bytes()).unwrap();
    assert_eq!(compiled.about.as_of, "2023-04-24");
}

const ARCH: &str = r#"[{"name":"AVG-1","packages":["lib32-gdk-pixbuf2"],"status":"Fixed","severity":"Critical","type":"arbitrary code execution","affected":"2.34.0-1","fixed":"2.36.0+2+ga7c869a-1","ticket":null,"issues":["CVE-2016-6352"],"advisories":["ASA-201611-12"]},
{"name":"AVG-2843","packages":["vim","gvim"],"status":"Unknown","severity":"Unknown","type":"unknown","affected":"9.0.1224-1","fixed":"9.0.1225-1","ticket":null,"issues":["CVE-2023-0433"],"advisories":[]},
{"name":"AVG-3","packages":["perl"],"status":"Vulnerable","severity":"Medium","type":"insufficient validation","affected":"5.34.0-2","fixed":null,"ticket":"71000","issues":["CVE-2020-16156"],"advisories":[]},
{"name":"AVG-4","packages":["perl"],"status":"Not affected","severity":"Low","type":"unknown","affected":"5.34.0-2","fixed":null,"ticket":null,"issues":["CVE-2021-0001"],"advisories":[]},
{"name":"AVG-5","packages":["a"],"status":"Testing","severity":"Low","type":"unknown","affected":"1-1","fixed":"1-2","ticket":null,"issues":["CVE-2021-0002","CVE-X"],"advisories":[]},
{"name":"AVG-6","packages":["a"],"status":"Fixed","severity":"Low","type":"unknown","affected":"1-1","fixed":null,"ticket":null,"issues":["CVE-2021-0003"],"advisories":[]},
{"name":7}]"#;

#[test]
fn arch_says_what_groups_of_flaws_are_in() {
    let compiled = compile("arch-security.json", ARCH.as_bytes()).unwrap();
    let segment = compiled.segment();
    let arch = |package: &str, expected: &[&str]| check(&segment, "Arch Linux", package, expected);
    arch("lib32-gdk-pixbuf2", &["AVG-1 [,2.36.0+2+ga7c869a-1) fixed"]);
    arch("gvim", &["AVG-2843 [,9.0.1225-1) under-investigation"]);
    arch("perl", &["AVG-3 [,) affected", "AVG-4 [,) not-affected"]);
    arch("a", &["AVG-5 [,1-2) fixed"]);
    let advisory = segment.advisory(0).unwrap();
    assert_eq!(
        (advisory.severity, &*advisory.aliases),
        (Some(Severity::Critical), &["ASA-201611-12"][..])
    );
    assert_eq!(segment.texts(2).unwrap().references[1], "https://bugs.archlinux.org/task/71000");
    assert_eq!(compiled.about.malformed, 3, "{:?}", compiled.about.examples);
    let package =
        |name: &str, version: &str| Package::bare(PackageKind::Pacman, name, version, "db");
    let packages = vec![
        package("gvim", "9.0.1000-1"),
        package("vim", "9.0.1225-1"),
        package("perl", "5.34.0-2"),
    ];
    check_found(
        &scan(compiled.folder.path(), "arch", "", packages),
        &["gvim CVE-2023-0433 - under-investigation", "perl CVE-2020-16156 - affected"],
    );
}

#[test]
fn photon_says_what_builds_mend() {
    let photon3 = br#"[{"cve_id":"CVE-2019-3828","pkg":"ansible","cve_score":10,"aff_ver":"all versions before 2.7.6-2.ph3 are vulnerable","res_ver":"2.7.6-2.ph3"},
 {"cve_id":"CVE-2019-0199","pkg":"apache-tomcat","cve_score":7.5,"aff_ver":"all versions before 8.5.40-1.ph3 are vulnerable","res_ver":"8.5.40-1.ph3","status":"Fixed"},
 {"cve_id":"CVE-2017-16826","pkg":"binutils","cve_score":7.8,"aff_ver":"NA","res_ver":"NA","status":"Not Affected"},
 {"cve_id":"UNK-1","pkg":"curl","cve_score":6.7,"aff_ver":"NA","res_ver":"NA","status":"Not Affected"},
 {"cve_id":"CVE-2019-0200","pkg":"curl","aff_ver":"NA","res_ver":"NA"}]"#;
    let photon4 = br#"[{"cve_id":"CVE-2019-3828","pkg":"ansible","cve_score":0,"aff_ver":"all versions are vulnerable","res_ver":"NA"}]"#;
    let packed = archive(&[
        ("cve_data_photon3.0.json", photon3.as_slice()),
        ("cve_data_photon4.0.json", photon4.as_slice()),
    ]);
    let compiled = compile("photon.tar.zst", &packed).unwrap();
    let segment = compiled.segment();
    check(&segment, "Photon OS:3.0", "ansible", &["CVE-2019-3828 [,2.7.6-2.ph3) fixed"]);
    check(&segment, "Photon OS:4.0", "ansible", &["CVE-2019-3828 [,) affected"]);
    check(&segment, "Photon OS:3.0", "binutils", &["CVE-2017-16826 [,) not-affected"]);
    assert_eq!(compiled.about.malformed, 2, "{:?}", compiled.about.examples);
    assert_eq!(compiled.about.as_of, "2025-06-01");
    // A document by itself says by its versions of which release it is.
    let alone = compile("photon.json", photon3).unwrap();
    check(&alone.segment(), "Photon OS:3.0", "ansible", &["CVE-2019-3828 [,2.7.6-2.ph3) fixed"]);
    let mut tomcat = rpm("apache-tomcat", 0, "8.5.39", "1.ph3");
    tomcat.vendor = Some("VMware, Inc.".to_owned());
    let findings = scan(compiled.folder.path(), "photon", "3.0", vec![tomcat]);
    check_found(&findings, &["apache-tomcat CVE-2019-0199 8.5.40-1.ph3 fixed"]);
    assert_eq!(findings.vulnerabilities[0].severity, Some(Severity::High));
}

/// As Amazon's repositories publish it.
const CORE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<updates><update author="linux-security@amazon.com" from="linux-security@amazon.com" status="final" type="security" version="1.4"><id>ALAS2-2018-939</id><title>Amazon Linux 2 2017.12 - ALAS2-2018-939: critical priority package update for kernel</title><issued date="2018-01-11 21:05" /><updated date="2018-01-16 01:28" /><severity>critical</severity><description>Package updates are available for Amazon Linux 2 &amp; fix the following vulnerabilities:</description><references><reference href="http://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2017-5754" id="CVE-2017-5754" title="" type="cve" /><reference href="http://cve.mitre.org/cgi-bin/cvename.cgi?name=CVE-2017-5715" id="CVE-2017-5715" title="" type="cve" /></references><pkglist><collection short="amazon-linux-2---core"><name>Amazon Linux 2 - core</name><package arch="x86_64" epoch="0" name="kernel" release="38.79.amzn2" version="4.9.76"><filename>Packages/kernel-4.9.76-38.79.amzn2.x86_64.rpm</filename></package><package arch="x86_64" epoch="0" name="perf-debuginfo" release="38.79.amzn2" version="4.9.76"><filename>x</filename></package></collection></pkglist></update>
<update type="bugfix"><id>ALAS2-2018-940</id><severity>low</severity></update>
<update type="security"><id>ALAS2-2018-941</id><references><reference id="CVE-2018-0001" type="cve"/></references><pkglist><collection><package name="a" epoch="1" version="2" release=""/><package name="b" epoch="1" version="2" release="3"/></collection></pkglist></update>
<update type="security"><id>WHAT-1</id></update></updates>"#;

const TOPIC: &str = r#"<updates><update type="security"><id>ALAS2GOLANG1.19-2023-001</id><title>Amazon Linux 2 - Golang1.19 2.0 - ALAS2GOLANG1.19-2023-001: important priority package update for golang</title><issued date="2023-08-07 05:59" /><updated date="2023-09-25 22:11" /><severity>important</severity><references><reference id="CVE-2023-29405" type="cve" /></references><pkglist><collection short="amazon-linux-2---golang1.19"><package arch="x86_64" epoch="0" name="golang" release="1.amzn2.0.2" version="1.19.10"/><package arch="aarch64" epoch="0" name="golang" release="1.amzn2.0.2" version="1.19.10"/></collection></pkglist></update></updates>"#;

const NEWER: &str = r#"<updates><update type="security"><id>ALAS2023-2023-001</id><issued date="2023-02-17 20:41:00"/><updated date="2023-02-22 23:22:00"/><severity>Important</severity><references><reference id="CVE-2022-24903" type="cve"/></references><pkglist><collection><package arch="x86_64" epoch="0" name="rsyslog" release="3.amzn2023.0.3" version="8.2204.0"/></collection></pkglist></update></updates>"#;

#[test]
fn amazon_says_what_its_repositories_mend() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(TOPIC.as_bytes()).unwrap();
    let topic = gzip.finish().unwrap();
    let packed = archive(&[
        ("amazon-2/core.xml", CORE.as_bytes()),
        ("amazon-2/golang1.19/updateinfo.xml.gz", &topic),
        ("amazon-2023.xml", NEWER.as_bytes()),
    ]);
    let compiled = compile("amazon-alas.tar.zst", &packed).unwrap();
    let segment = compiled.segment();
    check(&segment, "Amazon Linux:2", "kernel", &["ALAS2-2018-939 [,4.9.76-38.79.amzn2) fixed"]);
    check(&segment, "Amazon Linux:2", "perf-debuginfo", &[]);
    check(&segment, "Amazon Linux:2", "b", &["ALAS2-2018-941 [,1:2-3) fixed"]);
    check(
        &segment,
        "Amazon Linux:2",
        "golang",
        &["ALAS2GOLANG1.19-2023-001 [,1.19.10-1.amzn2.0.2) fixed extras:golang1.19"],
    );
    check(
        &segment,
        "Amazon Linux:2023",
        "rsyslog",
        &["ALAS2023-2023-001 [,8.2204.0-3.amzn2023.0.3) fixed"],
    );
    let advisory = segment.advisory(0).unwrap();
    assert_eq!((advisory.severity, advisory.cves.len()), (Some(Severity::Critical), 2));
    let texts = segment.texts(0).unwrap();
    assert_eq!(texts.summary, "critical priority package update for kernel");
    assert!(texts.details.contains("Linux 2 & fix"), "{}", texts.details);
    assert_eq!((compiled.about.as_of.as_str(), compiled.about.malformed), ("2023-09-25", 2));
    let on = |packages| scan(compiled.folder.path(), "amzn", "2", packages);
    check_found(
        &on(vec![rpm("golang", 0, "1.19.6", "1.amzn2.0.1"), rpm("kernel", 0, "4.14.1", "1.amzn2")]),
        &["golang CVE-2023-29405 1.19.10-1.amzn2.0.2 fixed"],
    );
    // The core has a version of its own, which is not that of the topic.
    check_found(&on(vec![rpm("golang", 0, "1.15.14", "1.amzn2.0.1")]), &[]);
    check_found(
        &on(vec![rpm("kernel", 0, "4.9.75", "25.55.amzn2")]),
        &[
            "kernel CVE-2017-5715 4.9.76-38.79.amzn2 fixed",
            "kernel CVE-2017-5754 4.9.76-38.79.amzn2 fixed",
        ],
    );
    assert!(compile("amazon-alas.xml", &CORE.as_bytes()[..1500]).is_err());
}

/// As Oracle publishes it, without what the tests refer to.
fn oval(definitions: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5"><generator><oval:product_name>Oracle Errata System</oval:product_name></generator><definitions>{definitions}</definitions><tests><rpminfo_test id="oval:com.oracle.elsa:tst:20070057001" comment="Oracle Linux 5 is installed"><object object_ref="o"/></rpminfo_test></tests></oval_definitions>"#
    )
}

fn definition(title: &str, cve: &str, criteria: &str) -> String {
    format!(
        r#"<definition id="oval:com.oracle.elsa:def:1" version="501" class="patch"><metadata><title>
{title}
</title><affected family="unix"><platform>Oracle Linux</platform></affected><reference source="elsa" ref_id="x" ref_url="https://linux.oracle.com/errata/x.html"/><reference source="CVE" ref_id="{cve}" ref_url="u"/><description>what was done</description><!-- details --><advisory><severity>MODERATE</severity><rights>Oracle</rights><issued date="2021-06-26"/><cve href="u">{cve}</cve></advisory></metadata>{criteria}</definition>"#
    )
}

fn one_package(release: &str, module: &str, package: &str, version: &str) -> String {
    format!(
        r#"<criteria operator="AND"><criterion test_ref="t" comment="Oracle Linux {release} is installed"/>{module}<criteria operator="OR"><criteria operator="AND"><criterion test_ref="t" comment="{package} is earlier than {version}"/><criterion test_ref="t" comment="{package} is signed with the Oracle Linux {release} key"/></criteria></criteria></criteria>"#
    )
}

fn oracle() -> String {
    let module = r#"<criterion test_ref="t" comment="Module nodejs:16 is enabled"/>"#;
    let stream = "1:16.2-1.module+el8.5.0+1+a";
    oval(
        &[
            definition(
                "ELSA-2007-0057:  Moderate: bind security update  (MODERATE)",
                "CVE-2007-0493",
                &one_package("5", "", "bind", "30:9.3.3-8.el5"),
            ),
            definition(
                "ELSA-2021-9280:  glibc security update (MODERATE)",
                "CVE-2021-3326",
                &one_package("8", "", "glibc", "0:2.28-151.0.1.el8"),
            ),
            definition(
                "ELSA-2021-9344:  glibc security update (MODERATE)",
                "CVE-2021-3326",
                &one_package("8", "", "glibc", "2:2.28-151.0.1.ksplice2.el8"),
            ),
            definition(
                "ELSA-2022-9221:  gnutls security update (MODERATE)",
                "CVE-2021-20231",
                &one_package("8", "", "gnutls", "10:3.6.16-4.0.1.el8_fips"),
            ),
            definition(
                "ELSA-2022-1:  nodejs:16 security update (MODERATE)",
                "CVE-2022-0001",
                &one_package("8", module, "nodejs", stream),
            ),
            definition(
                "ELSA-2022-2: nothing (LOW)",
                "CVE-2022-0002",
                "<criteria operator=\"AND\"/>",
            ),
            definition("what is this", "CVE-2022-0003", ""),
        ]
        .concat(),
    )
}

#[test]
fn oracle_says_what_its_errata_mend() {
    let compiled = compile("oracle-oval.xml", oracle().as_bytes()).unwrap();
    let segment = compiled.segment();
    check(&segment, "Oracle Linux:5", "bind", &["ELSA-2007-0057 [,30:9.3.3-8.el5) fixed"]);
    check(
        &segment,
        "Oracle Linux:8",
        "nodejs",
        &["ELSA-2022-1 [,1:16.2-1.module+el8.5.0+1+a) fixed nodejs:16"],
    );
    let advisory = segment.advisory(0).unwrap();
    assert_eq!((advisory.severity, advisory.cves.len()), (Some(Severity::Medium), 1));
    assert_eq!(segment.texts(0).unwrap().references, ["https://linux.oracle.com/errata/x.html"]);
    assert_eq!((compiled.about.as_of.as_str(), compiled.about.malformed), ("2021-06-26", 2));
    // As it comes.
    let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packed.write_all(oracle().as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let other = compile("oracle-oval.xml.bz2", &packed).unwrap();
    assert_eq!(other.about.statements, compiled.about.statements);
    assert!(compile("oracle-oval.xml.bz2", &packed[..packed.len() - 20]).is_err());
}

#[test]
fn builds_of_oracle_for_other_purposes_keep_apart() {
    let compiled = compile("oracle-oval.xml", oracle().as_bytes()).unwrap();
    let on = |package: Package| scan(compiled.folder.path(), "ol", "8.9", vec![package]);
    // What is up to date as it is built for everybody has no flaw of the build for Ksplice.
    check_found(&on(rpm("glibc", 0, "2.28", "151.0.1.el8")), &[]);
    check_found(
        &on(rpm("glibc", 0, "2.28", "150.el8")),
        &["glibc CVE-2021-3326 2.28-151.0.1.el8 fixed"],
    );
    check_found(
        &on(rpm("glibc", 2, "2.28", "150.0.1.ksplice1.el8")),
        &["glibc CVE-2021-3326 2:2.28-151.0.1.ksplice2.el8 fixed"],
    );
    check_found(&on(rpm("gnutls", 0, "3.6.14", "8.el8_3")), &[]);
    check_found(
        &on(rpm("gnutls", 10, "3.6.14", "8.el8_fips")),
        &["gnutls CVE-2021-20231 10:3.6.16-4.0.1.el8_fips fixed"],
    );
    let mut nodejs = rpm("nodejs", 1, "16.1", "1.module+el8.5.0+1+a");
    nodejs.module = Some("nodejs:16:850:a".to_owned());
    check_found(&on(nodejs), &["nodejs CVE-2022-0001 1:16.2-1.module+el8.5.0+1+a fixed"]);
    let mut nodejs = rpm("nodejs", 1, "14.1", "1.module+el8.5.0+1+a");
    nodejs.module = Some("nodejs:14:850:a".to_owned());
    check_found(&on(nodejs), &[]);
}
