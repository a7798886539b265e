//! A directory: a tree of names, ordered without regard to case.
//!
//! Listing a directory does not walk the tree: every node in use holds names, and a bitmap says
//! which are in use, so they are read in the order of the disk, each once, however the links
//! between them may be damaged. Looking a name up walks the tree, and falls back to the list where
//! the tree or its order is damaged.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, ReadAt, Result, read_vec};

use super::attribute::{BITMAP, INDEX_ALLOCATION, INDEX_ROOT, Value};
use super::file_name::FileName;
use super::index::{self, Entries, Entry};
use super::inode::Inode;
use super::record::Reference;
use super::upcase::UpCase;
use crate::utf16;

/// The name of a directory's index, in UTF-16LE.
pub(super) const I30: &[u8] = b"$\0I\x003\x000\0";

/// How deep a tree may be. One of a hundred million names is some six deep.
const MAX_DEPTH: usize = 32;

/// After so many damaged blocks the rest of a directory is not looked at.
const MAX_DAMAGED: usize = 64;

/// How much of the bitmap is read at a time.
const BITMAP_STEP: u64 = 4 << 10;

/// Checked INDX blocks by directory and number.
pub(super) type Blocks = Decoded<(u64, u64), Vec<u8>>;

/// An open directory.
pub(super) struct Directory {
    number: u64,
    /// Where its record lies, for errors.
    at: u64,
    root: Vec<u8>,
    blocks: Option<Allocation>,
    weight: usize,
}

/// The blocks of a directory that its record does not hold.
struct Allocation {
    file: Arc<dyn ReadAt>,
    in_use: Arc<dyn ReadAt>,
    block_size: u64,
    /// What block numbers are counted in.
    unit: u64,
}

impl Directory {
    /// Opens the directory.
    pub(super) fn open(
        inode: &Inode<'_>,
        at: u64,
        volume: &Arc<dyn ReadAt>,
        geometry: &super::boot::Geometry,
    ) -> Result<Self> {
        let number = inode.base.number;
        let root = inode.first(INDEX_ROOT, I30, |record, attribute| match &attribute.value {
            Value::Resident(value) => Ok(value.as_bytes().to_vec()),
            Value::NonResident(_) => Err(record.corrupt("its index root is not resident")),
        })?;
        let root = root.ok_or_else(|| index::lacking(number, at, "it has no index root"))?;
        let block_size = index::block_size(&Fields::new("index root", at, &root))?;
        let mut weight = root.len() + size_of::<Self>();
        let mut blocks = None;
        if let Some(allocation) = inode.stream(INDEX_ALLOCATION, I30)? {
            let bitmap = inode
                .stream(BITMAP, I30)?
                .ok_or_else(|| index::lacking(number, at, "its index has no bitmap"))?;
            weight += allocation.weight() + bitmap.weight();
            blocks = Some(Allocation {
                file: allocation.open(volume, geometry)?,
                in_use: bitmap.open(volume, geometry)?,
                block_size,
                unit: if geometry.cluster_size <= block_size { geometry.cluster_size } else { 512 },
            });
        }
        Ok(Self { number, at, root, blocks, weight })
    }

    /// How many bytes it takes in memory.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    fn root(&self) -> Fields<'_> {
        Fields::new("index root", self.at, &self.root)
    }

    /// Hands every node's entries to `visit`. What can be read of a damaged directory is handed
    /// over before the error is returned.
    pub(super) fn each_node(
        &self,
        visit: &mut dyn FnMut(Entries<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut damage = Damage::default();
        match index::root_entries(&self.root()).and_then(&mut *visit) {
            Ok(ControlFlow::Break(())) => return Ok(()),
            Ok(ControlFlow::Continue(())) => {}
            Err(error) => damage.add(error),
        }
        let Some(blocks) = &self.blocks else {
            return damage.outcome();
        };
        let mut bit = 0;
        while let Some(range) = blocks.in_use.next_data(bit / 8) {
            let step = BITMAP_STEP.min(range.end - range.start);
            let bytes = match read_vec(&*blocks.in_use, "index bitmap", range.start, step) {
                Ok(bytes) => bytes,
                Err(error) => {
                    damage.add(error);
                    break;
                }
            };
            let set = (0..step * 8).filter(|bit| bytes[(bit / 8) as usize] >> (bit % 8) & 1 == 1);
            for number in set.map(|bit| range.start * 8 + bit) {
                let Some(offset) = number.checked_mul(blocks.block_size) else {
                    break;
                };
                let node = blocks.read(offset / blocks.unit).and_then(|block| {
                    visit(index::block_entries(&Fields::new("INDX block", self.at, &block))?)
                });
                match node {
                    Ok(ControlFlow::Break(())) => return Ok(()),
                    Ok(ControlFlow::Continue(())) => {}
                    Err(error) => damage.add(error),
                }
                if damage.count > MAX_DAMAGED {
                    return damage.outcome();
                }
            }
            bit = (range.start + step) * 8;
        }
        damage.outcome()
    }

    /// The file called `name`: the one that is spelled the same if there is one, otherwise one that
    /// differs in case only.
    pub(super) fn lookup(
        &self,
        name: &[u16],
        upcase: &UpCase,
        cache: &Blocks,
    ) -> Result<Option<Reference>> {
        let mut search =
            Search { directory: self, name, upcase, cache, visited: HashSet::new(), found: None };
        let searched = search.node(None, 0);
        // The tree is ordered by the volume's own table. By another, a name that is there may be
        // passed by, and only the list can say that it is absent.
        if searched.is_ok() && (search.found.is_some() || upcase.is_own()) {
            return Ok(search.found);
        }
        let mut found = search.found;
        let listed = self.each_node(&mut |entries| {
            for entry in entries {
                let entry = entry?;
                if let Some(key) = &entry.key
                    && utf16::units(key.name).eq(name.iter().copied())
                {
                    found = Some(entry.file);
                    return Ok(ControlFlow::Break(()));
                }
                if let Some(key) = &entry.key
                    && found.is_none()
                    && upcase.compare(name.iter().copied(), utf16::units(key.name)).is_eq()
                {
                    found = Some(entry.file);
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        match (found, listed) {
            (Some(found), _) => Ok(Some(found)),
            (None, Ok(())) => Ok(None),
            (None, Err(listed)) => Err(searched.err().unwrap_or(listed)),
        }
    }
}

impl Allocation {
    /// The checked block with the number `vcn`.
    fn read(&self, vcn: u64) -> Result<Vec<u8>> {
        let offset = vcn.checked_mul(self.unit).filter(|offset| *offset < self.file.len());
        let Some(offset) = offset else {
            let why = format!("the index of {} bytes has no block {vcn}", self.file.len());
            return Err(Error::corrupt("INDX block", vcn, why));
        };
        let mut block = read_vec(&*self.file, "INDX block", offset, self.block_size)?;
        index::check_block(&mut block, vcn, offset)?;
        Ok(block)
    }
}

/// The first thing that was wrong, and how much was.
#[derive(Default)]
struct Damage {
    first: Option<Error>,
    count: usize,
}

impl Damage {
    fn add(&mut self, error: Error) {
        self.first.get_or_insert(error);
        self.count += 1;
    }

    fn outcome(self) -> Result<()> {
        self.first.map_or(Ok(()), Err)
    }
}

/// The walk down the tree after one name.
struct Search<'a> {
    directory: &'a Directory,
    name: &'a [u16],
    upcase: &'a UpCase,
    cache: &'a Blocks,
    visited: HashSet<u64>,
    found: Option<Reference>,
}

impl Search<'_> {
    /// Searches the root or a block, and what is beneath it. Breaks when the very name is found.
    /// Names that differ only in case are neighbours, so several subtrees may hold some.
    fn node(&mut self, vcn: Option<u64>, depth: usize) -> Result<ControlFlow<()>> {
        let corrupt = |why: &str| index::lacking(self.directory.number, self.directory.at, why);
        if depth > MAX_DEPTH {
            return Err(corrupt("its index is deeper than any"));
        }
        let Some(vcn) = vcn else {
            let directory = self.directory;
            return self.entries(index::root_entries(&directory.root())?, depth);
        };
        if !self.visited.insert(vcn) {
            return Err(corrupt("its index contains itself"));
        }
        let Some(blocks) = &self.directory.blocks else {
            return Err(corrupt("its index has no blocks, but its root points at one"));
        };
        let block =
            self.cache.get_or(&(self.directory.number, vcn), Vec::len, || blocks.read(vcn))?;
        self.entries(index::block_entries(&Fields::new("INDX block", 0, &block))?, depth)
    }

    fn entries(&mut self, entries: Entries<'_>, depth: usize) -> Result<ControlFlow<()>> {
        for entry in entries {
            let entry = entry?;
            let order = self.compare(&entry);
            if order != Ordering::Greater
                && let Some(subnode) = entry.subnode
                && self.node(Some(subnode), depth + 1)?.is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            match (order, &entry.key) {
                (Ordering::Less, _) => break,
                (Ordering::Equal, Some(key)) if self.is(key) => {
                    self.found = Some(entry.file);
                    return Ok(ControlFlow::Break(()));
                }
                (Ordering::Equal, _) => {
                    self.found.get_or_insert(entry.file);
                }
                (Ordering::Greater, _) => {}
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How the name that is searched compares to the entry's, case aside. It is before the end.
    fn compare(&self, entry: &Entry<'_>) -> Ordering {
        entry.key.as_ref().map_or(Ordering::Less, |key| {
            self.upcase.compare(self.name.iter().copied(), utf16::units(key.name))
        })
    }

    fn is(&self, key: &FileName<'_>) -> bool {
        utf16::units(key.name).eq(self.name.iter().copied())
    }
}
