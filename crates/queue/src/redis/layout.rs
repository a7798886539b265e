//! What things are called in Redis.

use crate::Settings;

/// Which of a pool's streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Band {
    High,
    Normal,
    Low,
}

impl Band {
    /// All of them, in the order in which they are drained.
    pub(super) const ALL: &[Band] = &[Band::High, Band::Normal, Band::Low];

    pub(super) fn of(priority: u8) -> Band {
        match priority {
            8.. => Band::High,
            4..=7 => Band::Normal,
            _ => Band::Low,
        }
    }

    /// The priority of what says none.
    pub(super) fn priority(self) -> u8 {
        match self {
            Band::High => 8,
            Band::Normal => crate::USUAL,
            Band::Low => 2,
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Band::High => ":high",
            Band::Normal => "",
            Band::Low => ":low",
        }
    }
}

/// The names of all keys.
pub(super) struct Layout {
    settings: Settings,
}

impl Layout {
    pub(super) fn new(settings: &Settings) -> Layout {
        Layout { settings: settings.clone() }
    }

    pub(super) fn stream(&self, pool: &str, band: Band) -> String {
        format!("{}{}", self.settings.queue_of(pool), band.suffix())
    }

    pub(super) fn later(&self, pool: &str) -> String {
        format!("{}:later", self.settings.queue_of(pool))
    }

    pub(super) fn dead(&self, pool: &str) -> String {
        format!("{}:dead", self.settings.queue_of(pool))
    }

    /// The streams that we receive from, in the order in which they are drained.
    pub(super) fn streams(&self) -> Vec<(String, &str, Band)> {
        let mut streams = Vec::new();
        for pool in &self.settings.pools {
            for band in Band::ALL {
                streams.push((self.stream(pool, *band), pool.as_str(), *band));
            }
        }
        streams
    }
}
