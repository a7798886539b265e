//! What stands in a message, and where it goes.

use std::time::Duration;

use rdkafka::Message as _;
use rdkafka::message::{BorrowedMessage, Header, Headers as _, OwnedHeaders};

use crate::{Body, Delivery, Settings, Ticket};

/// That it is a ticket of ours.
const TICKET: &str = "fathom-ticket";
const DELIVERIES: &str = "fathom-deliveries";
/// When it is due, in milliseconds since 1970.
const DUE: &str = "fathom-due";
const REASON: &str = "fathom-reason";

pub(super) fn retry_topic(settings: &Settings, pool: &str) -> String {
    format!("{}.retry", settings.queue_of(pool))
}

pub(super) fn dead_topic(settings: &Settings, pool: &str) -> String {
    format!("{}.dead", settings.queue_of(pool))
}

/// A message to be published.
pub(super) struct Record {
    pub(super) topic: String,
    pub(super) key: Option<String>,
    /// Nothing says that what had the key is gone.
    pub(super) body: Option<Vec<u8>>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Record {
    pub(super) fn of_ticket(ticket: &Ticket, settings: &Settings) -> Record {
        Record {
            topic: settings.queue_of(&ticket.pool),
            key: Some(ticket.key.clone()),
            body: Some(ticket.encode()),
            headers: vec![(TICKET, "1".to_owned())],
        }
    }

    pub(super) fn again(delivery: &Delivery, due: Duration, settings: &Settings) -> Record {
        let mut headers = headers(delivery);
        headers.push((DUE, due.as_millis().to_string()));
        Record { headers, ..Record::new(delivery, retry_topic(settings, &delivery.pool)) }
    }

    pub(super) fn dead(delivery: &Delivery, reason: &str, settings: &Settings) -> Record {
        let mut headers = headers(delivery);
        headers.push((REASON, reason.to_owned()));
        Record {
            // By where it was, so that one that comes twice lies there once.
            key: Some(delivery.receipt.0.replace('/', "-")),
            headers,
            ..Record::new(delivery, dead_topic(settings, &delivery.pool))
        }
    }

    fn new(delivery: &Delivery, topic: String) -> Record {
        let key = match &delivery.body {
            Body::Ticket(ticket) => Some(ticket.key.clone()),
            Body::Foreign(_) => None,
        };
        Record { topic, key, body: Some(delivery.body.encode()), headers: Vec::new() }
    }

    pub(super) fn owned_headers(&self) -> OwnedHeaders {
        self.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        })
    }
}

fn headers(delivery: &Delivery) -> Vec<(&'static str, String)> {
    let mut headers = vec![(DELIVERIES, delivery.deliveries.to_string())];
    headers.extend(ticket_header(delivery.body.is_ticket()));
    headers
}

pub(super) fn ticket_header(is_ticket: bool) -> Option<(&'static str, String)> {
    is_ticket.then(|| (TICKET, "1".to_owned()))
}

/// What a message says beside its body.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) is_ticket: bool,
    pub(super) deliveries: u32,
    pub(super) due: Option<Duration>,
    pub(super) reason: Option<String>,
}

impl Beside {
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Beside {
        let mut beside = Beside::default();
        let Some(headers) = message.headers() else { return beside };
        for header in headers.iter() {
            let text = header.value.map(String::from_utf8_lossy).unwrap_or_default();
            match header.key {
                TICKET => beside.is_ticket = true,
                DELIVERIES => beside.deliveries = text.parse().unwrap_or(0),
                DUE => beside.due = text.parse().ok().map(Duration::from_millis),
                REASON => beside.reason = Some(text.into_owned()),
                _ => {}
            }
        }
        beside
    }
}
