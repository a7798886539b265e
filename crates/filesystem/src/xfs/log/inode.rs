//! Changed inodes (`XFS_LI_INODE`): the core in the byte order of the machine, and the forks as
//! they are on the disk, but for the root of an extent tree.

use fathom_block::{Error, Fields, Result};

use super::canvas::Canvas;
use super::transaction::Item;
use crate::xfs::blocks::crc_without;
use crate::xfs::inode::{CORE, CORE_V3, CRC};
use crate::xfs::superblock::{BASIC_BLOCK, Superblock};

/// What was logged beside the core.
const DATA: [u32; 3] = [0x002, 0x004, 0x008];
const ATTRIBUTES: [u32; 3] = [0x040, 0x080, 0x100];
const DEVICE: u32 = 0x010;
/// The blocks of an extent tree belong to this inode from now on.
const OWNER: u32 = 0x200 | 0x400;

/// The size of the logged core of version 2 and of version 3.
const LOGGED: usize = 96;

/// The greatest count of flushes that a version 2 inode has; the next is zero.
const MAX_FLUSH: u16 = u16::MAX;

/// `di_flags2`.
const BIGTIME: u64 = 0x8;
const NREXT64: u64 = 0x10;

/// The first region of an inode item (`xfs_inode_log_format`), in either of its layouts.
pub(super) struct Format {
    fields: u32,
    pub(super) number: u64,
    device: u32,
    /// The basic block of the buffer that holds the inode, and how many it has.
    pub(super) block: u64,
    pub(super) count: u32,
    /// The byte of the buffer where the inode starts.
    offset: u32,
}

impl Format {
    /// Reads the first region. Machines of 32 bits write it without a gap of four bytes.
    pub(super) fn parse(item: &Item) -> Result<Self> {
        let fields = item.fields();
        let gap = match fields.len() {
            56.. => 4,
            52 => 0,
            length => return Err(fields.corrupt(0, format!("an inode item of {length} bytes"))),
        };
        Ok(Self {
            fields: fields.le_u32(4)?,
            number: fields.le_u64(12 + gap)?,
            device: fields.le_u32(20 + gap)?,
            block: fields.le_u64(36 + gap)?,
            count: fields.le_u32(44 + gap)?,
            offset: fields.le_u32(48 + gap)?,
        })
    }

    /// Whether extent tree blocks keep the number of another inode until they are changed.
    pub(super) fn changes_owner(&self) -> bool {
        self.fields & OWNER != 0
    }
}

/// Replays a changed inode of the transaction at `lsn`.
pub(super) fn replay(
    canvas: &mut Canvas,
    item: &Item,
    lsn: u64,
    superblock: &Superblock,
) -> Result<()> {
    let format = Format::parse(item)?;
    let at = format
        .block
        .checked_mul(BASIC_BLOCK)
        .and_then(|at| at.checked_add(format.offset.into()))
        .filter(|at| superblock.locate_inode(format.number) == Some(*at))
        .ok_or_else(|| {
            let why = format!("inode {} is said to lie where it cannot", format.number);
            Error::corrupt("XFS log item", 0, why)
        })?;
    let mut inode = canvas.read("XFS log", at, superblock.inode_size.into())?;
    let corrupt =
        |why: &str| Error::corrupt("XFS log item", at, format!("inode {}: {why}", format.number));
    if inode.get(..2) != Some(b"IN") {
        return Err(corrupt("there is no inode where it was changed"));
    }
    let core = item.region(1)?;
    let version3 = superblock.features.crc;
    let logged = if version3 { CORE_V3 } else { LOGGED };
    if core.len() < logged || core.get(..2) != Some(b"NI") {
        return Err(corrupt("its core was not logged as one"));
    }
    if is_newer(&inode, core, lsn, version3)? {
        return Ok(());
    }
    let mut disk = Disk { inode: &mut inode, core };
    disk.convert(version3, lsn)?;
    let version3_core = if version3 { CORE_V3 } else { CORE };
    if format.fields & DEVICE != 0 {
        copy(&mut inode, version3_core, &format.device.to_be_bytes())
            .ok_or_else(|| corrupt("there is no room for a device number"))?;
    }
    let attributes_at = match usize::from(inode[82]) {
        0 => inode.len(),
        offset => version3_core + offset * 8,
    };
    let mut index = 2;
    for (flags, start, end) in
        [(DATA, version3_core, attributes_at), (ATTRIBUTES, attributes_at, inode.len())]
    {
        let which = format.fields & (flags[0] | flags[1] | flags[2]);
        if which == 0 || item.regions.len() <= 2 {
            continue;
        }
        let region = item.region(index)?;
        index += 1;
        let fork = inode.get_mut(start..end).ok_or_else(|| corrupt("its forks do not fit"))?;
        if which & flags[2] != 0 {
            root(fork, region, version3).ok_or_else(|| corrupt("its extent tree does not fit"))?;
        } else {
            copy(fork, 0, region).ok_or_else(|| corrupt("a fork does not fit"))?;
        }
    }
    if version3 {
        let crc = crc_without(&inode, CRC);
        inode[CRC..CRC + 4].copy_from_slice(&crc.to_le_bytes());
    }
    canvas.write(at, &inode)
}

/// Whether the inode on the disk is newer than the change.
fn is_newer(inode: &[u8], core: &[u8], lsn: u64, version3: bool) -> Result<bool> {
    let fields = Fields::new("inode", 0, inode);
    if version3 {
        let written = fields.be_u64(112)?;
        return Ok(written != 0 && written != u64::MAX && written > lsn);
    }
    let (stands, logged) = (fields.be_u16(30)?, Fields::new("inode", 0, core).le_u16(30)?);
    let wrapped = stands == MAX_FLUSH && logged < MAX_FLUSH >> 1;
    Ok(logged < stands && !wrapped)
}

fn copy(to: &mut [u8], at: usize, from: &[u8]) -> Option<()> {
    to.get_mut(at..at.checked_add(from.len())?)?.copy_from_slice(from);
    Some(())
}

/// Converts the root of an extent tree: in memory and in the log it has the header of a block, and
/// its pointers start behind the room for keys that it has there.
fn root(fork: &mut [u8], region: &[u8], version3: bool) -> Option<()> {
    let header = if version3 { 72 } else { 24 };
    let count = usize::from(u16::from_be_bytes(*region.get(6..8)?.first_chunk()?));
    let logged_room = region.len().checked_sub(header)? / 16;
    let room = fork.len().checked_sub(4)? / 16;
    if count > room || count > logged_room {
        return None;
    }
    // The level and the count.
    copy(fork, 0, region.get(4..8)?)?;
    copy(fork, 4, region.get(header..header + count * 8)?)?;
    let pointers = header + logged_room * 8;
    copy(fork, 4 + room * 8, region.get(pointers..pointers + count * 8)?)
}

/// The core on the disk, on which the logged core is put.
struct Disk<'a> {
    inode: &'a mut [u8],
    core: &'a [u8],
}

impl Disk<'_> {
    /// Copies the numbers of `width` bytes at these places from the byte order of the log.
    fn swap(&mut self, width: usize, places: &[usize]) {
        for at in places {
            let (Some(to), Some(from)) =
                (self.inode.get_mut(*at..at + width), self.core.get(*at..at + width))
            else {
                continue;
            };
            to.copy_from_slice(from);
            to.reverse();
        }
    }

    /// Copies bytes as they are.
    fn copy(&mut self, at: usize, length: usize) {
        if let Some(from) = self.core.get(at..at + length) {
            let _ = copy(self.inode, at, from);
        }
    }

    /// `xfs_log_dinode` is `xfs_dinode` in another byte order, but for what follows here.
    fn convert(&mut self, version3: bool, lsn: u64) -> Result<()> {
        let core = Fields::new("XFS log item", 0, self.core);
        let flags2 = if version3 { core.le_u64(120)? } else { 0 };
        self.swap(2, &[2, 20, 22, 88, 90]);
        self.copy(4, 2);
        self.inode[6..8].fill(0);
        self.swap(4, &[8, 12, 16, 72, 76, 84, 92]);
        let times: &[usize] = if version3 { &[32, 40, 48, 144] } else { &[32, 40, 48] };
        for at in times {
            match flags2 & BIGTIME {
                0 => self.swap(4, &[*at, at + 4]),
                _ => self.swap(8, &[*at]),
            }
        }
        self.swap(8, &[56, 64]);
        self.swap(2, &[80]);
        self.copy(82, 2);
        match flags2 & NREXT64 {
            0 => self.inode[24..32].fill(0),
            _ => self.swap(8, &[24]),
        }
        if version3 {
            self.swap(8, &[104, 120, 152]);
            self.inode[112..120].copy_from_slice(&lsn.to_be_bytes());
            self.swap(4, &[128]);
            self.copy(132, 12);
            self.copy(160, 16);
        }
        Ok(())
    }
}
