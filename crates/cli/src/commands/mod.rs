//! One file a verb.

mod cat;
mod completions;
mod config;
mod convert;
mod cp;
mod database;
mod destination;
mod diff;
mod disk_info;
mod doctor;
mod entry;
mod find;
mod hash;
mod inspect;
mod job;
mod ls;
mod man;
mod pattern;
mod profile;
mod saved;
mod scan;
mod service;
mod stat;
mod tree;

use crate::args::{Arguments, Command, DiskCommand};
use crate::exit::{Failure, Verdict};

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    match arguments.command {
        Command::Disk(DiskCommand::Info(options)) => disk_info::run(&options),
        Command::Disk(DiskCommand::Convert(options)) => convert::run(&options),
        Command::Inspect(options) => inspect::run(&options),
        Command::Scan(options) => scan::run(&options),
        Command::Database(command) => database::run(&command),
        Command::Diff(options) => diff::run(&options),
        Command::Profile(command) => profile::run(&command),
        Command::Serve(options) => service::serve(&options),
        Command::Worker(options) => service::worker(&options),
        Command::Job(command) => job::run(&command),
        Command::Token(command) => service::token(&command),
        Command::User(command) => service::user(&command),
        Command::Audit(command) => service::audit(&command),
        Command::Ls(options) => ls::run(&options),
        Command::Tree(options) => tree::run(&options),
        Command::Cat(options) => cat::run(&options),
        Command::Stat(options) => stat::run(&options),
        Command::Hash(options) => hash::run(&options),
        Command::Find(options) => find::run(&options),
        Command::Cp(options) => cp::run(&options),
        Command::Config(command) => config::run(&command),
        Command::Doctor(options) => doctor::run(&options),
        Command::Completions { shell } => completions::run(shell),
        Command::Man(options) => man::run(&options),
    }
}
