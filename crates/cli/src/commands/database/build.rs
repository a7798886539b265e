//! `fathom db build`.

use std::fs;
use std::path::{Path, PathBuf};

use fathom_feed::Error;
use fathom_feed::provider::Provider;
use fathom_mirror::{Installed, Store};

use super::{failed, folder, not_installed};
use crate::args::Build;
use crate::clock;
use crate::exit::{Failure, Verdict, say};
use crate::output::{Columns, Out};
use crate::text::harmless;

pub(super) fn run(options: &Build) -> Result<Verdict, Failure> {
    let feeds = feeds(&options.feeds)?;
    let store = Store::open(&folder(&options.database)?).map_err(not_installed)?;
    let generation = store.begin().map_err(not_installed)?;
    let built = clock::rfc3339(clock::now()?);
    let mut columns = Columns::new(&[1, 2, 3]);
    columns.row(
        ["provider", "advisories", "statements", "malformed", "as of"].map(str::to_owned).to_vec(),
    );
    let mut is_partial = false;
    for (provider, path) in feeds {
        let about =
            provider.compile(&path, generation.folder(), &built).map_err(|error| match error {
                Error::Read(place, error) => Failure::Host(place, error),
                Error::Malformed(place, why) => fathom_block::Error::corrupt(place, 0, why).into(),
                Error::Database(error) => failed(error),
            })?;
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
    let installed = Installed { created: built, ..Installed::default() };
    generation.commit(&installed).map_err(not_installed)?;
    let mut out = Out::new();
    columns.write(&mut out)?;
    out.finish()?;
    Ok(if is_partial { Verdict::Partial } else { Verdict::Done })
}

/// The feeds that were named, and those in folders that were.
fn feeds(named: &[PathBuf]) -> Result<Vec<(&'static Provider, PathBuf)>, Failure> {
    let mut feeds = Vec::new();
    for path in named {
        let failed = || Failure::reading(path.display().to_string());
        if fs::metadata(path).map_err(failed())?.is_dir() {
            let before = feeds.len();
            for entry in fs::read_dir(path).map_err(failed())? {
                let path = entry.map_err(failed())?.path();
                feeds.extend(Provider::of(&path).map(|provider| (provider, path.clone())));
            }
            if feeds.len() == before {
                return Err(unknown(path, "holds no feed whose name is known"));
            }
        } else {
            let provider = Provider::of(path);
            let provider =
                provider.ok_or_else(|| unknown(path, "is no feed whose name is known"))?;
            feeds.push((provider, path.clone()));
        }
    }
    feeds.sort_by_key(|(provider, _)| provider.name);
    Ok(feeds)
}

fn unknown(path: &Path, what: &str) -> Failure {
    let names: Vec<_> = fathom_feed::provider::PROVIDERS.iter().map(|it| it.feed).collect();
    Failure::Usage(format!("{} {what}; there are {}", path.display(), names.join(", ")))
}
