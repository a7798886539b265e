//! $VOLUME_INFORMATION, in the third record: which NTFS it is and whether it is dirty.

use fathom_block::{Error, Fields, Result};

/// The volume was in use, and has to be checked.
const VOLUME_IS_DIRTY: u16 = 1;

/// The version and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VolumeInformation {
    pub(super) major: u8,
    pub(super) minor: u8,
    flags: u16,
}

impl VolumeInformation {
    /// The value. A version that is not known is refused.
    pub(super) fn parse(value: &Fields<'_>) -> Result<Self> {
        let (major, minor, flags) = (value.u8(8)?, value.u8(9)?, value.le_u16(10)?);
        match (major, minor) {
            (1, _) | (3, 0 | 1) => Ok(Self { major, minor, flags }),
            _ => Err(Error::unsupported("NTFS", format!("version {major}.{minor}"))),
        }
    }

    /// Whether Windows would check it before using it.
    pub(super) fn is_dirty(&self) -> bool {
        self.flags & VOLUME_IS_DIRTY != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_known_or_refused() {
        let parse = |major: u8, minor: u8| {
            let bytes = [0, 0, 0, 0, 0, 0, 0, 0, major, minor, 1, 0];
            VolumeInformation::parse(&Fields::new("volume information", 0, &bytes))
        };
        assert!(parse(3, 1).unwrap().is_dirty());
        assert!(parse(1, 2).is_ok());
        assert!(parse(3, 2).is_err() && parse(4, 0).is_err());
    }
}
