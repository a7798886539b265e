//! Redis Streams.
//!
//! Streams have no priorities, so each pool has three, which are drained in this order: `NAME:high`
//! (priorities 8 to 10), `NAME` (4 to 7, and whatever others publish) and `NAME:low` (1 to 3); within
//! one of them what came first goes first. Beside them lie `NAME:later`, a sorted set of what was
//! given back, by the time at which it is due, and `NAME:dead`, a stream of dead letters.
//!
//! An entry is deleted when it is acknowledged, so that the length of a stream is what is yet to be
//! done; with `max_length` that many are kept instead, and nothing is ever trimmed that some consumer
//! group has not acknowledged. What moves a message from one key to another is a script, and so
//! happens wholly or not at all. All keys of a pool have to be on one server: a cluster is not
//! supported, several addresses are those of a primary and its replicas.

mod connection;
mod entry;
mod layout;
mod scripts;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::{Cmd, FromRedisValue, Pipeline, Value};

use crate::patience::Patience;
use crate::{Buried, Delivery, Error, Kind, Receipt, Result, Settings, Ticket, Transport, message};
use connection::{Connections, code, said};
use layout::{Band, Layout};

/// How long one wait lasts before we look what has become due.
const SLICE: Duration = Duration::from_secs(1);
/// How many entries one acknowledgement names.
const AT_ONCE: usize = 1000;

/// Messages in streams of Redis.
pub(crate) struct Redis {
    settings: Settings,
    layout: Layout,
    connections: Connections,
    /// When we last looked for messages of dead consumers.
    claimed: Mutex<Option<Instant>>,
}

impl Redis {
    pub(crate) async fn open(settings: &Settings) -> Result<Redis> {
        let redis = Redis {
            layout: Layout::new(settings),
            connections: Connections::new(settings)?,
            settings: settings.clone(),
            claimed: Mutex::new(None),
        };
        redis.set_up().await?;
        Ok(redis)
    }

    /// Makes the consumer groups where they are not there. They begin at the first entry, so that what
    /// was published before anybody listened is received too.
    async fn set_up(&self) -> Result<()> {
        let mut connection = self.connections.commands().await?;
        for (key, _, _) in self.layout.streams() {
            let made: Result<(), _> = redis::cmd("XGROUP")
                .arg("CREATE")
                .arg(key)
                .arg(&self.settings.group)
                .arg("0")
                .arg("MKSTREAM")
                .query_async(&mut connection)
                .await;
            if let Err(error) = made
                && error.code() != Some("BUSYGROUP")
            {
                return Err(self
                    .connections
                    .failed("a consumer group cannot be made", error)
                    .await);
            }
        }
        Ok(())
    }

    /// Runs one command.
    async fn ask<T: FromRedisValue>(&self, what: &str, command: Cmd) -> Result<T> {
        let mut pipe = redis::pipe();
        pipe.add_command(command);
        let (answer,) = self.ask_all(what, &pipe).await?;
        Ok(answer)
    }

    /// Runs what is one round trip, again where the connection fails.
    async fn ask_all<T: FromRedisValue>(&self, what: &str, pipe: &Pipeline) -> Result<T> {
        let mut patience = Patience::new(self.settings.patience);
        loop {
            let error = match self.connections.commands().await {
                Ok(mut connection) => match pipe.query_async(&mut connection).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) if code(&error).as_deref() == Some("NOGROUP") => {
                        // Somebody has emptied the database. What comes from now on is ours again.
                        self.set_up().await?;
                        Error::with(Kind::Lost, format!("{what}: no consumer group"), said(&error))
                    }
                    Err(error) => self.connections.failed(what, error).await,
                },
                Err(error) => error,
            };
            patience.after(error).await?;
        }
    }

    /// What there is now, without waiting, and in how many milliseconds more is due.
    async fn take(&self, most: usize) -> Result<(Vec<Delivery>, Option<Duration>)> {
        let claim = self.is_time_to_claim();
        let mut keys = Vec::new();
        for pool in &self.settings.pools {
            keys.extend(Band::ALL.iter().map(|band| self.layout.stream(pool, *band)));
            keys.extend([self.layout.later(pool), self.layout.dead(pool)]);
        }
        let mut command = scripts::RECEIVE.on(&keys);
        command
            .arg(&self.settings.group)
            .arg(&self.settings.consumer)
            .arg(most)
            .arg(self.settings.max_body)
            .arg(if claim { self.settings.claim_after.as_millis() as u64 } else { 0 });
        type Entry = (usize, String, Vec<(String, Vec<u8>)>, u32);
        let answer: (Vec<Entry>, i64) = self.ask("receiving", command).await?;
        let streams = self.layout.streams();
        let mut deliveries = Vec::with_capacity(answer.0.len());
        for (index, id, fields, count) in answer.0 {
            let (key, pool, band) = streams.get(index).ok_or_else(|| {
                Error::new(Kind::Protocol, format!("there is no stream of the number {index}"))
            })?;
            deliveries.extend(self.deliver(key, pool, *band, id, fields, count).await?);
        }
        Ok((deliveries, u64::try_from(answer.1).ok().map(Duration::from_millis)))
    }

    /// Waits until something is published. What the server then hands us is ours already.
    async fn wait(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let streams = self.layout.streams();
        let mut command = redis::cmd("XREADGROUP");
        command
            .arg("GROUP")
            .arg(&self.settings.group)
            .arg(&self.settings.consumer)
            .arg("COUNT")
            .arg(1)
            .arg("BLOCK")
            .arg(wait.as_millis().max(1) as u64)
            .arg("STREAMS")
            .arg(streams.iter().map(|(key, _, _)| key).collect::<Vec<_>>())
            .arg(vec![">"; streams.len()]);
        type Entries = Vec<(String, Vec<(String, Value)>)>;
        let answer = self.connections.wait(&command, wait).await?;
        let answer: Option<Entries> = redis::from_redis_value(answer)
            .map_err(|error| Error::with(Kind::Protocol, "an answer makes no sense", error))?;
        let mut deliveries = Vec::new();
        for (key, entries) in answer.unwrap_or_default() {
            let Some((key, pool, band)) = streams.iter().find(|(known, _, _)| *known == key) else {
                continue;
            };
            for (id, fields) in entries {
                let fields = redis::from_redis_value(fields).unwrap_or_default();
                deliveries.extend(self.deliver(key, pool, *band, id, fields, 1).await?);
            }
        }
        // Several streams can have got something at the same moment.
        if deliveries.len() > most {
            let surplus = deliveries.split_off(most);
            self.give_back(surplus, Duration::ZERO).await?;
        }
        Ok(deliveries)
    }

    /// Makes a delivery of an entry, or buries it.
    async fn deliver(
        &self,
        key: &str,
        pool: &str,
        band: Band,
        id: String,
        fields: Vec<(String, Vec<u8>)>,
        count: u32,
    ) -> Result<Option<Delivery>> {
        let receipt = Receipt(format!("{key}/{id}"));
        let identity = receipt.0.clone();
        let source = format!("entry {id} of stream {key}");
        let entry = entry::read(fields);
        let deliveries = entry.deliveries.saturating_add(count);
        let priority = match &entry.body {
            message::Body::Ticket(ticket) => message::bounded(ticket.priority),
            message::Body::Foreign(_) => band.priority(),
        };
        let size = entry.size;
        let delivery = Delivery {
            body: entry.body,
            receipt,
            deliveries,
            pool: pool.to_owned(),
            priority,
            source,
            identity,
        };
        let problem = match entry.problem {
            None if size > self.settings.max_body => {
                Some(format!("{size} bytes are more than {}", self.settings.max_body))
            }
            problem => problem,
        };
        match problem {
            Some(problem) => {
                self.bury(delivery, &problem).await?;
                Ok(None)
            }
            None => Ok(Some(delivery)),
        }
    }

    fn is_time_to_claim(&self) -> bool {
        let Ok(mut claimed) = self.claimed.lock() else { return true };
        let due = claimed.is_none_or(|last| last.elapsed() >= self.settings.claim_after / 4);
        if due {
            *claimed = Some(Instant::now());
        }
        due
    }
}

#[async_trait]
impl Transport for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn publish(&self, tickets: &[Ticket]) -> Result<()> {
        for part in tickets.chunks(AT_ONCE) {
            for ticket in part {
                crate::settings::check_name("pool", &ticket.pool)?;
            }
            let mut pipe = redis::pipe();
            for ticket in part {
                let key = self.layout.stream(&ticket.pool, Band::of(ticket.priority));
                pipe.cmd("XADD").arg(key).arg("*").arg(entry::TICKET).arg(ticket.encode()).ignore();
            }
            self.ask_all::<()>("publishing", &pipe).await?;
        }
        Ok(())
    }

    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let most = most.min(usize::from(self.settings.prefetch));
        let until = Instant::now() + wait;
        if most == 0 {
            return Ok(Vec::new());
        }
        loop {
            let (deliveries, due) = self.take(most).await?;
            let left = until.saturating_duration_since(Instant::now());
            if !deliveries.is_empty() || left.is_zero() {
                return Ok(deliveries);
            }
            let slice = left.min(SLICE).min(due.unwrap_or(SLICE).max(Duration::from_millis(1)));
            let deliveries = self.wait(most, slice).await?;
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
        }
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<()> {
        let mut by_stream: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for receipt in &receipts {
            let (key, id) = parts(receipt)?;
            by_stream.entry(key).or_default().push(id);
        }
        for (key, ids) in by_stream {
            for ids in ids.chunks(AT_ONCE) {
                let mut pipe = redis::pipe();
                pipe.atomic();
                pipe.cmd("XACK").arg(key).arg(&self.settings.group).arg(ids).ignore();
                if self.settings.max_length.is_none() {
                    pipe.cmd("XDEL").arg(key).arg(ids).ignore();
                }
                self.ask_all::<()>("acknowledging", &pipe).await?;
            }
            if let Some(length) = self.settings.max_length {
                let mut command = scripts::TRIM.on(&[key]);
                command.arg(length);
                self.ask::<()>("trimming", command).await?;
            }
        }
        Ok(())
    }

    async fn give_back(&self, deliveries: Vec<Delivery>, after: Duration) -> Result<()> {
        for delivery in deliveries {
            let (key, id) = parts(&delivery.receipt)?;
            let later = self.layout.later(&delivery.pool);
            let mut command = scripts::GIVE_BACK.on(&[key, &later]);
            command
                .arg(&self.settings.group)
                .arg(id)
                .arg(after.as_millis() as u64)
                .arg(entry::field(&delivery.body))
                .arg(delivery.deliveries)
                .arg(delivery.body.encode());
            self.ask::<()>("giving back", command).await?;
        }
        Ok(())
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()> {
        let (key, id) = parts(&delivery.receipt)?;
        let dead = self.layout.dead(&delivery.pool);
        let mut command = scripts::BURY.on(&[key, &dead]);
        command.arg(&self.settings.group).arg(id).arg(reason).arg(delivery.deliveries);
        self.ask("burying", command).await
    }

    async fn buried(&self, most: usize) -> Result<Vec<Buried>> {
        type Letter = (String, Vec<u8>, u64, String, u32);
        let mut found = Vec::new();
        for pool in &self.settings.pools {
            let mut command = scripts::BURIED.on(&[self.layout.dead(pool)]);
            command.arg(most - found.len()).arg(self.settings.max_body);
            let letters: Vec<Letter> = self.ask("listing dead letters", command).await?;
            found.extend(letters.into_iter().map(|(id, body, size, reason, deliveries)| Buried {
                id: format!("{pool}/{id}"),
                pool: pool.clone(),
                body,
                size,
                reason,
                deliveries,
            }));
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    async fn replay(&self, id: &str) -> Result<()> {
        let unknown = || Error::new(Kind::Invalid, format!("there is no dead letter {id}"));
        let (pool, entry) = id.split_once('/').ok_or_else(unknown)?;
        crate::settings::check_name("pool", pool)?;
        let mut command = scripts::REPLAY.on(&[self.layout.dead(pool)]);
        command.arg(entry);
        let done: bool = self.ask("replaying", command).await?;
        if done { Ok(()) } else { Err(unknown()) }
    }

    async fn depth(&self) -> Result<Option<u64>> {
        let keys: Vec<_> = self.layout.streams().into_iter().map(|(key, _, _)| key).collect();
        let mut command = scripts::DEPTH.on(&keys);
        command.arg(&self.settings.group);
        let depth = self.ask("counting", command).await?;
        Ok(Some(depth))
    }

    async fn check(&self) -> Result<()> {
        self.set_up().await
    }
}

/// The stream and the entry of a receipt.
fn parts(receipt: &Receipt) -> Result<(&str, &str)> {
    receipt
        .0
        .rsplit_once('/')
        .ok_or_else(|| Error::new(Kind::Invalid, "the receipt is of another transport"))
}
