//! `fathom scan`.

mod table;

use std::ffi::OsString;
use std::io::{self, Write};

use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Options};
use fathom_report::finding::{Finding, Findings, State};

use super::database;
use super::inspect::place::{Sheet, check_free, is_output};
use super::saved::{self, is_saved};
use crate::args::{Scan, ScanFormat};
use crate::clock;
use crate::exit::{Failure, Verdict, say};
use crate::output::{Harmless, Out};
use crate::terminal::Style;

pub(crate) fn run(options: &Scan) -> Result<Verdict, Failure> {
    let output = options.target.output.as_deref().filter(|path| !is_output(path));
    if let Some(path) = output {
        check_free(path, options.target.force)?;
    }
    let database = database::open(&options.database)?;
    let mut verdict = Verdict::Done;
    let mut all = Vec::new();
    for image in &options.images {
        let mut findings = one(image, &database, options)?;
        for note in &findings.notes {
            verdict = Verdict::Partial;
            say(&format!("note: {}: {}", note.kind.name(), note.message));
        }
        findings.vulnerabilities.retain(|finding| is_wanted(finding, options));
        all.push(findings);
    }
    match output {
        Some(path) => {
            let mut file = Sheet::begin(path, options.target.force)?;
            let style = Style::of_file(options.target.colour);
            let terminal = file.is_terminal();
            write(&all, options, style, terminal, &mut file)
                .map_err(Failure::host(path.display().to_string()))?;
            file.finish()?;
        }
        None => {
            let mut out = Out::new();
            let (style, terminal) = (Style::of_output(options.target.colour), out.is_terminal());
            write(&all, options, style, terminal, &mut out)
                .map_err(Failure::host("standard output"))?;
            out.finish()?;
        }
    }
    Ok(verdict)
}

fn one(image: &OsString, database: &Database, options: &Scan) -> Result<Findings, Failure> {
    let now = clock::now()?;
    let shown = super::inspect::shown(image);
    let report = if is_saved(image) {
        saved::load(image)?
    } else {
        let how = fathom_guest::Options { deep: options.deep, now, learned: None };
        let (report, none) = super::inspect::report(image, &options.reading, &[], &how, None)?;
        super::inspect::warn(&report, None, none.as_ref());
        if let Some(error) = none {
            return Err(error.into());
        }
        report
    };
    let wanted = Options {
        weights: Weights::default(),
        texts: options.format() == ScanFormat::Json,
        today: Day::of(&clock::rfc3339(now)),
        generator: concat!("fathom ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    fathom_advisory::scan(&report, &shown, database, &wanted).map_err(database::failed)
}

fn is_wanted(finding: &Finding, options: &Scan) -> bool {
    let is_named = options.only.is_empty()
        || options.only.iter().any(|name| {
            let names = [&finding.cve_id, &finding.package];
            names.contains(&name) || finding.source_package.as_ref() == Some(name)
        });
    let least = options.severity.map(Into::into);
    is_named
        && (!options.fixable || finding.state == State::Fixed)
        && least.is_none_or(|least| finding.severity.is_some_and(|severity| severity >= least))
}

fn write(
    all: &[Findings],
    options: &Scan,
    style: Style,
    terminal: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if terminal && options.format() != ScanFormat::Table {
        return write(all, options, style, false, &mut Harmless::new(out));
    }
    for findings in all {
        match options.format() {
            ScanFormat::Table => table::print(findings, options.explain, style, out)?,
            ScanFormat::Json => {
                fathom_document::json(findings, &mut *out)?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}
