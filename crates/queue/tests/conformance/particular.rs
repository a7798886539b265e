//! What holds of one transport alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

use fathom_queue::{Body, Kind};

use crate::cases::{acknowledge, gather, jobs, quiet};
use crate::peer::{Peer, ticket};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_trims_nothing_that_is_not_acknowledged() {
    let Some(mut bench) = Peer::Redis.bench().await else { return };
    bench.settings.max_length = Some(10);
    let a = bench.open("a").await;
    let tickets: Vec<_> = (0..100).map(|n| ticket(n.to_string(), 5)).collect();
    a.publish(&tickets).await.unwrap();
    let mut held = gather(&*a, 60).await;
    // The first one stays open; what follows it must not be trimmed to it, nor it with them.
    let first = held.remove(0);
    acknowledge(&*a, held.split_off(20)).await;
    held.push(first);
    let open: BTreeSet<String> = jobs(&held).into_iter().map(str::to_owned).collect();
    drop(a);
    let b = bench.open("b").await;
    let found = gather(&*b, 61).await;
    let seen: BTreeSet<String> = jobs(&found).into_iter().map(str::to_owned).collect();
    assert!(open.is_subset(&seen) && seen.len() == 61, "{seen:?}");
    acknowledge(&*b, found).await;
    quiet(&*b).await;
    // What is kept is bounded once all is done.
    let client = redis::Client::open(bench.settings.urls[0].as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let kept: usize =
        redis::cmd("XLEN").arg(&bench.settings.queue).query_async(&mut connection).await.unwrap();
    assert_eq!(kept, 10);
    assert_eq!(b.depth().await.unwrap(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_goes_on_after_somebody_has_emptied_it() {
    let Some(bench) = Peer::Redis.bench().await else { return };
    let a = bench.open("a").await;
    let client = redis::Client::open(bench.settings.urls[0].as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let queue = &bench.settings.queue;
    let keys = [queue.clone(), format!("{queue}:high"), format!("{queue}:low")];
    redis::cmd("DEL").arg(&keys).query_async::<()>(&mut connection).await.unwrap();
    a.publish(&[ticket("x", 5)]).await.unwrap();
    acknowledge(&*a, gather(&*a, 1).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rabbitmq_loses_nothing_to_who_stops_waiting() {
    let Some(bench) = Peer::Amqp.bench().await else { return };
    let a = bench.open("a").await;
    let mut seen = BTreeSet::new();
    for round in 0..20 {
        let waiting = a.receive(5, Duration::from_secs(5));
        // Broken off before, while and after something comes.
        if let Ok(found) = tokio::time::timeout(Duration::from_millis(round), waiting).await {
            let found = found.unwrap();
            seen.extend(jobs(&found).into_iter().map(str::to_owned));
            acknowledge(&*a, found).await;
        }
        a.publish(&[ticket(round.to_string(), 5)]).await.unwrap();
    }
    let b = bench.open("b").await;
    let found = gather(&*b, 20 - seen.len()).await;
    seen.extend(jobs(&found).into_iter().map(str::to_owned));
    assert_eq!(seen.len(), 20);
    acknowledge(&*b, found).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_takes_files_that_are_whole() {
    let Some(bench) = Peer::Folder.bench().await else { return };
    let a = bench.open("a").await;
    let folder = &bench.settings.folder;
    fs::write(folder.join("half.json"), "{\"operation\":").unwrap();
    fs::write(folder.join("draft.json.tmp"), "{}").unwrap();
    fs::write(folder.join(".hidden.json"), "{}").unwrap();
    fs::write(folder.join("notes.txt"), "{}").unwrap();
    assert_eq!(a.receive(10, Duration::from_millis(500)).await.unwrap(), []);
    fs::write(folder.join("half.json"), "{\"operation\": 1}").unwrap();
    let found = gather(&*a, 1).await;
    assert_eq!(found[0].body, Body::Foreign(b"{\"operation\": 1}".to_vec()));
    acknowledge(&*a, found).await;
    assert!(folder.join("done/half.json").is_file());
    // The same name again takes nothing away.
    fs::write(folder.join("half.json"), "{}").unwrap();
    acknowledge(&*a, gather(&*a, 1).await).await;
    assert_eq!(fs::read_dir(folder.join("done")).unwrap().count(), 2);
    assert!(folder.join("draft.json.tmp").exists() && folder.join(".hidden.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_refuses_what_is_no_file() {
    let Some(bench) = Peer::Folder.bench().await else { return };
    let a = bench.open("a").await;
    let folder = &bench.settings.folder;
    let secret = bench.folder().join("secret");
    fs::write(&secret, "{\"secret\": 1}").unwrap();
    symlink(&secret, folder.join("link.json")).unwrap();
    fs::create_dir(folder.join("folder.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(folder.join("pipe.json")).status().unwrap();
    assert!(pipe.success());
    quiet(&*a).await;
    let letters = a.buried(10).await.unwrap();
    let ids: BTreeSet<_> = letters.iter().map(|letter| &*letter.id).collect();
    let all = ["default/folder.json", "default/link.json", "default/pipe.json"];
    assert_eq!(ids, BTreeSet::from(all));
    for letter in &letters {
        assert_eq!((&*letter.body, &*letter.reason), (&b""[..], "it is not a regular file"));
        assert_eq!(a.replay(&letter.id).await.unwrap_err().kind(), Kind::Invalid);
    }
    assert!(folder.join("failed/link.json.reason.json").is_file());
    for id in ["default/../secret", "default/.x", "../x/y", "default/"] {
        assert_eq!(a.replay(id).await.unwrap_err().kind(), Kind::Invalid, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_has_no_two_consumers_of_one_name() {
    let Some(bench) = Peer::Folder.bench().await else { return };
    let (a, b) = (bench.open("same").await, bench.open("same").await);
    let _ = a.receive(1, Duration::ZERO).await.unwrap();
    assert_eq!(b.receive(1, Duration::ZERO).await.unwrap_err().kind(), Kind::Invalid);
    drop(a);
    let _ = b.receive(1, Duration::ZERO).await.unwrap();
}
