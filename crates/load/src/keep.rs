//! Filling a store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use fathom_report::Report;
use fathom_report::finding::Findings;
use fathom_store::{Options, Store};

use crate::fleet::Fleet;

/// How many machines are kept together.
const BATCH: usize = 50;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The store: a path, sqlite://PATH or postgres://….
    store: String,
    /// How many machines.
    #[arg(long, default_value_t = 20_000)]
    machines: usize,
    /// From how many golden images.
    #[arg(long, default_value_t = 2000)]
    images: usize,
    /// What the dice begin with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many keep at once.
    #[arg(long, default_value_t = 2)]
    writers: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let fleet = Fleet::new(arguments.seed, arguments.images)?;
    let sample = fleet.look(0)?;
    serde_json::from_str::<Report>(&sample.report).context("a made-up report")?;
    let findings = sample.verdict.as_ref().map_or("", |it| &it.findings);
    serde_json::from_str::<Findings>(findings).context("made-up findings")?;
    let flaws = sample.verdict.as_ref().map_or(0, |it| it.flaws.len());
    println!(
        "the first machine: {} packages, {flaws} findings, a report of {} bytes, findings of {}",
        sample.packages.as_ref().map_or(0, Vec::len),
        sample.report.len(),
        findings.len()
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let store = runtime.block_on(Store::open(&arguments.store, &Options::default()))?;
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        let writer = || -> Result<()> {
            loop {
                let first = next.fetch_add(BATCH, Ordering::Relaxed);
                if first >= arguments.machines {
                    return Ok(());
                }
                let end = (first + BATCH).min(arguments.machines);
                let looks: Vec<_> =
                    (first..end).map(|number| fleet.look(number)).collect::<Result<_>>()?;
                runtime.block_on(store.keep_looks(&looks))?;
                if first.is_multiple_of(BATCH * 100) {
                    let rate = end as f64 / begun.elapsed().as_secs_f64();
                    println!("{end} machines, {rate:.0} a second");
                }
            }
        };
        let writers: Vec<_> = (0..arguments.writers.max(1)).map(|_| scope.spawn(writer)).collect();
        for writer in writers {
            match writer.join() {
                Ok(done) => done?,
                Err(_) => bail!("a writer ended by a bug"),
            }
        }
        Ok(())
    })?;
    let took = begun.elapsed().as_secs_f64();
    println!("{} machines in {took:.0} s", arguments.machines);
    runtime.block_on(store.close());
    Ok(())
}
