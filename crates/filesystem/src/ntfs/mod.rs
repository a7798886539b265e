//! NTFS.
//!
//! Everything is a file, the table of files included: the [boot sector](boot) says where the
//! [master file table](mft) starts, each of whose [records](record) is a file made of
//! [attributes](attribute), whose values are [streams](stream) in the record or in
//! [runs](run_list) of clusters. A [directory] is a tree of names.
//!
//! What is particular:
//! - The journal (`$LogFile`) is not replayed. When it was open, or Windows is hibernated, the
//!   filesystem is [`Health::Dirty`] and says so among its problems.
//! - A node is a record number and the record's sequence number, so that what was deleted and
//!   reused since is noticed.
//! - Names that are only there for DOS are not listed, but found. System files such as `$MFT` are
//!   not listed in the root directory, but found. Case decides only between names that differ in
//!   nothing else.
//! - Alternate data streams are [`Filesystem::streams`]; those of up to [`MAX_XATTR`] bytes are
//!   also extended attributes `user.<stream>`, as ntfs-3g shows them, up to [`MAX_XATTRS`] bytes
//!   together. Further ones, by the names of ntfs-3g: `system.ntfs_attrib`, the DOS attributes;
//!   `system.ntfs_reparse_data`, the whole reparse point; `system.ntfs_ea`, the list of old
//!   extended attributes. Security descriptors are not shown.
//! - Reparse points and special files of Interix are links and devices where
//!   they are known. A file compressed by the Windows Overlay Filter is listed, with its length;
//!   opening it is refused.

mod attribute;
mod attribute_list;
mod boot;
mod compressed;
mod directory;
mod ea;
mod file_name;
mod fixup;
mod index;
mod inode;
mod interix;
mod log_file;
mod lznt1;
mod metadata;
mod mft;
mod record;
mod reparse;
mod run_list;
mod scan;
mod standard_information;
mod stream;
#[cfg(test)]
mod tests;
mod upcase;
mod volume_information;

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use fathom_block::cache::Decoded;
use fathom_block::{Error, ErrorKind, Problem, ReadAt, Result, read_array, read_vec};

use attribute::{DATA, EA, REPARSE_POINT, VOLUME_INFORMATION, VOLUME_NAME};
use boot::Geometry;
use directory::{Blocks, Directory};
use file_name::{FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SYSTEM, I30_INDEX_PRESENT};
use inode::Inode;
use log_file::LogState;
use mft::Mft;
use record::Reference;
use standard_information::{FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL};
use upcase::UpCase;
use volume_information::VolumeInformation;

pub use scan::{Scan, ScannedFile, ScannedName};

use crate::detect::Kind;
use crate::node::{
    DirEntry, FileType, Filesystem, Health, Info, Metadata, NodeId, Stream, Visit, Xattr,
};
use crate::utf16;

/// The longest stream that is shown as an extended attribute too, the longest one that Linux takes.
pub const MAX_XATTR: u64 = 64 << 10;

/// The most bytes of streams that are shown as extended attributes of one file.
pub const MAX_XATTRS: u64 = 1 << 20;

/// Numbers of the records that every volume has.
const LOG_FILE: u64 = 2;
const VOLUME: u64 = 3;
const ROOT: u64 = 5;
const CLUSTER_BITMAP: u64 = 6;
const UP_CASE: u64 = 10;

/// The first record that is not kept for system files.
const FIRST_USER: u64 = 16;

/// How many bytes of directories, of their blocks and of metadata are kept.
const KEPT: usize = 4 << 20;

/// The longest cluster bitmap that is counted: a volume of 8 TiB with clusters of 4 KiB.
const MAX_BITMAP: u64 = 256 << 20;

/// Whether the boot sector is one of NTFS.
pub(crate) fn probe(volume: &dyn ReadAt) -> Result<bool> {
    Ok(volume.len() >= 512 && read_array::<8>(volume, "NTFS boot sector", 3)? == *b"NTFS    ")
}

/// Whether only the copy of the boot sector at the volume's end is one of NTFS. It outlives the
/// volume being formatted anew, so every other filesystem is to be looked for first.
pub(crate) fn probe_backup(volume: &dyn ReadAt) -> bool {
    boot::backup(volume).is_some()
}

pub(crate) fn open(volume: Arc<dyn ReadAt>) -> Result<Arc<dyn Filesystem>> {
    Ok(Arc::new(Ntfs::open(volume)?))
}

/// An open NTFS volume.
pub struct Ntfs {
    mft: Mft,
    root: NodeId,
    label: Option<String>,
    version: VolumeInformation,
    health: Health,
    upcase: OnceLock<UpCase>,
    free: OnceLock<Option<u64>>,
    directories: Decoded<u64, Directory>,
    blocks: Blocks,
    /// Metadata of the files that are dear to look at.
    described: Decoded<NodeId, Metadata>,
}

fn node_id(reference: Reference) -> NodeId {
    NodeId { tree: u64::from(reference.sequence), inode: reference.record }
}

impl Ntfs {
    /// Opens the volume.
    pub fn open(volume: Arc<dyn ReadAt>) -> Result<Self> {
        let (geometry, damage) = Geometry::read(&*volume)?;
        let mft = Mft::open(volume, geometry)?;
        if let Some(damage) = damage {
            mft.report(damage.within("the copy at the volume's end is used instead"));
        }
        if geometry.size > mft.volume.len() {
            mft.report(Error::truncated("NTFS volume", mft.volume.len(), geometry.size));
        }
        let root = mft.record(ROOT)?;
        if !root.in_use() || !root.is_directory() {
            return Err(root.corrupt("it is not the root directory"));
        }
        let root = NodeId { tree: u64::from(root.sequence), inode: ROOT };
        let (version, label) = volume_facts(&mft)?;
        let mut ntfs = Self {
            mft,
            root,
            label,
            version,
            health: Health::Clean,
            upcase: OnceLock::new(),
            free: OnceLock::new(),
            directories: Decoded::new(KEPT),
            blocks: Decoded::new(KEPT),
            described: Decoded::new(KEPT),
        };
        ntfs.health = ntfs.assess();
        Ok(ntfs)
    }

    /// All files, in the order of the master file table: far faster than a walk. A record that
    /// cannot be read is an error in its place, and the scan goes on.
    pub fn scan(&self) -> Scan<'_> {
        Scan::new(self)
    }

    /// How the volume was left; why it is not clean is told among the problems.
    fn assess(&self) -> Health {
        let mut health = Health::Clean;
        let mut dirty = |problem| {
            self.mft.report(problem);
            health = Health::Dirty;
        };
        if self.version.is_dirty() {
            dirty(Error::unsupported("NTFS volume", "it is marked dirty: Windows would check it"));
        }
        match self.system_file(LOG_FILE).and_then(|log| log_file::state(&*log)) {
            Ok(LogState::Clean) => {}
            Ok(LogState::Open) => dirty(Error::unsupported(
                "$LogFile",
                "the journal was not closed and is not replayed: the latest changes to names, \
                 sizes and places of files may be missing or halfway",
            )),
            Err(error) => dirty(error.within("the state of the journal is not known")),
        }
        match self.is_hibernated() {
            Ok(false) => {}
            Ok(true) => dirty(Error::unsupported(
                "hiberfil.sys",
                "Windows is hibernated or shut down for a fast start: what it keeps in memory is \
                 not shown",
            )),
            Err(error) => dirty(error.within("whether Windows is hibernated is not known")),
        }
        health
    }

    /// Whether a hibernated system waits to be resumed.
    fn is_hibernated(&self) -> Result<bool> {
        let Some(file) = self.lookup(self.root, b"hiberfil.sys")? else {
            return Ok(false);
        };
        let file = match Filesystem::open(self, file) {
            Err(error) if error.kind() == ErrorKind::Invalid => return Ok(false),
            file => file?,
        };
        let head = read_vec(&*file, "hiberfil.sys", 0, file.len().min(4))?;
        Ok(head.eq_ignore_ascii_case(b"hibr"))
    }

    /// The bytes of a file that every volume has.
    fn system_file(&self, number: u64) -> Result<Arc<dyn ReadAt>> {
        let inode = self.inode(NodeId::new(number))?;
        let stream = inode.stream(DATA, &[])?;
        let stream = stream.ok_or_else(|| inode.base.corrupt("it has no data"))?;
        stream.open(&self.mft.volume, &self.mft.geometry)
    }

    fn inode(&self, node: NodeId) -> Result<Inode<'_>> {
        let sequence = u16::try_from(node.tree).map_err(|_| no_node(node))?;
        Inode::open(&self.mft, Reference { record: node.inode, sequence })
    }

    fn directory(&self, node: NodeId) -> Result<Arc<Directory>> {
        let inode = self.inode(node)?;
        if !inode.base.is_directory() {
            return Err(Error::invalid(
                format!("FILE record {}", node.inode),
                "it is no directory",
            ));
        }
        let at = self.mft.place(node.inode.saturating_mul(self.mft.geometry.record_size as u64));
        self.directories.get_or(&node.inode, Directory::weight, || {
            Directory::open(&inode, at, &self.mft.volume, &self.mft.geometry)
        })
    }

    fn upcase(&self) -> &UpCase {
        self.upcase.get_or_init(|| {
            self.system_file(UP_CASE).and_then(|file| UpCase::read(&*file)).unwrap_or_else(
                |error| {
                    self.mft.report(error.within("$UpCase: Unicode's own table is used instead"));
                    UpCase::unicode()
                },
            )
        })
    }

    /// The bytes that no file has.
    fn count_free(&self) -> Result<Option<u64>> {
        let geometry = &self.mft.geometry;
        let bitmap = self.system_file(CLUSTER_BITMAP)?;
        let length = geometry.clusters.div_ceil(8);
        if length > MAX_BITMAP || length > bitmap.len() {
            return Ok(None);
        }
        let mut used = 0;
        let mut at = 0;
        while let Some(range) = bitmap.next_data(at).filter(|range| range.start < length) {
            let step = (range.end.min(length) - range.start).min(1 << 20);
            let mut bytes = read_vec(&*bitmap, "cluster bitmap", range.start, step)?;
            at = range.start + step;
            // The bits after the last cluster's are set.
            if at == length
                && !geometry.clusters.is_multiple_of(8)
                && let Some(last) = bytes.last_mut()
            {
                *last &= (1 << (geometry.clusters % 8)) - 1;
            }
            used += bytes.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
        }
        Ok(geometry.clusters.checked_sub(used).map(|free| free * geometry.cluster_size))
    }

    /// What a directory entry names, as paths spell it. `None` where it is not to be listed.
    fn listed(&self, dir: u64, entry: &index::Entry<'_>) -> Result<Option<DirEntry>> {
        let Some(key) = entry.key.as_ref().filter(|key| !key.is_dos()) else {
            return Ok(None);
        };
        if dir == ROOT && entry.file.record < FIRST_USER {
            return Ok(None);
        }
        let corrupt = |why: String| Err(index::lacking(dir, self.mft.geometry.mft, why));
        let Some(name) = key.path_part() else {
            let name = utf16::decode(utf16::units(key.name));
            return corrupt(format!("the name {} is no part of a path", name.escape_ascii()));
        };
        if key.parent.record != dir {
            return corrupt(format!(
                "the name {} belongs to directory {}",
                name.escape_ascii(),
                key.parent.record
            ));
        }
        let file_type = match key.attributes {
            special if special & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_SYSTEM) != 0 => {
                None
            }
            directory if directory & I30_INDEX_PRESENT != 0 => Some(FileType::Directory),
            _ => Some(FileType::File),
        };
        Ok(Some(DirEntry { name, node: node_id(entry.file), file_type }))
    }
}

fn no_node(node: NodeId) -> Error {
    Error::not_found(format!("FILE record {}", node.inode), "no node has such a number")
}

/// The version and the label.
fn volume_facts(mft: &Mft) -> Result<(VolumeInformation, Option<String>)> {
    let inode = Inode::of(mft, mft.record(VOLUME)?)?;
    let version =
        inode.first(VOLUME_INFORMATION, &[], |record, attribute| match &attribute.value {
            attribute::Value::Resident(value) => VolumeInformation::parse(value),
            attribute::Value::NonResident(_) => Err(record.corrupt("its version is not resident")),
        })?;
    let version = version.ok_or_else(|| inode.base.corrupt("the volume has no version"))?;
    let label = inode.first(VOLUME_NAME, &[], |_, attribute| {
        Ok(match &attribute.value {
            attribute::Value::Resident(value) => {
                let name = utf16::decode(utf16::units(value.as_bytes()));
                String::from_utf8_lossy(&name).into_owned()
            }
            attribute::Value::NonResident(_) => String::new(),
        })
    })?;
    Ok((version, label.filter(|label| !label.is_empty())))
}

impl Filesystem for Ntfs {
    fn info(&self) -> Info {
        let geometry = &self.mft.geometry;
        let free = self.free.get_or_init(|| {
            self.count_free().unwrap_or_else(|error| {
                self.mft.report(error.within("free clusters could not be counted"));
                None
            })
        });
        Info {
            kind: Kind::Ntfs,
            variant: format!("NTFS {}.{}", self.version.major, self.version.minor),
            label: self.label.clone(),
            uuid: Some(format!("{:016X}", geometry.serial)),
            block_size: geometry.cluster_size as u32,
            size: geometry.size,
            free: *free,
            health: self.health,
            features: Vec::new(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        self.mft.problems()
    }

    fn root(&self) -> NodeId {
        self.root
    }

    fn lookup(&self, dir: NodeId, name: &[u8]) -> Result<Option<NodeId>> {
        let directory = self.directory(dir)?;
        let Some(name) = utf16::encode(name).filter(|name| (1..=255).contains(&name.len())) else {
            return Ok(None);
        };
        let found = directory.lookup(&name, self.upcase(), &self.blocks)?;
        Ok(found.map(node_id))
    }

    fn read_dir(&self, dir: NodeId, visit: Visit<'_>) -> Result<()> {
        let directory = self.directory(dir)?;
        let mut damage = None;
        let outcome = directory.each_node(&mut |entries| {
            let mut listed = Vec::new();
            for entry in entries {
                match entry.and_then(|entry| self.listed(dir.inode, &entry)) {
                    Ok(entry) => listed.extend(entry),
                    Err(error) => {
                        damage.get_or_insert(error);
                    }
                }
            }
            // Who lists names usually asks for what they name next.
            self.mft.prefetch(listed.iter().map(|entry| entry.node.inode).collect());
            for entry in listed {
                if visit(entry).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        outcome.and(damage.map_or(Ok(()), Err))
    }

    fn metadata(&self, node: NodeId) -> Result<Metadata> {
        if let Some(known) = self.described.get(&node) {
            return Ok((*known).clone());
        }
        let inode = self.inode(node)?;
        let metadata = self.describe(&inode)?;
        if inode.is_large() {
            self.described.put(node, Arc::new(metadata.clone()), size_of::<Metadata>());
        }
        Ok(metadata)
    }

    fn read_link(&self, node: NodeId) -> Result<Vec<u8>> {
        let inode = self.inode(node)?;
        let target = self.nature(&inode, &self.standard(&inode)?)?.target;
        target.ok_or_else(|| {
            Error::invalid(format!("FILE record {}", node.inode), "it is not a symbolic link")
        })
    }

    fn xattrs(&self, node: NodeId) -> Result<Vec<Xattr>> {
        let inode = self.inode(node)?;
        // As Windows and ntfs-3g tell them: a directory is one, and nothing else is *normal*.
        let attributes = match self.standard(&inode)?.file_attributes {
            attributes if inode.base.is_directory() => attributes | FILE_ATTRIBUTE_DIRECTORY,
            0 => FILE_ATTRIBUTE_NORMAL,
            attributes => attributes,
        };
        let mut xattrs = vec![Xattr {
            name: b"system.ntfs_attrib".to_vec(),
            value: attributes.to_le_bytes().to_vec(),
        }];
        let raw = [
            (REPARSE_POINT, "system.ntfs_reparse_data", reparse::MAX_LENGTH),
            (EA, "system.ntfs_ea", ea::MAX_LENGTH),
        ];
        for (kind, name, limit) in raw {
            if let Some(value) = self.value(&inode, kind, name, limit)? {
                xattrs.push(Xattr { name: name.into(), value });
            }
        }
        let mut room = MAX_XATTRS;
        for stream in scan::streams(&inode)? {
            if stream.size > MAX_XATTR || stream.size > room {
                continue;
            }
            room -= stream.size;
            let value = self.open_stream(node, &stream.name).and_then(|reader| match reader {
                Some(reader) => read_vec(&*reader, "stream", 0, reader.len()).map(Some),
                None => Ok(None),
            });
            let value = match value {
                Err(error)
                    if matches!(error.kind(), ErrorKind::Encrypted | ErrorKind::Unsupported) =>
                {
                    None
                }
                value => value?,
            };
            let name = [b"user.", stream.name.as_slice()].concat();
            xattrs.extend(value.map(|value| Xattr { name, value }));
        }
        xattrs.sort_unstable();
        Ok(xattrs)
    }

    fn open(&self, node: NodeId) -> Result<Arc<dyn ReadAt>> {
        let inode = self.inode(node)?;
        let what = format!("FILE record {}", node.inode);
        let nature = self.nature(&inode, &self.standard(&inode)?)?;
        if inode.base.is_directory() {
            return Err(Error::invalid(what, "it is a directory"));
        }
        if nature.file_type != FileType::File && nature.target.is_some() {
            return Err(Error::invalid(what, "it is a symbolic link"));
        }
        if let Some(reparse) = nature.reparse {
            return Err(Error::unsupported(what, reparse.refusal()));
        }
        match inode.stream(DATA, &[])? {
            Some(stream) => stream
                .open(&self.mft.volume, &self.mft.geometry)
                .map_err(|error| error.within(what)),
            None => Ok(Arc::new(Vec::new())),
        }
    }

    fn streams(&self, node: NodeId) -> Result<Vec<Stream>> {
        scan::streams(&self.inode(node)?)
    }

    fn open_stream(&self, node: NodeId, name: &[u8]) -> Result<Option<Arc<dyn ReadAt>>> {
        let Some(name) = utf16::encode(name).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let name: Vec<u8> = name.into_iter().flat_map(u16::to_le_bytes).collect();
        match self.inode(node)?.stream(DATA, &name)? {
            Some(stream) => stream.open(&self.mft.volume, &self.mft.geometry).map(Some),
            None => Ok(None),
        }
    }
}
