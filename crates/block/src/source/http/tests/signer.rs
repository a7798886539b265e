//! Images of servers that want each request signed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::server::{Answer, Request, Server};
use super::{check, image, open_with, options, refused};
use crate::error::ErrorKind;
use crate::read::ReadAt as _;
use crate::source::http::{HttpOptions, Secret, Signer};

/// Signs by a number that grows, and by what is asked for.
fn signed() -> HttpOptions {
    let count = AtomicUsize::new(0);
    let signer = Signer::new(move |url, headers| {
        let range = headers.iter().find(|(name, _)| *name == "Range").map(|(_, value)| value);
        let path = url.rsplit('/').next().unwrap();
        let signature =
            format!("{}-{path}-{}", count.fetch_add(1, Ordering::Relaxed), range.unwrap());
        Ok(vec![("Authorization".to_owned(), Secret::new(signature))])
    });
    options().signer(signer)
}

fn serve(request: &Request, _: usize) -> Answer {
    match request.header("if-match") {
        None | Some("\"one\"") => Answer::range(request, &image(), "\r\nETag: \"one\""),
        Some(_) => Answer::new("412 Changed\r\nContent-Length: 0", b""),
    }
}

#[test]
fn each_request_is_signed_anew_and_holds_to_what_was_seen() {
    let server = Server::new(serve);
    let source = open_with(&server.url("/disk.img"), signed()).unwrap();
    check(&source, 1 << 20, 1000);
    let requests = server.requests.lock().unwrap();
    let of = |name: &str| requests.iter().map(|it| it.header(name)).collect::<Vec<_>>();
    assert_eq!(
        of("authorization"),
        [Some("0-disk.img-bytes=0-524287"), Some("1-disk.img-bytes=1048576-1049575")]
    );
    assert_eq!(of("if-match"), [None, Some("\"one\"")]);
    assert_eq!(of("if-range"), [None, None]);
}

#[test]
fn an_image_that_was_exchanged_is_not_read() {
    let server = Server::new(|request, before| match before {
        0 => Answer::range(request, &image(), "\r\nETag: \"zero\""),
        _ => serve(request, before),
    });
    let source = open_with(&server.url("/disk.img"), signed()).unwrap();
    let error = source.read_at(1 << 20, &mut [0; 9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    assert!(error.to_string().contains("changed on the server"), "{error}");
    assert_eq!(server.count(), 2);
}

#[test]
fn what_cannot_be_signed_is_not_sent() {
    let server = Server::new(serve);
    let signer = Signer::new(|_, _| Err("there is no key".to_owned()));
    let opened = open_with(&server.url("/disk.img"), options().signer(signer));
    refused(opened, ErrorKind::Invalid, "there is no key");
    assert_eq!(server.count(), 0);
}
