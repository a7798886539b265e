//! A place of our own, and the server.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fathom_artefact::{Artefacts, BucketSettings, Key};
use fathom_secret::Secret;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// A server that is killed is nobody else's at that time.
static SERVER: RwLock<()> = RwLock::const_new(());

/// Documents of nobody else.
pub(crate) struct Bench {
    pub(crate) place: Artefacts,
    _folder: Option<tempfile::TempDir>,
    _beside: Option<RwLockReadGuard<'static, ()>>,
}

impl Bench {
    pub(crate) fn folder() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = Artefacts::in_private_folder(&folder.path().join("made/here")).unwrap();
        Some(Self { place, _folder: Some(folder), _beside: None })
    }

    /// A prefix of the bucket that the tests have.
    pub(crate) async fn bucket(scheme: &str) -> Option<Self> {
        let settings = settings(scheme)?;
        let beside = SERVER.read().await;
        let place = Artefacts::in_bucket(&settings, &prefix()).unwrap();
        Some(Self { place, _folder: None, _beside: Some(beside) })
    }
}

/// Whoever does something to the server.
pub(crate) async fn alone() -> RwLockWriteGuard<'static, ()> {
    SERVER.write().await
}

/// Whoever only uses it.
pub(crate) async fn beside() -> RwLockReadGuard<'static, ()> {
    SERVER.read().await
}

/// A prefix that nobody else has.
pub(crate) fn prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("tests/{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The bucket of the server; nothing where there is none.
pub(crate) fn settings(scheme: &str) -> Option<BucketSettings> {
    let endpoint =
        variable(if scheme == "https" { "FATHOM_TEST_S3_TLS" } else { "FATHOM_TEST_S3" })?;
    let key = variable("FATHOM_TEST_S3_KEY")?;
    let (name, secret) = key.split_once(':').unwrap();
    Some(BucketSettings {
        endpoint: Some(endpoint),
        path_style: true,
        key: Some((name.to_owned(), Secret::new(secret))),
        ca_file: variable("FATHOM_TEST_AUTHORITY").map(PathBuf::from),
        idle: Duration::from_secs(10),
        patience: Duration::from_secs(30),
        ..BucketSettings::new("reports")
    })
}

fn variable(name: &str) -> Option<String> {
    if let Ok(value) = std::env::var(name) {
        return Some(value);
    }
    let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
    let left_out = without.split(',').any(|service| service == "s3");
    assert!(
        left_out || std::env::var_os("FATHOM_TEST_REQUIRED").is_none(),
        "{name} is not set: `cargo xtask services` sets it"
    );
    eprintln!("skipped: {name} is not set");
    None
}

/// Has something done to the server: kill, start, pause, continue.
pub(crate) fn control(verb: &str) {
    let socket = std::env::var("FATHOM_TEST_CONTROL").unwrap();
    let mut stream = UnixStream::connect(socket).unwrap();
    writeln!(stream, "{verb} s3").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer.trim(), "ok", "{verb}");
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}
