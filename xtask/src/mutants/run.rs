//! Running the damaged images: in child processes with little memory, watched by a clock.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::damage::{Random, damage, written_sectors};
use super::{Target, targets};
use crate::oracle::Work;

/// How long one image may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How much address space the reader gets, besides what the harness itself holds: the image and
/// its undamaged twin.
const MEMORY: u64 = 512 << 20;

/// How many damaged images to try.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only formats whose name contains this.
    filter: Option<String>,
    /// How many images a format.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many formats to run at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

/// What the child process is told.
#[derive(clap::Args)]
pub(crate) struct ChildArguments {
    target: String,
    from: u64,
    count: u64,
    seeds: Vec<PathBuf>,
}

/// Runs all formats and prints a line for each.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let filter = arguments.filter.as_deref().unwrap_or("");
    let chosen: Vec<_> =
        targets().into_iter().filter(|target| target.name.contains(filter)).collect();
    if chosen.is_empty() {
        bail!("no format is called {filter:?}");
    }
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.max(1) {
            scope.spawn(|| {
                while let Some(target) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let started = Instant::now();
                    let outcome = run_target(target, arguments);
                    let seconds = started.elapsed().as_secs_f32();
                    match outcome {
                        Ok(()) => println!("ok    mutants of {:<12} {seconds:>6.1} s", target.name),
                        Err(error) => {
                            println!(
                                "WRONG mutants of {:<12} {seconds:>6.1} s\n{error:#}",
                                target.name
                            );
                            *failed.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                        }
                    }
                }
            });
        }
    });
    let failed: usize = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("mutants: {} passed, {failed} failed", chosen.len() - failed);
    if failed == 0 { Ok(()) } else { bail!("{failed} formats failed") }
}

fn run_target(target: &Target, arguments: &Arguments) -> Result<()> {
    let work = Work::new(&format!("mutants-{}", target.name), false)?;
    let mut seeds = Vec::new();
    let mut largest = 0;
    for (index, image) in (target.seeds)(&work)?.into_iter().enumerate() {
        check_healthy(target, index, image.clone())?;
        let path = work.path(&format!("seed-{index}"));
        largest = largest.max(image.len() as u64);
        fs::write(&path, image)?;
        seeds.push(path);
    }
    if seeds.is_empty() {
        bail!("{} has no seed images", target.name);
    }
    let total: u64 = seeds.iter().map(|path| fs::metadata(path).map_or(0, |m| m.len())).sum();
    let mut bad = Vec::new();
    let end = arguments.from + arguments.count;
    let mut from = arguments.from;
    while from < end && bad.len() < 10 {
        let limit = MEMORY + total + 2 * largest;
        match run_child(target, from, end - from, &seeds, limit)? {
            None => break,
            Some((seed, why)) => {
                bad.push(format!("seed {seed}: {why}"));
                from = seed + 1;
            }
        }
    }
    if bad.is_empty() { Ok(()) } else { bail!("{}", bad.join("\n")) }
}

/// Fails unless all of an undamaged image is read: mutants of what is not read try nothing.
fn check_healthy(target: &Target, index: usize, image: Vec<u8>) -> Result<()> {
    let outcome = (target.exercise)(image);
    let said: Vec<String> = outcome.errors.iter().map(ToString::to_string).collect();
    let unexpected = |said: &&String| !target.refused.iter().any(|words| said.contains(words));
    if let Some(said) = said.iter().find(unexpected) {
        bail!("image {index} of {} is not healthy: {said}", target.name);
    }
    if outcome.bytes == 0 {
        bail!("nothing is read of image {index} of {}", target.name);
    }
    Ok(())
}

/// Runs images until one goes wrong; says which, and how.
fn run_child(
    target: &Target,
    from: u64,
    count: u64,
    seeds: &[PathBuf],
    memory: u64,
) -> Result<Option<(u64, String)>> {
    let mut child = Command::new("prlimit")
        .arg(format!("--as={memory}"))
        .arg("--")
        .arg(std::env::current_exe()?)
        .args(["mutants-child", target.name, &from.to_string(), &count.to_string()])
        .args(seeds)
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("prlimit could not be started")?;
    let lines = child.stdout.take().context("no standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let mut current = from;
    loop {
        match receiver.recv_timeout(DEADLINE) {
            Ok(line) => match line.parse() {
                Ok(seed) => current = seed,
                Err(_) => {
                    child.wait()?;
                    return Ok(None);
                }
            },
            Err(mpsc::RecvTimeoutError::Timeout) => {
                child.kill()?;
                child.wait()?;
                return Ok(Some((current, format!("took longer than {DEADLINE:?}"))));
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Ok(Some((current, how_it_ended(child)?)));
            }
        }
    }
}

fn how_it_ended(child: Child) -> Result<String> {
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().take(3).collect::<Vec<_>>().join(" / ");
    Ok(match output.status.signal() {
        Some(signal) => format!("killed by signal {signal}: {said}"),
        None => format!("{}: {said}", output.status),
    })
}

/// The child: damages and reads images, and says each seed before it is tried.
pub(crate) fn child(arguments: &ChildArguments) -> Result<()> {
    let target = targets()
        .into_iter()
        .find(|target| target.name == arguments.target)
        .context("no such target")?;
    let mut seeds = Vec::new();
    for path in &arguments.seeds {
        let image = fs::read(path)?;
        let sectors = written_sectors(&image);
        seeds.push((image, sectors));
    }
    let mut out = std::io::stdout().lock();
    for seed in arguments.from..arguments.from + arguments.count {
        writeln!(out, "{seed}")?;
        out.flush()?;
        let (image, sectors) = &seeds[(seed % seeds.len() as u64) as usize];
        let mut image = image.clone();
        let mut random = Random::new(seed);
        let places = damage(&mut image, sectors, &mut random);
        // A quarter of the images keeps its wrong checksums.
        if random.below(4) != 0 {
            for place in places {
                (target.fix)(&mut image, place);
            }
        }
        (target.exercise)(image);
    }
    writeln!(out, "done")?;
    Ok(())
}
