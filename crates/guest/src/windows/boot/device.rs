//! Which partition Windows means: by the signature of the disk and the place on it (MBR), or by the
//! partition's own identifier (GPT).

use fathom_block::{Fields, Result};
use fathom_volume::{Layer, Table, Volume};

use crate::device::Places;

/// A partition, as Windows names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::windows) enum Partition {
    /// Of a disk with a master boot record.
    Mbr {
        /// The signature of the disk.
        disk: u32,
        /// Where the partition begins.
        start: u64,
    },
    /// Of a disk with a GUID partition table.
    Gpt(String),
}

impl Partition {
    /// The volume that this is, where it is on the disks that were given.
    pub(in crate::windows) fn find<'p>(&self, places: &'p Places<'_>) -> Option<&'p Volume> {
        let mut found = places.volumes().filter(|volume| self.is(volume));
        let first = found.next()?;
        // A disk and its copy bear the same names; which one is meant cannot be told.
        found.next().is_none().then_some(first)
    }

    fn is(&self, volume: &Volume) -> bool {
        let Layer::Partition { table, start: ours, uuid: Some(uuid), .. } = &volume.layer else {
            return false;
        };
        match self {
            Self::Gpt(wanted) => *table == Table::Gpt && uuid.eq_ignore_ascii_case(wanted),
            Self::Mbr { disk, start } => {
                // Linux makes a name of the signature and the partition's number.
                let signature =
                    uuid.split('-').next().and_then(|it| u32::from_str_radix(it, 16).ok());
                *table == Table::Mbr && signature == Some(*disk) && ours == start
            }
        }
    }
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mbr { disk, start } => write!(f, "partition at byte {start} of disk {disk:08x}"),
            Self::Gpt(uuid) => write!(f, "partition {uuid}"),
        }
    }
}

/// The identifier in 16 bytes, as it is written.
pub(in crate::windows) fn guid(bytes: [u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
    let tail: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (fourth, fifth) = tail.split_at(4);
    format!(
        "{:08x}-{:04x}-{:04x}-{fourth}-{fifth}",
        u32::from_le_bytes([a, b, c, d]),
        u16::from_le_bytes([e, f]),
        u16::from_le_bytes([g, h]),
    )
}

/// The device in an element of the boot menu; nothing where it is no partition of a disk.
pub(super) fn of_element(bytes: &[u8]) -> Result<Option<Partition>> {
    const PARTITION: u32 = 6;
    let fields = Fields::new("device of a boot entry", 0, bytes);
    // 16 bytes name an object with options of the device; the device follows.
    if fields.le_u32(16)? != PARTITION {
        return Ok(None);
    }
    match fields.le_u32(52)? {
        0 => Ok(Some(Partition::Gpt(guid(fields.array(32)?)))),
        1 => Ok(Some(Partition::Mbr { start: fields.le_u64(32)?, disk: fields.le_u32(56)? })),
        // A disk without a table, as of a stick.
        _ => Ok(None),
    }
}

/// The device in a value of `MountedDevices`; nothing where it is no partition of a disk.
pub(in crate::windows) fn mounted(bytes: &[u8]) -> Option<Partition> {
    if let Some(uuid) = bytes.strip_prefix(b"DMIO:ID:") {
        return Some(Partition::Gpt(guid(uuid.try_into().ok()?)));
    }
    let [a, b, c, d, start @ ..] = bytes else {
        return None;
    };
    let start = u64::from_le_bytes(start.try_into().ok()?);
    Some(Partition::Mbr { disk: u32::from_le_bytes([*a, *b, *c, *d]), start })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        let bytes: Vec<u8> = (0..16).collect();
        let written = "03020100-0504-0706-0809-0a0b0c0d0e0f";
        assert_eq!(guid(bytes.clone().try_into().unwrap()), written);
        let mounted_gpt = [b"DMIO:ID:", bytes.as_slice()].concat();
        assert_eq!(mounted(&mounted_gpt), Some(Partition::Gpt(written.into())));
        let disk = [0x78, 0x56, 0x34, 0x12, 0, 0, 0x10, 0, 0, 0, 0, 0];
        let there = Partition::Mbr { disk: 0x1234_5678, start: 1 << 20 };
        assert_eq!(mounted(&disk), Some(there.clone()));
        for no in [&disk[..11], b"DMIO:ID:short", b"\\\0?\0", b""] {
            assert_eq!(mounted(no), None);
        }
        let mut element = vec![0; 88];
        assert_eq!(of_element(&element).unwrap(), None);
        element[16] = 6;
        element[32..48].copy_from_slice(&bytes);
        assert_eq!(of_element(&element).unwrap(), Some(Partition::Gpt(written.into())));
        element[32..48].fill(0);
        element[34] = 0x10;
        element[52] = 1;
        element[56..60].copy_from_slice(&disk[..4]);
        assert_eq!(of_element(&element).unwrap(), Some(there));
        assert!(of_element(&element[..54]).is_err() && of_element(&[]).is_err());
    }
}
