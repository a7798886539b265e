//! The superblock of version 0.90 (`struct mdp_superblock_s` in `include/uapi/linux/raid/md_p.h`):
//! words in the byte order of the machine that wrote them, in the last 64 KiB of a member.

use fathom_block::{Error, Fields, Result};

use super::superblock::{
    FAULTY, Level, MAX_ROLE, SECTOR, SPARE, Shape, State, Superblock, WHAT, fold, uuid_text,
};

const MAGIC: u32 = 0xA92B_4EFC;

/// The words of a superblock.
const WORDS: usize = 1024;

/// The words of what is said of one device.
const DESCRIPTOR_WORDS: usize = 32;

/// How many devices are listed.
const DEVICES: usize = 27;

// Places, in words.
const STATE: usize = 33;
const SB_CSUM: usize = 38;
const LAYOUT: usize = 64;
const DISKS: usize = 128;
const THIS_DISK: usize = 992;

/// A superblock, whose words may be of either byte order.
struct Words<'a> {
    fields: Fields<'a>,
    big_endian: bool,
}

impl Words<'_> {
    fn word(&self, index: usize) -> Result<u32> {
        match self.big_endian {
            true => self.fields.be_u32(index * 4),
            false => self.fields.le_u32(index * 4),
        }
    }

    /// A number of two words, the lower one of which comes first on little-endian machines only.
    fn long(&self, index: usize) -> Result<u64> {
        match self.big_endian {
            true => self.fields.be_u64(index * 4),
            false => self.fields.le_u64(index * 4),
        }
    }
}

pub(super) fn parse(bytes: &[u8], at: u64) -> Result<Superblock> {
    let fields = Fields::new(WHAT, at, bytes);
    let words = Words { fields, big_endian: fields.be_u32(0)? == MAGIC };
    let version = (words.word(0)?, words.word(1)?, words.word(2)?);
    // While an array changes its shape it calls itself 0.91, so that older kernels keep away.
    if !matches!(version, (MAGIC, 0, 90 | 91)) {
        let why = format!("version {}.{} is not known", version.1, version.2);
        return Err(Error::unsupported(WHAT, why));
    }
    check(&words)?;
    let uuid = [words.word(5)?, words.word(13)?, words.word(14)?, words.word(15)?];
    Ok(Superblock {
        version: "0.90",
        uuid: uuid_text(big_endian(uuid)),
        name: None,
        minor: Some(words.word(11)?),
        shape: shape(&words)?,
        state: State {
            dirty: words.word(STATE)? & 1 == 0,
            reshaping: version.2 == 91,
            journal: false,
        },
        created: u64::from(words.word(6)?),
        events: words.long(39)?,
        roles: roles(&words)?,
        number: words.word(THIS_DISK)?,
        // All that lies before the superblock.
        data: 0..at,
        rebuilding: false,
        replacement: false,
        bad: Vec::new(),
    })
}

/// Holds the superblock to its checksum. Some machines wrote the lower half of it alone, so the
/// halves are compared when they are added up, as the kernel does.
fn check(words: &Words<'_>) -> Result<()> {
    let mut sum = 0;
    for index in 0..WORDS {
        sum += u64::from(words.word(index)?);
    }
    let expected = words.word(SB_CSUM)?;
    let actual = fold(sum - u64::from(expected));
    let halves = |sum: u32| {
        let once = (sum & 0xFFFF) + (sum >> 16);
        (once & 0xFFFF) + (once >> 16)
    };
    if halves(actual) != halves(expected) {
        let why = format!("the checksum is {actual:08x}, not {expected:08x}");
        return Err(words.fields.corrupt(SB_CSUM * 4, why));
    }
    Ok(())
}

fn shape(words: &Words<'_>) -> Result<Shape> {
    let level = Level::from_number(words.word(7)?);
    let layout = match level {
        // Which of the layouts it is cannot be said here.
        Level::Raid0 => 0,
        _ => words.word(LAYOUT)?,
    };
    Ok(Shape {
        level,
        layout,
        chunk: u64::from(words.word(LAYOUT + 1)?) / SECTOR * SECTOR,
        size: u64::from(words.word(8)?) * 1024,
        devices: words.word(10)?,
    })
}

/// The roles, which are states and numbers here.
fn roles(words: &Words<'_>) -> Result<Vec<u16>> {
    const IS_FAULTY: u32 = 1;
    const IS_IN_SYNC: u32 = 4;
    let role = |index: usize| {
        let descriptor = DISKS + index * DESCRIPTOR_WORDS;
        let state = words.word(descriptor + 4)?;
        if state & IS_FAULTY != 0 {
            return Ok(FAULTY);
        }
        if state & IS_IN_SYNC == 0 {
            return Ok(SPARE);
        }
        let slot = u16::try_from(words.word(descriptor + 3)?).ok();
        Ok(slot.filter(|slot| *slot < MAX_ROLE).unwrap_or(FAULTY))
    };
    (0..DEVICES).map(role).collect()
}

/// mdadm prints the words of the UUID as numbers.
fn big_endian(words: [u32; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *to = word.to_be_bytes();
    }
    bytes
}
