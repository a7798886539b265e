//! Damaged xfs.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

/// Where a sector size, block size and the like lie in the superblock.
const SECTOR_SIZE: usize = 102;
const BLOCK_SIZE: usize = 4;
const INODE_SIZE: usize = 104;
const DIRECTORY_BLOCK_LOG: usize = 192;
const VERSION: usize = 100;
const LOG_START: usize = 48;
const LOG_BLOCKS: usize = 96;
const AG_BLOCKS: usize = 84;
const AG_BLOCK_LOG: usize = 124;

const SECTOR: usize = 512;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "xfs", seeds, fix, exercise: exercise::filesystem, refused: &[] }]
}

/// What fills the seeds: every form of directory, attribute fork, extent list and link.
const FILL: &str = r#"
comb() { perl -e 'open F, ">", $ARGV[0]; for ($i = 0; $i < $ARGV[1]; $i++) { sysseek F, $i * 2 * $ARGV[2], 0; syswrite F, pack("N", $i) x 64 }' "$1" "$2" "$3"; }
cd mnt; bs=$(stat -fc %S .); comb few 5 $bs; comb many 300 $bs; echo text > small
mkdir short block leaf node; touch short/a short/b
(cd block; seq -f "name-%g" 1 25 | xargs touch); (cd leaf; seq -f "a-long-name-in-a-leaf-%g" 1 90 | xargs touch)
(cd node; seq -f "an-even-longer-name-to-fill-the-blocks-of-a-directory-%04g" 1 900 | xargs -n 1 ln ../small)
ln -s target link; ln -s "$(printf 't%.0s' $(seq 1 900))" long-link; mknod device c 1 3; mkfifo pipe
setfattr -n user.short -v value small; for i in $(seq 1 12); do setfattr -n user.leaf-$i -v "$(printf 'v%.0s' $(seq 1 60))" few; done
for i in $(seq 1 60); do setfattr -n user.node-$i -v "$(printf 'v%.0s' $(seq 1 200))" many; done
setfattr -n user.remote -v "$(printf 'r%.0s' $(seq 1 9000))" small; setfacl -m u:1:r small
"#;

/// Small images: clean, in use, with large directory blocks, and of version 4.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    const MKFS: &str = "TEST_DIR=. TEST_DEV=. QA_CHECK_FS=. mkfs.xfs -q -f";
    let mounted = [
        (16, "-b size=1024 -m rmapbt=1", "true"),
        (16, "-b size=1024 -m reflink=0", "xfs_io -x -c 'shutdown -f' ."),
        (40, "-n size=8192 -i nrext64=1", "xfs_io -x -c 'shutdown -f' ."),
    ];
    let mut seeds = Vec::new();
    for (size, options, end) in mounted {
        work.bash(&format!(
            "rm -f image; truncate -s {size}M image; {MKFS} {options} image; mkdir -p mnt; mount -o loop image mnt"
        ))?;
        work.bash(FILL)?;
        // Data is written back before, or the files would still be empty; the log stays in use.
        work.bash(&format!("cd mnt; sync -f .; {end}; cd ..; umount mnt"))?;
        seeds.push(std::fs::read(work.path("image"))?);
    }
    work.bash(&format!(
        r#"mkdir top; head -c 50000 /dev/zero > file
        {{ printf '/dev/null\n0 0\nd--755 0 0\nfile ---644 0 0 file\nlink l--777 0 0 file\n'
        printf 'large d--755 0 0\n'; seq -f 'a-name-in-a-large-directory-%g c--644 0 0 1 3' 1 700
        printf '$\nsmall d--755 0 0\nnode b--600 0 0 8 1\n$\n$\n'; }} > list
        truncate -s 16M four; {MKFS} -m crc=0 -p list four"#
    ))?;
    seeds.push(std::fs::read(work.path("four"))?);
    Ok(seeds)
}

/// Makes the checksum right of whatever holds the byte `at`.
fn fix(image: &mut [u8], at: usize) {
    let Some(layout) = Layout::of(image) else {
        return;
    };
    if layout.log.contains(&at) {
        fix_record(image, &layout, at);
        return;
    }
    if !layout.crc {
        return;
    }
    let inode = at / layout.inode * layout.inode;
    if image.get(inode..inode + 2) == Some(b"IN") {
        seal(image, inode, layout.inode, 100);
        return;
    }
    let sector = at / layout.sector * layout.sector;
    let place = match image.get(sector..sector + 4) {
        Some(b"XFSB") => Some(224),
        Some(b"XAGF") => Some(216),
        Some(b"XAGI") => Some(312),
        Some(b"XAFL") => Some(32),
        _ => None,
    };
    if let Some(place) = place {
        seal(image, sector, layout.sector, place);
        return;
    }
    // A directory block starts at a block at or before this one.
    let block = at / layout.block * layout.block;
    let reach = layout.directory / layout.block;
    for start in (0..reach).filter_map(|back| block.checked_sub(back * layout.block)) {
        let (Some(magic), Some(short)) =
            (image.get(start..start + 4), image.get(start + 8..start + 10))
        else {
            continue;
        };
        let found = match (magic, short) {
            (b"BMA3", _) => Some((layout.block, 64)),
            (b"XARM" | b"XSLM", _) => Some((layout.block, 12)),
            (b"XDB3" | b"XDD3" | b"XDF3", _) => Some((layout.directory, 4)),
            (_, [0x3D, 0xF1 | 0xFF]) => Some((layout.directory, 12)),
            (_, [0x3B, 0xEE]) => Some((layout.block, 12)),
            // A node of a directory or of an attribute fork: its owner would tell.
            (_, [0x3E, 0xBE]) => Some((layout.directory, 12)),
            _ => None,
        };
        if let Some((length, place)) = found {
            seal(image, start, length, place);
            return;
        }
    }
}

/// The sizes of things, and where the log lies.
struct Layout {
    sector: usize,
    block: usize,
    inode: usize,
    directory: usize,
    crc: bool,
    log: std::ops::Range<usize>,
}

impl Layout {
    fn of(image: &[u8]) -> Option<Self> {
        let number = |at: usize, length: usize| {
            let bytes = image.get(at..at + length)?;
            Some(bytes.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)))
        };
        let sane =
            |size: usize, most: usize| (size.is_power_of_two() && size <= most).then_some(size);
        let block = sane(number(BLOCK_SIZE, 4)?, 65536).filter(|size| *size >= SECTOR)?;
        let start = number(LOG_START, 8)?;
        let ag_log = number(AG_BLOCK_LOG, 1)?.min(31);
        let group = (start >> ag_log).checked_mul(number(AG_BLOCKS, 4)?)?;
        let start = group.checked_add(start & ((1 << ag_log) - 1))?.checked_mul(block)?;
        Some(Self {
            sector: sane(number(SECTOR_SIZE, 2)?, 32768).filter(|size| *size >= SECTOR)?,
            block,
            inode: sane(number(INODE_SIZE, 2)?, 2048).filter(|size| *size >= 256)?,
            directory: sane(block << number(DIRECTORY_BLOCK_LOG, 1)?.min(7), 65536)?,
            crc: number(VERSION, 2)? & 0xF == 5,
            log: start..start.checked_add(number(LOG_BLOCKS, 4)?.checked_mul(block)?)?,
        })
    }
}

/// Recomputes the CRC-32C of a structure.
fn seal(image: &mut [u8], start: usize, length: usize, place: usize) {
    let Some(bytes) = image.get_mut(start..start + length) else {
        return;
    };
    bytes[place..place + 4].fill(0);
    let crc = crc32c::crc32c(bytes);
    bytes[place..place + 4].copy_from_slice(&crc.to_le_bytes());
}

/// Recomputes the checksum of the log record that holds the byte.
fn fix_record(image: &mut [u8], layout: &Layout, at: usize) {
    let sector = at / SECTOR * SECTOR;
    let starts = (0..520).filter_map(|back| sector.checked_sub(back * SECTOR));
    for start in starts.take_while(|start| *start >= layout.log.start) {
        if image.get(start..start + 4) != Some(&[0xFE, 0xED, 0xBA, 0xBE]) {
            continue;
        }
        let word = |at: usize| {
            let bytes = image.get(start + at..start + at + 4);
            bytes.and_then(|bytes| bytes.first_chunk()).map_or(0, |word| u32::from_be_bytes(*word))
        };
        let (length, size) = (word(12) as usize, word(320) as usize);
        let headers = size.div_ceil(32768).clamp(1, 8);
        let body = start + headers * SECTOR;
        let Some(bytes) = image.get(body..body + length.min(256 << 10)) else {
            return;
        };
        let mut header = image[start..start + 328].to_vec();
        header[32..36].fill(0);
        let mut crc = crc32c::crc32c(&header);
        for index in 1..length.div_ceil(32768).min(headers) {
            let further = start + index * SECTOR;
            crc = crc32c::crc32c_append(crc, &image[further..further + 260]);
        }
        let crc = crc32c::crc32c_append(crc, bytes);
        image[start + 32..start + 36].copy_from_slice(&crc.to_le_bytes());
        return;
    }
}
