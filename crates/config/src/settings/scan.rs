//! Looking for known flaws.

use std::path::PathBuf;

use fathom_secret::SecretUrl;

use super::group;
use super::secret_source::SecretSource;
use crate::value::{Size, Span};

group! {
    /// Looking for known flaws.
    pub struct Scan {
        /// Whether reports are compared with what is known.
        pub enabled: bool,
        /// The folder of the database of advisories. Default: that of the environment's FATHOM_DB, or
        /// advisories in the data folder.
        pub database: PathBuf,
        /// How old the database may be before it is warned about.
        pub max_age: Span,
        /// The address of a matcher that is asked in place of the database.
        #[schemars(with = "Option<SecretSource>")]
        pub matcher_url: Option<SecretUrl>,
        /// How long comparing a report takes at most, all tries together.
        pub timeout: Span,
        /// How many more times something is tried that may go better.
        pub retries: u32,
        /// How many reports are compared at once.
        #[schemars(range(min = 1))]
        pub concurrency: u32,
        /// How much is taken.
        pub limits: ScanLimits,
    }
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            enabled: true,
            database: "/var/lib/fathom/advisories".into(),
            max_age: Span::days(7),
            matcher_url: None,
            timeout: Span::seconds(60),
            retries: 3,
            concurrency: 4,
            limits: ScanLimits::default(),
        }
    }
}

group! {
    /// How much scanning takes.
    pub struct ScanLimits {
        /// Packages of one report.
        #[schemars(range(min = 1))]
        pub components: u32,
        /// Findings of one report.
        #[schemars(range(min = 1))]
        pub findings: u32,
        /// Bytes of one answer of a matcher.
        pub answer: Size,
    }
}

impl Default for ScanLimits {
    fn default() -> Self {
        Self { components: 200_000, findings: 200_000, answer: Size::mebibytes(256) }
    }
}
