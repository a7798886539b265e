//! Reading from a service at a steady rate. What is measured is from when a request was due, so that a
//! service that keeps one waiting is not excused from the next.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::dice::Dice;
use crate::fleet::Fleet;
use crate::web::Caller;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service: HOST:PORT.
    server: String,
    /// How many requests a second.
    #[arg(long, default_value_t = 1000)]
    rate: usize,
    /// For how many seconds.
    #[arg(long, default_value_t = 60)]
    seconds: usize,
    /// How many connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
}

/// Eighty of a hundred look at machines and reports, fifteen list, five ask who has a flaw.
fn request(dice: &mut Dice, ids: &[String]) -> (&'static str, String) {
    let id = &ids[dice.below(ids.len())];
    match dice.below(100) {
        0..40 => ("machine", format!("/api/v1/vms/{id}")),
        40..80 => ("report", format!("/api/v1/vms/{id}/report")),
        80..95 => {
            let package = format!("package-{:04}", dice.below(1500));
            let filter = match dice.below(4) {
                0 => "os+=+debian+and+os_version+=+12".to_owned(),
                1 => format!("os+=+ubuntu+and+risk+%3E+70+and+package+=+{package}"),
                2 => format!("package+{package}+%3C+1.3"),
                _ => format!("name+~+{}", Fleet::name(dice.below(9999))),
            };
            ("list", format!("/api/v1/vms?limit=50&filter={filter}"))
        }
        _ => {
            let flaw = Fleet::flaw(dice.below(12_000));
            ("flaw", format!("/api/v1/cves/{flaw}/vms?limit=50"))
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let ids = ids(&arguments.server)?;
    let total = arguments.rate * arguments.seconds;
    let (next, begun) = (AtomicUsize::new(0), Instant::now() + Duration::from_millis(200));
    let measured: Mutex<BTreeMap<&str, Vec<Duration>>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let bytes = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..arguments.connections {
            scope.spawn(|| {
                let mut caller = Caller::new(&arguments.server);
                let mut own: Vec<(&str, Duration)> = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= total {
                        break;
                    }
                    let (kind, path) = request(&mut Dice::new(number as u64 * 7 + 1), &ids);
                    let due = begun
                        + Duration::from_nanos(
                            number as u64 * 1_000_000_000 / arguments.rate as u64,
                        );
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    let answer = caller.get(&path);
                    own.push((kind, due.elapsed()));
                    match answer {
                        Ok(answer) if answer.status == 200 => {
                            bytes.fetch_add(answer.body.len(), Ordering::Relaxed);
                        }
                        other => {
                            let what = other.map_or_else(
                                |error| error.to_string(),
                                |it| String::from_utf8_lossy(&it.body).into_owned(),
                            );
                            wrong.lock().unwrap_or_else(|it| it.into_inner()).push(what);
                        }
                    }
                }
                let mut all = measured.lock().unwrap_or_else(|it| it.into_inner());
                for (kind, took) in own {
                    all.entry(kind).or_default().push(took);
                    all.entry("all").or_default().push(took);
                }
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let wrong = wrong.into_inner().unwrap_or_else(|it| it.into_inner());
    println!(
        "{total} requests in {took:.1} s, {:.0} a second, {:.0} MB; {} went wrong",
        total as f64 / took,
        bytes.into_inner() as f64 / 1e6,
        wrong.len()
    );
    println!("| kind | requests | p50 ms | p95 ms | p99 ms | most ms |");
    println!("|---|---|---|---|---|---|");
    for (kind, mut times) in measured.into_inner().unwrap_or_else(|it| it.into_inner()) {
        times.sort_unstable();
        let at = |share: f64| {
            let index = ((times.len() - 1) as f64 * share) as usize;
            times[index].as_secs_f64() * 1000.0
        };
        println!(
            "| {kind} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            times.len(),
            at(0.5),
            at(0.95),
            at(0.99),
            at(1.0)
        );
    }
    match wrong.first() {
        Some(first) => bail!("{} requests went wrong, the first: {first}", wrong.len()),
        None => Ok(()),
    }
}

/// Machines from all over the fleet.
fn ids(server: &str) -> Result<Vec<String>> {
    let mut caller = Caller::new(server);
    let mut ids = Vec::new();
    for first in 0..40 {
        let after = Fleet::name(first * 5000);
        let hex: String = after.bytes().map(|byte| format!("{byte:02x}")).collect();
        let answer = caller.get(&format!("/api/v1/vms?limit=50&cursor=t{hex}.0"))?;
        let page: Value = serde_json::from_slice(&answer.body)?;
        let machines = page["vms"].as_array().with_context(|| page.to_string())?;
        ids.extend(machines.iter().filter_map(|it| it["id"].as_str()).map(str::to_owned));
    }
    match ids.is_empty() {
        true => bail!("there are no machines; `fathom-load fill` makes some"),
        false => Ok(ids),
    }
}
