//! The update sequence: how NTFS sees that only some sectors of a record reached the disk.
//!
//! Before a record is written, the last two bytes of each 512 are set aside in an array and a
//! number that grows with every write is put in their place. A reader finds that number at the end
//! of every 512 bytes, or the write was torn; then it puts the set-aside bytes back.

use fathom_block::{Fields, Result};

/// The distance is 512 on disks of every sector size.
const STRIDE: usize = 512;

/// Checks the record that was read at the byte offset `at` and puts its own bytes back.
pub(super) fn undo(what: &str, at: u64, record: &mut [u8]) -> Result<()> {
    let fields = Fields::new(what, at, record);
    let usa_ofs = usize::from(fields.le_u16(4)?);
    let usa_count = usize::from(fields.le_u16(6)?);
    let strides = record.len() / STRIDE;
    if strides == 0 || !record.len().is_multiple_of(STRIDE) || usa_count != strides + 1 {
        return Err(fields.corrupt(
            6,
            format!("an update sequence of {usa_count} numbers for {} bytes", record.len()),
        ));
    }
    if usa_ofs + 2 * usa_count > STRIDE - 2 || usa_ofs < 8 {
        return Err(fields.corrupt(4, format!("an update sequence at byte {usa_ofs}")));
    }
    let array = fields.bytes(usa_ofs, 2 * usa_count)?.to_vec();
    let (number, kept) = array.split_at(2);
    for (stride, (bytes, kept)) in
        record.chunks_exact_mut(STRIDE).zip(kept.chunks_exact(2)).enumerate()
    {
        let end = &mut bytes[STRIDE - 2..];
        if end != number {
            let place = stride * STRIDE + STRIDE - 2;
            let why = format!(
                "torn write: {:02x}{:02x} ends its 512 bytes, the update sequence says {:02x}{:02x}",
                end[1], end[0], number[1], number[0]
            );
            return Err(fathom_block::Error::corrupt(what, at + place as u64, why));
        }
        end.copy_from_slice(kept);
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Puts the update sequence into a record whose array lies at `usa_ofs`.
    pub(crate) fn apply(record: &mut [u8], usa_ofs: usize) {
        let strides = record.len() / STRIDE;
        record[4..6].copy_from_slice(&(usa_ofs as u16).to_le_bytes());
        record[6..8].copy_from_slice(&(strides as u16 + 1).to_le_bytes());
        record[usa_ofs..usa_ofs + 2].copy_from_slice(&[0x07, 0x00]);
        for stride in 0..strides {
            let end = stride * STRIDE + STRIDE - 2;
            let kept = [record[end], record[end + 1]];
            record[usa_ofs + 2 + 2 * stride..][..2].copy_from_slice(&kept);
            record[end..end + 2].copy_from_slice(&[0x07, 0x00]);
        }
    }

    #[test]
    fn a_whole_record_gets_its_bytes_back() {
        let plain: Vec<u8> = (0..1024).map(|at| (at % 251) as u8).collect();
        let mut record = plain.clone();
        apply(&mut record, 48);
        assert_ne!(record[510..512], plain[510..512]);
        undo("record", 0, &mut record).unwrap();
        assert_eq!(record[56..], plain[56..]);
    }

    #[test]
    fn a_torn_record_is_corrupt_at_its_place() {
        let mut record = vec![0; 1024];
        apply(&mut record, 48);
        record[1022] ^= 1;
        let error = undo("record", 4096, &mut record).unwrap_err();
        assert_eq!(error.offset(), Some(4096 + 1022));
        assert!(error.to_string().contains("torn"), "{error}");
    }

    #[test]
    fn an_array_that_does_not_fit_is_corrupt() {
        for (at, value) in [(4, 0u16), (4, 600), (4, 0xFFFF), (6, 0), (6, 2), (6, 4)] {
            let mut record = vec![0; 1024];
            apply(&mut record, 48);
            record[at..at + 2].copy_from_slice(&value.to_le_bytes());
            assert!(undo("record", 0, &mut record).is_err(), "{at} = {value}");
        }
        assert!(undo("record", 0, &mut [0; 6]).is_err());
        assert!(undo("record", 0, &mut [0; 100]).is_err());
    }
}
