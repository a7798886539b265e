//! Documents of Red Hat, cut to their facts, and what machines are told of by them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use fathom_advisory::risk::Weights;
use fathom_advisory::segment::{About, Segment};
use fathom_advisory::{Database, Day, Options};
use fathom_feed::provider::Provider;
use fathom_report::finding::{Findings, Severity, State};
use fathom_report::{Fact, Family, Listing, Package, PackageKind, Report, System};
use serde_json::{Value, json};

/// CVE-2022-42896, of which the stream of RHEL 8.6 that is cared for longer has its own fix.
fn kernel() -> Value {
    let main = "BaseOS-8.8.0.Z.MAIN.EUS";
    let longer = "BaseOS-8.6.0.Z.EUS";
    document(
        "CVE-2022-42896",
        "Important",
        &[
            (main, "cpe:/o:redhat:enterprise_linux:8::baseos"),
            (longer, "cpe:/o:redhat:rhel_eus:8.6::baseos"),
            ("red_hat_enterprise_linux_7", "cpe:/o:redhat:enterprise_linux:7"),
            ("red_hat_enterprise_linux_6", "cpe:/o:redhat:enterprise_linux:6"),
            ("red_hat_openshift_4", "cpe:/a:redhat:openshift:4"),
        ],
        &[
            (
                "kernel-0:4.18.0-477.21.1.el8_8.src",
                "pkg:rpm/redhat/kernel@4.18.0-477.21.1.el8_8?arch=src",
            ),
            (
                "kernel-core-0:4.18.0-477.21.1.el8_8.x86_64",
                "pkg:rpm/redhat/kernel-core@4.18.0-477.21.1.el8_8?arch=x86_64",
            ),
            (
                "kernel-0:4.18.0-372.70.1.el8_6.src",
                "pkg:rpm/redhat/kernel@4.18.0-372.70.1.el8_6?arch=src",
            ),
            ("kernel", ""),
            ("kernel-rt", "pkg:rpm/redhat/kernel-rt?arch=src"),
            ("image", "pkg:oci/image-rhel8?repository_url=registry.redhat.io/a/image-rhel8"),
        ],
        json!({
            "fixed": [
                format!("{main}:kernel-0:4.18.0-477.21.1.el8_8.src"),
                format!("{main}:kernel-core-0:4.18.0-477.21.1.el8_8.x86_64"),
                format!("{longer}:kernel-0:4.18.0-372.70.1.el8_6.src"),
            ],
            "known_affected": ["red_hat_enterprise_linux_7:kernel", "red_hat_enterprise_linux_6:kernel", "red_hat_openshift_4:image"],
            "known_not_affected": ["red_hat_enterprise_linux_7:kernel-rt"],
            "under_investigation": ["red_hat_enterprise_linux_6:kernel-rt"],
        }),
        json!([
            {"category": "vendor_fix", "details": "For details …", "product_ids": [format!("{main}:kernel-0:4.18.0-477.21.1.el8_8.src")], "url": "https://access.redhat.com/errata/RHSA-2023:4517"},
            {"category": "no_fix_planned", "details": "Out of support scope", "product_ids": ["red_hat_enterprise_linux_6:kernel"]},
            {"category": "none_available", "details": "Fix deferred", "product_ids": ["red_hat_enterprise_linux_7:kernel"]},
            {"category": "workaround", "details": "Do not load it", "product_ids": ["red_hat_enterprise_linux_7:kernel"]},
        ]),
    )
}

/// A document of these products, packages and statements. What stands in what has the names of both.
fn document(
    flaw: &str,
    severity: &str,
    products: &[(&str, &str)],
    packages: &[(&str, &str)],
    status: Value,
    remediations: Value,
) -> Value {
    let product = |(id, cpe): &(&str, &str)| json!({"category": "product_name", "name": id, "product": {"name": id, "product_id": id, "product_identification_helper": {"cpe": cpe}}});
    let package = |(id, purl): &(&str, &str)| match *purl {
        "" => {
            json!({"category": "product_version", "name": id, "product": {"name": id, "product_id": id}})
        }
        purl => {
            json!({"category": "product_version", "name": id, "product": {"name": id, "product_id": id, "product_identification_helper": {"purl": purl}}})
        }
    };
    let mut relationships = Vec::new();
    for (product, _) in products {
        for (package, _) in packages {
            relationships.push(json!({
                "category": "default_component_of",
                "full_product_name": {"name": "", "product_id": format!("{product}:{package}")},
                "product_reference": package,
                "relates_to_product_reference": product,
            }));
        }
    }
    let products: Vec<_> = products.iter().map(product).collect();
    let packages: Vec<_> = packages.iter().map(package).collect();
    json!({
        "document": {
            "aggregate_severity": {"namespace": "https://access.redhat.com/security/updates/classification/", "text": severity},
            "category": "csaf_vex",
            "title": format!("title of {flaw}"),
            "tracking": {"id": flaw, "status": "final", "current_release_date": "2025-02-01T15:14:45+00:00", "initial_release_date": "2022-11-23T00:00:00+00:00"},
        },
        "product_tree": {
            "branches": [{"category": "vendor", "name": "Red Hat", "branches": [{"category": "product_family", "name": "Red Hat Enterprise Linux", "branches": products}, {"category": "architecture", "name": "src", "branches": packages}]}],
            "relationships": relationships,
        },
        "vulnerabilities": [{
            "cve": flaw,
            "cwe": {"id": "CWE-416", "name": "Use After Free"},
            "notes": [{"category": "description", "text": "described", "title": "Vulnerability description"}],
            "product_status": status,
            "remediations": remediations,
            "references": [{"category": "self", "url": format!("https://access.redhat.com/security/cve/{flaw}")}],
            "release_date": "2022-11-23T00:00:00+00:00",
            "scores": [{"cvss_v3": {"baseScore": 8.1, "vectorString": "CVSS:3.1/AV:A/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", "version": "3.1"}, "products": []}],
            "threats": [{"category": "impact", "details": severity, "product_ids": []}, {"category": "exploit_status", "details": "no", "product_ids": []}],
        }],
    })
}

fn add(folder: &Path, feed: &str, content: &str) -> About {
    let path = folder.join(feed);
    std::fs::write(&path, content).unwrap();
    Provider::of(&path).unwrap().compile(&path, folder, "").unwrap()
}

fn lines(documents: &[Value]) -> String {
    documents.iter().map(|it| format!("{it}\n")).collect()
}

/// All that is said in a file: ecosystem, package, where it ends, state, and what it holds for alone.
fn said(folder: &Path, provider: &str) -> Vec<String> {
    let segment = Segment::open(&folder.join(format!("{provider}.advisories"))).unwrap();
    let mut said = Vec::new();
    for namespace in segment.namespaces().unwrap() {
        for named in segment.all(&namespace) {
            let (name, rows) = named.unwrap();
            for row in rows {
                let upper = row.upper.map_or("-", |upper| upper.text);
                let product = namespace.name.strip_prefix("Red Hat:").unwrap();
                let of = row.qualifier.map_or(String::new(), |it| format!(" {it}"));
                let severity = row.severity.map_or(String::new(), |it| format!(" {it:?}"));
                said.push(format!("{product} {name} {upper} {}{of}{severity}", row.state.name()));
            }
        }
    }
    said.sort();
    said
}

fn package(name: &str, source: &str, version: &str, release: &str) -> Package {
    let mut package = Package::bare(PackageKind::Rpm, name, version, "rpmdb");
    package.release = Some(release.to_owned());
    package.source = Some(source.to_owned());
    package.vendor = Some("Red Hat, Inc.".to_owned());
    package
}

fn system(version: &str, packages: Vec<Package>) -> System {
    let mut system = System::unknown("/", Family::Linux, "not asked");
    system.identity.distribution = Fact::known("rhel".to_owned(), "test");
    system.identity.version = Fact::known(version.to_owned(), "test");
    system.packages = Listing::complete(packages, Vec::new());
    system
}

fn scan(folder: &Path, system: System) -> Findings {
    let options = Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of("2026-01-02"),
        generator: "test".to_owned(),
    };
    let database = Database::open(folder).unwrap();
    let report = Report::of(vec![system], "not asked");
    fathom_advisory::scan(&report, "test", &database, &options).unwrap()
}

fn shown(findings: &Findings) -> Vec<String> {
    let shown = findings.vulnerabilities.iter().map(|it| {
        let fix = it.fixed_version.as_deref().unwrap_or("-");
        let from = it.fixed_in.as_deref().map_or(String::new(), |it| format!(" ({it})"));
        format!("{} {} {fix} {}{from}", it.package, it.cve_id, it.state.name())
    });
    let mut shown: Vec<_> = shown.collect();
    shown.sort();
    shown
}

#[test]
fn a_document_says_how_every_product_stands() {
    let folder = tempfile::tempdir().unwrap();
    let about = add(folder.path(), "csaf_vex_2025-02-01.json", &lines(&[kernel()]));
    assert_eq!((about.malformed, about.advisories), (0, 1), "{:?}", about.examples);
    assert_eq!(about.as_of, "2025-02-01");
    assert_eq!(
        said(folder.path(), "redhat-vex"),
        [
            "enterprise_linux:6 kernel - end-of-life",
            "enterprise_linux:6 kernel-rt - under-investigation",
            "enterprise_linux:7 kernel - deferred",
            "enterprise_linux:7 kernel-rt - not-affected",
            "enterprise_linux:8::baseos kernel 4.18.0-477.21.1.el8_8 fixed",
            "rhel_eus:8.6::baseos kernel 4.18.0-372.70.1.el8_6 fixed",
        ]
    );
    let segment = Segment::open(&folder.path().join("redhat-vex.advisories")).unwrap();
    let advisory = segment.advisory(0).unwrap();
    assert_eq!((advisory.name, advisory.severity), ("CVE-2022-42896", Some(Severity::High)));
    assert_eq!((advisory.weaknesses.as_slice(), advisory.vectors[0].score), (&[416][..], 75));
    let texts = segment.texts(0).unwrap();
    assert_eq!(texts.details, "described");
    assert_eq!(texts.references[0], "https://access.redhat.com/errata/RHSA-2023:4517");
}

/// nodejs:16 of RHSA-2021:5171, as documents named what is in modules until 2024, and as they do since.
#[test]
fn packages_of_modules_have_their_streams() {
    let product = "AppStream-8.5.0.Z.MAIN";
    let module = "nodejs:16:8050020211206113934:c5368500";
    let package = "nodejs-1:16.13.1-3.module+el8.5.0+13548+45d748af.src";
    let helper = |id: &str, key: &str, value: &str| json!({"category": "product_version", "name": id, "product": {"name": id, "product_id": id, "product_identification_helper": {key: value}}});
    let relation = |id: &str, what: &str, of: &str| json!({"category": "default_component_of", "full_product_name": {"name": "", "product_id": id}, "product_reference": what, "relates_to_product_reference": of});
    let purl =
        "pkg:rpm/redhat/nodejs@16.13.1-3.module%2Bel8.5.0%2B13548%2B45d748af?arch=src&epoch=1";
    let since = format!("{package}::nodejs:16");
    let mut old = document(
        "CVE-2021-3918",
        "Moderate",
        &[],
        &[],
        json!({"fixed": [format!("{product}:{module}:{package}")], "known_affected": ["red_hat_enterprise_linux_8:nodejs:12/nodejs"]}),
        json!([{"category": "no_fix_planned", "details": "Will not fix", "product_ids": ["red_hat_enterprise_linux_8:nodejs:12/nodejs"]}]),
    );
    old["product_tree"] = json!({
        "branches": [
            helper(product, "cpe", "cpe:/a:redhat:enterprise_linux:8::appstream"),
            helper("red_hat_enterprise_linux_8", "cpe", "cpe:/o:redhat:enterprise_linux:8"),
            helper(module, "purl", "pkg:rpmmod/redhat/nodejs@16:8050020211206113934:c5368500"),
            helper(package, "purl", purl),
        ],
        "relationships": [
            relation(&format!("{product}:{module}"), module, product),
            relation(&format!("{product}:{module}:{package}"), package, &format!("{product}:{module}")),
            relation("red_hat_enterprise_linux_8:nodejs:12/nodejs", "nodejs:12/nodejs", "red_hat_enterprise_linux_8"),
        ],
    });
    let mut new = document(
        "CVE-2021-22959",
        "Moderate",
        &[(product, "cpe:/a:redhat:enterprise_linux:8::appstream")],
        &[(&since, &format!("{purl}&rpmmod=nodejs:16:8050020211206113934:c5368500"))],
        json!({"fixed": [format!("{product}:{since}")]}),
        json!([]),
    );
    // How bad it is in one product may be another matter.
    new["vulnerabilities"][0]["threats"] = json!([{"category": "impact", "details": "Low", "product_ids": [format!("{product}:{since}")]}]);
    let folder = tempfile::tempdir().unwrap();
    let about = add(folder.path(), "redhat-vex.jsonl", &lines(&[old, new]));
    assert_eq!(about.malformed, 0, "{:?}", about.examples);
    let fixed =
        "enterprise_linux:8::appstream nodejs 1:16.13.1-3.module+el8.5.0+13548+45d748af fixed";
    assert_eq!(
        said(folder.path(), "redhat-vex"),
        [
            format!("{fixed} nodejs:16"),
            format!("{fixed} nodejs:16 Low"),
            "enterprise_linux:8 nodejs - will-not-fix nodejs:12".to_owned(),
        ]
        .into_iter()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
    );
}

#[test]
fn what_makes_no_sense_is_counted() {
    let product = [("p", "cpe:/o:redhat:enterprise_linux:8")];
    let unnamed = document(
        "CVE-2024-0001",
        "Low",
        &product,
        &[("a", "pkg:rpm/redhat/a?arch=src")],
        json!({"known_affected": ["p:a", "p:b", "p:c"]}),
        json!([]),
    );
    let binary = document(
        "CVE-2024-0002",
        "Low",
        &product,
        &[("a.x", "pkg:rpm/redhat/a@1-1?arch=x86_64")],
        json!({"fixed": ["p:a.x"]}),
        json!([]),
    );
    let versionless = document(
        "CVE-2024-0003",
        "Low",
        &product,
        &[("a", "pkg:rpm/redhat/a?arch=src")],
        json!({"fixed": ["p:a"]}),
        json!([]),
    );
    let mut twice = document(
        "CVE-2024-0004",
        "Low",
        &product,
        &[("a", ""), ("b", "")],
        json!({"known_affected": ["p:a"]}),
        json!([]),
    );
    twice["product_tree"]["relationships"][1]["full_product_name"]["product_id"] = json!("p:a");
    let other = document("RHSA-2024:1", "Low", &product, &[], json!({}), json!([]));
    let mut deleted = document(
        "CVE-2024-0005",
        "Low",
        &product,
        &[("a", "")],
        json!({"known_affected": ["p:a"]}),
        json!([]),
    );
    deleted["document"]["tracking"]["status"] = json!("deleted");
    let mut deep = document("CVE-2024-0006", "Low", &product, &[], json!({}), json!([]));
    for _ in 0..200 {
        let branches = deep["product_tree"]["branches"].take();
        deep["product_tree"]["branches"] = json!([{ "branches": branches }]);
    }
    let folder = tempfile::tempdir().unwrap();
    let all = [unnamed, binary, versionless, twice, other, deleted, deep];
    let about = add(folder.path(), "redhat-vex.jsonl", &lines(&all));
    let beginnings: Vec<_> =
        about.examples.iter().map(|it| it.split(':').next().unwrap_or_default()).collect();
    assert_eq!(
        beginnings,
        ["CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003", "CVE-2024-0004", "RHSA-2024", "line 7"]
    );
    assert!(about.examples[5].contains("recursion"), "{:?}", about.examples);
    assert_eq!(said(folder.path(), "redhat-vex"), ["enterprise_linux:8 a - affected"]);
}

/// The same of the same flaw in the forms that Red Hat had before.
const OSV: &str = r#"{"id":"RHSA-2023:4517","related":["CVE-2022-42896"],"summary":"Red Hat Security Advisory: kernel security update","modified":"2024-11-22T22:32:23Z","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::baseos","name":"kernel-core"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:4.18.0-477.21.1.el8_8"}]}]}]}
{"id":"RHSA-2023:4789","related":["CVE-2022-42896"],"summary":"Red Hat Security Advisory: kernel security update","modified":"2024-11-22T22:32:23Z","affected":[{"package":{"ecosystem":"Red Hat:rhel_eus:8.6::baseos","name":"kernel-core"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:4.18.0-372.70.1.el8_6"}]}]}]}
"#;
const API: &str = r#"{"name":"CVE-2022-42896","threat_severity":"Important","public_date":"2022-11-23T00:00:00Z","affected_release":[{"cpe":"cpe:/o:redhat:enterprise_linux:8::baseos","package":"kernel-0:4.18.0-477.21.1.el8_8"}],"package_state":[{"cpe":"cpe:/o:redhat:enterprise_linux:7","fix_state":"Affected","package_name":"kernel"},{"cpe":"cpe:/o:redhat:enterprise_linux:7","fix_state":"Affected","package_name":"kernel-rt"}]}"#;

#[test]
fn what_is_said_in_several_forms_is_told_once() {
    let kernel_of =
        |version: &str, release: &str| vec![package("kernel-core", "kernel", version, release)];
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "redhat-osv.jsonl", OSV);
    add(folder.path(), "redhat-cve-api.json", API);
    add(folder.path(), "redhat-vex.jsonl", &lines(&[kernel()]));
    let findings = scan(folder.path(), system("8.8", kernel_of("4.18.0", "477.10.1.el8_8")));
    assert_eq!(shown(&findings), ["kernel-core CVE-2022-42896 4.18.0-477.21.1.el8_8 fixed"]);
    let finding = &findings.vulnerabilities[0];
    let mut providers: Vec<_> = finding.because.iter().map(|it| it.provider.as_str()).collect();
    providers.sort_unstable();
    assert_eq!(providers, ["redhat", "redhat-cve", "redhat-vex"]);
    assert_eq!(*finding.advisories, ["RHSA-2023:4517"]);
    assert_eq!(finding.severity, Some(Severity::High));
    assert_eq!(finding.cvss_score, Some(7.5));
    // Each agrees that this has it.
    let findings = scan(folder.path(), system("8.8", kernel_of("4.18.0", "477.21.1.el8_8")));
    assert_eq!(shown(&findings), [""; 0]);
    // Where one knows what becomes of a flaw, and another that there is one, the former counts; and who
    // knows that a package never had it is believed.
    let findings = scan(folder.path(), system("7.9", kernel_of("3.10.0", "1160.el7")));
    assert_eq!(shown(&findings), ["kernel-core CVE-2022-42896 - deferred"]);
    let real_time = vec![package("kernel-rt", "kernel-rt", "3.10.0", "1160.rt56.el7")];
    assert_eq!(shown(&scan(folder.path(), system("7.9", real_time))), [""; 0]);
    assert_eq!(findings.vulnerabilities[0].state, State::Deferred);
}

/// Repositories of Red Hat 8, as its map has them.
const MAP: &str = r#"{
"data":{
"rhel-8-for-x86_64-baseos-rpms":{"cpes":["cpe:/o:redhat:enterprise_linux:8::baseos"],"repo_relative_urls":["content/dist/rhel8/8/x86_64/baseos/os"]},
"rhel-8-for-x86_64-baseos-eus-rpms":{"cpes":["cpe:/o:redhat:rhel_eus:8.4::baseos","cpe:/o:redhat:rhel_eus:8.6::baseos","cpe:/o:redhat:rhel_eus:8.8::baseos"],"repo_relative_urls":[]},
"rhocp-4.14-for-rhel-8-x86_64-rpms":{"cpes":["cpe:/a:redhat:openshift:4.14::el8"]},
"odd":{"cpes":["cpe:/o:other:x:1"]}}}"#;

/// What is said of a package of OpenShift, which the release has too.
const ON_TOP: &str = r#"{"id":"RHSA-2024:1","related":["CVE-2024-1000"],"affected":[{"package":{"ecosystem":"Red Hat:openshift:4.14::el8","name":"runc"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"3:1.1.12-1.rhaos4.14.el8"}]}]}]}
{"id":"RHSA-2024:2","related":["CVE-2024-1001"],"affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::baseos","name":"tar"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.30-9.el8"}]}]}]}
{"id":"RHSA-2022:3","related":["CVE-2022-1002"],"affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::baseos","name":"sed"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.5-5.el8_6"}]}]}]}
"#;

fn with_map(folder: &Path) {
    let about = add(folder, "repository-to-cpe.json", MAP);
    assert_eq!((about.malformed, about.statements), (1, 5), "{:?}", about.examples);
    add(folder, "redhat-vex.jsonl", &lines(&[kernel()]));
    add(folder, "redhat-osv.jsonl", &format!("{OSV}{ON_TOP}"));
}

fn from(repository: Option<&str>, mut package: Package) -> Package {
    package.origin = repository.map(str::to_owned);
    package
}

const LONGER: Option<&str> = Some("rhel-8-for-x86_64-baseos-eus-rpms");
const MAIN: Option<&str> = Some("rhel-8-for-x86_64-baseos-rpms");

#[test]
fn who_stays_with_a_minor_release_gets_its_fixes() {
    let folder = tempfile::tempdir().unwrap();
    with_map(folder.path());
    let of = |repository, version: &str, release: &str| {
        let kernel = from(repository, package("kernel-core", "kernel", "4.18.0", release));
        shown(&scan(folder.path(), system(version, vec![kernel])))
    };
    let own = ["kernel-core CVE-2022-42896 4.18.0-372.70.1.el8_6 fixed"];
    assert_eq!(of(LONGER, "8.6", "372.64.1.el8_6"), own);
    // What is mended there is mended, although the main stream has mended it in a later version.
    assert_eq!(of(LONGER, "8.6", "372.70.1.el8_6"), [""; 0]);
    // Nothing is known of where it is from, or it is from the main stream: then that counts.
    let main = ["kernel-core CVE-2022-42896 4.18.0-477.21.1.el8_8 fixed"];
    assert_eq!(of(None, "8.6", "372.70.1.el8_6"), main);
    assert_eq!(of(MAIN, "8.6", "372.70.1.el8_6"), main);
    assert_eq!(of(Some("anaconda"), "8.6", "372.70.1.el8_6"), main);
    // The same repository has other minor releases, of which this one has no fix of its own.
    let later = ["kernel-core CVE-2022-42896 4.18.0-477.21.1.el8_8 fixed (Red Hat 8.8 or later)"];
    assert_eq!(of(LONGER, "8.4", "305.el8_4"), later);
    assert_eq!(of(LONGER, "8.8", "477.10.1.el8_8"), main);
}

#[test]
fn what_a_system_would_update_from_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    with_map(folder.path());
    let of = |sources: &[&str]| {
        let kernel = package("kernel-core", "kernel", "4.18.0", "372.70.1.el8_6");
        let mut system = system("8.6", vec![kernel]);
        let updates = fathom_report::Updates {
            system: "none".to_owned(),
            automatic: false,
            sources: sources.iter().map(|it| (*it).to_owned()).collect(),
        };
        system.security.updates = Fact::known(updates, "/etc/yum.repos.d/redhat.repo");
        shown(&scan(folder.path(), system)).len()
    };
    let address = "https://cdn.redhat.com/content/eus/rhel8/8.6/x86_64/baseos/os";
    assert_eq!(of(&[]), 1);
    assert_eq!(of(&["rhel-8-for-x86_64-baseos-rpms https://cdn.redhat.com/x"]), 1);
    assert_eq!(of(&[&format!("rhel-8-for-x86_64-baseos-eus-rpms {address}")]), 0);
}

#[test]
fn fixes_that_a_release_does_not_get_are_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    with_map(folder.path());
    let packages = |repository| {
        vec![
            from(repository, package("tar", "tar", "1.30", "5.el8")),
            from(repository, package("sed", "sed", "4.5", "4.el8")),
        ]
    };
    assert_eq!(
        shown(&scan(folder.path(), system("8.6", packages(LONGER)))),
        [
            "sed CVE-2022-1002 4.5-5.el8_6 fixed",
            "tar CVE-2024-1001 1.30-9.el8 fixed (Red Hat 8, perhaps not in 8.6)",
        ]
    );
    assert_eq!(
        shown(&scan(folder.path(), system("8.6", packages(MAIN)))),
        ["sed CVE-2022-1002 4.5-5.el8_6 fixed", "tar CVE-2024-1001 1.30-9.el8 fixed"]
    );
}

#[test]
fn what_is_put_on_top_counts_for_its_own_packages() {
    let folder = tempfile::tempdir().unwrap();
    with_map(folder.path());
    let on_top = Some("rhocp-4.14-for-rhel-8-x86_64-rpms");
    let own = from(on_top, package("runc", "runc", "1.1.9", "1.rhaos4.14.el8"));
    let of_release = from(MAIN, package("runc", "runc", "1.1.12", "1.module+el8.9.0+1+ab"));
    let findings = scan(folder.path(), system("8.9", vec![own, of_release.clone()]));
    assert_eq!(shown(&findings), ["runc CVE-2024-1000 3:1.1.12-1.rhaos4.14.el8 fixed"]);
    assert_eq!(findings.vulnerabilities[0].installed_version, "1.1.9-1.rhaos4.14.el8");
    assert_eq!(shown(&scan(folder.path(), system("8.9", vec![of_release]))), [""; 0]);
    // A rebuild has its own repositories.
    let mut rebuilt = system("8.9", vec![from(on_top, package("runc", "runc", "1.1.9", "1.el8"))]);
    rebuilt.identity.distribution = Fact::known("centos".to_owned(), "test");
    assert_eq!(shown(&scan(folder.path(), rebuilt)), [""; 0]);
}

#[test]
fn what_others_made_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    with_map(folder.path());
    let mut foreign = from(Some("epel"), package("tar", "tar", "1.30", "5.el8"));
    foreign.vendor = None;
    let findings = scan(folder.path(), system("8.9", vec![foreign]));
    assert_eq!((shown(&findings), findings.unscanned.len()), (Vec::new(), 1));
}

/// What two streams are mended by at once, cut to a package that only the second has, and one of each.
const STREAMS: &str = r#"{"id":"RHSA-2020:1644","related":["CVE-2019-14540"],"summary":"Red Hat Security Advisory: pki-core:10.6 and pki-deps:10.6 security, bug fix, and enhancement update","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"jackson-databind"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:2.10.0-1.module+el8.2.0+5059+3eb3af25"}]}]}]}
{"id":"RHSA-2020:4670","related":["CVE-2020-1722"],"summary":"Red Hat Security Advisory: idm:DL1 and idm:client security, bug fix, and enhancement update","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"ipa-client"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:4.8.7-12.module+el8.3.0+8222+c1bff54a"}]}]}]}
"#;

#[test]
fn what_is_said_of_two_streams_holds_for_each() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "redhat-osv.jsonl", STREAMS);
    let of = |name: &str, version: &str, release: &str, module: &str| {
        let mut package = package(name, name, version, release);
        package.module = Some(format!("{module}:8060020220101:abc"));
        shown(&scan(folder.path(), system("8.9", vec![package]))).len()
    };
    let build = "1.module+el8.1.0+3366+6dfb954c";
    assert_eq!(of("jackson-databind", "2.9.8", build, "pki-deps:10.6"), 1);
    assert_eq!(of("jackson-databind", "2.9.8", build, "pki-core:10.6"), 1);
    assert_eq!(of("jackson-databind", "2.9.8", build, "other:10.6"), 0);
    let build = "10.module+el8.2.0+5723+4574fbff";
    assert_eq!(of("ipa-client", "4.8.4", build, "idm:client"), 1);
    assert_eq!(of("ipa-client", "4.8.4", build, "idm:DL1"), 1);
    assert_eq!(of("ipa-client", "4.8.7", "12.module+el8.3.0+8222+c1bff54a", "idm:client"), 0);
}

/// What was mended for those alone who pay for Extended Life-cycle Support, and for everybody before.
const EXTENDED: &str = r#"{"id":"RHSA-2025:1","related":["CVE-2024-12085"],"affected":[{"package":{"ecosystem":"Red Hat:rhel_els:7","name":"rsync"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:3.1.2-12.el7_9.1"}]}]}]}
{"id":"RHSA-2022:1","related":["CVE-2022-29154"],"affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:7::server","name":"rsync"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:3.1.2-11.el7"}]}]}]}
"#;
const MAP_OF_7: &str = r#"{
"data":{
"rhel-7-server-rpms":{"cpes":["cpe:/o:redhat:enterprise_linux:7::server"]},
"rhel-7-server-els-rpms":{"cpes":["cpe:/o:redhat:rhel_els:7"]}}}"#;

#[test]
fn what_is_mended_for_those_who_pay_is_told_to_everybody() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "repository-to-cpe.json", MAP_OF_7);
    add(folder.path(), "redhat-osv.jsonl", EXTENDED);
    let of = |distribution: &str, version: &str, repository, release: &str| {
        let rsync = from(repository, package("rsync", "rsync", "3.1.2", release));
        let mut system = system(version, vec![rsync]);
        system.identity.distribution = Fact::known(distribution.to_owned(), "test");
        shown(&scan(folder.path(), system))
    };
    let mended = "rsync CVE-2022-29154 3.1.2-11.el7 fixed";
    let extended = "rsync CVE-2024-12085 3.1.2-12.el7_9.1 fixed";
    let paid = format!("{extended} (Extended Life-cycle Support)");
    let main = Some("rhel-7-server-rpms");
    for (distribution, repository) in [("rhel", None), ("rhel", main), ("centos", None)] {
        assert_eq!(of(distribution, "7.9", repository, "10.el7"), [mended, paid.as_str()]);
        assert_eq!(of(distribution, "7.9", repository, "12.el7_9"), [paid.as_str()]);
        assert_eq!(of(distribution, "7.9", repository, "12.el7_9.1"), [""; 0]);
        assert_eq!(of(distribution, "6.10", repository, "10.el6"), [""; 0]);
    }
    // Whoever has its repositories pays; and has the main stream too, of which it is the last release.
    let own = Some("rhel-7-server-els-rpms");
    assert_eq!(of("rhel", "7.9", own, "10.el7"), [mended, extended]);
}

const SILENT: &str = r#"{"id":"RHSA-2024:1428","related":["CVE-2024-0985"],"summary":"Red Hat Security Advisory: postgresql security update","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"postgresql-server"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:10.23-4.module+el8.8.0+1+aa"}]}]}]}
{"id":"RHSA-2024:1426","related":["CVE-2024-0985"],"summary":"Red Hat Security Advisory: postgresql security update","affected":[{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"postgresql-server"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"0:13.14-1.module+el8.8.0+2+bb"}]}]}]}"#;

const OF_STREAMS: &str = r#"{"name":"CVE-2024-0985","affected_release":[{"advisory":"RHSA-2024:1428","cpe":"cpe:/a:redhat:enterprise_linux:8","package":"postgresql:10-8080020240213200157.a75119d5"},{"advisory":"RHSA-2024:1426","cpe":"cpe:/a:redhat:enterprise_linux:8","package":"postgresql:13-8080020240213200157.a75119d5"}]}"#;

#[test]
fn an_announcement_that_names_no_stream_is_of_the_one_that_others_tell() {
    let folder = tempfile::tempdir().unwrap();
    add(folder.path(), "redhat-osv.jsonl", SILENT);
    let of = |version: &str, module: &str| {
        let mut package =
            package("postgresql-server", "postgresql", version, "4.module+el8.8.0+1+aa");
        package.module = Some(format!("{module}:8080020240101:abc"));
        let found = scan(folder.path(), system("8.9", vec![package]));
        found.vulnerabilities.into_iter().filter_map(|it| it.fixed_version).collect::<Vec<_>>()
    };
    let check = || {
        assert_eq!(of("10.21", "postgresql:10"), ["10.23-4.module+el8.8.0+1+aa"]);
        assert_eq!(of("13.13", "postgresql:13"), ["13.14-1.module+el8.8.0+2+bb"]);
        assert_eq!(of("10.23", "postgresql:10"), [""; 0]);
        assert_eq!(of("12.18", "postgresql:12"), [""; 0]);
    };
    // By their numbers at first, and by what Red Hat's security data says then.
    check();
    add(folder.path(), "redhat-cve-api.jsonl", OF_STREAMS);
    check();
}
