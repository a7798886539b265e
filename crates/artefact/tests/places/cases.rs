//! The cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use fathom_artefact::{Kind, Put, Replaced};
use tokio::sync::Notify;

use crate::bench::{Bench, key};

async fn keys(
    bench: &Bench,
    prefix: Option<&str>,
    after: Option<&str>,
    most: usize,
) -> Vec<String> {
    let listed = bench.place.list(prefix.map(key).as_ref(), after.map(key).as_ref(), most).await;
    listed.unwrap().into_iter().map(|entry| entry.key).collect()
}

pub(crate) async fn what_is_put_is_there_until_it_is_taken_away(bench: &Bench) {
    let place = &bench.place;
    let at = key("a/b/report-1.json.gz");
    assert_eq!(place.put(&at, Bytes::from_static(b"one")).await.unwrap(), Put::New);
    assert_eq!(place.get(&at, 100).await.unwrap(), "one");
    let listed = place.list(None, None, 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].key.as_str(), listed[0].length), (1, at.as_str(), 3));
    place.delete(&at).await.unwrap();
    assert_eq!(place.get(&at, 100).await.unwrap_err().kind(), Kind::NotFound);
    place.delete(&at).await.unwrap();
    assert_eq!(place.list(None, None, 10).await.unwrap(), []);
    // Nothing is a document too.
    place.put(&at, Bytes::new()).await.unwrap();
    assert_eq!(place.get(&at, 0).await.unwrap(), "");
}

pub(crate) async fn the_same_again_is_as_good_as_made(bench: &Bench) {
    let at = key("same");
    for expected in [Put::New, Put::There, Put::There] {
        let put = bench.place.put(&at, Bytes::from_static(b"same")).await.unwrap();
        assert_eq!(put, expected);
    }
}

pub(crate) async fn another_content_is_refused_and_changes_nothing(bench: &Bench) {
    let at = key("one/thing");
    bench.place.put(&at, Bytes::from_static(b"first")).await.unwrap();
    for other in ["other", "longer than the first", "", "f"] {
        let error = bench.place.put(&at, Bytes::from(other)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Exists, "{error}");
        assert!(error.to_string().contains("one/thing"), "{error}");
    }
    assert_eq!(bench.place.get(&at, 100).await.unwrap(), "first");
}

pub(crate) async fn what_is_not_there_is_told(bench: &Bench) {
    let error = bench.place.get(&key("not/there"), 10).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert!(error.to_string().contains("not/there"), "{error}");
    assert!(!error.is_passing());
    assert_eq!(keys(bench, Some("not"), None, 10).await, [""; 0]);
    // What is a folder, or would be one, is no document.
    bench.place.put(&key("folder/one"), Bytes::from_static(b"1")).await.unwrap();
    assert_eq!(bench.place.get(&key("folder"), 10).await.unwrap_err().kind(), Kind::NotFound);
}

pub(crate) async fn no_more_is_read_than_was_asked_for(bench: &Bench) {
    let at = key("large");
    bench.place.put(&at, Bytes::from(vec![7; 1000])).await.unwrap();
    assert_eq!(bench.place.get(&at, 1000).await.unwrap().len(), 1000);
    for most in [0, 1, 999] {
        let error = bench.place.get(&at, most).await.unwrap_err();
        assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    }
}

pub(crate) async fn lists_are_in_order_and_by_whole_parts(bench: &Bench) {
    let all = ["a-b/x", "a/1", "a/2/deep", "ab/1", "b"];
    for name in all {
        bench.place.put(&key(name), Bytes::from_static(b"x")).await.unwrap();
    }
    let of = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(bench, None, None, 100).await, of(&all));
    assert_eq!(keys(bench, Some("a"), None, 100).await, of(&["a/1", "a/2/deep"]));
    assert_eq!(keys(bench, Some("a/2"), None, 100).await, of(&["a/2/deep"]));
    assert_eq!(keys(bench, Some("ab"), None, 100).await, of(&["ab/1"]));
    assert_eq!(keys(bench, None, Some("a/1"), 2).await, of(&["a/2/deep", "ab/1"]));
    assert_eq!(keys(bench, None, Some("b"), 100).await, of(&[]));
    assert_eq!(keys(bench, None, None, 0).await, of(&[]));
}

pub(crate) async fn of_many_who_make_the_same_one_does(bench: &Bench) {
    let same = futures_util::future::join_all((0..8).map(|_| async {
        bench.place.put(&key("same"), Bytes::from(vec![1; 100_000])).await.unwrap()
    }));
    let new = same.await.into_iter().filter(|put| *put == Put::New).count();
    assert_eq!(new, 1);
    let each = futures_util::future::join_all((0..8_u8).map(|number| async move {
        let put = bench.place.put(&key("each"), Bytes::from(vec![number; 50_000])).await;
        (number, put)
    }));
    let mut winner = None;
    for (number, put) in each.await {
        match put {
            Ok(Put::New) => assert!(winner.replace(number).is_none(), "two have made it"),
            Ok(Put::There) => panic!("{number} was not there"),
            Err(error) => assert_eq!(error.kind(), Kind::Exists, "{error}"),
        }
    }
    let there = bench.place.get(&key("each"), 1 << 20).await.unwrap();
    assert!(there.iter().all(|byte| Some(*byte) == winner));
}

pub(crate) async fn who_may_not_replaces_nothing(bench: &Bench) {
    let (place, at) = (&bench.place, key("out/result"));
    let no = || async { Ok(false) };
    let yes = || async { Ok(true) };
    assert_eq!(place.replace(&at, Bytes::from_static(b"1"), 1, no).await.unwrap(), Replaced::No);
    assert_eq!(place.get(&at, 10).await.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(place.replace(&at, Bytes::from_static(b"2"), 2, yes).await.unwrap(), Replaced::Yes);
    assert_eq!(place.replace(&at, Bytes::from_static(b"1"), 1, no).await.unwrap(), Replaced::No);
    assert_eq!(place.get(&at, 10).await.unwrap(), "2");
    assert_eq!(place.replace(&at, Bytes::from_static(b"4"), 4, yes).await.unwrap(), Replaced::Yes);
    assert_eq!(place.get(&at, 10).await.unwrap(), "4");
    // That it cannot be known is no yes.
    let unsure = || async {
        Err(fathom_artefact::Error::new(Kind::Unreachable, "the store", "it does not answer"))
    };
    let error = place.replace(&at, Bytes::from_static(b"5"), 5, unsure).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert_eq!(place.get(&at, 10).await.unwrap(), "4");
    assert_eq!(keys(bench, None, None, 10).await, ["out/result"]);
}

/// Somebody is told that they may, is stopped right there, and goes on when somebody else may and has
/// written, or is about to.
pub(crate) async fn who_lost_the_right_does_not_win(bench: &Bench) {
    let at = key("out/contested");
    let (asked, holder) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let (place, their, newer) = (bench.place.clone(), at.clone(), Arc::clone(&holder));
    let late = Arc::clone(&asked);
    let old = tokio::spawn(async move {
        let still = || async {
            let held = !newer.load(Ordering::SeqCst);
            late.notify_one();
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(held)
        };
        place.replace(&their, Bytes::from_static(b"old"), 1, still).await
    });
    asked.notified().await;
    holder.store(true, Ordering::SeqCst);
    let yes = || async { Ok(true) };
    let new = bench.place.replace(&at, Bytes::from_static(b"new"), 2, yes).await.unwrap();
    assert_eq!(new, Replaced::Yes);
    old.await.unwrap().unwrap();
    assert_eq!(bench.place.get(&at, 10).await.unwrap(), "new");
    assert_eq!(keys(bench, None, None, 10).await, ["out/contested"]);
}

pub(crate) async fn documents_of_some_size(bench: &Bench) {
    let bytes: Vec<u8> = (0..6_000_000_u32).map(|at| (at ^ (at >> 9)) as u8).collect();
    let bytes = Bytes::from(bytes);
    bench.place.put(&key("some/size"), bytes.clone()).await.unwrap();
    assert_eq!(bench.place.get(&key("some/size"), 6_000_000).await.unwrap(), bytes);
    assert_eq!(bench.place.put(&key("some/size"), bytes).await.unwrap(), Put::There);
}
