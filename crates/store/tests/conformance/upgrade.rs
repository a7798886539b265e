//! A database that an earlier program made is brought to this one's layout.

use fathom_store::{ErrorKind, LATEST, Options, Store};

use crate::place::on_both;

on_both! {
    async fn each_layout_becomes_the_latest(place) {
        for layout in 1..=LATEST {
            place.open_at(layout).await.close().await;
        }
        place.open().await.close().await;
    }

    async fn several_may_begin_at_once(place) {
        let openings = (0..6).map(|_| {
            let address = place.address.clone();
            tokio::spawn(async move { Store::open(&address, &Options::default()).await })
        });
        for opening in openings.collect::<Vec<_>>() {
            opening.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fathom.db");
    std::fs::write(&path, vec![b'x'; 8192]).unwrap();
    let refused = Store::open(path.to_str().unwrap(), &Options::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unfit, "{refused}");
    for (address, kind) in [
        ("mysql://localhost/fathom", ErrorKind::Invalid),
        ("", ErrorKind::Invalid),
        ("a?b", ErrorKind::Invalid),
        ("/nowhere/at/all/fathom.db", ErrorKind::Unreachable),
        ("postgres://nobody:hush@127.0.0.1:1/none", ErrorKind::Unreachable),
    ] {
        let refused = Store::open(address, &Options::default()).await.unwrap_err();
        assert_eq!(refused.kind(), kind, "{address}: {refused}");
        assert!(!format!("{refused} {refused:?}").contains("hush"), "{refused:?}");
    }
}

#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fathom.db");
    let _store = Store::open(path.to_str().unwrap(), &Options::default()).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
