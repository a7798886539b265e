//! What distributes work between processes: brokers behind one trait.
//!
//! The rows of a store are the truth about jobs; what is here only hands them round. Between our own
//! processes it carries [`Ticket`]s, which are ids of jobs, and wakes who waits for one. Others may
//! publish whole jobs, as whatever bytes they like; whoever receives one records it and then
//! acknowledges it. This crate knows bytes and receipts, and neither what a job is nor where it is
//! recorded.
//!
//! [`open`] is the door. What each transport calls its things on the broker stands at the top of its
//! module, and for people in `docs/queues.md`.

#![forbid(unsafe_code)]

mod amqp;
mod error;
mod folder;
#[cfg(feature = "kafka")]
mod kafka;
mod mask;
mod message;
mod patience;
mod redis;
mod settings;
mod transport;

pub use error::{Error, Kind, Result};
pub use message::{Body, Buried, Delivery, FIRST, LAST, Receipt, Ticket, USUAL};
pub use settings::{DEFAULT_POOL, Settings, Type};
pub use transport::Transport;

/// Opens the transport that the settings name. That a broker is not there is an error; that it goes
/// away later is a matter of each call.
pub async fn open(settings: &Settings) -> Result<Box<dyn Transport>> {
    settings.check()?;
    match settings.transport {
        Type::Redis => Ok(Box::new(redis::Redis::open(settings).await?)),
        Type::Folder => Ok(Box::new(folder::Folder::open(settings).await?)),
        Type::Amqp => Ok(Box::new(amqp::Amqp::open(settings).await?)),
        #[cfg(feature = "kafka")]
        Type::Kafka => Ok(Box::new(kafka::Kafka::open(settings).await?)),
        #[cfg(not(feature = "kafka"))]
        Type::Kafka => {
            Err(Error::new(Kind::Invalid, "this program was built without this transport"))
        }
    }
}
