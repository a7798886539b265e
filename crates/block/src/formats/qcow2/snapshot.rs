//! The snapshot table: other L1 tables over the same clusters.

use super::header::{Header, L1Location};
use crate::error::{Error, Result};
use crate::fields::Fields;
use crate::open::Snapshot;
use crate::read::{MAX_ALLOCATION, ReadAt, read_array, read_vec};

/// The most that qemu lets an image have.
const MAX_SNAPSHOTS: u32 = 65_536;

/// The fixed part of an entry.
const ENTRY: u64 = 40;

/// The part of an entry's extra data that is known: the VM state's size and the disk's.
const KNOWN_EXTRA: u64 = 16;

/// One entry of the snapshot table.
#[derive(Clone, Debug)]
pub(super) struct SnapshotEntry {
    /// What it is for the caller.
    pub(super) snapshot: Snapshot,
    /// The mapping of that time.
    pub(super) l1: L1Location,
    /// Where the entry lies.
    pub(super) at: u64,
}

/// Reads the snapshot table. What was read before a failure comes with it.
pub(super) fn read_table(
    file: &dyn ReadAt,
    header: &Header,
) -> (Vec<SnapshotEntry>, Option<Error>) {
    let mut entries = Vec::new();
    if header.snapshots > MAX_SNAPSHOTS {
        let why = format!(
            "{} snapshots are claimed; at most {MAX_SNAPSHOTS} are allowed",
            header.snapshots
        );
        return (entries, Some(Error::corrupt("qcow2 header", 60, why)));
    }
    let mut at = header.snapshots_offset;
    let mut text = 0;
    for _ in 0..header.snapshots {
        match read_entry(file, at, header) {
            Ok((entry, next)) => {
                text += entry.snapshot.id.len() + entry.snapshot.name.len();
                if text > MAX_ALLOCATION {
                    let why = "the names of the snapshots are longer than 16 MiB together";
                    return (entries, Some(Error::corrupt("snapshot table", at, why)));
                }
                entries.push(entry);
                at = next;
            }
            Err(error) => return (entries, Some(error)),
        }
    }
    (entries, None)
}

fn read_entry(file: &dyn ReadAt, at: u64, header: &Header) -> Result<(SnapshotEntry, u64)> {
    let what = "snapshot table entry";
    let fixed = read_array::<{ ENTRY as usize }>(file, what, at)?;
    let fields = Fields::new(what, at, &fixed);
    let l1 = L1Location { offset: fields.be_u64(0)?, entries: fields.be_u32(8)? };
    let (id_length, name_length) = (u64::from(fields.be_u16(12)?), u64::from(fields.be_u16(14)?));
    let taken = i64::from(fields.be_u32(16)?);
    let extra_length = u64::from(fields.be_u32(36)?);

    let extra = read_vec(file, what, at + ENTRY, extra_length.min(KNOWN_EXTRA))?;
    let extra = Fields::new(what, at + ENTRY, &extra);
    // Version 2 may not say; then the disk has never been resized since.
    let virtual_size = if extra.len() >= 16 { extra.be_u64(8)? } else { header.size };

    let id_at = at + ENTRY + extra_length;
    let texts = read_vec(file, what, id_at, id_length + name_length)?;
    let (id, name) = texts.split_at(id_length as usize);
    let snapshot = Snapshot {
        id: String::from_utf8_lossy(id).into_owned(),
        name: String::from_utf8_lossy(name).into_owned(),
        taken,
        virtual_size,
    };
    let next = at + (ENTRY + extra_length + id_length + name_length).next_multiple_of(8);
    Ok((SnapshotEntry { snapshot, l1, at }, next))
}

/// The snapshot that the user calls `wanted`: its id, or else its name.
pub(super) fn choose<'a>(entries: &'a [SnapshotEntry], wanted: &str) -> Result<&'a SnapshotEntry> {
    if let Some(entry) = entries.iter().find(|entry| entry.snapshot.id == wanted) {
        return Ok(entry);
    }
    let mut named = entries.iter().filter(|entry| entry.snapshot.name == wanted);
    match (named.next(), named.next()) {
        (Some(entry), None) => Ok(entry),
        (Some(_), Some(_)) => Err(Error::invalid(
            format!("snapshot {wanted:?}"),
            "several snapshots have that name; choose one by its id",
        )),
        (None, _) => {
            let there: Vec<_> =
                entries.iter().take(10).map(|entry| entry.snapshot.name.as_str()).collect();
            let why = match there.is_empty() {
                true => "the image has no snapshots".to_owned(),
                false => format!("the image has {}: {}", entries.len(), there.join(", ")),
            };
            Err(Error::not_found(format!("snapshot {wanted:?}"), why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::header;
    use super::*;
    use crate::error::ErrorKind;

    fn entry(id: &str, name: &str, extra: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; ENTRY as usize];
        bytes[5] = 5;
        bytes[11] = 1;
        bytes[12..14].copy_from_slice(&(id.len() as u16).to_be_bytes());
        bytes[14..16].copy_from_slice(&(name.len() as u16).to_be_bytes());
        bytes[16..20].copy_from_slice(&0xf000_0000_u32.to_be_bytes());
        bytes[36..40].copy_from_slice(&(extra.len() as u32).to_be_bytes());
        bytes.extend(extra);
        bytes.extend(id.as_bytes());
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn table(snapshots: u32, bytes: Vec<u8>) -> (Vec<SnapshotEntry>, Option<Error>) {
        let mut header = Header::parse(&header::tests::sample()).unwrap();
        header.snapshots = snapshots;
        read_table(&bytes, &header)
    }

    #[test]
    fn reads_entries_with_and_without_extra_data() {
        let mut extra = vec![0; 24];
        extra[14] = 2;
        let bytes = [entry("1", "first", b""), entry("2", "second", &extra)].concat();
        let (entries, problem) = table(2, bytes);
        assert!(problem.is_none());
        assert_eq!(entries[0].snapshot.virtual_size, 1 << 30);
        assert_eq!(entries[1].snapshot.virtual_size, 512);
        assert_eq!(entries[0].l1, L1Location { offset: 0x50000, entries: 1 });
        assert_eq!(entries[0].snapshot.taken, 0xf000_0000, "after 2038 it is not negative");
        assert_eq!(choose(&entries, "2").unwrap().snapshot.name, "second");
        assert_eq!(choose(&entries, "first").unwrap().snapshot.id, "1");
        assert_eq!(choose(&entries, "third").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(choose(&[], "third").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn an_id_goes_before_a_name_and_a_name_must_be_one() {
        let bytes = [entry("1", "2", b""), entry("2", "x", b""), entry("3", "x", b"")].concat();
        let (entries, _) = table(3, bytes);
        assert_eq!(choose(&entries, "2").unwrap().snapshot.id, "2");
        assert_eq!(choose(&entries, "x").unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn keeps_what_came_before_the_damage() {
        let (entries, problem) = table(3, entry("1", "first", b""));
        assert_eq!(entries.len(), 1);
        assert_eq!(problem.unwrap().kind(), ErrorKind::Corrupt);
        let (_, problem) = table(u32::MAX, Vec::new());
        assert_eq!(problem.unwrap().offset(), Some(60));
    }
}
