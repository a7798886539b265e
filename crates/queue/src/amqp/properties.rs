//! What stands beside a body.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, LongString};

use super::connection::Session;
use crate::{Body, Buried, Delivery, Receipt, Settings, Ticket, USUAL, message};

/// The type of our tickets.
const TICKET: &str = "fathom.ticket";
const DELIVERIES: &str = "x-fathom-deliveries";
const REASON: &str = "x-fathom-reason";
/// What RabbitMQ says of what it has put to the dead letters itself.
const BROKERS_REASON: &str = "x-first-death-reason";

pub(super) fn ticket(ticket: &Ticket, settings: &Settings) -> BasicProperties {
    base(true, message::bounded(ticket.priority), settings)
}

/// Those of a message that is given back.
pub(super) fn again(delivery: &Delivery, settings: &Settings) -> BasicProperties {
    let properties = base(delivery.body.is_ticket(), delivery.priority, settings);
    properties.with_headers(headers(delivery.deliveries, None))
}

/// Those of a dead letter.
pub(super) fn dead(delivery: &Delivery, reason: &str, settings: &Settings) -> BasicProperties {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    base(delivery.body.is_ticket(), delivery.priority, settings)
        .with_message_id(format!("{time}-{}-{number}", std::process::id()).into())
        .with_headers(headers(delivery.deliveries, Some(reason)))
}

/// Those of a dead letter that is replayed: the count begins anew.
pub(super) fn anew(properties: &BasicProperties, settings: &Settings) -> BasicProperties {
    base(is_ticket(properties), properties.priority().unwrap_or(USUAL), settings)
}

fn base(is_ticket: bool, priority: u8, settings: &Settings) -> BasicProperties {
    let properties = BasicProperties::default()
        .with_delivery_mode(if settings.durable { 2 } else { 1 })
        .with_priority(priority);
    if is_ticket {
        properties.with_type(TICKET.into()).with_content_type("application/json".into())
    } else {
        properties
    }
}

fn headers(deliveries: u32, reason: Option<&str>) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(DELIVERIES.into(), AMQPValue::LongLongInt(i64::from(deliveries)));
    if let Some(reason) = reason {
        headers.insert(REASON.into(), AMQPValue::LongString(LongString::from(reason)));
    }
    headers
}

fn is_ticket(properties: &BasicProperties) -> bool {
    properties.kind().as_ref().is_some_and(|kind| kind.as_str() == TICKET)
}

fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    match header(properties, name)? {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        _ => None,
    }
}

/// How often a message was delivered before it was published again.
fn deliveries(properties: &BasicProperties) -> u32 {
    match header(properties, DELIVERIES) {
        Some(AMQPValue::LongLongInt(count)) => u32::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

pub(super) fn delivery(
    session: &Session,
    pool: &str,
    settings: &Settings,
    found: lapin::message::Delivery,
) -> Delivery {
    let properties = found.properties;
    let body = Body::decode(is_ticket(&properties), found.data);
    let identity = properties
        .message_id()
        .as_ref()
        .map_or(String::new(), |id| format!("{}/{id}", settings.queue_of(pool)));
    let before = deliveries(&properties).saturating_add(u32::from(found.redelivered));
    Delivery {
        priority: message::bounded(match &body {
            Body::Ticket(ticket) => ticket.priority,
            Body::Foreign(_) => properties.priority().unwrap_or(USUAL),
        }),
        body,
        receipt: Receipt(format!("{}/{}", session.epoch, found.delivery_tag)),
        deliveries: before.saturating_add(1),
        pool: pool.to_owned(),
        source: format!("queue {}", settings.queue_of(pool)),
        identity,
    }
}

pub(super) fn letter(pool: &str, found: &lapin::message::Delivery, max_body: usize) -> Buried {
    let properties = &found.properties;
    let id = match properties.message_id() {
        Some(id) => id.to_string(),
        // What the broker itself has put there has no name of ours.
        None => {
            let mut hasher = DefaultHasher::new();
            found.data.hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        }
    };
    let body = found.data.get(..max_body).unwrap_or(&found.data).to_vec();
    Buried {
        id: format!("{pool}/{id}"),
        pool: pool.to_owned(),
        body,
        size: found.data.len() as u64,
        reason: text(properties, REASON)
            .or_else(|| text(properties, BROKERS_REASON).map(|why| format!("RabbitMQ says: {why}")))
            .unwrap_or_else(|| "it is not known".to_owned()),
        deliveries: deliveries(properties),
    }
}
