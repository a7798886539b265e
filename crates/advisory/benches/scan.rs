//! What comparing takes, without starting a process: `cargo bench -p fathom-advisory -- DATABASE REPORT`.
//!
//! Prints a line a figure: its name, and what it is.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on stops")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Fleet, Likeness, Options};
use fathom_report::{Fact, Report};

/// How often each is done.
const TIMES: usize = 51;

/// How many machines the fleet has, and of how many kinds.
const MACHINES: usize = 10_000;
const KINDS: usize = 300;

/// How many threads look at the fleet.
const THREADS: usize = 2;

fn main() {
    let words: Vec<PathBuf> =
        std::env::args_os().skip(1).filter(|it| it != "--bench").map(PathBuf::from).collect();
    let [database, report] = words.as_slice() else {
        println!("nothing to measure: name a database and a report");
        return;
    };
    let report: Report = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let options = Options {
        weights: Weights::default(),
        texts: false,
        today: Day::of("2026-01-01"),
        generator: String::new(),
    };
    alone(database, &report, &options);
    fleet(database, &report, &options);
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn timed(work: &dyn Fn()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn alone(folder: &Path, report: &Report, options: &Options) {
    let scan = |database: &Database| {
        fathom_advisory::scan(black_box(report), "machine", database, options).unwrap()
    };
    let database = Database::open(folder).unwrap();
    let findings = scan(&database).vulnerabilities.len();
    let packages: usize = report.systems.iter().map(|it| it.packages.items.len()).sum();
    let warm = median((0..TIMES).map(|_| timed(&|| drop(scan(&database)))).collect());
    println!("packages {packages}");
    println!("findings {findings}");
    println!("scan-ms {warm:.2}");
    let matched = median(
        (0..TIMES)
            .map(|_| {
                timed(&|| {
                    black_box(fathom_advisory::count(report, &database, options.today).unwrap());
                })
            })
            .collect(),
    );
    println!("match-ms {matched:.2}");
    let opened =
        median((0..TIMES).map(|_| timed(&|| drop(Database::open(folder).unwrap()))).collect());
    println!("open-ms {opened:.2}");
}

/// Machines of a few kinds, each with its own name, as reports that were saved.
fn machines(report: &Report) -> Vec<Vec<u8>> {
    let mut kinds = Vec::with_capacity(KINDS);
    for kind in 0..KINDS {
        let mut other = report.clone();
        for system in &mut other.systems {
            // Each kind lacks some packages, and has others in a version of its own.
            let mut at = 0;
            system.packages.items.retain(|_| {
                at += 1;
                (at + kind) % 17 != 0
            });
            for package in system.packages.items.iter_mut().skip(kind).step_by(KINDS) {
                package.version.push_str("+b1");
            }
        }
        kinds.push(other);
    }
    (0..MACHINES)
        .map(|machine| {
            // No two that follow each other are alike.
            let mut report = kinds[machine % KINDS].clone();
            for system in &mut report.systems {
                system.identity.hostname = Fact::known(format!("vm{machine:05}"), "/etc/hostname");
            }
            serde_json::to_vec(&report).unwrap()
        })
        .collect()
}

fn fleet(folder: &Path, report: &Report, options: &Options) {
    let machines = machines(report);
    let size: usize = machines.iter().map(Vec::len).sum();
    println!("fleet-mib {:.0}", size as f64 / f64::from(1 << 20));
    let database = Database::open(folder).unwrap();
    let each = |work: &(dyn Fn(&[u8]) + Sync)| {
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    while let Some(machine) = machines.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(machine);
                    }
                });
            }
        });
        MACHINES as f64 / start.elapsed().as_secs_f64()
    };
    let parse = |bytes: &[u8]| serde_json::from_slice::<Report>(bytes).unwrap();
    let reports: Vec<_> = machines.iter().take(100).map(|it| parse(it)).collect();
    let likeness = median(
        reports
            .iter()
            .map(|it| {
                timed(&|| {
                    black_box(Likeness::of(it));
                })
            })
            .collect(),
    );
    println!("likeness-ms {likeness:.2}");
    println!("fleet-parse {:.0}", each(&|bytes| drop(black_box(parse(bytes)))));
    let known = Fleet::new(&database, options.clone(), KINDS);
    let files = each(&|bytes| drop(black_box(known.findings(&parse(bytes)).unwrap())));
    println!("fleet-reports {files:.0}");
    println!("fleet-kinds {}", known.compared());
    // Who keeps what each machine is like compares each kind once.
    let mut kinds: Vec<(Likeness, Report)> = machines
        .iter()
        .take(KINDS)
        .map(|bytes| parse(bytes))
        .map(|report| (Likeness::of(&report), report))
        .collect();
    kinds.sort_by_key(|(likeness, _)| *likeness);
    let known = Fleet::new(&database, options.clone(), KINDS);
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((_, report)) = kinds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    drop(black_box(known.findings(report).unwrap()));
                }
            });
        }
    });
    println!("fleet-kept {:.0}", MACHINES as f64 / start.elapsed().as_secs_f64());
}
