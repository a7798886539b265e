//! Records out of files: archives, lines, and single documents, packed or not.
//!
//! What a file is, its first bytes tell. Everything is read in a stream; a record that is larger than
//! any real one is passed over, and said to be.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// The most bytes that one record may have.
const LARGEST: u64 = 64 << 20;

/// The most bytes that a file may unpack to.
const MOST: u64 = 64 << 30;

/// How much of a stream is read at once.
const BUFFER: usize = 256 << 10;

/// How much of a stream is looked at to tell what it is: the first block of a tar archive.
const FRONT: u64 = 512;

/// A record: its name, and its bytes unless there are too many.
pub(crate) struct Item<'i> {
    pub(crate) name: &'i str,
    bytes: std::result::Result<&'i [u8], &'static str>,
}

impl<'i> Item<'i> {
    /// What the record says; or why it makes no sense.
    pub(crate) fn parse<T: Deserialize<'i>>(&self) -> std::result::Result<T, String> {
        serde_json::from_slice(self.bytes?).map_err(|error| error.to_string())
    }

    /// The same of a record that may have so many bytes.
    pub(crate) fn parse_within<T: Deserialize<'i>>(
        &self,
        most: usize,
    ) -> std::result::Result<T, String> {
        match self.bytes?.len() {
            length if length > most => Err(format!("is larger than {} MiB", most >> 20)),
            _ => self.parse(),
        }
    }
}

/// Why a record has no bytes.
const TOO_LARGE: &str = "is larger than 64 MiB";

/// What is made of a record.
type OfRecord<'e> = dyn FnMut(Item<'_>) -> Result<()> + 'e;

/// What is made of an entry that is read in a stream.
type OfEntry<'e> = dyn FnMut(&str, &mut dyn Read) -> Result<()> + 'e;

/// Shows every record of the file that is JSON, in its order. Archives have a licence and the like
/// beside the records.
pub(crate) fn records(path: &Path, each: &mut OfRecord<'_>) -> Result<()> {
    let shown = path.display().to_string();
    match opened(path)? {
        Opened::Zip(file) => {
            let mut bytes = Vec::new();
            of_zip(file, &shown, &is_record, &mut |name, stream| {
                let taken = bounded(stream, &mut bytes).map_err(Error::reading(&shown))?;
                each(item(name, taken, &bytes))
            })
        }
        Opened::Stream(stream) => of_stream(stream, &shown, each),
    }
}

/// Shows the entries of an archive whose names are wanted, however large; or, of a file that is no
/// archive, all of it by its own name.
pub(crate) fn entries(
    path: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    match opened(path)? {
        Opened::Zip(file) => of_zip(file, &path.display().to_string(), is_wanted, each),
        Opened::Stream(mut stream) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if is_wanted(&name) { each(&name, &mut stream) } else { Ok(()) }
        }
    }
}

/// The one document that the file holds, however it is packed.
pub(crate) fn document(path: &Path) -> Result<Box<dyn BufRead>> {
    match opened(path)? {
        Opened::Stream(stream) => Ok(stream),
        Opened::Zip(_) => {
            let why = "is an archive, where one document must be".to_owned();
            Err(Error::Malformed(path.display().to_string(), why))
        }
    }
}

fn is_record(name: &str) -> bool {
    name.ends_with(".json")
}

fn item<'i>(name: &'i str, taken: bool, bytes: &'i [u8]) -> Item<'i> {
    Item { name, bytes: taken.then_some(bytes).ok_or(TOO_LARGE) }
}

/// A file, as far as its first bytes tell what it is.
enum Opened {
    Zip(File),
    /// What it unpacks to, if it is packed at all.
    Stream(Box<dyn BufRead>),
}

fn opened(path: &Path) -> Result<Opened> {
    let open = || {
        let mut file = File::open(path)?;
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        if magic.starts_with(b"PK") {
            return Ok(Opened::Zip(file));
        }
        let file = BufReader::with_capacity(BUFFER, file);
        let unpacked: Box<dyn Read> = match *magic {
            [0x28, 0xB5, 0x2F, 0xFD] => Box::new(zstd::stream::Decoder::with_buffer(file)?),
            [0x1F, 0x8B, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            _ => Box::new(file),
        };
        Ok(Opened::Stream(Box::new(BufReader::with_capacity(BUFFER, unpacked.take(MOST)))))
    };
    open().map_err(Error::reading(path.display()))
}

fn of_stream(mut stream: Box<dyn BufRead>, shown: &str, each: &mut OfRecord<'_>) -> Result<()> {
    // A packed stream may give its first bytes in small pieces.
    let mut front = Vec::new();
    (&mut stream).take(FRONT).read_to_end(&mut front).map_err(Error::reading(shown))?;
    let is_tar = front.get(257..262) == Some(b"ustar");
    let whole = io::Cursor::new(front).chain(stream);
    match is_tar {
        true => of_tar(whole, shown, each),
        false => of_lines(whole, shown, each),
    }
}

fn of_tar(stream: impl Read, shown: &str, each: &mut OfRecord<'_>) -> Result<()> {
    let mut archive = tar::Archive::new(stream);
    let mut bytes = Vec::new();
    for entry in archive.entries().map_err(Error::reading(shown))? {
        let mut entry = entry.map_err(Error::reading(shown))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_record(&name) {
            continue;
        }
        let taken = bounded(&mut entry, &mut bytes).map_err(Error::reading(shown))?;
        each(item(&name, taken, &bytes))?;
    }
    Ok(())
}

fn of_zip(
    file: File,
    shown: &str,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    let failed = |error: zip::result::ZipError| Error::reading(shown)(io::Error::other(error));
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(failed)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(failed)?;
        let name = entry.name().map_err(failed)?.into_owned();
        if entry.is_file() && is_wanted(&name) {
            each(&name, &mut entry.take(MOST))?;
        }
    }
    Ok(())
}

/// Whether all of it was taken.
fn bounded(stream: &mut dyn Read, bytes: &mut Vec<u8>) -> io::Result<bool> {
    bytes.clear();
    stream.take(LARGEST + 1).read_to_end(bytes)?;
    Ok(bytes.len() as u64 <= LARGEST)
}

/// Lines, each a record; a document of several lines is one record.
fn of_lines(mut stream: impl BufRead, shown: &str, each: &mut OfRecord<'_>) -> Result<()> {
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
            each(item(&name, is_whole, &bytes))?;
        }
    }
    Ok(())
}
