//! Jobs, over the wire.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fathom_server::{Role, Rules};
use serde_json::{Value, json};

use crate::site::Site;

fn result(site: &Site, token: &str, id: &str) -> Value {
    let started = Instant::now();
    loop {
        let answer = site.get(&format!("/api/v1/jobs/{id}/result"), Some(token));
        if answer.status == 200 {
            return answer.json();
        }
        assert_eq!((answer.status, answer.code().as_str()), (409, "NOT_FINISHED"), "{answer:?}");
        assert_eq!(answer.headers["retry-after"], "1");
        assert!(started.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_example_of_the_protocol_works() {
    let site = Site::new(Rules::default());
    let token = site.token(Role::Operator, None);
    let sent = site.post(
        "/api/v1/jobs",
        Some(&token),
        &json!({ "operation": "guestkit.echo", "payload": { "image": { "path": "/vms/a.qcow2" } } }),
    );
    assert_eq!(sent.status, 202, "{sent:?}");
    let receipt = sent.json();
    assert_eq!(receipt["status"], "pending");
    assert!(receipt["submitted_at"].as_str().unwrap().ends_with('Z'));
    let id = receipt["job_id"].as_str().unwrap();
    assert_eq!(sent.headers["location"], format!("/api/v1/jobs/{id}"));
    let result = result(&site, &token, id);
    assert_eq!((&result["status"], &result["worker_id"]), (&json!("completed"), &json!("w1")));
    assert_eq!(result["data"]["echo"]["image"]["path"], "/vms/a.qcow2");
    let view = site.get(&format!("/api/v1/jobs/{id}"), Some(&token)).json();
    assert_eq!((&view["status"], &view["operation"]), (&json!("completed"), &json!("echo")));
}

#[test]
fn the_same_sent_twice_is_one_job() {
    let site = Site::new(Rules::default());
    let token = site.token(Role::Operator, None);
    let job = json!({ "operation": "fathom.echo", "execution": { "idempotency_key": "k" },
        "payload": { "n": 1 } });
    let first = site.post("/api/v1/jobs", Some(&token), &job);
    result(&site, &token, first.json()["job_id"].as_str().unwrap());
    let again = site.post("/api/v1/jobs", Some(&token), &job);
    assert_eq!((again.status, &again.json()["status"]), (200, &json!("completed")));
    assert_eq!(again.json()["job_id"], first.json()["job_id"]);
    let other = json!({ "operation": "fathom.echo", "execution": { "idempotency_key": "k" } });
    let answer = site.post("/api/v1/jobs", Some(&token), &other);
    assert_eq!((answer.status, answer.code().as_str()), (409, "CONFLICT"));
}

#[test]
fn lists_go_on_by_their_cursor() {
    let site = Site::new(Rules::default());
    let token = site.token(Role::Operator, None);
    for number in 0..7 {
        let job = json!({ "operation": "fathom.echo", "job_id": format!("job-number-{number}") });
        site.post("/api/v1/jobs", Some(&token), &job);
    }
    let mut path = "/api/v1/jobs?limit=3".to_owned();
    let mut found = Vec::new();
    loop {
        let page = site.get(&path, Some(&token)).json();
        for job in page["jobs"].as_array().unwrap() {
            found.push(job["job_id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/jobs?limit=3&cursor={next}");
    }
    let expected: Vec<_> = (0..7).rev().map(|number| format!("job-number-{number}")).collect();
    assert_eq!(found, expected);
    for id in &found {
        result(&site, &token, id);
    }
    let none = site.get("/api/v1/jobs?status=failed,dead&operation=echo", Some(&token)).json();
    assert_eq!(none["jobs"], json!([]));
    let all = site.get("/api/v1/jobs?status=completed&operation=echo", Some(&token)).json();
    assert_eq!(all["jobs"].as_array().unwrap().len(), 7);
}

#[test]
fn a_job_is_followed_to_its_end_and_called_off() {
    let site = Site::new(Rules::default());
    let token = site.token(Role::Operator, None);
    let job = json!({ "operation": "fathom.echo", "payload": { "delay_seconds": 60 } });
    let id =
        site.post("/api/v1/jobs", Some(&token), &job).json()["job_id"].as_str().unwrap().to_owned();
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        socket,
        "GET /api/v1/jobs/{id}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(socket).lines();
    let mut seen = Vec::new();
    let mut asked = false;
    loop {
        let line = lines.next().unwrap().unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(data).unwrap();
            if let Some(status) = data["status"].as_str() {
                seen.push(status.to_owned());
                if status == "running" && !asked {
                    asked = true;
                    let path = format!("/api/v1/jobs/{id}");
                    let answer = site.ask("DELETE", &path, Some(&token), &[], None);
                    assert_eq!(
                        (answer.status, &answer.json()["cancel_requested"]),
                        (202, &json!(true))
                    );
                }
                if status == "cancelled" {
                    break;
                }
            } else {
                assert_eq!(data["phase"], "waiting");
            }
        }
    }
    assert!(seen.contains(&"running".to_owned()), "{seen:?}");
    assert_eq!(result(&site, &token, &id)["error"]["code"], "CANCELLED");
    let answer = site.ask("DELETE", &format!("/api/v1/jobs/{id}"), Some(&token), &[], None);
    assert_eq!(answer.status, 200, "once more changes nothing");
    let answer = site.post(&format!("/api/v1/jobs/{id}/replay"), Some(&token), &json!({}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "WRONG_STATE"));
}

#[test]
fn what_works_is_told() {
    let site = Site::new(Rules::default());
    let token = site.token(Role::Operator, None);
    let job = json!({ "operation": "fathom.echo" });
    let id =
        site.post("/api/v1/jobs", Some(&token), &job).json()["job_id"].as_str().unwrap().to_owned();
    result(&site, &token, &id);
    let workers = site.get("/api/v1/workers", Some(&token)).json();
    assert_eq!(workers["workers"][0]["worker_id"], "w1");
    assert_eq!(workers["workers"][0]["status"]["state"], "ready");
    let able = site.get("/api/v1/capabilities", Some(&token)).json();
    assert_eq!(able["available_operations"], json!(["echo"]));
    let metrics = site.get("/metrics", Some(&token));
    assert!(metrics.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    for line in [
        "fathom_worker_jobs_total{operation=\"echo\",status=\"completed\"} 1",
        "fathom_handler_executions_total{handler=\"echo\",status=\"success\"} 1",
        "fathom_http_requests_total{method=\"POST\",route=\"/api/v1/jobs\",status=\"202\"} 1",
        "fathom_worker_memory_bytes{type=\"rss\"}",
        "fathom_worker_cpu_seconds_total",
        "fathom_worker_disk_io_bytes_total{operation=\"read\"}",
        "# TYPE fathom_worker_jobs_total counter",
        "fathom_store_up 1",
        "fathom_build_info{version=\"0.1.0\"} 1",
    ] {
        assert!(metrics.body.contains(line), "{line}\n{}", metrics.body);
    }
    assert!(!metrics.body.contains(&id));
    let accepts = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    let open = site.ask("GET", "/metrics", Some(&token), &accepts, None);
    assert!(open.headers["content-type"].starts_with("application/openmetrics-text"));
    assert!(open.body.contains("# TYPE fathom_worker_jobs counter"), "{}", open.body);
    assert!(open.body.ends_with("# EOF\n"), "{}", open.body);
}
