//! Whoever opens many connections, or speaks slowly, keeps nobody else out.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::site::{PATIENCE, Site, token};
use crate::tls::{Files, ask};

/// How many connections the service has in these tests.
const MOST: usize = 50;
/// How many are opened that are of no use.
const USELESS: usize = 200;

fn settings() -> Vec<String> {
    vec![format!("server.max_connections={MOST}"), "server.idle_timeout=4s".to_owned()]
}

fn connect(site: &Site) -> TcpStream {
    let (_, address) = site.address.split_once("://").unwrap();
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Connections that have sent this.
fn useless(site: &Site, text: &str) -> Vec<TcpStream> {
    let open = |_| {
        let mut socket = connect(site);
        // The service may have closed it already.
        let _ = socket.write_all(text.as_bytes());
        socket
    };
    (0..USELESS).map(open).collect()
}

/// When the other side closes, from now on.
fn closed_after(mut socket: TcpStream) -> Duration {
    let began = Instant::now();
    let _ = socket.read_to_end(&mut Vec::new());
    began.elapsed()
}

#[test]
fn many_connections_of_no_use_keep_nobody_out() {
    let place = tempfile::tempdir().unwrap();
    let token = token(place.path(), "operator");
    // It takes long for a connection to be closed for being silent.
    let settings = [settings(), vec!["server.idle_timeout=10m".to_owned()]].concat();
    let site = Site::new(place.path(), &settings);
    // Somebody follows a job while all that goes on.
    let job = json!({ "operation": "fathom.echo" });
    let (status, receipt) = site.ask("POST", "/api/v1/jobs", Some(&token), Some(&job));
    assert_eq!(status, 202, "{receipt}");
    let mut follower = connect(&site);
    write!(
        follower,
        "GET /api/v1/jobs/{}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n",
        receipt["job_id"].as_str().unwrap()
    )
    .unwrap();
    let mut first = [0; 16];
    follower.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 OK"));
    for text in [
        "",
        "GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "PRI * HTTP/2.0\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 1000\r\n\r\n{",
    ] {
        let held = useless(&site, text);
        for _ in 0..10 {
            let began = Instant::now();
            assert_eq!(site.get("/api/v1/jobs", &token).0, 200, "{text:?}");
            assert!(began.elapsed() < Duration::from_secs(10), "{text:?}: {:?}", began.elapsed());
        }
        drop(held);
    }
    // Whoever was being served goes on to be.
    let (status, answer) = site.ask(
        "DELETE",
        &format!("/api/v1/jobs/{}", receipt["job_id"].as_str().unwrap()),
        Some(&token),
        None,
    );
    assert!(status < 300, "{answer}");
    let mut seen = Vec::new();
    let mut part = [0; 4096];
    let began = Instant::now();
    while !String::from_utf8_lossy(&seen).contains("cancelled") {
        assert!(began.elapsed() < PATIENCE);
        let length = follower.read(&mut part).unwrap();
        assert!(length > 0, "it was put out: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&part[..length]);
    }
}

#[test]
fn whoever_is_silent_is_put_out() {
    let place = tempfile::tempdir().unwrap();
    let site = Site::new(place.path(), &settings());
    // Between two requests.
    let mut socket = connect(&site);
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let closed = closed_after(socket);
    assert!((3..20).contains(&closed.as_secs()), "{closed:?}");
    // In the middle of a head, a letter at a time.
    let mut socket = connect(&site);
    let mut slow = socket.try_clone().unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    std::thread::spawn(move || {
        let head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
            .iter()
            .chain([b'x'; 200].iter());
        for byte in head {
            std::thread::sleep(Duration::from_millis(200));
            if slow.write_all(&[*byte]).is_err() {
                return;
            }
        }
    });
    let closed = closed_after(socket);
    assert!((3..20).contains(&closed.as_secs()), "{closed:?}");
    // Who says nothing from the beginning.
    let closed = closed_after(connect(&site));
    assert!((3..30).contains(&closed.as_secs()), "{closed:?}");
}

#[test]
fn half_open_connections_of_tls_keep_nobody_out() {
    let place = tempfile::tempdir().unwrap();
    let files = Files::new(place.path());
    let certificate = files.make();
    let site = Site::new(place.path(), &[settings(), files.settings()].concat());
    for text in ["", "\u{16}\u{3}\u{1}\u{1}"] {
        let held = useless(&site, text);
        for _ in 0..10 {
            let began = Instant::now();
            let (_, answer) = ask(&site, &certificate, rustls::ALL_VERSIONS).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
            assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        }
        drop(held);
    }
}
