//! RabbitMQ.
//!
//! A direct exchange (`EXCHANGE`) routes to one queue a pool (`QUEUE`, `QUEUE.POOL`), a durable
//! classic queue with ten priorities: quorum queues have none before RabbitMQ 4. What it refuses, and
//! what we bury, goes through `EXCHANGE.dead` to `QUEUE.dead`. What is given back waits in
//! `QUEUE.later.MILLISECONDS`, from where it returns by itself when it has lain there for so long:
//! messages expire from the head of a queue alone, so there is a queue for each of a few times.
//!
//! The broker hands us only what a call asks for: `receive` begins to consume, and stops again, so
//! that a busy worker holds nothing that an idle one could do. Publishing waits until the broker
//! confirms. A classic queue does not count deliveries beyond one and more than one; what was given
//! back carries its count along.

mod connection;
mod layout;
mod properties;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::stream::{StreamExt as _, select_all};
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions,
    BasicPublishOptions, BasicQosOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation};

use crate::patience::Patience;
use crate::settings::check_name;
use crate::{Buried, Delivery, Error, Kind, Receipt, Result, Settings, Ticket, Transport};
use connection::{Connector, Session, explain};

/// How many messages are on the way to the broker at once.
const AT_ONCE: usize = 500;
/// How long we wait for more when there is something.
const LINGER: Duration = Duration::from_millis(3);

/// Messages in queues of RabbitMQ.
pub(crate) struct Amqp {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    connector: Connector,
    /// The channel consumes for one call at a time.
    receiving: tokio::sync::Mutex<()>,
}

/// A message to be published.
struct Message<'a> {
    exchange: &'a str,
    routing_key: String,
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Amqp {
    pub(crate) async fn open(settings: &Settings) -> Result<Amqp> {
        let shared = Shared {
            connector: Connector::new(settings)?,
            settings: settings.clone(),
            receiving: tokio::sync::Mutex::new(()),
        };
        let amqp = Amqp { shared: Arc::new(shared) };
        amqp.check().await?;
        Ok(amqp)
    }
}

impl Shared {
    /// Waits for an answer, and forgets the connection where it is at fault.
    async fn answer<T>(
        &self,
        session: &Session,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T> {
        let error = match tokio::time::timeout(self.settings.timeout, answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => explain(what, &error),
            Err(_) => Error::new(
                Kind::Unreachable,
                format!("{what}: RabbitMQ did not answer within {:?}", self.settings.timeout),
            ),
        };
        // Any error closes a channel at least.
        self.connector.forget(session).await;
        Err(error)
    }

    /// Publishes all of it, and waits until the broker has it.
    async fn publish_once(&self, session: &Session, messages: &[Message<'_>]) -> Result<()> {
        for part in messages.chunks(AT_ONCE) {
            let confirmed = async {
                let mut confirms = Vec::with_capacity(part.len());
                for message in part {
                    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
                    confirms.push(
                        session
                            .publisher
                            .basic_publish(
                                message.exchange.into(),
                                message.routing_key.as_str().into(),
                                options,
                                &message.body,
                                message.properties.clone(),
                            )
                            .await?,
                    );
                }
                let mut outcomes = Vec::with_capacity(confirms.len());
                for confirm in confirms {
                    outcomes.push(confirm.await?);
                }
                Ok(outcomes)
            };
            let outcomes = self.answer(session, "publishing", confirmed).await?;
            for (outcome, message) in outcomes.into_iter().zip(part) {
                match outcome {
                    Confirmation::Ack(None) => {}
                    Confirmation::Ack(Some(_)) => {
                        return Err(Error::new(
                            Kind::Protocol,
                            format!("nothing is bound for the routing key {}", message.routing_key),
                        ));
                    }
                    Confirmation::Nack(_) | Confirmation::NotRequested => {
                        return Err(Error::new(Kind::Lost, "RabbitMQ did not take a message"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Publishes, again where the connection fails, after the pools' queues are there.
    async fn publish(&self, pools: &BTreeSet<&str>, messages: &[Message<'_>]) -> Result<()> {
        let mut patience = Patience::new(self.settings.patience);
        loop {
            let published = async {
                let session = self.connector.session().await?;
                self.declare(&session, pools).await?;
                self.publish_once(&session, messages).await
            };
            match published.await {
                Ok(()) => return Ok(()),
                Err(error) => patience.after(error).await?,
            }
        }
    }

    async fn declare(&self, session: &Session, pools: &BTreeSet<&str>) -> Result<()> {
        for pool in pools {
            if session.knows(pool) {
                continue;
            }
            check_name("pool", pool)?;
            let declared = layout::declare(&session.publisher, &self.settings, pool);
            self.answer(session, "declaring queues", declared).await?;
            session.learn(pool);
        }
        Ok(())
    }

    /// Consumes until there are so many, or until nothing has come for so long, or nobody asks any
    /// more.
    async fn consume(
        &self,
        session: &Session,
        most: u16,
        wait: Duration,
        gone: impl Future<Output = ()>,
    ) -> Result<Vec<(String, lapin::message::Delivery)>> {
        let channel = &session.consumer;
        let qos = channel.basic_qos(most, BasicQosOptions::default());
        self.answer(session, "asking for messages", qos).await?;
        let mut consumers = Vec::new();
        for pool in &self.settings.pools {
            let queue = self.settings.queue_of(pool);
            let consumed = channel.basic_consume(
                queue.as_str().into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            let consumer = self.answer(session, "asking for messages", consumed).await?;
            consumers.push((pool.clone(), consumer));
        }
        let tags: Vec<_> = consumers.iter().map(|(_, consumer)| consumer.tag()).collect();
        let mut stream = select_all(consumers.into_iter().map(|(pool, consumer)| {
            consumer.map(move |delivery| delivery.map(|delivery| (pool.clone(), delivery)))
        }));
        let mut found = Vec::new();
        let mut failure = None;
        tokio::pin!(gone);
        let until = tokio::time::Instant::now() + wait;
        while found.len() < usize::from(most) {
            let until = match found.is_empty() {
                true => until,
                false => tokio::time::Instant::now() + LINGER,
            };
            tokio::select! {
                next = stream.next() => match next {
                    Some(Ok(delivery)) => found.push(delivery),
                    Some(Err(error)) => { failure = Some(error); break }
                    None => break,
                },
                () = tokio::time::sleep_until(until) => break,
                () = &mut gone => break,
            }
        }
        if failure.is_none() {
            for tag in tags {
                let cancelled = channel.basic_cancel(tag, BasicCancelOptions::default());
                self.answer(session, "asking for no more messages", cancelled).await?;
            }
            // What was on its way when we asked for no more.
            let rest = async {
                let mut rest = Vec::new();
                while let Some(delivery) = stream.next().await {
                    rest.push(delivery?);
                }
                Ok(rest)
            };
            found.extend(self.answer(session, "receiving", rest).await?);
        }
        match failure {
            Some(error) => {
                self.connector.forget(session).await;
                Err(explain("receiving", &error))
            }
            None => {
                session.hold(found.iter().map(|(_, delivery)| delivery.delivery_tag));
                Ok(found)
            }
        }
    }

    /// One attempt to receive.
    async fn receive(
        &self,
        most: u16,
        wait: Duration,
        gone: impl Future<Output = ()>,
    ) -> Result<Vec<Delivery>> {
        let _one_at_a_time = self.receiving.lock().await;
        let session = self.connector.session().await?;
        self.declare(&session, &self.settings.pools.iter().map(String::as_str).collect()).await?;
        let mut found = self.consume(&session, most, wait, gone).await?;
        // Several pools may each have handed us so many.
        let surplus = found.split_off(found.len().min(usize::from(most)));
        self.release(&session, surplus.iter().map(|(_, delivery)| delivery.delivery_tag)).await?;
        let mut deliveries = Vec::with_capacity(found.len());
        for (pool, found) in found {
            let size = found.data.len();
            let delivery = properties::delivery(&session, &pool, &self.settings, found);
            if size > self.settings.max_body {
                let problem = format!("{size} bytes are more than {}", self.settings.max_body);
                self.bury(delivery, &problem).await?;
            } else {
                deliveries.push(delivery);
            }
        }
        Ok(deliveries)
    }

    /// Lets go of messages, so that others get them.
    async fn release(&self, session: &Session, tags: impl Iterator<Item = u64>) -> Result<()> {
        for tag in tags {
            let options = BasicNackOptions { requeue: true, multiple: false };
            let released = session.consumer.basic_nack(tag, options);
            self.answer(session, "letting go", released).await?;
            // Only now: as long as we hold it, nothing acknowledges it together with others.
            session.let_go(tag);
        }
        Ok(())
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Result<()> {
        // A receipt of a connection that is gone is worth nothing: the message has gone back already.
        let Some(session) = self.connector.current().await else { return Ok(()) };
        let mut tags = BTreeSet::new();
        for receipt in receipts {
            let (epoch, tag) = parts(receipt)?;
            if epoch == session.epoch {
                tags.insert(tag);
            }
        }
        let acknowledged = async {
            for (tag, multiple) in session.acknowledgements(&tags) {
                session.consumer.basic_ack(tag, BasicAckOptions { multiple }).await?;
            }
            Ok(())
        };
        self.answer(&session, "acknowledging", acknowledged).await
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()> {
        let message = Message {
            exchange: &layout::dead_exchange(&self.settings),
            routing_key: self.settings.queue_of(&delivery.pool),
            body: delivery.body.encode(),
            properties: properties::dead(&delivery, reason, &self.settings),
        };
        self.publish(&BTreeSet::from([delivery.pool.as_str()]), &[message]).await?;
        self.acknowledge(std::slice::from_ref(&delivery.receipt)).await
    }

    async fn give_back(&self, delivery: Delivery, after: Duration) -> Result<()> {
        let mut patience = Patience::new(self.settings.patience);
        loop {
            let routing_key = async {
                let session = self.connector.session().await?;
                let declared = layout::declare_later(
                    &session.publisher,
                    &self.settings,
                    &delivery.pool,
                    after,
                );
                self.answer(&session, "declaring queues", declared).await
            };
            match routing_key.await {
                Ok(routing_key) => {
                    let message = Message {
                        // That which routes to every queue by its name.
                        exchange: "",
                        routing_key,
                        body: delivery.body.encode(),
                        properties: properties::again(&delivery, &self.settings),
                    };
                    self.publish(&BTreeSet::from([delivery.pool.as_str()]), &[message]).await?;
                    return self.acknowledge(std::slice::from_ref(&delivery.receipt)).await;
                }
                Err(error) => patience.after(error).await?,
            }
        }
    }

    /// A channel whose messages go back when it is closed.
    async fn aside(&self, session: &Session) -> Result<Channel> {
        self.answer(session, "opening a channel", session.connection.create_channel()).await
    }

    /// Looks through the dead letters of a pool until `found` has what it wants.
    async fn dead_letters(
        &self,
        session: &Session,
        channel: &Channel,
        pool: &str,
        mut found: impl FnMut(Buried, &lapin::message::Delivery) -> bool,
    ) -> Result<()> {
        let queue = layout::dead_queue(&self.settings, pool);
        loop {
            let got = channel.basic_get(queue.as_str().into(), BasicGetOptions::default());
            let Some(got) = self.answer(session, "looking at dead letters", got).await? else {
                return Ok(());
            };
            let letter = properties::letter(pool, &got.delivery, self.settings.max_body);
            if found(letter, &got.delivery) {
                return Ok(());
            }
        }
    }

    async fn close(&self, session: &Session, channel: &Channel) -> Result<()> {
        self.answer(session, "closing a channel", channel.close(200, "".into())).await
    }
}

#[async_trait]
impl Transport for Amqp {
    fn name(&self) -> &'static str {
        "amqp"
    }

    async fn publish(&self, tickets: &[Ticket]) -> Result<()> {
        let settings = &self.shared.settings;
        let messages: Vec<_> = tickets
            .iter()
            .map(|ticket| Message {
                exchange: &settings.exchange,
                routing_key: settings.routing_key_of(&ticket.pool),
                body: ticket.encode(),
                properties: properties::ticket(ticket, settings),
            })
            .collect();
        let pools = tickets.iter().map(|ticket| ticket.pool.as_str()).collect();
        self.shared.publish(&pools, &messages).await
    }

    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>> {
        let most = u16::try_from(most).unwrap_or(u16::MAX).min(self.shared.settings.prefetch);
        if most == 0 {
            return Ok(Vec::new());
        }
        let until = Instant::now() + wait;
        let mut patience = Patience::new(self.shared.settings.patience);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // Whoever stops waiting for us half-way must not leave messages behind that nobody sees:
            // what consumes goes on by itself, and gives back what nobody takes.
            let (mut answer, receiver) = tokio::sync::oneshot::channel();
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move {
                let outcome = shared.receive(most, left, answer.closed()).await;
                if let Err(Ok(deliveries)) = answer.send(outcome)
                    && let Some(session) = shared.connector.current().await
                {
                    let ours = deliveries.iter().filter_map(|it| parts(&it.receipt).ok());
                    let tags = ours.filter(|(epoch, _)| *epoch == session.epoch);
                    let _ = shared.release(&session, tags.map(|(_, tag)| tag)).await;
                }
            });
            match receiver.await {
                Ok(Ok(deliveries)) => return Ok(deliveries),
                Ok(Err(error)) => patience.after(error).await?,
                Err(_) => return Err(Error::new(Kind::Lost, "receiving was broken off")),
            }
        }
    }

    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<()> {
        self.shared.acknowledge(&receipts).await
    }

    async fn give_back(&self, deliveries: Vec<Delivery>, after: Duration) -> Result<()> {
        for delivery in deliveries {
            self.shared.give_back(delivery, after).await?;
        }
        Ok(())
    }

    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()> {
        self.shared.bury(delivery, reason).await
    }

    async fn buried(&self, most: usize) -> Result<Vec<Buried>> {
        let shared = &self.shared;
        let session = shared.connector.session().await?;
        shared
            .declare(&session, &shared.settings.pools.iter().map(String::as_str).collect())
            .await?;
        let channel = shared.aside(&session).await?;
        let mut letters = Vec::new();
        for pool in &shared.settings.pools {
            if letters.len() >= most {
                break;
            }
            let collect = |letter, _: &_| {
                letters.push(letter);
                letters.len() >= most
            };
            shared.dead_letters(&session, &channel, pool, collect).await?;
        }
        shared.close(&session, &channel).await?;
        Ok(letters)
    }

    async fn replay(&self, id: &str) -> Result<()> {
        let shared = &self.shared;
        let unknown = || Error::new(Kind::Invalid, format!("there is no dead letter {id}"));
        let (pool, _) = id.split_once('/').ok_or_else(unknown)?;
        check_name("pool", pool)?;
        let session = shared.connector.session().await?;
        shared.declare(&session, &BTreeSet::from([pool])).await?;
        let channel = shared.aside(&session).await?;
        let mut wanted = None;
        let search = |letter: Buried, delivery: &lapin::message::Delivery| {
            if letter.id == id {
                let properties = properties::anew(&delivery.properties, &shared.settings);
                wanted = Some((delivery.delivery_tag, delivery.data.clone(), properties));
            }
            wanted.is_some()
        };
        shared.dead_letters(&session, &channel, pool, search).await?;
        let replayed = match wanted {
            Some((tag, body, properties)) => {
                let routing_key = shared.settings.queue_of(pool);
                let message = Message { exchange: "", routing_key, body, properties };
                shared.publish_once(&session, &[message]).await?;
                let taken = channel.basic_ack(tag, BasicAckOptions::default());
                shared.answer(&session, "replaying", taken).await
            }
            None => Err(unknown()),
        };
        shared.close(&session, &channel).await?;
        replayed
    }

    async fn depth(&self) -> Result<Option<u64>> {
        let shared = &self.shared;
        let session = shared.connector.session().await?;
        let mut sum = 0;
        for pool in &shared.settings.pools {
            shared.declare(&session, &BTreeSet::from([pool.as_str()])).await?;
            let counted = layout::count(&session.publisher, &shared.settings, pool);
            sum += u64::from(shared.answer(&session, "counting", counted).await?);
        }
        Ok(Some(sum))
    }

    async fn check(&self) -> Result<()> {
        let shared = &self.shared;
        let session = shared.connector.session().await?;
        // That of every pool, whether or not we have seen it before.
        for pool in &shared.settings.pools {
            let declared = layout::declare(&session.publisher, &shared.settings, pool);
            shared.answer(&session, "declaring queues", declared).await?;
            session.learn(pool);
        }
        Ok(())
    }
}

/// The connection and the number of a delivery.
fn parts(receipt: &Receipt) -> Result<(u64, u64)> {
    receipt
        .0
        .split_once('/')
        .and_then(|(epoch, tag)| Some((epoch.parse().ok()?, tag.parse().ok()?)))
        .ok_or_else(|| Error::new(Kind::Invalid, "the receipt is of another transport"))
}
