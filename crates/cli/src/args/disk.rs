//! What is said of disks.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{Output, Source};

#[derive(Subcommand, Debug)]
pub(crate) enum DiskCommand {
    /// Show what the disks are made of: container, chain, partitions, volumes, filesystems.
    Info(Info),
    /// Write the guest's bytes as another image.
    Convert(Convert),
}

#[derive(Args, Debug)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) output: Output,
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
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
    /// The format to write. Default: qcow2 if the name ends so, raw if its ending belongs to no
    /// other format.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) to: Option<To>,
    /// Convert this volume instead of the whole disk.
    #[arg(long, value_name = "VOLUME", value_hint = ValueHint::Other)]
    pub(crate) volume: Option<String>,
    /// Overwrite the file if it exists.
    #[arg(long)]
    pub(crate) force: bool,
}
