//! Messages that are sent.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::options;
use super::server::{Answer, Server};
use crate::error::ErrorKind;
use crate::source::http::{Resolver, Secret, Web};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_message_is_sent_once_and_its_answer_told() {
    let answers = [
        ("200 Yes", 200),
        ("302 There\r\nLocation: /elsewhere", 302),
        ("503 Later\r\nRetry-After: 0", 503),
    ];
    for (head, status) in answers {
        let head = format!("{head}\r\nContent-Length: 4");
        let server = Server::new(move |_, _| Answer::new(&head, b"said"));
        let web = Web::new(&options().no_redirects());
        let headers = [("X-Secret", Secret::new("hush"))];
        let answer = web.post(&server.url("/hook"), &headers, b"{}", SOON).unwrap();
        assert_eq!(answer, (status, b"said".to_vec()));
        assert_eq!(server.count(), 1);
        let requests = server.requests.lock().unwrap();
        assert_eq!(requests[0].header("x-secret"), Some("hush"));
        assert_eq!(requests[0].header("content-length"), Some("2"));
    }
}

#[test]
fn who_does_not_answer_is_given_up() {
    let server = Server::new(|_, _| {
        let mut answer = Answer::new("200 Yes\r\nContent-Length: 1000", &[b'x'; 1000]);
        answer.drip = Some((Duration::from_millis(100), 1));
        answer
    });
    let began = Instant::now();
    let web = Web::new(&options());
    // The status came, and that counts; the rest is not waited for.
    let (status, answer) = web.post(&server.url("/"), &[], b"x", Duration::from_secs(1)).unwrap();
    assert!(status == 200 && answer.len() < 1000);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let error = web.post("http://127.0.0.1:1/", &[], b"x", SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

#[test]
fn nothing_is_sent_to_where_it_may_not_go() {
    let server = Server::new(|_, _| Answer::new("200 Yes\r\nContent-Length: 0", b""));
    let resolver = Resolver::new(|address: IpAddr| !address.is_loopback());
    let web = Web::new(&options().resolver(resolver));
    let error = web.post(&server.url("/"), &[], b"x", SOON).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(server.count(), 0);
}
