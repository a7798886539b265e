//! The client against a real server on this machine, which also misbehaves.

mod download;
mod post;
mod server;
mod signer;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use self::server::{Answer, Request, Server};
use super::{Agents, HttpOptions, HttpSource, Resolver, Secret};
use crate::error::{ErrorKind, Result};
use crate::formats::Format;
use crate::location::Location;
use crate::meter::Meter;
use crate::open::Opener;
use crate::read::ReadAt;

/// An image of 3 MiB and a little.
fn image() -> Vec<u8> {
    (0..(3_u32 << 20) + 77).map(|at| (at ^ (at >> 8) ^ (at >> 15)) as u8).collect()
}

/// Quick to give up.
fn options() -> HttpOptions {
    HttpOptions::new()
        .retries(3, Duration::from_millis(5), Duration::from_millis(50))
        .timeouts(Duration::from_secs(2), Duration::from_millis(400))
}

fn open_with(url: &str, options: HttpOptions) -> Result<HttpSource> {
    HttpSource::open(url, Arc::new(Agents::new(options)), Arc::new(Meter::default()))
}

fn open(server: &Server) -> Result<HttpSource> {
    open_with(&server.url("/disk.img"), options())
}

fn serve(request: &Request, _before: usize) -> Answer {
    Answer::range(request, &image(), "\r\nETag: \"one\"")
}

fn check(source: &HttpSource, offset: usize, length: usize) {
    let mut buf = vec![0; length];
    source.read_at(offset as u64, &mut buf).unwrap();
    assert!(buf == image()[offset..offset + length], "{length} bytes at {offset}");
}

fn refused(result: Result<HttpSource>, kind: ErrorKind, why: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

/// Opens what `first` serves, then reads what `later` serves, which must fail.
fn breaks(
    kind: ErrorKind,
    why: &str,
    later: impl Fn(&Request, &[u8]) -> Answer + Send + Sync + 'static,
) -> usize {
    let image = image();
    let server = Server::new(move |request, before| match before {
        0 => serve(request, before),
        _ => later(request, &image),
    });
    let source = open(&server).unwrap();
    let error = source.read_at(1 << 20, &mut [0; 1000]).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(why), "{error}");
    server.count() - 1
}

#[test]
fn opening_costs_one_round_trip_and_brings_the_head() {
    let server = Server::new(serve);
    let meter = Arc::new(Meter::default());
    let agents = Arc::new(Agents::new(options()));
    let source = HttpSource::open(&server.url("/x"), agents, Arc::clone(&meter)).unwrap();
    assert_eq!(source.len(), image().len() as u64);
    check(&source, 0, HttpSource::HEAD as usize);
    assert_eq!(server.count(), 1);
    check(&source, HttpSource::HEAD as usize - 5, 10);
    assert_eq!(server.count(), 2);
    let last = image().len() - 1;
    check(&source, last, 1);
    assert!(source.read_at(last as u64, &mut [0; 2]).is_err());
    assert_eq!(meter.spent().requests, 3);
    assert_eq!(meter.spent().bytes, HttpSource::HEAD + 5 + 1);
}

#[test]
fn long_reads_are_fetched_side_by_side_on_connections_that_are_kept() {
    let busy = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&busy), Arc::clone(&most));
    let server = Server::new(move |request, before| {
        let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(at_once, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        now.fetch_sub(1, Ordering::SeqCst);
        serve(request, before)
    });
    let source = open_with(&server.url("/disk.img"), options().parallel(3)).unwrap();
    for _ in 0..4 {
        check(&source, 100, image().len() - 100);
    }
    let most = most.load(Ordering::SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
    assert_eq!(server.count(), 1 + 4 * 3);
    assert!(server.connections.load(Ordering::Relaxed) <= 4);
}

#[test]
fn many_small_reads_become_few_requests() {
    let server = Server::new(serve);
    let source = open(&server).unwrap();
    let mut buffers = vec![[0_u8; 100]; 200];
    let mut reads: Vec<(u64, &mut [u8])> = buffers
        .iter_mut()
        .enumerate()
        .map(|(index, buf)| ((199 - index as u64) * 10_000, &mut buf[..]))
        .collect();
    source.read_many(&mut reads).unwrap();
    for (index, buf) in buffers.iter().enumerate() {
        assert!(buf[..] == image()[(199 - index) * 10_000..][..100]);
    }
    assert!(server.count() <= 1 + 3, "{} requests", server.count());
}

#[test]
fn a_server_that_ignores_ranges_is_told_of() {
    let server = Server::new(|_, _| Answer::new("200 OK\r\nContent-Length: 5", b"whole"));
    refused(open(&server), ErrorKind::Unreachable, "ignores Range");
    let tries = breaks(ErrorKind::Unreachable, "ignores Range", |_, _| {
        Answer::new("200 OK\r\nContent-Length: 3145805\r\nETag: \"one\"", b"")
    });
    assert_eq!(tries, 1);
}

#[test]
fn statuses_have_kinds_and_hopeless_ones_are_not_retried() {
    for (status, kind) in [
        ("401 No", ErrorKind::Unreachable),
        ("403 No", ErrorKind::Refused),
        ("404 No", ErrorKind::NotFound),
        ("410 Gone", ErrorKind::NotFound),
        ("418 Teapot", ErrorKind::Unreachable),
    ] {
        let head = format!("{status}\r\nContent-Length: 0");
        let server = Server::new(move |_, _| Answer::new(&head, b""));
        refused(open(&server), kind, "");
        assert_eq!(server.count(), 1);
    }
}

#[test]
fn passing_failures_are_retried_a_bounded_number_of_times() {
    for status in ["500 Oh", "503 Later\r\nRetry-After: 0", "429 Slow\r\nRetry-After: 3600"] {
        let head = format!("{status}\r\nContent-Length: 0");
        let server = Server::new(move |request, before| match before % 3 {
            2 => serve(request, before),
            _ => Answer::new(&head, b""),
        });
        let started = Instant::now();
        let source = open(&server).unwrap();
        check(&source, 1 << 20, 1000);
        assert_eq!(server.count(), 6);
        assert!(started.elapsed() < Duration::from_secs(5), "an hour is not waited for");
    }
    let server = Server::new(|_, _| Answer::new("502 Bad\r\nContent-Length: 0", b""));
    refused(open(&server), ErrorKind::Unreachable, "502");
    assert_eq!(server.count(), 4);
}

#[test]
fn a_read_goes_on_where_the_connection_ended() {
    let server = Server::new(|request, before| {
        let mut answer = serve(request, before);
        if before > 0 && answer.body.len() > 400_000 {
            answer.body.truncate(400_000);
            answer.close = true;
        }
        answer
    });
    let source = open(&server).unwrap();
    check(&source, 1 << 20, 1 << 20);
    let asked: Vec<usize> =
        server.requests.lock().unwrap().iter().map(|request| request.range(1 << 30).0).collect();
    assert_eq!(asked, [0, 1 << 20, (1 << 20) + 400_000, (1 << 20) + 800_000]);
}

#[test]
fn broken_connections_are_unreachable_in_the_end() {
    let tries = breaks(ErrorKind::Unreachable, "ended after", |request, image| {
        let mut answer = Answer::range(request, image, "");
        answer.body.clear();
        answer.close = true;
        answer
    });
    assert_eq!(tries, 4);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = open_with(&format!("http://127.0.0.1:{port}/x"), options());
    refused(nobody, ErrorKind::Unreachable, "127.0.0.1");
}

#[test]
fn silent_and_dripping_servers_are_given_up() {
    let started = Instant::now();
    let tries = breaks(ErrorKind::Unreachable, "in time", |request, image| {
        let mut answer = Answer::range(request, image, "");
        answer.drip = Some((Duration::from_millis(150), 1));
        answer
    });
    assert_eq!(tries, 4, "each brought a little and was too slow");
    breaks(ErrorKind::Unreachable, "in time", |request, image| {
        std::thread::sleep(Duration::from_secs(3));
        Answer::range(request, image, "")
    });
    assert!(started.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_silent_server_is_given_up_before_all_tries_are_made() {
    let server = Server::new(|request, before| {
        if before > 0 {
            std::thread::sleep(Duration::from_secs(3));
        }
        serve(request, before)
    });
    let url = server.url("/disk.img");
    let source = open_with(&url, options().patience(Duration::from_millis(600))).unwrap();
    let started = Instant::now();
    let error = source.read_at(1 << 20, &mut [0; 1000]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert_eq!(server.count(), 3, "two tries of 400 ms");
    assert!(started.elapsed() < Duration::from_millis(1500), "{:?}", started.elapsed());
    // Nor is each page then tried alone.
    let opener = Opener::new().format(Some(Format::Raw)).http(options().patience(Duration::ZERO));
    let server = Server::new(|request, before| match before {
        0 => serve(request, before),
        _ => Answer::new("503 Later\r\nContent-Length: 0", b""),
    });
    let disk = opener.open(&Location::Url(server.url("/disk.img"))).unwrap().remove(0);
    let before = server.count();
    assert!(disk.reader.read_at(1 << 20, &mut [0; 600_000]).is_err());
    assert_eq!(server.count() - before, 1);
}

#[test]
fn an_image_whose_changes_cannot_be_told_is_noted() {
    for (headers, noted) in [("", true), ("\r\nETag: W/\"one\"", false)] {
        let server = Server::new(move |request, _| Answer::range(request, &image(), headers));
        let location = Location::Url(server.url("/disk.img"));
        let disk = Opener::new().http(options()).open(&location).unwrap().remove(0);
        assert_eq!(disk.layers[0].detail.contains("neither ETag"), noted, "{headers}");
        assert!(disk.problems.is_empty());
    }
}

#[test]
fn ranges_that_were_not_asked_for_are_refused() {
    let wrong = |range: &'static str, length: usize| {
        move |_: &Request, _: &[u8]| {
            let head = format!("206 Part\r\nContent-Range: {range}\r\nContent-Length: {length}");
            Answer::new(&head, &vec![0; length])
        }
    };
    let kind = ErrorKind::Unreachable;
    breaks(kind, "it sends 1000 at 5", wrong("bytes 5-1004/3145805", 1000));
    breaks(kind, "it sends 999 at 1048576", wrong("bytes 1048576-1049574/3145805", 999));
    breaks(kind, "cannot be understood", wrong("bytes what", 1000));
    breaks(kind, "Content-Length 999", wrong("bytes 1048576-1049575/3145805", 999));
    breaks(kind, "changed", wrong("bytes 1048576-1049575/3145806", 1000));
    breaks(kind, "cannot be understood", wrong("bytes 1048576-1049575/9", 1000));
    breaks(kind, "encodes", |request, image| {
        Answer::range(request, image, "\r\nContent-Encoding: gzip")
    });
    let unknown = Server::new(|_, _| {
        Answer::new("206 Part\r\nContent-Range: bytes 0-3/*\r\nContent-Length: 4", b"abcd")
    });
    refused(open(&unknown), kind, "how long");
}

#[test]
fn an_image_that_changes_is_an_error_and_never_mixed() {
    let kind = ErrorKind::Unreachable;
    breaks(kind, "ETag is another", |request, image| {
        Answer::range(request, image, "\r\nETag: \"two\"")
    });
    // What a server does that knows If-Range.
    let tries = breaks(kind, "changed", |request, _| {
        assert_eq!(request.header("if-range"), Some("\"one\""));
        Answer::new("200 OK\r\nContent-Length: 3145805\r\nETag: \"two\"", b"")
    });
    assert_eq!(tries, 1);
    breaks(kind, "it now has 7 bytes", |_, _| {
        Answer::new("416 No\r\nContent-Range: bytes */7\r\nContent-Length: 0", b"")
    });
    let server = Server::new(|request, before| {
        let time = if before == 0 { "yesterday" } else { "today" };
        Answer::range(request, &image(), &format!("\r\nLast-Modified: {time}"))
    });
    let source = open(&server).unwrap();
    let error = source.read_at(1 << 20, &mut [0; 9]).unwrap_err();
    assert!(error.to_string().contains("modification time"), "{error}");
}

#[test]
fn redirects_are_followed_and_remembered_but_take_no_secret_along() {
    let elsewhere = Server::new(serve);
    let target = elsewhere.url("/signed?token=abc");
    let server = Server::new(move |request, _| match &*request.path {
        "/disk.img" => Answer::new("302 There\r\nLocation: /inner\r\nContent-Length: 0", b""),
        _ => Answer::new(&format!("307 There\r\nLocation: {target}\r\nContent-Length: 0"), b""),
    });
    let secret = || Secret::new("Bearer hush");
    let source = open_with(&server.url("/disk.img"), options().authorization(secret())).unwrap();
    check(&source, 1 << 20, 1000);
    assert_eq!((server.count(), elsewhere.count()), (2, 2));
    for request in server.requests.lock().unwrap().iter() {
        assert_eq!(request.header("authorization"), Some("Bearer hush"));
    }
    for request in elsewhere.requests.lock().unwrap().iter() {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.path, "/signed?token=abc");
    }
    assert!(!format!("{:?}", options().authorization(secret())).contains("hush"));
}

#[test]
fn a_redirect_that_expires_is_asked_for_again() {
    let server = Server::new(|request, before| match (&*request.path, before) {
        ("/disk.img", _) => {
            Answer::new(&format!("302 There\r\nLocation: /at/{before}\r\nContent-Length: 0"), b"")
        }
        ("/at/0", 2..) => Answer::new("403 Expired\r\nContent-Length: 0", b""),
        _ => serve(request, before),
    });
    let source = open(&server).unwrap();
    check(&source, 1 << 20, 1000);
    let paths: Vec<String> =
        server.requests.lock().unwrap().iter().map(|request| request.path.clone()).collect();
    assert_eq!(paths, ["/disk.img", "/at/0", "/at/0", "/disk.img", "/at/3"]);
}

#[test]
fn redirects_end() {
    let server = Server::new(|_, _| {
        Answer::new("301 Round\r\nLocation: /disk.img\r\nContent-Length: 0", b"")
    });
    refused(open(&server), ErrorKind::Unreachable, "redirects more than");
    assert_eq!(server.count(), 11);
    let server = Server::new(|_, _| {
        Answer::new("301 X\r\nLocation: file:///etc/passwd\r\nContent-Length: 0", b"")
    });
    refused(open(&server), ErrorKind::Unreachable, "redirects to no address");
}

#[test]
fn an_empty_image_is_empty() {
    for head in
        ["416 No\r\nContent-Range: bytes */0\r\nContent-Length: 0", "200 OK\r\nContent-Length: 0"]
    {
        let server = Server::new(move |_, _| Answer::new(head, b""));
        assert_eq!(open(&server).unwrap().len(), 0);
    }
}

#[test]
fn errors_do_not_show_what_is_secret_in_an_address() {
    let server = Server::new(|request, _| {
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjp3b3Jk"));
        Answer::new("404 No\r\nContent-Length: 0", b"")
    });
    let url = format!("http://user:word@127.0.0.1:{}/disk.img?token=hush#part", server.port);
    let error = Opener::new().http(options()).open(&Location::Url(url)).err().unwrap();
    let text = format!("{error:?}");
    assert!(text.contains(&format!("http://127.0.0.1:{}/disk.img", server.port)), "{text}");
    assert!(!text.contains("word") && !text.contains("hush"), "{text}");
    assert_eq!(text.matches("127.0.0.1").count(), 1, "{text}");
    assert_eq!(server.requests.lock().unwrap()[0].path, "/disk.img?token=hush");
    for url in ["http://", "https://user:hush@/x", "http://a b/?hush", "http://h:99999/?hush"] {
        let error = Opener::new().http(options()).open(&Location::parse(url)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}

#[test]
fn a_disk_opens_through_the_cache_and_its_backing_file_beside_it() {
    let mut overlay = vec![0; 1 << 16];
    overlay[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02");
    overlay[8..20].copy_from_slice(&[0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9]);
    overlay[20..24].copy_from_slice(&16_u32.to_be_bytes());
    overlay[24..32].copy_from_slice(&(image().len() as u64).to_be_bytes());
    overlay[36..48].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
    overlay[72..84].copy_from_slice(b"\xe2\x79\x2a\xca\0\0\0\x03raw\0");
    overlay[256..265].copy_from_slice(b"base disk");
    overlay.resize(2 << 16, 0);
    let server = Server::new(move |request, _| match &*request.path {
        "/vm/over.qcow2" => Answer::range(request, &overlay, ""),
        "/vm/base%20disk" => Answer::range(request, &image(), ""),
        _ => Answer::new("404 No\r\nContent-Length: 0", b""),
    });
    let opener = Opener::new().http(options());
    let location = Location::Url(server.url("/vm/over.qcow2"));
    let disk = opener.open(&location).unwrap().remove(0);
    assert_eq!(opener.meter().spent().rounds, 2);
    let mut all = vec![0; image().len()];
    for (index, chunk) in all.chunks_mut(100_000).enumerate() {
        disk.reader.read_at(index as u64 * 100_000, chunk).unwrap();
    }
    assert!(all == image());
    assert!(server.count() < 12, "{} requests", server.count());
}

/// A certificate for 127.0.0.1 that an authority of our own signed, and the authority's file.
fn authority() -> (Arc<rustls::ServerConfig>, tempfile::TempDir) {
    let authority = {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap()
    };
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    (Arc::new(config), directory)
}

#[test]
fn https_needs_a_certificate_that_is_trusted() {
    let (tls, directory) = authority();
    let server = Server::secure(tls, serve);
    let url = server.url("/disk.img");
    let trusting = options().ca_file(Some(directory.path().join("ca.pem")));
    let source = open_with(&url, trusting).unwrap();
    check(&source, 100, image().len() - 100);
    check(&open_with(&url, options().insecure(true)).unwrap(), 1 << 20, 1000);
    let (_, other) = authority();
    let before = server.count();
    let strange = options().ca_file(Some(other.path().join("ca.pem")));
    refused(open_with(&url, strange), ErrorKind::Unreachable, "certificate is not trusted");
    assert_eq!(server.count(), before, "nothing was asked of a stranger");
}

#[test]
fn https_does_not_redirect_to_http() {
    let (tls, directory) = authority();
    let plain = Server::new(serve);
    let target = plain.url("/disk.img");
    let server = Server::secure(tls, move |_, _| {
        Answer::new(&format!("302 Down\r\nLocation: {target}\r\nContent-Length: 0"), b"")
    });
    let trusting = options().ca_file(Some(directory.path().join("ca.pem")));
    let result = open_with(&server.url("/x"), trusting);
    refused(result, ErrorKind::Unreachable, "from https to http");
    assert_eq!(plain.count(), 0);
}

#[test]
fn a_name_is_judged_by_where_it_leads_each_time() {
    let image = image();
    let served = image.clone();
    let server = Server::new(move |request, _| {
        // Each connection is a new one, so that each asks for the name again.
        Answer { close: true, ..Answer::range(request, &served, "\r\nETag: \"1\"") }
    });
    let port = server.port;
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let resolver = Resolver::new(|address| address != IpAddr::from([169, 254, 169, 254])).names(
        move |host, _| {
            assert_eq!(host, "image.test");
            // The first time it leads to the server, and then elsewhere.
            let elsewhere = count.fetch_add(1, Ordering::SeqCst) > 0;
            let host = if elsewhere { [169, 254, 169, 254] } else { [127, 0, 0, 1] };
            Ok(vec![SocketAddr::from((host, port))])
        },
    );
    let url = "http://image.test/a.img";
    let source = open_with(url, options().resolver(resolver)).unwrap();
    let mut buffer = [0; 100];
    let error = source.read_at(image.len() as u64 - 100, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.to_string().contains("169.254.169.254"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[test]
fn redirects_are_refused_where_they_must_not_be_followed() {
    let server = Server::new(|_, _| {
        Answer::new("302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0", b"")
    });
    let url = format!("http://127.0.0.1:{}/a.img", server.port);
    let error = open_with(&url, options().no_redirects()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(server.requests.lock().unwrap().len(), 1);
}
