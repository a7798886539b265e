//! FAT12, FAT16 and FAT32.
//!
//! The [boot sector](boot) says where things are, the [table] which clusters belong
//! together, and [directories](directory) hold [entries](entry), which are all there is to a file.
//!
//! What is particular:
//! - A node is the place of its directory entry on the volume; the root directory, which has none,
//!   is zero.
//! - Long names are given in WTF-8. Short names are read as [code page 437](codepage). Case does
//!   not matter when a name is looked up, unless names differ in nothing else.
//! - A directory has no length. Two directories that share clusters are damage.
//! - Times are in a local time that is not known, and are taken for [UTC](time).
//! - There are no owners, links or special files; owners and modes are what Linux shows by default.

mod boot;
mod codepage;
mod directory;
mod entry;
mod fs_info;
mod table;
#[cfg(test)]
mod tests;
mod time;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fathom_block::cache::Decoded;
use fathom_block::{Error, Fields, Problem, ReadAt, Result, read_array};

use boot::{Geometry, Width};
use directory::{Listing, MAX_DIRECTORY};
use entry::{ENTRY, Short, Slot};
use table::Table;

use crate::detect::Kind;
use crate::extent::{Extent, ExtentFile};
use crate::node::{DirEntry, FileType, Filesystem, Health, Info, Metadata, NodeId, Visit, Xattr};
use crate::timestamp::Timestamp;

/// How many bytes of listings are kept.
const KEPT: usize = 4 << 20;

/// The longest table that is counted when FSInfo does not tell what is free.
const MAX_COUNTED: u64 = 16 << 20;

/// The root directory.
const ROOT: NodeId = NodeId::new(0);

/// Whether the boot sector is one of FAT.
pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    boot::probe(volume)
}

pub(crate) fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Ok(Arc::new(Fat::open(volume)?))
}

/// An open FAT volume.
struct Fat {
    volume: Arc<dyn ReadAt>,
    table: Table,
    health: Health,
    free: OnceLock<Option<u64>>,
    listings: Decoded<NodeId, Listing>,
    /// Which directory has which clusters, as far as directories were read.
    owners: Mutex<HashMap<u64, NodeId>>,
    problems: Mutex<Vec<Problem>>,
}

impl Fat {
    fn open(volume: Arc<dyn ReadAt>) -> Result<Self> {
        let geometry = Geometry::read(&*volume)?;
        let mut problems = Vec::new();
        if geometry.size > volume.len() {
            problems.push(Error::truncated("FAT volume", volume.len(), geometry.size));
        }
        let (table, problem) = Table::open(volume.clone(), geometry);
        problems.extend(problem);
        let health = assess(&table, &mut problems);
        Ok(Self {
            volume,
            table,
            health,
            free: OnceLock::new(),
            listings: Decoded::new(KEPT),
            owners: Mutex::default(),
            problems: Mutex::new(problems),
        })
    }

    fn report(&self, problem: Problem) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
    }

    /// The entry of a node.
    fn short(&self, node: NodeId) -> Result<Short> {
        let geometry = &self.table.geometry;
        let in_root = node.inode.checked_sub(geometry.root.0).filter(|at| *at < geometry.root.1);
        let in_data = node.inode.checked_sub(geometry.data);
        let missing = || Error::not_found(format!("node {}", node.inode), "no entry is there");
        if node.tree != 0
            || !node.inode.is_multiple_of(ENTRY as u64)
            || in_root.or(in_data).is_none()
        {
            return Err(missing());
        }
        let bytes = read_array::<ENTRY>(&*self.volume, "directory entry", node.inode)?;
        match Slot::parse(&Fields::new("directory entry", node.inode, &bytes))? {
            Slot::File(short) => Ok(short),
            _ => Err(missing()),
        }
    }

    /// The first cluster that an entry names. The upper half of the field is FAT32's alone.
    fn first_cluster(&self, short: &Short) -> u32 {
        match self.table.geometry.width {
            Width::Fat32 => short.cluster & 0x0FFF_FFFF,
            Width::Fat12 | Width::Fat16 => short.cluster & 0xFFFF,
        }
    }

    /// Where a directory lies, and what kept the rest of it from being found.
    fn directory_extents(&self, dir: NodeId) -> Result<(Vec<Extent>, Option<Error>)> {
        let geometry = &self.table.geometry;
        let cluster = match dir {
            ROOT if geometry.width == Width::Fat32 => geometry.root_cluster,
            ROOT => {
                let (place, length) = geometry.root;
                return Ok((vec![Extent { logical: 0, length, physical: Some(place) }], None));
            }
            _ => {
                let short = self.short(dir)?;
                if !short.is_directory() {
                    let what = format!("entry at byte {}", dir.inode);
                    return Err(Error::invalid(what, "it is no directory"));
                }
                self.first_cluster(&short)
            }
        };
        // One cluster more than the longest directory, to see that it is too long.
        let (mut extents, mut damage) =
            self.table.chain(cluster, MAX_DIRECTORY + geometry.cluster_size);
        let mut room = MAX_DIRECTORY;
        for extent in &mut extents {
            if extent.length > room && damage.is_none() {
                let why = format!("it is longer than {MAX_DIRECTORY} bytes");
                damage = Some(Error::corrupt("directory", extent.physical.unwrap_or(0), why));
            }
            extent.length = extent.length.min(room);
            room -= extent.length;
        }
        extents.retain(|extent| extent.length > 0);
        let shared = self.claim(dir, &mut extents);
        Ok((extents, shared.or(damage)))
    }

    /// Notes that the directory has these clusters, and cuts it off where another one has them. A
    /// few damaged entries could otherwise show the same names in a great many places.
    fn claim(&self, dir: NodeId, extents: &mut Vec<Extent>) -> Option<Error> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        for index in 0..extents.len() {
            let Extent { length, physical, .. } = extents[index];
            let start = physical.unwrap_or(0);
            for place in (start..start + length).step_by(self.table.geometry.cluster_size as usize)
            {
                let owner = *owners.entry(place).or_insert(dir);
                if owner != dir {
                    extents[index].length = place - start;
                    extents.truncate(index + 1);
                    let why =
                        format!("the directory at byte {} has the same clusters", owner.inode);
                    return Some(Error::corrupt("directory", place, why));
                }
            }
        }
        None
    }

    fn listing(&self, dir: NodeId) -> Result<Arc<Listing>> {
        self.listings.get_or(&dir, Listing::weight, || {
            let (extents, damage) = self.directory_extents(dir)?;
            self.volume.prefetch(
                &extents
                    .iter()
                    .filter_map(|extent| Some(extent.physical?..extent.physical? + extent.length))
                    .collect::<Vec<_>>(),
            );
            let mut listing = Listing::read(&self.volume, &extents, damage, dir == ROOT);
            if dir == ROOT && listing.is_blank && listing.damage.is_none() {
                listing.damage = self.blank_root(&extents);
            }
            Ok(listing)
        })
    }

    /// Why a root without an entry, in these extents, is damage, if it is: files that are there must be
    /// in a directory.
    fn blank_root(&self, extents: &[Extent]) -> Option<Error> {
        let geometry = &self.table.geometry;
        if geometry.table_length > MAX_COUNTED {
            return None;
        }
        match self.table.first_used(extents) {
            Ok(None) => None,
            Ok(Some(cluster)) => {
                let why = format!("the root is empty, but a file has cluster {cluster}");
                let place = extents.first().and_then(|extent| extent.physical);
                Some(Error::corrupt("directory", place.unwrap_or(0), why))
            }
            Err(error) => Some(error),
        }
    }

    /// The label in the root directory or, if it has none, in the boot sector.
    fn label(&self) -> Option<String> {
        let listed = self.listing(ROOT).ok().and_then(|root| root.label);
        let label = listed.or(self.table.geometry.label)?;
        let text = codepage::decode(&label);
        let text = text.trim_end_matches(' ');
        (!text.is_empty() && text != "NO NAME").then(|| text.to_owned())
    }

    /// How many clusters are free, if that is cheap to know.
    fn free_clusters(&self) -> Result<Option<u64>> {
        let geometry = &self.table.geometry;
        if let Some(at) = geometry.fs_info {
            let told = fs_info::free_clusters(&*self.volume, at)?;
            if let Some(free) = told.filter(|free| *free <= geometry.clusters) {
                return Ok(Some(free));
            }
        }
        match geometry.table_length <= MAX_COUNTED {
            true => self.table.count_free().map(Some),
            false => Ok(None),
        }
    }
}

/// How the volume was left: Linux notes it in the boot sector, Windows in the second entry of the
/// table.
fn assess(table: &Table, problems: &mut Vec<Problem>) -> Health {
    let (clean, no_errors) = match table.geometry.width {
        Width::Fat12 => (0, 0),
        Width::Fat16 => (0x8000, 0x4000),
        Width::Fat32 => (0x0800_0000, 0x0400_0000),
    };
    let flags = match table.raw(1) {
        Ok(flags) => flags,
        Err(error) => {
            problems.push(error.within("how the volume was left is not known"));
            return Health::Dirty;
        }
    };
    let at = table.geometry.table;
    if flags & no_errors != no_errors {
        problems.push(Error::corrupt("FAT volume", at, "its last user met read or write errors"));
        return Health::Errors;
    }
    if flags & clean != clean || table.geometry.state & 1 != 0 {
        problems.push(Error::unsupported(
            "FAT volume",
            "it was in use or not unmounted: what was not yet written is not shown",
        ));
        return Health::Dirty;
    }
    Health::Clean
}

impl Filesystem for Fat {
    fn info(&self) -> Info {
        let geometry = &self.table.geometry;
        let free = self.free.get_or_init(|| {
            self.free_clusters().unwrap_or_else(|error| {
                self.report(error.within("free clusters could not be counted"));
                None
            })
        });
        Info {
            kind: Kind::Fat,
            variant: geometry.width.name().to_owned(),
            label: self.label(),
            uuid: geometry
                .serial
                .map(|serial| format!("{:04X}-{:04X}", serial >> 16, serial & 0xFFFF)),
            block_size: geometry.cluster_size as u32,
            size: geometry.size,
            free: free.map(|clusters| clusters * geometry.cluster_size),
            health: self.health,
            features: Vec::new(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn root(&self) -> NodeId {
        ROOT
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        let listing = self.listing(dir)?;
        match (listing.find(name), &listing.damage) {
            (Some(file), _) => Ok(Some(NodeId::new(file.place))),
            (None, None) => Ok(None),
            (None, Some(damage)) => Err(damage.clone()),
        }
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        let listing = self.listing(dir)?;
        for file in &listing.files {
            let file_type = if file.is_directory { FileType::Directory } else { FileType::File };
            let (name, node) = (file.name.clone(), NodeId::new(file.place));
            if visit(DirEntry { name, node, file_type: Some(file_type) }).is_break() {
                return Ok(());
            }
        }
        listing.damage.clone().map_or(Ok(()), Err)
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        let short = if node == ROOT { None } else { Some(self.short(node)?) };
        let is_directory = short.as_ref().is_none_or(Short::is_directory);
        // No entry says how long a directory is, and its clusters are not counted for it.
        let size =
            short.as_ref().filter(|_| !is_directory).map_or(0, |short| u64::from(short.size));
        let read_only = short.as_ref().is_some_and(Short::is_read_only);
        Ok(Metadata {
            file_type: if is_directory { FileType::Directory } else { FileType::File },
            mode: if read_only && !is_directory { 0o555 } else { 0o755 },
            uid: 0,
            gid: 0,
            size,
            allocated: size.next_multiple_of(self.table.geometry.cluster_size),
            links: 1,
            device: None,
            modified: short.as_ref().map_or(Timestamp::default(), |short| short.modified),
            accessed: short.as_ref().and_then(|short| short.accessed),
            changed: None,
            created: short.as_ref().and_then(|short| short.created),
        })
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        Err(Error::invalid(format!("entry at byte {}", node.inode), "it is not a symbolic link"))
    }

    fn xattrs(&self, _node: NodeId) -> Result<Vec<Xattr>> {
        Ok(Vec::new())
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        let what = format!("entry at byte {}", node.inode);
        let short = if node == ROOT { None } else { Some(self.short(node)?) };
        let Some(short) = short.filter(|short| !short.is_directory()) else {
            return Err(Error::invalid(what, "it is a directory"));
        };
        let size = u64::from(short.size);
        let (extents, damage) = match size {
            0 => (Vec::new(), None),
            _ => self.table.chain(self.first_cluster(&short), size),
        };
        if let Some(damage) = damage {
            return Err(damage.within(what));
        }
        let held: u64 = extents.iter().map(|extent| extent.length).sum();
        if held < size {
            return Err(Error::corrupt(
                what,
                node.inode,
                format!("it has {size} bytes, but its clusters hold {held}"),
            ));
        }
        Ok(Arc::new(ExtentFile::new(self.volume.clone(), extents, size)?))
    }
}
