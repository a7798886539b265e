//! What is remembered.

use fathom_secret::SecretUrl;

use super::group;
use super::secret_source::SecretSource;
use crate::value::Span;

group! {
    /// What is remembered, and where.
    pub struct Store {
        /// The database: sqlite://FILE, or postgres://…. Default: fathom.db in the data folder.
        #[schemars(with = "SecretSource")]
        pub url: SecretUrl,
        /// How many connections to it are kept at most.
        #[schemars(range(min = 1))]
        pub max_connections: u32,
        /// Where reports lie.
        pub reports: Reports,
        /// How long things are kept.
        pub retention: StoreRetention,
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: SecretUrl::new("sqlite:///var/lib/fathom/fathom.db"),
            max_connections: 10,
            reports: Reports::default(),
            retention: StoreRetention::default(),
        }
    }
}

group! {
    /// Where reports lie.
    pub struct Reports {
        /// A folder, or s3://BUCKET/PREFIX of one of the buckets. Default: reports in the data folder.
        pub location: String,
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self { location: "/var/lib/fathom/reports".into() }
    }
}

group! {
    /// How long things are kept; what is not set is kept for ever.
    pub struct StoreRetention {
        /// Reports that a newer one of the same machine has replaced.
        pub reports: Option<Span>,
        /// Jobs that have ended.
        pub jobs: Option<Span>,
        /// Who did what.
        pub audit: Option<Span>,
    }
}

impl Default for StoreRetention {
    fn default() -> Self {
        Self { reports: None, jobs: Some(Span::days(30)), audit: None }
    }
}
