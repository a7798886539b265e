//! What is said of differences.

use std::ffi::OsString;

use clap::{Args, ValueEnum, ValueHint};

use super::{Reading, Target};

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
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) before: OsString,
    /// The second, of the same kinds.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) after: OsString,

    /// How to write the differences.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text)]
    pub(crate) format: DiffFormat,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,

    #[command(flatten)]
    pub(crate) target: Target,

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
