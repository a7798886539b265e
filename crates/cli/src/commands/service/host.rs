//! What the service and a worker of its own have in common: they do jobs, put in order what was left,
//! and end when they are told to.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use fathom_artefact::BucketSettings;
use fathom_config::Config;
use fathom_fleet::{Advisories, Judge};
use fathom_jobs::{Capabilities, Configuration, Desk, Hold, Resources, WorkerDescription};
use fathom_queue::Transport;
use fathom_store::Store;
use fathom_worker::image::address::Https;
use fathom_worker::image::{Buckets, Images, Limits, Roots};
use fathom_worker::machine::{self, Outlets, Tools};
use fathom_worker::{Echo, Handlers, Meters, Rules, Source};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use super::{failed, watched};
use crate::exit::Failure;
use crate::interrupt;

/// How often what was left is put in order.
const SWEEP: Duration = Duration::from_secs(1);
/// Jobs that nobody took for this long are told of again.
const ANNOUNCE: Duration = Duration::from_secs(30);
/// How often what is over is forgotten.
const FORGET: Duration = Duration::from_secs(60);
/// How often it is looked whether machines are to be compared once more.
const REMATCH: Duration = Duration::from_secs(3);
/// Who made a document.
const GENERATOR: &str = concat!("fathom ", env!("CARGO_PKG_VERSION"));
/// How long it is known what webhooks were told.
const TOLD: Duration = Duration::from_secs(7 * 24 * 3600);
/// Memory that a place of a worker is counted with.
const PLACE: u64 = 512 << 20;

/// Where jobs are handed in. Where the images lie on other hosts, as far as is known here, a job is
/// held to its form alone; the worker that reads them looks at the rest.
pub(super) fn desk(
    store: Store,
    transport: Option<Arc<dyn Transport>>,
    places: Option<&Places>,
) -> Desk {
    match places {
        Some(Places { roots, outlets }) => {
            Desk::new(store, transport, machine::check(Arc::clone(roots), Arc::clone(outlets)))
        }
        None => Desk::new(store, transport, machine::check_form),
    }
}

/// Where images are read from, and where results may be written.
pub(super) struct Places {
    roots: Arc<Roots>,
    outlets: Arc<Outlets>,
}

impl Places {
    pub(super) fn of(config: &Config) -> Result<Self, Failure> {
        let buckets: Vec<_> = config.buckets.iter().map(bucket).collect();
        let most = config.worker.limits.output.get();
        let outlets = Outlets::new(&config.worker.results, &buckets, most)
            .map_err(|why| Failure::Usage(format!("worker.results: {why}")))?;
        Ok(Self { roots: roots(config, &buckets)?, outlets: Arc::new(outlets) })
    }
}

/// A bucket, as those see it who read and write there.
fn bucket(set: &fathom_config::Bucket) -> BucketSettings {
    let key = set.access_key.clone().zip(set.secret_key.clone());
    BucketSettings {
        endpoint: set.endpoint.clone(),
        region: set.region.clone(),
        key,
        path_style: set.path_style.unwrap_or(set.endpoint.is_some()),
        conditional: set.conditional_writes,
        ca_file: set.ca_file.clone(),
        ..BucketSettings::new(&set.name)
    }
}

/// Whether the settings say where images lie.
pub(super) fn has_images(config: &Config) -> bool {
    let worker = &config.worker;
    !worker.image_roots.is_empty()
        || !worker.https_allowed.is_empty()
        || !worker.s3_allowed.is_empty()
}

/// Where images are read from.
fn roots(config: &Config, buckets: &[BucketSettings]) -> Result<Arc<Roots>, Failure> {
    let worker = &config.worker;
    let unfit = |setting: &str, why: &str| Failure::Usage(format!("{setting}: {why}"));
    if let Some(host) = worker.https_allowed.iter().find(|host| host.starts_with("*.")) {
        let why = format!("{host}: this version takes whole names only; name each host");
        return Err(unfit("worker.https_allowed", &why));
    }
    let https = Https::new(&worker.https_allowed)
        .map_err(|refusal| unfit("worker.https_allowed", &refusal.message))?;
    let roots = Roots::new(&worker.image_roots)
        .map_err(|refusal| unfit("worker.image_roots", &refusal.message))?;
    let buckets = Buckets::new(&worker.s3_allowed, buckets)
        .map_err(|refusal| unfit("worker.s3_allowed", &refusal.message))?;
    Ok(Arc::new(roots.https(https).buckets(buckets)))
}

/// What reads images: this program, started anew for each.
fn images(config: &Config, roots: &Arc<Roots>) -> Result<Images, Failure> {
    let program = std::env::current_exe().map_err(Failure::host("this program"))?;
    let limits = &config.worker.limits;
    let limits = Limits {
        child: fathom_worker::image::ChildLimits {
            wall: limits.time.get(),
            cpu: limits.cpu.get(),
            memory: limits.memory.get(),
            descriptors: limits.open_files.into(),
            allow_degraded: false,
        },
        report: usize::try_from(limits.output.get()).unwrap_or(usize::MAX),
    };
    let arguments = [OsString::from(crate::CONFINED)];
    Ok(Images::new(program, arguments, Arc::clone(roots), limits))
}

/// What a worker can do besides operations. `confined` only says who has shown it.
async fn features(
    config: &Config,
    images: &Arc<Images>,
    advisories: Option<&Advisories>,
) -> Vec<String> {
    let say = |message: &str| watched::say(config, message);
    let mut features = Vec::new();
    let images = Arc::clone(images);
    match tokio::task::spawn_blocking(move || images.probe()).await {
        Ok(Ok(confinement)) if confinement.is_complete() => features.push("confined".to_owned()),
        Ok(Ok(confinement)) => {
            say(&format!("warning: {confinement}; jobs on images end with NOT_CONFINED"));
        }
        Ok(Err(failure)) => say(&format!("warning: images cannot be read: {failure}")),
        Err(_) => say("warning: images cannot be read, by a bug"),
    }
    if !config.worker.https_allowed.is_empty() {
        features.push("https".to_owned());
    }
    if !config.worker.s3_allowed.is_empty() {
        features.push("s3".to_owned());
    }
    if advisories.is_some_and(Advisories::is_there) {
        features.push("advisories".to_owned());
    }
    features
}

/// A worker that works, until `stop` says to leave.
pub(super) async fn worker(
    config: &Config,
    desk: &Desk,
    transport: Option<Arc<dyn Transport>>,
    places: &Places,
    advisories: Option<Arc<Advisories>>,
    registry: &mut Registry,
    stop: watch::Receiver<bool>,
) -> Result<(JoinHandle<()>, WorkerDescription), Failure> {
    let images = Arc::new(images(config, &places.roots)?);
    let features = features(config, &images, advisories.as_deref()).await;
    let tools = Tools::new(images, advisories, registry)
        .outlets(Arc::clone(&places.outlets))
        .keeping(desk.store().clone());
    let handlers = machine::handlers(tools).with(Echo);
    let concurrency = concurrency(config);
    let description = describe(config, &handlers, features, concurrency);
    let rules = Rules {
        concurrency: concurrency as usize,
        lease: config.worker.lease.get(),
        drain: config.worker.drain_timeout.get(),
        ..Rules::default()
    };
    let meters = Arc::new(Meters::register(registry));
    let hold = Hold::register(desk.store().clone(), description.clone(), rules.lease)
        .await
        .map_err(|error| failed("registering the worker", &error))?;
    let source = Source::new(desk.clone(), transport);
    let worker = tokio::spawn(fathom_worker::run(hold, handlers, rules, meters, stop, source));
    Ok((worker, description))
}

/// As many places as are asked for, or as processors and memory allow.
fn concurrency(config: &Config) -> u32 {
    if config.worker.concurrency > 0 {
        return config.worker.concurrency;
    }
    let processors = processors();
    let by_memory = u32::try_from(memory() / PLACE).unwrap_or(u32::MAX);
    processors.min(by_memory).max(1)
}

fn processors() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX)
}

/// Memory of this machine; of a machine that does not say, enough for one place.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or(PLACE, |kilobytes| kilobytes.saturating_mul(1024))
}

fn describe(
    config: &Config,
    handlers: &Handlers,
    features: Vec<String>,
    concurrency: u32,
) -> WorkerDescription {
    let named = |name: &str| name.to_owned();
    let hostname = hostname();
    WorkerDescription {
        worker_id: name(config),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        hostname,
        capabilities: Capabilities {
            operations: handlers.operations(),
            features,
            disk_formats: fathom_block::Format::ALL.map(|format| named(format.name())).to_vec(),
            filesystems: fathom_filesystem::Kind::readable()
                .map(|kind| named(kind.name()))
                .collect(),
        },
        resources: Resources {
            cpus: processors(),
            memory_bytes: memory(),
            privileged: rustix::process::geteuid().is_root(),
            maximum_disk_size_gb: None,
        },
        configuration: Configuration {
            pool: config.worker.pool.clone(),
            concurrency,
            ..Configuration::default()
        },
    }
}

/// What this process is called among the workers.
pub(super) fn name(config: &Config) -> String {
    let id = config.worker.id.clone();
    id.unwrap_or_else(|| format!("{}-{}", hostname(), std::process::id()))
}

fn hostname() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    text.trim().to_owned()
}

/// Puts in order what was left, for as long as the process lives.
pub(super) fn housekeeping(desk: Desk, config: &Config) -> JoinHandle<()> {
    let age = config.store.retention.jobs.map(|span| span.get());
    let reports = config.store.retention.reports.map(|span| span.get());
    tokio::spawn(async move {
        let mut forgotten = tokio::time::Instant::now();
        let mut well = true;
        loop {
            match desk.sweep(ANNOUNCE).await {
                Ok(_) if !well => {
                    well = true;
                    info!("the store answers again");
                }
                Ok(_) => {}
                Err(refusal) if well => {
                    well = false;
                    let why = refusal.detail.unwrap_or(refusal.message);
                    warn!(why, "the store cannot be asked, and is tried again");
                }
                Err(_) => {}
            }
            if forgotten.elapsed() > FORGET {
                forgotten = tokio::time::Instant::now();
                // What is not forgotten now is forgotten the next time.
                if let Some(age) = age {
                    let _ = desk.store().forget_jobs(age, 10_000).await;
                }
                if let Some(age) = reports {
                    let _ = desk.store().forget_inspections(age, 1000).await;
                }
                let day = Duration::from_secs(24 * 3600);
                let _ = desk.store().forget_workers(day).await;
                let _ = desk.store().forget_sessions(day).await;
                let _ = desk.store().forget_deliveries(TOLD, 10_000).await;
            }
            tokio::time::sleep(SWEEP).await;
        }
    })
}

/// What is known of flaws, unless nobody is to look for them.
pub(super) fn advisories(config: &Config) -> Option<Arc<Advisories>> {
    config.scan.enabled.then(|| Arc::new(Advisories::new(&config.scan.database)))
}

/// Compares machines once more where what is known has changed, for as long as the process lives.
pub(super) fn rematching(store: Store, advisories: Arc<Advisories>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut told = None;
        loop {
            let trouble = rematch_all(&store, &advisories).await.err();
            if trouble != told
                && let Some(why) = &trouble
            {
                warn!("machines cannot be compared once more, and are later: {why}");
            }
            told = trouble;
            tokio::time::sleep(REMATCH).await;
        }
    })
}

async fn rematch_all(store: &Store, advisories: &Arc<Advisories>) -> Result<(), String> {
    let opened = Arc::clone(advisories);
    let database = tokio::task::spawn_blocking(move || opened.open()).await;
    let database = match database.map_err(|error| error.to_string())? {
        Ok(database) => database,
        // Nobody has got one yet: machines stay as they are, and say so.
        Err(fathom_fleet::NoDatabase::None(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let asked = |error: fathom_store::Error| error.to_string();
    for namespace in store.namespaces().await.map_err(asked)? {
        let decided = store.approved_exceptions(&namespace).await.map_err(asked)?;
        let now = store.now().await.map_err(asked)?;
        let today = fathom_advisory::Day::of(&fathom_jobs::rfc3339(now));
        let judge = Arc::new(Judge::new(Arc::clone(&database), &decided, today, GENERATOR));
        loop {
            let by = Arc::clone(&judge);
            let compare = |reports: Vec<fathom_report::Report>| async move {
                let compared = tokio::task::spawn_blocking(move || {
                    let findings = by.all(&reports).map_err(|error| error.to_string())?;
                    let verdicts = findings.iter().map(|findings| by.verdict(findings));
                    verdicts.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())
                });
                compared.await.map_err(|error| error.to_string())?
            };
            let done = fathom_fleet::rematch(store, &namespace, &judge, compare).await;
            let done = done.map_err(asked)?;
            if done.judged + done.overtaken == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Ends when the process is told to end.
pub(super) async fn told_to_end() {
    while interrupt::check().is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
