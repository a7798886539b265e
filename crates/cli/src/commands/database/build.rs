//! `fathom db build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use fathom_advisory::segment::About;
use fathom_block::source::{download, forget};
use fathom_feed::Error;
use fathom_feed::provider::Provider;
use fathom_mirror::{Installed, Store, discard};

use super::feeds::{Feed, Place, feeds};
use super::scratch::Scratch;
use super::{failed, folder, not_installed};
use crate::args::Build;
use crate::clock;
use crate::exit::{Failure, Verdict, say};
use crate::interrupt::Leftovers;
use crate::machine;
use crate::output::{Columns, Out};
use crate::progress::Progress;
use crate::text::harmless;

/// The most feeds that are compiled at once unless it is said: each takes memory of its own.
const MOST_JOBS: usize = 4;

/// The folder of a database in which feeds are kept that were fetched.
const FETCHED: &str = "feeds";

/// The most bytes that a feed has which is fetched: no server fills a disk by never ending.
const LARGEST: u64 = 8 << 30;

/// A feed that is here.
struct Here {
    provider: &'static Provider,
    path: PathBuf,
    /// Whether it is ours to fetch anew.
    is_fetched: bool,
}

/// What feeds say of themselves, in their order.
type Compiled = Vec<(&'static Provider, About)>;

pub(super) fn run(options: &Build) -> Result<Verdict, Failure> {
    let feeds = feeds(&options.feeds)?;
    match options.check {
        true => check(feeds, options),
        false => build(feeds, options),
    }
}

fn build(feeds: Vec<Feed>, options: &Build) -> Result<Verdict, Failure> {
    let folder = folder(&options.database)?;
    let store = Store::open(&folder).map_err(not_installed)?;
    let unfinished = folder.clone();
    let _leftovers = Leftovers::of(move || discard(&unfinished));
    let here = fetch(feeds, &folder.join(FETCHED), options)?;
    let generation = store.begin().map_err(not_installed)?;
    let built = clock::rfc3339(clock::now()?);
    let compiled = all(&here, jobs(options), &|provider, path| {
        provider.compile(path, generation.folder(), &built)
    })?;
    warn(&compiled);
    let installed = Installed { created: built, ..Installed::default() };
    generation.commit(&installed).map_err(not_installed)?;
    show(compiled)
}

/// Reads the feeds, and leaves the database as it is, be it that there is none.
fn check(feeds: Vec<Feed>, options: &Build) -> Result<Verdict, Failure> {
    let scratch = Scratch::new()?;
    let here = fetch(feeds, &scratch.path().join(FETCHED), options)?;
    let compiled =
        all(&here, jobs(options), &|provider, path| provider.check(path, scratch.path()))?;
    warn(&compiled);
    show(compiled)
}

/// Says which records made no sense.
fn warn(compiled: &Compiled) {
    for (provider, about) in compiled {
        for example in &about.examples {
            say(&format!("warning: {}: {}", provider.name, harmless(example)));
        }
    }
}

fn show(compiled: Compiled) -> Result<Verdict, Failure> {
    let mut columns = Columns::new(&[1, 2, 3]);
    columns.row(
        ["provider", "advisories", "statements", "malformed", "as of"].map(str::to_owned).to_vec(),
    );
    let is_partial = compiled.iter().any(|(_, about)| about.malformed > 0);
    for (provider, about) in compiled {
        columns.row(vec![
            provider.name.to_owned(),
            about.advisories.to_string(),
            about.statements.to_string(),
            about.malformed.to_string(),
            about.as_of,
        ]);
    }
    let mut out = Out::new();
    columns.write(&mut out)?;
    out.finish()?;
    Ok(if is_partial { Verdict::Partial } else { Verdict::Done })
}

fn jobs(options: &Build) -> usize {
    let processors = || thread::available_parallelism().map_or(1, usize::from).min(MOST_JOBS);
    options.jobs.map_or_else(processors, usize::from)
}

/// Makes a feed's file of a database.
type Compile<'c> = dyn Fn(&Provider, &Path) -> fathom_feed::Result<About> + Sync + 'c;

/// Compiles all feeds, several at a time; what each says, in their order.
fn all(feeds: &[Here], jobs: usize, compile: &Compile<'_>) -> Result<Compiled, Failure> {
    let progress = Progress::counting("feeds", feeds.len());
    let queue = Mutex::new(feeds.iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(feeds.len()));
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, feed)) = next else { break };
            let about = compile(feed.provider, &feed.path);
            progress.add(1);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, feed, about));
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.min(feeds.len()) {
            // A thread that cannot be had is no failure: this one does the work then.
            drop(thread::Builder::new().spawn_scoped(scope, work));
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, ..)| *at);
    let about = done.into_iter().map(|(_, feed, about)| match about {
        Ok(about) => Ok((feed.provider, about)),
        Err(Error::Read(place, error)) => Err(Failure::Host(place, error)),
        Err(Error::Malformed(place, why)) => {
            // The server would go on to say that this version is there.
            if feed.is_fetched {
                forget(&feed.path);
            }
            Err(fathom_block::Error::malformed(place, why).into())
        }
        Err(Error::Database(error)) => Err(failed(error)),
    });
    about.collect()
}

/// Fetches the feeds that are elsewhere.
fn fetch(feeds: Vec<Feed>, folder: &Path, options: &Build) -> Result<Vec<Here>, Failure> {
    let http = machine::http(&options.http)?;
    let mut here = Vec::with_capacity(feeds.len());
    for Feed { provider, place } in feeds {
        here.push(match place {
            Place::File(path) => Here { provider, path, is_fetched: false },
            Place::Address(address) => {
                fs::create_dir_all(folder).map_err(Failure::host(folder.display().to_string()))?;
                let path = folder.join(provider.feed);
                let (mut progress, mut there) = (None, 0);
                let fetched = download(&address, &http, &path, LARGEST, &mut |bytes, all| {
                    let progress =
                        progress.get_or_insert_with(|| Progress::new(provider.feed, all));
                    progress.add(bytes.saturating_sub(there));
                    there = bytes;
                });
                drop(progress);
                fetched?;
                Here { provider, path, is_fetched: true }
            }
        });
    }
    Ok(here)
}
