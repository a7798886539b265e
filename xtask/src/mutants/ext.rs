//! Damaged ext: small filesystems with as many features between them as there are, whose metadata
//! checksums are made right again so that the damage is believed.

use anyhow::Result;

use super::{Target, exercise};
use crate::oracle::Work;

/// The largest inode table that is searched for the owner of a block.
const MOST_INODES: u32 = 4096;

pub(super) fn targets() -> Vec<Target> {
    vec![Target { name: "ext", seeds, fix, exercise: exercise::filesystem, refused: &[] }]
}

/// What mke2fs makes the seeds with.
const SEEDS: &[&str] = &[
    "-t ext2 -b 1024 1M",
    "-t ext3 -b 1024 -J size=1 4M",
    "-t ext4 -b 1024 -O inline_data,ea_inode,large_dir,mmp,metadata_csum_seed -J size=1 4M",
    "-t ext4 -b 1024 -I 128 -O ^metadata_csum,uninit_bg,^64bit,^has_journal 1M",
    "-t ext4 -b 4096 -O ^has_journal,casefold,encrypt -E encoding=utf8 1M",
    "-t ext4 -b 1024 -O meta_bg,^resize_inode,bigalloc,^has_journal 2M",
];

/// Made by mke2fs from a folder; those with a journal are given a transaction with a revocation by
/// debugfs, which needs neither a mount nor root.
fn seeds(work: &Work) -> Result<Vec<Vec<u8>>> {
    work.bash(
        r#"mkdir -p given/sub/deep; cd given
echo text > file; ln file hard; ln -s file link; ln -s "$(printf 'l%.0s' {1..90})" long-link
head -c 90000 /dev/zero | tr '\0' 'x' > blocks; truncate -s 1M sparse; echo end >> sparse; echo x | dd of=sparse seek=40000 bs=1 conv=notrunc status=none
for i in {1..200}; do : > "sub/name-$i-that-needs-some-room-in-a-block"; done
setfattr -n user.small -v value file; setfattr -n user.more -v "$(printf 'm%.0s' {1..300})" sub
setfacl -m u:7:rw file 2>/dev/null || true; mkfifo pipe; mknod device c 1 3 2>/dev/null || true"#,
    )?;
    let mut images = Vec::new();
    for (index, options) in SEEDS.iter().enumerate() {
        let (options, size) = options.rsplit_once(' ').unwrap_or((options, "2M"));
        work.bash(&format!(
            r#"image=seed-{index}; mke2fs -q -F -N 256 -E nodiscard -d given {options} $image {size} 2>&1
e2fsck -fyD $image > log 2>&1 || [ $? = 1 ] || {{ cat log; exit 1; }}
if dumpe2fs -h $image 2>/dev/null | grep -q has_journal; then
  dd if=$image of=block bs=1024 skip=40 count=3 status=none
  csum=; if dumpe2fs -h $image 2>/dev/null | grep -q metadata_csum; then csum='-c -v 3'; fi
  printf "jo $csum\njw -b 40,41,42 block\njw -r 300,301\njw -b 1000 block\njc\n" > script
  debugfs -w -f script $image > log 2>&1
fi"#
        ))?;
        images.push(std::fs::read(work.path(&format!("seed-{index}")))?);
    }
    Ok(images)
}

/// Makes the checksum right of the structure that holds the byte `at`.
fn fix(image: &mut [u8], at: usize) {
    // Done in small steps that give up where the image no longer makes sense.
    let _ = Image::new(image).and_then(|mut image| image.fix(at));
}

struct Image<'a> {
    bytes: &'a mut [u8],
    block_size: usize,
    inode_size: usize,
    inodes: u32,
    inodes_per_group: u32,
    desc_size: usize,
    descriptors: usize,
    seed: u32,
}

fn crc(seed: u32, bytes: &[u8]) -> u32 {
    !crc32c::crc32c_append(!seed, bytes)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

impl<'a> Image<'a> {
    /// `None` unless the filesystem has metadata checksums.
    fn new(bytes: &'a mut [u8]) -> Option<Self> {
        let word = |at: usize| number(bytes, 1024 + at).map(u32::from_le_bytes);
        let half = |at: usize| number(bytes, 1024 + at).map(u16::from_le_bytes);
        let block_size = 1024_usize.checked_shl(word(0x18)?.min(6))?;
        let seed = match word(0x60)? & 0x2000 {
            0 => crc(!0, bytes.get(1024 + 0x68..1024 + 0x78)?),
            _ => word(0x270)?,
        };
        (word(0x64)? & 0x400 != 0).then_some(())?;
        let meta_bg = word(0x60)? & 0x10 != 0;
        let own = if block_size == 1024 { 1 } else { 0 };
        let shift = usize::from(meta_bg && block_size == 1024 && word(0x14)? == 0);
        Some(Self {
            block_size,
            inode_size: usize::from(half(0x58)?).max(128),
            inodes: word(0x0)?.min(MOST_INODES),
            inodes_per_group: word(0x28)?.max(1),
            desc_size: if word(0x60)? & 0x80 != 0 { usize::from(half(0xFE)?).max(32) } else { 32 },
            descriptors: (own + 1 + shift * usize::from(own == 0)) * block_size,
            seed,
            bytes,
        })
    }

    fn word(&self, at: usize) -> Option<u32> {
        number(self.bytes, at).map(u32::from_le_bytes)
    }

    fn put(&mut self, at: usize, value: &[u8]) -> Option<()> {
        self.bytes.get_mut(at..at.checked_add(value.len())?)?.copy_from_slice(value);
        Some(())
    }

    /// The checksum of `length` bytes at `start`, as if there were zeros in `blank`.
    fn sum(&self, seed: u32, start: usize, length: usize, blank: &[usize]) -> Option<u32> {
        let mut bytes = self.bytes.get(start..start.checked_add(length)?)?.to_vec();
        for at in blank {
            *bytes.get_mut(*at)? = 0;
        }
        Some(crc(seed, &bytes))
    }

    fn fix(&mut self, at: usize) -> Option<()> {
        if (1024..2048).contains(&at) {
            let sum = self.sum(!0, 1024, 0x3FC, &[])?;
            return self.put(1024 + 0x3FC, &sum.to_le_bytes());
        }
        let groups = self.inodes.div_ceil(self.inodes_per_group);
        let table = self.descriptors..self.descriptors + groups as usize * self.desc_size;
        if table.contains(&at) {
            let group = (at - table.start) / self.desc_size;
            let start = table.start + group * self.desc_size;
            let seed = crc(self.seed, &(group as u32).to_le_bytes());
            let sum = self.sum(seed, start, self.desc_size, &[0x1E, 0x1F])?;
            return self.put(start + 0x1E, &(sum as u16).to_le_bytes());
        }
        for inode in 1..=self.inodes {
            let start = self.inode(inode)?;
            if (start..start + self.inode_size).contains(&at) {
                return self.fix_inode(inode, start);
            }
            self.fix_owned(inode, start, at / self.block_size);
        }
        Some(())
    }

    fn inode(&self, number: u32) -> Option<usize> {
        let (group, index) =
            ((number - 1) / self.inodes_per_group, (number - 1) % self.inodes_per_group);
        let table = self.word(self.descriptors + group as usize * self.desc_size + 8)? as usize;
        Some(table.checked_mul(self.block_size)? + index as usize * self.inode_size)
    }

    fn inode_seed(&self, number: u32, start: usize) -> Option<u32> {
        let generation = self.word(start + 0x64)?;
        Some(crc(crc(self.seed, &number.to_le_bytes()), &generation.to_le_bytes()))
    }

    fn fix_inode(&mut self, number: u32, start: usize) -> Option<()> {
        let large = self.inode_size > 128 && self.word(start + 0x80)? & 0xFFFF >= 4;
        let blank: &[usize] = if large { &[0x7C, 0x7D, 0x82, 0x83] } else { &[0x7C, 0x7D] };
        let sum = self.sum(self.inode_seed(number, start)?, start, self.inode_size, blank)?;
        self.put(start + 0x7C, &(sum as u16).to_le_bytes())?;
        if large {
            self.put(start + 0x82, &((sum >> 16) as u16).to_le_bytes())?;
        }
        Some(())
    }

    /// Makes the checksum of `block` right if it is one of the inode's blocks.
    fn fix_owned(&mut self, number: u32, start: usize, block: usize) -> Option<()> {
        let seed = self.inode_seed(number, start)?;
        let place = block * self.block_size;
        if block != 0 && self.word(start + 0x68)? as usize == block {
            let seed = crc(self.seed, &(block as u64).to_le_bytes());
            let sum = self.sum(seed, place, self.block_size, &[16, 17, 18, 19])?;
            return self.put(place + 16, &sum.to_le_bytes());
        }
        let root = start + 0x28;
        (self.word(root)? & 0xFFFF == 0xF30A).then_some(())?;
        let entries = (self.word(root)? >> 16).min(4) as usize;
        let depth = self.word(root + 4)? >> 16;
        for entry in 0..entries {
            let entry = root + 12 + entry * 12;
            if depth == 0 {
                let first = self.word(entry + 8)? as usize;
                let length = (self.word(entry + 4)? & 0x7FFF) as usize;
                if (first..first + length).contains(&block) {
                    return self.fix_content(number, start, seed, place);
                }
                continue;
            }
            let child = self.word(entry + 4)? as usize;
            if child == block {
                let tail = 12 + 12 * (self.word(place + 4)? & 0xFFFF) as usize;
                let sum = self.sum(seed, place, tail, &[])?;
                return self.put(place + tail, &sum.to_le_bytes());
            }
            let leaf = child.checked_mul(self.block_size)?;
            for index in 0..((self.word(leaf)? >> 16) as usize).min(self.block_size / 12) {
                let first = self.word(leaf + 12 + index * 12 + 8)? as usize;
                let length = (self.word(leaf + 12 + index * 12 + 4)? & 0x7FFF) as usize;
                if (first..first + length).contains(&block) {
                    return self.fix_content(number, start, seed, place);
                }
            }
        }
        Some(())
    }

    /// Makes the checksum right of a block of a directory or of the journal.
    fn fix_content(&mut self, number: u32, start: usize, seed: u32, place: usize) -> Option<()> {
        const JOURNAL: u32 = 8;
        let end = place + self.block_size;
        if number == JOURNAL {
            return self.fix_journal(place);
        }
        (self.word(start)? & 0xF000 == 0x4000).then_some(())?;
        if self.word(end - 8)? == 0xDE00_000C {
            let sum = self.sum(seed, place, self.block_size - 12, &[])?;
            return self.put(end - 4, &sum.to_le_bytes());
        }
        // The root or a node of an index.
        let whole = self.word(place + 4)? & 0xFFFF == self.block_size as u32;
        let entries = if whole { 8 } else { 32 };
        let (limit, count) =
            (self.word(place + entries)? & 0xFFFF, self.word(place + entries)? >> 16);
        let tail = place + entries + limit as usize * 8;
        let sum = self.sum(seed, place, entries + count as usize * 8, &[])?;
        let sum = self.sum(sum, tail, 4, &[])?;
        self.put(tail + 4, &crc(sum, &[0; 4]).to_le_bytes())
    }

    fn fix_journal(&mut self, place: usize) -> Option<()> {
        let kind = u32::from_be_bytes(number(self.bytes, place + 4)?);
        if matches!(kind, 3 | 4) {
            let sum = self.sum(!0, place, 1024, &[252, 253, 254, 255])?;
            return self.put(place + 252, &sum.to_be_bytes());
        }
        // The identifier that the seed comes from is that of the journal's superblock.
        let root = self.inode(8)? + 0x28;
        let first = (self.word(root + 12 + 8)? as usize).checked_mul(self.block_size)?;
        let seed = crc(!0, self.bytes.get(first + 48..first + 64)?);
        let at = match kind {
            1 | 5 => self.block_size - 4,
            2 => 16,
            _ => return None,
        };
        let sum = self.sum(seed, place, self.block_size, &[at, at + 1, at + 2, at + 3])?;
        self.put(place + at, &sum.to_be_bytes())
    }
}
