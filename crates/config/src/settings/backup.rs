//! Backups of machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::group;

group! {
    /// Backups of machines.
    #[derive(Default)]
    pub struct Backup {
        /// Where backups go for which nothing else is said.
        pub default_target: Option<String>,
        /// How backups are packed.
        pub compression: Compression,
        /// Which of them are kept.
        pub retention: Retention,
    }
}

/// How backups are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Zstandard.
    #[default]
    Zstd,
    /// Not at all.
    None,
}

group! {
    /// Which backups are kept: what any of these keeps is kept.
    pub struct Retention {
        /// How many of the last are kept.
        pub keep_last: u32,
        /// Of how many days the last is kept.
        pub keep_daily: u32,
        /// Of how many weeks the last is kept.
        pub keep_weekly: u32,
        /// Of how many months the last is kept.
        pub keep_monthly: u32,
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_last: 5, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 }
    }
}
