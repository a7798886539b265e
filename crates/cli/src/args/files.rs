//! What is said of the files of a guest.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::{On, Output, Source};

/// Files of a guest, shown for people or for programs.
#[derive(Args, Debug)]
pub(crate) struct Guest {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) on: On,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Paths {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) on: On,
    /// Paths inside the guest.
    #[arg(required = true, value_hint = ValueHint::Other)]
    pub(crate) paths: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Ls {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Paths inside the guest.
    #[arg(default_value = "/", value_hint = ValueHint::Other)]
    pub(crate) paths: Vec<OsString>,
    /// Show type, mode, owner, size and time too.
    #[arg(short, long)]
    pub(crate) long: bool,
    /// List directories themselves, not what they hold.
    #[arg(short, long)]
    pub(crate) directory: bool,
    /// List what is beneath directories too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TreeOptions {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Where to start.
    #[arg(default_value = "/", value_hint = ValueHint::Other)]
    pub(crate) paths: Vec<OsString>,
    /// How many levels to show.
    #[arg(short = 'L', long, value_name = "LEVELS", value_hint = ValueHint::Other)]
    pub(crate) depth: Option<usize>,
}

#[derive(Args, Debug)]
pub(crate) struct Stat {
    #[command(flatten)]
    pub(crate) paths: Paths,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Show what a symbolic link leads to, not the link.
    #[arg(short = 'L', long)]
    pub(crate) follow: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Hash {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Paths inside the guest.
    #[arg(required_unless_present = "check", value_hint = ValueHint::Other)]
    pub(crate) paths: Vec<OsString>,
    /// The checksum.
    #[arg(long, value_enum, default_value_t = Algorithm::Sha256)]
    pub(crate) algorithm: Algorithm,
    /// Hash the files beneath directories too.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Compare with the checksums in this file, in the format that this command and sha256sum
    /// print; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "paths", value_hint = ValueHint::FilePath)]
    pub(crate) check: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

#[derive(Args, Debug)]
pub(crate) struct Find {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Where to search.
    #[arg(default_value = "/", value_hint = ValueHint::Other)]
    pub(crate) paths: Vec<OsString>,
    /// Only names that match this pattern of `*`, `?` and `[…]`.
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) name: Option<String>,
    /// Like --name, but upper and lower case are the same.
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) iname: Option<String>,
    /// Only whole paths that match this pattern; `*` matches slashes too.
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) path: Option<String>,
    /// Only objects of this type: f(ile), d(irectory), l(ink), c(haracter), b(lock), p(ipe),
    /// s(ocket).
    #[arg(long = "type", value_name = "LETTER", value_hint = ValueHint::Other)]
    pub(crate) file_type: Option<char>,
    /// Only files of at least this many bytes (k, M and G are understood).
    #[arg(long, value_name = "SIZE", value_hint = ValueHint::Other)]
    pub(crate) min_size: Option<String>,
    /// Only files of at most this many bytes.
    #[arg(long, value_name = "SIZE", value_hint = ValueHint::Other)]
    pub(crate) max_size: Option<String>,
    /// Only what has at least one of these mode bits, in octal: 6000 finds set-id programs.
    #[arg(long, value_name = "BITS", value_hint = ValueHint::Other)]
    pub(crate) mode: Option<String>,
    /// Go at most this many levels down.
    #[arg(long, value_name = "LEVELS", value_hint = ValueHint::Other)]
    pub(crate) max_depth: Option<usize>,
    /// End each path with a zero byte instead of a newline, its bytes as they are.
    #[arg(short = '0', long)]
    pub(crate) print0: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Cp {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Paths inside the guest, and last the directory or file to copy to.
    #[arg(required = true, num_args = 2.., value_names = ["PATH", "DEST"], value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
    /// Copy directories and everything beneath them.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Replace files that exist.
    #[arg(long)]
    pub(crate) force: bool,
}
