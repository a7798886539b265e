//! What the kernel says that this process takes, asked when it is told.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

/// Ticks a second, as the kernel counts processor time for everybody.
const TICKS: f64 = 100.0;

#[derive(Debug)]
struct Process;

/// Tells of this process in `registry`.
pub(crate) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        if let Some(seconds) = cpu() {
            let counter = ConstCounter::new(seconds);
            let encoder = encoder.encode_descriptor(
                "fathom_worker_cpu",
                "Processor time of this process.",
                Some(&Unit::Seconds),
                counter.metric_type(),
            )?;
            counter.encode(encoder)?;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let memory = [("rss", "VmRSS:"), ("virtual", "VmSize:")];
        let mut family = encoder.encode_descriptor(
            "fathom_worker_memory",
            "Memory of this process.",
            Some(&Unit::Bytes),
            ConstGauge::new(0_i64).metric_type(),
        )?;
        for (kind, name) in memory {
            if let Some(kilobytes) = field(&status, name) {
                let labels = [("type", kind)];
                ConstGauge::new(i64::try_from(kilobytes * 1024).unwrap_or(i64::MAX))
                    .encode(family.encode_family(&labels)?)?;
            }
        }
        let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
        let mut family = encoder.encode_descriptor(
            "fathom_worker_disk_io",
            "Bytes that this process read and wrote.",
            Some(&Unit::Bytes),
            ConstCounter::new(0_u64).metric_type(),
        )?;
        for (kind, name) in [("read", "rchar:"), ("write", "wchar:")] {
            if let Some(bytes) = field(&io, name) {
                let labels = [("operation", kind)];
                ConstCounter::new(bytes).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

/// User and system time.
fn cpu() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, which may hold anything, ends with the last bracket.
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
