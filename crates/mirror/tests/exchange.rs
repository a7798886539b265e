//! Databases that travel: whole, cut, changed, old and unsigned.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use fathom_advisory::segment::{About, Writer};
use fathom_advisory::{Database, Day};
use fathom_block::{Error as ReadError, ReadAt};
use fathom_mirror::{
    Installed, Manifest, SecretKey, Store, Trust, Updated, export, import, publish, update,
};
use tempfile::TempDir;

const TODAY: &str = "2026-01-10";

/// Adds a provider's file, in which this CVE has an estimate.
fn provider(folder: &Path, name: &str, cve: &str) {
    let about = About { provider: name.to_owned(), ..About::default() };
    let mut writer = Writer::create(&folder.join(format!("{name}.advisories")), about).unwrap();
    writer.score(cve.parse().unwrap(), 0.5, 0.5);
    writer.finish().unwrap();
}

/// Installs a database of two providers.
fn build(folder: &Path, cve: &str) {
    let store = Store::open(folder).unwrap();
    let generation = store.begin().unwrap();
    provider(generation.folder(), "epss", cve);
    provider(generation.folder(), "kev", "CVE-2000-0001");
    generation.commit(&Installed::default()).unwrap();
}

fn has(folder: &Path, cve: &str) -> bool {
    let database = Database::open(folder).unwrap();
    database.segments().iter().any(|it| it.likelihood(cve.parse().unwrap()).unwrap().is_some())
}

/// A bundle of such a database with this serial.
fn bundle(path: &Path, cve: &str, key: Option<&SecretKey>, serial: u64) {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), cve);
    let store = Store::open(folder.path()).unwrap();
    let manifest = store.manifest(serial, "2026-01-01T00:00:00Z", Day::of("2026-01-20")).unwrap();
    export(&store, path, key, &manifest).unwrap();
}

struct Site {
    folder: TempDir,
    key: SecretKey,
}

impl Site {
    fn new() -> Self {
        let site =
            Self { folder: tempfile::tempdir().unwrap(), key: SecretKey::generate().unwrap() };
        build(&site.database(), "CVE-2001-0001");
        site
    }

    fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("db")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn trust(&self) -> Trust {
        Trust::Key(self.key.public())
    }

    /// Imports the bundle; why not, if not.
    fn import(&self, path: &Path, day: &str) -> Result<Manifest, String> {
        let store = Store::open(&self.database()).unwrap();
        import(&store, path, &self.trust(), Day::of(day)).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refuses(&self, path: &Path, day: &str, why: &str) {
        let refused = self.import(path, day).unwrap_err();
        assert!(refused.contains(why), "{refused}");
        assert_eq!(refused.lines().count(), 1, "{refused}");
        assert!(has(&self.database(), "CVE-2001-0001"));
        let left = fs::read_dir(self.database().join("generations")).unwrap();
        assert_eq!(left.count(), 1, "something is left behind");
    }
}

#[test]
fn a_bundle_is_installed_as_a_whole() {
    let site = Site::new();
    let path = site.path("bundle.tar");
    bundle(&path, "CVE-2002-0001", Some(&site.key), 5);
    site.import(&path, TODAY).unwrap();
    assert!(has(&site.database(), "CVE-2002-0001") && !has(&site.database(), "CVE-2001-0001"));
    // Once more is no older one.
    site.import(&path, TODAY).unwrap();
    let store = Store::open(&site.database()).unwrap();
    assert_eq!(store.installed().serial, 5);
    // A build replaces what it makes, and keeps the rest.
    let generation = store.begin().unwrap();
    provider(generation.folder(), "epss", "CVE-2003-0001");
    generation.commit(&Installed::default()).unwrap();
    assert!(has(&site.database(), "CVE-2003-0001") && has(&site.database(), "CVE-2000-0001"));
    assert!(!has(&site.database(), "CVE-2002-0001"));
}

#[test]
fn what_is_not_to_be_trusted_replaces_nothing() {
    let site = Site::new();
    let path = site.path("bundle.tar");
    bundle(&path, "CVE-2002-0001", None, 5);
    site.refuses(&path, TODAY, "not signed");
    bundle(&path, "CVE-2002-0001", Some(&SecretKey::generate().unwrap()), 5);
    site.refuses(&path, TODAY, "signature is not of the key");
    bundle(&path, "CVE-2002-0001", Some(&site.key), 5);
    site.refuses(&path, "2026-01-21", "expired on 2026-01-20");
    let whole = fs::read(&path).unwrap();
    // Wherever it is cut: but for what only fills the last block, and what ends the archive.
    for length in (0..whole.len() - 1024 - 512).step_by(97) {
        fs::write(&path, &whole[..length]).unwrap();
        let refused = site.import(&path, TODAY);
        assert!(refused.is_err(), "{length} of {}", whole.len());
        assert!(has(&site.database(), "CVE-2001-0001"));
    }
    // Whatever is changed in a file.
    let at = whole.windows(8).position(|it| it == b"FathomAd").unwrap();
    for place in [at, at + 100, at + 300] {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        site.refuses(&path, TODAY, "not the one of the manifest");
    }
}

#[test]
fn an_old_one_does_not_come_back() {
    let site = Site::new();
    let (old, new) = (site.path("old.tar"), site.path("new.tar"));
    bundle(&old, "CVE-2002-0001", Some(&site.key), 5);
    bundle(&new, "CVE-2003-0001", Some(&site.key), 6);
    site.import(&new, TODAY).unwrap();
    let refused = site.import(&old, TODAY).unwrap_err();
    assert!(refused.contains("serial 5") && refused.contains("old one"), "{refused}");
    assert!(has(&site.database(), "CVE-2003-0001"));
}

#[test]
fn two_do_not_change_it_at_once() {
    let site = Site::new();
    let first = Store::open(&site.database()).unwrap();
    assert!(Store::open(&site.database()).unwrap_err().to_string().contains("another process"));
    drop(first);
    Store::open(&site.database()).unwrap();
}

/// A file that breaks off after so many bytes.
struct Broken {
    bytes: Vec<u8>,
    after: u64,
}

impl ReadAt for Broken {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> fathom_block::Result<()> {
        let end = offset + buffer.len() as u64;
        if end > self.after {
            return Err(ReadError::unreachable("mirror", "the connection broke"));
        }
        buffer.copy_from_slice(&self.bytes[offset as usize..end as usize]);
        Ok(())
    }
}

fn from(mirror: &Path, site: &Site, after: u64) -> Result<Updated, String> {
    let store = Store::open(&site.database()).unwrap();
    let open = |address: &str| -> fathom_block::Result<Arc<dyn ReadAt>> {
        let path = mirror.join(address.trim_start_matches("mirror/"));
        let bytes = fs::read(path).map_err(|_| ReadError::not_found(address, "404"))?;
        Ok(Arc::new(Broken { bytes, after }))
    };
    let today = Day::of(TODAY);
    update(&store, "mirror/", &open, &site.trust(), today, &mut |_, _| {})
        .map_err(|error| error.to_string())
}

#[test]
fn a_mirror_gives_what_is_missing() {
    let site = Site::new();
    let mirror = site.path("mirror");
    fs::create_dir(&mirror).unwrap();
    let source = tempfile::tempdir().unwrap();
    build(source.path(), "CVE-2002-0001");
    let store = Store::open(source.path()).unwrap();
    let manifest = store.manifest(1, "2026-01-01T00:00:00Z", Day::default()).unwrap();
    assert!(from(&mirror, &site, u64::MAX).unwrap_err().contains("no mirror"));
    publish(&store, &mirror, None, &manifest).unwrap();
    assert!(from(&mirror, &site, u64::MAX).unwrap_err().contains("not signed"));
    publish(&store, &mirror, Some(&site.key), &manifest).unwrap();
    // One file is what is installed already, and is not fetched.
    let updated = from(&mirror, &site, u64::MAX).unwrap();
    assert_eq!((updated.fetched, updated.is_new), (manifest.files[0].size, true));
    assert!(has(&site.database(), "CVE-2002-0001"));
    let again = from(&mirror, &site, u64::MAX).unwrap();
    assert_eq!((again.fetched, again.is_new), (0, false));
    // A file that was put there by somebody else is not the one that is named.
    let newer = store.manifest(2, "2026-01-02T00:00:00Z", Day::default()).unwrap();
    publish(&store, &mirror, Some(&site.key), &newer).unwrap();
    build(&site.database(), "CVE-2001-0001");
    let file = mirror.join("files").join(&newer.files[0].sha256);
    let mut changed = fs::read(&file).unwrap();
    changed[20] ^= 1;
    fs::write(&file, changed).unwrap();
    assert!(from(&mirror, &site, u64::MAX).unwrap_err().contains("not the file of the manifest"));
    assert!(has(&site.database(), "CVE-2001-0001"));
}

#[test]
fn what_was_fetched_in_part_is_continued() {
    let site = Site::new();
    let mirror = site.path("mirror");
    fs::create_dir(&mirror).unwrap();
    let source = tempfile::tempdir().unwrap();
    let store = Store::open(source.path()).unwrap();
    let generation = store.empty().unwrap();
    let about = About { provider: "epss".to_owned(), ..About::default() };
    let mut writer = Writer::create(&generation.folder().join("epss.advisories"), about).unwrap();
    for number in 1000..1_200_000 {
        writer.score(format!("CVE-2001-{number}").parse().unwrap(), 0.1, 0.1);
    }
    writer.finish().unwrap();
    generation.commit(&Installed::default()).unwrap();
    let manifest = store.manifest(1, "2026-01-01T00:00:00Z", Day::default()).unwrap();
    publish(&store, &mirror, Some(&site.key), &manifest).unwrap();
    let all = manifest.files[0].size;
    assert!(all > 8 << 20, "{all}");
    assert!(from(&mirror, &site, 5 << 20).unwrap_err().contains("the connection broke"));
    assert!(has(&site.database(), "CVE-2001-0001"));
    let updated = from(&mirror, &site, u64::MAX).unwrap();
    assert_eq!(updated.fetched, all - (4 << 20));
    assert!(has(&site.database(), "CVE-2001-1100000"));
}
