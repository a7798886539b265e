//! What things are called in RabbitMQ, and how they are declared.

use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{Channel, ExchangeKind, Result};

use crate::{FIRST, Settings};

/// The times, in milliseconds, for which there are queues of what is given back. Others are rounded
/// up.
const TIMES: [u32; 20] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    1_200_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 43_200_000, 86_400_000,
];

pub(super) fn dead_exchange(settings: &Settings) -> String {
    format!("{}.dead", settings.exchange)
}

pub(super) fn dead_queue(settings: &Settings, pool: &str) -> String {
    format!("{}.dead", settings.queue_of(pool))
}

/// Declares what a pool needs. What is there already has to be the same.
pub(super) async fn declare(channel: &Channel, settings: &Settings, pool: &str) -> Result<()> {
    let (exchange, dead_exchange) = (settings.exchange.clone(), dead_exchange(settings));
    let (queue, dead_queue) = (settings.queue_of(pool), dead_queue(settings, pool));
    let options = ExchangeDeclareOptions { durable: settings.durable, ..Default::default() };
    for exchange in [&exchange, &dead_exchange] {
        channel
            .exchange_declare(
                exchange.as_str().into(),
                ExchangeKind::Direct,
                options,
                FieldTable::default(),
            )
            .await?;
    }
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-priority".into(), AMQPValue::LongInt(i32::from(FIRST)));
    arguments.insert("x-dead-letter-exchange".into(), text(&dead_exchange));
    arguments.insert("x-dead-letter-routing-key".into(), text(&queue));
    declare_queue(channel, settings, &queue, arguments).await?;
    declare_queue(channel, settings, &dead_queue, FieldTable::default()).await?;
    bind(channel, &queue, &exchange, &settings.routing_key_of(pool)).await?;
    bind(channel, &dead_queue, &dead_exchange, &queue).await
}

/// Declares the queue from which a message returns after this time, and says its name.
pub(super) async fn declare_later(
    channel: &Channel,
    settings: &Settings,
    pool: &str,
    after: Duration,
) -> Result<String> {
    let queue = settings.queue_of(pool);
    let Some(time) = rounded(after) else { return Ok(queue) };
    let later = format!("{queue}.later.{time}");
    let mut arguments = FieldTable::default();
    arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(i64::from(time)));
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&queue));
    declare_queue(channel, settings, &later, arguments).await?;
    Ok(later)
}

/// How many messages of a pool wait.
pub(super) async fn count(channel: &Channel, settings: &Settings, pool: &str) -> Result<u32> {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = settings.queue_of(pool);
    let queue = channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
    Ok(queue.message_count())
}

async fn declare_queue(
    channel: &Channel,
    settings: &Settings,
    name: &str,
    arguments: FieldTable,
) -> Result<()> {
    let options = QueueDeclareOptions { durable: settings.durable, ..Default::default() };
    channel.queue_declare(name.into(), options, arguments).await?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, routing_key: &str) -> Result<()> {
    let options = QueueBindOptions::default();
    let arguments = FieldTable::default();
    channel.queue_bind(queue.into(), exchange.into(), routing_key.into(), options, arguments).await
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(text))
}

fn rounded(after: Duration) -> Option<u32> {
    if after.is_zero() {
        return None;
    }
    TIMES.iter().find(|time| u128::from(**time) >= after.as_millis()).or(TIMES.last()).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rounded;

    #[test]
    fn times_are_rounded_up() {
        for (after, time) in
            [(1, 100), (100, 100), (101, 200), (59_000, 60_000), (90_000_000, 86_400_000)]
        {
            assert_eq!(rounded(Duration::from_millis(after)), Some(time));
        }
        assert_eq!(rounded(Duration::ZERO), None);
    }
}
