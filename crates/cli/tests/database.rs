//! `fathom db` as it is typed: what is refused, and what is left as it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const FEED: &str = r#"{"id":"CVE-2021-0001","aliases":["GHSA-aaaa-bbbb-cccc"],"modified":"2021-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1.1l-1"}]}]}]}
{"id":"DSA-5169-1","related":["CVE-2021-0001"],"modified":"2021-09-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:11","name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1.1l-1"}]}]}]}
"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder with a feed, and the database `db` that was made of it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(place.path("debian-osv.jsonl"), FEED).unwrap();
        place.check(&["db", "build", "debian-osv.jsonl"], 0, "");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fathom"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("FATHOM_DB", self.path("db"))
            .env("TMPDIR", self.folder.path())
            .env("SOURCE_DATE_EPOCH", "1630500000");
        command
    }

    /// Runs it; it ends with this code, and says this in one line.
    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32, said: &str) -> Output {
        let output = self.command(arguments).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(said), "{told}");
        if code != 0 {
            assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        }
        output
    }
}

/// Everything that lies in a folder.
fn listed(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(listed(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[test]
fn a_look_at_a_feed_leaves_everything_as_it_is() {
    let place = Place::new();
    let before = listed(place.folder.path());
    let look = ["db", "build", "--check", "debian-osv.jsonl"];
    let out = place.check(&look, 0, "");
    assert!(text(&out.stdout).contains("debian"), "{}", text(&out.stdout));
    place.check(&[&look[..], &["--db", "none"]].concat(), 0, "");
    assert_eq!(listed(place.folder.path()), before);
}

#[test]
fn names_that_mean_no_feed_are_told() {
    let place = Place::new();
    place.check(&["db", "build", "debain-osv=https://h/all.zip"], 2, "(is it debian-osv?)");
    place.check(&["db", "build", "foo=none/kev.json"], 2, "foo is no feed by its name; there are");
    place.check(&["db", "build", "kev=none/kev.json"], 3, "no such file");
    // What would be waited for without an end.
    let made = Command::new("mkfifo").arg(place.path("kev.json")).status().unwrap();
    assert!(made.success());
    place.check(&["db", "build", "kev.json"], 2, "neither a file nor a folder");
    place.check(&["db", "import", "kev.json", "--unsigned"], 5, "is no file");
}

#[test]
fn a_cut_feed_is_told_as_such() {
    let place = Place::new();
    let packed = fs::read(place.path("db/current/debian.advisories")).unwrap();
    fs::write(place.path("kev.json"), [&[0x28, 0xB5, 0x2F, 0xFD][..], &packed[..64]].concat())
        .unwrap();
    place.check(&["db", "build", "kev.json"], 5, "cut or damaged");
}

#[test]
fn a_mirror_is_an_address_or_a_folder() {
    let place = Place::new();
    for (mirror, why) in [
        ("nowhere", "there is no such folder"),
        ("ftp://host/", "ftp:// is not read"),
        ("debian-osv.jsonl", "there is no such folder"),
    ] {
        place.check(&["db", "update", "--mirror", mirror, "--unsigned"], 2, why);
    }
    let update =
        ["db", "update", "--mirror", "http://user:word@127.0.0.1:1/?token=x", "--unsigned"];
    let out = place.check(&update, 8, "127.0.0.1");
    let told = text(&out.stderr);
    assert!(!told.contains("word") && !told.contains("token"), "{told}");
}

#[test]
fn keys_are_named_and_never_overwritten() {
    let place = Place::new();
    place.check(&["db", "keygen", "secret"], 0, "");
    let key = fs::read(place.path("secret")).unwrap();
    place.check(&["db", "keygen", "secret"], 2, "name another file");
    place.check(&["db", "export", "secret"], 2, "secret exists; --force overwrites it");
    assert_eq!(fs::read(place.path("secret")).unwrap(), key);
    let import = ["db", "import", "debian-osv.jsonl", "--trust"];
    place.check(&[&import[..], &["nofile"]].concat(), 2, "no such file, nor is that a public key");
    place.check(&[&import[..], &["secret"]].concat(), 2, "this is a secret key");
    let out = place.check(&[&import[..], &[text(&key).trim()]].concat(), 2, "this is a secret key");
    assert!(!text(&out.stderr).contains(text(&key).trim()));
    // A key that could not be written is not there; a limit stands for a full disk.
    let limited =
        format!("trap '' XFSZ; ulimit -f 0; exec {} db keygen full", env!("CARGO_BIN_EXE_fathom"));
    let out = Command::new("sh").args(["-c", &limited]).current_dir(place.folder.path()).output();
    assert_eq!(out.unwrap().status.code(), Some(10));
    assert!(!place.path("full").exists());
}

#[test]
fn a_bundle_replaces_what_is_there_by_force_alone() {
    let place = Place::new();
    place.check(&["db", "export", "x.bundle"], 0, "not signed");
    place.check(&["db", "export", "x.bundle"], 2, "--force");
    place.check(&["db", "export", "x.bundle", "--force"], 0, "");
    place.check(&["db", "import", "x.bundle", "--unsigned", "--db", "other"], 0, "");
    place.check(&["db", "export", "none/x.bundle"], 10, "fathom: none/x.bundle: No such file");
    place.check(&["db", "export", "y.bundle", "--db", "nowhere"], 3, "there is no database");
    assert!(!place.path("nowhere").exists() && !place.path("y.bundle").exists());
    let left = listed(place.folder.path());
    assert!(!left.iter().any(|it| it.to_string_lossy().contains(".part")), "{left:?}");
    // A folder is a mirror, to which is added.
    fs::create_dir(place.path("mirror")).unwrap();
    for _ in 0..2 {
        place.check(&["db", "export", "mirror"], 0, "");
    }
    let update = ["db", "update", "--mirror", "mirror", "--unsigned", "--db", "third"];
    place.check(&update, 0, "");
}

#[test]
fn whatever_is_said_is_found_by_its_name() {
    let place = Place::new();
    let search = |name: &str| {
        let out = place.command(&["db", "search", name]).output().unwrap();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    for name in ["openssl", "OpenSSL", "CVE-2021-0001", "DSA-5169-1", "GHSA-aaaa-bbbb-cccc"] {
        let (code, found, _) = search(name);
        assert_eq!(code, Some(0), "{name}");
        assert!(found.contains("before 1.1.1l-1"), "{name}: {found}");
    }
    assert!(!search("DSA-5169-1").1.contains("CVE-2021-0001"));
    for name in ["nothing", "CVE-1999-0001", "DSA-1"] {
        let (code, _, told) = search(name);
        assert_eq!(code, Some(1), "{name}");
        assert_eq!(told, format!("fathom: nobody in the database speaks of {name}\n"));
    }
}

/// What is interrupted ends at once, and leaves nothing half done.
#[test]
fn an_interrupted_build_leaves_nothing() {
    let place = Place::new();
    let mut feed = String::new();
    for number in 1000..400_000 {
        let _ = writeln!(
            feed,
            r#"{{"id":"CVE-2021-{number}","modified":"2021-09-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"Debian:11","name":"p{number}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"1.{number}"}}]}}]}}]}}"#
        );
    }
    fs::write(place.path("debian-osv.jsonl"), feed).unwrap();
    for more in [&[][..], &["--check"]] {
        let before = listed(place.folder.path());
        let mut child = place
            .command(&[&["db", "build", "debian-osv.jsonl"], more].concat())
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while listed(place.folder.path()).len() < before.len() + 2 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing is begun");
            assert_eq!(child.try_wait().unwrap(), None, "it ended before it could be interrupted");
        }
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(11));
        assert_eq!(listed(place.folder.path()), before);
    }
}
