//! What can be typed. The verbs live in `commands`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod rules;

pub(crate) use rules::{ProfileCommand, ProfileList, ProfileShow, ProfileTest, Profiles, Rules};

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
    /// Say what differs between two machines.
    Diff(Diff),
    /// Name the rules that `inspect --profile` applies, show and test them.
    #[command(subcommand)]
    Profile(ProfileCommand),
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
    /// Print a manual page.
    Man(Man),
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

/// What `inspect --help` ends with.
const INSPECT_EXAMPLES: &str = "\
Examples:
  What is this, and what runs on it?
    fathom inspect server.qcow2
  Everything about its packages and accounts
    fathom inspect server.qcow2 --section packages,users
  The whole report for a program
    fathom inspect server.qcow2 --format json | jq '.systems[].packages.items[].name'
  A page to send to somebody; it needs no network and no program but a browser
    fathom inspect server.qcow2 --format html -o server.html
  A bill of materials for a vulnerability scanner
    fathom inspect server.qcow2 --format cyclonedx -o server.cdx.json
  The packages as a table for a spreadsheet
    fathom inspect server.qcow2 --format csv --section packages -o packages.csv
  A machine of two disks, of which one is encrypted
    fathom inspect root.vmdk --disk data.vmdk --key-file luks.key
  A folder of machines, a report each
    fathom inspect machines/*.qcow2 --format json -o reports/
  Only if the image is the one that was published
    fathom inspect server.qcow2 --checksum sha256:9f86d081884c7d65…

What is shown as `unknown` could not be looked at, and says why; `-` was looked for and is not
there. The exit code is 9 where there may be more than is shown, 7 where a checksum differs.
`fathom --help` lists all exit codes; docs/report.md explains every section.";

#[derive(Args, Debug)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// The machines' disks, one a machine: files, block devices, .ova, http(s):// addresses.
    #[arg(required = true, value_name = "IMAGE")]
    pub(crate) images: Vec<OsString>,

    #[command(flatten)]
    pub(crate) document: Document,

    /// Show this section in full, and no others; may be repeated or parted by commas. Of csv,
    /// table and markdown.
    #[arg(long = "section", value_enum, value_name = "SECTION", value_delimiter = ',')]
    pub(crate) sections: Vec<Section>,

    /// Look at every file, not only in the usual places: packages of languages wherever they lie
    /// (Python, Node.js, Ruby, Java, Go, Rust, PHP, .NET), set-id programs, certificates. Reads
    /// several times as much.
    #[arg(long)]
    pub(crate) deep: bool,

    /// Go on only if the image file has this checksum, `sha256:HEX` or `sha512:HEX`. It is computed
    /// before anything in the file is looked at; of the file itself, not of others that it names.
    /// May be repeated: one for each image, then one for each --disk.
    #[arg(long = "checksum", value_name = "CHECKSUM")]
    pub(crate) checksums: Vec<String>,

    #[command(flatten)]
    pub(crate) profiles: Profiles,

    /// Look at this many machines at once. Default: as many as there are processors.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How a report is written, and where to.
#[derive(Args, Debug)]
pub(crate) struct Document {
    /// How to write the report.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DocumentFormat::Table)]
    pub(crate) format: DocumentFormat,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Write to this file, which appears when it is complete. For several machines, or csv of
    /// several sections, this is a folder.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite files that exist.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) colour: Colour,

    /// The time that cyclonedx and spdx say they were made at (RFC 3339), so that the same report
    /// gives the same bytes. Default: that of the environment's SOURCE_DATE_EPOCH, or now.
    #[arg(long, value_name = "TIME")]
    pub(crate) timestamp: Option<String>,
}

impl Document {
    /// The format that was asked for.
    pub(crate) fn format(&self) -> DocumentFormat {
        if self.json { DocumentFormat::Json } else { self.format }
    }
}

/// Whether tables are coloured. Colour never says anything that the text does not.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Colour {
    /// Whether to colour tables. `auto` does on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto)]
    pub(crate) color: When,
}

/// When to do something.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Where it fits.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// How a report is written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentFormat {
    /// For people, in a terminal.
    Table,
    /// For programs: the document that schemas/report.v1.json describes.
    Json,
    /// The same in YAML.
    Yaml,
    /// For people, in a wiki.
    Markdown,
    /// A section as a table for spreadsheets.
    Csv,
    /// For people, in a browser: one file, which needs nothing else.
    Html,
    /// A bill of materials, CycloneDX 1.6 in JSON.
    Cyclonedx,
    /// A bill of materials, SPDX 2.3 in JSON.
    Spdx,
}

/// A part of the report.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// What the system is.
    Identity,
    /// Installed kernels, what starts by default, drivers for virtual hardware.
    Kernels,
    /// What is installed.
    Packages,
    /// Accounts, groups, keys, and the rules of sudo.
    Users,
    /// What is started.
    Services,
    /// Interfaces, routes, names, firewalls.
    Network,
    /// What the disks are made of, what is mounted and where it swaps.
    Storage,
    /// What the system is there for.
    Applications,
    /// Containers and their images.
    Containers,
    /// How it is guarded.
    Security,
    /// What stands in the way of moving it, and what rules make of it.
    Concerns,
    /// What could not be read, and what that hides.
    Problems,
}

impl From<Section> for fathom_document::Section {
    fn from(section: Section) -> Self {
        match section {
            Section::Identity => Self::Identity,
            Section::Kernels => Self::Kernels,
            Section::Packages => Self::Packages,
            Section::Users => Self::Users,
            Section::Services => Self::Services,
            Section::Network => Self::Network,
            Section::Storage => Self::Storage,
            Section::Applications => Self::Applications,
            Section::Containers => Self::Containers,
            Section::Security => Self::Security,
            Section::Concerns => Self::Concerns,
            Section::Problems => Self::Problems,
        }
    }
}

/// What `diff --help` ends with.
const DIFF_EXAMPLES: &str = "\
Examples:
  What changed since the report of last month?
    fathom diff server-october.json server.qcow2
  Are two machines alike?
    fathom diff web1.qcow2 web2.qcow2
  For a program: exit code and JSON
    fathom diff golden.json server.qcow2 --format json -o drift.json

Exit codes: 0 where nothing differs, 1 where something does, 9 where nothing does as far as could be
compared. What one of the two does not know is never taken for added or removed.";

#[derive(Args, Debug)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct Diff {
    /// The first: an image, or a report saved as JSON if the name ends in `.json`; `-` is a report
    /// on standard input.
    pub(crate) before: OsString,
    /// The second, of the same kinds.
    pub(crate) after: OsString,

    /// How to write the differences.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text)]
    pub(crate) format: DiffFormat,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Write to this file, which appears when it is complete.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) colour: Colour,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl Diff {
    /// The format that was asked for.
    pub(crate) fn format(&self) -> DiffFormat {
        if self.json { DiffFormat::Json } else { self.format }
    }
}

/// How differences are written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiffFormat {
    /// For people, in a terminal.
    Text,
    /// For programs: the document that schemas/diff.v1.json describes.
    Json,
    /// For people, in a browser: one file, which needs nothing else.
    Html,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The command that the page is about, such as `inspect` or `disk info`. Default: fathom itself.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands into this folder instead.
    #[arg(short, long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) output: Option<PathBuf>,
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
