//! How often bytes were compared with the checksum that came with them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// By how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Compared {
    status: &'static str,
}

/// How often bytes were compared with the checksum that came with them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Verifications(pub(crate) Family<Compared, Counter>);

impl Default for Verifications {
    fn default() -> Self {
        let verifications = Self(Family::default());
        // What has not happened yet is told as 0, so that the first time shows.
        verifications.add(true, 0);
        verifications.add(false, 0);
        verifications
    }
}

impl Verifications {
    pub(crate) fn note(&self, fits: bool) {
        self.add(fits, 1);
    }

    fn add(&self, fits: bool, times: u64) {
        let status = if fits { "success" } else { "failure" };
        self.0.get_or_create(&Compared { status }).inc_by(times);
    }
}
