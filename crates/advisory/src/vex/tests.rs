//! Documents as they are published, beside findings of a machine.

use fathom_report::PackageKind;
use fathom_report::finding::Scanned;

use super::*;

const OPENSSL: &str =
    "pkg:deb/debian/libssl1.1@1.1.1k-1?arch=amd64&distro=debian-11&upstream=openssl";

fn finding(flaw: &str, package: &str, purl: &str) -> Finding {
    let kind = if purl.contains("pypi") { PackageKind::Python } else { PackageKind::Deb };
    Finding {
        aliases: [format!("DEBIAN-{flaw}")].into(),
        source_package: (package == "libssl1.1").then(|| "openssl".to_owned()),
        purl: Some(purl.to_owned()),
        ..Finding::bare(flaw, kind, package, "1.1.1k-1")
    }
}

/// A machine with one flaw in a package of the distribution, and in one of a language.
fn findings() -> Findings {
    let system =
        Scanned { hostname: Some("web-1".to_owned()), ..Scanned::bare("sda1", "debian", "11") };
    Findings {
        vulnerabilities: vec![
            finding("CVE-2021-3711", "libssl1.1", OPENSSL),
            finding("CVE-2021-3711", "cryptography", "pkg:pypi/cryptography@3.4.7"),
        ],
        ..Findings::none("web.qcow2", "test", vec![system])
    }
}

/// What documents make of the findings: the packages told apart, and those of which something is noted.
fn outcome(texts: &[&str]) -> (Vec<String>, Vec<String>, usize) {
    let documents: Vec<_> = texts
        .iter()
        .map(|text| Document::parse(text, "a.json").unwrap_or_else(|why| panic!("{why}: {text}")))
        .collect();
    let mut findings = findings();
    let applied = apply(&mut findings, &documents);
    let apart = findings
        .excepted
        .iter()
        .map(|it| format!("{}: {}", it.finding.package, it.exemption.reason));
    let noted = findings
        .vulnerabilities
        .iter()
        .filter_map(|it| Some(format!("{}: {}", it.package, it.vex.as_ref()?.status.name())));
    let result = (apart.collect::<Vec<_>>(), noted.collect::<Vec<_>>(), applied.used.len());
    assert_eq!((applied.excepted, applied.noted), (result.0.len(), result.1.len()));
    assert_eq!(findings.summary.excepted, applied.excepted);
    assert_eq!(findings.vulnerabilities.len() + findings.excepted.len(), 2);
    result
}

#[track_caller]
fn check(texts: &[&str], apart: &[&str], noted: &[&str]) {
    let found = outcome(texts);
    assert_eq!(
        (found.0, found.1),
        (
            apart.iter().map(|it| (*it).to_owned()).collect(),
            noted.iter().map(|it| (*it).to_owned()).collect()
        ),
        "{texts:?}"
    );
}

/// An OpenVEX document with these statements.
fn openvex(statements: &str) -> String {
    format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://a.example/vex-1","author":"A team","timestamp":"2023-01-08T18:02:03.647787998-06:00","version":1,"statements":[{statements}]}}"#
    )
}

fn about(product: &str, status: &str) -> String {
    openvex(&format!(
        r#"{{"vulnerability":{{"name":"CVE-2021-3711"}},"products":[{product}],"status":"{status}","justification":"vulnerable_code_not_in_execute_path"}}"#
    ))
}

const NOT_AFFECTED: &str = "libssl1.1: it is not affected: vulnerable_code_not_in_execute_path";

#[test]
fn what_is_not_affected_is_told_apart_and_stays() {
    check(&[&about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "not_affected")], &[NOT_AFFECTED], &[]);
    check(
        &[&about(
            r#"{"@id":"https://a.example/x","identifiers":{"purl":"pkg:deb/debian/libssl1.1@1.1.1k-1"}}"#,
            "not_affected",
        )],
        &[NOT_AFFECTED],
        &[],
    );
    check(
        &[&about(r#"{"@id":"pkg:deb/debian/openssl?arch=source"}"#, "not_affected")],
        &[NOT_AFFECTED],
        &[],
    );
    let fixed = "libssl1.1: it is mended: vulnerable_code_not_in_execute_path";
    check(&[&about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "fixed")], &[fixed], &[]);
    let mut found = findings();
    let document =
        Document::parse(&about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "not_affected"), "a.json");
    apply(&mut found, &[document.unwrap_or_else(|why| panic!("{why}"))]);
    let exemption = &found.excepted[0].exemption;
    let said = exemption.statement.as_ref();
    assert_eq!(exemption.by.as_deref(), Some("A team"));
    assert_eq!(said.map(|it| it.document.as_str()), Some("a.json (https://a.example/vex-1)"));
    assert_eq!(
        said.and_then(|it| it.timestamp.as_deref()),
        Some("2023-01-08T18:02:03.647787998-06:00")
    );
}

#[test]
fn the_rest_is_noted() {
    let product = r#"{"@id":"pkg:deb/debian/libssl1.1"}"#;
    check(&[&about(product, "affected")], &[], &["libssl1.1: affected"]);
    check(&[&about(product, "under_investigation")], &[], &["libssl1.1: under_investigation"]);
}

#[test]
fn a_statement_about_another_product_tells_nothing_apart() {
    for product in [
        "pkg:deb/debian/libssl1.1@1.1.1l-1",
        "pkg:deb/debian/libssl1.1?distro=debian-12",
        "pkg:deb/debian/libssl1.1?arch=arm64",
        "pkg:deb/ubuntu/libssl1.1",
        "pkg:deb/debian/libssl3",
        "pkg:deb/debian/openssl",
        "pkg:oci/web.qcow2",
        "libssl1.1",
        "debian",
        // The name of the machine: another may be called so.
        "web-1",
        "urn:fathom:machine:web-2",
        "cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*",
        "",
    ] {
        let found = outcome(&[&about(&format!(r#"{{"@id":"{product}"}}"#), "not_affected")]);
        assert_eq!(found, (Vec::new(), Vec::new(), 0), "{product}");
    }
    let other =
        about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "not_affected").replace("3711", "3712");
    assert_eq!(outcome(&[&other]), (Vec::new(), Vec::new(), 0));
    // No product at all.
    assert_eq!(outcome(&[&about("", "not_affected")]), (Vec::new(), Vec::new(), 0));
}

#[test]
fn all_that_is_said_of_a_product_must_be_so() {
    let package = "pkg:deb/debian/libssl1.1";
    let of =
        |id: &str, further: &str| about(&format!(r#"{{"@id":"{id}",{further}}}"#), "not_affected");
    let system = |version: &str| {
        format!(r#""identifiers":{{"cpe23":"cpe:2.3:o:debian:debian_linux:{version}"}}"#)
    };
    check(&[&of(package, &system("11"))], &[NOT_AFFECTED], &[]);
    check(&[&of("urn:fathom:machine:web-1", &system("11"))], &[NOT_AFFECTED], &[]);
    check(&[&of(package, r#""hashes":null"#)], &[NOT_AFFECTED], &[]);
    for (id, further) in [
        ("pkg:deb/debian/bash", &*system("11")),
        (package, &*system("12")),
        (package, r#""identifiers":{"cpe23":"cpe:2.3:a:openssl:openssl:3"}"#),
        (package, r#""identifiers":{"purl":"pkg:deb/debian/libssl1.1@1.1.1l-1"}"#),
        (package, r#""identifiers":{"purl":"pkg:deb/debian/bash"}"#),
        (package, r#""identifiers":{"purl":"PKG:deb/debian/bash"}"#),
        (package, r#""identifiers":{"swid":"x"}"#),
        (package, r#""hashes":{"md5":"00"}"#),
        ("urn:fathom:machine:web-2", r#""identifiers":{"purl":"pkg:deb/debian/libssl1.1"}"#),
        ("urn:fathom:machine:web-2", &*system("11")),
        ("other.qcow2", &*system("11")),
        ("urn:fathom:machine:web-1", &*system("12")),
    ] {
        check(&[&of(id, further)], &[], &[]);
    }
}

/// What comes through a pipe is no machine of its own: another one comes so too.
#[test]
fn what_has_no_name_is_no_machine() {
    for (subject, machine, expected) in [
        ("web.qcow2", "urn:fathom:machine:web.qcow2", 1),
        ("-", "urn:fathom:machine:-", 0),
        ("-", "urn:fathom:machine:%2D", 0),
        ("-", "-", 0),
        ("", "urn:fathom:machine:", 0),
        // By the name of the machine itself it is one.
        ("-", "urn:fathom:machine:web-1", 1),
    ] {
        let product = format!(
            r#"{{"@id":"{machine}","subcomponents":[{{"@id":"pkg:deb/debian/libssl1.1"}}]}}"#
        );
        let text = about(&product, "not_affected");
        let document = Document::parse(&text, "a").unwrap_or_else(|why| panic!("{why}"));
        let mut found = Findings { subject: subject.to_owned(), ..findings() };
        assert_eq!(apply(&mut found, &[document]).excepted, expected, "{subject}: {machine}");
    }
}

#[test]
fn parts_are_packages_of_the_machine() {
    let of = |product: &str, part: &str| {
        about(
            &format!(r#"{{"@id":"{product}","subcomponents":[{{"@id":"{part}"}}]}}"#),
            "not_affected",
        )
    };
    let package = "pkg:deb/debian/libssl1.1";
    check(&[&of("urn:fathom:machine:web.qcow2", package)], &[NOT_AFFECTED], &[]);
    check(&[&of("urn:fathom:machine:web-1", package)], &[NOT_AFFECTED], &[]);
    check(&[&of("web.qcow2", package)], &[NOT_AFFECTED], &[]);
    check(&[&of("cpe:/o:debian:debian_linux:11", package)], &[NOT_AFFECTED], &[]);
    check(&[&of("urn:fathom:machine:web-2", package)], &[], &[]);
    check(&[&of("web.qcow2", "pkg:deb/debian/libssl3")], &[], &[]);
    // Nor is what lies within a part.
    let within = of("web.qcow2", package).replace(
        &format!(r#"{{"@id":"{package}"}}"#),
        &format!(r#"{{"@id":"{package}","subcomponents":[{{"@id":"pkg:generic/x"}}]}}"#),
    );
    check(&[&within], &[], &[]);
    // What lies within the package is not looked at.
    check(&[&of(package, "pkg:golang/x")], &[], &[]);
    check(&[&of("pkg:deb/debian/nginx", package)], &[], &[]);
}

#[test]
fn a_system_has_its_own_packages_and_no_others() {
    let system = r#"{"@id":"cpe:2.3:o:debian:debian_linux:11:*:*:*:*:*:*:*"}"#;
    check(&[&about(system, "not_affected")], &[NOT_AFFECTED], &[]);
    let machine = r#"{"@id":"urn:fathom:machine:web.qcow2"}"#;
    let both =
        [NOT_AFFECTED, "cryptography: it is not affected: vulnerable_code_not_in_execute_path"];
    check(&[&about(machine, "not_affected")], &both, &[]);
}

#[test]
fn the_latest_statement_counts() {
    let one = |status: &str, time: &str| {
        let time =
            if time.is_empty() { String::new() } else { format!(r#""timestamp":"{time}","#) };
        format!(
            r#"{{"vulnerability":{{"name":"CVE-2021-3711"}},"products":[{{"@id":"pkg:deb/debian/libssl1.1"}}],{time}"status":"{status}","impact_statement":"why"}}"#
        )
    };
    let apart: &[&str] = &["libssl1.1: it is not affected: why"];
    let noted: &[&str] = &["libssl1.1: affected"];
    let (early, late) = ("2023-02-01T00:00:00Z", "2023-02-01T00:00:00-01:00");
    for (first, second, is_apart) in [
        (one("affected", early), one("not_affected", late), true),
        (one("not_affected", late), one("affected", early), true),
        (one("not_affected", early), one("affected", late), false),
        // Of one moment the later one counts; a statement without a time has that of the document.
        (one("affected", ""), one("not_affected", ""), true),
        (one("not_affected", ""), one("affected", ""), false),
        (one("affected", early), one("not_affected", ""), false),
    ] {
        let in_one = openvex(&format!("{first},{second}"));
        let (apart, noted) = if is_apart { (apart, &[][..]) } else { (&[][..], noted) };
        check(&[&in_one], apart, noted);
        check(&[&openvex(&first), &openvex(&second)], apart, noted);
    }
}

#[test]
fn names_of_flaws_may_be_others() {
    let of = |vulnerability: &str| {
        openvex(&format!(
            r#"{{"vulnerability":{vulnerability},"products":[{{"@id":"pkg:deb/debian/libssl1.1"}}],"status":"affected","action_statement":"wait"}}"#
        ))
    };
    let noted = &["libssl1.1: affected"];
    check(&[&of(r#"{"name":"DEBIAN-CVE-2021-3711"}"#)], &[], noted);
    check(&[&of(r#"{"name":"GHSA-1","aliases":["CVE-2021-3711"]}"#)], &[], noted);
    check(
        &[&of(r#"{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2021-3711","name":""}"#)],
        &[],
        noted,
    );
    check(
        &[&of(r#"{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2021-3711","name":"CVE-2000-1"}"#)],
        &[],
        &[],
    );
    check(&[&of(r#""CVE-2021-3711""#)], &[], noted);
    check(&[&of(r#"{"name":"CVE-2021-37110"}"#)], &[], &[]);
}

#[test]
fn openvex_of_the_first_versions_has_plain_names() {
    let old = r#"{"@context":"https://openvex.dev/ns","@id":"https://openvex.dev/docs/example/vex-1","author":"W <w@example.com>","role":"Document Creator","timestamp":"2023-01-08T18:02:03.647787998-06:00","version":"1","statements":[{"vulnerability":"CVE-2021-3711","products":["web.qcow2"],"subcomponents":["pkg:deb/debian/libssl1.1"],"status":"not_affected","justification":"vulnerable_code_not_in_execute_path"}]}"#;
    check(&[old], &[NOT_AFFECTED], &[]);
    check(&[&old.replace("web.qcow2", "other.qcow2")], &[], &[]);
}

/// A CSAF document, whose status this is, with a package by itself and one on a platform.
fn csaf(status: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_vex","csaf_version":"2.0","publisher":{{"category":"vendor","name":"A vendor","namespace":"https://a.example"}},"tracking":{{"id":"2022-EVD-1","status":"final","current_release_date":"2022-03-03T11:00:00.000Z"}}}},"product_tree":{{"branches":[{{"category":"vendor","name":"Debian","branches":[{{"category":"product_version","name":"11","product":{{"name":"Debian 11","product_id":"debian-11","product_identification_helper":{{"cpe":"cpe:/o:debian:debian_linux:11"}}}}}},{{"category":"product_version","name":"12","product":{{"name":"Debian 12","product_id":"debian-12","product_identification_helper":{{"cpe":"cpe:/o:debian:debian_linux:12"}}}}}}]}}],"full_product_names":[{{"name":"openssl","product_id":"openssl","product_identification_helper":{{"purl":"pkg:deb/debian/openssl?arch=source"}}}}],"relationships":[{{"category":"default_component_of","product_reference":"openssl","relates_to_product_reference":"debian-11","full_product_name":{{"name":"openssl in 11","product_id":"debian-11:openssl"}}}},{{"category":"default_component_of","product_reference":"openssl","relates_to_product_reference":"debian-12","full_product_name":{{"name":"openssl in 12","product_id":"debian-12:openssl"}}}}],"product_groups":[{{"group_id":"all","product_ids":["debian-11:openssl","debian-12:openssl"]}}]}},"vulnerabilities":[{{"cve":"CVE-2021-3711","product_status":{status},"flags":[{{"label":"component_not_present","group_ids":["all"]}}],"threats":[{{"category":"impact","details":"built without SM2","product_ids":["debian-11:openssl","openssl"]}}],"remediations":[{{"category":"none_available","details":"wait","product_ids":["debian-11:openssl"]}}]}}]}}"#
    )
}

#[test]
fn csaf_names_products_in_a_tree() {
    let apart = &["libssl1.1: it is not affected: built without SM2"];
    check(&[&csaf(r#"{"known_not_affected":["debian-11:openssl"]}"#)], apart, &[]);
    check(&[&csaf(r#"{"known_not_affected":["openssl"]}"#)], apart, &[]);
    check(&[&csaf(r#"{"known_not_affected":["debian-12:openssl"]}"#)], &[], &[]);
    check(&[&csaf(r#"{"known_not_affected":["debian-12"]}"#)], &[], &[]);
    check(
        &[&csaf(r#"{"known_not_affected":["debian-11"]}"#)],
        &["libssl1.1: it is not affected"],
        &[],
    );
    check(&[&csaf(r#"{"fixed":["debian-11:openssl"]}"#)], &["libssl1.1: it is mended"], &[]);
    check(
        &[&csaf(
            r#"{"known_affected":["debian-11:openssl"],"known_not_affected":["debian-12:openssl"]}"#,
        )],
        &[],
        &["libssl1.1: affected"],
    );
    check(
        &[&csaf(r#"{"under_investigation":["debian-11:openssl"]}"#)],
        &[],
        &["libssl1.1: under_investigation"],
    );
    // A platform within a component is none.
    let ring = csaf(r#"{"known_not_affected":["debian-11:openssl"]}"#).replacen(
        "\"relates_to_product_reference\":\"debian-11\"",
        "\"relates_to_product_reference\":\"openssl\"",
        1,
    );
    check(&[&ring], &[], &[]);
}

/// A product at the end of a way of branches, with this helper, is said to be mended.
#[track_caller]
fn check_way(way: &[(&str, &str)], helper: &str, is_meant: bool) {
    let leaf = format!(
        r#""product":{{"product_id":"p","name":"A product","product_identification_helper":{{{helper}}}}}"#
    );
    let branch = way.iter().rev().fold(leaf, |within, (category, name)| {
        let within = match within.starts_with('{') {
            true => format!(r#""branches":[{within}]"#),
            false => within,
        };
        format!(r#"{{"category":"{category}","name":"{name}",{within}}}"#)
    });
    let text = csaf(r#"{"fixed":["p"]}"#).replacen(
        r#""branches":["#,
        &format!(r#""branches":[{branch},"#),
        1,
    );
    let apart: &[&str] = if is_meant { &["libssl1.1: it is mended"] } else { &[] };
    check(&[&text], apart, &[]);
}

#[test]
fn the_way_to_a_product_is_said_of_it() {
    let purl = r#""purl":"pkg:deb/debian/libssl1.1""#;
    let sources = r#""purl":"pkg:deb/debian/openssl@1.1.1k-1?arch=source""#;
    let system = r#""cpe":"cpe:/o:debian:debian_linux:11""#;
    let named = [("vendor", "Debian"), ("product_name", "OpenSSL")];
    let end = |category, name| [named[0], named[1], (category, name)];
    check_way(&named, purl, true);
    check_way(&end("product_version", "1.1.1k-1"), purl, true);
    check_way(&end("product_version", "libssl1.1"), purl, true);
    check_way(&end("architecture", "amd64"), purl, true);
    check_way(
        &[("architecture", "source"), ("product_version", "openssl-1.1.1k-1.source")],
        sources,
        true,
    );
    check_way(&end("product_version", "11"), system, true);
    check_way(&end("product_version", "1.1.1l-1"), purl, false);
    check_way(&end("product_version_range", "vers:deb/>=1.1.1l"), purl, false);
    check_way(&end("architecture", "arm64"), purl, false);
    check_way(&end("architecture", "arm64"), system, false);
    check_way(&end("product_version", "12"), system, false);
    check_way(&end("patch_level", "1"), system, false);
    check_way(&[("architecture", "arm64"), ("product_version", "1.1.1k-1")], purl, false);
    check_way(&[("architecture", "amd64"); 4], purl, false);
    for other in
        ["hashes", "serial_numbers", "x_generic_uris", "sbom_urls", "model_numbers", "skus"]
    {
        check_way(&named, &format!(r#"{purl},"{other}":[]"#), false);
    }
    check_way(&named, &format!("{purl},{system}"), true);
    check_way(&named, &format!(r#""purl":"pkg:deb/debian/bash",{system}"#), false);
}

/// A CycloneDX document about this, with this analysis of one reference.
fn cyclonedx(whole: &str, reference: &str, state: &str) -> String {
    format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"metadata":{{"timestamp":"2023-01-01T00:00:00Z"{whole}}},"components":[{{"type":"library","bom-ref":"a","name":"openssl","purl":"{OPENSSL}"}}],"vulnerabilities":[{{"id":"CVE-2021-3711","analysis":{{"state":"{state}","justification":"code_not_reachable","response":["will_not_fix"],"detail":"no SM2"}},"affects":[{{"ref":"{reference}"}}]}}]}}"#
    )
}

#[test]
fn cyclonedx_refers_to_components() {
    let apart = &["libssl1.1: it is not affected: no SM2"];
    for state in ["not_affected", "false_positive"] {
        check(&[&cyclonedx("", "a", state)], apart, &[]);
    }
    check(&[&cyclonedx("", "a", "resolved")], &["libssl1.1: it is mended: no SM2"], &[]);
    check(&[&cyclonedx("", "a", "exploitable")], &[], &["libssl1.1: affected"]);
    check(&[&cyclonedx("", "a", "in_triage")], &[], &["libssl1.1: under_investigation"]);
    let elsewhere =
        "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:deb/debian/libssl1.1@1.1.1k-1";
    // Whose component that is, only a document says that is about something itself.
    check(&[&cyclonedx("", elsewhere, "not_affected")], &[], &[]);
    check(&[&cyclonedx("", "pkg:deb/debian/libssl1.1", "not_affected")], apart, &[]);
    check(&[&cyclonedx("", "b", "not_affected")], &[], &[]);
    // Components of another machine.
    let of = |name: &str| {
        format!(r#","component":{{"type":"container","bom-ref":"m","name":"{name}"}}"#)
    };
    for reference in ["a", elsewhere, "pkg:deb/debian/libssl1.1"] {
        check(&[&cyclonedx(&of("web.qcow2"), reference, "not_affected")], apart, &[]);
        check(&[&cyclonedx(&of("other.qcow2"), reference, "not_affected")], &[], &[]);
    }
    // Nor are components of a component those of the machine.
    let nested = |whole: &str| {
        let parts = format!(r#""components":[{{"bom-ref":"p","name":"p","purl":"{OPENSSL}"}}]"#);
        let text = cyclonedx(&of(whole), "p", "not_affected");
        [
            text.replace(r#""bom-ref":"m","#, &format!(r#""bom-ref":"m",{parts},"#)),
            text.replace(r#""bom-ref":"a","#, &format!(r#""bom-ref":"a",{parts},"#)),
        ]
    };
    let [in_machine, in_package] = nested("web.qcow2");
    check(&[&in_machine], apart, &[]);
    check(&[&in_package], &[], &[]);
    let [in_other, in_package] = nested("other.qcow2");
    check(&[&in_other, &in_package], &[], &[]);
    // All that is said of a component counts.
    let said = |field: &str| {
        let of = format!(r#""bom-ref":"a",{field},"#);
        cyclonedx("", "a", "not_affected").replace(r#""bom-ref":"a","#, &of)
    };
    check(&[&said(r#""version":"1.1.1k-1""#)], apart, &[]);
    check(&[&said(r#""cpe":"cpe:/o:debian:debian_linux:11""#)], apart, &[]);
    check(&[&said(r#""version":"1.1.1l-1""#)], &[], &[]);
    check(&[&said(r#""cpe":"cpe:/o:debian:debian_linux:12""#)], &[], &[]);
    check(&[&said(r#""hashes":[{"alg":"MD5","content":"00"}]"#)], &[], &[]);
    let system = cyclonedx("", "a", "not_affected")
        .replace(&format!(r#""purl":"{OPENSSL}""#), r#""cpe":"cpe:/o:debian:debian_linux:11""#);
    check(&[&system.replace("library", "operating-system")], apart, &[]);
    check(&[&system], &[], &[]);
    let both = [apart[0], "cryptography: it is not affected: no SM2"];
    check(&[&cyclonedx(&of("web.qcow2"), "m", "not_affected")], &both, &[]);
    check(&[&cyclonedx(&of("other.qcow2"), "m", "not_affected")], &[], &[]);
    let versions = |listed: &str| {
        let said = format!(r#""ref":"a","versions":[{listed}]"#);
        cyclonedx("", "a", "not_affected").replace(r#""ref":"a""#, &said)
    };
    check(&[&versions(r#"{"version":"1.1.1k-1","status":"unaffected"}"#)], apart, &[]);
    check(&[&versions(r#"{"version":"1.1.1k-1","status":"affected"}"#)], &[], &[]);
    check(&[&versions(r#"{"version":"1.1.1j-1","status":"unaffected"}"#)], &[], &[]);
    check(&[&versions(r#"{"range":"vers:deb/<2","status":"unaffected"}"#)], &[], &[]);
}

#[test]
fn what_makes_no_sense_is_an_error_that_says_where() {
    let about_openssl = about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "not_affected");
    let affected = csaf(r#"{"known_affected":["debian-11:openssl"]}"#);
    let (open, close) = ("[{\"components\":".repeat(5000), "}]".repeat(5000));
    let nested = format!("{{\"bomFormat\":\"CycloneDX\",\"components\":{open}[]{close}}}");
    for (text, why) in [
        ("", "line 1 column 0"),
        ("[]", "line 1 column"),
        ("{}", "neither OpenVEX nor CSAF nor CycloneDX"),
        (r#"{"@context":"https://a.example"}"#, "@context: "),
        (&about_openssl.replace("/ns/v0.2.0", "/nsfoo"), "@context: "),
        (&about_openssl.replace("/ns/v0.2.0", "/ns/v9.9.9"), "@context: "),
        (&about_openssl.replace("\"not_affected\"", "\"harmless\""), "unknown variant `harmless`"),
        (
            &about_openssl.replace("\"justification\"", "\"reason\""),
            "statements[0]: it is not_affected, with neither",
        ),
        (
            &about_openssl.replace("CVE-2021-3711", ""),
            "statements[0].vulnerability: it names no flaw",
        ),
        (&about_openssl.replace("2023-01-08T", "2023-01-08"), "timestamp: \"2023-01-08"),
        (&about_openssl.replace("\"statements\"", "\"statement\""), "missing field `statements`"),
        (&affected.replace("\"2.0\"", "\"1.0\""), "document.csaf_version"),
        (&affected.replace("\"final\"", "\"draft\""), "it is a draft"),
        (
            &csaf(r#"{"known_affected":["nothing"]}"#),
            "vulnerabilities[0].product_status.known_affected: there is no product \"nothing\"",
        ),
        (&csaf(r#"{"known_affected":["openssl"],"fixed":["openssl"]}"#), "says otherwise"),
        (&affected.replace("\"cve\"", "\"cwe\""), "vulnerabilities[0]: it names no flaw"),
        (
            &affected.replacen("\"product_id\":\"debian-12\"", "\"product_id\":\"debian-11\"", 1),
            "is there twice",
        ),
        (&cyclonedx("", "a", "fine"), "unknown variant `fine`"),
        (&cyclonedx("", "a", "resolved").replace("CycloneDX", "Cyclone"), "bomFormat"),
        (&"[".repeat(200_000), "recursion limit"),
        (&nested, "recursion limit"),
    ] {
        let error = Document::parse(text, "a.json").err().map(|it| it.to_string());
        let error = error.unwrap_or_default();
        let beginning = text.get(..100).unwrap_or(text);
        assert!(error.contains(why), "{beginning}: {error:?} is not {why}");
    }
}

#[test]
fn a_document_has_its_bounds() {
    let many = |count: usize| vec!["\"\""; count].join(",");
    let wide = format!(
        r#"{{"@context":"https://openvex.dev/ns","author":"","statements":[{{"vulnerability":"CVE-2021-3711","products":[{0}],"subcomponents":[{0}],"status":"fixed"}}]}}"#,
        many(1000)
    );
    let error = Document::parse(&wide, "a").err().map(|it| it.to_string()).unwrap_or_default();
    assert!(error.starts_with("statements[].subcomponents: there are more than"), "{error}");
    let group = format!(
        "{{\"group_id\":\"g\",\"product_ids\":[{}]}}",
        vec!["\"openssl\""; 20_000].join(",")
    );
    let flags = vec![r#"{"label":"component_not_present","group_ids":["g"]}"#; 100].join(",");
    let grouped = csaf(r#"{"known_affected":["openssl"]}"#)
        .replacen("\"product_groups\":[", &format!("\"product_groups\":[{group},"), 1)
        .replacen("\"flags\":[", &format!("\"flags\":[{flags},"), 1);
    let error = Document::parse(&grouped, "a").err().map(|it| it.to_string()).unwrap_or_default();
    assert!(error.contains("they are too large"), "{error}");
    let long = about(r#"{"@id":"pkg:deb/debian/libssl1.1"}"#, "not_affected")
        .replace("vulnerable_code_not_in_execute_path", &"é".repeat(9000));
    let (apart, _, _) = outcome(&[&long]);
    assert!(apart[0].len() < 5000, "{}", apart[0].len());
}
