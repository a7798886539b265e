//! The trait that everything which distributes has.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Buried, Delivery, Receipt, Result, Ticket};

/// Something that distributes messages among consumers and loses none. It may deliver one twice.
///
/// Who has received a message records it, or claims the job that it is about, and then
/// acknowledges it: messages are held for moments, not for as long as a job takes. What its
/// consumer neither acknowledges nor gives back comes to another one when the consumer is gone or
/// has held it for too long.
#[async_trait]
pub trait Transport: Send + Sync {
    /// What it is called: `redis`, `amqp`, `kafka`, `folder`.
    fn name(&self) -> &'static str;

    /// Publishes the tickets. When it returns the broker has them where a crash does not take them
    /// away. After an error some may be published.
    async fn publish(&self, tickets: &[Ticket]) -> Result<()>;

    /// Receives up to so many messages, waiting for the first one for so long. Messages that are too
    /// large are buried and not handed on.
    async fn receive(&self, most: usize, wait: Duration) -> Result<Vec<Delivery>>;

    /// Says that these are done with. Those that have come to another consumer meanwhile are passed
    /// over.
    async fn acknowledge(&self, receipts: Vec<Receipt>) -> Result<()>;

    /// Gives messages back, to be delivered again to anyone after this time, or somewhat later.
    async fn give_back(&self, deliveries: Vec<Delivery>, after: Duration) -> Result<()>;

    /// Puts a message to the dead letters.
    async fn bury(&self, delivery: Delivery, reason: &str) -> Result<()>;

    /// The dead letters, the oldest first, up to so many.
    async fn buried(&self, most: usize) -> Result<Vec<Buried>>;

    /// Publishes a dead letter again, and takes it from the dead letters.
    async fn replay(&self, id: &str) -> Result<()>;

    /// How many messages wait in the pools that we receive from, where it can be told. Those that are
    /// held, and those that wait for their time, may or may not count.
    async fn depth(&self) -> Result<Option<u64>>;

    /// Whether it can be reached and is set up as we need it.
    async fn check(&self) -> Result<()>;
}
