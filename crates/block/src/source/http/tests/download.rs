//! Whole files, fetched, continued and left alone.

use std::fs;
use std::path::PathBuf;

use super::server::{Answer, Request, Server};
use super::{image, options};
use crate::error::{ErrorKind, Result};
use crate::source::http::{Downloaded, download, forget};

/// The most bytes that the tests take.
const MOST: u64 = 1 << 30;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("feed")
    }

    fn fetch(&self, server: &Server) -> Result<Downloaded> {
        download(&server.url("/feed"), &options(), &self.file(), MOST, &mut |_, _| {})
    }

    fn holds(&self, expected: &[u8]) {
        assert!(fs::read(self.file()).unwrap() == expected);
        let mut names: Vec<_> =
            fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["feed", "feed.version"]);
    }
}

fn whole(image: &[u8], headers: &str) -> Answer {
    Answer::new(&format!("200 Yes\r\nContent-Length: {}{headers}", image.len()), image)
}

/// Serves what `tag` names: nothing to whom it is known, ranges if `If-Range` fits.
fn serve(request: &Request, image: &[u8], tag: &str) -> Answer {
    if request.header("if-none-match") == Some(tag) {
        return Answer::new("304 Same\r\nContent-Length: 0", b"");
    }
    let headers = format!("\r\nETag: {tag}");
    match request.header("range") {
        Some(range) if request.header("if-range") == Some(tag) => {
            let start: usize =
                range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
            let head = format!(
                "206 Part\r\nContent-Range: bytes {start}-{}/{}\r\nContent-Length: {}{headers}",
                image.len() - 1,
                image.len(),
                image.len() - start
            );
            Answer::new(&head, &image[start..])
        }
        _ => whole(image, &headers),
    }
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let server = Server::new(|request, _| serve(request, &image(), "\"one\""));
    let place = Place::new();
    let all = image().len() as u64;
    assert_eq!(place.fetch(&server).unwrap(), Downloaded { fetched: all, is_new: true });
    place.holds(&image());
    assert_eq!(place.fetch(&server).unwrap(), Downloaded { fetched: 0, is_new: false });
    place.holds(&image());
    // Another address may serve another file by the same tag.
    let other = download(&server.url("/other"), &options(), &place.file(), MOST, &mut |_, _| {});
    assert_eq!(other.unwrap().fetched, all);
}

#[test]
fn a_file_that_is_gone_is_fetched_again() {
    let server = Server::new(|request, _| serve(request, &image(), "\"one\""));
    let place = Place::new();
    place.fetch(&server).unwrap();
    fs::remove_file(place.file()).unwrap();
    assert!(place.fetch(&server).unwrap().is_new);
    place.holds(&image());
}

#[test]
fn what_was_cut_is_continued() {
    let server = Server::new(|request, before| {
        let mut answer = serve(request, &image(), "\"one\"");
        if before == 0 {
            answer.body.truncate(1 << 20);
            answer.close = true;
        }
        answer
    });
    let place = Place::new();
    let all = image().len() as u64;
    assert_eq!(place.fetch(&server).unwrap(), Downloaded { fetched: all, is_new: true });
    place.holds(&image());
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests[1].header("range"), Some("bytes=1048576-"));
}

#[test]
fn parts_of_two_versions_are_not_put_together() {
    let other: Vec<u8> = image().iter().map(|byte| !byte).collect();
    let served = other.clone();
    let server = Server::new(move |request, before| match before {
        0 => {
            let mut answer = serve(request, &image(), "\"one\"");
            answer.body.truncate(1 << 20);
            answer.close = true;
            answer
        }
        _ => serve(request, &served, "\"two\""),
    });
    let place = Place::new();
    place.fetch(&server).unwrap();
    place.holds(&other);
}

#[test]
fn a_server_without_ranges_and_tags_serves_it_whole() {
    let server = Server::new(|_, before| {
        let mut answer = whole(&image(), "");
        if before == 0 {
            answer.body.truncate(1 << 20);
            answer.close = true;
        }
        answer
    });
    let place = Place::new();
    let all = image().len() as u64;
    assert_eq!(place.fetch(&server).unwrap().fetched, all + (1 << 20));
    place.holds(&image());
    // Whether it is the same cannot be told.
    assert_eq!(place.fetch(&server).unwrap(), Downloaded { fetched: all, is_new: true });
}

#[test]
fn what_fails_leaves_the_old_file() {
    let place = Place::new();
    let server = Server::new(|request, _| serve(request, &image(), "\"one\""));
    place.fetch(&server).unwrap();
    for (status, kind) in [("404 No", ErrorKind::NotFound), ("500 Bad", ErrorKind::Unreachable)] {
        let head = format!("{status}\r\nContent-Length: 0");
        let broken = Server::new(move |_, _| Answer::new(&head, b""));
        let failed =
            download(&broken.url("/feed"), &options(), &place.file(), MOST, &mut |_, _| {});
        assert_eq!(failed.unwrap_err().kind(), kind);
        place.holds(&image());
    }
    // Cut each time, with another version each time.
    let cut = Server::new(|request, before| {
        let mut answer = serve(request, &image(), &format!("\"v{before}\""));
        answer.body.truncate(100);
        answer.close = true;
        answer
    });
    let failed = download(&cut.url("/feed"), &options(), &place.file(), MOST, &mut |_, _| {});
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(fs::read(place.file()).unwrap() == image());
    // The old one is still known to be what it is.
    assert!(!place.fetch(&server).unwrap().is_new);
    place.holds(&image());
}

#[test]
fn what_was_damaged_is_fetched_again() {
    let server = Server::new(|request, _| serve(request, &image(), "\"one\""));
    let place = Place::new();
    place.fetch(&server).unwrap();
    // Of another length than it had.
    fs::write(place.file(), b"cut").unwrap();
    assert!(place.fetch(&server).unwrap().is_new);
    place.holds(&image());
    // Of the same, as who reads it has found out.
    fs::write(place.file(), vec![0; image().len()]).unwrap();
    assert!(!place.fetch(&server).unwrap().is_new);
    forget(&place.file());
    assert!(place.fetch(&server).unwrap().is_new);
    place.holds(&image());
}

#[test]
fn no_more_is_taken_than_was_said() {
    let place = Place::new();
    let check = |server: &Server| {
        let refused =
            download(&server.url("/feed"), &options(), &place.file(), 1000, &mut |_, _| {});
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("at most 1000 are taken"), "{refused}");
        assert_eq!(server.count(), 1, "it is tried again");
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
    };
    // It says so at once, or goes on and on.
    check(&Server::new(|_, _| Answer::new("200 Yes\r\nContent-Length: 9999999999", b"")));
    check(&Server::new(|_, _| {
        let mut answer = Answer::new("200 Yes", &image());
        answer.close = true;
        answer
    }));
}

#[test]
fn secrets_of_addresses_are_not_written_down() {
    let server = Server::new(|request, _| serve(request, &image(), "\"one\""));
    let place = Place::new();
    let address =
        |query: &str| server.url(&format!("/feed{query}")).replace("http://", "http://user:word@");
    let fetch = |query: &str| {
        download(&address(query), &options(), &place.file(), MOST, &mut |_, _| {}).unwrap().is_new
    };
    assert!(fetch("?token=one"));
    let note = fs::read_to_string(place.folder.path().join("feed.version")).unwrap();
    assert!(!note.contains("word") && !note.contains("token"), "{note}");
    assert!(!fetch("?token=one"));
    // Another query may mean another file.
    assert!(fetch("?token=two"));
}

#[test]
fn links_lead_nowhere() {
    let server = Server::new(|_, _| whole(&image(), ""));
    let place = Place::new();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("precious");
    fs::write(&target, b"precious").unwrap();
    for name in ["feed", "feed.version", "feed.part", "feed.part.version"] {
        std::os::unix::fs::symlink(&target, place.folder.path().join(name)).unwrap();
    }
    place.fetch(&server).unwrap();
    place.holds(&image());
    assert_eq!(fs::read(&target).unwrap(), b"precious");
}
