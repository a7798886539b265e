//! How results are printed, and where documents go.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

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

/// Where a document goes.
#[derive(Args, Debug)]
pub(crate) struct Target {
    /// Write to this file, which appears when it is complete; `-` is standard output. Where several
    /// documents are written (`inspect` of several machines, csv of several sections), this is a folder.
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite files that exist.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) colour: Colour,
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
