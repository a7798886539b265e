//! What is remembered.

use fathom_secret::{Secret, SecretUrl};

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
        /// A folder, or s3://BUCKET/PREFIX. Default: reports in the data folder.
        pub location: String,
        /// The server that speaks S3. Default: that of Amazon for the region.
        pub endpoint: Option<String>,
        /// The region of the bucket.
        pub region: Option<String>,
        /// The name of the key that opens the bucket. Default: what the environment gives.
        pub access_key: Option<String>,
        /// The key that opens the bucket.
        #[schemars(with = "Option<SecretSource>")]
        pub secret_key: Option<Secret>,
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            location: "/var/lib/fathom/reports".into(),
            endpoint: None,
            region: None,
            access_key: None,
            secret_key: None,
        }
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
