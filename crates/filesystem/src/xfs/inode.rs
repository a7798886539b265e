//! The inode: its core, in versions 1 to 3, and where its two forks lie in it.

use fathom_block::{Error, Fields, Result, read_vec};

use super::blocks::{Blocks, checksum};
use crate::node::{FileType, Metadata};
use crate::timestamp::Timestamp;

/// Where the forks start: after the core of version 1 and 2, and of version 3.
pub(super) const CORE: usize = 100;
pub(super) const CORE_V3: usize = 176;
/// Where the checksum lies.
pub(super) const CRC: usize = 100;

/// `di_flags`: the data lies on the real-time device.
const REALTIME: u16 = 0x1;
/// `di_flags2`.
const BIGTIME: u64 = 0x8;
const NREXT64: u64 = 0x10;

/// Seconds from the first time a big timestamp can hold to 1970.
const BIGTIME_EPOCH: i64 = 1 << 31;

/// How a fork keeps what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A device number.
    Device,
    /// The bytes themselves.
    Local,
    /// A list of extents.
    Extents,
    /// The root of a tree of extents.
    Btree,
}

/// Which fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fork {
    Data,
    Attributes,
}

/// One inode.
pub(super) struct Inode {
    pub(super) number: u64,
    /// Where it lies.
    pub(super) at: u64,
    core: Core,
    bytes: Vec<u8>,
}

/// What the inode says of itself ahead of its forks.
struct Core {
    file_type: FileType,
    mode: u32,
    links: u32,
    uid: u32,
    gid: u32,
    size: u64,
    blocks: u64,
    accessed: Timestamp,
    modified: Timestamp,
    changed: Timestamp,
    created: Option<Timestamp>,
    realtime: bool,
    format: Format,
    extents: u64,
    /// The attribute fork, where there is one: its format and its count of extents.
    attributes: Option<(Format, u64)>,
    /// Where the data fork starts and ends in the bytes of the inode.
    data_start: usize,
    data_end: usize,
}

impl Inode {
    /// Reads the inode `number`.
    pub(super) fn read(blocks: &Blocks, number: u64) -> Result<Self> {
        let superblock = &blocks.superblock;
        let what = format!("inode {number}");
        let at = superblock.locate_inode(number).ok_or_else(|| {
            Error::corrupt(&*what, 0, "there is no place for an inode of this number")
        })?;
        let size = u64::from(superblock.inode_size);
        let bytes = read_vec(&blocks.volume, &what, at, size)?;
        let fields = Fields::new(&what, at, &bytes);
        if fields.bytes(0, 2)? != b"IN" {
            return Err(fields.corrupt(0, "the magic is not IN: it is no inode"));
        }
        let version = fields.u8(4)?;
        if !(if blocks.crc() { 3..=3 } else { 1..=2 }).contains(&version) {
            return Err(fields.corrupt(4, format!("its version is {version}")));
        }
        if blocks.crc() {
            checksum(&what, at, &bytes, CRC)?;
            let named = fields.be_u64(152)?;
            if named != number {
                return Err(fields.corrupt(152, format!("it says that it is inode {named}")));
            }
            if fields.array::<16>(160)? != superblock.meta_uuid {
                return Err(fields.corrupt(160, "it belongs to a filesystem of another UUID"));
            }
        }
        let core = Core::parse(&fields, version)?;
        Ok(Self { number, at, core, bytes })
    }

    pub(super) fn file_type(&self) -> FileType {
        self.core.file_type
    }

    /// How many blocks it takes, by its own count.
    pub(super) fn blocks(&self) -> u64 {
        self.core.blocks
    }

    pub(super) fn size(&self) -> u64 {
        self.core.size
    }

    /// What the node shows of itself.
    pub(super) fn metadata(&self, block_log: u8) -> Metadata {
        Metadata {
            file_type: self.core.file_type,
            mode: self.core.mode & 0o7777,
            uid: self.core.uid,
            gid: self.core.gid,
            size: self.core.size,
            allocated: self.core.blocks.saturating_mul(1 << block_log),
            links: self.core.links.into(),
            device: self.device(),
            modified: self.core.modified,
            accessed: Some(self.core.accessed),
            changed: Some(self.core.changed),
            created: self.core.created,
        }
    }

    /// The device numbers, in the layout of System V: 14 bits of major, 18 of minor.
    fn device(&self) -> Option<(u32, u32)> {
        if !matches!(self.core.file_type, FileType::CharacterDevice | FileType::BlockDevice) {
            return None;
        }
        let number =
            u32::from_be_bytes(self.bytes.get(self.core.data_start..)?.first_chunk().copied()?);
        Some((number >> 18, number & 0x3_FFFF))
    }

    /// Refuses a file whose bytes lie on a real-time device.
    pub(super) fn refuse_realtime(&self) -> Result<()> {
        if self.core.realtime {
            let why = "its data lies on the real-time device";
            return Err(Error::unsupported(format!("inode {}", self.number), why).at(self.at));
        }
        Ok(())
    }

    /// How the fork is kept and how many extents it has; `None` where there is no such fork.
    pub(super) fn fork(&self, fork: Fork) -> Option<(Format, u64)> {
        match fork {
            Fork::Data => Some((self.core.format, self.core.extents)),
            Fork::Attributes => self.core.attributes,
        }
    }

    /// The bytes of the fork, and where they lie.
    pub(super) fn fork_bytes(&self, fork: Fork) -> (u64, &[u8]) {
        let (start, end) = match fork {
            Fork::Data => (self.core.data_start, self.core.data_end),
            Fork::Attributes => (self.core.data_end, self.bytes.len()),
        };
        (self.at + start as u64, self.bytes.get(start..end).unwrap_or(&[]))
    }

    /// The bytes of the local data fork, cut to the size.
    pub(super) fn local(&self, what: &str) -> Result<(u64, &[u8])> {
        let (at, bytes) = self.fork_bytes(Fork::Data);
        match bytes.get(..usize::try_from(self.core.size).unwrap_or(usize::MAX)) {
            Some(bytes) => Ok((at, bytes)),
            None => {
                let room = bytes.len();
                let why = format!("{} bytes do not fit into a fork of {room}", self.core.size);
                Err(Error::corrupt(what, at, why))
            }
        }
    }
}

impl Core {
    fn parse(fields: &Fields<'_>, version: u8) -> Result<Self> {
        let mode = u32::from(fields.be_u16(2)?);
        if mode == 0 {
            return Err(fields.corrupt(2, "it is named, but free"));
        }
        let file_type = FileType::from_mode(mode)
            .ok_or_else(|| fields.corrupt(2, format!("its mode is {mode:#o}")))?;
        let flags2 = if version == 3 { fields.be_u64(120)? } else { 0 };
        let time = |at| timestamp(fields, at, flags2 & BIGTIME != 0);
        let (extents, attribute_extents) = match flags2 & NREXT64 {
            0 => (fields.be_u32(76)?.into(), fields.be_u16(80)?.into()),
            _ => (fields.be_u64(24)?, fields.be_u32(76)?.into()),
        };
        let size = fields.be_u64(56)?;
        if size >= 1 << 63 {
            return Err(fields.corrupt(56, format!("its size is {size}")));
        }
        let data_start = if version == 3 { CORE_V3 } else { CORE };
        let (data_end, attributes) = match usize::from(fields.u8(82)?) * 8 {
            0 => (fields.len(), None),
            offset if data_start + offset < fields.len() => {
                let format = format(fields, 83)?;
                if format == Format::Device {
                    return Err(fields.corrupt(83, "its attributes are a device number"));
                }
                (data_start + offset, Some((format, attribute_extents)))
            }
            offset => {
                return Err(fields.corrupt(82, format!("its attributes start at byte {offset}")));
            }
        };
        let core = Self {
            file_type,
            mode,
            links: if version == 1 { fields.be_u16(6)?.into() } else { fields.be_u32(16)? },
            uid: fields.be_u32(8)?,
            gid: fields.be_u32(12)?,
            size,
            blocks: fields.be_u64(64)?,
            accessed: time(32)?,
            modified: time(40)?,
            changed: time(48)?,
            created: if version == 3 { Some(time(144)?) } else { None },
            realtime: fields.be_u16(90)? & REALTIME != 0,
            format: format(fields, 5)?,
            extents,
            attributes,
            data_start,
            data_end,
        };
        core.check_format(fields)?;
        Ok(core)
    }

    /// What kind of fork an object may have.
    fn check_format(&self, fields: &Fields<'_>) -> Result<()> {
        let fits = match self.file_type {
            FileType::File => matches!(self.format, Format::Extents | Format::Btree),
            FileType::Directory | FileType::Symlink => self.format != Format::Device,
            _ => self.format == Format::Device,
        };
        if fits {
            return Ok(());
        }
        let why = format!("a {:?} cannot keep its data as {:?}", self.file_type, self.format);
        Err(fields.corrupt(5, why))
    }
}

fn format(fields: &Fields<'_>, at: usize) -> Result<Format> {
    Ok(match fields.u8(at)? {
        0 => Format::Device,
        1 => Format::Local,
        2 => Format::Extents,
        3 => Format::Btree,
        other => return Err(fields.corrupt(at, format!("its fork has the format {other}"))),
    })
}

/// A timestamp: 32 bits of seconds and 32 of nanoseconds, or 64 bits of nanoseconds since 1901.
fn timestamp(fields: &Fields<'_>, at: usize, big: bool) -> Result<Timestamp> {
    if big {
        let nanos = fields.be_u64(at)?;
        let seconds = (nanos / 1_000_000_000) as i64 - BIGTIME_EPOCH;
        return Ok(Timestamp::new(seconds, (nanos % 1_000_000_000) as u32));
    }
    let seconds = fields.be_u32(at)?.cast_signed();
    // Damage must not make a time that no caller expects.
    Ok(Timestamp::new(seconds.into(), fields.be_u32(at + 4)?.min(999_999_999)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;
    use crate::xfs::testing::{INODE, Image, Node};

    fn error(image: &Image, number: u64) -> String {
        Inode::read(&image.blocks(), number).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn cores_of_every_version_are_read() {
        for v5 in [false, true] {
            let mut image = Image::new(v5);
            image.inode(65, &Node { mode: 0o100640, size: 77, ..Node::default() });
            let metadata = Inode::read(&image.blocks(), 65).unwrap().metadata(12);
            assert_eq!((metadata.mode, metadata.uid, metadata.gid), (0o640, 1000, 1001));
            assert_eq!((metadata.size, metadata.allocated, metadata.links), (77, 12288, 2));
            assert_eq!(metadata.modified, Timestamp::new(-5, 6));
            assert_eq!(metadata.created.is_some(), v5);
        }
        let mut image = Image::new(false);
        image.inode(65, &Node::default());
        image.put(65 * INODE + 4, &[1]);
        image.be16(65 * INODE + 6, 9);
        assert_eq!(Inode::read(&image.blocks(), 65).unwrap().metadata(12).links, 9);
    }

    #[test]
    fn big_times_and_counts_are_read() {
        let mut image = Image::new(true);
        image.inode(65, &Node::default());
        let at = 65 * INODE;
        image.be64(at + 120, BIGTIME | NREXT64);
        image.be64(at + 40, ((1 << 31) + 4_000_000_000) * 1_000_000_000 + 7);
        image.be64(at + 24, 3 << 33);
        image.be32(at + 76, 70000);
        image.put(at + 82, &[20]);
        image.seal(at, INODE, 100);
        let inode = Inode::read(&image.blocks(), 65).unwrap();
        assert_eq!(inode.metadata(12).modified, Timestamp::new(4_000_000_000, 7));
        assert_eq!(inode.fork(Fork::Data), Some((Format::Extents, 3 << 33)));
        assert_eq!(inode.fork(Fork::Attributes), Some((Format::Extents, 70000)));
    }

    #[test]
    fn devices_have_numbers() {
        let mut image = Image::new(true);
        let number = (300u32 << 18 | 70000).to_be_bytes().to_vec();
        let node = Node { mode: 0o020600, format: 0, data: number, ..Node::default() };
        image.inode(65, &node);
        let inode = Inode::read(&image.blocks(), 65).unwrap();
        assert_eq!(inode.metadata(12).device, Some((300, 70000)));
        assert!(image.open().unwrap().open(NodeId::new(65)).is_err());
        image.inode(65, &Node { mode: 0o010600, ..node });
        assert_eq!(Inode::read(&image.blocks(), 65).unwrap().metadata(12).device, None);
    }

    #[test]
    fn damage_is_named() {
        let lies: [(usize, &[u8], &str); 11] = [
            (0, b"XX", "magic"),
            (2, &[0, 0], "free"),
            (2, &[0xF0, 0], "mode"),
            (4, &[2], "version"),
            (5, &[1], "Local"),
            (5, &[9], "format 9"),
            (5, &[0], "Device"),
            (56, &[0x80], "size"),
            (82, &[60], "attributes start"),
            (82, &[10, 0], "device number"),
            (152, &[1], "says that it is inode"),
        ];
        for (at, bytes, wanted) in lies {
            let mut image = Image::new(true);
            image.inode(65, &Node::default());
            image.put(65 * INODE + at, bytes);
            if at != 0 {
                assert!(error(&image, 65).contains("checksum") || at == 4, "{wanted}");
                image.seal(65 * INODE, INODE, 100);
            }
            assert!(error(&image, 65).contains(wanted), "{}", error(&image, 65));
        }
        let mut image = Image::new(true);
        image.put(65 * INODE + 160, &[1]);
        image.seal(65 * INODE, INODE, 100);
        assert!(error(&image, 65).contains("magic"));
        assert!(error(&image, 1 << 40).contains("no place"));
    }

    #[test]
    fn realtime_files_are_refused_and_others_read() {
        let mut image = Image::new(true);
        image.inode(65, &Node { size: 5, ..Node::default() });
        image.put(65 * INODE + 90, &[0, 1]);
        image.seal(65 * INODE, INODE, 100);
        let filesystem = image.open().unwrap();
        let error = filesystem.open(NodeId::new(65)).err().unwrap();
        assert_eq!(error.kind(), fathom_block::ErrorKind::Unsupported);
        assert_eq!(filesystem.metadata(NodeId::new(65)).unwrap().size, 5);
    }
}
