//! What is so of folders alone.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use bytes::Bytes;
use fathom_artefact::{Artefacts, Kind, Replaced};

use crate::bench::key;

/// The names in a folder that are no keys.
fn hidden(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with('.')).collect();
    names.sort();
    names
}

#[tokio::test]
async fn no_link_leads_out() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    let place = Artefacts::in_private_folder(&root).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "theirs").unwrap();
    symlink(&outside, root.join("out")).unwrap();
    symlink("../outside", root.join("up")).unwrap();
    symlink(outside.join("file"), root.join("file")).unwrap();
    for name in ["out/x", "up/x", "out/new/x", "out/file"] {
        let error = place.put(&key(name), Bytes::from_static(b"x")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{name}: {error}");
        let yes = || async { Ok(true) };
        let error = place.replace(&key(name), Bytes::from_static(b"x"), 1, yes).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{name}: {error}");
        assert_eq!(place.delete(&key(name)).await.unwrap_err().kind(), Kind::Refused);
    }
    assert_eq!(place.get(&key("file"), 100).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(place.get(&key("out/file"), 100).await.unwrap_err().kind(), Kind::Refused);
    // A link in the place of a document is replaced; what it leads to stays.
    let yes = || async { Ok(true) };
    place.replace(&key("file"), Bytes::from_static(b"ours"), 1, yes).await.unwrap();
    assert_eq!(place.get(&key("file"), 100).await.unwrap(), "ours");
    assert_eq!(std::fs::read_to_string(outside.join("file")).unwrap(), "theirs");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(place.list(None, None, 100).await.unwrap().len(), 1);
    // A link for the lock would have somebody else's file made.
    std::fs::remove_file(root.join(".fathom.lock")).unwrap();
    symlink(outside.join("lock"), root.join(".fathom.lock")).unwrap();
    place.replace(&key("file"), Bytes::from_static(b"x"), 2, yes).await.unwrap_err();
    assert!(!outside.join("lock").exists());
}

#[tokio::test]
async fn what_is_written_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let place = Artefacts::in_private_folder(&root).unwrap();
    place.put(&key("a/b/c"), Bytes::from_static(b"x")).await.unwrap();
    let yes = || async { Ok(true) };
    place.replace(&key("a/d"), Bytes::from_static(b"x"), 1, yes).await.unwrap();
    for (name, mode) in
        [("", 0o700), ("a", 0o700), ("a/b", 0o700), ("a/b/c", 0o600), ("a/d", 0o600)]
    {
        let is = std::fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(is, mode, "{name}: {is:o}");
    }
}

/// Whoever was killed while it wrote has left a name that is no key; the next try takes it away.
#[tokio::test]
async fn what_a_killed_try_left_goes_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let place = Artefacts::in_folder(folder.path()).unwrap();
    for name in [".job-1.3.partial", ".job-1.5.partial", ".job-2.4.partial"] {
        std::fs::write(folder.path().join(name), "half").unwrap();
    }
    assert_eq!(place.list(None, None, 10).await.unwrap(), []);
    let yes = || async { Ok(true) };
    let done = place.replace(&key("job-1"), Bytes::from_static(b"whole"), 5, yes).await.unwrap();
    assert_eq!(done, Replaced::Yes);
    assert_eq!(hidden(folder.path()), [".fathom.lock", ".job-2.4.partial"]);
    let no = || async { Ok(false) };
    place.replace(&key("job-1"), Bytes::from_static(b"late"), 4, no).await.unwrap();
    assert_eq!(hidden(folder.path()), [".fathom.lock", ".job-2.4.partial"]);
    assert_eq!(place.get(&key("job-1"), 10).await.unwrap(), "whole");
}

/// Who is dropped in the middle lets go of the lock, and leaves nothing.
#[tokio::test]
async fn whoever_gives_up_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Artefacts::in_folder(folder.path()).unwrap();
    let (at, never) = (key("job-1"), || std::future::pending());
    let began = place.replace(&at, Bytes::from_static(b"x"), 1, never);
    tokio::time::timeout(Duration::from_millis(500), began).await.unwrap_err();
    assert_eq!(hidden(folder.path()), [".fathom.lock"]);
    let yes = || async { Ok(true) };
    place.replace(&at, Bytes::from_static(b"y"), 2, yes).await.unwrap();
    assert_eq!(place.get(&at, 10).await.unwrap(), "y");
}

#[tokio::test]
async fn a_folder_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for path in [folder.path().join("none"), file] {
        let error = Artefacts::in_folder(&path).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error}");
        assert!(error.to_string().starts_with(path.to_str().unwrap()), "{error}");
    }
}
