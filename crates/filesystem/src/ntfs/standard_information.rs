//! $STANDARD_INFORMATION: a file's times and DOS attributes.

use fathom_block::{Fields, Result};

use crate::timestamp::Timestamp;

/// Not to be written to.
pub(super) const FILE_ATTRIBUTE_READONLY: u32 = 1;
/// A directory; not kept on the disk.
pub(super) const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
/// Nothing else.
pub(super) const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;

/// Seconds from 1601, where Windows starts counting, to 1970.
const EPOCH: i64 = 11_644_473_600;

/// The times and attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StandardInformation {
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) changed: Timestamp,
    pub(super) accessed: Timestamp,
    pub(super) file_attributes: u32,
}

impl StandardInformation {
    /// The value.
    pub(super) fn parse(value: &Fields<'_>) -> Result<Self> {
        Ok(Self {
            created: time(value.le_u64(0)?),
            modified: time(value.le_u64(8)?),
            changed: time(value.le_u64(16)?),
            accessed: time(value.le_u64(24)?),
            file_attributes: value.le_u32(32)?,
        })
    }
}

/// Units of 100 ns since 1601.
fn time(units: u64) -> Timestamp {
    let units = units as i64;
    let nanos = units.rem_euclid(10_000_000) as u32 * 100;
    Timestamp::new(units.div_euclid(10_000_000) - EPOCH, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_on_both_sides_of_1970() {
        assert_eq!(time(116_444_736_000_000_000), Timestamp::new(0, 0));
        assert_eq!(time(116_444_736_000_000_001), Timestamp::new(0, 100));
        assert_eq!(time(116_444_735_999_999_999), Timestamp::new(-1, 999_999_900));
        assert_eq!(time(0), Timestamp::new(-EPOCH, 0));
        assert_eq!(time(u64::MAX), Timestamp::new(-EPOCH - 1, 999_999_900));
    }
}
