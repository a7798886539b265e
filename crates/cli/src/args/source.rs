//! Which disks are looked at, and how they are read.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueHint};

/// The disks of one machine, and how to read them.
#[derive(Args, Debug)]
pub(crate) struct Source {
    /// The machine's disk: a file, a block device, an .ova, or an http(s):// address.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) image: OsString,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How to read a machine's disks.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    /// A further disk of the same machine; may be repeated.
    #[arg(long = "disk", value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub(crate) disks: Vec<OsString>,

    /// Take the images for this format instead of detecting it. Say `raw` for a disk whose guest
    /// you do not trust to have left its first bytes alone.
    #[arg(long, value_name = "FORMAT", value_hint = ValueHint::Other)]
    pub(crate) image_format: Option<String>,

    /// Read the internal snapshot with this id or name (qcow2).
    #[arg(long, value_name = "SNAPSHOT", value_hint = ValueHint::Other)]
    pub(crate) snapshot: Option<String>,

    /// Let images open files beneath this directory, besides their own; may be repeated.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
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
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) keys: Vec<String>,

    /// A file whose whole content is the key; `-` reads a passphrase line from standard input.
    #[arg(long = "key-file", help_heading = "Encryption", value_name = "[VOLUME=]FILE")]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) key_files: Vec<String>,

    /// An environment variable that holds a passphrase.
    #[arg(long = "key-env", help_heading = "Encryption", value_name = "[VOLUME=]NAME")]
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) key_envs: Vec<String>,
}

/// How http(s):// images are fetched.
#[derive(Args, Debug)]
pub(crate) struct HttpOptions {
    /// An environment variable that holds the Authorization header's value, such as
    /// `Bearer …` or `Basic …`.
    #[arg(long, help_heading = "Remote images", value_name = "NAME")]
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) http_auth_env: Option<String>,

    /// Trust the certificate authorities in this PEM file instead of the well-known ones.
    #[arg(long, help_heading = "Remote images", value_name = "FILE")]
    #[arg(value_hint = ValueHint::FilePath)]
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
    #[arg(long, value_name = "VOLUME", value_hint = ValueHint::Other)]
    pub(crate) volume: Option<String>,
}
