//! Requests that make no sense.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use fathom_server::{Role, Rules};

use crate::site::Site;

/// Method, address, body, and which status and code come back.
type Case<'a> = (&'a str, &'a str, Option<&'a [u8]>, u16, &'a str);

#[test]
fn each_gets_its_problem() {
    let site = Site::new(Rules { body_limit: 4096, ..Rules::default() });
    let token = site.token(Role::Admin, None);
    let kind = [("content-type", "application/json")];
    let large = format!("{{\"operation\":\"{}\"}}", "x".repeat(8000));
    let cases: &[Case<'_>] = &[
        ("GET", "/nothing", None, 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/none-such", None, 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/%ff%fe", None, 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/%00%00%00%00%00%00%00%00", None, 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/..%2f..%2fetc%2fpasswd", None, 404, "NOT_FOUND"),
        ("PUT", "/api/v1/jobs", None, 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", "/health", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/jobs?stauts=failed", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?status=broken", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?limit=0", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?limit=-1", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?limit=1&limit=2", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?limit=%zz", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/v1/jobs?cursor=-1", None, 400, "VALIDATION_ERROR"),
        ("GET", "/health?x=1", None, 400, "VALIDATION_ERROR"),
        ("POST", "/api/v1/jobs", Some(b"{"), 400, "MALFORMED"),
        ("POST", "/api/v1/jobs", Some(b""), 400, "MALFORMED"),
        ("POST", "/api/v1/jobs", Some(b"\xff\xfe"), 400, "MALFORMED"),
        ("POST", "/api/v1/jobs", Some(b"[]"), 400, "MALFORMED"),
        ("POST", "/api/v1/jobs", Some(br#"{"operation":"x.y"}"#), 400, "UNKNOWN_OPERATION"),
        ("POST", "/api/v1/jobs", Some(br#"{"version":"9"}"#), 400, "UNSUPPORTED_VERSION"),
        ("DELETE", "/api/v1/dead-letters/x", None, 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/dead-letters/7", None, 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/tokens/x", None, 404, "NOT_FOUND"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = site.ask(method, path, Some(&token), &kind, *body);
        assert_eq!((answer.status, answer.code().as_str()), (*status, *code), "{method} {path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{method} {path}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{method} {path}");
    }
    let answer = site.ask("POST", "/api/v1/jobs", Some(&token), &kind, Some(large.as_bytes()));
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn what_takes_too_long_is_ended() {
    let rules =
        Rules { request_timeout: std::time::Duration::from_millis(300), ..Rules::default() };
    let site = Site::new(rules);
    let token = site.token(Role::Operator, None);
    // Whoever says that there is more and does not send it is not waited for.
    let mut socket = TcpStream::connect(site.address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    write!(
        socket,
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    )
    .unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\"TIMEOUT\"") {
        let length = socket.read(&mut part).unwrap();
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..length]);
    }
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 503"));
}
