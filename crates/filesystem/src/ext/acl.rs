//! Access control lists: from the form that ext keeps to the one that `getxattr` hands out.
//!
//! On disk, version 1, an entry has four bytes, and four more where it names a user or a group;
//! towards programs, version 2, every entry has eight.

/// `e_name_index` of the access list.
pub(super) const ACCESS: u8 = 2;

/// `e_name_index` of the list that new files in a directory get.
pub(super) const DEFAULT: u8 = 3;

/// The list as programs see it; `None` if it is none.
pub(super) fn convert(stored: &[u8]) -> Option<Vec<u8>> {
    let (version, mut rest) = stored.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != 1 {
        return None;
    }
    let mut shown = 2_u32.to_le_bytes().to_vec();
    while !rest.is_empty() {
        let (entry, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        shown.extend_from_slice(entry);
        match u16::from_le_bytes([entry[0], entry[1]]) {
            // ACL_USER, ACL_GROUP
            0x02 | 0x08 => {
                let (id, after) = rest.split_first_chunk::<4>()?;
                rest = after;
                shown.extend_from_slice(id);
            }
            // ACL_USER_OBJ, ACL_GROUP_OBJ, ACL_MASK, ACL_OTHER
            0x01 | 0x04 | 0x10 | 0x20 => shown.extend_from_slice(&[0xFF; 4]),
            _ => return None,
        }
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_grow_to_eight_bytes() {
        let stored = [
            &[1, 0, 0, 0][..],
            &[1, 0, 7, 0],
            &[2, 0, 5, 0, 0xD2, 4, 0, 0],
            &[4, 0, 5, 0],
            &[0x10, 0, 7, 0],
            &[0x20, 0, 4, 0],
        ];
        let shown = [
            &[2, 0, 0, 0][..],
            &[1, 0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            &[2, 0, 5, 0, 0xD2, 4, 0, 0],
            &[4, 0, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x10, 0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF],
            &[0x20, 0, 4, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        ];
        assert_eq!(convert(&stored.concat()), Some(shown.concat()));
    }

    #[test]
    fn what_is_cut_or_unknown_is_no_list() {
        for stored in [
            &[][..],
            &[1, 0, 0],
            &[2, 0, 0, 0],
            &[1, 0, 0, 0, 2, 0, 5, 0],
            &[1, 0, 0, 0, 3, 0, 5, 0],
        ] {
            assert_eq!(convert(stored), None, "{stored:?}");
        }
        assert_eq!(convert(&[1, 0, 0, 0]), Some(vec![2, 0, 0, 0]));
    }
}
