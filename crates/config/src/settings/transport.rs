//! How jobs come to workers.

use std::path::PathBuf;

use fathom_secret::{Secret, SecretUrl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group;
use super::secret_source::SecretSource;
use crate::value::Size;

group! {
    /// How jobs come to workers.
    #[derive(Default)]
    pub struct Transport {
        /// By what.
        #[serde(rename = "type")]
        pub kind: TransportType,
        /// Where that is and how it is used.
        pub config: TransportConfig,
    }
}

/// By what jobs come to workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TransportType {
    /// The store alone: workers ask it.
    #[default]
    Store,
    /// Files in a folder.
    Folder,
    /// The API of another fathom.
    Http,
    /// Streams of Redis.
    Redis,
    /// RabbitMQ, and others that speak AMQP 0-9-1.
    Amqp,
    /// Kafka.
    Kafka,
}

group! {
    /// Where a transport is and how it is used. Each takes what it knows of.
    pub struct TransportConfig {
        /// The address of the broker, as amqp://broker:5672/%2f; of Kafka HOST:PORT.
        #[schemars(with = "Option<SecretSource>")]
        pub url: Option<SecretUrl>,
        /// Several addresses, of which the first that answers is used.
        #[schemars(with = "Vec<SecretSource>")]
        pub urls: Vec<SecretUrl>,
        /// The user's name, where it does not stand in the address.
        pub username: Option<String>,
        /// The user's password, where it does not stand in the address.
        #[schemars(with = "Option<SecretSource>")]
        pub password: Option<Secret>,
        /// amqp: the exchange that jobs are published to.
        pub exchange: String,
        /// amqp: the queue that workers take jobs from.
        pub queue: String,
        /// amqp: whether the exchange and the queue outlive the broker's restart.
        pub durable: bool,
        /// Refused if true: a job that counts as done when it is handed out is lost with its worker.
        pub auto_ack: bool,
        /// How many jobs a worker is handed before it is done with one.
        pub prefetch: u16,
        /// redis, kafka: the group of consumers.
        pub group: String,
        /// redis: the stream.
        pub stream: String,
        /// kafka: the topic.
        pub topic: String,
        /// folder: the folder.
        pub folder: Option<PathBuf>,
        /// How many jobs wait at most before no further one is taken.
        #[schemars(range(min = 1))]
        pub max_length: u64,
        /// How large a message may be.
        pub max_message: Size,
        /// TLS to the broker, where its address asks for it.
        pub tls: TransportTls,
    }
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            url: None,
            urls: Vec::new(),
            username: None,
            password: None,
            exchange: "fathom.jobs".into(),
            queue: "fathom.worker-pool-1".into(),
            durable: true,
            auto_ack: false,
            prefetch: 10,
            group: "fathom".into(),
            stream: "fathom:jobs".into(),
            topic: "fathom.jobs".into(),
            folder: None,
            max_length: 100_000,
            max_message: Size::mebibytes(1),
            tls: TransportTls::default(),
        }
    }
}

impl TransportConfig {
    /// The addresses to try, in their order.
    pub fn addresses(&self) -> impl Iterator<Item = &SecretUrl> {
        self.url.iter().chain(&self.urls)
    }
}

group! {
    /// The client's side of TLS.
    #[derive(Default)]
    pub struct TransportTls {
        /// Authorities to trust, in PEM. Default: those that this host trusts.
        pub ca_file: Option<PathBuf>,
        /// The certificate that we show, in PEM.
        pub certificate: Option<PathBuf>,
        /// Its key, in PEM.
        pub key: Option<PathBuf>,
    }
}
