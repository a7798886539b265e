//! `fathom db update` and `fathom db build` over HTTPS, through a proxy, as they are typed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod web;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use web::Web;

/// The second that the tests run in.
const NOW: u64 = 1_630_500_000;

const DAY: u64 = 86_400;

/// Runs it with the database `db` in the folder.
fn fathom_at(web: &Web, folder: &Path, now: u64, db: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fathom"))
        .args(arguments)
        .current_dir(folder)
        .env("FATHOM_DB", folder.join(db))
        .env("SOURCE_DATE_EPOCH", now.to_string())
        .env("HTTPS_PROXY", &web.proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn check(output: &Output, code: i32, out: &str, error: &str) {
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}\n{warned}");
    assert!(said.contains(out), "{said}");
    assert!(warned.contains(error), "{warned}");
    if code != 0 {
        assert_eq!(warned.trim_end().lines().count(), 1, "{warned}");
    }
}

/// Records of so many flaws of Debian, about 200 bytes each.
fn feed(count: u32) -> String {
    let mut feed = String::new();
    for number in 1000..1000 + count {
        let _ = writeln!(
            feed,
            r#"{{"id":"CVE-2021-{number}","modified":"2021-09-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"Debian:11","name":"p{number}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"1.{number}"}}]}}]}}]}}"#
        );
    }
    feed
}

/// A folder with a key and a mirror of a database of so many flaws.
struct Site {
    folder: tempfile::TempDir,
    web: Web,
    key: String,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let web = Web::of(folder.path());
        let mut site = Self { folder, web, key: String::new() };
        let made = site.run(NOW, "master", &["db", "keygen", "secret"]);
        site.key = text(&made.stdout).trim().to_owned();
        site
    }

    fn run(&self, now: u64, db: &str, arguments: &[&str]) -> Output {
        fathom_at(&self.web, self.folder.path(), now, db, arguments)
    }

    /// Publishes a database of so many flaws as of this second.
    fn publish(&self, now: u64, flaws: u32) {
        fs::write(self.folder.path().join("debian-osv.jsonl"), feed(flaws)).unwrap();
        check(&self.run(now, "master", &["db", "build", "debian-osv.jsonl"]), 0, "debian", "");
        let target = self.web.folder().display().to_string();
        let export = ["db", "export", &target, "--sign", "secret"];
        check(&self.run(now, "master", &export), 0, "is written", "");
    }

    fn update(&self, now: u64, more: &[&str]) -> Output {
        let mirror = self.web.url("");
        let mut arguments = vec!["db", "update", "--mirror", &mirror, "--trust", &self.key];
        arguments.extend(more);
        self.run(now, "db", &arguments)
    }

    fn trusting(&self, now: u64) -> Output {
        let authority = self.web.authority.display().to_string();
        self.update(now, &["--ca-file", &authority])
    }

    fn flaws(&self) -> String {
        text(&self.run(NOW, "db", &["db", "status"]).stdout)
    }
}

#[test]
fn a_mirror_is_followed_through_a_proxy() {
    let site = Site::new();
    site.publish(NOW, 40);
    // Whoever signed the server's certificate must be known.
    check(&site.update(NOW, &[]), 8, "", "certificate is not trusted");
    check(&site.trusting(NOW), 0, "is installed", "");
    assert!(site.flaws().contains(" 40 "), "{}", site.flaws());
    let requests = site.web.requests();
    assert!(requests.iter().any(|it| it.starts_with("/files/")), "{requests:?}");
    check(&site.trusting(NOW), 0, "is up to date", "");
    let requests = site.web.requests();
    assert!(!requests.iter().any(|it| it.starts_with("/files/")), "{requests:?}");
    // What did not change is not fetched again, only what did.
    site.publish(NOW + 1, 41);
    check(&site.trusting(NOW + 1), 0, "is installed", "");
    assert!(site.flaws().contains(" 41 "), "{}", site.flaws());
}

#[test]
fn what_was_cut_is_continued() {
    let site = Site::new();
    // More than the first request of a file asks for.
    site.publish(NOW, 20_000);
    site.web.cut(700_000);
    check(&site.trusting(NOW), 0, "is installed", "");
    assert!(site.flaws().contains(" 20000 "), "{}", site.flaws());
    let requests = site.web.requests();
    let ranges = requests.iter().filter(|it| it.starts_with("/files/")).collect::<Vec<_>>();
    assert!(ranges.iter().all(|it| it.ends_with(" 206")), "{ranges:?}");
    assert!(ranges.iter().any(|it| !it.contains("bytes=0-")), "{ranges:?}");
}

#[test]
fn what_cannot_be_right_is_refused_with_one_line() {
    let site = Site::new();
    site.publish(NOW, 10);
    check(&site.trusting(NOW), 0, "is installed", "");
    // Older than what is installed, also where something was built here since.
    site.publish(NOW - DAY, 5);
    check(&site.trusting(NOW), 7, "", "gives you an old one");
    check(&site.run(NOW, "db", &["db", "build", "debian-osv.jsonl"]), 0, "debian", "");
    check(&site.trusting(NOW), 7, "", "gives you an old one");
    let before = site.flaws();
    // Expired.
    site.publish(NOW + DAY, 6);
    check(&site.trusting(NOW + 40 * DAY), 7, "", "expired");
    // Of another key.
    let other = text(&site.run(NOW, "master", &["db", "keygen", "other"]).stdout);
    let (mirror, authority) = (site.web.url(""), site.web.authority.display().to_string());
    let foreign =
        ["db", "update", "--mirror", &mirror, "--trust", other.trim(), "--ca-file", &authority];
    check(&site.run(NOW + DAY, "db", &foreign), 7, "", "sign");
    // Changed on the way.
    let manifest = site.web.folder().join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("2021", "2022")).unwrap();
    check(&site.trusting(NOW + DAY), 7, "", "sign");
    fs::write(&manifest, text).unwrap();
    for entry in fs::read_dir(site.web.folder().join("files")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(path, bytes).unwrap();
    }
    check(&site.trusting(NOW + DAY), 5, "", "checksum");
    // No mirror at all.
    fs::remove_file(manifest).unwrap();
    check(&site.trusting(NOW + DAY), 5, "", "is no mirror");
    assert_eq!(site.flaws(), before);
}

#[test]
fn feeds_are_fetched_once() {
    let site = Site::new();
    fs::write(site.web.folder().join("all.jsonl"), feed(30)).unwrap();
    let address = format!("debian-osv={}", site.web.url("all.jsonl"));
    let authority = site.web.authority.display().to_string();
    let build = ["db", "build", &address, "--ca-file", &authority];
    check(&site.run(NOW, "db", &build), 0, "debian", "");
    assert!(site.flaws().contains(" 30 "), "{}", site.flaws());
    assert_eq!(site.web.requests(), ["/all.jsonl - 200"]);
    check(&site.run(NOW, "db", &build), 0, "debian", "");
    assert_eq!(site.web.requests(), ["/all.jsonl - 304"]);
    // A newer one, cut once.
    fs::write(site.web.folder().join("all.jsonl"), feed(31)).unwrap();
    site.web.cut(1000);
    check(&site.run(NOW, "db", &build), 0, "debian", "");
    assert_eq!(site.web.requests(), ["/all.jsonl - 200", "/all.jsonl bytes=1000- 206"]);
    let before = site.flaws();
    assert!(before.contains(" 31 "), "{before}");
    // A feed that makes no sense, and one that is not there, replace nothing.
    fs::write(site.web.folder().join("all.jsonl"), "<html>moved</html>").unwrap();
    check(&site.run(NOW, "db", &build), 5, "", "nothing in it makes sense");
    fs::remove_file(site.web.folder().join("all.jsonl")).unwrap();
    check(&site.run(NOW, "db", &build), 3, "", "no such file");
    assert_eq!(site.flaws(), before);
    // To look at a feed changes nothing.
    fs::write(site.folder.path().join("debian-osv.jsonl"), feed(7)).unwrap();
    let look = ["db", "build", "--check", "debian-osv.jsonl"];
    check(&site.run(NOW, "db", &look), 0, " 7 ", "");
    assert_eq!(site.flaws(), before);
}
