//! `fathom diff`.

mod text;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use fathom_diff::{Unfit, saved_report};
use fathom_report::{Difference, Report};

use super::inspect::place::{Unfinished, check_free};
use crate::args::{Diff, DiffFormat};
use crate::clock;
use crate::exit::{Failure, Verdict};
use crate::output::Out;
use crate::terminal::Style;

pub(crate) fn run(options: &Diff) -> Result<Verdict, Failure> {
    if !options.reading.disks.is_empty() {
        let why = "--disk cannot say which of the two machines it belongs to: save a report of it \
                   (fathom inspect IMAGE --disk IMAGE --json) and compare that";
        return Err(Failure::Usage(why.to_owned()));
    }
    if options.before == "-" && options.after == "-" {
        return Err(Failure::Usage("standard input holds only one report".to_owned()));
    }
    if let Some(path) = &options.output {
        check_free(path, options.force)?;
    }
    let (before, after) = (side(&options.before, options)?, side(&options.after, options)?);
    let generator = concat!("fathom ", env!("CARGO_PKG_VERSION"));
    let difference = fathom_diff::compare(&before, &after, generator);
    match &options.output {
        Some(path) => {
            let mut file = Unfinished::begin(path, options.force)?;
            write(&difference, options, Style::of_file(options.colour), &mut file)
                .map_err(Failure::host(path.display().to_string()))?;
            file.finish()?;
        }
        None => {
            let mut out = Out::new();
            write(&difference, options, Style::of_output(options.colour), &mut out)
                .map_err(Failure::host("standard output"))?;
            out.finish()?;
        }
    }
    Ok(match (difference.is_same(), difference.uncompared().0 == 0) {
        (false, _) => Verdict::No,
        (true, false) => Verdict::Partial,
        (true, true) => Verdict::Done,
    })
}

fn write(
    difference: &Difference,
    options: &Diff,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match options.format() {
        DiffFormat::Text => text::print(difference, style, out),
        DiffFormat::Json => {
            fathom_document::json(difference, out)?;
            out.write_all(b"\n")
        }
        DiffFormat::Html => fathom_document::difference_html(difference, out),
    }
}

/// One of the two. Its name says whether it is a saved report: the first bytes of an image were
/// written by its guest, who must not be able to tell us what to find in it.
fn side(name: &OsString, options: &Diff) -> Result<Report, Failure> {
    let shown = Path::new(name).display().to_string();
    let unfit = |error: Unfit| match error {
        Unfit::Io(error) => Failure::Host(shown.clone(), error),
        Unfit::Other(why) => Failure::Usage(format!("{shown}: {why}")),
    };
    if name == "-" {
        return saved_report(io::stdin().lock()).map_err(unfit);
    }
    let is_saved = Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    if is_saved && !name.to_string_lossy().contains("://") {
        let file = File::open(name).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                fathom_block::Error::not_found(shown.clone(), "there is no such file").into()
            }
            _ => Failure::Host(shown.clone(), error),
        })?;
        return saved_report(file).map_err(unfit);
    }
    let how = fathom_guest::Options { now: clock::now()?, ..fathom_guest::Options::default() };
    let (report, none) = super::inspect::report(name, &options.reading, &[], &how)?;
    match none {
        Some(error) => Err(error.into()),
        None => Ok(report),
    }
}
