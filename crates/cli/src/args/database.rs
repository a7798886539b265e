//! What is said of the database of advisories.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::{HttpOptions, Output};

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
    /// Look up a flaw, a package or an advisory.
    Search(Search),
    /// Get what a mirror has.
    Update(Update),
    /// Install a database from a file that `export` wrote, without a network.
    Import(Import),
    /// Write the database to one file, or into a folder that a web server can serve as a mirror.
    Export(Export),
    /// Make the key that databases are signed with.
    Keygen(Keygen),
}

#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Feeds, folders of feeds, or addresses of feeds: each is known by the name of its file, as
    /// debian-osv.tar.zst, or by a name that is put before it, as debian-osv=https://…/all.zip
    /// (docs/advisories.md lists them). Those that are not named keep what they had.
    #[arg(required = true, value_name = "FEED", value_hint = ValueHint::AnyPath)]
    pub(crate) feeds: Vec<OsString>,

    /// Read the feeds, say what is in them, and leave the database as it is. Feeds at addresses are
    /// fetched for this alone.
    #[arg(long)]
    pub(crate) check: bool,

    /// How many feeds are compiled at once. Default: as many as there are processors, up to four.
    #[arg(long, value_name = "COUNT", value_hint = ValueHint::Other)]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) database: InDatabase,
    #[command(flatten)]
    pub(crate) http: HttpOptions,
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
    /// A flaw, as CVE-2021-44228, the name of a package, or an advisory, as DSA-5169-1.
    #[arg(value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) database: InDatabase,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Whose databases are installed.
#[derive(Args, Debug)]
pub(crate) struct Trusted {
    /// The public key of whoever publishes, as `keygen` printed it, or a file that holds it.
    #[arg(long, value_name = "KEY", env = "FATHOM_DB_KEY", hide_env_values = true)]
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "unsigned")]
    pub(crate) trust: Option<String>,

    /// Install it whoever made it. What it says is then worth what the way is worth that it came by.
    #[arg(long, conflicts_with = "trust")]
    pub(crate) unsigned: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The address of the mirror: http(s)://, or a folder.
    #[arg(long, value_name = "URL", env = "FATHOM_DB_MIRROR", value_hint = ValueHint::Url)]
    pub(crate) mirror: String,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
    #[command(flatten)]
    pub(crate) database: InDatabase,
    #[command(flatten)]
    pub(crate) http: HttpOptions,
}

#[derive(Args, Debug)]
pub(crate) struct Import {
    /// The file.
    #[arg(value_name = "BUNDLE", value_hint = ValueHint::FilePath)]
    pub(crate) bundle: PathBuf,
    #[command(flatten)]
    pub(crate) trusted: Trusted,
    #[command(flatten)]
    pub(crate) database: InDatabase,
}

#[derive(Args, Debug)]
pub(crate) struct Export {
    /// The file; or a folder, if there is one of this name, for a mirror.
    #[arg(value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(crate) target: PathBuf,

    /// Overwrite a file that exists.
    #[arg(long)]
    pub(crate) force: bool,

    /// Sign it with the secret key in this file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sign: Option<PathBuf>,

    /// Let it not be installed any more after so many days; 0 for as long as anybody likes.
    #[arg(long, value_name = "DAYS", default_value_t = 14, value_hint = ValueHint::Other)]
    pub(crate) expires: u16,

    #[command(flatten)]
    pub(crate) database: InDatabase,
}

#[derive(Args, Debug)]
pub(crate) struct Keygen {
    /// Where the secret key goes; nobody else can read the file. The public key is printed.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
}
