//! `fathom inspect`.

mod checksum;
pub(super) mod fleet;
pub(super) mod place;
pub(super) mod profiles;
mod table;
mod writer;

use std::collections::HashSet;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;

use fathom_block::{Disk, Error, Location};
use fathom_report::Day;
use fathom_report::{Coverage, ProblemKind, Report};

use self::checksum::Expected;
use self::profiles::Chosen;
use self::writer::Writer;
use super::saved::{self, is_saved};
use crate::args::{Inspect, Reading};
use crate::clock;
use crate::exit::{Each, Failure, Verdict, describe, say};
use crate::interrupt;
use crate::machine::Machine;
use crate::progress::Progress;

pub(crate) fn run(options: &Inspect) -> Result<Verdict, Failure> {
    let several = options.images.len() > 1;
    if several && !options.reading.disks.is_empty() {
        let why = "--disk adds a disk to a machine: it takes one image, not several";
        return Err(Failure::Usage(why.to_owned()));
    }
    if options.reading.keys.key_files.iter().any(|file| file == "-") && several {
        let why = "--key-file - reads one passphrase from standard input: it takes one image";
        return Err(Failure::Usage(why.to_owned()));
    }
    check_saved(options)?;
    let expected = expected(options)?;
    let chosen = Chosen::of(&options.profiles)?;
    let now = clock::now()?;
    let learned = several.then(Arc::default);
    let how = fathom_guest::Options { deep: options.deep, now, learned };
    let today = Day::of_seconds(clock::seconds(now));
    let mut writer = Writer::new(options)?;
    let mut each = Each::of(options.images.len());
    let (mut partial, mut failed) = (0, false);
    let progress = several.then(|| Progress::counting("machines", options.images.len()));
    let look = |index: usize| {
        interrupt::check()?;
        let image = &options.images[index];
        let (mut report, none) = if is_saved(image) {
            let report = saved::load(image)?;
            let why = "no operating system was found when this report was made";
            let none = report.systems.is_empty();
            (report, none.then(|| Error::not_found(shown(image), why)))
        } else {
            let expected = if several { expected.get(index..=index) } else { Some(&*expected) };
            let checksums = verified(image, &options.reading, expected.unwrap_or_default())?;
            let called = several.then(|| shown(image));
            report(image, &options.reading, &checksums, &how, called.as_deref())?
        };
        if let Some(chosen) = &chosen {
            chosen.apply(&mut report, today);
        }
        Ok((report, none))
    };
    let mut one = |index: usize, outcome: Result<(Report, Option<Error>), Failure>| {
        interrupt::check()?;
        let image = &options.images[index];
        let of_image = |failure: Failure| match several {
            true => failure.of_image(&shown(image)),
            false => failure,
        };
        let (report, none) = outcome.map_err(of_image)?;
        warn(&report, several.then_some(image), none.as_ref());
        failed |= chosen.as_ref().is_some_and(|chosen| chosen.fails(&report));
        writer.report(image, &report)?;
        match none {
            Some(error) => Err(of_image(error.into())),
            None => {
                partial += usize::from(!is_complete(&report));
                Ok(())
            }
        }
    };
    fleet::in_order(options.images.len(), jobs(options), look, |index, outcome| {
        let outcome = each.note(one(index, outcome));
        progress.iter().for_each(|progress| progress.add(1));
        outcome
    })?;
    drop(progress);
    writer.finish()?;
    if several {
        say(&each.summary("machines", partial));
    }
    match each.verdict(partial > 0)? {
        _ if failed => Ok(Verdict::No),
        verdict => Ok(verdict),
    }
}

/// Refuses what a saved report cannot answer.
fn check_saved(options: &Inspect) -> Result<(), Failure> {
    let Some(saved) = options.images.iter().find(|image| is_saved(image)) else { return Ok(()) };
    let of_disks = [
        (options.deep, "--deep"),
        (!options.checksums.is_empty(), "--checksum"),
        (!options.reading.disks.is_empty(), "--disk"),
    ];
    if let Some((_, option)) = of_disks.iter().find(|(given, _)| *given) {
        let saved = shown(saved);
        let why = format!("{option} needs a disk to look at, and {saved} is a saved report");
        return Err(Failure::Usage(why));
    }
    if options.images.iter().filter(|image| *image == "-").count() > 1 {
        return Err(Failure::Usage("standard input holds only one report".to_owned()));
    }
    Ok(())
}

/// How an image is called in messages.
pub(super) fn shown(image: &OsString) -> String {
    Location::parse(image).to_string()
}

/// How many machines are looked at at once.
fn jobs(options: &Inspect) -> usize {
    let chosen = options.jobs.or_else(|| std::thread::available_parallelism().ok());
    chosen.map_or(1, NonZeroUsize::get)
}

/// Says what could not be read; of which machine, where there are several. What ends the command is
/// said when it ends.
pub(super) fn warn(report: &Report, image: Option<&OsString>, ends: Option<&Error>) {
    let ends = ends.map(describe);
    let of = image.map_or(String::new(), |image| format!("{}: ", shown(image)));
    let of_systems = report.systems.iter().flat_map(|it| &it.problems);
    // What hides several things is a problem of each, and said once.
    let mut said = HashSet::new();
    let all = report.problems.iter().chain(of_systems);
    for problem in all.filter(|problem| ends.as_ref() != Some(&problem.message)) {
        if said.insert(problem.message.as_str()) {
            say(&format!("{of}warning: {}", problem.message));
        }
    }
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
/// no operating system is in it, if none is. `called` leads what is said meanwhile.
pub(super) fn report(
    image: &OsString,
    reading: &Reading,
    checksums: &[String],
    how: &fathom_guest::Options,
    called: Option<&str>,
) -> Result<(Report, Option<Error>), Failure> {
    let mut machine = Machine::of(image, reading)?;
    called.into_iter().for_each(|name| machine.call(name));
    for disk in machine.disks.iter().filter(|disk| !checksums.is_empty() && disk.layers.len() > 1) {
        let further = disk.layers.len() - 1;
        let of = called.map_or(String::new(), |name| format!("{name}: "));
        say(&format!(
            "{of}warning: {}: the checksum says nothing of the {further} further files it builds upon",
            disk.name
        ));
    }
    let inspection = fathom_guest::inspect(&machine.discovery, how);
    let with_checksum =
        |(disk, origin): (&Disk, &usize)| (disk.clone(), checksums.get(*origin).cloned());
    let disks: Vec<_> = machine.disks.iter().zip(&machine.origins).map(with_checksum).collect();
    let none = inspection.none.clone();
    let generator = concat!("fathom ", env!("CARGO_PKG_VERSION"));
    Ok((inspection.into_report(&disks, generator, &describe), none))
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
