//! What is said of scans.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

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
  A bill of materials, or the index of a scanner, whoever made it
    fathom scan server.cdx.json
  Everything that lies in a folder
    fathom scan reports/ --format csv -o fleet.csv
  Why is this said to be here?
    fathom scan server.qcow2 --only CVE-2023-4911 --explain
  Let a pipeline fail over what is exploited and can be mended
    fathom scan server.qcow2 --fail-if 'exploitability.exploited_since is known and state = \"fixed\"'
  What to install, in which order, and what remains then
    fathom scan server.qcow2 --plan
  Believe what a vendor says of its products
    fathom scan server.qcow2 --vex vendor.openvex.json --vex cve-2021-3711.csaf.json
  Pass on what was found and what was decided
    fathom scan server.qcow2 --exceptions decided --format openvex -o server.openvex.json
  Everything, for a program
    fathom scan server.qcow2 --format json -o findings.json
  The same findings with other weights, worst first by score, without looking again
    fathom scan findings.json --weights weights.toml --sort cvss
  What is new since then, and whether the machine changed or what is known
    fathom scan server.qcow2 --diff findings.json

Exit codes: 0 it was compared; 1 a condition of --fail-if holds, or with --diff something is new; 9
something keeps the findings from being all there is, or one of several could not be read, which is
said; 3 there is no such image. `fathom --help` lists them all.";

#[derive(Args, Debug)]
#[command(after_help = SCAN_EXAMPLES)]
pub(crate) struct Scan {
    /// Disks, one a machine; documents, whose names end in `.json`, `.spdx` or `.cdx`: saved reports,
    /// bills of materials in CycloneDX or SPDX, indexes of Clair or Scanner V4, and findings that were
    /// saved by --json, which are shown again without a database; or folders of all these. `-` is a
    /// document on standard input.
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

    /// Leave out packages of languages that lie at this path or beneath it; `*` stands for anything.
    /// May be repeated.
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) exclude_path: Vec<String>,

    /// What the flaws are sorted by, the worst first; packages and flaws by their names.
    #[arg(long, value_enum, value_name = "BY", default_value_t = SortBy::Risk)]
    pub(crate) sort: SortBy,

    /// Compute risk by the weights in this file, TOML; what it does not name is as by default
    /// (docs/advisories.md).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) weights: Option<PathBuf>,

    /// Say what is new, gone or different since then, and why: findings saved by --json; or a disk or
    /// document, which is compared with the same database. As a table or JSON.
    #[arg(long, value_name = "BEFORE", value_hint = ValueHint::FilePath, conflicts_with = "fail_if")]
    pub(crate) diff: Option<OsString>,

    /// Tell the flaws apart that this file says somebody has decided about (docs/advisories.md).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) exceptions: Option<PathBuf>,

    /// Believe what this VEX document says (OpenVEX, CSAF or CycloneDX; docs/advisories.md): what is not
    /// affected or is mended by it is told apart, anything else is noted; may be repeated.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) vex: Vec<PathBuf>,

    /// Say what to install, that which takes the most risk away first, and what remains then: as a
    /// table, as markdown, or as the JSON that schemas/plan.v1.json describes.
    #[arg(long, conflicts_with = "explain")]
    pub(crate) plan: bool,

    /// End with exit code 1 if this is so of any of the flaws that are shown; may be repeated. The
    /// names are those of the JSON, the words those of rules (docs/profiles.md).
    #[arg(long, value_name = "CONDITION", value_hint = ValueHint::Other)]
    pub(crate) fail_if: Vec<String>,

    /// Say of each flaw why it is said to be here: whose statement that is, and what was compared. Of
    /// a CVE that --only names and that is not here, say why not.
    #[arg(long)]
    pub(crate) explain: bool,

    /// Look at every file, as `fathom inspect --deep`.
    #[arg(long)]
    pub(crate) deep: bool,

    /// Look at this many machines at once. Default: as many as there are processors.
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    pub(crate) jobs: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) database: InDatabase,

    #[command(flatten)]
    pub(crate) target: Target,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

impl Scan {
    /// The first option that was given which says how to read a disk.
    pub(crate) fn of_disks(&self) -> Option<&'static str> {
        let Reading { disks, image_format, snapshot, allow_path, io, keys, http } = &self.reading;
        let given = [
            ("--deep", self.deep),
            ("--disk", !disks.is_empty()),
            ("--image-format", image_format.is_some()),
            ("--snapshot", snapshot.is_some()),
            ("--allow-path", !allow_path.is_empty()),
            ("--io", *io),
            ("--key", !keys.keys.is_empty()),
            ("--key-file", !keys.key_files.is_empty()),
            ("--key-env", !keys.key_envs.is_empty()),
            ("--http-auth-env", http.http_auth_env.is_some()),
            ("--ca-file", http.ca_file.is_some()),
            ("--insecure", http.insecure),
        ];
        given.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

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
    /// For programs: the document that schemas/findings.v1.json describes; a list of them where
    /// there are several machines.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// For people, in a wiki.
    Markdown,
    /// For people, in a browser: one file, which needs nothing else.
    Html,
    /// For code scanning, SARIF 2.1.0.
    Sarif,
    /// What is wrong and how each stands, CycloneDX 1.6 in JSON.
    Cyclonedx,
    /// For continuous integration, which shows flaws as tests that failed.
    Junit,
    /// For GitLab's container scanning.
    Gitlab,
    /// How each package stands to its flaws, OpenVEX 0.2.0.
    Openvex,
    /// The same in CSAF 2.0, of its profile for VEX.
    CsafVex,
}

impl ScanFormat {
    /// Whether there are plans in this format.
    pub(crate) fn is_of_plans(self) -> bool {
        matches!(self, Self::Table | Self::Json | Self::Markdown)
    }

    /// Whether its documents are statements, of which each has one at least.
    pub(crate) fn states(self) -> bool {
        matches!(self, Self::Openvex | Self::CsafVex)
    }

    /// Whether one document holds several machines.
    pub(crate) fn takes_several(self) -> bool {
        matches!(
            self,
            Self::Table | Self::Json | Self::Csv | Self::Sarif | Self::Junit | Self::Gitlab
        )
    }
}

/// What findings are sorted by.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SortBy {
    /// How much is at stake.
    Risk,
    /// How bad it is, in a word.
    Severity,
    /// How bad it is, as a score.
    Cvss,
    /// How likely it is exploited.
    Epss,
    /// The name of the package.
    Package,
    /// The name of the flaw.
    Cve,
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
