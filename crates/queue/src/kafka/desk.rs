//! The consumer of the group: a thread that polls, and the desk on which lies what it got.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::sync::Notify;

use super::client::{config, explain};
use super::record::{Beside, retry_topic};
use crate::{Body, Delivery, Error, Kind, Receipt, Result, Settings, USUAL, message};

/// How long one poll takes.
const POLL: Duration = Duration::from_millis(100);
/// How long what is held may take to be acknowledged when its partition goes to somebody else.
const GRACE: Duration = Duration::from_secs(10);
/// How long we wait for more when there is something.
const LINGER: Duration = Duration::from_millis(5);
/// How many messages lie on the desk before we ask for no more.
const ENOUGH: usize = 1000;

/// A partition of a topic.
type Place = (String, i32);

/// The consumer, and its thread.
pub(super) struct Listener {
    consumer: Arc<BaseConsumer<Watch>>,
    desk: Arc<Desk>,
    /// Commits follow one another, so that none goes back behind an earlier one.
    committing: Mutex<()>,
}

/// Who is told that partitions come and go.
struct Watch {
    desk: Arc<Desk>,
}

/// What was received and is not done with.
pub(super) struct Desk {
    state: Mutex<State>,
    changed: Condvar,
    arrived: Notify,
    stopped: AtomicBool,
    pools: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    partitions: HashMap<Place, Partition>,
    ready: VecDeque<Delivery>,
    /// What is not due yet, by when it is.
    later: BTreeMap<(Duration, u64), Delivery>,
    arrivals: u64,
    committing: usize,
    /// What was acknowledged while its partition was not ours: it may come back, and be received again.
    early: HashMap<Place, BTreeSet<i64>>,
}

/// A partition that is ours. Offsets mean the same messages for ever, so what is acknowledged after the
/// partition has gone and come back is done with all the same.
struct Partition {
    /// What was received and is not done with.
    open: BTreeSet<i64>,
    /// What follows the last one that was received.
    next: i64,
    committed: i64,
}

impl Listener {
    pub(super) fn new(settings: &Settings) -> Result<Listener> {
        let mut pools = HashMap::new();
        for pool in &settings.pools {
            pools.insert(settings.queue_of(pool), pool.clone());
            pools.insert(retry_topic(settings, pool), pool.clone());
        }
        let topics: Vec<String> = pools.keys().cloned().collect();
        let desk = Arc::new(Desk {
            state: Mutex::default(),
            changed: Condvar::new(),
            arrived: Notify::new(),
            stopped: AtomicBool::new(false),
            pools,
        });
        let consumer: BaseConsumer<Watch> = config(settings)?
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            // A partition that stays with us does not go and come back whenever somebody else comes.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", "10000")
            .set("heartbeat.interval.ms", "1000")
            .set("queued.max.messages.kbytes", "16384")
            .set("topic.metadata.refresh.interval.ms", "10000")
            .create_with_context(Watch { desk: Arc::clone(&desk) })
            .map_err(|error| explain("Kafka cannot be used with these settings", &error))?;
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| explain("subscribing", &error))?;
        let consumer = Arc::new(consumer);
        let (polling, at) = (Arc::clone(&consumer), Arc::clone(&desk));
        std::thread::Builder::new()
            .name("kafka".to_owned())
            .spawn(move || poll(&polling, &at))
            .map_err(|error| Error::with(Kind::Lost, "a thread cannot be started", error))?;
        Ok(Listener { consumer, desk, committing: Mutex::new(()) })
    }

    /// Leaves the group.
    pub(super) fn stop(&self) {
        self.desk.stopped.store(true, Ordering::Relaxed);
        self.desk.changed.notify_all();
    }

    /// Takes what there is, waiting for the first one for so long.
    pub(super) async fn take(&self, most: usize, wait: Duration) -> Vec<Delivery> {
        let mut found = Vec::new();
        let mut until = tokio::time::Instant::now() + wait;
        loop {
            let arrived = self.desk.arrived.notified();
            let due = self.desk.take(most, &mut found);
            if found.len() >= most {
                return found;
            }
            let now = tokio::time::Instant::now();
            if !found.is_empty() {
                until = until.min(now + LINGER);
            }
            if now >= until {
                return found;
            }
            let next = due.map_or(until, |due| until.min(now + due));
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    /// Says that these are done with, and commits how far that is true of all.
    pub(super) fn acknowledge(&self, receipts: &[Receipt], patience: Duration) -> Result<()> {
        let _one_at_a_time = self.committing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.desk.state();
        let mut places = BTreeSet::new();
        for receipt in receipts {
            let (place, offset) = parts(receipt)?;
            let is_open = state.partitions.get_mut(&place).map(|it| it.open.remove(&offset));
            let is_known = state.partitions.get(&place).is_some_and(|it| offset < it.next);
            if is_open != Some(true) && !is_known {
                let early = state.early.entry(place.clone()).or_default();
                early.insert(offset);
                if early.len() > ENOUGH {
                    early.pop_first();
                }
            }
            places.insert(place);
            state.ready.retain(|delivery| delivery.receipt != *receipt);
        }
        let mut offsets = TopicPartitionList::new();
        for place in &places {
            let Some(partition) = state.partitions.get(place) else { continue };
            let done = partition.done();
            if done > partition.committed {
                offsets
                    .add_partition_offset(&place.0, place.1, Offset::Offset(done))
                    .map_err(|error| explain("acknowledging", &error))?;
            }
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        state.committing += 1;
        drop(state);
        let committed = self.commit(&offsets, patience);
        let mut state = self.desk.state();
        state.committing -= 1;
        if matches!(committed, Ok(true)) {
            for element in offsets.elements() {
                let place = (element.topic().to_owned(), element.partition());
                if let (Some(partition), Offset::Offset(offset)) =
                    (state.partitions.get_mut(&place), element.offset())
                {
                    partition.committed = partition.committed.max(offset);
                }
            }
        }
        drop(state);
        self.desk.changed.notify_all();
        committed.map(|_| ())
    }

    /// Commits, and says whether the partitions were still ours.
    fn commit(&self, offsets: &TopicPartitionList, patience: Duration) -> Result<bool> {
        let since = Instant::now();
        loop {
            let error = match self.consumer.commit(offsets, CommitMode::Sync) {
                Ok(()) => return Ok(true),
                Err(error) => error,
            };
            // The partitions are somebody else's by now, who receives the messages again.
            if let Some(
                RDKafkaErrorCode::IllegalGeneration
                | RDKafkaErrorCode::UnknownMemberId
                | RDKafkaErrorCode::RebalanceInProgress
                | RDKafkaErrorCode::AssignmentLost,
            ) = error.rdkafka_error_code()
            {
                return Ok(false);
            }
            let error = explain("acknowledging", &error);
            if !error.is_passing() || since.elapsed() >= patience {
                return Err(error);
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what is due and there to `found`, and says when more is due.
    fn take(&self, most: usize, found: &mut Vec<Delivery>) -> Option<Duration> {
        let mut state = self.state();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        while let Some(first) = state.later.first_entry() {
            if first.key().0 > now {
                break;
            }
            let delivery = first.remove();
            state.ready.push_back(delivery);
        }
        while found.len() < most {
            match state.ready.pop_front() {
                Some(delivery) => found.push(delivery),
                None => break,
            }
        }
        state.later.keys().next().map(|(due, _)| due.saturating_sub(now))
    }

    /// Lays a message on the desk; or says how far its partition is done with, where this one is.
    fn put(&self, message: &BorrowedMessage<'_>) -> Option<(Place, i64)> {
        let mut guard = self.state();
        let state = &mut *guard;
        let place = (message.topic().to_owned(), message.partition());
        let pool = self.pools.get(message.topic())?;
        let offset = message.offset();
        let partition = state.partitions.entry(place.clone()).or_insert_with(|| Partition {
            open: BTreeSet::new(),
            next: offset,
            committed: offset,
        });
        partition.next = offset + 1;
        let done = partition.done();
        if let Some(early) = state.early.get_mut(&place) {
            *early = early.split_off(&offset);
            if early.remove(&offset) {
                return Some((place, done));
            }
        }
        let partition = state.partitions.get_mut(&place)?;
        partition.open.insert(offset);
        let beside = Beside::of(message);
        let body = Body::decode(beside.is_ticket, message.payload().unwrap_or_default().to_vec());
        let delivery = Delivery {
            priority: match &body {
                Body::Ticket(ticket) => message::bounded(ticket.priority),
                Body::Foreign(_) => USUAL,
            },
            body,
            receipt: Receipt(format!("{}/{}/{offset}", place.0, place.1)),
            deliveries: beside.deliveries.saturating_add(1),
            pool: pool.clone(),
            source: format!("offset {offset} of partition {} of topic {}", place.1, place.0),
            // A topic that is made anew begins again with its offsets.
            identity: format!(
                "{}/{}/{offset}/{}",
                place.0,
                place.1,
                message.timestamp().to_millis().unwrap_or(0)
            ),
        };
        state.arrivals += 1;
        let arrival = state.arrivals;
        match beside.due {
            Some(due) => {
                state.later.insert((due, arrival), delivery);
            }
            None => state.ready.push_back(delivery),
        }
        drop(guard);
        self.arrived.notify_waiters();
        None
    }

    fn is_full(&self) -> bool {
        self.state().ready.len() >= ENOUGH
    }

    /// Forgets partitions that go to somebody else, after what is held had its moment.
    fn revoke(&self, list: &TopicPartitionList) {
        let places: BTreeSet<Place> = list
            .elements()
            .iter()
            .map(|element| (element.topic().to_owned(), element.partition()))
            .collect();
        let mut guard = self.state();
        let state = &mut *guard;
        let goes = |delivery: &Delivery| {
            parts(&delivery.receipt).is_ok_and(|(place, _)| places.contains(&place))
        };
        let mut dropped = Vec::new();
        state.ready.retain(|delivery| {
            let goes = goes(delivery);
            dropped.extend(goes.then(|| delivery.receipt.clone()));
            !goes
        });
        state.later.retain(|_, delivery| {
            let goes = goes(delivery);
            dropped.extend(goes.then(|| delivery.receipt.clone()));
            !goes
        });
        let mut unasked: HashMap<Place, BTreeSet<i64>> = HashMap::new();
        for (place, offset) in dropped.iter().filter_map(|receipt| parts(receipt).ok()) {
            unasked.entry(place).or_default().insert(offset);
        }
        let until = Instant::now() + GRACE;
        loop {
            let held = places.iter().any(|place| {
                guard.partitions.get(place).is_some_and(|partition| {
                    let unasked = unasked.get(place);
                    partition.open.iter().any(|it| unasked.is_none_or(|set| !set.contains(it)))
                })
            });
            let left = until.saturating_duration_since(Instant::now());
            let is_over = left.is_zero() || self.stopped.load(Ordering::Relaxed);
            if is_over || (!held && guard.committing == 0) {
                break;
            }
            guard = match self.changed.wait_timeout(guard, left.min(POLL)) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let state = &mut *guard;
        for place in places {
            let Some(partition) = state.partitions.remove(&place) else { continue };
            // What is done with and was not committed, behind something that is held or since the
            // group had moved on already, may come back to us.
            let done =
                (partition.committed..partition.next).filter(|it| !partition.open.contains(it));
            let early = state.early.entry(place).or_default();
            early.extend(done);
            while early.len() > ENOUGH {
                early.pop_first();
            }
        }
    }
}

impl Partition {
    /// How far all are done with.
    fn done(&self) -> i64 {
        self.open.first().copied().unwrap_or(self.next)
    }
}

impl ClientContext for Watch {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Watch {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(list) => self.desk.revoke(list),
            Rebalance::Assign(_) | Rebalance::Error(_) => {}
        }
    }
}

/// What the thread does. When it ends, the consumer leaves its group.
fn poll(consumer: &BaseConsumer<Watch>, desk: &Desk) {
    let mut paused = false;
    while !desk.stopped.load(Ordering::Relaxed) {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                if let Some(((topic, partition), done)) = desk.put(&message) {
                    let mut offsets = TopicPartitionList::new();
                    // What is not committed now is committed with what follows.
                    let _ = offsets
                        .add_partition_offset(&topic, partition, Offset::Offset(done))
                        .and_then(|()| consumer.commit(&offsets, CommitMode::Async));
                }
            }
            // The client goes on by itself.
            Some(Err(_)) => std::thread::sleep(Duration::from_millis(10)),
            None => {}
        }
        let full = desk.is_full();
        if full != paused
            && let Ok(assignment) = consumer.assignment()
        {
            let changed =
                if full { consumer.pause(&assignment) } else { consumer.resume(&assignment) };
            if changed.is_ok() {
                paused = full;
            }
        }
    }
    consumer.unsubscribe();
    // What leaves the group is what a poll sees.
    let until = Instant::now() + GRACE;
    while consumer.assignment().is_ok_and(|list| list.count() > 0) && Instant::now() < until {
        let _ = consumer.poll(Duration::from_millis(10));
    }
}

/// The partition and the offset of a receipt.
fn parts(receipt: &Receipt) -> Result<(Place, i64)> {
    let mut parts = receipt.0.split('/');
    let mut read = || {
        let topic = parts.next()?.to_owned();
        let partition = parts.next()?.parse().ok()?;
        Some(((topic, partition), parts.next()?.parse().ok()?))
    };
    read().ok_or_else(|| Error::new(Kind::Invalid, "the receipt is of another transport"))
}
