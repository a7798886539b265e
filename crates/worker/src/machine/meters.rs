//! What is counted of looking for flaws.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fathom_fleet::Advisories;
use fathom_report::finding::Summary;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// From a millisecond to a minute.
const BUCKETS: [f64; 10] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0, 60.0];

/// The most providers whose age is told.
const PROVIDERS: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    severity: &'static str,
}

/// What is counted of looking for flaws.
#[derive(Debug)]
pub(super) struct Meters {
    matches: Family<Ended, Counter>,
    durations: Histogram,
    findings: Family<Of, Counter>,
}

impl Meters {
    pub(super) fn register(registry: &mut Registry, advisories: &Arc<Advisories>) -> Self {
        let meters = Self {
            matches: Family::default(),
            durations: Histogram::new(BUCKETS),
            findings: Family::default(),
        };
        registry.register(
            "fathom_enrichment_matches",
            "Machines whose packages were compared with advisories, by how it ended",
            meters.matches.clone(),
        );
        registry.register(
            "fathom_enrichment_match_duration_seconds",
            "How long it took to compare the packages of a machine with advisories",
            meters.durations.clone(),
        );
        registry.register(
            "fathom_enrichment_findings",
            "Flaws that were found, each once a machine, by how bad they are",
            meters.findings.clone(),
        );
        registry.register_collector(Box::new(Ages(Arc::clone(advisories))));
        meters.ended(true, 0);
        meters.ended(false, 0);
        meters.found(&Summary::default());
        meters
    }

    /// Notes how a comparison went, and what it found where it went well.
    pub(super) fn note(&self, took: Duration, found: Option<&Summary>) {
        self.ended(found.is_some(), 1);
        self.durations.observe(took.as_secs_f64());
        if let Some(summary) = found {
            self.found(summary);
        }
    }

    fn ended(&self, well: bool, times: u64) {
        let status = if well { "success" } else { "error" };
        self.matches.get_or_create(&Ended { status }).inc_by(times);
    }

    fn found(&self, summary: &Summary) {
        for (severity, flaws) in [
            ("critical", summary.critical),
            ("high", summary.high),
            ("medium", summary.medium),
            ("low", summary.low),
            ("negligible", summary.negligible),
            ("unknown", summary.unknown),
        ] {
            self.findings.get_or_create(&Of { severity }).inc_by(flaws as u64);
        }
    }
}

/// How old the advisories are, looked up when it is told.
#[derive(Debug)]
struct Ages(Arc<Advisories>);

impl Collector for Ages {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        // Where there are none, nothing is said of them.
        let Ok(database) = self.0.open() else { return Ok(()) };
        let mut family = encoder.encode_descriptor(
            "fathom_advisories_age",
            "How long ago the advisories of a provider were compiled.",
            Some(&Unit::Seconds),
            ConstGauge::new(0_i64).metric_type(),
        )?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for segment in database.segments().iter().take(PROVIDERS) {
            let about = segment.about();
            if let Some(built) = fathom_jobs::moment(&about.built) {
                let age = now.as_secs_f64() - built.0 as f64 / 1_000_000.0;
                let labels = [("provider", about.provider.as_str())];
                ConstGauge::new(age.max(0.0)).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
