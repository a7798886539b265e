//! Is what we read what is there? Golden images are made by the tools that own each format, and
//! every path, type, mode, owner, size, time, attribute and byte is compared with what the kernel
//! or the owning tool says of them.

mod applications;
mod boot;
mod btrfs;
pub(crate) mod container;
pub(crate) mod containers;
mod document;
mod ext;
mod fat;
mod fixture;
mod guest;
mod languages;
pub(crate) mod machine;
mod manifest;
mod network;
mod ntfs;
mod packages;
mod qcow2;
pub(crate) mod registry;
mod security;
mod versions;
pub(crate) mod vhd;
mod vmdk;
pub(crate) mod volume;
pub(crate) mod windows;
mod work;
mod xfs;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, bail};

pub(crate) use fixture::{Abilities, populate};
pub(crate) use manifest::{Ignore, Manifest, hash_reader};
pub(crate) use work::Work;

/// Which comparisons to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this.
    filter: Option<String>,
    /// Print the names of the cases and stop.
    #[arg(long)]
    list: bool,
    /// Keep the working folder of every case, to look at it.
    #[arg(long)]
    keep: bool,
    /// How many cases to run at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// What runs one comparison: an error is a difference, or that it could not be made.
type Run = Box<dyn Fn(&Work) -> Result<()> + Send + Sync>;

/// One comparison.
pub(crate) struct Case {
    name: String,
    run: Run,
}

impl Case {
    /// The comparison called `name`, such as `ext/4k-clean`.
    pub(crate) fn new(
        name: impl Into<String>,
        run: impl Fn(&Work) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

fn cases() -> Vec<Case> {
    [
        qcow2::cases,
        vmdk::cases,
        vhd::cases,
        volume::cases,
        ext::cases,
        xfs::cases,
        btrfs::cases,
        ntfs::cases,
        fat::cases,
        packages::cases,
        guest::cases,
        applications::cases,
        languages::cases,
        containers::cases,
        machine::cases,
        network::cases,
        windows::cases,
        versions::cases,
        registry::cases,
        document::cases,
        boot::cases,
        security::cases,
    ]
    .iter()
    .flat_map(|cases| cases())
    .collect()
}

/// Runs the comparisons and prints a line for each.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let filter = arguments.filter.as_deref().unwrap_or("");
    let chosen: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(filter)).collect();
    if arguments.list {
        chosen.iter().for_each(|case| println!("{}", case.name));
        return Ok(());
    }
    if chosen.is_empty() {
        bail!("no case is called {filter:?}");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("the oracle mounts images with the kernel and must run as root");
    }
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let outcome =
                        Work::new(&case.name, arguments.keep).and_then(|work| (case.run)(&work));
                    let seconds = started.elapsed().as_secs_f32();
                    match outcome {
                        Ok(()) => println!("ok    {:<40} {seconds:>6.1} s", case.name),
                        Err(error) => {
                            println!("WRONG {:<40} {seconds:>6.1} s", case.name);
                            failed
                                .lock()
                                .unwrap_or_else(std::sync::PoisonError::into_inner)
                                .push((&case.name, error));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Told at the end, where they are not lost among those that passed.
    for (name, error) in &failed {
        println!("\n{name}: {error:#}");
    }
    println!("oracle: {} passed, {} failed", chosen.len() - failed.len(), failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("{} cases differ", failed.len()) }
}
