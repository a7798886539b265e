//! A directory: entries one after the other, in a chain of clusters or, the root of FAT12 and
//! FAT16, in a place of its own. All but the root begin with entries for themselves and for the
//! directory above.

use std::sync::Arc;

use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::entry::{ENTRY, LongName, Short, Slot};
use crate::extent::Extent;

/// The longest directory, as Linux and Windows have it: 65,536 entries.
pub(super) const MAX_DIRECTORY: u64 = 2 << 20;

/// What every directory but the root begins with.
const DOTS: [&[u8; 11]; 2] = [b".          ", b"..         "];

/// One file in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    /// The name it is listed by.
    pub(super) name: Vec<u8>,
    /// The name of eight characters and three, where that is another one.
    pub(super) short_name: Option<Vec<u8>>,
    /// Where on the volume its entry lies.
    pub(super) place: u64,
    pub(super) is_directory: bool,
}

/// All that is in a directory.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) files: Vec<File>,
    /// The label, where this is the root directory and it has one.
    pub(super) label: Option<[u8; 11]>,
    /// What kept the rest from being read.
    pub(super) damage: Option<Error>,
    /// Whether it ends where it begins.
    pub(super) is_blank: bool,
}

impl Listing {
    /// Reads the directory in these extents of the volume, which may be the root.
    pub(super) fn read(
        volume: &Arc<dyn ReadAt>,
        extents: &[Extent],
        damage: Option<Error>,
        is_root: bool,
    ) -> Self {
        let mut listing = Self { damage, ..Self::default() };
        let mut long = LongName::default();
        let mut dots = DOTS.iter().filter(|_| !is_root);
        let mut is_first = true;
        let mut has_ended = false;
        for extent in extents {
            let place = extent.physical.unwrap_or(0);
            let bytes = match read_vec(&**volume, "directory", place, extent.length) {
                Ok(bytes) => bytes,
                Err(_) if has_ended => break,
                Err(error) => {
                    // Nothing is known of what follows, not even whether the directory goes on.
                    listing.damage.get_or_insert(error);
                    break;
                }
            };
            let entries = bytes.chunks_exact(ENTRY).zip((place..).step_by(ENTRY));
            for (entry, place) in entries {
                if dots.next().is_some_and(|dot| !is_dot(entry, dot)) {
                    let why = "it does not begin with itself and the directory above";
                    listing.damage.get_or_insert(Error::corrupt("directory", place, why));
                }
                let was_first = std::mem::take(&mut is_first);
                if has_ended {
                    // What lies behind the end was never used, unless the end is a hole.
                    if is_entry(entry) {
                        let why = "entries lie behind its end";
                        listing.damage.get_or_insert(Error::corrupt("directory", place, why));
                        return listing;
                    }
                    continue;
                }
                match listing.add(entry, place, &mut long, is_root) {
                    Ok(true) => {}
                    Ok(false) => {
                        listing.is_blank = was_first;
                        has_ended = true;
                    }
                    Err(error) => {
                        listing.damage.get_or_insert(error);
                    }
                }
            }
        }
        listing
    }

    /// Takes one entry; `false` where the directory ends.
    fn add(
        &mut self,
        entry: &[u8],
        place: u64,
        long: &mut LongName,
        is_root: bool,
    ) -> Result<bool> {
        let fields = Fields::new("directory entry", place, entry);
        match Slot::parse(&fields)? {
            Slot::End => return Ok(false),
            Slot::Deleted => *long = LongName::default(),
            Slot::Piece(piece) => long.add(piece),
            Slot::Label(_) if !is_root => {
                *long = LongName::default();
                return Err(fields.corrupt(0, "a label, which only the root may have"));
            }
            Slot::Label(label) => {
                *long = LongName::default();
                self.label.get_or_insert(label);
            }
            Slot::File(short) => {
                let long_name = long.take(&short);
                if let (None, false, Some(why)) = (&long_name, short.is_dot(), short.wrong()) {
                    return Err(fields.corrupt(0, why));
                }
                if !short.is_dot() {
                    self.files.push(file(&fields, &short, long_name, place)?);
                }
            }
        }
        Ok(true)
    }

    /// The file that is called `name`: the one that is spelled the same if there is one, otherwise
    /// one that differs in case only or has it as its short name.
    pub(super) fn find(&self, name: &[u8]) -> Option<&File> {
        let exact = self.files.iter().find(|file| file.name == name);
        exact.or_else(|| {
            let wanted = fold(name);
            let short =
                |file: &File| file.short_name.as_ref().is_some_and(|short| fold(short) == wanted);
            let long = self.files.iter().find(|file| fold(&file.name) == wanted);
            long.or_else(|| self.files.iter().find(|file| short(file)))
        })
    }

    /// How many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        let names: usize = self.files.iter().map(|file| 2 * file.name.len()).sum();
        names + self.files.len() * size_of::<File>() + size_of::<Self>()
    }
}

/// Whether it is an entry in use as one is written.
fn is_entry(entry: &[u8]) -> bool {
    match Slot::parse(&Fields::new("directory entry", 0, entry)) {
        Ok(Slot::File(short)) => short.wrong().is_none(),
        Ok(Slot::Piece(_) | Slot::Label(_)) => true,
        Ok(Slot::End | Slot::Deleted) | Err(_) => false,
    }
}

/// Whether it is the entry of that name for the directory itself or the one above.
fn is_dot(entry: &[u8], dot: &[u8; 11]) -> bool {
    let short = Slot::parse(&Fields::new("directory entry", 0, entry));
    entry.starts_with(dot) && matches!(short, Ok(Slot::File(short)) if short.is_directory())
}

fn file(
    fields: &Fields<'_>,
    short: &Short,
    long_name: Option<Vec<u8>>,
    place: u64,
) -> Result<File> {
    let short_name = short.name().into_bytes();
    let name = long_name.unwrap_or_else(|| short_name.clone());
    if name.is_empty() || name.contains(&b'/') || name.contains(&0) || name == b"." || name == b".."
    {
        return Err(
            fields.corrupt(0, format!("the name {} is no part of a path", name.escape_ascii()))
        );
    }
    let short_name = (short_name != name).then_some(short_name);
    Ok(File { name, short_name, place, is_directory: short.is_directory() })
}

/// The name without regard to case.
fn fold(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) => text.to_uppercase().into_bytes(),
        Err(_) => name.to_ascii_uppercase(),
    }
}
