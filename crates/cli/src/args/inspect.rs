//! What is said of machines.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};
use fathom_document::Section;

use super::{Profiles, Reading, Target};

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
  A report that was saved, as a page and against other rules
    fathom inspect reports/server.json --profile hardening --format html -o server.html
  Only if the image is the one that was published
    fathom inspect server.qcow2 --checksum sha256:9f86d081884c7d65…

What is shown as `unknown` could not be looked at, and says why; `-` was looked for and is not
there. docs/report.md explains every section.

To look at one volume alone, name it to a command on files (`fathom ls IMAGE --volume VOLUME`);
`fathom disk info IMAGE` lists the volumes.

Exit codes: 0 everything was looked at; 9 there may be more than is shown, or some of several images
could not be read; 3 there is no such image, or no operating system in it; 4, 5 or 6 it is of a kind
that is not read, damaged, or locked; 7 a checksum differs; 1 a rule of --fail-on fails.
`fathom --help` lists them all.";

#[derive(Args, Debug)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// The machines' disks, one a machine: files, block devices, .ova, http(s):// addresses. A name
    /// that ends in `.json` is a saved report, shown again without its disk; `-` is one on standard
    /// input.
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub(crate) images: Vec<OsString>,

    #[command(flatten)]
    pub(crate) document: Document,

    /// Show this section in full, and no others; may be repeated or parted by commas. Of csv,
    /// table and markdown.
    #[arg(long = "section", value_parser = section(), value_name = "SECTION", value_delimiter = ',')]
    pub(crate) sections: Vec<Section>,

    /// Look at every file, not only in the usual places: packages of languages wherever they lie
    /// (Python, Node.js, Ruby, Java, Go, Rust, PHP, .NET), set-id programs, certificates. Reads
    /// several times as much.
    #[arg(long)]
    pub(crate) deep: bool,

    /// Go on only if the image file has this checksum, `sha256:HEX` or `sha512:HEX`. It is computed
    /// before anything in the file is looked at; of the file itself, not of others that it names.
    /// May be repeated: one for each image, then one for each --disk.
    #[arg(long = "checksum", value_name = "CHECKSUM", value_hint = ValueHint::Other)]
    pub(crate) checksums: Vec<String>,

    #[command(flatten)]
    pub(crate) profiles: Profiles,

    /// Look at this many machines at once. Default: as many as there are processors.
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
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

    #[command(flatten)]
    pub(crate) target: Target,

    /// The time that cyclonedx and spdx say they were made at (RFC 3339), so that the same report
    /// gives the same bytes. Default: that of the environment's SOURCE_DATE_EPOCH, or now.
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other)]
    pub(crate) timestamp: Option<String>,
}

impl Document {
    /// The format that was asked for.
    pub(crate) fn format(&self) -> DocumentFormat {
        if self.json { DocumentFormat::Json } else { self.format }
    }
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

/// The names of parts of the report, with what is in them.
fn section() -> impl TypedValueParser<Value = Section> {
    let value = |section: Section| PossibleValue::new(section.name()).help(section.about());
    PossibleValuesParser::new(Section::ALL.map(value)).try_map(|name| {
        Section::ALL.into_iter().find(|section| section.name() == name).ok_or("there is no such")
    })
}
