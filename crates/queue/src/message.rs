//! What is distributed: tickets of our own, and what others publish.

use serde::{Deserialize, Serialize};

/// The first of all priorities, and the last.
pub const FIRST: u8 = 10;
/// See [`FIRST`].
pub const LAST: u8 = 1;
/// The priority of what says none.
pub const USUAL: u8 = 5;

/// That there is a job to be done: its id, and what is needed to hand it to the right worker. What is
/// true about the job stands elsewhere, so a ticket may be lost or doubled without harm.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// The job's id.
    pub job: String,
    /// Which workers it is for.
    pub pool: String,
    /// From 1 to 10; 10 comes first.
    pub priority: u8,
    /// Tickets with the same key keep their order where the broker has partitions.
    pub key: String,
}

impl Ticket {
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::json!({
            "job": self.job, "pool": self.pool, "priority": self.priority, "key": self.key,
        })
        .to_string()
        .into_bytes()
    }
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// One of ours.
    Ticket(Ticket),
    /// Whatever somebody else has published, as it came.
    Foreign(Vec<u8>),
}

impl Body {
    /// What came as a ticket and is none is treated as everything else that others publish.
    pub(crate) fn decode(is_ticket: bool, bytes: Vec<u8>) -> Body {
        if is_ticket && let Ok(ticket) = serde_json::from_slice(&bytes) {
            return Body::Ticket(ticket);
        }
        Body::Foreign(bytes)
    }

    pub(crate) fn is_ticket(&self) -> bool {
        matches!(self, Body::Ticket(_))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Body::Ticket(ticket) => ticket.encode(),
            Body::Foreign(bytes) => bytes.clone(),
        }
    }
}

/// By what a transport finds a delivery again. Nobody else reads it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Receipt(pub(crate) String);

/// A message that we hold until it is acknowledged, given back or buried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// What it says.
    pub body: Body,
    /// What it is acknowledged by.
    pub receipt: Receipt,
    /// How often it was delivered, this time included, as far as the broker counts.
    pub deliveries: u32,
    /// The pool that it was published to.
    pub pool: String,
    /// Its priority.
    pub priority: u8,
    /// Where it was found, for people.
    pub source: String,
    /// What tells it from every other message and stays the same however often it is delivered, so
    /// that who has recorded it knows it again; empty where the broker has nothing of the kind.
    pub identity: String,
}

/// A dead letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buried {
    /// What it is replayed by.
    pub id: String,
    /// The pool that it was published to.
    pub pool: String,
    /// What it says, as far as the limit of a body goes.
    pub body: Vec<u8>,
    /// How many bytes it has.
    pub size: u64,
    /// Why it lies here.
    pub reason: String,
    /// How often it was delivered before.
    pub deliveries: u32,
}

/// A priority within the bounds.
pub(crate) fn bounded(priority: u8) -> u8 {
    priority.clamp(LAST, FIRST)
}
