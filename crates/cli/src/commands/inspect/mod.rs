//! `fathom inspect`.

mod checksum;
pub(super) mod place;
mod table;
mod writer;

use std::ffi::OsString;

use fathom_block::{Disk, Error};
use fathom_report::{Coverage, Problem, ProblemKind, Report, SCHEMA};

use self::checksum::Expected;
use self::writer::Writer;
use crate::args::{Inspect, Reading};
use crate::exit::{Each, Failure, Verdict, describe, say};
use crate::interrupt;
use crate::machine::Machine;

pub(crate) fn run(options: &Inspect) -> Result<Verdict, Failure> {
    let several = options.images.len() > 1;
    if several && !options.reading.disks.is_empty() {
        let why = "--disk adds a disk to a machine: it takes one image, not several";
        return Err(Failure::Usage(why.to_owned()));
    }
    let expected = expected(options)?;
    let how = fathom_guest::Options { deep: options.deep, ..fathom_guest::Options::default() };
    let mut writer = Writer::new(options)?;
    let mut each = Each::of(options.images.len());
    let mut partial = false;
    let mut one = |image: &OsString, expected: &[Expected]| {
        interrupt::check()?;
        let checksums = verified(image, &options.reading, expected)?;
        let (report, none) = report(image, &options.reading, &checksums, &how)?;
        writer.report(image, &report)?;
        match none {
            Some(error) => Err(error.into()),
            None => {
                partial |= !is_complete(&report);
                Ok(())
            }
        }
    };
    for (index, image) in options.images.iter().enumerate() {
        let expected = if several { expected.get(index..=index) } else { Some(&*expected) };
        each.note(one(image, expected.unwrap_or_default()))?;
    }
    writer.finish()?;
    each.verdict(partial)
}

/// The checksums that were given: one for each file, or none at all.
fn expected(options: &Inspect) -> Result<Vec<Expected>, Failure> {
    let (given, files) =
        (options.checksums.len(), options.images.len() + options.reading.disks.len());
    if given != 0 && given != files {
        let why =
            format!("--checksum is given {given} times for {files} files: one for each, or none");
        return Err(Failure::Usage(why));
    }
    options.checksums.iter().map(|text| Expected::parse(text)).collect()
}

/// Compares the files of a machine with the checksums that were given for them.
fn verified(
    image: &OsString,
    reading: &Reading,
    expected: &[Expected],
) -> Result<Vec<String>, Failure> {
    let images = std::iter::once(image).chain(&reading.disks);
    images.zip(expected).map(|(image, expected)| expected.verify(image, reading)).collect()
}

/// The report on one machine, whose files have these checksums as far as they were compared; and why
/// no operating system is in it, if none is.
pub(super) fn report(
    image: &OsString,
    reading: &Reading,
    checksums: &[String],
    how: &fathom_guest::Options,
) -> Result<(Report, Option<Error>), Failure> {
    let machine = Machine::of(image, reading)?;
    for disk in machine.disks.iter().filter(|disk| !checksums.is_empty() && disk.layers.len() > 1) {
        let further = disk.layers.len() - 1;
        say(&format!(
            "warning: {}: the checksum says nothing of the {further} further files it builds upon",
            disk.name
        ));
    }
    let inspection = fathom_guest::inspect(&machine.discovery, how);
    let of_disks = machine.disks.iter().flat_map(|disk| &disk.problems);
    let problems: Vec<_> = of_disks.chain(&inspection.problems).map(problem).collect();
    for problem in problems.iter().chain(inspection.systems.iter().flat_map(|it| &it.problems)) {
        say(&format!("warning: {}", problem.message));
    }
    let report = Report {
        schema: SCHEMA.to_owned(),
        generator: concat!("fathom ", env!("CARGO_PKG_VERSION")).to_owned(),
        disks: machine
            .disks
            .iter()
            .zip(&machine.origins)
            .map(|(one, origin)| disk(one, checksums.get(*origin).cloned()))
            .collect(),
        systems: inspection.systems,
        storage: inspection.storage,
        concerns: inspection.concerns,
        undecided: inspection.undecided,
        profiles: Vec::new(),
        problems,
    };
    Ok((report, inspection.none))
}

fn disk(disk: &Disk, checksum: Option<String>) -> fathom_report::Disk {
    fathom_report::Disk {
        name: disk.name.clone(),
        format: disk.layers.first().map_or("raw", |layer| layer.format.name()).to_owned(),
        virtual_size: disk.reader.len(),
        checksum,
    }
}

fn problem(error: &Error) -> Problem {
    Problem { message: describe(error), ..fathom_guest::problem(error) }
}

/// Whether everything could be looked at. What is encrypted or of a kind that is not read is an
/// answer where it is not a part of the system.
fn is_complete(report: &Report) -> bool {
    let is_answer = |kind| matches!(kind, ProblemKind::Encrypted | ProblemKind::Unsupported);
    report.problems.iter().all(|problem| is_answer(problem.kind))
        && report.systems.iter().all(|system| {
            system.problems.is_empty()
                && system.packages.coverage == Coverage::Complete
                && system.users.accounts.coverage == Coverage::Complete
        })
}
