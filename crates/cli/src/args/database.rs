//! What is said of the database of advisories.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::Output;

/// Where the database lies.
#[derive(Args, Debug)]
pub(crate) struct InDatabase {
    /// The folder of the database. Default: that of the environment's FATHOM_DB, or
    /// fathom/advisories in the folder that the user's programs keep data in.
    #[arg(long = "db", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum DatabaseCommand {
    /// Compile feeds into a database.
    Build(Build),
    /// Say what is in the database, and how old it is.
    Status(DatabaseStatus),
    /// Look up a flaw or a package.
    Search(Search),
}

#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Feeds, or folders of feeds: each is known by the name of its file, as debian-osv.tar.zst
    /// (docs/advisories.md lists them). Those that are not named keep what they had.
    #[arg(required = true, value_name = "FEED", value_hint = ValueHint::AnyPath)]
    pub(crate) feeds: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) database: InDatabase,
}

#[derive(Args, Debug)]
pub(crate) struct DatabaseStatus {
    #[command(flatten)]
    pub(crate) database: InDatabase,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Search {
    /// A flaw, as CVE-2021-44228, or the name of a package.
    #[arg(value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) database: InDatabase,
    #[command(flatten)]
    pub(crate) output: Output,
}
