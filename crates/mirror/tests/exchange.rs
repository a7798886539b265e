//! Databases that travel: whole, cut, changed, old and unsigned.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cell::Cell;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use fathom_advisory::segment::{About, Writer};
use fathom_advisory::{Database, Day};
use fathom_block::Error as ReadError;
use fathom_mirror::{
    Each, Folder, Installed, Manifest, Mirror, SecretKey, Store, Trust, Updated, discard, export,
    import, publish, update,
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
    export(&store, &mut fs::File::create(path).unwrap(), key, &manifest).unwrap();
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

/// A mirror whose files break off behind so many bytes.
struct Broken {
    folder: Folder,
    after: u64,
}

impl Mirror for Broken {
    fn shown(&self) -> String {
        "mirror".to_owned()
    }

    fn document(&self, name: &str, most: u64) -> fathom_block::Result<Vec<u8>> {
        self.folder.document(name, most)
    }

    fn rest(
        &self,
        name: &str,
        missing: Range<u64>,
        each: &mut Each<'_>,
    ) -> fathom_block::Result<()> {
        let mut left = self.after.saturating_sub(missing.start);
        self.folder.rest(name, missing, &mut |piece| {
            let count = left.min(piece.len() as u64);
            left -= count;
            each(&piece[..count as usize])?;
            let broken = || std::io::Error::other("the connection broke");
            if count < piece.len() as u64 { Err(broken()) } else { Ok(()) }
        })
    }
}

fn from(mirror: &Path, site: &Site, after: u64) -> Result<Updated, String> {
    let broken = Broken { folder: Folder(mirror.to_owned()), after };
    from_any(&broken, site)
}

fn from_any(mirror: &dyn Mirror, site: &Site) -> Result<Updated, String> {
    let store = Store::open(&site.database()).unwrap();
    let today = Day::of(TODAY);
    update(&store, mirror, &site.trust(), today, &mut |_, _| {})
        .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error)))
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
fn what_was_damaged_since_is_fetched_again_and_not_published() {
    let site = Site::new();
    let (mirror, _kept, _) = mirror_of(&site, "CVE-2002-0001", 5);
    from(&mirror, &site, u64::MAX).unwrap();
    assert!(!from(&mirror, &site, u64::MAX).unwrap().is_new);
    let path = site.database().join("current/epss.advisories");
    let mut damaged = fs::read(&path).unwrap();
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    // Not through a link that another generation has.
    fs::remove_file(&path).unwrap();
    fs::write(&path, damaged).unwrap();
    let store = Store::open(&site.database()).unwrap();
    let refused = store.manifest(6, "2026-01-01T00:00:00Z", Day::of("2026-01-20")).unwrap_err();
    drop(store);
    assert!(refused.to_string().contains("epss.advisories"), "{refused}");
    let mended = from(&mirror, &site, u64::MAX).unwrap();
    assert!(mended.is_new && mended.fetched > 0);
    assert!(has(&site.database(), "CVE-2002-0001"));
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
    assert!(from(&mirror, &site, 5 << 20).is_err());
    assert!(has(&site.database(), "CVE-2001-0001"));
    let updated = from(&mirror, &site, u64::MAX).unwrap();
    assert_eq!(updated.fetched, all - (5 << 20));
    assert!(has(&site.database(), "CVE-2001-1100000"));
}

/// A mirror with a database of this CVE, and what it was published from.
fn mirror_of(site: &Site, cve: &str, serial: u64) -> (PathBuf, TempDir, Manifest) {
    let mirror = site.path("mirror");
    fs::create_dir_all(&mirror).unwrap();
    let source = tempfile::tempdir().unwrap();
    build(source.path(), cve);
    let manifest = {
        let store = Store::open(source.path()).unwrap();
        let manifest = store.manifest(serial, "2026-01-01T00:00:00Z", Day::default()).unwrap();
        publish(&store, &mirror, Some(&site.key), &manifest).unwrap();
        manifest
    };
    (mirror, source, manifest)
}

#[test]
fn what_stands_before_the_manifest_is_not_read() {
    let site = Site::new();
    let path = site.path("bundle.tar");
    bundle(&path, "CVE-2002-0001", Some(&site.key), 5);
    let whole = fs::read(&path).unwrap();
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader, tar::EntryType::Directory] {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_ustar();
        header.set_path("manifest.json").unwrap();
        header.set_entry_type(kind);
        header.set_size(1 << 20);
        header.set_cksum();
        archive.append(&header, &*vec![b'a'; 1 << 20]).unwrap();
        let mut bytes = archive.into_inner().unwrap();
        bytes.truncate(bytes.len() - 1024);
        bytes.extend(&whole);
        fs::write(&path, bytes).unwrap();
        site.refuses(&path, TODAY, "does not begin with a manifest");
    }
    // What is no file is not waited for.
    site.refuses(Path::new("/dev/null"), TODAY, "is no file");
    site.refuses(site.folder.path(), TODAY, "is no file");
}

#[test]
fn a_lost_memory_of_serials_is_told() {
    let site = Site::new();
    let path = site.path("bundle.tar");
    bundle(&path, "CVE-2001-0001", Some(&site.key), 5);
    site.import(&path, TODAY).unwrap();
    let newest = site.database().join("newest.json");
    let kept = fs::read(&newest).unwrap();
    fs::write(&newest, "{").unwrap();
    let refused = site.import(&path, TODAY).unwrap_err();
    assert!(refused.contains("newest.json") && refused.contains("remove it"), "{refused}");
    assert_eq!(refused.lines().count(), 1, "{refused}");
    fs::write(&newest, kept).unwrap();
    site.import(&path, TODAY).unwrap();
}

#[test]
fn numbers_of_generations_have_an_end() {
    let site = Site::new();
    let last = site.database().join("generations").join(u64::MAX.to_string());
    fs::create_dir(&last).unwrap();
    let store = Store::open(&site.database()).unwrap();
    let refused = store.begin().unwrap_err().to_string();
    assert!(refused.contains("18446744073709551615") && refused.contains("remove it"), "{refused}");
    fs::remove_dir(&last).unwrap();
    store.begin().unwrap();
}

#[test]
fn what_is_left_behind_is_in_nobodys_way() {
    let site = Site::new();
    let generations = site.database().join("generations");
    fs::write(generations.join("7.part"), "a file").unwrap();
    fs::create_dir(generations.join("8.part")).unwrap();
    fs::write(generations.join("8.part/x.advisories"), "cut").unwrap();
    symlink(site.folder.path(), generations.join("9.part")).unwrap();
    discard(&site.database());
    assert_eq!(fs::read_dir(&generations).unwrap().count(), 1);
    assert!(site.database().exists());
    fs::write(generations.join("7.part"), "a file").unwrap();
    let store = Store::open(&site.database()).unwrap();
    drop(store.begin().unwrap());
    assert_eq!(fs::read_dir(&generations).unwrap().count(), 1);
}

#[test]
fn a_damaged_file_is_named_and_mended_by_making_it_anew() {
    let site = Site::new();
    let store = Store::open(&site.database()).unwrap();
    let file = site.database().join("current/kev.advisories");
    fs::remove_file(&file).unwrap();
    fs::write(&file, "damaged").unwrap();
    let generation = store.begin().unwrap();
    provider(generation.folder(), "epss", "CVE-2005-0001");
    let refused = generation.commit(&Installed::default()).unwrap_err().to_string();
    assert!(refused.contains("/1/kev.advisories"), "{refused}");
    assert!(refused.contains("name the feed of kev too"), "{refused}");
    let generation = store.begin().unwrap();
    provider(generation.folder(), "epss", "CVE-2005-0001");
    provider(generation.folder(), "kev", "CVE-2000-0001");
    generation.commit(&Installed::default()).unwrap();
    assert!(has(&site.database(), "CVE-2005-0001") && has(&site.database(), "CVE-2000-0001"));
}

#[test]
fn links_in_the_folder_lead_nowhere() {
    let site = Site::new();
    let (mirror, _source, manifest) = mirror_of(&site, "CVE-2002-0001", 1);
    let precious = site.path("precious");
    fs::write(&precious, "precious").unwrap();
    fs::create_dir(site.database().join("partial")).unwrap();
    symlink(&precious, site.database().join("partial").join(&manifest.files[0].sha256)).unwrap();
    symlink(&precious, site.database().join("newest.part")).unwrap();
    symlink(&precious, site.database().join("current.part")).unwrap();
    from(&mirror, &site, u64::MAX).unwrap();
    assert!(has(&site.database(), "CVE-2002-0001"));
    assert_eq!(fs::read(&precious).unwrap(), b"precious");
    // A folder that is a link is replaced by one that is not.
    let (mirror, _source, _) = mirror_of(&site, "CVE-2003-0001", 2);
    fs::remove_dir_all(site.database().join("partial")).unwrap();
    let elsewhere = site.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, site.database().join("partial")).unwrap();
    assert!(from(&mirror, &site, 10).is_err());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn what_is_published_is_looked_at_again() {
    let site = Site::new();
    let (mirror, source, manifest) = mirror_of(&site, "CVE-2002-0001", 1);
    let file = mirror.join("files").join(&manifest.files[0].sha256);
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    for damaged in [&whole[..10], &flipped] {
        fs::write(&file, damaged).unwrap();
        let store = Store::open(source.path()).unwrap();
        publish(&store, &mirror, Some(&site.key), &manifest).unwrap();
        assert!(fs::read(&file).unwrap() == whole);
    }
    from(&mirror, &site, u64::MAX).unwrap();
    // The signature of one manifest is not left beside another.
    let store = Store::open(source.path()).unwrap();
    publish(&store, &mirror, None, &manifest).unwrap();
    assert!(!mirror.join("manifest.sig").exists());
}

/// A mirror that is read while somebody publishes: the first signature is of the manifest before.
struct Publishing {
    folder: Folder,
    before: Vec<u8>,
    asked: Cell<u32>,
}

impl Mirror for Publishing {
    fn shown(&self) -> String {
        "mirror".to_owned()
    }

    fn document(&self, name: &str, most: u64) -> fathom_block::Result<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        match (name, self.asked.get()) {
            ("manifest.sig", 1..=2) => Ok(self.before.clone()),
            _ => self.folder.document(name, most),
        }
    }

    fn rest(
        &self,
        name: &str,
        missing: Range<u64>,
        each: &mut Each<'_>,
    ) -> fathom_block::Result<()> {
        self.folder.rest(name, missing, each)
    }
}

#[test]
fn who_reads_while_somebody_publishes_is_not_alarmed() {
    let site = Site::new();
    let (mirror, ..) = mirror_of(&site, "CVE-2002-0001", 1);
    let before = fs::read(mirror.join("manifest.sig")).unwrap();
    let (mirror, ..) = mirror_of(&site, "CVE-2003-0001", 2);
    let publishing = Publishing { folder: Folder(mirror), before, asked: Cell::new(0) };
    from_any(&publishing, &site).unwrap();
    assert!(has(&site.database(), "CVE-2003-0001"));
}

#[test]
fn an_empty_database_is_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.empty().unwrap().commit(&Installed::default()).unwrap();
    let refused = store.manifest(1, "2026-01-01T00:00:00Z", Day::default()).unwrap_err();
    assert!(refused.to_string().contains("no database"), "{refused}");
}

#[test]
fn documents_of_a_folder_have_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("manifest.json"), [b' '; 100]).unwrap();
    let mirror = Folder(folder.path().to_owned());
    assert_eq!(mirror.document("manifest.json", 100).unwrap().len(), 100);
    assert!(mirror.document("manifest.json", 99).is_err());
    fs::create_dir(folder.path().join("manifest.sig")).unwrap();
    let refused: ReadError = mirror.document("manifest.sig", 99).unwrap_err();
    assert!(refused.to_string().contains("is no file"), "{refused}");
}
