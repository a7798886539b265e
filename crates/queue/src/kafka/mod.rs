//! Kafka.
//!
//! A pool has a topic `NAME`, to which tickets go with their key, `NAME.retry` for what was given
//! back, and `NAME.dead`, which is compacted: a dead letter that was replayed is a key without a
//! value. Nothing in Kafka has a priority, and nothing counts deliveries but what we write into a
//! message that we publish again.
//!
//! A thread of its own polls, as long as we live, so that a worker that is busy for long does not
//! hold up its group; what it gets lies on the [`Desk`](desk::Desk) until it is asked for. An offset
//! is committed when all before it are done with. When a partition goes to another consumer, what
//! nobody has asked for yet is dropped, and for what is held there is a moment to be acknowledged.

mod client;
mod desk;
mod letters;
mod record;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::patience::Patience;
use crate::settings::check_name;
use crate::{Body, Buried, Delivery, Error, Kind, Receipt, Result, Settings, Ticket, Transport};
use client::Clients;
use desk::Listener;
use record::Record;

/// How many messages are on the way to the broker at once.
const AT_ONCE: usize = 1000;
/// How long nothing may have come before we ask whether anybody is there.
const PROBE: Duration = Duration::from_secs(5);

/// Messages in topics of Kafka.
pub(crate) struct Kafka {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    clients: Clients,
    listener: Mutex<Option<Arc<Listener>>>,
    /// When the broker last answered.
    probed: Mutex<Option<Instant>>,
    /// The pools whose topics are there.
    known: Mutex<BTreeSet<String>>,
}

impl Kafka {
    pub(crate) async fn open(settings: &Settings) -> Result<Kafka> {
        let shared = Shared {
            clients: Clients::new(settings)?,
            settings: settings.clone(),
            listener: Mutex::default(),
            probed: Mutex::default(),
            known: Mutex::default(),
        };
        let kafka = Kafka { shared: Arc::new(shared) };
        kafka.check().await?;
        Ok(kafka)
    }

    /// The client waits for answers in the thread that asks.
    async fn away<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Shared) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || run(&shared))
            .await
            .unwrap_or_else(|error| Err(Error::with(Kind::Lost, "a thread has ended", error)))
    }

    /// The same, again where the connection fails, or a new topic is not quite there yet.
    async fn away_patiently<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Shared) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let mut patience = Patience::new(self.shared.settings.patience);
        loop {
            match self.away(run.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    /// Publishes all of it, again where the connection fails, and waits until the broker has it.
    async fn publish_all(&self, pools: BTreeSet<String>, records: &[Record]) -> Result<()> {
        let mut patience = Patience::new(self.shared.settings.patience);
        loop {
            let pools = pools.clone();
            let published = async {
                self.away(move |shared| shared.learn(&pools)).await?;
                for part in records.chunks(AT_ONCE) {
                    self.shared.clients.publish(part).await?;
                }
                Ok(())
            };
            match published.await {
                Ok(()) => return Ok(()),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn listener(&self) -> Result<Arc<Listener>> {
        self.away(|shared| {
            shared.learn(&shared.settings.pools.iter().cloned().collect())?;
            let mut listener = shared.listener.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(listener) = &*listener {
                return Ok(Arc::clone(listener));
            }
            let new = Arc::new(Listener::new(&shared.settings)?);
            *listener = Some(Arc::clone(&new));
            Ok(new)
        })
        .await
    }
}

impl Shared {
    /// Makes the topics of these pools where they are not there.
    fn learn(&self, pools: &BTreeSet<String>) -> Result<()> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for pool in pools {
            if !known.contains(pool) {
                check_name("pool", pool)?;
                self.clients.create_topics(&self.settings, pool)?;
                known.insert(pool.clone());
            }
        }
        Ok(())
    }

    /// Asks whether anybody is there, unless that is known.
    fn probe(&self) -> Result<()> {
        let mut probed = self.probed.lock().unwrap_or_else(PoisonError::into_inner);
        if probed.is_none_or(|last| last.elapsed() >= PROBE) {
            *probed = None;
            self.clients.probe()?;
            *probed = Some(Instant::now());
        }
        Ok(())
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener {
            listener.stop();
        }
    }
}

#[async_trait]
impl Transport for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    async fn publish(&self, tickets: &[Ticket]) -> Result<()> {
        let records: Vec<_> =
            tickets.iter().map(|ticket| Record::of_ticket(ticket, &self.shared.settings)).collect();
        let pools = tickets.iter().map(|ticket| ticket.pool.clone()).collect();
        self.publish_all(pools, &records).await
    }

    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let most = most.min(usize::from(self.shared.settings.prefetch));
        if most == 0 {
            return Ok(Vec::new());
        }
        let listener = self.listener().await?;
        let until = Instant::now() + wait;
        loop {
            let found = listener.take(most, until.saturating_duration_since(Instant::now())).await;
            if found.is_empty() {
                // The client never says that nobody is there.
                self.away(Shared::probe).await?;
                return Ok(found);
            }
            let mut deliveries = Vec::with_capacity(found.len());
            for delivery in found {
                let size = match &delivery.body {
                    Body::Foreign(bytes) => bytes.len(),
                    Body::Ticket(_) => 0,
                };
                if size > self.shared.settings.max_body {
                    let limit = self.shared.settings.max_body;
                    self.bury(delivery, &format!("{size} bytes are more than {limit}")).await?;
                } else {
                    deliveries.push(delivery);
                }
            }
            if !deliveries.is_empty() {
                return Ok(deliveries);
            }
        }
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<()> {
        let listener = self.listener().await?;
        self.away(move |shared| listener.acknowledge(&receipts, shared.settings.patience)).await
    }

    async fn give_back(&self, deliveries: Vec<Delivery>, after: Duration) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let due = now + after;
        let records: Vec<_> = deliveries
            .iter()
            .map(|delivery| Record::again(delivery, due, &self.shared.settings))
            .collect();
        let pools = deliveries.iter().map(|delivery| delivery.pool.clone()).collect();
        self.publish_all(pools, &records).await?;
        self.acknowledge(deliveries.into_iter().map(|delivery| delivery.receipt).collect()).await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()> {
        let record = Record::dead(&delivery, reason, &self.shared.settings);
        self.publish_all(BTreeSet::from([delivery.pool.clone()]), &[record]).await?;
        self.acknowledge(vec![delivery.receipt]).await
    }

    async fn buried(&self, most: usize) -> Result<Vec<Buried>> {
        self.away_patiently(move |shared| {
            shared.learn(&shared.settings.pools.iter().cloned().collect())?;
            let mut found = Vec::new();
            for pool in &shared.settings.pools {
                let letters = letters::read(&shared.settings, pool)?;
                found.extend(letters.into_iter().map(|letter| letter.shown));
            }
            found.truncate(most);
            Ok(found)
        })
        .await
    }

    async fn replay(&self, id: &str) -> Result<()> {
        let unknown = || Error::new(Kind::Invalid, format!("there is no dead letter {id}"));
        let (pool, _) = id.split_once('/').ok_or_else(unknown)?;
        check_name("pool", pool)?;
        let (wanted, of) = (id.to_owned(), pool.to_owned());
        let letter = self
            .away_patiently(move |shared| {
                shared.learn(&BTreeSet::from([of.clone()]))?;
                let letters = letters::read(&shared.settings, &of)?;
                Ok(letters.into_iter().find(|letter| letter.shown.id == wanted))
            })
            .await?
            .ok_or_else(unknown)?;
        let pools = BTreeSet::from([pool.to_owned()]);
        let (again, gone) = letter.replayed(&self.shared.settings);
        self.publish_all(pools.clone(), &[again]).await?;
        self.publish_all(pools, &[gone]).await
    }

    async fn depth(&self) -> Result<Option<u64>> {
        self.away_patiently(|shared| {
            shared.learn(&shared.settings.pools.iter().cloned().collect())?;
            let mut sum = 0;
            for pool in &shared.settings.pools {
                sum += shared.clients.lag(&shared.settings.queue_of(pool))?;
                sum += shared.clients.lag(&record::retry_topic(&shared.settings, pool))?;
            }
            Ok(Some(sum))
        })
        .await
    }

    async fn check(&self) -> Result<()> {
        self.away(|shared| {
            shared.clients.probe()?;
            shared.settings.pools.iter().try_for_each(|pool| {
                check_name("pool", pool)?;
                shared.clients.create_topics(&shared.settings, pool)
            })
        })
        .await
    }
}
