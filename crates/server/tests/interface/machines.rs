//! Machines, flaws, packages and decisions.

use fathom_fleet::look;
use fathom_report::{Evidence, Fact, Family, Listing, Package, PackageKind, Report, System};
use fathom_server::{Role, Rules};
use fathom_store::{ExceptionRow, Flaw, Kept, Tally, Time, Verdict, Whose};
use serde_json::{Value, json};

use crate::site::Site;

/// A machine with packages: names and versions.
fn report(hostname: &str, packages: &[(&str, &str)]) -> Report {
    let mut system = System::unknown("sda1".to_owned(), Family::Linux, "not looked at");
    let place = || Evidence::from("/etc/os-release");
    system.identity.hostname = Fact::known(hostname.to_owned(), place());
    system.identity.distribution = Fact::known("debian".to_owned(), place());
    system.identity.version = Fact::known("12".to_owned(), place());
    let packages = packages.iter().map(|(name, version)| {
        Package::bare(PackageKind::Deb, *name, *version, "/var/lib/dpkg/status")
    });
    system.packages = Listing::complete(packages.collect(), vec![]);
    Report::of(vec![system], "not looked at")
}

fn flaw(cve: &str, package: &str, version: &str) -> Flaw {
    Flaw {
        cve: cve.to_owned(),
        aliases: vec![format!("DSA of {cve}")],
        system: "debian 12".to_owned(),
        kind: "deb".to_owned(),
        package: package.to_owned(),
        version: version.to_owned(),
        fixed_version: Some("9".to_owned()),
        state: "fixed".to_owned(),
        severity: Some(4),
        cvss: Some(7.5),
        epss: Some(0.5),
        exploited: true,
        excepted: None,
        risk: 55.5,
    }
}

/// Keeps a machine.
fn keep(site: &Site, whose: Whose, report: &Report, flaws: Vec<Flaw>) -> String {
    let findings = json!({ "schema": "fathom.findings/v1", "subject": whose.name });
    let verdict = Verdict {
        findings: findings.to_string(),
        with: "test".to_owned(),
        known: true,
        tally: Tally { risk: 55.5, high: flaws.len() as u32, ..Tally::default() },
        flaws,
    };
    let look = look(whose, None, report, Some(verdict)).unwrap();
    match site.wait(site.store.keep_looks(&[look])).unwrap().remove(0) {
        Kept::Of { id, .. } => id,
        Kept::Late => panic!("nobody was late"),
    }
}

fn whose(namespace: &str, name: &str) -> Whose {
    Whose {
        namespace: namespace.to_owned(),
        key: format!("image:/vms/{name}.qcow2"),
        alias: None,
        name: name.to_owned(),
    }
}

/// A machine, a flaw, a package and a decision of the namespace north, each called so.
pub(crate) fn everything_of_north(site: &Site, name: &str) {
    let whose = Whose { alias: Some(name.to_owned()), ..whose("north", name) };
    keep(site, whose, &report(name, &[(name, "1")]), vec![flaw(name, name, "1")]);
    let row = ExceptionRow {
        number: 0,
        id: name.to_owned(),
        namespace: "north".to_owned(),
        version: 1,
        standing: String::new(),
        flaw: name.to_owned(),
        package: None,
        machines: None,
        kind: "deferred".to_owned(),
        reason: name.to_owned(),
        until: None,
        requested_by: "somebody".to_owned(),
        requested_at: Time(0),
        decided_by: None,
        decided_at: None,
        note: None,
    };
    site.wait(site.store.request_exception(&row)).unwrap();
}

fn names(answer: &Value) -> Vec<&str> {
    answer["vms"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[test]
fn machines_are_listed_asked_for_and_forgotten() {
    let site = Site::new(Rules::default());
    let viewer = site.token(Role::Viewer, None);
    let old = report("one", &[("openssl", "3.0.1"), ("bash", "5.2")]);
    let new = report("one", &[("openssl", "3.0.9"), ("bash", "5.2"), ("=cmd()", "1")]);
    let first = keep(&site, whose("a", "one"), &old, vec![flaw("CVE-1", "openssl", "3.0.1")]);
    keep(&site, whose("a", "two"), &report("two", &[("bash", "5.2")]), vec![]);
    keep(&site, whose("b", "three"), &old, vec![flaw("CVE-1", "openssl", "3.0.1")]);
    let get = |path: &str| site.get(path, Some(&viewer));

    let all = get("/api/v1/vms?count=true").json();
    assert_eq!(names(&all), ["one", "three", "two"]);
    assert_eq!((&all["total"], &all["unknown"]), (&json!(3), &json!(0)));
    let first_page = get("/api/v1/vms?limit=2&sort=-name").json();
    assert_eq!(names(&first_page), ["two", "three"]);
    let next = first_page["next"].as_str().unwrap();
    let second = get(&format!("/api/v1/vms?limit=2&sort=-name&cursor={next}")).json();
    assert_eq!(names(&second), ["one"]);
    assert_eq!(second.get("next"), None);
    assert_eq!(names(&get("/api/v1/vms?limit=1&page=3").json()), ["two"]);
    assert_eq!(names(&get("/api/v1/vms?limit=1&page=4").json()), [""; 0]);
    let asked = |filter: &str| {
        get(&format!("/api/v1/vms?filter={}", filter.replace(' ', "+").replace('<', "%3C"))).json()
    };
    assert_eq!(names(&asked("os = debian and package openssl < 3.0.5")), ["one", "three"]);
    assert_eq!(names(&asked("not package ~ ssl")), ["two"]);
    assert_eq!(names(&asked("cve = CVE-1 and namespace = b")), ["three"]);
    let wrong = get("/api/v1/vms?filter=colour+=+red");
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "VALIDATION_ERROR"));
    assert!(wrong.body.contains("there is no \\\"colour\\\"; there are name,"), "{}", wrong.body);
    for query in [
        "cursor=t61.1&sort=risk",
        "cursor=x",
        "sort=colour",
        "limit=0",
        "page=101",
        "page=2&cursor=t61.1",
        "count=maybe",
    ] {
        assert_eq!(get(&format!("/api/v1/vms?{query}")).status, 400, "{query}");
    }

    let one = get(&format!("/api/v1/vms/{first}")).json();
    assert_eq!((&one["hostname"], &one["packages"]), (&json!("one"), &json!(2)));
    assert_eq!(one["vulnerabilities"]["high"], 1);
    assert_eq!(get(&format!("/api/v1/vms/{first}/diff")).code(), "NOTHING_BEFORE");
    keep(&site, whose("a", "one"), &new, vec![]);
    let reports = get(&format!("/api/v1/vms/{first}/reports")).json();
    let reports = reports["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 2);
    let newest = get(&format!("/api/v1/vms/{first}/report"));
    assert_eq!(newest.json(), json!(new));
    assert_eq!(
        newest.headers["etag"],
        format!("\"{}\"", reports[0]["report_sha256"].as_str().unwrap())
    );
    let earlier = &reports[1]["inspection"];
    let before = get(&format!("/api/v1/vms/{first}/report?inspection={earlier}"));
    assert_eq!(before.json(), json!(old));
    assert_eq!(get(&format!("/api/v1/vms/{first}/report?inspection=999")).status, 404);
    let differs = get(&format!("/api/v1/vms/{first}/diff")).json();
    let wanted = fathom_diff::compare(&old, &new, concat!("fathom ", env!("CARGO_PKG_VERSION")));
    assert_eq!(differs, json!(wanted));
    assert_eq!(get(&format!("/api/v1/vms/{first}/findings")).json()["subject"], "one");
    let sbom = get(&format!("/api/v1/vms/{first}/sbom"));
    assert_eq!(sbom.headers["content-type"], "application/vnd.cyclonedx+json");
    assert_eq!(sbom.json()["bomFormat"], "CycloneDX");
    assert_eq!(sbom.body, get(&format!("/api/v1/vms/{first}/sbom?format=cyclonedx")).body);
    assert_eq!(
        get(&format!("/api/v1/vms/{first}/sbom?format=spdx")).json()["spdxVersion"],
        "SPDX-2.3"
    );

    let table = get("/api/v1/vms.csv?filter=namespace+=+a");
    assert_eq!(table.body.lines().count(), 3, "{}", table.body);
    assert!(table.body.starts_with("id,name,namespace,"));

    let flaws = get("/api/v1/cves").json();
    assert_eq!(flaws["cves"][0]["cve_id"], "CVE-1");
    assert_eq!(flaws["cves"][0]["vms"], 1);
    assert_eq!(get("/api/v1/cves?severity=critical").json()["cves"], json!([]));
    let flaw = get("/api/v1/cves/DSA%20of%20CVE-1").json();
    assert_eq!((&flaw["cve_id"], &flaw["places"][0]["vms"]), (&json!("CVE-1"), &json!(1)));
    assert_eq!(names(&get("/api/v1/cves/CVE-1/vms?count=true").json()), ["three"]);
    assert_eq!(get("/api/v1/cves/CVE-none").status, 404);
    let packages = get("/api/v1/packages?name=b*").json();
    assert_eq!(packages["packages"][0]["vms"], 3);
    let summary = get("/api/v1/summary").json();
    assert_eq!((&summary["vms"], &summary["scanned"]), (&json!(3), &json!(3)));
    assert_eq!(summary["systems"], json!([{ "os": "debian", "os_version": "12", "vms": 3 }]));
    assert!(get("/api/v1/policies").json()["policies"][0]["rules"].as_array().unwrap().len() > 5);

    let admin = site.token(Role::Admin, None);
    let purge = |query: &str| {
        site.ask("DELETE", &format!("/api/v1/vms/{first}{query}"), Some(&admin), &[], None)
    };
    assert_eq!(purge("?version=1").status, 409);
    let gone = purge("?version=2");
    assert_eq!((gone.status, &gone.json()["inspections"]), (200, &json!(2)));
    assert_eq!(purge("").status, 404);
    assert_eq!(get("/api/v1/packages?name==cmd()").json()["packages"], json!([]));
}

#[test]
fn a_name_of_several_is_refused_with_their_ids() {
    let site = Site::new(Rules::default());
    let admin = site.token(Role::Admin, None);
    let here = report("x", &[]);
    let mut ids = Vec::new();
    for name in ["one", "two"] {
        let whose = Whose { alias: Some("vm-42".to_owned()), ..whose(name, name) };
        ids.push(keep(&site, whose, &here, vec![]));
    }
    let answer = site.get("/api/v1/vms/vm-42", Some(&admin));
    assert_eq!((answer.status, answer.code().as_str()), (409, "AMBIGUOUS"));
    assert!(ids.iter().all(|id| answer.body.contains(id.as_str())), "{answer:?}");
    let two = site.token(Role::Viewer, Some(&["two"]));
    assert_eq!(site.get("/api/v1/vms/vm-42", Some(&two)).json()["id"], ids[1].as_str());
}

#[test]
fn a_decision_is_asked_for_by_one_and_made_by_another() {
    let site = Site::new(Rules::default());
    let operator = site.token(Role::Operator, Some(&["a"]));
    let admin = site.token(Role::Admin, None);
    let wanted =
        json!({ "cve_id": "CVE-1", "kind": "deferred", "reason": "later", "until": "2030-01-31" });
    let made = site.post("/api/v1/exceptions", Some(&operator), &wanted);
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("pending")));
    assert_eq!(made.json()["namespace"], "a");
    let place = made.headers["location"].clone();
    let step = |name: &str, token: &str, body: Value| {
        site.post(&format!("{place}/{name}"), Some(token), &body)
    };
    assert_eq!(step("approve", &operator, json!({})).status, 403);
    assert_eq!(step("approve", &admin, json!({ "version": 9 })).status, 409);
    let approved = step("approve", &admin, json!({ "version": 1, "note": "seen" })).json();
    assert_eq!(
        (&approved["status"], &approved["version"], &approved["note"]),
        (&json!("approved"), &json!(2), &json!("seen"))
    );
    assert_eq!(step("deny", &admin, json!({})).status, 409);
    assert_eq!(step("cancel", &operator, json!({})).json()["status"], "cancelled");
    let own = site.post("/api/v1/exceptions", Some(&admin), &wanted);
    let own = own.headers["location"].clone();
    assert_eq!(
        site.post(&format!("{own}/approve"), Some(&admin), &json!({})).code(),
        "SELF_APPROVAL"
    );
    let past = json!({ "cve_id": "CVE-1", "kind": "false-positive", "reason": "no", "until": "2020-01-31" });
    let past = site.post("/api/v1/exceptions", Some(&operator), &past).headers["location"].clone();
    assert_eq!(
        site.post(&format!("{past}/approve"), Some(&admin), &json!({})).json()["status"],
        "expired"
    );
    let listed = site.get("/api/v1/exceptions?status=approved", Some(&operator)).json();
    assert_eq!(listed["exceptions"].as_array().unwrap().len(), 1);
    for wrong in [
        json!({ "cve_id": "", "kind": "deferred", "reason": "x" }),
        json!({ "cve_id": "C", "kind": "deferred", "reason": " " }),
        json!({ "cve_id": "C", "kind": "never", "reason": "x" }),
        json!({ "cve_id": "C", "kind": "deferred", "reason": "x", "until": "soon" }),
        json!({ "cve_id": "C", "kind": "deferred", "reason": "x", "colour": "red" }),
        json!({ "cve_id": "C\u{0}", "kind": "deferred", "reason": "x" }),
    ] {
        assert_eq!(site.post("/api/v1/exceptions", Some(&operator), &wrong).status, 400, "{wrong}");
    }
}

#[test]
fn what_cannot_be_compared_says_so() {
    let site = Site::new(Rules::default());
    let viewer = site.token(Role::Viewer, None);
    let status = site.get("/api/v1/advisories/status", Some(&viewer)).json();
    assert_eq!(status["available"], false);
    let answer = site.post("/api/v1/scan", Some(&viewer), &json!(report("one", &[("bash", "5")])));
    assert_eq!((answer.status, answer.code().as_str()), (503, "NO_DATABASE"));
    for wrong in [json!({}), json!([1]), json!({ "schema": "fathom.report/v9" })] {
        let answer = site.post("/api/v1/scan", Some(&viewer), &wrong);
        assert_eq!((answer.status, answer.code().as_str()), (400, "MALFORMED"), "{wrong}");
    }
    let mut look = look(whose("a", "one"), None, &report("one", &[]), None).unwrap();
    look.packages_known = false;
    site.wait(site.store.keep_looks(&[look])).unwrap();
    let id =
        site.get("/api/v1/vms", Some(&viewer)).json()["vms"][0]["id"].as_str().unwrap().to_owned();
    let findings = site.get(&format!("/api/v1/vms/{id}/findings"), Some(&viewer));
    assert_eq!((findings.status, findings.code().as_str()), (409, "NOT_SCANNED"));
    let asked = site.get("/api/v1/cves/CVE-1/vms?count=true", Some(&viewer)).json();
    assert_eq!((&asked["total"], &asked["unknown"]), (&json!(0), &json!(1)));
}
