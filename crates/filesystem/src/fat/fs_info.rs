//! FSInfo: how many clusters of a FAT32 volume are free, so that nobody has to count.

use fathom_block::{Fields, ReadAt, Result, read_array};

/// The count is not known.
const UNKNOWN: u32 = 0xFFFF_FFFF;

/// The count of free clusters in the sector at `at`; `None` where it is not known, or no such
/// sector is there.
pub(super) fn free_clusters(volume: &dyn ReadAt, at: u64) -> Result<Option<u64>> {
    let bytes = read_array::<512>(volume, "FSInfo", at)?;
    let fields = Fields::new("FSInfo", at, &bytes);
    let signed = fields.le_u32(0)? == 0x4161_5252
        && fields.le_u32(484)? == 0x6141_7272
        && fields.le_u32(508)? == 0xAA55_0000;
    let count = fields.le_u32(488)?;
    Ok((signed && count != UNKNOWN).then_some(u64::from(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_signed_count_is_believed() {
        let mut sector = vec![0; 512];
        assert_eq!(free_clusters(&sector, 0).unwrap(), None);
        sector[..4].copy_from_slice(b"RRaA");
        sector[484..488].copy_from_slice(b"rrAa");
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
        sector[488] = 7;
        assert_eq!(free_clusters(&sector, 0).unwrap(), Some(7));
        sector[488..492].fill(0xFF);
        assert_eq!(free_clusters(&sector, 0).unwrap(), None);
        assert!(free_clusters(&sector, 512).is_err());
    }
}
