//! Reports that were saved, in the place of images.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;

use fathom_diff::{Unfit, saved_report};
use fathom_report::Report;

use crate::exit::Failure;

/// Whether the name is that of a saved report. The name decides: the first bytes of an image were
/// written by its guest, who must not be able to tell us what to find in it.
pub(super) fn is_saved(name: &OsStr) -> bool {
    let is_json = Path::new(name).extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    name == "-" || is_json && !name.to_string_lossy().contains("://")
}

/// The saved report of the name; `-` is standard input.
pub(super) fn load(name: &OsStr) -> Result<Report, Failure> {
    let shown = Path::new(name).display().to_string();
    let report = match name == "-" {
        true => saved_report(io::stdin().lock()),
        false => saved_report(File::open(name).map_err(Failure::reading(shown.clone()))?),
    };
    report.map_err(|error| match error {
        Unfit::Io(error) => Failure::Host(shown, error),
        Unfit::Other(why) => Failure::Usage(format!("{shown}: {why}")),
    })
}
