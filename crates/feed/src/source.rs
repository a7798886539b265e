//! Records out of files: archives, lines, and single documents, packed or not.
//!
//! What a file is, its first bytes tell. Everything is read in a stream; a record that is larger than
//! any real one is passed over, and said to be. Where a feed says nothing of its own age, the file
//! that it came in may: archives and gzip keep the day on which a file was last changed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek as _};
use std::path::Path;

use fathom_advisory::Day;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::json::{MOST_PARTS, record};

/// The most bytes that one record may have.
const LARGEST: u64 = 64 << 20;

/// The most bytes that a file may unpack to.
const MOST: u64 = 64 << 30;

/// How much of a stream is read at once.
const BUFFER: usize = 256 << 10;

/// How much of an entry of an archive is read at once: there may be very many, and most are small.
const SMALL: usize = 8 << 10;

/// How much of a stream is looked at to tell what it is: the first block of a tar archive.
const FRONT: u64 = 512;

/// A record: its name, and its bytes unless there are too many.
pub(crate) struct Item<'i> {
    pub(crate) name: &'i str,
    /// When the file that it is from was last changed, where that is known.
    pub(crate) modified: Day,
    bytes: std::result::Result<&'i [u8], &'static str>,
}

/// A file within a file, or the file itself.
pub(crate) struct Entry<'e> {
    pub(crate) name: &'e str,
    /// When it was last changed, where that is known.
    pub(crate) modified: Day,
}

impl<'i> Item<'i> {
    /// What the record says; or why it makes no sense.
    pub(crate) fn parse<T: Deserialize<'i>>(&self) -> std::result::Result<T, String> {
        record(self.bytes?, MOST_PARTS)
    }

    /// The same of a record that may have so many parts.
    pub(crate) fn parse_of<T: Deserialize<'i>>(
        &self,
        most: usize,
    ) -> std::result::Result<T, String> {
        record(self.bytes?, most)
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
type OfEntry<'e> = dyn FnMut(&Entry<'_>, &mut dyn BufRead) -> Result<()> + 'e;

/// Shows every record of the file that is JSON, in its order. Archives have a licence and the like
/// beside the records.
pub(crate) fn records(path: &Path, each: &mut OfRecord<'_>) -> Result<()> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    let mut of_entry = |entry: &Entry<'_>, stream: &mut dyn Read, bytes: &mut Vec<u8>| {
        let taken = bounded(stream, bytes).map_err(Error::reading(&shown))?;
        each(item(entry, taken, bytes))
    };
    match opened(path)? {
        Opened::Zip(file) => of_zip(file, &shown, &is_record, &mut |entry, stream| {
            of_entry(entry, stream, &mut bytes)
        }),
        Opened::Tar(stream) => of_tar(stream, &shown, &is_record, &mut |entry, stream| {
            of_entry(entry, stream, &mut bytes)
        }),
        Opened::Stream(stream, modified) => of_lines(stream, modified, &shown, each),
    }
}

/// Shows the entries of an archive whose names are wanted, however large, and unpacked if they are
/// packed by themselves; or, of a file that is no archive, all of it by its own name.
pub(crate) fn entries(
    path: &Path,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    let shown = path.display().to_string();
    match opened(path)? {
        Opened::Zip(file) => of_zip(file, &shown, is_wanted, each),
        Opened::Tar(stream) => of_tar(stream, &shown, is_wanted, each),
        Opened::Stream(mut stream, modified) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            each(&Entry { name: &name, modified }, &mut stream)
        }
    }
}

/// The one document that the file holds, however it is packed.
pub(crate) fn document(path: &Path) -> Result<Box<dyn BufRead>> {
    match opened(path)? {
        Opened::Stream(stream, _) => Ok(stream),
        Opened::Zip(_) | Opened::Tar(_) => {
            let why = "is an archive, where one document must be".to_owned();
            Err(Error::Malformed(path.display().to_string(), why))
        }
    }
}

fn is_record(name: &str) -> bool {
    name.ends_with(".json")
}

fn item<'i>(entry: &Entry<'i>, taken: bool, bytes: &'i [u8]) -> Item<'i> {
    let bytes = taken.then_some(bytes).ok_or(TOO_LARGE);
    Item { name: entry.name, modified: entry.modified, bytes }
}

/// A file, as far as its first bytes tell what it is.
enum Opened {
    Zip(File),
    /// An archive, unpacked if it was packed as a whole.
    Tar(Box<dyn BufRead>),
    /// What it unpacks to, if it is packed at all; and when it was last changed, if it says so.
    Stream(Box<dyn BufRead>, Day),
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
        let (mut stream, modified) = unpacked(BufReader::with_capacity(BUFFER, file))?;
        // A packed stream may give its first bytes in small pieces.
        let mut front = Vec::new();
        (&mut stream).take(FRONT).read_to_end(&mut front)?;
        let is_tar = front.get(257..262) == Some(b"ustar");
        let whole = Box::new(Cursor::new(front).chain(stream));
        Ok(if is_tar { Opened::Tar(whole) } else { Opened::Stream(whole, modified) })
    };
    open().map_err(Error::reading(path.display()))
}

/// What the stream unpacks to, if it is packed; and when what is in it was last changed, if it says so.
fn unpacked<'s>(mut stream: impl BufRead + 's) -> io::Result<(Box<dyn BufRead + 's>, Day)> {
    let mut front = Vec::new();
    (&mut stream).take(8).read_to_end(&mut front)?;
    let whole = Cursor::new(front.clone()).chain(stream);
    let mut modified = Day::default();
    let plain: Box<dyn Read + 's> = match *front {
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Box::new(zstd::stream::Decoder::with_buffer(whole)?),
        [0x1F, 0x8B, _, _, a, b, c, d] => {
            modified = changed(u32::from_le_bytes([a, b, c, d]).into());
            Box::new(flate2::bufread::MultiGzDecoder::new(whole))
        }
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(whole)),
        _ => return Ok((Box::new(whole.take(MOST)), modified)),
    };
    Ok((Box::new(BufReader::with_capacity(BUFFER, plain.take(MOST))), modified))
}

/// The day so many seconds after the beginning of 1970, if any feed was written by then.
fn changed(seconds: u64) -> Day {
    let day = Day::of(&fathom_report::Day::of_seconds(seconds).to_string());
    if day < Day::of("2000-01-01") { Day::default() } else { day }
}

fn of_tar(
    stream: impl Read,
    shown: &str,
    is_wanted: &dyn Fn(&str) -> bool,
    each: &mut OfEntry<'_>,
) -> Result<()> {
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries().map_err(Error::reading(shown))? {
        let entry = entry.map_err(Error::reading(shown))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_wanted(&name) {
            continue;
        }
        let modified = entry.header().mtime().map(changed).unwrap_or_default();
        let (mut stream, _) =
            unpacked(BufReader::with_capacity(SMALL, entry)).map_err(Error::reading(shown))?;
        each(&Entry { name: &name, modified }, &mut stream)?;
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
        if !entry.is_file() || !is_wanted(&name) {
            continue;
        }
        let modified = entry
            .last_modified()
            .map(|it| Day::of(&format!("{:04}-{:02}-{:02}", it.year(), it.month(), it.day())));
        // Where no day is kept, the first that there is stands for it: 1980-01-01.
        let modified = modified.filter(|day| *day >= Day::of("2000-01-01")).unwrap_or_default();
        let (mut stream, _) =
            unpacked(BufReader::with_capacity(SMALL, entry)).map_err(Error::reading(shown))?;
        each(&Entry { name: &name, modified }, &mut stream)?;
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
fn of_lines(
    mut stream: impl BufRead,
    modified: Day,
    shown: &str,
    each: &mut OfRecord<'_>,
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
            each(item(&Entry { name: &name, modified }, is_whole, &bytes))?;
        }
    }
    Ok(())
}
