//! `fathom diff`.

mod text;

use std::ffi::OsString;
use std::io::{self, Write};

use fathom_report::{Difference, Report};

use super::inspect::place::{Sheet, check_free, is_output};
use super::saved::{self, is_saved};
use crate::args::{Diff, DiffFormat};
use crate::clock;
use crate::exit::{Failure, Verdict};
use crate::output::{Harmless, Out};
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
    let output = options.target.output.as_deref().filter(|path| !is_output(path));
    if let Some(path) = output {
        check_free(path, options.target.force)?;
    }
    let (before, after) = (side(&options.before, options)?, side(&options.after, options)?);
    let generator = concat!("fathom ", env!("CARGO_PKG_VERSION"));
    let difference = fathom_diff::compare(&before, &after, generator);
    match output {
        Some(path) => {
            let mut file = Sheet::begin(path, options.target.force)?;
            let (style, terminal) = (Style::of_file(options.target.colour), file.is_terminal());
            write(&difference, options, style, terminal, &mut file)
                .map_err(Failure::host(path.display().to_string()))?;
            file.finish()?;
        }
        None => {
            let mut out = Out::new();
            let (style, terminal) = (Style::of_output(options.target.colour), out.is_terminal());
            write(&difference, options, style, terminal, &mut out)
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
    terminal: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if terminal && options.format() != DiffFormat::Text {
        return write(difference, options, style, false, &mut Harmless::new(out));
    }
    match options.format() {
        DiffFormat::Text => text::print(difference, style, out),
        DiffFormat::Json => {
            fathom_document::json(difference, out)?;
            out.write_all(b"\n")
        }
        DiffFormat::Html => fathom_document::difference_html(difference, out),
    }
}

/// One of the two.
fn side(name: &OsString, options: &Diff) -> Result<Report, Failure> {
    if is_saved(name) {
        return saved::load(name);
    }
    let how = fathom_guest::Options { now: clock::now()?, ..fathom_guest::Options::default() };
    // There are two, so that it is always said which one is meant.
    let called = super::inspect::shown(name);
    let looked = super::inspect::report(name, &options.reading, &[], &how, Some(&called));
    let (report, none) = looked.map_err(|failure| failure.of_image(&called))?;
    match none {
        Some(error) => Err(Failure::from(error).of_image(&called)),
        None => Ok(report),
    }
}
