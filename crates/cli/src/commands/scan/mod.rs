//! `fathom scan`.

mod absent;
mod choice;
mod difference;
mod exceptions;
mod folder;
mod input;
mod plan;
mod table;
mod vex;
mod weights;

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fathom_advisory::risk::{self, Weights};
use fathom_advisory::{Database, Day, Options};
use fathom_document::findings;
use fathom_profile::Policy;
use fathom_report::Report;
use fathom_report::finding::{Findings, Note, NoteKind, Unscanned};
use fathom_report::finding_difference::Difference;

use self::exceptions::Exceptions;
use self::folder::Inputs;
use self::input::Document;
use super::database;
use super::inspect::fleet;
use super::inspect::place::{Sheet, check_free, is_output};
use crate::args::{InDatabase, Scan, ScanFormat};
use crate::clock;
use crate::exit::{Each, Failure, Verdict, say};
use crate::interrupt;
use crate::output::{Harmless, Out};
use crate::progress::Progress;
use crate::terminal::Style;

const GENERATOR: &str = concat!("fathom ", env!("CARGO_PKG_VERSION"));

pub(crate) fn run(options: &Scan) -> Result<Verdict, Failure> {
    if let Some(path) = options.target.output.as_deref().filter(|path| !is_output(path)) {
        check_free(path, options.target.force)?;
    }
    let policies: Vec<Policy> = options
        .fail_if
        .iter()
        .map(|text| Policy::parse(text).map_err(|why| Failure::Usage(format!("--fail-if: {why}"))))
        .collect::<Result<_, _>>()?;
    let mut exceptions = Exceptions::read(options.exceptions.as_deref())?;
    let mut documents = vex::Documents::read(&options.vex)?;
    let mut named = choice::Named::of(options);
    let inputs = Inputs::of(&options.images)?;
    check(options, &inputs)?;
    let scanner = Scanner::of(options, &inputs)?;
    let timestamp = scanner.timestamp.clone();
    let today = fathom_report::Day::of_seconds(clock::seconds(scanner.how.now));
    let several = inputs.names.len() > 1;
    let mut each = Each::of(inputs.names.len());
    let progress = several.then(|| Progress::counting("machines", inputs.names.len()));
    let (mut all, mut partial) = (Vec::new(), false);
    let look = |index: usize| {
        interrupt::check()?;
        match inputs.saved.get(&index) {
            Some(saved) => Ok(scanner.again(saved.clone())),
            None => scanner.findings(&inputs.names[index], several),
        }
    };
    let mut take = |index: usize, outcome: Result<Findings, Failure>| {
        interrupt::check()?;
        let shown = super::inspect::shown(&inputs.names[index]);
        let of = if several { format!("{shown}: ") } else { String::new() };
        let outcome = outcome.map_err(|failure| match (failure, several) {
            // One file of several that cannot be read keeps none of the others from being.
            (Failure::Host(what, error), true) => fathom_block::Error::io(what, error).into(),
            (failure, true) => failure.of_image(&shown),
            (failure, false) => failure,
        });
        let mut findings = match outcome {
            Ok(findings) => findings,
            Err(failure) => {
                // Nobody who reads the document alone may take it for one that has no flaws.
                let mut none = Findings::none(&shown, GENERATOR, Vec::new());
                let message = failure.why().unwrap_or_else(|| "it could not be read".to_owned());
                none.notes.push(Note { kind: NoteKind::ScanFailed, message });
                all.push(none);
                return Err(failure);
            }
        };
        partial |= !findings.notes.is_empty();
        tell_notes(&findings, &of);
        decide(&mut findings, &mut exceptions, &mut documents, &of, Day::of(&timestamp));
        named.look(&findings);
        choose(&mut findings, options);
        all.push(findings);
        Ok(())
    };
    let jobs = options.jobs.or_else(|| std::thread::available_parallelism().ok());
    let jobs = jobs.map_or(1, NonZeroUsize::get);
    fleet::in_order(inputs.names.len(), jobs, look, |index, outcome| {
        let outcome = each.note(take(index, outcome));
        progress.iter().for_each(|progress| progress.add(1));
        outcome
    })?;
    drop(progress);
    let mut verdict = each.verdict(partial)?;
    if let (Some(before), [after]) = (&options.diff, all.as_slice()) {
        return since(before, after, &scanner, verdict);
    }
    documents.say_what_was_not_used();
    exceptions.say_what_was_not_used();
    named.say_what_was_not_found();
    if options.format().states() && all.iter().all(has_nothing_to_state) {
        say(
            "there is no flaw to make a statement of, and such a document has one at least: none is written",
        );
        return Ok(Verdict::Partial);
    }
    let shown = Shown { options, timestamp: &timestamp, is_list: inputs.is_list };
    publish(options, &mut |style, terminal, out| shown.write(&all, style, terminal, out))?;
    let mut is_failed = false;
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
    // The program ends here: to free each text of thousands of findings would only take time.
    std::mem::forget(all);
    Ok(if is_failed { Verdict::No } else { verdict })
}

/// Whether nothing was found, and nothing decided about.
fn has_nothing_to_state(findings: &Findings) -> bool {
    findings.vulnerabilities.is_empty() && findings.excepted.is_empty()
}

/// Refuses what does not fit together.
fn check(options: &Scan, inputs: &Inputs) -> Result<(), Failure> {
    let refuse = |why: &str| Err(Failure::Usage(why.to_owned()));
    if options.plan && !options.format().is_of_plans() {
        return refuse("plans are written as a table, as markdown or as json");
    }
    if options.plan && options.diff.is_some() {
        return refuse("--plan says what to do now, and --diff what changed: ask for one of them");
    }
    if inputs.is_list && !options.format().takes_several() {
        return refuse(
            "this format is of one machine: scan one at a time, or as a table, json, sarif or csv",
        );
    }
    if inputs.names.len() > 1 && !options.reading.disks.is_empty() {
        return refuse("--disk adds a disk to a machine: it takes one image, not several");
    }
    let is_document = |(index, name): (usize, &OsString)| {
        inputs.saved.contains_key(&index) || input::is_document(name)
    };
    if inputs.names.iter().enumerate().all(is_document)
        && options.diff.as_ref().is_none_or(|name| input::is_document(name))
        && let Some(option) = options.of_disks()
    {
        return Err(Failure::Usage(format!(
            "{option} says how to read a disk, and what is scanned here are documents"
        )));
    }
    if inputs.names.iter().chain(&options.diff).filter(|name| *name == "-").count() > 1 {
        return refuse("standard input holds only one document");
    }
    let Some(before) = &options.diff else { return Ok(()) };
    if inputs.is_list || Path::new(before).is_dir() {
        return refuse(
            "--diff compares one machine with what it was: it takes one image, not several",
        );
    }
    if !options.reading.disks.is_empty() {
        return refuse(
            "--disk cannot say which of the two machines it belongs to: save one of them by --json",
        );
    }
    match options.format() {
        ScanFormat::Table | ScanFormat::Json => Ok(()),
        _ => refuse("--diff is written as a table or as json"),
    }
}

/// A database that is opened when somebody needs it.
struct Opened<'o> {
    options: &'o InDatabase,
    database: OnceLock<Database>,
    /// Held while it is being opened.
    opening: Mutex<()>,
}

impl Opened<'_> {
    fn get(&self) -> Result<&Database, Failure> {
        let _held = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = self.database.get() {
            return Ok(database);
        }
        let database = database::open(self.options)?;
        Ok(self.database.get_or_init(|| database))
    }
}

/// Looks at one after another.
struct Scanner<'o> {
    options: &'o Scan,
    how: fathom_guest::Options,
    database: Opened<'o>,
    weights: Option<Weights>,
    timestamp: String,
}

impl<'o> Scanner<'o> {
    fn of(options: &'o Scan, inputs: &Inputs) -> Result<Self, Failure> {
        let now = clock::now()?;
        let learned = (inputs.names.len() > 1).then(Arc::default);
        let opening = Mutex::new(());
        let database = Opened { options: &options.database, database: OnceLock::new(), opening };
        let others = inputs.names.iter().enumerate().filter(|it| !inputs.saved.contains_key(&it.0));
        let mut others = others.map(|(_, name)| name).chain(&options.diff);
        if !others.all(input::looks_like_findings) {
            // That there is none is said once, and before all the work.
            database.get()?;
        }
        Ok(Self {
            options,
            how: fathom_guest::Options { deep: options.deep, now, learned },
            database,
            weights: options.weights.as_deref().map(weights::read).transpose()?,
            timestamp: clock::rfc3339(now),
        })
    }

    /// The findings of an image or a document, one of several or the only one.
    fn findings(&self, name: &OsString, several: bool) -> Result<Findings, Failure> {
        let shown = super::inspect::shown(name);
        if input::is_document(name) {
            return match input::read(name)? {
                Document::Report(report, passed_over) => self.scanned(&report, &shown, passed_over),
                Document::Findings(findings) => Ok(self.again(*findings)),
            };
        }
        let called = several.then_some(shown.as_str());
        let (report, none) =
            super::inspect::report(name, &self.options.reading, &[], &self.how, called)?;
        super::inspect::warn(&report, several.then_some(name), none.as_ref());
        match none {
            Some(error) => Err(error.into()),
            None => self.scanned(&report, &shown, Vec::new()),
        }
    }

    fn scanned(
        &self,
        report: &Report,
        shown: &str,
        passed_over: Vec<Unscanned>,
    ) -> Result<Findings, Failure> {
        let wanted = Options {
            weights: self.weights.clone().unwrap_or_default(),
            texts: !matches!(self.options.format(), ScanFormat::Table | ScanFormat::Csv),
            today: Day::of(&self.timestamp),
            generator: GENERATOR.to_owned(),
        };
        let mut findings = fathom_advisory::scan(report, shown, self.database.get()?, &wanted)
            .map_err(database::failed)?;
        findings.unscanned.extend(passed_over);
        if self.options.explain {
            let flaws = &self.options.only;
            absent::explain(flaws, report, &findings, self.database.get()?, wanted.today)?;
        }
        Ok(findings)
    }

    /// Findings that were saved, with the weights of today.
    fn again(&self, mut findings: Findings) -> Findings {
        let said = findings.summary.clone();
        match &self.weights {
            Some(weights) => risk::weigh(&mut findings, weights),
            None => fathom_advisory::summarize(&mut findings),
        }
        let is_whole = said.vulnerabilities == findings.summary.vulnerabilities
            && said.vulnerable_packages == findings.summary.vulnerable_packages;
        if !is_whole {
            let message = format!(
                "the saved findings are not all that there were: {} of {} flaws are listed, since \
                 they were chosen from when they were saved",
                findings.summary.vulnerabilities, said.vulnerabilities,
            );
            findings.notes.push(Note { kind: NoteKind::MissingScanData, message });
        }
        findings
    }
}

/// Says what keeps findings from being all there is.
fn tell_notes(findings: &Findings, of: &str) {
    for note in &findings.notes {
        say(&format!("{of}note: {}: {}", note.kind.name(), note.message));
    }
}

/// Tells apart what was decided about, by exceptions first and then by what documents say.
fn decide(
    findings: &mut Findings,
    exceptions: &mut Exceptions,
    documents: &mut vex::Documents,
    of: &str,
    today: Day,
) {
    exceptions.apply(findings, today, |exception| {
        let (flaw, reason) = (&exception.flaw, &exception.reason);
        say(&format!("{of}note: the exception of {flaw} is over: {reason}"));
    });
    documents.apply(findings);
}

/// Leaves what was asked for, in the order that was.
fn choose(findings: &mut Findings, options: &Scan) {
    findings.vulnerabilities.retain(|finding| choice::is_wanted(finding, options));
    choice::sort(&mut findings.vulnerabilities, options.sort);
}

/// Says what differs since `before`.
fn since(
    before: &OsString,
    after: &Findings,
    scanner: &Scanner<'_>,
    verdict: Verdict,
) -> Result<Verdict, Failure> {
    let options = scanner.options;
    let shown = super::inspect::shown(before);
    let mut first = scanner.findings(before, true).map_err(|failure| failure.of_image(&shown))?;
    // Of an exception that is over now it was said already.
    let today = Day::of(&scanner.timestamp);
    Exceptions::read(options.exceptions.as_deref())?.apply(&mut first, today, |_| ());
    vex::Documents::read(&options.vex)?.apply(&mut first);
    first.vulnerabilities.retain(|finding| choice::is_wanted(finding, options));
    let difference = fathom_diff::findings::compare(&first, after, GENERATOR);
    publish(options, &mut |style, terminal, out| {
        write_difference(&difference, options.format(), style, terminal, out)
    })?;
    Ok(match (difference.summary.new, difference.doubts.is_empty()) {
        (1.., _) => Verdict::No,
        (0, false) => Verdict::Partial,
        (0, true) => verdict,
    })
}

fn write_difference(
    difference: &Difference,
    format: ScanFormat,
    style: Style,
    terminal: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    match (format, terminal) {
        (ScanFormat::Json, true) => {
            write_difference(difference, format, style, false, &mut Harmless::new(out))
        }
        (ScanFormat::Json, false) => {
            fathom_document::json(difference, out)?;
            out.write_all(b"\n")
        }
        _ => difference::print(difference, style, out),
    }
}

/// Writes a document to where it was asked for.
fn publish(
    options: &Scan,
    write: &mut dyn FnMut(Style, bool, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    match options.target.output.as_deref().filter(|path| !is_output(path)) {
        Some(path) => {
            let mut file = Sheet::begin(path, options.target.force)?;
            let (style, terminal) = (Style::of_file(options.target.colour), file.is_terminal());
            write(style, terminal, &mut file).map_err(Failure::host(path.display().to_string()))?;
            file.finish()
        }
        None => {
            let mut out = Out::new();
            let (style, terminal) = (Style::of_output(options.target.colour), out.is_terminal());
            write(style, terminal, &mut out).map_err(Failure::host("standard output"))?;
            out.finish()
        }
    }
}

/// How findings are written.
struct Shown<'o> {
    options: &'o Scan,
    timestamp: &'o str,
    is_list: bool,
}

impl Shown<'_> {
    fn write(
        &self,
        all: &[Findings],
        style: Style,
        terminal: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Self { options, timestamp, is_list } = *self;
        if terminal && options.format() != ScanFormat::Table {
            return self.write(all, style, false, &mut Harmless::new(out));
        }
        if options.plan {
            return plan::write(all, options.format(), is_list, style, out);
        }
        let mut each = |write: &mut dyn FnMut(&Findings, &mut dyn Write) -> io::Result<()>| {
            all.iter().try_for_each(|findings| write(findings, out))
        };
        match options.format() {
            ScanFormat::Table => {
                let mut is_first = true;
                each(&mut |it, out| {
                    if !std::mem::replace(&mut is_first, false) {
                        writeln!(out)?;
                    }
                    table::print(it, options.explain, style, out)
                })
            }
            ScanFormat::Json if is_list => {
                fathom_document::json(&all, out)?;
                out.write_all(b"\n")
            }
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
}
