//! Dead letters: what stands in a compacted topic, read from its beginning to its end.

use std::collections::HashMap;
use std::time::Instant;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::client::{Told, config, explain, partitions};
use super::record::{Beside, Record, dead_topic, ticket_header};
use crate::{Buried, Error, Kind, Result, Settings};

/// A dead letter.
pub(super) struct Letter {
    pub(super) shown: Buried,
    key: String,
    body: Vec<u8>,
    is_ticket: bool,
}

impl Letter {
    /// The message that it becomes again, and that which says that it is gone.
    pub(super) fn replayed(self, settings: &Settings) -> (Record, Record) {
        let pool = &self.shown.pool;
        let again = Record {
            topic: settings.queue_of(pool),
            key: Some(self.key.clone()),
            body: Some(self.body),
            headers: ticket_header(self.is_ticket).into_iter().collect(),
        };
        let topic = dead_topic(settings, pool);
        (again, Record { topic, key: Some(self.key), body: None, headers: Vec::new() })
    }
}

/// All of a pool, the oldest first.
pub(super) fn read(settings: &Settings, pool: &str) -> Result<Vec<Letter>> {
    let failed = |error| explain("looking at dead letters", &error);
    let topic = dead_topic(settings, pool);
    let consumer: BaseConsumer<Told> = config(settings)?
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .create_with_context(Told::default())
        .map_err(failed)?;
    let mut wanted = TopicPartitionList::new();
    // How far each partition goes.
    let mut ends = HashMap::new();
    for element in partitions(&consumer, &topic, settings.timeout).map_err(failed)?.elements() {
        let partition = element.partition();
        let (low, high) =
            consumer.fetch_watermarks(&topic, partition, settings.timeout).map_err(failed)?;
        if high > low {
            ends.insert(partition, high);
            wanted.add_partition_offset(&topic, partition, Offset::Beginning).map_err(failed)?;
        }
    }
    consumer.assign(&wanted).map_err(failed)?;
    let mut found: HashMap<String, (i64, Letter)> = HashMap::new();
    let mut heard = Instant::now();
    while !ends.is_empty() {
        match consumer.poll(settings.timeout.min(std::time::Duration::from_millis(200))) {
            Some(Ok(message)) => {
                heard = Instant::now();
                let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
                match message.payload() {
                    Some(body) => {
                        let beside = Beside::of(&message);
                        let letter = letter(settings, pool, &key, body, beside);
                        let time = message.timestamp().to_millis().unwrap_or(0);
                        found.insert(key, (time, letter));
                    }
                    None => {
                        found.remove(&key);
                    }
                }
                // What was compacted away leaves gaps, also at the end.
                if ends.get(&message.partition()).is_some_and(|end| message.offset() + 1 >= *end) {
                    ends.remove(&message.partition());
                }
            }
            Some(Err(error)) if !explain("", &error).is_passing() => return Err(failed(error)),
            _ => {
                let positions = consumer.position().map_err(failed)?;
                for element in positions.elements() {
                    if let Offset::Offset(at) = element.offset()
                        && ends.get(&element.partition()).is_some_and(|end| at >= *end)
                    {
                        ends.remove(&element.partition());
                    }
                }
                if heard.elapsed() > settings.timeout {
                    return Err(Error::new(
                        Kind::Unreachable,
                        format!("Kafka did not answer within {:?}", settings.timeout),
                    ));
                }
            }
        }
    }
    let mut letters: Vec<_> = found.into_values().collect();
    letters.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
    Ok(letters.into_iter().map(|(_, letter)| letter).collect())
}

fn letter(settings: &Settings, pool: &str, key: &str, body: &[u8], beside: Beside) -> Letter {
    let shown = Buried {
        id: format!("{pool}/{key}"),
        pool: pool.to_owned(),
        body: body.get(..settings.max_body).unwrap_or(body).to_vec(),
        size: body.len() as u64,
        reason: beside.reason.unwrap_or_else(|| "it is not known".to_owned()),
        deliveries: beside.deliveries,
    };
    Letter { shown, key: key.to_owned(), body: body.to_vec(), is_ticket: beside.is_ticket }
}
