//! `fathom db`: the database of advisories.

mod build;
mod exchange;
mod feeds;
mod scratch;
mod search;
mod status;

use std::path::PathBuf;

use fathom_advisory::{Database, Kind};

use crate::args::{DatabaseCommand, InDatabase};
use crate::exit::{Failure, Verdict};

pub(crate) fn run(command: &DatabaseCommand) -> Result<Verdict, Failure> {
    match command {
        DatabaseCommand::Build(options) => build::run(options),
        DatabaseCommand::Status(options) => status::run(options),
        DatabaseCommand::Search(options) => search::run(options),
        DatabaseCommand::Update(options) => exchange::update(options),
        DatabaseCommand::Import(options) => exchange::import(options),
        DatabaseCommand::Export(options) => exchange::export(options),
        DatabaseCommand::Keygen(options) => exchange::keygen(options),
    }
}

/// The folder that was named, or the one that is meant where none is.
pub(super) fn folder(options: &InDatabase) -> Result<PathBuf, Failure> {
    if let Some(folder) = &options.folder {
        return Ok(folder.clone());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("FATHOM_DB") {
        return Ok(folder.into());
    }
    let data = set("XDG_DATA_HOME").map(PathBuf::from);
    let data = data.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/share")));
    let data = data.ok_or_else(|| {
        let why = "there is no HOME in the environment: say by --db where the database lies";
        Failure::Usage(why.to_owned())
    })?;
    Ok(data.join("fathom/advisories"))
}

/// Opens the database.
pub(super) fn open(options: &InDatabase) -> Result<Database, Failure> {
    let database = Database::open(&folder(options)?).map_err(failed)?;
    match database.segments().is_empty() {
        false => Ok(database),
        true => Err(no_database(database.folder().display().to_string())),
    }
}

/// A failure of installing as one of the program.
pub(super) fn not_installed(error: fathom_mirror::Error) -> Failure {
    use fathom_mirror::Error;
    match error {
        Error::Host(what, error) => Failure::reading(what)(error),
        Error::Malformed(what, why) => fathom_block::Error::malformed(what, why).into(),
        Error::Refused(why) => fathom_block::Error::refused("database", why).into(),
        Error::Fetch(error) => error.into(),
        Error::Busy(_) => Failure::Usage(error.to_string()),
    }
}

fn no_database(place: String) -> Failure {
    let why = "there is no database; `fathom db update` gets one of a mirror, and `fathom db build` \
               makes one of feeds";
    fathom_block::Error::not_found(place, why).into()
}

/// A failure of the database as one of the program.
pub(super) fn failed(error: fathom_advisory::Error) -> Failure {
    let shown = error.to_string();
    let place = error.path().display().to_string();
    match error.kind() {
        Kind::Missing => no_database(place),
        Kind::Corrupt => fathom_block::Error::malformed(place, error.why()).into(),
        Kind::Unsupported => fathom_block::Error::unsupported(place, error.why()).into(),
        Kind::Io => Failure::Host(shown, error.into_source()),
    }
}
