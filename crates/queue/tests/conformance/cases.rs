//! The cases.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fathom_queue::{Body, Delivery, Error, Kind, Settings, Transport};
use tokio::time::{sleep, timeout};

use crate::peer::{Bench, Peer, ticket};

/// How long something may take to come that is to come.
const LONG: Duration = Duration::from_secs(20);
/// How long nothing has to come so that we believe that nothing does.
const QUIET: Duration = Duration::from_millis(1500);
const MIB: usize = 1 << 20;

/// Receives until there are so many, or nothing more comes.
pub(crate) async fn gather(transport: &dyn Transport, count: usize) -> Vec<Delivery> {
    let since = Instant::now();
    let mut found = Vec::new();
    while found.len() < count && since.elapsed() < LONG {
        let wait = Duration::from_millis(500);
        found.extend(transport.receive(count - found.len(), wait).await.unwrap());
    }
    assert_eq!(found.len(), count, "{found:?}");
    found
}

/// Nothing comes any more.
pub(crate) async fn quiet(transport: &dyn Transport) {
    assert_eq!(transport.receive(10, QUIET).await.unwrap(), []);
}

fn job(delivery: &Delivery) -> &str {
    match &delivery.body {
        Body::Ticket(ticket) => &ticket.job,
        Body::Foreign(body) => std::str::from_utf8(body).unwrap(),
    }
}

pub(crate) fn jobs(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(job).collect()
}

pub(crate) async fn acknowledge(transport: &dyn Transport, deliveries: Vec<Delivery>) {
    let receipts = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
    transport.acknowledge(receipts).await.unwrap();
}

/// All that the error says, to the last source.
fn text(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}");
    let mut next = error.source();
    while let Some(error) = next {
        text += &format!("\n{error}");
        next = error.source();
    }
    text
}

async fn failure(settings: &Settings) -> Error {
    match timeout(Duration::from_secs(10), fathom_queue::open(settings)).await.unwrap() {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

/// The address with another password, or at another port.
fn changed(url: &str, password: Option<&str>, port: Option<u16>) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (login, place) = rest.split_once('@').unwrap_or(("", rest));
    let (user, old) = login.split_once(':').unwrap_or((login, ""));
    let (place, path) = place.split_once('/').unwrap_or((place, ""));
    let (host, old_port) = place.split_once(':').unwrap();
    let port = port.map_or(old_port.to_owned(), |port| port.to_string());
    let login = if login.is_empty() {
        String::new()
    } else {
        format!("{user}:{}@", password.unwrap_or(old))
    };
    format!("{scheme}://{login}{host}:{port}/{path}")
}

/// A port that nobody listens on.
fn nobody() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

pub(crate) async fn one_of_two_consumers_receives(peer: Peer) {
    let Some(mut bench) = peer.bench().await else { return };
    bench.settings.claim_after = LONG;
    let (a, b) = (bench.open("a").await, bench.open("b").await);
    let (one, two) = tokio::join!(a.receive(1, 3 * QUIET), async {
        sleep(Duration::from_millis(300)).await;
        a.publish(&[ticket("only", 5)]).await.unwrap();
        b.receive(1, QUIET).await
    });
    let (one, two) = (one.unwrap_or_default(), two.unwrap());
    assert_eq!(one.len() + two.len(), 1, "{one:?} {two:?}");
    let delivery = one.first().or(two.first()).unwrap();
    assert_eq!(delivery.body, Body::Ticket(ticket("only", 5)));
    assert_eq!((delivery.deliveries, &*delivery.pool, delivery.priority), (1, "default", 5));
    let holder = if one.is_empty() { &b } else { &a };
    acknowledge(&**holder, vec![delivery.clone()]).await;
}

pub(crate) async fn what_was_published_before_anybody_listened_is_received(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let producer = bench.open("producer").await;
    producer.publish(&[ticket("a", 5), ticket("b", 5)]).await.unwrap();
    drop(producer);
    let consumer = bench.open("consumer").await;
    let found = gather(&*consumer, 2).await;
    assert_eq!(BTreeSet::from_iter(jobs(&found)), BTreeSet::from(["a", "b"]));
    acknowledge(&*consumer, found).await;
}

pub(crate) async fn higher_priorities_come_first(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    if !peer.has_priorities() {
        return;
    }
    let transport = bench.open("a").await;
    let tickets = [ticket("low", 1), ticket("usual", 5), ticket("next", 5), ticket("high", 10)];
    transport.publish(&tickets).await.unwrap();
    let mut order = Vec::new();
    for _ in 0..4 {
        let found = gather(&*transport, 1).await;
        order.push(job(&found[0]).to_owned());
        acknowledge(&*transport, found).await;
    }
    assert_eq!(order, ["high", "usual", "next", "low"]);
}

pub(crate) async fn pools_are_apart(peer: Peer) {
    let Some(mut bench) = peer.bench().await else { return };
    bench.settings.pools = vec!["gpu".to_owned()];
    let gpu = bench.open("gpu").await;
    bench.settings.pools = vec!["default".to_owned(), "slow".to_owned()];
    let others = bench.open("others").await;
    let to = |job: &str, pool: &str| {
        let mut ticket = ticket(job, 5);
        ticket.pool = pool.to_owned();
        ticket
    };
    gpu.publish(&[to("1", "default"), to("2", "gpu"), to("3", "slow")]).await.unwrap();
    let found = gather(&*others, 2).await;
    let pools: BTreeMap<_, _> = found.iter().map(|found| (job(found), &*found.pool)).collect();
    assert_eq!(pools, BTreeMap::from([("1", "default"), ("3", "slow")]));
    acknowledge(&*others, found).await;
    quiet(&*others).await;
    let found = gather(&*gpu, 1).await;
    assert_eq!((job(&found[0]), &*found[0].pool), ("2", "gpu"));
    acknowledge(&*gpu, found).await;
    let error = gpu.publish(&[to("4", "../x")]).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
}

pub(crate) async fn what_is_acknowledged_never_comes_back(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    let tickets: Vec<_> = (0..50).map(|n| ticket(n.to_string(), 5)).collect();
    a.publish(&tickets).await.unwrap();
    let mut found = gather(&*a, 50).await;
    // Out of order, in parts.
    found.reverse();
    let rest = found.split_off(13);
    acknowledge(&*a, found).await;
    acknowledge(&*a, rest).await;
    drop(a);
    sleep(bench.settings.claim_after + Duration::from_millis(200)).await;
    let b = bench.open("b").await;
    quiet(&*b).await;
    assert!(matches!(b.depth().await.unwrap(), None | Some(0)));
}

pub(crate) async fn what_a_dropped_consumer_held_comes_back(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    let tickets: Vec<_> = (0..6).map(|n| ticket(n.to_string(), 5)).collect();
    a.publish(&tickets).await.unwrap();
    let mut held = gather(&*a, 6).await;
    let kept: Vec<String> = held[1..].iter().map(|delivery| job(delivery).to_owned()).collect();
    held.truncate(1);
    acknowledge(&*a, held).await;
    drop(a);
    let b = bench.open("b").await;
    let found = gather(&*b, 5).await;
    assert_eq!(BTreeSet::from_iter(jobs(&found)), kept.iter().map(String::as_str).collect());
    let count = peer.counted(1);
    assert!(found.iter().all(|delivery| delivery.deliveries == count), "{found:?}");
    drop((b, found));
    let c = bench.open("c").await;
    let found = gather(&*c, 5).await;
    let count = peer.counted(2);
    assert!(found.iter().all(|delivery| delivery.deliveries == count), "{found:?}");
    acknowledge(&*c, found).await;
    sleep(bench.settings.claim_after).await;
    quiet(&*c).await;
}

pub(crate) async fn what_is_given_back_comes_when_it_is_due(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let (a, b) = (bench.open("a").await, bench.open("b").await);
    a.publish(&[ticket("later", 7), ticket("now", 7)]).await.unwrap();
    let mut found = gather(&*a, 2).await;
    found.sort_by_key(|delivery| job(delivery).to_owned());
    let (later, now) = (found.remove(0), found.remove(0));
    let since = Instant::now();
    a.give_back(vec![later], Duration::from_secs(2)).await.unwrap();
    a.give_back(vec![now], Duration::ZERO).await.unwrap();
    // Whose consumer goes away is not lost.
    drop(a);
    let found = gather(&*b, 1).await;
    assert_eq!(found[0].body, Body::Ticket(ticket("now", 7)));
    assert_eq!(found[0].deliveries, 2);
    acknowledge(&*b, found).await;
    let found = gather(&*b, 1).await;
    // Brokers count milliseconds, and begin with one that has begun.
    assert!(since.elapsed() >= Duration::from_millis(1900), "{:?}", since.elapsed());
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
    assert_eq!(found[0].body, Body::Ticket(ticket("later", 7)));
    assert_eq!(found[0].deliveries, 2);
    b.give_back(found, Duration::ZERO).await.unwrap();
    let found = gather(&*b, 1).await;
    assert_eq!(found[0].deliveries, 3);
    acknowledge(&*b, found).await;
    quiet(&*b).await;
}

pub(crate) async fn dead_letters_are_listed_and_replayed(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    assert_eq!(a.buried(10).await.unwrap(), []);
    a.publish(&[ticket("bad", 5), ticket("worse", 5)]).await.unwrap();
    for delivery in gather(&*a, 2).await {
        let reason = format!("{} is no job: ä\n\"", job(&delivery));
        a.bury(delivery, &reason).await.unwrap();
    }
    quiet(&*a).await;
    let letters = a.buried(10).await.unwrap();
    let reasons: BTreeSet<_> = letters.iter().map(|letter| &*letter.reason).collect();
    assert_eq!(reasons, BTreeSet::from(["bad is no job: ä\n\"", "worse is no job: ä\n\""]));
    assert_eq!((letters[0].deliveries, &*letters[0].pool), (1, "default"));
    assert_eq!(letters[0].size, letters[0].body.len() as u64);
    assert_eq!(a.buried(1).await.unwrap().len(), 1);
    let worse = letters.iter().find(|letter| letter.reason.starts_with("worse")).unwrap();
    a.replay(&worse.id).await.unwrap();
    let found = gather(&*a, 1).await;
    assert_eq!(found[0].body, Body::Ticket(ticket("worse", 5)));
    acknowledge(&*a, found).await;
    assert_eq!(a.buried(10).await.unwrap().len(), 1);
    let error = a.replay(&worse.id).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(a.replay("nonsense").await.unwrap_err().kind(), Kind::Invalid);
}

pub(crate) async fn foreign_messages_arrive_byte_for_byte(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    let bodies: Vec<String> = (0..6)
        .map(|n| format!("{{\"operation\": \"inspect\", \"n\": {n}, \"text\": \"ü\\u0000 \"}}\n"))
        .collect();
    if !bench.produce(&bodies.iter().map(String::as_bytes).collect::<Vec<_>>()) {
        return;
    }
    let found = gather(&*a, 6).await;
    let arrived: BTreeSet<_> = found
        .iter()
        .map(|delivery| delivery.body.clone())
        .collect::<Vec<_>>()
        .into_iter()
        .map(|body| match body {
            Body::Foreign(bytes) => bytes,
            Body::Ticket(ticket) => panic!("{ticket:?}"),
        })
        .collect();
    assert_eq!(arrived, bodies.iter().map(|body| body.clone().into_bytes()).collect());
    // It stays what it was when it goes round.
    let mut found = found;
    let one = found.pop().unwrap();
    let body = one.body.clone();
    acknowledge(&*a, found).await;
    a.give_back(vec![one], Duration::ZERO).await.unwrap();
    let mut found = gather(&*a, 1).await;
    assert_eq!(found[0].body, body);
    a.bury(found.remove(0), "try again").await.unwrap();
    let letters = a.buried(10).await.unwrap();
    let Body::Foreign(bytes) = &body else { panic!("{body:?}") };
    assert_eq!(&letters[0].body, bytes);
    a.replay(&letters[0].id).await.unwrap();
    let found = gather(&*a, 1).await;
    assert_eq!(found[0].body, body);
    acknowledge(&*a, found).await;
}

pub(crate) async fn odd_bodies_arrive_or_are_buried(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    let full = vec![b'x'; MIB];
    let larger = vec![b'y'; MIB + 1];
    let largest = vec![b'z'; 3 * MIB];
    let garbage = b"\xff\x00{[\x80\n\n\x01";
    if !bench.produce(&[b"", garbage, &full, &larger, &largest, b"after"]) {
        return;
    }
    let found = gather(&*a, 4).await;
    let arrived: BTreeSet<_> = found
        .iter()
        .map(|delivery| match &delivery.body {
            Body::Foreign(bytes) => bytes.as_slice(),
            Body::Ticket(ticket) => panic!("{ticket:?}"),
        })
        .collect();
    assert!(arrived == BTreeSet::from([b"".as_slice(), garbage, &full, b"after"]));
    acknowledge(&*a, found).await;
    quiet(&*a).await;
    let letters = a.buried(10).await.unwrap();
    let sizes: BTreeSet<_> = letters.iter().map(|letter| letter.size).collect();
    assert_eq!(sizes, BTreeSet::from([MIB as u64 + 1, 3 * MIB as u64]));
    for letter in letters {
        assert!(letter.body.len() <= MIB);
        assert!(letter.reason.contains("1048576"), "{}", letter.reason);
    }
}

pub(crate) async fn ten_thousand_by_four_consumers(peer: Peer) {
    const COUNT: usize = 10_000;
    let Some(bench) = peer.bench().await else { return };
    let producer = bench.open("producer").await;
    let mut members: Vec<Arc<dyn Transport>> = Vec::new();
    for name in ["a", "b", "c", "d"] {
        members.push(Arc::from(bench.open(name).await));
    }
    if peer == Peer::Kafka {
        // Whoever joins a group takes partitions from others; that is another case.
        let joined = members.iter().map(|member| member.receive(1, Duration::from_secs(8)));
        for found in futures_util::future::join_all(joined).await {
            assert_eq!(found.unwrap(), []);
        }
    }
    let since = Instant::now();
    let tickets: Vec<_> = (0..COUNT).map(|n| ticket(n.to_string(), 5)).collect();
    for part in tickets.chunks(500) {
        producer.publish(part).await.unwrap();
    }
    let published = since.elapsed();
    let mut consumers = Vec::new();
    for consumer in members {
        consumers.push(tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let found = consumer.receive(100, QUIET).await.unwrap();
                if found.is_empty() {
                    return mine;
                }
                mine.extend(jobs(&found).into_iter().map(str::to_owned));
                acknowledge(&*consumer, found).await;
            }
        }));
    }
    let mut all = Vec::new();
    let mut busy = 0;
    for consumer in consumers {
        let mine = consumer.await.unwrap();
        busy += usize::from(!mine.is_empty());
        all.extend(mine);
    }
    let received = since.elapsed() - published - QUIET;
    println!("{peer:?}: published in {published:?}, received by {busy} in {received:?}");
    assert_eq!(all.len(), COUNT);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), COUNT);
    assert!(busy >= 2);
}

pub(crate) async fn waiting_ends_when_something_is_published(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let (a, b) = (bench.open("a").await, bench.open("b").await);
    // Whoever joins a group may have to wait until it is in.
    a.publish(&[ticket("first", 5)]).await.unwrap();
    acknowledge(&*b, gather(&*b, 1).await).await;
    let waiting = tokio::spawn(async move {
        let found = b.receive(10, LONG).await.unwrap();
        let at = Instant::now();
        acknowledge(&*b, found).await;
        at
    });
    sleep(Duration::from_millis(1200)).await;
    let published = Instant::now();
    a.publish(&[ticket("x", 5)]).await.unwrap();
    let received = waiting.await.unwrap();
    let took = received.saturating_duration_since(published);
    assert!(took < Duration::from_millis(700), "{took:?}");
}

pub(crate) async fn waiting_ends_in_time(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    let _ = a.receive(1, Duration::from_millis(10)).await.unwrap();
    let since = Instant::now();
    assert_eq!(a.receive(5, Duration::from_millis(700)).await.unwrap(), []);
    let took = since.elapsed();
    assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(a.receive(0, LONG).await.unwrap(), []);
    assert_eq!(a.receive(5, Duration::ZERO).await.unwrap(), []);
}

pub(crate) async fn what_waits_is_counted(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    let a = bench.open("a").await;
    assert_eq!(a.depth().await.unwrap(), Some(0));
    let tickets: Vec<_> = (0..20).map(|n| ticket(n.to_string(), 1 + n as u8 % 10)).collect();
    a.publish(&tickets).await.unwrap();
    let since = Instant::now();
    while a.depth().await.unwrap() != Some(20) && since.elapsed() < LONG {
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(a.depth().await.unwrap(), Some(20));
    acknowledge(&*a, gather(&*a, 20).await).await;
    let since = Instant::now();
    while a.depth().await.unwrap() != Some(0) && since.elapsed() < LONG {
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(a.depth().await.unwrap(), Some(0));
    a.check().await.unwrap();
}

pub(crate) async fn nonsense_settings_are_invalid(peer: Peer) {
    let Some(bench) = peer.bench().await else { return };
    type Change = fn(&mut Settings);
    let changes: &[Change] = &[
        |settings| {
            settings.urls.clear();
            settings.folder.clear();
        },
        |settings| settings.pools.clear(),
        |settings| settings.pools = vec!["../up".to_owned()],
        |settings| settings.queue = String::new(),
        |settings| settings.consumer = "a/b".to_owned(),
        |settings| settings.prefetch = 0,
    ];
    for change in changes {
        let mut settings = bench.settings.clone();
        change(&mut settings);
        assert_eq!(failure(&settings).await.kind(), Kind::Invalid, "{settings:?}");
    }
    if peer.is_server() {
        let mut settings = bench.settings.clone();
        settings.urls = vec!["no:secret@address".to_owned()];
        let error = failure(&settings).await;
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(!text(&error).contains("secret"), "{}", text(&error));
    }
}

pub(crate) async fn another_address_takes_over(peer: Peer) {
    if !peer.is_server() {
        return;
    }
    let Some(mut bench) = peer.bench().await else { return };
    let elsewhere = changed(&bench.settings.urls[0], None, Some(nobody()));
    bench.settings.urls.insert(0, elsewhere);
    let a = bench.open("a").await;
    a.publish(&[ticket("x", 5)]).await.unwrap();
    acknowledge(&*a, gather(&*a, 1).await).await;
}

pub(crate) async fn who_may_not_is_told_so(peer: Peer) {
    if !peer.has_passwords() {
        return;
    }
    let Some(bench) = peer.bench().await else { return };
    let mut settings = bench.settings.clone();
    settings.urls = vec![changed(&settings.urls[0], Some("wr0ng"), None)];
    let since = Instant::now();
    let error = failure(&settings).await;
    assert!(since.elapsed() < Duration::from_secs(8));
    assert_eq!(error.kind(), Kind::Refused, "{}", text(&error));
    assert!(!text(&error).contains("wr0ng"), "{}", text(&error));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("wr0ng"), "{shown}");
    // By the other way to give it.
    let (scheme, rest) = bench.settings.urls[0].split_once("://").unwrap();
    let (login, place) = rest.split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    settings.urls = vec![format!("{scheme}://{place}")];
    settings.username = (!user.is_empty()).then(|| user.to_owned());
    settings.password = Some(password.to_owned());
    fathom_queue::open(&settings).await.unwrap();
    settings.password = Some("wr0ng".to_owned());
    let error = failure(&settings).await;
    assert_eq!(error.kind(), Kind::Refused, "{}", text(&error));
    assert!(!format!("{}{settings:?}", text(&error)).contains("wr0ng"));
}

pub(crate) async fn who_is_not_there_is_told_so(peer: Peer) {
    if !peer.is_server() {
        return;
    }
    let Some(bench) = peer.bench().await else { return };
    let mut settings = bench.settings.clone();
    let password = settings.urls[0].split_once('@').map(|(login, _)| login.to_owned());
    settings.urls = vec![changed(&settings.urls[0], None, Some(nobody()))];
    let since = Instant::now();
    let error = failure(&settings).await;
    assert!(since.elapsed() < Duration::from_secs(8));
    assert_eq!(error.kind(), Kind::Unreachable, "{}", text(&error));
    if let Some((_, password)) = password.as_deref().and_then(|login| login.rsplit_once(':')) {
        assert!(!text(&error).contains(password), "{}", text(&error));
    }
}

pub(crate) async fn certificates_are_verified(peer: Peer) {
    let variable = match peer {
        // That of Kafka is built without.
        Peer::Folder | Peer::Kafka => return,
        Peer::Amqp => "FATHOM_TEST_AMQP_TLS",
        Peer::Redis => "FATHOM_TEST_REDIS_TLS",
    };
    let Some(mut bench) = peer.bench().await else { return };
    let (Some(url), Some(authority)) = (peer.url(variable), peer.url("FATHOM_TEST_AUTHORITY"))
    else {
        return;
    };
    bench.settings.urls = vec![url];
    // Signed by nobody whom the system knows.
    let error = failure(&bench.settings).await;
    assert!(matches!(error.kind(), Kind::Unreachable | Kind::Refused), "{}", text(&error));
    bench.settings.authority = Some(authority.into());
    let a = bench.open("a").await;
    a.publish(&[ticket("x", 5)]).await.unwrap();
    acknowledge(&*a, gather(&*a, 1).await).await;
    bench.settings.authority = Some(bench.folder().join("nothing"));
    assert_eq!(failure(&bench.settings).await.kind(), Kind::Invalid);
}

pub(crate) async fn a_restart_loses_nothing(peer: Peer) {
    if !peer.is_server() {
        return;
    }
    const COUNT: usize = 600;
    let Some(bench) = peer.alone().await else { return };
    let since = Instant::now();
    let producer = bench.open("producer").await;
    let consumer = bench.open("consumer").await;
    let publishing = tokio::spawn(async move {
        for n in 0..COUNT / 10 {
            let tickets: Vec<_> = (0..10).map(|k| ticket(format!("{n}-{k}"), 5)).collect();
            // What may or may not have been done is done again.
            while let Err(error) = producer.publish(&tickets).await {
                assert!(error.is_passing(), "{}", text(&error));
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let receiving = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        while seen.len() < COUNT && since.elapsed() < 4 * LONG {
            match consumer.receive(20, Duration::from_millis(500)).await {
                Ok(found) => {
                    seen.extend(jobs(&found).into_iter().map(str::to_owned));
                    let receipts = found.into_iter().map(|delivery| delivery.receipt).collect();
                    if let Err(error) = consumer.acknowledge(receipts).await {
                        assert!(error.is_passing(), "{}", text(&error));
                    }
                }
                Err(error) => assert!(error.is_passing(), "{}", text(&error)),
            }
        }
        seen
    });
    sleep(Duration::from_millis(500)).await;
    bench.control("kill");
    sleep(Duration::from_millis(300)).await;
    tokio::task::block_in_place(|| bench.control("start"));
    publishing.await.unwrap();
    let seen = receiving.await.unwrap();
    assert_eq!(seen.len(), COUNT);
}

pub(crate) async fn a_server_that_hangs_ends_in_an_error(peer: Peer) {
    if !peer.is_server() {
        return;
    }
    let Some(mut bench) = peer.alone().await else { return };
    bench.settings.timeout = Duration::from_secs(1);
    bench.settings.patience = Duration::from_millis(1500);
    let a = bench.open("a").await;
    a.publish(&[ticket("before", 5)]).await.unwrap();
    bench.control("pause");
    let outcome = hang(&bench, &*a).await;
    bench.control("continue");
    outcome.unwrap();
    let since = Instant::now();
    while let Err(error) = a.publish(&[ticket("after", 5)]).await {
        assert!(error.is_passing() && since.elapsed() < LONG, "{}", text(&error));
    }
    let mut seen = BTreeSet::new();
    while !(seen.contains("before") && seen.contains("after")) && since.elapsed() < LONG {
        let found = a.receive(10, Duration::from_millis(500)).await.unwrap_or_default();
        seen.extend(jobs(&found).into_iter().map(str::to_owned));
        acknowledge(&*a, found).await;
    }
    assert!(seen.contains("before") && seen.contains("after"), "{seen:?}");
}

/// Every call to a server that hangs ends, with the right error.
async fn hang(bench: &Bench, a: &dyn Transport) -> Result<(), String> {
    let limit = Duration::from_secs(8);
    let ends = |what: &str, outcome: Result<Result<(), Error>, _>| match outcome {
        Ok(Err(error)) if error.is_passing() => Ok(()),
        Ok(Err(error)) => Err(format!("{what}: {}", text(&error))),
        Ok(Ok(())) => Err(format!("{what} has worked")),
        Err(tokio::time::error::Elapsed { .. }) => Err(format!("{what} hangs")),
    };
    ends("publish", timeout(limit, a.publish(&[ticket("meanwhile", 5)])).await)?;
    let wait = Duration::from_millis(200);
    let received = timeout(limit, async { a.receive(1, wait).await.map(|_| ()) });
    ends("receive", received.await)?;
    ends("check", timeout(limit, a.check()).await)?;
    let opened = timeout(limit, async { fathom_queue::open(&bench.settings).await.map(|_| ()) });
    ends("open", opened.await)
}
