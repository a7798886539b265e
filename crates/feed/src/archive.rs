//! The files in archives: tar and zip.
//!
//! What an archive says of itself is believed no further than it can be paid for: names have a bound,
//! and what lies in a file twice is refused.

use std::fs::File;
use std::io::{self, BufReader, Read};

use fathom_advisory::Day;
use tar::EntryType;

use crate::error::{Error, Result};
use crate::source::{Entry, OfEntry};
use crate::unpack::{Budget, changed, unpacked};

/// How much of an entry is read at once: there may be very many, and most are small.
const SMALL: usize = 8 << 10;

/// The most bytes that the headers beside an entry's own have, which hold a name that is too long for
/// it. The longest paths have 4 KiB.
const LONGEST: u64 = 64 << 10;

/// Shows the files of a tar archive whose names are wanted.
pub(crate) fn of_tar(
    stream: impl Read,
    shown: &str,
    budget: &Budget,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    let mut archive = tar::Archive::new(stream);
    let mut ahead = Ahead::default();
    // As they are: the library would read headers of any length into memory.
    for entry in archive.entries().map_err(Error::reading(shown))?.raw(true) {
        let mut entry = entry.map_err(Error::reading(shown))?;
        if ahead.takes(&mut entry).map_err(Error::reading(shown))? {
            continue;
        }
        let Ahead { long, pax } = std::mem::take(&mut ahead);
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = long.or(pax).unwrap_or_else(|| entry.path_bytes().into_owned());
        let name = String::from_utf8_lossy(&name).into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let modified = entry.header().mtime().map(changed).unwrap_or_default();
        let (mut stream, _) = unpacked(BufReader::with_capacity(SMALL, entry), budget)
            .map_err(Error::reading(shown))?;
        each(&Entry { name: &name, modified }, &mut stream)?;
    }
    Ok(())
}

/// What headers before an entry say of its name.
#[derive(Default)]
struct Ahead {
    /// As GNU writes it.
    long: Option<Vec<u8>>,
    /// As POSIX does.
    pax: Option<Vec<u8>>,
}

impl Ahead {
    /// Takes what the entry says of another; whether it is such a one.
    fn takes(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> io::Result<bool> {
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = short(entry)?;
                name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                self.long = Some(name);
            }
            EntryType::XHeader => {
                let bytes = short(entry)?;
                for record in tar::PaxExtensions::new(&bytes).map_while(io::Result::ok) {
                    match record.key_bytes() {
                        b"path" => self.pax = Some(record.value_bytes().to_owned()),
                        // Where the next entry is would not be told by its own header.
                        b"size" => return Err(damaged("an entry's length is beside its header")),
                        _ => {}
                    }
                }
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// All of an entry that is short, or must be.
fn short(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(LONGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LONGEST {
        true => Err(damaged("a name in it is longer than 64 KiB")),
        false => Ok(bytes),
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Shows the files of a zip archive whose names are wanted.
pub(crate) fn of_zip(
    file: File,
    shown: &str,
    budget: &Budget,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    let failed = |error: zip::result::ZipError| {
        Error::reading(shown)(match error {
            zip::result::ZipError::Io(error) => error,
            error => io::Error::new(io::ErrorKind::InvalidData, error),
        })
    };
    let mut left = file.metadata().map_err(Error::reading(shown))?.len();
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(failed)?;
        let name = entry.name().map_err(failed)?.into_owned();
        if !entry.is_file() || !is_wanted(&name) {
            continue;
        }
        // Entries that lie in one another have more bytes together than the file.
        left = left
            .checked_sub(entry.compressed_size())
            .ok_or_else(|| Error::reading(shown)(damaged("its entries lie in one another")))?;
        let modified = entry
            .last_modified()
            .map(|it| Day::of(&format!("{:04}-{:02}-{:02}", it.year(), it.month(), it.day())));
        // Where no day is kept, the first that there is stands for it: 1980-01-01.
        let modified = modified.filter(|day| *day >= Day::of("2000-01-01")).unwrap_or_default();
        let entry = BufReader::with_capacity(SMALL, budget.count(entry));
        let (mut stream, _) = unpacked(entry, budget).map_err(Error::reading(shown))?;
        each(&Entry { name: &name, modified }, &mut stream)?;
    }
    Ok(())
}
