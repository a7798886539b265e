//! Clients of Kafka: how they are set up, and what is asked of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

use super::record::{self, Record};
use crate::{Error, Kind, Result, Settings};

/// The largest message that we publish: what others could publish to a broker with generous
/// settings has to go to the dead letters too.
const MAX_MESSAGE: usize = 100 << 20;

/// What a client tells beside its answers.
#[derive(Default)]
pub(super) struct Told {
    refused: AtomicBool,
}

impl ClientContext for Told {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, _: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication) {
            self.refused.store(true, Ordering::Relaxed);
        }
    }
}

impl ConsumerContext for Told {}

/// The clients that do not belong to the group.
pub(super) struct Clients {
    timeout: Duration,
    topic: String,
    producer: FutureProducer<Told>,
    admin: AdminClient<Told>,
    /// Asks, and never subscribes.
    observer: BaseConsumer<Told>,
}

impl Clients {
    pub(super) fn new(settings: &Settings) -> Result<Clients> {
        let made = |error| explain("Kafka cannot be used with these settings", &error);
        let config = config(settings)?;
        let mut producer = config.clone();
        producer
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("message.max.bytes", MAX_MESSAGE.to_string())
            .set("message.timeout.ms", settings.timeout.as_millis().to_string());
        Ok(Clients {
            timeout: settings.timeout,
            topic: settings.queue.clone(),
            producer: producer.create_with_context(Told::default()).map_err(made)?,
            admin: config.create_with_context(Told::default()).map_err(made)?,
            observer: config.create_with_context(Told::default()).map_err(made)?,
        })
    }

    /// Publishes all of it, and waits until the broker has it.
    pub(super) async fn publish(&self, records: &[Record]) -> Result<()> {
        let mut sent = Vec::with_capacity(records.len());
        for record in records {
            let mut message = FutureRecord::to(&record.topic).headers(record.owned_headers());
            if let Some(key) = &record.key {
                message = message.key(key);
            }
            if let Some(body) = &record.body {
                message = message.payload(body);
            }
            let promised = self.producer.send_result(message);
            sent.push(promised.map_err(|(error, _)| explain("publishing", &error))?);
        }
        for outcome in join_all(sent).await {
            match outcome {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(explain("publishing", &error)),
                Err(_) => return Err(Error::new(Kind::Lost, "publishing was broken off")),
            }
        }
        Ok(())
    }

    /// Whether anybody is there.
    pub(super) fn probe(&self) -> Result<()> {
        match self.observer.fetch_metadata(Some(&self.topic), self.timeout) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.why(error)),
        }
    }

    fn why(&self, error: KafkaError) -> Error {
        // What a client tells it tells who polls it.
        for _ in 0..10 {
            if let Some(Err(error)) = self.observer.poll(Duration::from_millis(10))
                && error.rdkafka_error_code() == Some(RDKafkaErrorCode::Authentication)
            {
                self.observer.context().refused.store(true, Ordering::Relaxed);
            }
        }
        if self.observer.context().refused.swap(false, Ordering::Relaxed) {
            return Error::with(Kind::Refused, "Kafka refuses the login", error.to_string());
        }
        Error::with(
            Kind::Unreachable,
            format!("Kafka did not answer within {:?}", self.timeout),
            error.to_string(),
        )
    }

    /// Makes the topics of a pool where they are not there.
    pub(super) fn create_topics(&self, settings: &Settings, pool: &str) -> Result<()> {
        let (main, retry) = (settings.queue_of(pool), record::retry_topic(settings, pool));
        let dead = record::dead_topic(settings, pool);
        // As many partitions and copies as the broker thinks fit.
        let topic = |name| NewTopic::new(name, -1, TopicReplication::Fixed(-1));
        let topics = [topic(&main), topic(&retry), topic(&dead).set("cleanup.policy", "compact")];
        let options = AdminOptions::new()
            .request_timeout(Some(self.timeout))
            .operation_timeout(Some(self.timeout));
        let outcomes = tokio::runtime::Handle::current()
            .block_on(self.admin.create_topics(&topics, &options))
            .map_err(|error| self.why(error))?;
        for outcome in outcomes {
            match outcome {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    let kind = kind_of(code);
                    let what = format!("the topic {name} cannot be made");
                    return Err(Error::with(kind, what, code.to_string()));
                }
            }
        }
        Ok(())
    }

    /// How many messages of a topic the group has not done yet.
    pub(super) fn lag(&self, topic: &str) -> Result<u64> {
        let asked = |error| explain("counting", &error);
        let mut sum = 0;
        let wanted = partitions(&self.observer, topic, self.timeout).map_err(asked)?;
        let committed = self.observer.committed_offsets(wanted, self.timeout).map_err(asked)?;
        for element in committed.elements() {
            let (low, high) = self
                .observer
                .fetch_watermarks(topic, element.partition(), self.timeout)
                .map_err(asked)?;
            let done = match element.offset() {
                Offset::Offset(offset) => offset.max(low),
                _ => low,
            };
            sum += u64::try_from(high - done).unwrap_or(0);
        }
        Ok(sum)
    }
}

/// The partitions of a topic.
pub(super) fn partitions<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    timeout: Duration,
) -> Result<TopicPartitionList, KafkaError> {
    let metadata = consumer.fetch_metadata(Some(topic), timeout)?;
    let mut list = TopicPartitionList::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        list.add_partition(topic, partition.id());
    }
    Ok(list)
}

/// What every client has in common.
pub(super) fn config(settings: &Settings) -> Result<ClientConfig> {
    if settings.authority.is_some() {
        return Err(Error::new(Kind::Invalid, "this program was built without TLS for Kafka"));
    }
    let (mut servers, mut login) = (Vec::new(), None);
    for url in &settings.urls {
        // What follows may be a password.
        let strange = || {
            Error::new(
                Kind::Invalid,
                format!("{} is not an address like kafka://host:port", crate::mask::mask(url)),
            )
        };
        let rest = url.strip_prefix("kafka://").ok_or_else(strange)?;
        let (who, place) = match rest.rsplit_once('@') {
            Some((who, place)) => (Some(who), place),
            None => (None, rest),
        };
        let place = place.trim_end_matches('/');
        if place.is_empty() || place.contains(['/', '?', ',']) {
            return Err(strange());
        }
        servers.push(place.to_owned());
        if let (Some((user, password)), None) = (who.and_then(|who| who.split_once(':')), &login) {
            login = Some((plain(user), plain(password)));
        }
    }
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", servers.join(","))
        .set("client.id", &settings.consumer)
        .set("group.id", &settings.group)
        .set(
            "socket.connection.setup.timeout.ms",
            settings.timeout.as_millis().max(1000).to_string(),
        )
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "2000")
        .set_log_level(RDKafkaLogLevel::Emerg);
    let given = settings.username.clone().zip(settings.password.clone());
    if let Some((user, password)) = login.or(given) {
        config
            .set("security.protocol", "sasl_plaintext")
            .set("sasl.mechanisms", "PLAIN")
            .set("sasl.username", user)
            .set("sasl.password", password);
    }
    Ok(config)
}

/// A part of an address without its `%XX`.
fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| *first == b'%');
        let byte = code
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match byte {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn kind_of(code: RDKafkaErrorCode) -> Kind {
    use RDKafkaErrorCode as Code;
    match code {
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => Kind::Refused,
        Code::InvalidArgument | Code::InvalidTopic => Kind::Invalid,
        Code::MessageSizeTooLarge | Code::PolicyViolation | Code::UnsupportedFeature => {
            Kind::Protocol
        }
        // Most of what there is passes: brokers that move, partitions without a leader.
        _ => Kind::Lost,
    }
}

/// Says what has failed. What the client says shows no password.
pub(super) fn explain(what: &str, error: &KafkaError) -> Error {
    let kind = match error {
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => Kind::Invalid,
        error => error.rdkafka_error_code().map_or(Kind::Protocol, kind_of),
    };
    Error::with(kind, what, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn addresses_may_be_escaped() {
        for (text, expected) in [("a%40b", "a@b"), ("100%", "100%"), ("%zz", "%zz"), ("", "")] {
            assert_eq!(plain(text), expected);
        }
    }
}
