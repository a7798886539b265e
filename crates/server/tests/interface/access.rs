//! Every operation, asked by everybody who may not.

use fathom_server::{Role, Rules, document};
use serde_json::{Value, json};

use crate::site::{Answer, Site};

/// What whoever sees another namespace gets from each operation: every one has its line, and a new
/// one without it fails.
const ELSEWHERE: &[(&str, u16)] = &[
    ("submitJob", 403),
    ("listJobs", 200),
    ("getJob", 404),
    ("getJobResult", 404),
    ("followJob", 404),
    ("cancelJob", 404),
    ("replayJob", 404),
    ("listVms", 200),
    ("exportVms", 200),
    ("getVm", 404),
    ("purgeVm", 404),
    ("getVmReport", 404),
    ("listVmReports", 404),
    ("diffVm", 404),
    ("getVmFindings", 404),
    ("getVmSbom", 404),
    ("listCves", 200),
    ("getCve", 404),
    ("listCveVms", 200),
    ("getSummary", 200),
    ("listPackages", 200),
    ("listExceptions", 200),
    ("requestException", 403),
    ("getException", 404),
    ("approveException", 404),
    ("denyException", 404),
    ("cancelException", 404),
    ("listPolicies", 200),
    ("scan", 400),
    ("getAdvisoryStatus", 200),
    ("listWorkers", 200),
    ("getCapabilities", 200),
    ("listDeadLetters", 403),
    ("listWebhooks", 403),
    ("discardDeadLetter", 403),
    ("createToken", 403),
    ("listTokens", 403),
    ("revokeToken", 403),
    ("listAudit", 403),
    ("login", 401),
    ("logout", 409),
    ("getMetrics", 200),
    ("getHealth", 200),
    ("getApiHealth", 200),
    ("getLiveness", 200),
    ("getReadiness", 200),
    ("getVersion", 200),
    ("getDocument", 200),
    ("getDocs", 200),
    ("getDocsStyle", 200),
    ("getDocsScript", 200),
    ("getDocsSchemaScript", 200),
];

struct Operation {
    id: String,
    method: String,
    path: String,
    role: Option<String>,
}

fn operations() -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, methods) in document()["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.replace("{id}", "job-of-north"),
                role: operation["x-role"].as_str().map(str::to_owned),
            });
        }
    }
    all
}

fn ask(site: &Site, operation: &Operation, token: Option<&str>) -> Answer {
    let body = match operation.id.as_str() {
        "submitJob" => json!({ "operation": "fathom.echo", "metadata": { "namespace": "north" } }),
        "createToken" => json!({ "name": "mine", "role": "admin" }),
        "requestException" => json!({ "cve_id": "CVE-2026-1", "kind": "deferred", "reason": "why",
            "namespace": "north" }),
        "scan" | "approveException" | "denyException" | "cancelException" => json!({}),
        "login" => json!({ "name": "nobody", "password": "a guess" }),
        _ => Value::Null,
    };
    let kind = [("content-type", "application/json")];
    let body = (!body.is_null()).then(|| body.to_string());
    let headers: &[_] = if body.is_some() { &kind } else { &[] };
    site.ask(&operation.method, &operation.path, token, headers, body.as_deref().map(str::as_bytes))
}

#[test]
fn nobody_gets_in_without_a_token() {
    let site = Site::new(Rules::default());
    for operation in operations() {
        for token in [None, Some("wrong"), Some(&*format!("fathom_{:012}_{:064}", 1, 2))] {
            let answer = ask(&site, &operation, token);
            match operation.role {
                None => {
                    let expected = if operation.id == "login" { 401 } else { 200 };
                    assert_eq!(answer.status, expected, "{}: {answer:?}", operation.id);
                }
                Some(_) => {
                    assert_eq!(answer.status, 401, "{}: {answer:?}", operation.id);
                    assert_eq!(answer.code(), "UNAUTHENTICATED");
                    assert_eq!(answer.headers["www-authenticate"], "Bearer");
                }
            }
        }
    }
}

#[test]
fn nobody_does_what_is_above_their_role() {
    let site = Site::new(Rules::default());
    let ranks = ["viewer", "operator", "admin"];
    for (rank, role) in [Role::Viewer, Role::Operator].into_iter().enumerate() {
        let token = site.token(role, None);
        for operation in operations() {
            let needed =
                operation.role.as_deref().map(|it| ranks.iter().position(|name| *name == it));
            let answer = ask(&site, &operation, Some(&token));
            if needed.flatten().is_some_and(|needed| needed > rank) {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (403, "FORBIDDEN"),
                    "{}",
                    operation.id
                );
            } else {
                assert_ne!(answer.status, 403, "{}: {answer:?}", operation.id);
            }
        }
    }
}

#[test]
fn nobody_sees_another_namespace() {
    let site = Site::new(Rules::default());
    let north = site.token(Role::Operator, Some(&["north"]));
    let job = json!({ "operation": "fathom.echo", "job_id": "job-of-north",
        "payload": { "delay_seconds": 30 } });
    assert_eq!(site.post("/api/v1/jobs", Some(&north), &job).status, 202);
    crate::machines::everything_of_north(&site, "job-of-north");
    let south = site.token(Role::Admin, Some(&["south"]));
    for operation in operations() {
        let expected = ELSEWHERE
            .iter()
            .find(|(id, _)| *id == operation.id)
            .unwrap_or_else(|| panic!("{} has no line", operation.id));
        let answer = ask(&site, &operation, Some(&south));
        assert_eq!(answer.status, expected.1, "{}: {answer:?}", operation.id);
        assert!(!answer.body.contains("job-of-north") || answer.status == 404, "{answer:?}");
    }
    assert_eq!(site.get("/api/v1/jobs", Some(&south)).json()["jobs"], json!([]));
    let asked = site.get("/api/v1/jobs?namespace=north", Some(&south));
    assert_eq!(asked.json()["jobs"], json!([]));
    assert_eq!(site.get("/api/v1/jobs/job-of-north", Some(&north)).status, 200);
}

#[test]
fn tokens_are_made_shown_once_and_revoked() {
    let site = Site::new(Rules::default());
    let admin = site.token(Role::Admin, None);
    let wanted = json!({ "name": "ci", "role": "viewer", "namespaces": ["a"] });
    let made = site.post("/api/v1/tokens", Some(&admin), &wanted);
    assert_eq!(made.status, 201, "{made:?}");
    let (id, secret) = (made.json()["id"].clone(), made.json()["token"].clone());
    let secret = secret.as_str().unwrap();
    assert_eq!(site.get("/api/v1/jobs", Some(secret)).status, 200);
    let list = site.get("/api/v1/tokens", Some(&admin));
    assert!(!list.body.contains(secret) && list.body.contains("expires_at"), "{list:?}");
    let path = format!("/api/v1/tokens/{}", id.as_str().unwrap());
    assert_eq!(site.ask("DELETE", &path, Some(&admin), &[], None).status, 204);
    assert_eq!(site.get("/api/v1/jobs", Some(secret)).status, 401);
    assert_eq!(site.ask("DELETE", &path, Some(&admin), &[], None).status, 404);
    for wrong in [
        json!({}),
        json!({ "name": "x", "role": "root" }),
        json!({ "name": "", "role": "viewer" }),
        json!({ "name": "x", "role": "viewer", "namespaces": [] }),
        json!({ "name": "x", "role": "viewer", "lifetime_seconds": 0 }),
        json!({ "name": "x", "role": "viewer", "more": 1 }),
    ] {
        let answer = site.post("/api/v1/tokens", Some(&admin), &wrong);
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
    // The secret is nowhere in the database.
    let audit = site.get("/api/v1/audit", Some(&admin));
    assert!(!audit.body.contains(secret));
}

#[test]
fn no_token_counts_longer_than_the_settings_let_it() {
    let hour = std::time::Duration::from_secs(3600);
    let site = Site::new(Rules { token_lifetime: hour, ..Rules::default() });
    let admin = site.token(Role::Admin, None);
    let made = |lifetime: Value| {
        let wanted = json!({ "name": "ci", "role": "viewer", "lifetime_seconds": lifetime });
        site.post("/api/v1/tokens", Some(&admin), &wanted)
    };
    assert_eq!(made(json!(3600)).status, 201);
    assert_eq!(made(json!(null)).status, 201);
    for wrong in [json!(3601), json!(0), json!(u64::MAX)] {
        assert_eq!(made(wrong.clone()).status, 400, "{wrong}");
    }
    let all = site.wait(site.store.tokens()).unwrap();
    let longest = all.iter().filter_map(|it| Some(it.expires_at?.since(it.created_at))).max();
    assert_eq!(longest, Some(hour));
}

#[test]
fn what_changes_something_is_recorded_first() {
    let site = Site::new(Rules::default());
    let admin = site.token(Role::Admin, None);
    let viewer = site.token(Role::Viewer, None);
    let job = json!({ "operation": "fathom.echo", "job_id": "job-audited" });
    let kind = [("content-type", "application/json"), ("x-correlation-id", "trace-me")];
    let body = job.to_string();
    let sent = site.ask("POST", "/api/v1/jobs", Some(&admin), &kind, Some(body.as_bytes()));
    assert_eq!((sent.status, sent.headers["x-correlation-id"].as_str()), (202, "trace-me"));
    assert_eq!(site.post("/api/v1/jobs", Some(&viewer), &job).status, 403);
    let entries = site.get("/api/v1/audit", Some(&admin)).json()["entries"].clone();
    let entries = entries.as_array().unwrap().clone();
    let told: Vec<_> = entries
        .iter()
        .map(|it| (it["deed"]["action"].as_str().unwrap(), it["deed"]["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("submitJob", "allowed"), ("submitJob", "denied")]);
    assert_eq!(entries[0]["deed"]["correlation_id"], "trace-me");
    assert!(entries[0]["deed"]["target"].as_str().unwrap().contains("job-audited"));
    assert!(matches!(
        site.wait(site.store.verify_audit()).unwrap(),
        fathom_store::Chain::Whole { entries: 2, .. }
    ));
}

#[test]
fn without_a_token_no_page_of_somebody_else_gets_in() {
    let site = Site::new(Rules { open: true, ..Rules::default() });
    assert_eq!(site.get("/api/v1/jobs", None).status, 200);
    let own = format!("http://{}", site.address);
    for (headers, status) in [
        (vec![("host", "attacker.example")], 403),
        (vec![("host", "attacker.example:8080")], 403),
        (vec![("host", "127.0.0.1.attacker.example")], 403),
        (vec![("origin", "https://attacker.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", own.as_str())], 200),
        (vec![("host", "localhost:8080")], 200),
        (vec![("host", "[::1]:8080")], 200),
    ] {
        let answer = site.ask("GET", "/api/v1/jobs", None, &headers, None);
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
    // A form of another page can be sent without being asked; it is not taken.
    let form = [("content-type", "text/plain")];
    let body = br#"{"operation":"fathom.echo"}"#;
    let answer = site.ask("POST", "/api/v1/jobs", None, &form, Some(body));
    assert_eq!((answer.status, answer.code().as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
    // A token that is wrong is not as good as none.
    assert_eq!(site.get("/api/v1/jobs", Some("wrong")).status, 401);
}

#[test]
fn addresses_and_proxies_are_held_to_their_lists() {
    let refusing = Rules {
        admits: Box::new(|address| address.to_string() == "192.0.2.7"),
        trusts: Box::new(|address| address.is_loopback() || address.to_string() == "10.0.0.1"),
        open: true,
        ..Rules::default()
    };
    let site = Site::new(refusing);
    let via =
        |chain: &str| site.ask("GET", "/health", None, &[("x-forwarded-for", chain)], None).status;
    assert_eq!(site.get("/health", None).status, 403);
    assert_eq!(via("192.0.2.7"), 200);
    assert_eq!(via("192.0.2.7, 10.0.0.1"), 200, "a proxy before the proxy");
    assert_eq!(via("192.0.2.7, 203.0.113.9"), 403, "what somebody in between says is not believed");
    assert_eq!(via("nonsense"), 403);
    // Who comes from elsewhere is not on the loopback, whatever the proxy is.
    let answer = site.ask("GET", "/api/v1/jobs", None, &[("x-forwarded-for", "192.0.2.7")], None);
    assert_eq!(answer.status, 401);
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again() {
    let rate = fathom_server::Rate { per_second: 1.0, burst: 5 };
    let site = Site::new(Rules { rate: Some(rate), ..Rules::default() });
    let (one, other) = (site.token(Role::Viewer, None), site.token(Role::Viewer, None));
    let answers: Vec<_> = (0..10).map(|_| site.get("/api/v1/jobs", Some(&one))).collect();
    let refused: Vec<_> = answers.iter().filter(|it| it.status == 429).collect();
    assert!(refused.len() >= 3, "{answers:?}");
    assert_eq!(refused[0].code(), "RATE_LIMITED");
    assert_eq!(refused[0].headers["retry-after"], "1");
    assert_eq!(site.get("/api/v1/jobs", Some(&other)).status, 200);
    // Guessing has its limit too.
    let guesses = (0..10).map(|_| site.get("/api/v1/jobs", Some("wrong")).status);
    assert!(guesses.filter(|status| *status == 429).count() >= 3);
}
