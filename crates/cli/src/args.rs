//! What can be typed. The verbs live in `commands`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Print a completion script for your shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum DiskCommand {
    /// Show what the disks are made of: container, chain, partitions, volumes, filesystems.
    Info(Info),
    /// Write the guest's bytes as another image.
    Convert(Convert),
}

/// The disks of one machine, and how to read them.
#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The machine's disk: a file, a block device, an .ova, or an http(s):// address.
    pub(crate) image: OsString,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How to read a machine's disks.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    /// A further disk of the same machine; may be repeated.
    #[arg(long = "disk", value_name = "IMAGE")]
    pub(crate) disks: Vec<OsString>,

    /// Take the images for this format instead of detecting it. Say `raw` for a disk whose guest
    /// you do not trust to have left its first bytes alone.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) image_format: Option<String>,

    /// Read the internal snapshot with this id or name (qcow2).
    #[arg(long, value_name = "SNAPSHOT")]
    pub(crate) snapshot: Option<String>,

    /// Let images open files beneath this directory, besides their own; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) allow_path: Vec<PathBuf>,

    /// Also print how many bytes and requests the answer cost.
    #[arg(long)]
    pub(crate) io: bool,

    #[command(flatten)]
    pub(crate) keys: KeyOptions,

    #[command(flatten)]
    pub(crate) http: HttpOptions,
}

/// Keys for encrypted volumes. Each may be led by `VOLUME=` (an id or UUID as `disk info` shows
/// it) to be tried on that volume only.
#[derive(Args, Debug)]
pub(crate) struct KeyOptions {
    /// A passphrase. Other users of this machine can see it while the command runs: prefer
    /// --key-file or --key-env.
    #[arg(long = "key", help_heading = "Encryption", value_name = "[VOLUME=]PASSPHRASE")]
    pub(crate) keys: Vec<String>,

    /// A file whose whole content is the key; `-` reads a passphrase line from standard input.
    #[arg(long = "key-file", help_heading = "Encryption", value_name = "[VOLUME=]FILE")]
    pub(crate) key_files: Vec<String>,

    /// An environment variable that holds a passphrase.
    #[arg(long = "key-env", help_heading = "Encryption", value_name = "[VOLUME=]NAME")]
    pub(crate) key_envs: Vec<String>,
}

/// How http(s):// images are fetched.
#[derive(Args, Debug)]
pub(crate) struct HttpOptions {
    /// An environment variable that holds the Authorization header's value, such as
    /// `Bearer …` or `Basic …`.
    #[arg(long, help_heading = "Remote images", value_name = "NAME")]
    pub(crate) http_auth_env: Option<String>,

    /// Trust the certificate authorities in this PEM file instead of the well-known ones.
    #[arg(long, help_heading = "Remote images", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Do not verify the server's certificate. Anybody on the way can then read and change what
    /// you see.
    #[arg(long, help_heading = "Remote images")]
    pub(crate) insecure: bool,
}

/// Which filesystem paths are looked up in.
#[derive(Args, Debug)]
pub(crate) struct On {
    /// Look on this volume alone, named as `disk info` lists it; a Btrfs subvolume may follow a
    /// colon (`disk0/p2:@home`). Default: the machine's own root with its other filesystems
    /// mounted as its fstab says.
    #[arg(long, value_name = "VOLUME")]
    pub(crate) volume: Option<String>,
}

/// How results are printed.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Output {
    /// Whether to print JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json || self.format == Format::Json
    }
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// The machines' disks, one a machine: files, block devices, .ova, http(s):// addresses.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<OsString>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    #[command(flatten)]
    pub(crate) output: Output,

    /// Show this section in full, and no others; may be repeated or parted by commas.
    #[arg(long = "section", value_enum, value_name = "SECTION", value_delimiter = ',')]
    pub(crate) sections: Vec<Section>,

    /// Look at every file, not only in the usual places: packages of languages wherever they lie
    /// (Python, Node.js, Ruby, Java, Go, Rust, PHP, .NET), set-id programs, certificates. Takes a
    /// second or two instead of a twentieth.
    #[arg(long)]
    pub(crate) deep: bool,
}

/// A part of the report.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// What the system is.
    Identity,
    /// What is installed.
    Packages,
    /// Accounts, groups, and the rules of sudo.
    Users,
    /// What is started: units of systemd, scripts of System V init, lines of cron.
    Services,
    /// What the disks are made of, what is mounted and where it swaps.
    Storage,
    /// What could not be read, and what that hides.
    Problems,
}

/// A format that can be written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The guest's bytes and nothing else; holes stay holes.
    Raw,
    /// qcow2, version 3.
    Qcow2,
}

#[derive(Args, Debug)]
pub(crate) struct Convert {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The file to write. It must not exist.
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The format to write. Default: qcow2 if the name ends so, raw if its ending belongs to no
    /// other format.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) to: Option<To>,
    /// Convert this volume instead of the whole disk.
    #[arg(long, value_name = "VOLUME")]
    pub(crate) volume: Option<String>,
    /// Overwrite the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}

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
    #[arg(required = true)]
    pub(crate) paths: Vec<OsString>,
}

#[derive(Args, Debug)]
pub(crate) struct Ls {
    #[command(flatten)]
    pub(crate) guest: Guest,
    /// Paths inside the guest.
    #[arg(default_value = "/")]
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
    #[arg(default_value = "/")]
    pub(crate) paths: Vec<OsString>,
    /// How many levels to show.
    #[arg(short = 'L', long, value_name = "LEVELS")]
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
    #[arg(required_unless_present = "check")]
    pub(crate) paths: Vec<OsString>,
    /// The checksum.
    #[arg(long, value_enum, default_value_t = Algorithm::Sha256)]
    pub(crate) algorithm: Algorithm,
    /// Hash the files beneath directories too.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Compare with the checksums in this file, in the format that this command and sha256sum
    /// print; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
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
    #[arg(default_value = "/")]
    pub(crate) paths: Vec<OsString>,
    /// Only names that match this pattern of `*`, `?` and `[…]`.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) name: Option<String>,
    /// Like --name, but upper and lower case are the same.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) iname: Option<String>,
    /// Only whole paths that match this pattern; `*` matches slashes too.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) path: Option<String>,
    /// Only objects of this type: f(ile), d(irectory), l(ink), c(haracter), b(lock), p(ipe),
    /// s(ocket).
    #[arg(long = "type", value_name = "LETTER")]
    pub(crate) file_type: Option<char>,
    /// Only files of at least this many bytes (k, M and G are understood).
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_size: Option<String>,
    /// Only files of at most this many bytes.
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_size: Option<String>,
    /// Only what has at least one of these mode bits, in octal: 6000 finds set-id programs.
    #[arg(long, value_name = "BITS")]
    pub(crate) mode: Option<String>,
    /// Go at most this many levels down.
    #[arg(long, value_name = "LEVELS")]
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
    #[arg(required = true, num_args = 2.., value_names = ["PATH", "DEST"])]
    pub(crate) paths: Vec<OsString>,
    /// Copy directories and everything beneath them.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Replace files that exist.
    #[arg(long)]
    pub(crate) force: bool,
}
