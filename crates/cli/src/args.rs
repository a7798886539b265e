//! What can be typed. The verbs live in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

mod config;
mod database;
mod diff;
mod disk;
mod doctor;
mod files;
mod hints;
mod inspect;
mod job;
mod output;
mod rules;
mod scan;
mod service;
mod source;

pub(crate) use config::{ConfigCheck, ConfigCommand, ConfigShow, Settings};
pub(crate) use database::{
    Build, DatabaseCommand, DatabaseStatus, Export, Import, InDatabase, Keygen, Search, Trusted,
    Update,
};
pub(crate) use diff::{Diff, DiffFormat};
pub(crate) use disk::{Convert, DiskCommand, Info, To};
pub(crate) use doctor::Doctor;
pub(crate) use files::{Algorithm, Cp, Find, Hash, Ls, Paths, Stat, TreeOptions};
pub(crate) use inspect::{DocumentFormat, Inspect};
pub(crate) use job::{JobCommand, JobList, JobResult, JobSubmit, OneJob, Remote};
pub(crate) use output::{Colour, Output, Target, When};
pub(crate) use rules::{ProfileCommand, ProfileList, ProfileShow, ProfileTest, Profiles, Rules};
pub(crate) use scan::{Scan, ScanFormat, SortBy};
pub(crate) use service::{
    AccessRole, AuditCommand, Kept, Serve, TokenCommand, TokenCreate, UserCommand, UserCreate,
    UserName, WorkerOptions,
};
pub(crate) use source::{HttpOptions, KeyOptions, On, Reading, Source};

use crate::exit;

/// Knows every virtual machine down to the bottom of its disk.
///
/// Reads disk images of every common format from an ordinary process: no root, no mount, no kernel
/// module, nothing executed from the guest.
#[derive(Parser, Debug)]
#[command(name = "fathom", version, after_help = exit::TABLE, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Look at disks: what they are made of, and convert them.
    #[command(subcommand)]
    Disk(DiskCommand),
    /// Say what machines are and what is installed on them.
    Inspect(Inspect),
    /// Say what is known to be wrong with machines, and what mends it.
    Scan(Scan),
    /// Make and ask the database of advisories.
    #[command(subcommand, name = "db")]
    Database(DatabaseCommand),
    /// Say what differs between two machines.
    Diff(Diff),
    /// Name the rules that `inspect --profile` applies, show and test them.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Serve the interface over HTTP, and do jobs.
    Serve(Serve),
    /// Do the jobs of a service, on this machine or another.
    Worker(WorkerOptions),
    /// Send jobs to a service, follow them and get what they came to.
    #[command(subcommand)]
    Job(JobCommand),
    /// Decide who may use the service.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Decide who may log in to the service with a password.
    #[command(subcommand)]
    User(UserCommand),
    /// Look at what was done with the service, and by whom.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// List directories.
    Ls(Ls),
    /// Draw a directory and what is beneath it.
    Tree(TreeOptions),
    /// Write the bytes of files to standard output.
    Cat(Paths),
    /// Show everything that is known of files.
    Stat(Stat),
    /// Compute checksums of files, in the format of sha256sum.
    Hash(Hash),
    /// Search for files.
    Find(Find),
    /// Copy files out of the image.
    Cp(Cp),
    /// Check and show the settings of the service.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say what the service misses on this host, and what to do about it.
    Doctor(Doctor),
    /// Print a completion script for your shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print a manual page.
    Man(Man),
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The command that the page is about, such as `inspect` or `disk info`. Default: fathom itself.
    #[arg(value_name = "COMMAND", value_parser = hints::COMMANDS, hide_possible_values = true)]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this folder instead.
    #[arg(short, long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub(crate) output: Option<PathBuf>,
}
