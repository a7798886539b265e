//! What is so of buckets alone.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fathom_artefact::{Artefacts, BucketSettings, Kind, Objects, Put};
use fathom_secret::Secret;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::bench::{alone, beside, control, key, prefix, settings};

fn at(settings: &BucketSettings) -> Artefacts {
    Artefacts::in_bucket(settings, &prefix()).unwrap()
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let Some(fine) = settings("http") else { return };
    let _beside = beside().await;
    let (name, secret) = fine.key.clone().unwrap();
    let with = |name: &str, secret: &str| BucketSettings {
        key: Some((name.to_owned(), Secret::new(secret))),
        ..fine.clone()
    };
    for (settings, said) in [
        (with(&name, "wrong"), "SignatureDoesNotMatch"),
        (with("AKIANOBODY", secret.expose()), "InvalidAccessKeyId"),
    ] {
        let place = at(&settings);
        for error in [
            place.put(&key("a"), Bytes::from_static(b"x")).await.unwrap_err(),
            place.get(&key("a"), 10).await.unwrap_err(),
            place.list(None, None, 10).await.unwrap_err(),
            place.delete(&key("a")).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::Refused, "{error}");
            let text = error.to_string();
            assert!(text.contains(said) && text.starts_with("s3://reports/"), "{text}");
            assert!(text.contains("look at the key of this bucket"), "{text}");
            assert!(!text.contains(secret.expose()), "{text}");
        }
    }
    let none = BucketSettings { name: "no-such-bucket".to_owned(), ..fine };
    let error = at(&none).put(&key("a"), Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{error}");
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn certificates_are_verified() {
    let Some(fine) = settings("https") else { return };
    let _beside = beside().await;
    let distrusting = BucketSettings { ca_file: None, patience: Duration::from_secs(3), ..fine };
    let error = at(&distrusting).put(&key("a"), Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

/// Whoever writes while the server is restarted is served when it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_waited_for() {
    let Some(settings) = settings("http") else { return };
    let _alone = alone().await;
    let place = at(&settings);
    place.put(&key("before"), Bytes::from_static(b"x")).await.unwrap();
    control("kill");
    let waiting = {
        let place = place.clone();
        tokio::spawn(async move { place.put(&key("during"), Bytes::from_static(b"y")).await })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let restarted = tokio::task::spawn_blocking(|| control("start"));
    restarted.await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Put::New);
    assert_eq!(place.get(&key("during"), 10).await.unwrap(), "y");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_there_is_told_so() {
    let Some(settings) = settings("http") else { return };
    let _alone = alone().await;
    let settings = BucketSettings {
        idle: Duration::from_secs(1),
        patience: Duration::from_secs(3),
        ..settings
    };
    let place = at(&settings);
    for (begin, end) in [("kill", "start"), ("pause", "continue")] {
        control(begin);
        let began = Instant::now();
        let error = place.put(&key("a"), Bytes::from_static(b"x")).await.unwrap_err();
        let took = began.elapsed();
        control(end);
        assert_eq!(error.kind(), Kind::Unreachable, "{error}");
        assert!(error.is_passing() && took < Duration::from_secs(10), "{error} after {took:?}");
        let _ = place.get(&key("a"), 10).await;
    }
    assert_ne!(place.put(&key("b"), Bytes::from_static(b"x")).await.unwrap(), Put::There);
}

/// Servers that are none: they drip, send too much, or something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_servers_end_in_errors() {
    for (head, piece, pause) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"a\"\r\nLast-Modified: Sat, 28 Nov 2026 09:00:00 GMT\r\n\r\n",
            "x",
            200,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nETag: \"a\"\r\nLast-Modified: Sat, 28 Nov 2026 09:00:00 GMT\r\n\r\n",
            "xxxxxxxxxxxxxxxx",
            0,
        ),
        ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "", 0),
        ("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n", 0),
        ("SSH-2.0-OpenSSH\r\n", "", 0),
        ("", "", 60_000),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let _ = socket.read(&mut request).await;
                    let _ = socket.write_all(head.as_bytes()).await;
                    for _ in 0..100_000 {
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                        if piece.is_empty() && pause == 0 {
                            return;
                        }
                        if socket.write_all(piece.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let settings = BucketSettings {
            endpoint: Some(format!("http://{address}")),
            path_style: true,
            key: Some(("id".to_owned(), Secret::new("secret"))),
            idle: Duration::from_secs(1),
            patience: Duration::from_secs(3),
            ..BucketSettings::new("reports")
        };
        let began = Instant::now();
        let error = at(&settings).get(&key("a"), 1000).await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(20), "{head:?}: {error}");
        let fits = matches!(error.kind(), Kind::Unreachable | Kind::TooLarge | Kind::Refused);
        assert!(fits, "{head:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_conditions_it_works_with_less_promised() {
    let Some(settings) = settings("http") else { return };
    let _beside = beside().await;
    let place = at(&BucketSettings { conditional: false, ..settings });
    assert_eq!(place.put(&key("a"), Bytes::from_static(b"x")).await.unwrap(), Put::New);
    assert_eq!(place.put(&key("a"), Bytes::from_static(b"x")).await.unwrap(), Put::There);
    let error = place.put(&key("a"), Bytes::from_static(b"y")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Exists);
    let yes = || async { Ok(true) };
    place.replace(&key("a"), Bytes::from_static(b"z"), 1, yes).await.unwrap();
    assert_eq!(place.get(&key("a"), 10).await.unwrap(), "z");
}

#[test]
fn settings_that_make_no_sense_are_told() {
    let fine = BucketSettings {
        key: Some(("id".to_owned(), Secret::new("secret"))),
        ..BucketSettings::new("reports")
    };
    for (settings, prefix) in [
        (BucketSettings { name: "No Bucket".to_owned(), ..fine.clone() }, ""),
        (BucketSettings { endpoint: Some("ftp://h".to_owned()), ..fine.clone() }, ""),
        (BucketSettings { region: String::new(), ..fine.clone() }, ""),
        (BucketSettings { ca_file: Some("/none.pem".into()), ..fine.clone() }, ""),
        (fine.clone(), "../up"),
    ] {
        let error = Artefacts::in_bucket(&settings, prefix).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{error}");
    }
    assert!(Objects::new(&fine).is_ok());
}
