//! A directory: a tree of names, ordered without regard to case.
//!
//! Listing a directory does not walk the tree: every node in use holds names, and a bitmap says
//! which are in use, so they are read in the order of the disk, each once, however the links
//! between them may be damaged. The links are looked at all the same: what they lead to and the
//! bitmap does not have is listed too, and that the two disagree is damage. Looking a name up walks
//! the tree, and falls back to the list where the tree or its order is damaged. What the list has is
//! found; that it lacks a name says nothing where the tree has lost some.

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

/// After so many blocks that the bitmap does not have the rest of them is not looked at: a bitmap
/// of which a block was lost lacks some thousand.
const MAX_UNMARKED: usize = 64 << 10;

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
    pub(super) fn each_node(&self, visit: Visit<'_>) -> Result<()> {
        let mut walk = Walk {
            directory: self,
            visit,
            damage: Damage::default(),
            marks: Marks::default(),
            linked: 0,
            unmarked: Vec::new(),
        };
        let flow = index::root_entries(&self.root()).and_then(|root| walk.node(root));
        if walk.goes_on(flow)
            && let Some(blocks) = &self.blocks
            && walk.marked(blocks)
        {
            walk.unmarked(blocks);
        }
        walk.damage.outcome()
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
        match (found, searched) {
            (Some(found), _) => Ok(Some(found)),
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => listed.map(|()| None),
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

/// What is called for every node's entries; `Break` ends the walk.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Entries<'_>) -> Result<ControlFlow<()>>;

/// The walk over all nodes.
struct Walk<'a> {
    directory: &'a Directory,
    visit: Visit<'a>,
    damage: Damage,
    marks: Marks,
    /// How many links there are to blocks.
    linked: u64,
    /// Blocks that a link leads to, but that are not in use by the bitmap.
    unmarked: Vec<u64>,
}

impl Walk<'_> {
    fn node(&mut self, entries: Entries<'_>) -> Result<ControlFlow<()>> {
        if let Some(blocks) = &self.directory.blocks {
            // What is wrong with an entry is for the visitor to meet.
            for vcn in entries.clone().map_while(Result::ok).filter_map(|entry| entry.subnode) {
                self.linked += 1;
                let number = vcn.saturating_mul(blocks.unit) / blocks.block_size;
                if !self.marks.has(blocks, number) && self.unmarked.len() <= MAX_UNMARKED {
                    self.unmarked.push(vcn);
                }
            }
        }
        (self.visit)(entries)
    }

    /// Reads one block, and says whether to go on.
    fn block(&mut self, blocks: &Allocation, vcn: u64) -> bool {
        let flow = blocks.read(vcn).and_then(|block| {
            let fields = Fields::new("INDX block", self.directory.at, &block);
            self.node(index::block_entries(&fields)?)
        });
        self.goes_on(flow)
    }

    fn goes_on(&mut self, flow: Result<ControlFlow<()>>) -> bool {
        match flow {
            Ok(ControlFlow::Continue(())) => true,
            Ok(ControlFlow::Break(())) => {
                // Who has found what it wanted need not know of damage elsewhere.
                self.damage = Damage::default();
                false
            }
            Err(error) => {
                self.damage.add(error);
                self.damage.count <= MAX_DAMAGED
            }
        }
    }

    /// The blocks that are in use by the bitmap, in the order of the disk.
    fn marked(&mut self, blocks: &Allocation) -> bool {
        let mut marked = 0;
        let mut bit = 0;
        while let Some(range) = blocks.in_use.next_data(bit / 8) {
            let step = BITMAP_STEP.min(range.end - range.start);
            let bytes = match read_vec(&*blocks.in_use, "index bitmap", range.start, step) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.damage.add(error);
                    if self.damage.count > MAX_DAMAGED {
                        return true;
                    }
                    Vec::new()
                }
            };
            let bits = bytes.len() as u64 * 8;
            let set = (0..bits).filter(|bit| bytes[(bit / 8) as usize] >> (bit % 8) & 1 == 1);
            for number in set.map(|bit| range.start * 8 + bit) {
                let Some(offset) = number.checked_mul(blocks.block_size) else {
                    break;
                };
                marked += 1;
                if !self.block(blocks, offset / blocks.unit) {
                    return false;
                }
            }
            bit = (range.start + step) * 8;
        }
        // Links in damaged blocks are not known.
        let linked = self.linked - self.unmarked.len() as u64;
        if marked > linked && self.damage.count == 0 {
            let why = format!(
                "{marked} blocks of its index are in use by its bitmap, but its tree has {linked}: \
                 names may be listed that were deleted"
            );
            self.damage.add(index::lacking(self.directory.number, self.directory.at, why));
        }
        true
    }

    /// The blocks that only links lead to.
    fn unmarked(&mut self, blocks: &Allocation) {
        let mut visited = HashSet::new();
        while let Some(vcn) = self.unmarked.pop() {
            if !visited.insert(vcn) {
                continue;
            }
            if visited.len() == 1 {
                let why = format!("its tree uses block {vcn}, which its bitmap says is free");
                self.damage.add(index::lacking(self.directory.number, self.directory.at, why));
            }
            if visited.len() > MAX_UNMARKED || !self.block(blocks, vcn) {
                return;
            }
        }
    }
}

/// Which blocks are in use by the bitmap, of which a part at a time is kept.
#[derive(Default)]
struct Marks {
    start: u64,
    bytes: Vec<u8>,
}

impl Marks {
    /// Whether the block is known to be in use.
    fn has(&mut self, blocks: &Allocation, number: u64) -> bool {
        let byte = number / 8;
        if byte >= blocks.in_use.len() {
            return false;
        }
        let known = self.start..self.start + self.bytes.len() as u64;
        if !known.contains(&byte) {
            self.start = byte / BITMAP_STEP * BITMAP_STEP;
            let step = BITMAP_STEP.min(blocks.in_use.len() - self.start);
            self.bytes = read_vec(&*blocks.in_use, "index bitmap", self.start, step)
                .unwrap_or_else(|_| vec![0; step as usize]);
        }
        let at = (byte - self.start) as usize;
        self.bytes.get(at).is_some_and(|bits| bits >> (number % 8) & 1 == 1)
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
