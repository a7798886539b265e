//! Records out of files: archives, lines, and single documents, packed or not.
//!
//! What a file is, its first bytes tell. Everything is read in a stream; a record that is larger than
//! any real one is passed over, and said to be. Where a feed says nothing of its own age, the file
//! that it came in may: archives and gzip keep the day on which a file was last changed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek as _};
use std::path::Path;

use fathom_advisory::Day;
use serde::Deserialize;

use crate::archive::{of_tar, of_zip};
use crate::error::{Error, Result};
use crate::json::{MOST_PARTS, record};
use crate::unpack::{Budget, unpacked};

/// The most bytes that one record may have.
const LARGEST: u64 = 64 << 20;

/// How much of a stream is read at once.
const BUFFER: usize = 256 << 10;

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
pub(crate) type OfEntry<'e> = dyn FnMut(&Entry<'_>, &mut dyn BufRead) -> Result<()> + 'e;

/// Shows every record of the file that is JSON, in its order. Archives have a licence and the like
/// beside the records.
pub(crate) fn records(path: &Path, each: &mut OfRecord<'_>) -> Result<()> {
    let shown = path.display().to_string();
    let mut bytes = Vec::new();
    let mut of_entry = |entry: &Entry<'_>, stream: &mut dyn Read, bytes: &mut Vec<u8>| {
        let taken = bounded(stream, bytes).map_err(Error::reading(&shown))?;
        each(item(entry, taken, bytes))
    };
    let (opened, budget) = opened(path)?;
    match opened {
        Opened::Zip(file) => of_zip(file, &shown, &budget, &is_record, &mut |entry, stream| {
            of_entry(entry, stream, &mut bytes)
        }),
        Opened::Tar(stream) => of_tar(stream, &shown, &budget, &is_record, &mut |entry, stream| {
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
    let (opened, budget) = opened(path)?;
    match opened {
        Opened::Zip(file) => of_zip(file, &shown, &budget, is_wanted, each),
        Opened::Tar(stream) => of_tar(stream, &shown, &budget, is_wanted, each),
        Opened::Stream(mut stream, modified) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            each(&Entry { name: &name, modified }, &mut stream)
        }
    }
}

/// The one document that the file holds, however it is packed.
pub(crate) fn document(path: &Path) -> Result<Box<dyn BufRead>> {
    match opened(path)?.0 {
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

fn opened(path: &Path) -> Result<(Opened, Budget)> {
    let open = || {
        // A pipe without a writer would be waited for without an end.
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no file that can be read"));
        }
        let mut file = File::open(path)?;
        let budget = Budget::of(metadata.len());
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic)?;
        file.rewind()?;
        if magic.starts_with(b"PK") {
            return Ok((Opened::Zip(file), budget));
        }
        let (mut stream, modified) = unpacked(BufReader::with_capacity(BUFFER, file), &budget)?;
        // A packed stream may give its first bytes in small pieces.
        let mut front = Vec::new();
        (&mut stream).take(FRONT).read_to_end(&mut front)?;
        let is_tar = front.get(257..262) == Some(b"ustar");
        let whole = Box::new(Cursor::new(front).chain(stream));
        let opened = if is_tar { Opened::Tar(whole) } else { Opened::Stream(whole, modified) };
        Ok((opened, budget))
    };
    open().map_err(Error::reading(path.display()))
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    const RECORD: &[u8] = b"{}";

    /// The names of the records in such a file; why not, if it cannot be read.
    fn names(bytes: &[u8]) -> std::result::Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        fs::write(&path, bytes).unwrap();
        let mut names = Vec::new();
        let read = records(&path, &mut |item| {
            names.push(item.name.to_owned());
            Ok(())
        });
        match read {
            Ok(()) => Ok(names),
            Err(Error::Malformed(_, why)) => Err(why),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// An archive with an entry of this type, as long, before its one record.
    fn with_header(kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (kind, content) in [(kind, content), (tar::EntryType::Regular, RECORD)] {
            let mut header = tar::Header::new_ustar();
            header.set_path("short.json").unwrap();
            header.set_size(content.len() as u64);
            header.set_entry_type(kind);
            header.set_cksum();
            archive.append(&header, content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn long_names_of_both_kinds_are_read() {
        let long = format!("{}.json", "long/".repeat(100));
        let gnu = format!("{long}\0");
        let record = format!(" path={long}\n");
        let pax = format!("{}{record}", record.len() + 3);
        for archive in [
            with_header(tar::EntryType::GNULongName, gnu.as_bytes()),
            with_header(tar::EntryType::XHeader, pax.as_bytes()),
        ] {
            assert_eq!(names(&archive).unwrap(), [&*long]);
        }
        let global = with_header(tar::EntryType::XGlobalHeader, b"19 comment=nothing\n");
        assert_eq!(names(&global).unwrap(), ["short.json"]);
    }

    #[test]
    fn names_without_an_end_are_refused() {
        let endless = vec![b'a'; 100 << 10];
        for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
            let refused = names(&with_header(kind, &endless)).unwrap_err();
            assert!(refused.contains("longer than 64 KiB"), "{refused}");
        }
        // What is not kept may be long.
        for kind in [tar::EntryType::GNULongLink, tar::EntryType::XGlobalHeader] {
            assert_eq!(names(&with_header(kind, &endless)).unwrap(), ["short.json"]);
        }
        let resized = with_header(tar::EntryType::XHeader, b"10 size=9\n");
        assert!(names(&resized).unwrap_err().contains("beside its header"));
    }

    #[test]
    fn what_was_cut_is_damaged_and_no_fault_of_the_host() {
        let text = "{\"id\": 1}\n".repeat(5000);
        let whole = zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(names(&whole).unwrap().len(), 5000);
        let cut = names(&whole[..whole.len() / 2]).unwrap_err();
        assert!(cut.contains("cut or damaged") && cut.contains("fetch it again"), "{cut}");
        let zip = names(b"PK\x03\x04 and nothing more").unwrap_err();
        assert!(zip.contains("cut or damaged"), "{zip}");
    }

    #[test]
    fn entries_of_a_zip_archive_do_not_lie_in_one_another() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file("0.json", options).unwrap();
        io::Write::write_all(&mut archive, &[b' '; 5000]).unwrap();
        let whole = archive.finish().unwrap().into_inner();
        assert_eq!(names(&whole).unwrap(), ["0.json"]);
        // Ten names of the same bytes.
        let at = whole.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
        let end = whole.windows(4).position(|it| it == b"PK\x05\x06").unwrap();
        let mut many = whole[..at].to_vec();
        for index in 0..10_u8 {
            let mut named = whole[at..end].to_vec();
            let place = named.windows(6).position(|it| it == b"0.json").unwrap();
            named[place] += index;
            many.extend(named);
        }
        let length = u32::try_from(many.len() - at).unwrap();
        many.extend(&whole[end..end + 8]);
        many.extend([10, 0, 10, 0]);
        many.extend(length.to_le_bytes());
        many.extend(u32::try_from(at).unwrap().to_le_bytes());
        many.extend([0, 0]);
        let refused = names(&many).unwrap_err();
        assert!(refused.contains("in one another"), "{refused}");
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let read = records(Path::new("/dev/null"), &mut |_| Ok(()));
        assert!(matches!(read, Err(Error::Malformed(_, why)) if why.contains("no file")));
    }
}
