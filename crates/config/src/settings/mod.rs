//! The settings, a file a group. What is not set has the default that stands here; documentation and
//! schema are made of these types.

mod auth;
mod backup;
mod bucket;
mod log;
mod metrics;
mod scan;
mod secret_source;
mod security;
mod server;
mod store;
mod tracing;
mod transport;
mod webhook;
mod worker;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::auth::{Auth, Oidc, Roles, Tokens, Users};
pub use self::backup::{Backup, Compression, Retention};
pub use self::bucket::Bucket;
pub use self::log::{Format, Level, Log};
pub use self::metrics::Metrics;
pub use self::scan::{Scan, ScanLimits};
pub use self::security::{Mode, Security};
pub use self::server::{RateLimit, Server, ServerTls};
pub use self::store::{Reports, Store, StoreRetention};
pub use self::tracing::Tracing;
pub use self::transport::{Transport, TransportConfig, TransportTls, TransportType};
pub use self::webhook::{Webhook, WebhookEvent};
pub use self::worker::{Worker, WorkerLimits};

/// Derives what every group needs.
macro_rules! group {
    ($(#[$about:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($body)* }
    };
}
use group;

/// Every setting of the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder that all else lies in for which no other place is set. Default: fathom in the folder
    /// that the user's programs keep data in, or /var/lib/fathom where there is none.
    pub data_folder: PathBuf,
    /// The API.
    pub server: Server,
    /// What is remembered, and where.
    pub store: Store,
    /// Buckets of servers that speak S3.
    pub buckets: Vec<Bucket>,
    /// How jobs come to workers.
    pub transport: Transport,
    /// What works on jobs.
    pub worker: Worker,
    /// Who may use the API.
    pub auth: Auth,
    /// Backups of machines.
    pub backup: Backup,
    /// Figures for Prometheus.
    pub metrics: Metrics,
    /// What may be done, and who may ask.
    pub security: Security,
    /// Looking for known flaws.
    pub scan: Scan,
    /// What is written about what is being done.
    pub log: Log,
    /// Traces for OpenTelemetry.
    pub tracing: Tracing,
    /// Who is told about what has happened.
    pub webhooks: Vec<Webhook>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_folder: "/var/lib/fathom".into(),
            server: Server::default(),
            store: Store::default(),
            buckets: Vec::new(),
            transport: Transport::default(),
            worker: Worker::default(),
            auth: Auth::default(),
            backup: Backup::default(),
            metrics: Metrics::default(),
            security: Security::default(),
            scan: Scan::default(),
            log: Log::default(),
            tracing: Tracing::default(),
            webhooks: Vec::new(),
        }
    }
}
