//! Documents and files of servers of all kinds, read from their beginning to their end.

use std::time::{Duration, Instant};

use super::server::{Answer, Server};
use super::{image, options};
use crate::error::{ErrorKind, Result};
use crate::source::http::Web;

const SOON: Duration = Duration::from_secs(20);

fn document(server: &Server, most: u64, within: Duration) -> Result<Vec<u8>> {
    Web::new(&options()).document(&server.url("/manifest"), most, within)
}

#[track_caller]
fn refused<T>(result: Result<T>, why: &str) {
    let error = result.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

/// What is behind the first `start` bytes of what must be the image.
fn rest(server: &Server, start: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let length = image().len() as u64;
    Web::new(&options()).rest(&server.url("/file"), start..length, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}

/// A server that knows ranges.
fn ranged() -> Server {
    Server::new(|request, _| {
        let range = request.header("range").unwrap().strip_prefix("bytes=").unwrap();
        let start: usize = range.strip_suffix('-').unwrap().parse().unwrap();
        let image = image();
        let head = format!(
            "206 Part\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}",
            image.len() - 1,
            image.len(),
            image.len() - start
        );
        Answer::new(&head, &image[start..])
    })
}

#[test]
fn a_document_is_asked_for_plainly() {
    let server = Server::new(|_, _| Answer::new("200 Yes\r\nContent-Length: 4", b"text"));
    assert_eq!(document(&server, 4, SOON).unwrap(), b"text");
    assert_eq!(server.requests.lock().unwrap()[0].header("range"), None);
    refused(document(&server, 3, SOON), "at most 3 are taken");
    let endless = Server::new(|_, _| {
        let mut answer = Answer::new("200 Yes", &image());
        answer.close = true;
        answer
    });
    refused(document(&endless, 1000, SOON), "at most 1000 are taken");
    let none = Server::new(|_, _| Answer::new("404 No\r\nContent-Length: 0", b""));
    assert_eq!(document(&none, 4, SOON).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn a_document_that_drips_is_given_up() {
    let server = Server::new(|_, _| {
        let mut answer = Answer::new("200 Yes\r\nContent-Length: 1000", &[b' '; 1000]);
        answer.drip = Some((Duration::from_millis(100), 1));
        answer
    });
    let began = Instant::now();
    refused(document(&server, 1000, Duration::from_secs(1)), "within 1 seconds");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_document_that_was_cut_is_asked_for_again() {
    let server = Server::new(|_, before| {
        let mut answer = Answer::new("200 Yes\r\nContent-Length: 4", b"text");
        if before == 0 {
            answer.body.truncate(2);
            answer.close = true;
        }
        answer
    });
    assert_eq!(document(&server, 4, SOON).unwrap(), b"text");
}

#[test]
fn what_is_missing_of_a_file_comes_from_servers_with_and_without_ranges() {
    let ranged = ranged();
    let plain = Server::new(|_, _| {
        Answer::new(&format!("200 Yes\r\nContent-Length: {}", image().len()), &image())
    });
    for server in [&ranged, &plain] {
        for start in [0, 1, 300_000, image().len() - 1, image().len()] {
            assert!(rest(server, start as u64).unwrap() == image()[start..], "{start}");
        }
    }
}

#[test]
fn a_file_that_was_cut_is_continued() {
    let server = Server::new(|request, before| {
        let range = request.header("range").unwrap();
        let start: usize =
            range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
        let image = image();
        let head =
            format!("206 Part\r\nContent-Range: bytes {start}-{}/{}", image.len() - 1, image.len());
        let mut answer = Answer::new(&head, &image[start..]);
        answer.close = true;
        if before == 0 {
            answer.body.truncate(700_000);
        }
        answer
    });
    assert!(rest(&server, 0).unwrap() == image());
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests[1].header("range"), Some("bytes=700000-"));
}

#[test]
fn a_file_of_another_length_is_refused_at_once() {
    for head in [
        "200 Yes\r\nContent-Length: 9999999999",
        "206 Part\r\nContent-Range: bytes 0-9999999998/9999999999",
        "206 Part\r\nContent-Range: bytes 0-1/2",
    ] {
        let server = Server::new(move |_, _| Answer::new(head, b""));
        refused(rest(&server, 0), "are expected");
        assert_eq!(server.count(), 1);
    }
    let shifted = Server::new(|_, _| Answer::new("206 Part\r\nContent-Range: bytes 1-2/3", b"ab"));
    refused(rest(&shifted, 0), "were asked for");
    // It says nothing of its length, and goes on.
    let endless = Server::new(|_, _| {
        let mut answer = Answer::new("200 Yes", &[image(), image()].concat());
        answer.close = true;
        answer
    });
    refused(rest(&endless, 0), "are taken");
}
