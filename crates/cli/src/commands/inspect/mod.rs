//! `fathom inspect`.

mod table;

use std::ffi::OsString;

use fathom_block::{Disk, Error};
use fathom_report::{Coverage, Problem, ProblemKind, Report, SCHEMA};

use crate::args::Inspect;
use crate::exit::{Each, Failure, Verdict, describe, say};
use crate::interrupt;
use crate::machine::Machine;
use crate::output::{JsonArray, Out};

pub(crate) fn run(options: &Inspect) -> Result<Verdict, Failure> {
    let several = options.images.len() > 1;
    if several && !options.reading.disks.is_empty() {
        let why = "--disk adds a disk to a machine: it takes one image, not several";
        return Err(Failure::Usage(why.to_owned()));
    }
    let json = options.output.is_json();
    let mut out = Out::new();
    let mut array = JsonArray::default();
    let mut each = Each::of(options.images.len());
    let mut partial = false;
    let mut one = |image: &OsString, first: bool| {
        interrupt::check()?;
        let (report, none) = report(image, options)?;
        if json && several {
            array.item(&mut out, &report)?;
        } else if json {
            out.json(&report)?;
        } else {
            if !first {
                out.line("")?;
            }
            table::print(&report, &options.sections, &mut out)?;
        }
        out.flush()?;
        match none {
            Some(error) => Err(error.into()),
            None => {
                partial |= !is_complete(&report);
                Ok(())
            }
        }
    };
    for (index, image) in options.images.iter().enumerate() {
        each.note(one(image, index == 0))?;
    }
    if json && several {
        array.finish(&mut out)?;
    }
    out.finish()?;
    each.verdict(partial)
}

/// The report on one machine; and why no operating system is in it, if none is.
fn report(image: &OsString, options: &Inspect) -> Result<(Report, Option<Error>), Failure> {
    let machine = Machine::of(image, &options.reading)?;
    let how = fathom_guest::Options { deep: options.deep, ..fathom_guest::Options::default() };
    let inspection = fathom_guest::inspect(&machine.discovery, &how);
    let of_disks = machine.disks.iter().flat_map(|disk| &disk.problems);
    let problems: Vec<_> = of_disks.chain(&inspection.problems).map(problem).collect();
    for problem in problems.iter().chain(inspection.systems.iter().flat_map(|it| &it.problems)) {
        say(&format!("warning: {}", problem.message));
    }
    let report = Report {
        schema: SCHEMA.to_owned(),
        generator: concat!("fathom ", env!("CARGO_PKG_VERSION")).to_owned(),
        disks: machine.disks.iter().map(disk).collect(),
        systems: inspection.systems,
        storage: inspection.storage,
        concerns: inspection.concerns,
        undecided: inspection.undecided,
        profiles: Vec::new(),
        problems,
    };
    Ok((report, inspection.none))
}

fn disk(disk: &Disk) -> fathom_report::Disk {
    fathom_report::Disk {
        name: disk.name.clone(),
        format: disk.layers.first().map_or("raw", |layer| layer.format.name()).to_owned(),
        virtual_size: disk.reader.len(),
        checksum: None,
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
