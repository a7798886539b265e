//! `fathom scan`.

mod plan;
mod table;
mod vex;

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::SystemTime;

use fathom_advisory::exception::{self, Exception};
use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day, Options};
use fathom_document::findings;
use fathom_profile::Policy;
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
    if options.images.len() > 1 && !options.format().takes_several() {
        let why = "this format is of one machine: scan one at a time, or as sarif, csv or a table";
        return Err(Failure::Usage(why.to_owned()));
    }
    if options.plan && !options.format().is_of_plans() {
        let why = "plans are written as a table, as markdown or as json";
        return Err(Failure::Usage(why.to_owned()));
    }
    let policies: Vec<Policy> = options
        .fail_if
        .iter()
        .map(|text| Policy::parse(text).map_err(|why| Failure::Usage(format!("--fail-if: {why}"))))
        .collect::<Result<_, _>>()?;
    let mut exceptions = exceptions(options)?;
    let mut documents = vex::Documents::read(&options.vex)?;
    let now = clock::now()?;
    let today = fathom_report::Day::of_seconds(clock::seconds(now));
    let timestamp = clock::rfc3339(now);
    let database = database::open(&options.database)?;
    let (mut verdict, mut is_failed) = (Verdict::Done, false);
    let mut all = Vec::new();
    for image in &options.images {
        let mut findings = one(image, &database, options, now)?;
        for note in &findings.notes {
            verdict = Verdict::Partial;
            say(&format!("note: {}: {}", note.kind.name(), note.message));
        }
        let applied = exception::apply(&mut findings, &mut exceptions, Day::of(&timestamp));
        for exception in applied.over.iter().filter_map(|index| exceptions.get(*index)) {
            let (flaw, reason) = (&exception.flaw, &exception.reason);
            say(&format!("note: the exception of {flaw} is over: {reason}"));
        }
        documents.apply(&mut findings);
        findings.vulnerabilities.retain(|finding| is_wanted(finding, options));
        all.push(findings);
    }
    documents.say_what_was_not_used();
    match output {
        Some(path) => {
            let mut file = Sheet::begin(path, options.target.force)?;
            let style = Style::of_file(options.target.colour);
            let terminal = file.is_terminal();
            write(&all, options, &timestamp, style, terminal, &mut file)
                .map_err(Failure::host(path.display().to_string()))?;
            file.finish()?;
        }
        None => {
            let mut out = Out::new();
            let (style, terminal) = (Style::of_output(options.target.colour), out.is_terminal());
            write(&all, options, &timestamp, style, terminal, &mut out)
                .map_err(Failure::host("standard output"))?;
            out.finish()?;
        }
    }
    for policy in &policies {
        let found = all.iter().flat_map(|it| &it.vulnerabilities);
        let (mut holds, mut unknown) = (0, 0);
        for finding in found {
            match policy.holds(finding, today) {
                Some(true) => holds += 1,
                Some(false) => {}
                None => unknown += 1,
            }
        }
        if unknown > 0 {
            say(&format!("note: of {unknown} findings it cannot be told: {}", policy.text()));
            verdict = Verdict::Partial;
        }
        if holds > 0 {
            say(&format!("{holds} findings: {}", policy.text()));
            is_failed = true;
        }
    }
    Ok(if is_failed { Verdict::No } else { verdict })
}

/// The exceptions of the file that was named.
fn exceptions(options: &Scan) -> Result<Vec<Exception>, Failure> {
    let Some(path) = &options.exceptions else { return Ok(Vec::new()) };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(Failure::reading(shown.clone()))?;
    exception::parse(&text).map_err(|error| Failure::Usage(format!("{shown}: {error}")))
}

fn one(
    image: &OsString,
    database: &Database,
    options: &Scan,
    now: SystemTime,
) -> Result<Findings, Failure> {
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
        texts: !matches!(options.format(), ScanFormat::Table | ScanFormat::Csv),
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
    timestamp: &str,
    style: Style,
    terminal: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if terminal && options.format() != ScanFormat::Table {
        return write(all, options, timestamp, style, false, &mut Harmless::new(out));
    }
    if options.plan {
        return plan::write(all, options.format(), style, out);
    }
    let mut each = |write: &mut dyn FnMut(&Findings, &mut dyn Write) -> io::Result<()>| {
        all.iter().try_for_each(|findings| write(findings, out))
    };
    match options.format() {
        ScanFormat::Table => each(&mut |it, out| table::print(it, options.explain, style, out)),
        ScanFormat::Json => each(&mut |it, out| {
            fathom_document::json(it, out)?;
            out.write_all(b"\n")
        }),
        ScanFormat::Markdown => each(&mut |it, out| findings::markdown(it, out)),
        ScanFormat::Html => each(&mut |it, out| findings::html(it, out)),
        ScanFormat::Cyclonedx => each(&mut |it, out| findings::cyclonedx(it, timestamp, out)),
        ScanFormat::Csv => {
            let mut table = findings::Csv::new(true, out);
            all.iter().try_for_each(|it| table.findings(it))
        }
        ScanFormat::Sarif => findings::sarif(all, out),
        ScanFormat::Junit => findings::junit(all, out),
        ScanFormat::Gitlab => findings::gitlab(all, timestamp, out),
        ScanFormat::Openvex => each(&mut |it, out| findings::openvex(it, timestamp, out)),
        ScanFormat::CsafVex => each(&mut |it, out| findings::csaf(it, timestamp, out)),
    }
}
