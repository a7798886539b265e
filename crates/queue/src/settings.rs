//! How a transport is reached, and what things are called there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::mask::mask;
use crate::{Error, Kind, Result};

/// Which transport it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Type {
    /// A folder that others put files into.
    Folder,
    /// Streams of Redis.
    Redis,
    /// RabbitMQ.
    Amqp,
    /// Kafka.
    Kafka,
}

/// The pool of what names none.
pub const DEFAULT_POOL: &str = "default";

/// Settings of a transport. What a transport has no use for it passes over.
#[derive(Clone)]
pub struct Settings {
    /// Which transport.
    pub transport: Type,
    /// Where it is: several addresses of the same broker, tried in this order.
    pub urls: Vec<String>,
    /// Who logs in, where the addresses do not say.
    pub username: Option<String>,
    /// With which password, where the addresses do not say.
    pub password: Option<String>,
    /// The certificates to trust instead of those of the system: a file in PEM.
    pub authority: Option<PathBuf>,
    /// The queue, stream or topic of the default pool. Those of other pools have the pool's name after
    /// it: `fathom.jobs.gpu`.
    pub queue: String,
    /// The exchange of RabbitMQ.
    pub exchange: String,
    /// What routes to the queue of the default pool, if not its name.
    pub routing_key: Option<String>,
    /// The consumer group of Redis and Kafka.
    pub group: String,
    /// What this process is called among the consumers. No two may have the same name.
    pub consumer: String,
    /// The pools to receive from, the first one first.
    pub pools: Vec<String>,
    /// Whether queues and messages survive a restart of RabbitMQ.
    pub durable: bool,
    /// How many messages are received at once at most.
    pub prefetch: u16,
    /// How many acknowledged messages are kept for who wants to look at them. Without it Redis keeps
    /// none, and a folder all.
    pub max_length: Option<u64>,
    /// The folder.
    pub folder: PathBuf,
    /// The largest body that is handed on, in bytes; larger ones are buried.
    pub max_body: usize,
    /// How long a consumer may hold a message before others may think that it is dead.
    pub claim_after: Duration,
    /// How long a broker may take to answer.
    pub timeout: Duration,
    /// How long a call goes on to look for a broker that is gone.
    pub patience: Duration,
}

impl Settings {
    /// The usual settings of this transport; the addresses, or the folder, have to be set.
    pub fn new(transport: Type) -> Settings {
        Settings {
            transport,
            urls: Vec::new(),
            username: None,
            password: None,
            authority: None,
            queue: "fathom.jobs".to_owned(),
            exchange: "fathom".to_owned(),
            routing_key: None,
            group: "fathom".to_owned(),
            consumer: format!("fathom-{}", std::process::id()),
            pools: vec![DEFAULT_POOL.to_owned()],
            durable: true,
            prefetch: 100,
            max_length: None,
            folder: PathBuf::new(),
            max_body: 1 << 20,
            claim_after: Duration::from_secs(60),
            timeout: Duration::from_secs(5),
            patience: Duration::from_secs(15),
        }
    }

    /// What the queue, stream or topic of a pool is called.
    pub(crate) fn queue_of(&self, pool: &str) -> String {
        of_pool(&self.queue, pool)
    }

    /// What routes to the queue of a pool.
    pub(crate) fn routing_key_of(&self, pool: &str) -> String {
        of_pool(self.routing_key.as_deref().unwrap_or(&self.queue), pool)
    }

    /// Whether they can be used at all.
    pub(crate) fn check(&self) -> Result<()> {
        let invalid = |what: String| Err(Error::new(Kind::Invalid, what));
        if self.transport == Type::Folder {
            if self.folder.as_os_str().is_empty() {
                return invalid("no folder is set".to_owned());
            }
        } else if self.urls.is_empty() {
            return invalid("no address of a broker is set".to_owned());
        }
        for (what, name) in [
            ("queue", &self.queue),
            ("exchange", &self.exchange),
            ("group", &self.group),
            ("consumer", &self.consumer),
        ] {
            check_name(what, name)?;
        }
        if self.pools.is_empty() {
            return invalid("no pool is set".to_owned());
        }
        self.pools.iter().try_for_each(|pool| check_name("pool", pool))?;
        if self.prefetch == 0 || self.max_body == 0 {
            return invalid("neither prefetch nor max_body may be 0".to_owned());
        }
        Ok(())
    }
}

/// Names become parts of other names, on brokers and in folders.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 100 || name.starts_with('.') || !name.chars().all(fits) {
        return Err(Error::new(
            Kind::Invalid,
            format!(
                "the {what} {name:?} is not a name of up to 100 letters, digits, '-', '_' and '.'"
            ),
        ));
    }
    Ok(())
}

fn of_pool(name: &str, pool: &str) -> String {
    if pool == DEFAULT_POOL { name.to_owned() } else { format!("{name}.{pool}") }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("transport", &self.transport)
            .field("urls", &self.urls.iter().map(|url| mask(url)).collect::<Vec<_>>())
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "****"))
            .field("queue", &self.queue)
            .field("exchange", &self.exchange)
            .field("group", &self.group)
            .field("consumer", &self.consumer)
            .field("pools", &self.pools)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
