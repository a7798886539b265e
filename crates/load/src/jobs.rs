//! How many jobs a service does in a second: handed in many at once, and seen to their end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::web::Caller;

/// How long to wait for the last of them.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The service: HOST:PORT.
    server: String,
    /// How many jobs.
    #[arg(long, default_value_t = 20_000)]
    jobs: usize,
    /// What is to be done.
    #[arg(long, default_value = "fathom.echo")]
    operation: String,
    /// What it is about, as JSON.
    #[arg(long, default_value = "{}")]
    payload: String,
    /// How many hand in at once.
    #[arg(long, default_value_t = 64)]
    callers: usize,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let payload: Value = serde_json::from_str(&arguments.payload)?;
    let job = json!({ "operation": arguments.operation, "payload": payload }).to_string();
    let before = ended(&arguments.server)?;
    let (next, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.callers {
            scope.spawn(|| {
                let mut caller = Caller::new(&arguments.server);
                while next.fetch_add(1, Ordering::Relaxed) < arguments.jobs {
                    let answer = caller.ask("POST", "/api/v1/jobs", &job);
                    if !answer.is_ok_and(|it| it.status == 202) {
                        wrong.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let handed_in = begun.elapsed().as_secs_f64();
    let wrong = wrong.into_inner();
    if wrong > 0 {
        bail!("{wrong} jobs were not taken");
    }
    while ended(&arguments.server)? - before < arguments.jobs as i64 {
        if begun.elapsed() > PATIENCE {
            bail!("{} of {} jobs ended", ended(&arguments.server)? - before, arguments.jobs);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = begun.elapsed().as_secs_f64();
    println!(
        "{} jobs: handed in one by one at {:.0} a second, done at {:.0} a second",
        arguments.jobs,
        arguments.jobs as f64 / handed_in,
        arguments.jobs as f64 / done
    );
    Ok(())
}

/// How many jobs have ended.
fn ended(server: &str) -> Result<i64> {
    let answer = Caller::new(server).get("/metrics")?;
    let text = String::from_utf8_lossy(&answer.body);
    let of = |line: &&str| {
        line.starts_with("fathom_worker_jobs_total{") && line.contains("status=\"completed\"")
    };
    let counts =
        text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(counts.sum::<f64>() as i64)
}
