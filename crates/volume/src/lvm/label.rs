//! The label of a physical volume: who it is, and where its metadata lies.
//!
//! A sector that says `LABELONE` is one of the first four, whatever the disk's own sector size. Its
//! content is the PV header: the UUID, the size, the areas for data, and the areas for metadata.

use fathom_block::{Fields, Result};

/// How far into the volume a label is looked for.
const SECTORS: usize = 4;

const SECTOR: usize = 512;

/// How many areas a header may list; LVM writes one for data and at most two for metadata.
const MAX_AREAS: usize = 16;

/// What a label says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// The UUID, as LVM prints it.
    pub(super) uuid: String,
    /// Where metadata lies: offset and size, in bytes.
    pub(super) areas: Vec<(u64, u64)>,
}

/// The checksum of everything that LVM writes: CRC-32 without the final inversion, from a start
/// value of its own.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    const INITIAL: u32 = 0xF597_A6CF;
    let mut hasher = crc32fast::Hasher::new_with_initial(!INITIAL);
    hasher.update(bytes);
    !hasher.finalize()
}

/// The label in the first bytes of a volume; `None` where there is no sign of one.
pub(super) fn find(head: &[u8]) -> Result<Option<Label>> {
    let mut damage = None;
    for (number, sector) in head.chunks_exact(SECTOR).take(SECTORS).enumerate() {
        if !sector.starts_with(b"LABELONE") {
            continue;
        }
        match read(&Fields::new("LVM label", (number * SECTOR) as u64, sector), number as u64) {
            Ok(label) => return Ok(Some(label)),
            Err(error) => damage = damage.or(Some(error)),
        }
    }
    damage.map_or(Ok(None), Err)
}

fn read(sector: &Fields<'_>, number: u64) -> Result<Label> {
    let (expected, actual) = (sector.le_u32(16)?, checksum(sector.bytes(20, SECTOR - 20)?));
    if actual != expected {
        let why = format!("the checksum is {actual:08x}, not {expected:08x}");
        return Err(sector.corrupt(16, why));
    }
    let own = sector.le_u64(8)?;
    if own != number {
        return Err(sector.corrupt(8, format!("the label belongs to sector {own}, not {number}")));
    }
    let kind = sector.bytes(24, 8)?;
    if kind != b"LVM2 001" {
        let kind = kind.escape_ascii().to_string();
        return Err(fathom_block::Error::unsupported("LVM label", format!("its type is {kind:?}")));
    }
    let header = sector.le_u32(20)? as usize;
    let uuid = sector.bytes(header, 32)?;
    if !uuid.iter().all(u8::is_ascii_graphic) {
        return Err(sector.corrupt(header, "the UUID is not printable"));
    }
    // Two lists of offset and size, each ended by zeros: areas for data, then areas for metadata.
    let mut at = header.saturating_add(40);
    let mut lists = [Vec::new(), Vec::new()];
    for list in &mut lists {
        loop {
            let (offset, size) = (sector.le_u64(at)?, sector.le_u64(at.saturating_add(8))?);
            at = at.saturating_add(16);
            if offset == 0 {
                break;
            }
            if list.len() == MAX_AREAS {
                return Err(sector.corrupt(at, format!("more than {MAX_AREAS} areas are listed")));
            }
            list.push((offset, size));
        }
    }
    let [_, areas] = lists;
    Ok(Label { uuid: dashed(uuid), areas })
}

/// The 32 characters of a UUID in the groups that LVM prints: 6-4-4-4-4-4-6.
fn dashed(uuid: &[u8]) -> String {
    let mut text = String::with_capacity(38);
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 6 | 10 | 14 | 18 | 22 | 26) {
            text.push('-');
        }
        text.push(char::from(*byte));
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const UUID: &[u8; 32] = b"Vynv4kAPH8xQERHSBb8VJ3SvFFPB5O1U";

    /// Makes the checksum of a label right.
    pub(crate) fn seal(sector: &mut [u8]) {
        let sum = checksum(&sector[20..512]);
        sector[16..20].copy_from_slice(&sum.to_le_bytes());
    }

    /// A label in sector `number`, with one metadata area.
    pub(crate) fn label(number: usize, uuid: &[u8; 32], area: (u64, u64)) -> Vec<u8> {
        let mut sector = vec![0; 512];
        sector[..8].copy_from_slice(b"LABELONE");
        sector[8] = number as u8;
        sector[20] = 32;
        sector[24..32].copy_from_slice(b"LVM2 001");
        sector[32..64].copy_from_slice(uuid);
        sector[64..72].copy_from_slice(&(8_u64 << 20).to_le_bytes());
        sector[72..80].copy_from_slice(&(1_u64 << 20).to_le_bytes());
        sector[104..112].copy_from_slice(&area.0.to_le_bytes());
        sector[112..120].copy_from_slice(&area.1.to_le_bytes());
        seal(&mut sector);
        let mut head = vec![0; 2048];
        head[number * 512..][..512].copy_from_slice(&sector);
        head
    }

    #[test]
    fn any_of_the_first_four_sectors_may_hold_it() {
        for number in 0..4 {
            let found = find(&label(number, UUID, (4096, 1 << 20))).unwrap().unwrap();
            assert_eq!(found.uuid, "Vynv4k-APH8-xQER-HSBb-8VJ3-SvFF-PB5O1U");
            assert_eq!(found.areas, [(4096, 1 << 20)]);
        }
        assert_eq!(find(&[0; 2048]).unwrap(), None);
        assert_eq!(find(b"LABELONE").unwrap(), None);
    }

    #[test]
    fn damage_is_told() {
        for at in [512 + 8, 512 + 17, 512 + 24, 512 + 40] {
            let mut head = label(1, UUID, (4096, 1 << 20));
            head[at] ^= 1;
            assert!(find(&head).is_err(), "{at}");
        }
        for (at, value) in [(8, 2_u64), (20, 500), (20, u64::from(u32::MAX)), (24, 0), (32, 7)] {
            let mut head = label(1, UUID, (4096, 1 << 20));
            head[512 + at..][..4].copy_from_slice(&(value as u32).to_le_bytes());
            seal(&mut head[512..1024]);
            assert!(find(&head).is_err(), "{at} {value}");
        }
        let mut endless = label(1, UUID, (4096, 1 << 20));
        endless[512 + 72..1024].fill(1);
        seal(&mut endless[512..1024]);
        assert!(find(&endless).is_err());
    }
}
