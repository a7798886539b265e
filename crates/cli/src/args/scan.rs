//! What is said of scans.

use std::ffi::OsString;

use clap::{Args, ValueEnum, ValueHint};

use super::{InDatabase, Reading, Target};

/// What `scan --help` ends with.
const SCAN_EXAMPLES: &str = "\
Examples:
  What is known to be wrong with this machine?
    fathom scan server.qcow2
  What can be mended, and is bad
    fathom scan server.qcow2 --fixable --severity high
  A report that was saved, against the database of today
    fathom scan reports/server.json
  Why is this said to be here?
    fathom scan server.qcow2 --only CVE-2023-4911 --explain
  Everything, for a program
    fathom scan server.qcow2 --format json -o findings.json

Exit codes: 0 it was compared; 9 something keeps the findings from being all there is, which is said;
3 there is no such image. `fathom --help` lists them all.";

#[derive(Args, Debug)]
#[command(after_help = SCAN_EXAMPLES)]
pub(crate) struct Scan {
    /// Disks, one a machine, or saved reports, whose names end in `.json`; `-` is one on standard
    /// input.
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub(crate) images: Vec<OsString>,

    /// How to write the findings.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ScanFormat::Table)]
    pub(crate) format: ScanFormat,

    /// Short for --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// Only flaws as bad as this, or worse.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) severity: Option<AtLeast>,

    /// Only flaws that a package mends which is there to be installed.
    #[arg(long)]
    pub(crate) fixable: bool,

    /// Only these flaws, or flaws in these packages.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_hint = ValueHint::Other)]
    pub(crate) only: Vec<String>,

    /// Say of each flaw why it is said to be here: whose statement that is, and what was compared.
    #[arg(long)]
    pub(crate) explain: bool,

    /// Look at every file, as `fathom inspect --deep`.
    #[arg(long)]
    pub(crate) deep: bool,

    #[command(flatten)]
    pub(crate) database: InDatabase,

    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl Scan {
    /// The format that was asked for.
    pub(crate) fn format(&self) -> ScanFormat {
        if self.json { ScanFormat::Json } else { self.format }
    }
}

/// How findings are written.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScanFormat {
    /// For people, in a terminal.
    Table,
    /// For programs: the document that schemas/findings.v1.json describes.
    Json,
}

/// How bad a flaw is.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtLeast {
    /// Of no consequence in practice.
    Negligible,
    /// Of little consequence.
    Low,
    /// To be mended in time.
    Medium,
    /// To be mended soon.
    High,
    /// To be mended at once.
    Critical,
}

impl From<AtLeast> for fathom_report::finding::Severity {
    fn from(severity: AtLeast) -> Self {
        match severity {
            AtLeast::Negligible => Self::Negligible,
            AtLeast::Low => Self::Low,
            AtLeast::Medium => Self::Medium,
            AtLeast::High => Self::High,
            AtLeast::Critical => Self::Critical,
        }
    }
}
