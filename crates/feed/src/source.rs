//! Records out of files: archives, lines, and single documents, packed or not.
//!
//! What a file is, its first bytes tell. Everything is read in a stream; a record that is larger than
//! any real one is passed over, and said to be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// The most bytes that one record may have.
const LARGEST: u64 = 64 << 20;

/// The most bytes that a file may unpack to.
const MOST: u64 = 64 << 30;

/// How much of a stream is looked at to tell what it is, and is read at once.
const BUFFER: usize = 256 << 10;

/// A record: its name, and its bytes unless there are too many.
pub(crate) struct Item<'i> {
    pub(crate) name: &'i str,
    pub(crate) bytes: std::result::Result<&'i [u8], &'static str>,
}

/// Why a record has no bytes.
const TOO_LARGE: &str = "is larger than 64 MiB";

/// Shows every record of the file, in its order.
pub(crate) fn records(path: &Path, each: &mut dyn FnMut(Item<'_>) -> Result<()>) -> Result<()> {
    let shown = path.display().to_string();
    let mut file = File::open(path).map_err(Error::reading(&shown))?;
    let mut magic = [0; 4];
    let count = file.read(&mut magic).map_err(Error::reading(&shown))?;
    io::Seek::rewind(&mut file).map_err(Error::reading(&shown))?;
    if magic[..count].starts_with(b"PK") {
        return of_zip(file, &shown, each);
    }
    of_stream(unpacked(file, &magic[..count]).map_err(Error::reading(&shown))?, &shown, each)
}

/// The one document that the file holds, however it is packed.
pub(crate) fn document(path: &Path) -> Result<Box<dyn BufRead>> {
    let shown = path.display().to_string();
    let open = || {
        let mut file = File::open(path)?;
        let mut magic = [0; 4];
        let count = file.read(&mut magic)?;
        io::Seek::rewind(&mut file)?;
        unpacked(file, &magic[..count])
    };
    open().map_err(Error::reading(shown))
}

fn unpacked(file: File, magic: &[u8]) -> io::Result<Box<dyn BufRead>> {
    let file = BufReader::with_capacity(BUFFER, file);
    let unpacked: Box<dyn Read> = match magic {
        [0x28, 0xB5, 0x2F, 0xFD] => Box::new(zstd::stream::Decoder::with_buffer(file)?),
        [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked.take(MOST))))
}

fn of_stream(
    mut stream: Box<dyn BufRead>,
    shown: &str,
    each: &mut dyn FnMut(Item<'_>) -> Result<()>,
) -> Result<()> {
    let front = stream.fill_buf().map_err(Error::reading(shown))?;
    if front.get(257..262) == Some(b"ustar") {
        return of_tar(stream, shown, each);
    }
    of_lines(stream, shown, each)
}

fn of_tar(
    stream: impl Read,
    shown: &str,
    each: &mut dyn FnMut(Item<'_>) -> Result<()>,
) -> Result<()> {
    let mut archive = tar::Archive::new(stream);
    let mut bytes = Vec::new();
    for entry in archive.entries().map_err(Error::reading(shown))? {
        let mut entry = entry.map_err(Error::reading(shown))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let taken = bounded(&mut entry, &mut bytes).map_err(Error::reading(shown))?;
        each(Item { name: &name, bytes: taken.then_some(&bytes[..]).ok_or(TOO_LARGE) })?;
    }
    Ok(())
}

fn of_zip(file: File, shown: &str, each: &mut dyn FnMut(Item<'_>) -> Result<()>) -> Result<()> {
    let failed = |error: zip::result::ZipError| Error::reading(shown)(io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    let mut bytes = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(failed)?;
        if !entry.is_file() {
            continue;
        }
        let name = entry.name().map_err(failed)?.into_owned();
        let taken = bounded(&mut entry, &mut bytes).map_err(Error::reading(shown))?;
        each(Item { name: &name, bytes: taken.then_some(&bytes[..]).ok_or(TOO_LARGE) })?;
    }
    Ok(())
}

/// Whether all of it was taken.
fn bounded(stream: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    stream.take(LARGEST + 1).read_to_end(bytes)?;
    Ok(bytes.len() as u64 <= LARGEST)
}

/// Lines, each a record; a document of several lines is one record.
fn of_lines(
    mut stream: Box<dyn BufRead>,
    shown: &str,
    each: &mut dyn FnMut(Item<'_>) -> Result<()>,
) -> Result<()> {
    let mut bytes = Vec::new();
    for line in 1_u64.. {
        bytes.clear();
        let count = (&mut stream)
            .take(LARGEST + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(Error::reading(shown))?;
        if count == 0 {
            break;
        }
        // A record that is written over several lines does not end with its first.
        if line == 1 && matches!(bytes.trim_ascii(), b"{" | b"[") {
            (&mut stream).take(LARGEST).read_to_end(&mut bytes).map_err(Error::reading(shown))?;
        }
        let is_whole = bytes.len() as u64 <= LARGEST;
        if !is_whole {
            stream.skip_until(b'\n').map_err(Error::reading(shown))?;
        }
        if !bytes.trim_ascii().is_empty() {
            let name = format!("line {line}");
            each(Item { name: &name, bytes: is_whole.then_some(&bytes[..]).ok_or(TOO_LARGE) })?;
        }
    }
    Ok(())
}

/// What is made of an entry that is read in a stream.
pub(crate) type Each<'e> = dyn FnMut(&str, &mut dyn Read) -> Result<()> + 'e;

/// Shows the entries of an archive whose names are wanted, however large; or, of a file that is no
/// archive, all of it by its own name.
pub(crate) fn entries(
    path: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut Each<'_>,
) -> Result<()> {
    let shown = path.display().to_string();
    let mut file = File::open(path).map_err(Error::reading(&shown))?;
    let mut magic = [0; 2];
    let count = file.read(&mut magic).map_err(Error::reading(&shown))?;
    io::Seek::rewind(&mut file).map_err(Error::reading(&shown))?;
    if !magic[..count].starts_with(b"PK") {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return match is_wanted(&name) {
            true => each(&name, &mut document(path)?),
            false => Ok(()),
        };
    }
    let failed = |error: zip::result::ZipError| Error::reading(&shown)(io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(failed)?;
        let name = entry.name().map_err(failed)?.into_owned();
        if is_wanted(&name) {
            each(&name, &mut entry.take(MOST))?;
        }
    }
    Ok(())
}
