//! Programs of Windows: for which processor they were built, and which version they say they are.
//!
//! Of a program only its headers and the resource of its version are read, by positions that are
//! checked: directory, sections, the tree of resources of three levels, `VS_VERSION_INFO`.

use std::sync::Arc;

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use crate::files::{Files, Read};
use crate::pe::Headers;

const WHAT: &str = "program of Windows";

/// The kind of resource that a version is.
const RT_VERSION: u32 = 16;
const VS_FFI_SIGNATURE: u32 = 0xFEEF_04BD;

/// More entries than this has no directory of resources that is looked through.
const MAX_ENTRIES: usize = 4096;
/// The version of a program is a few texts.
const MAX_VERSION: u32 = 64 << 10;

/// What a program says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// The processor, where it is a known one.
    pub(super) machine: Option<&'static str>,
    /// The version of its file, where it says it.
    pub(super) version: Option<[u16; 4]>,
}

impl Image {
    /// `10.0.20348.2113`
    pub(super) fn version(&self) -> Option<String> {
        self.version.map(|[a, b, c, d]| format!("{a}.{b}.{c}.{d}"))
    }
}

/// What the program at `path` says.
pub(super) fn image(files: &Files<'_>, path: &str, hides: &str) -> Read<Image> {
    match files.open(path, hides) {
        Read::There(file) => match read(&file) {
            Ok(image) => Read::There(image),
            Err(error) => {
                let error = error.within(path);
                files.note(&error, path, hides);
                Read::Unread(error.to_string())
            }
        },
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    }
}

/// Reads a program.
pub(super) fn read(file: &Arc<dyn ReadAt>) -> Result<Image> {
    let headers = Headers::read(&**file)?;
    let none = || Error::corrupt(WHAT, 0, "there is no PE header");
    let headers = headers.ok_or_else(none)?;
    let machine = match headers.machine {
        0x014C => Some("i686"),
        0x8664 => Some("x86_64"),
        0xAA64 => Some("aarch64"),
        0x01C0 | 0x01C4 => Some("arm"),
        0x0200 => Some("ia64"),
        _ => None,
    };
    let optional = headers.optional();
    let directories = match optional.le_u16(0)? {
        0x10B => 96,
        0x20B => 112,
        magic => {
            let why = format!("the optional header has the magic number {magic:#x}");
            return Err(optional.corrupt(0, why));
        }
    };
    if optional.le_u32(directories - 4)? < 3 {
        return Ok(Image { machine, version: None });
    }
    // The third directory is that of the resources.
    let root = optional.le_u32(directories + 16)?;
    if root == 0 {
        return Ok(Image { machine, version: None });
    }
    let program = Program { file: &**file, headers: &headers };
    Ok(Image { machine, version: program.version(root)? })
}

struct Program<'a> {
    file: &'a dyn ReadAt,
    headers: &'a Headers,
}

impl Program<'_> {
    /// Reads what is at an address in memory.
    fn at(&self, address: u32, length: u32) -> Result<(u64, Vec<u8>)> {
        for section in &self.headers.sections {
            let within = address.checked_sub(section.address);
            let Some(within) = within.filter(|within| *within < section.size) else {
                continue;
            };
            let at = u64::from(section.offset) + u64::from(within);
            if length > section.size - within {
                let why = format!("{length} bytes at {address:#x} reach out of their section");
                return Err(Error::corrupt(WHAT, at, why));
            }
            return Ok((at, read_vec(self.file, WHAT, at, length.into())?));
        }
        Err(Error::corrupt(WHAT, 0, format!("no section holds the address {address:#x}")))
    }

    /// The version among the resources at `root`: kind, then name, then language.
    fn version(&self, root: u32) -> Result<Option<[u16; 4]>> {
        let Some(names) = self.entry(root, 0, Some(RT_VERSION))? else {
            return Ok(None);
        };
        let mut at = names;
        for _ in 0..2 {
            if at & 1 << 31 == 0 {
                break;
            }
            match self.entry(root, at & !(1 << 31), None)? {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        if at & 1 << 31 != 0 {
            let why = "resources lie deeper than three levels";
            return Err(Error::corrupt(WHAT, u64::from(at & !(1 << 31)), why));
        }
        let (place, entry) = self.at(self.within(root, at)?, 16)?;
        let entry = Fields::new(WHAT, place, &entry);
        let (address, size) = (entry.le_u32(0)?, entry.le_u32(4)?);
        if size > MAX_VERSION {
            return Err(Error::corrupt(WHAT, place, format!("a version of {size} bytes")));
        }
        let (place, block) = self.at(address, size)?;
        fixed(&Fields::new(WHAT, place, &block)).map(Some)
    }

    fn within(&self, root: u32, offset: u32) -> Result<u32> {
        root.checked_add(offset)
            .ok_or_else(|| Error::corrupt(WHAT, 0, "a resource lies beyond all addresses"))
    }

    /// What the entry of that number, or the first one, of the directory at `offset` leads to.
    fn entry(&self, root: u32, offset: u32, number: Option<u32>) -> Result<Option<u32>> {
        let directory = self.within(root, offset)?;
        let (place, head) = self.at(directory, 16)?;
        let head = Fields::new(WHAT, place, &head);
        let count = usize::from(head.le_u16(12)?) + usize::from(head.le_u16(14)?);
        if count > MAX_ENTRIES {
            return Err(Error::corrupt(WHAT, place, format!("{count} resources are claimed")));
        }
        let (place, entries) = self.at(self.within(directory, 16)?, 8 * count as u32)?;
        for entry in entries.chunks_exact(8) {
            let entry = Fields::new(WHAT, place, entry);
            if number.is_none_or(|number| entry.le_u32(0).is_ok_and(|it| it == number)) {
                return entry.le_u32(4).map(Some);
            }
        }
        Ok(None)
    }
}

/// `VS_FIXEDFILEINFO`, which follows the key `VS_VERSION_INFO` at a place that divides by four.
fn fixed(block: &Fields<'_>) -> Result<[u16; 4]> {
    const FIXED: usize = 40;
    if block.le_u32(FIXED)? != VS_FFI_SIGNATURE {
        return Err(block.corrupt(FIXED, "the version has no signature".to_owned()));
    }
    let (high, low) = (block.le_u32(FIXED + 8)?, block.le_u32(FIXED + 12)?);
    Ok([(high >> 16) as u16, high as u16, (low >> 16) as u16, low as u16])
}
