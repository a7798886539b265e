//! Access control lists: from the form XFS keeps them in (`xfs_acl`) to the one `getxattr` gives.

use fathom_block::{Fields, Result};

/// The version that leads the list in the form of `getxattr`.
const VERSION: u32 = 2;

/// The tags whose entries name somebody: `ACL_USER` and `ACL_GROUP`.
const NAMED: [u32; 2] = [0x02, 0x08];
/// The others: the owner, the owning group, the mask, everybody else.
const UNNAMED: [u32; 4] = [0x01, 0x04, 0x10, 0x20];
const NOBODY: u32 = u32::MAX;

/// Converts the list that lies at the byte `at`.
pub(super) fn from_disk(what: &str, at: u64, value: &[u8]) -> Result<Vec<u8>> {
    let fields = Fields::new(what, at, value);
    let count = fields.be_u32(0)?;
    if value.len() as u64 != 4 + 12 * u64::from(count) {
        let why = format!("{count} entries do not make {} bytes", value.len());
        return Err(fields.corrupt(0, why));
    }
    let mut list = VERSION.to_le_bytes().to_vec();
    for entry in (4..value.len()).step_by(12) {
        let (tag, id) = (fields.be_u32(entry)?, fields.be_u32(entry + 4)?);
        let id = match tag {
            tag if NAMED.contains(&tag) => id,
            tag if UNNAMED.contains(&tag) => NOBODY,
            _ => return Err(fields.corrupt(entry, format!("the tag {tag:#x} of an entry"))),
        };
        list.extend((tag as u16).to_le_bytes());
        list.extend(fields.be_u16(entry + 8)?.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_converted_and_checked() {
        let mut disk = 2u32.to_be_bytes().to_vec();
        disk.extend([0, 0, 0, 1, 0, 0, 0, 9, 0, 6, 0, 0]);
        disk.extend([0, 0, 0, 2, 0, 0, 4, 210, 0, 7, 0, 0]);
        let wire = from_disk("test", 0, &disk).unwrap();
        assert_eq!(
            wire,
            [2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 7, 0, 210, 4, 0, 0],
            "an entry that names nobody has no identity"
        );
        assert!(from_disk("test", 0, &disk[..20]).is_err());
        disk[7] = 3;
        assert!(from_disk("test", 0, &disk).is_err());
        assert!(from_disk("test", 0, &u32::MAX.to_be_bytes()).is_err());
    }
}
