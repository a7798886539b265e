//! Reports in the format that was asked for, one after another.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use fathom_document::{Csv, Section};
use fathom_report::Report;

use super::place::{Folder, Sheet, check_free, is_output};
use super::profiles;
use super::table;
use crate::args::{DocumentFormat, Inspect};
use crate::clock;
use crate::exit::Failure;
use crate::output::{Harmless, JsonArray, Out};
use crate::terminal::Style;

/// Writes reports.
pub(super) struct Writer {
    format: DocumentFormat,
    sections: Vec<Section>,
    timestamp: String,
    style: Style,
    force: bool,
    place: Place,
    /// How many have been written.
    written: usize,
}

/// Where the reports go.
enum Place {
    /// Standard output, all of them.
    Output { out: Out, array: Option<JsonArray> },
    /// A file, the one there is.
    File(std::path::PathBuf),
    /// A folder, a file each.
    Folder(Folder),
}

impl Writer {
    /// A writer for what was asked for.
    pub(super) fn new(options: &Inspect) -> Result<Self, Failure> {
        let format = options.document.format();
        let several = options.images.len() > 1;
        let sections = options.sections.clone();
        let takes_sections = matches!(
            format,
            DocumentFormat::Table | DocumentFormat::Markdown | DocumentFormat::Csv
        );
        if !sections.is_empty() && !takes_sections {
            let why = "--section is of table, markdown and csv; other documents hold everything";
            return Err(Failure::Usage(why.to_owned()));
        }
        let one_table = format != DocumentFormat::Csv || sections.len() == 1;
        let alone = matches!(
            format,
            DocumentFormat::Html | DocumentFormat::Cyclonedx | DocumentFormat::Spdx
        );
        let place = match options.document.target.output.as_deref().filter(|path| !is_output(path))
        {
            None if !one_table => {
                let why = "csv is one table: name one --section, or with -o a folder for several";
                return Err(Failure::Usage(why.to_owned()));
            }
            None if several && alone => {
                let why = "this format has one document a machine: -o names a folder for them";
                return Err(Failure::Usage(why.to_owned()));
            }
            None => {
                let list = several && format == DocumentFormat::Json;
                Place::Output { out: Out::new(), array: list.then(JsonArray::default) }
            }
            Some(path) if several || !one_table || is_folder(path) => {
                Place::Folder(Folder::open(path)?)
            }
            Some(path) => {
                // Before all the work, not after it.
                check_free(path, options.document.target.force)?;
                Place::File(path.to_owned())
            }
        };
        let style = match &place {
            Place::Output { .. } => Style::of_output(options.document.target.colour),
            _ => Style::of_file(options.document.target.colour),
        };
        let timestamp = timestamp(options.document.timestamp.as_deref())?;
        let force = options.document.target.force;
        Ok(Self { format, sections, timestamp, style, force, place, written: 0 })
    }

    /// Writes the report on the machine of `image`.
    pub(super) fn report(&mut self, image: &OsString, report: &Report) -> Result<(), Failure> {
        let first = self.written == 0;
        self.written += 1;
        let mut place = std::mem::replace(&mut self.place, Place::File(Path::new("").into()));
        let outcome = self.report_to(&mut place, image, report, first);
        self.place = place;
        outcome
    }

    fn report_to(
        &self,
        place: &mut Place,
        image: &OsString,
        report: &Report,
        first: bool,
    ) -> Result<(), Failure> {
        match place {
            Place::Output { out, array: Some(array) } => {
                array.item(out, report)?;
                out.flush()
            }
            Place::Output { out, array: None } => {
                let written = self.between(first, out).and_then(|()| {
                    let section = self.sections.first().copied();
                    self.shown(out.is_terminal(), report, section, first, out)
                });
                written.map_err(Failure::host("standard output"))?;
                out.flush()
            }
            Place::File(path) => self.file(path, report, self.sections.first().copied()),
            Place::Folder(folder) => {
                let name = folder.name(image);
                let ending = ending(self.format);
                if self.format != DocumentFormat::Csv {
                    return self.file(&folder.file(&format!("{name}.{ending}")), report, None);
                }
                let all = if self.sections.is_empty() { &Section::ALL } else { &*self.sections };
                all.iter().try_for_each(|section| {
                    let name = format!("{name}.{}.{ending}", section.name());
                    self.file(&folder.file(&name), report, Some(*section))
                })
            }
        }
    }

    fn file(&self, path: &Path, report: &Report, section: Option<Section>) -> Result<(), Failure> {
        let mut file = Sheet::begin(path, self.force)?;
        let written = self.shown(file.is_terminal(), report, section, true, &mut file);
        written.map_err(Failure::host(path.display().to_string()))?;
        file.finish()
    }

    /// What parts two documents on standard output.
    fn between(&self, first: bool, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            DocumentFormat::Yaml if !first => out.write_all(b"---\n"),
            DocumentFormat::Table | DocumentFormat::Markdown if !first => out.write_all(b"\n"),
            _ => Ok(()),
        }
    }

    /// Writes one document, so that a terminal obeys nothing in it. A table is harmless, and its
    /// colours must stay.
    fn shown(
        &self,
        terminal: bool,
        report: &Report,
        section: Option<Section>,
        header: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if terminal && self.format != DocumentFormat::Table {
            return self.document(report, section, header, &mut Harmless::new(out));
        }
        self.document(report, section, header, out)
    }

    /// Writes one document.
    fn document(
        &self,
        report: &Report,
        section: Option<Section>,
        header: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self.format {
            DocumentFormat::Table => {
                table::print(report, &self.sections, self.style, out)?;
                profiles::lines(report, self.style.width)
                    .iter()
                    .try_for_each(|line| writeln!(out, "{line}"))
            }
            DocumentFormat::Json => {
                fathom_document::json(report, out)?;
                out.write_all(b"\n")
            }
            DocumentFormat::Yaml => fathom_document::yaml(report, out),
            DocumentFormat::Markdown => fathom_document::markdown(report, &self.sections, out),
            DocumentFormat::Csv => {
                let section = section.unwrap_or(Section::Packages);
                Csv::new(section, header, out).report(report)
            }
            DocumentFormat::Html => fathom_document::html(report, out),
            DocumentFormat::Cyclonedx => fathom_document::cyclonedx(report, &self.timestamp, out),
            DocumentFormat::Spdx => fathom_document::spdx(report, &self.timestamp, out),
        }
    }

    /// All reports have been written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self.place {
            Place::Output { mut out, array } => {
                if let Some(array) = array {
                    array.finish(&mut out)?;
                }
                out.finish()
            }
            Place::File(_) | Place::Folder(_) => Ok(()),
        }
    }
}

/// Whether a path is meant as a folder.
fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// What the names of files of a format end with.
fn ending(format: DocumentFormat) -> &'static str {
    match format {
        DocumentFormat::Table => "txt",
        DocumentFormat::Json => "json",
        DocumentFormat::Yaml => "yaml",
        DocumentFormat::Markdown => "md",
        DocumentFormat::Csv => "csv",
        DocumentFormat::Html => "html",
        DocumentFormat::Cyclonedx => "cdx.json",
        DocumentFormat::Spdx => "spdx.json",
    }
}

/// The time that documents say they were made at: as typed, of the environment, or now.
fn timestamp(typed: Option<&str>) -> Result<String, Failure> {
    if let Some(typed) = typed {
        return match is_timestamp(typed) {
            true => Ok(typed.to_owned()),
            false => Err(Failure::Usage(format!(
                "--timestamp {typed:?}: it must be like 2026-01-31T12:00:00Z"
            ))),
        };
    }
    Ok(clock::rfc3339(clock::now()?))
}

/// Whether a text is a time in UTC and whole seconds, as both kinds of bills of materials take it.
fn is_timestamp(text: &str) -> bool {
    let shape = text.bytes().zip(b"0000-00-00T00:00:00Z").all(|(byte, wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        wanted => byte == *wanted,
    });
    let number = |from: usize| text.get(from..from + 2).and_then(|it| it.parse::<u8>().ok());
    let within = |from, range: std::ops::RangeInclusive<u8>| {
        number(from).is_some_and(|number| range.contains(&number))
    };
    text.len() == 20
        && shape
        && within(5, 1..=12)
        && within(8, 1..=31)
        && within(11, 0..=23)
        && within(14, 0..=59)
        && within(17, 0..=59)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_whole_seconds() {
        for (text, valid) in [
            ("2026-01-31T12:00:00Z", true),
            ("2026-13-31T12:00:00Z", false),
            ("2026-01-31T12:00:00+01:00", false),
            ("2026-01-31", false),
            ("2026-01-31T24:00:00Z", false),
        ] {
            assert_eq!(is_timestamp(text), valid, "{text}");
        }
    }
}
