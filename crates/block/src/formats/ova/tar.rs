//! The tar that an archive is: where each member's bytes lie, learnt from the headers alone.
//!
//! Understood are ustar with its name prefix, pax headers (`path`, `size`), GNU long names, and sizes
//! in base 256. Sparse members, whose bytes are not where a plain reader would look, are marked.
//!
//! POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header"; GNU tar manual, "Basic Tar Format".

use std::ops::Range;

use crate::error::{Error, Problem, Result};
use crate::fields::Fields;
use crate::read::{ReadAt, read_array, read_vec};

const RECORD: u64 = 512;

/// The most headers that are looked at. An archive of a machine has a handful.
const MOST_HEADERS: usize = 16 << 10;

/// The longest pax header or GNU long name.
const LONGEST_EXTENSION: u64 = 64 << 10;

/// The most bytes of all names together.
const MOST_NAMES: usize = 8 << 20;

/// A file in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where its bytes lie. They may pass the archive's end.
    pub(super) range: Range<u64>,
    /// Its bytes are a sparse map and data, in one of the GNU formats.
    pub(super) sparse: bool,
}

/// What headers before a member's own say of it.
#[derive(Default)]
struct Extension {
    path: Option<String>,
    size: Option<u64>,
    sparse: bool,
}

/// The files in an archive, and why the list may not be complete.
pub(super) fn members(archive: &dyn ReadAt) -> Result<(Vec<Member>, Option<Problem>)> {
    let mut members = Vec::new();
    let mut extension = Extension::default();
    let mut names = 0;
    let mut at = 0;
    for _ in 0..MOST_HEADERS {
        if at >= archive.len() {
            let why = "the archive ends without an end mark: truncated?";
            return Ok((members, Some(Error::corrupt("tar", archive.len(), why))));
        }
        let header: [u8; RECORD as usize] = match read_array(archive, "tar header", at) {
            Ok(header) => header,
            Err(problem) if !members.is_empty() => return Ok((members, Some(problem))),
            Err(error) => return Err(error),
        };
        if header == [0; RECORD as usize] {
            return Ok((members, None));
        }
        let fields = Fields::new("tar header", at, &header);
        if let Err(problem) = check_sum(&fields) {
            return if members.is_empty() { Err(problem) } else { Ok((members, Some(problem))) };
        }
        let size = match extension.size.take() {
            // The size in a pax header is that of the member, not of further extensions.
            Some(size) if !matches!(fields.u8(156)?, b'x' | b'g' | b'L' | b'K') => size,
            size => {
                extension.size = size;
                number(&fields, 124, 12)?
            }
        };
        let start = at + RECORD;
        let end = start.checked_add(size).and_then(|end| end.checked_next_multiple_of(RECORD));
        let Some(end) = end else {
            return Err(fields.corrupt(124, format!("a member of {size} bytes")));
        };
        match fields.u8(156)? {
            b'x' => extension.pax(&extended(archive, "pax header", start, size)?, start)?,
            b'L' => {
                let name = extended(archive, "GNU long name", start, size)?;
                extension.path = Some(text(&name));
            }
            // Global headers and long link names say nothing that is asked for here.
            b'g' | b'K' => {}
            kind => {
                let path = extension.path.take();
                let sparse = extension.sparse || kind == b'S';
                if matches!(kind, 0 | b'0' | b'7' | b'S') {
                    let name = path.map_or_else(|| plain_name(&fields), Ok)?;
                    names += name.len();
                    members.push(Member { name, range: start..start + size, sparse });
                }
                extension = Extension::default();
            }
        }
        if names > MOST_NAMES {
            break;
        }
        at = end;
    }
    Err(Error::unsupported(
        "tar",
        format!("it has more than {MOST_HEADERS} members, or their names are too long"),
    ))
}

impl Extension {
    /// Reads the records of a pax header: `length key=value`, each ended by a line feed.
    fn pax(&mut self, records: &[u8], at: u64) -> Result<()> {
        let mut rest = records;
        while !rest.is_empty() {
            let broken = || {
                let place = at + (records.len() - rest.len()) as u64;
                Error::corrupt("pax header", place, "a record does not have the length it says")
            };
            let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length =
                std::str::from_utf8(&rest[..space]).ok().and_then(|text| text.parse().ok());
            let length: usize = length.ok_or_else(broken)?;
            let record = rest.get(space + 1..length).ok_or_else(broken)?;
            let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            match key {
                b"path" => self.path = Some(text(value)),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or_else(broken)?);
                }
                // Version 1.0 of the format puts an invented name into the header.
                b"GNU.sparse.name" => (self.path, self.sparse) = (Some(text(value)), true),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {}
            }
            rest = &rest[length..];
        }
        Ok(())
    }
}

/// The bytes of a header's extension.
fn extended(archive: &dyn ReadAt, what: &str, at: u64, size: u64) -> Result<Vec<u8>> {
    if size > LONGEST_EXTENSION {
        return Err(Error::corrupt(what, at, format!("it has {size} bytes")));
    }
    read_vec(archive, what, at, size)
}

/// A name, up to its first zero. Names that are not UTF-8 are only for show: a description that
/// names such a file is UTF-8 itself.
fn text(bytes: &[u8]) -> String {
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// The name in the header itself, with ustar's prefix.
fn plain_name(fields: &Fields<'_>) -> Result<String> {
    let name = text(fields.bytes(0, 100)?);
    // GNU's own format keeps other things where POSIX has the prefix.
    if fields.bytes(257, 6)? != b"ustar\0" {
        return Ok(name);
    }
    let prefix = text(fields.bytes(345, 155)?);
    Ok(if prefix.is_empty() { name } else { format!("{prefix}/{name}") })
}

/// A number: octal digits, or big-endian behind a set bit where those do not suffice.
fn number(fields: &Fields<'_>, at: usize, length: usize) -> Result<u64> {
    let bytes = fields.bytes(at, length)?;
    let broken =
        || fields.corrupt(at, format!("{:?} is no number", bytes.escape_ascii().to_string()));
    match bytes {
        [0x80, digits @ ..] => digits.iter().try_fold(0_u64, |number, digit| {
            number.checked_mul(256).map(|number| number | u64::from(*digit)).ok_or_else(broken)
        }),
        _ => {
            let digits = std::str::from_utf8(bytes).map_err(|_| broken())?;
            let digits = digits.trim_matches(['\0', ' ']);
            match digits {
                "" => Ok(0),
                digits => u64::from_str_radix(digits, 8).map_err(|_| broken()),
            }
        }
    }
}

/// The checksum: all bytes of the header added up, its own eight taken for spaces.
fn check_sum(fields: &Fields<'_>) -> Result<()> {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let actual = sum(fields.as_bytes()) - sum(fields.bytes(148, 8)?) + 8 * u64::from(b' ');
    let expected = number(fields, 148, 8)?;
    if actual != expected {
        return Err(fields.corrupt(148, format!("checksum {expected}, but it is {actual}")));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// One header and its bytes, padded.
    pub(in super::super) fn member(kind: u8, name: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 512];
        header[..name.len()].copy_from_slice(name);
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = kind;
        header[257..263].copy_from_slice(b"ustar\0");
        sum(&mut header);
        header.extend(bytes);
        header.resize(header.len().next_multiple_of(512), 0);
        header
    }

    /// Makes a header's checksum right.
    fn sum(header: &mut [u8]) {
        header[148..156].fill(b' ');
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    fn names(archive: &Vec<u8>) -> Vec<(String, Range<u64>, bool)> {
        let (members, problem) = members(archive).unwrap();
        assert!(problem.is_none(), "{problem:?}");
        members.into_iter().map(|member| (member.name, member.range, member.sparse)).collect()
    }

    const END: [u8; 1024] = [0; 1024];

    #[test]
    fn members_of_every_spelling_are_found() {
        let pax = b"18 path=p\xc3\xa4x/long\n10 size=3\n28 GNU.sparse.realsize=1000\n";
        let mut prefixed = member(b'0', b"disk", b"12345");
        prefixed[345..348].copy_from_slice(b"dir");
        sum(&mut prefixed[..512]);
        let mut based = member(b'0', b"large", b"1234567");
        based[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
        sum(&mut based[..512]);
        let archive = [
            member(b'5', b"directory", b""),
            member(0, b"one", b"1"),
            prefixed,
            based,
            member(b'L', b"././@LongLink", b"gnu long name\0"),
            member(b'7', b"gnu long", b"1234"),
            member(b'g', b"global", b"11 path=no\n"),
            member(b'x', b"extension", pax),
            member(b'0', b"short", b"123"),
            member(b'2', b"link", b""),
            member(b'S', b"sparse", b"123"),
            END.to_vec(),
            b"what follows is not looked at".to_vec(),
        ]
        .concat();
        let wanted = [
            ("one", 1024..1025, false),
            ("dir/disk", 2048..2053, false),
            ("large", 3072..3079, false),
            ("gnu long name", 5120..5124, false),
            ("päx/long", 8192..8195, true),
            ("sparse", 9728..9731, true),
        ];
        let wanted = wanted.map(|(name, range, sparse)| (name.to_owned(), range, sparse));
        assert_eq!(names(&archive), wanted);
    }

    #[test]
    fn a_cut_archive_shows_what_is_left() {
        let archive = [member(b'0', b"one", &[1; 600]), member(b'0', b"two", &[2; 5000])].concat();
        for (length, count) in [(archive.len(), 2), (4000, 2), (1536 + 100, 1), (1000, 1)] {
            let (members, problem) = members(&archive[..length].to_vec()).unwrap();
            assert_eq!((members.len(), problem.is_some()), (count, true), "{length}");
        }
        assert!(members(&archive[..100].to_vec()).is_err());
        let mut second =
            [member(b'0', b"one", b""), member(b'0', b"two", b""), END.to_vec()].concat();
        second[512] = b'X';
        let (found, problem) = members(&second).unwrap();
        assert_eq!((found.len(), problem.unwrap().offset()), (1, Some(512 + 148)));
    }

    #[test]
    fn numbers_and_records_that_make_no_sense_are_corrupt() {
        let broken: [&[u8]; 4] =
            [b"\xff\xff\xff\xff", b"9999", b"-5", &[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]];
        for size in broken {
            let mut archive = member(b'0', b"x", b"");
            archive[124..136].fill(0);
            archive[124..124 + size.len()].copy_from_slice(size);
            sum(&mut archive[..512]);
            assert_eq!(members(&archive).unwrap_err().kind(), ErrorKind::Corrupt, "{size:?}");
        }
        let mut huge = member(b'0', b"x", b"");
        huge[124..136].copy_from_slice(&[0x80, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        sum(&mut huge[..512]);
        assert_eq!(members(&huge).unwrap_err().kind(), ErrorKind::Corrupt);
        for pax in
            ["", "5 a=b\n", "99 a=b\n", "6 a=bb", "x a=b\n", "5 ab\n", "9 size=x\n", "1 a=b\n"]
        {
            let archive = [member(b'x', b"x", pax.as_bytes()), END.to_vec()].concat();
            assert_eq!(members(&archive).is_ok(), pax.is_empty(), "{pax:?}");
        }
        let long = member(b'L', b"x", &vec![b'n'; 70_000]);
        assert!(members(&long).is_err());
    }

    #[test]
    fn an_endless_archive_is_given_up() {
        let many = member(b'0', b"x", b"").repeat(MOST_HEADERS + 1);
        assert_eq!(members(&many).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
