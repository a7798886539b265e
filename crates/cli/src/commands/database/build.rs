//! `fathom db build`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use fathom_advisory::segment::About;
use fathom_block::source::download;
use fathom_feed::Error;
use fathom_feed::provider::{PROVIDERS, Provider};
use fathom_mirror::{Installed, Store};

use super::{failed, folder, not_installed};
use crate::args::Build;
use crate::clock;
use crate::exit::{Failure, Verdict, say};
use crate::machine;
use crate::output::{Columns, Out};
use crate::progress::Progress;
use crate::text::harmless;

/// The most feeds that are compiled at once unless it is said: each takes memory of its own.
const MOST_JOBS: usize = 4;

/// The folder of a database in which feeds are kept that were fetched.
const FETCHED: &str = "feeds";

/// A feed, and where it is.
struct Feed {
    provider: &'static Provider,
    place: Place,
}

/// Where a feed is.
enum Place {
    File(PathBuf),
    Address(String),
}

pub(super) fn run(options: &Build) -> Result<Verdict, Failure> {
    let feeds = feeds(&options.feeds)?;
    let folder = folder(&options.database)?;
    let store = Store::open(&folder).map_err(not_installed)?;
    let fetched = fetch(feeds, &folder.join(FETCHED), options)?;
    let generation = store.begin().map_err(not_installed)?;
    let built = clock::rfc3339(clock::now()?);
    let compile = |provider: &Provider, path: &Path| match options.check {
        true => provider.check(path, generation.folder()),
        false => provider.compile(path, generation.folder(), &built),
    };
    let mut columns = Columns::new(&[1, 2, 3]);
    columns.row(
        ["provider", "advisories", "statements", "malformed", "as of"].map(str::to_owned).to_vec(),
    );
    let mut is_partial = false;
    for (provider, about) in all(&fetched, jobs(options), &compile)? {
        for example in &about.examples {
            say(&format!("warning: {}: {}", provider.name, harmless(example)));
        }
        is_partial |= about.malformed > 0;
        columns.row(vec![
            provider.name.to_owned(),
            about.advisories.to_string(),
            about.statements.to_string(),
            about.malformed.to_string(),
            about.as_of,
        ]);
    }
    if !options.check {
        let installed = Installed { created: built, ..Installed::default() };
        generation.commit(&installed).map_err(not_installed)?;
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
fn all(
    feeds: &[(&'static Provider, PathBuf)],
    jobs: usize,
    compile: &Compile<'_>,
) -> Result<Vec<(&'static Provider, About)>, Failure> {
    let progress = Progress::counting("feeds", feeds.len());
    let queue = Mutex::new(feeds.iter().enumerate());
    let done = Mutex::new(Vec::with_capacity(feeds.len()));
    let work = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, (provider, path))) = next else { break };
            let about = compile(provider, path);
            progress.add(1);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, *provider, about));
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
    let about = done.into_iter().map(|(_, provider, about)| match about {
        Ok(about) => Ok((provider, about)),
        Err(Error::Read(place, error)) => Err(Failure::Host(place, error)),
        Err(Error::Malformed(place, why)) => {
            Err(fathom_block::Error::corrupt(place, 0, why).into())
        }
        Err(Error::Database(error)) => Err(failed(error)),
    });
    about.collect()
}

/// Fetches the feeds that are elsewhere.
fn fetch(
    feeds: Vec<Feed>,
    folder: &Path,
    options: &Build,
) -> Result<Vec<(&'static Provider, PathBuf)>, Failure> {
    let http = machine::http(&options.http)?;
    let mut here = Vec::with_capacity(feeds.len());
    for feed in feeds {
        let path = match feed.place {
            Place::File(path) => path,
            Place::Address(address) => {
                fs::create_dir_all(folder).map_err(Failure::host(folder.display().to_string()))?;
                let path = folder.join(feed.provider.feed);
                let (mut progress, mut there) = (None, 0);
                let fetched = download(&address, &http, &path, &mut |bytes, all| {
                    let progress =
                        progress.get_or_insert_with(|| Progress::new(feed.provider.feed, all));
                    progress.add(bytes.saturating_sub(there));
                    there = bytes;
                });
                drop(progress);
                fetched?;
                path
            }
        };
        here.push((feed.provider, path));
    }
    Ok(here)
}

/// The feeds that were named, and those in folders that were.
fn feeds(named: &[OsString]) -> Result<Vec<Feed>, Failure> {
    let mut feeds = Vec::new();
    for word in named {
        let (provider, place) = named_before(word);
        if let Some(address) = place.to_str().filter(|it| is_address(it)) {
            let provider = provider.or_else(|| Provider::of(Path::new(file_of(address))));
            let provider = provider.ok_or_else(|| unknown(address, "is no feed by its name"))?;
            feeds.push(Feed { provider, place: Place::Address(address.to_owned()) });
            continue;
        }
        let path = Path::new(place);
        let shown = path.display().to_string();
        let failed = || Failure::reading(shown.clone());
        if fs::metadata(path).map_err(failed())?.is_dir() {
            let before = feeds.len();
            for entry in fs::read_dir(path).map_err(failed())? {
                let path = entry.map_err(failed())?.path();
                let place = Place::File(path.clone());
                feeds.extend(Provider::of(&path).map(|provider| Feed { provider, place }));
            }
            if feeds.len() == before {
                return Err(unknown(&shown, "holds no feed by its name"));
            }
        } else {
            let provider = provider.or_else(|| Provider::of(path));
            let provider = provider.ok_or_else(|| unknown(&shown, "is no feed by its name"))?;
            feeds.push(Feed { provider, place: Place::File(path.to_owned()) });
        }
    }
    feeds.sort_by_key(|feed| feed.provider.name);
    let is_twice = |pair: &&[Feed]| pair.iter().all(|it| it.provider.name == pair[0].provider.name);
    if let Some([one, ..]) = feeds.windows(2).find(is_twice) {
        let why = format!("there are two feeds of {}: name one of them", one.provider.name);
        return Err(Failure::Usage(why));
    }
    Ok(feeds)
}

/// The feed that is named before a place, as in `debian-osv=https://…/all.zip`.
fn named_before(word: &OsStr) -> (Option<&'static Provider>, &OsStr) {
    let named = word.to_str().and_then(|text| {
        let (name, place) = text.split_once('=')?;
        let provider = PROVIDERS.iter().find(|provider| provider.feed == name)?;
        Some((provider, place))
    });
    named.map_or((None, word), |(provider, place)| (Some(provider), OsStr::new(place)))
}

fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// The name of the file that an address ends with.
fn file_of(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    path.rsplit('/').next().unwrap_or(path)
}

fn unknown(shown: &str, what: &str) -> Failure {
    let names: Vec<_> = PROVIDERS.iter().map(|it| it.feed).collect();
    Failure::Usage(format!("{shown} {what}; there are {}", names.join(", ")))
}
