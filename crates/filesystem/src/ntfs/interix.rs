//! Special files of Interix, which ntfs-3g makes by default: ordinary files with the DOS attribute
//! *system* whose bytes say what they stand for.
//!
//! ntfs-3g also takes an empty system file for a named pipe and one of one byte for a socket. That
//! is not followed: Windows has such files too, and theirs are files.

use crate::node::FileType;
use crate::utf16;

/// The longest special file.
pub(super) const MAX_LENGTH: u64 = 8 + 2 * 4096;

/// What a special file stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Interix {
    Link(Vec<u8>),
    Device(FileType, (u32, u32)),
}

/// What the bytes of a system file stand for; `None` where they are just bytes.
pub(super) fn parse(bytes: &[u8]) -> Option<Interix> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let number = |at: usize| {
        let bytes = rest.get(at..at + 8)?.try_into().ok()?;
        u32::try_from(u64::from_le_bytes(bytes)).ok()
    };
    match magic {
        b"IntxLNK\x01" => Some(Interix::Link(utf16::decode(utf16::units(rest)))),
        b"IntxCHR\0" => Some(Interix::Device(FileType::CharacterDevice, (number(0)?, number(8)?))),
        b"IntxBLK\0" => Some(Interix::Device(FileType::BlockDevice, (number(0)?, number(8)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_devices_are_told_from_files() {
        assert_eq!(parse(b"IntxLNK\x01a\0/\0b\0"), Some(Interix::Link(b"a/b".to_vec())));
        let mut device = b"IntxBLK\0".to_vec();
        device.extend(8u64.to_le_bytes());
        device.extend(17u64.to_le_bytes());
        assert_eq!(parse(&device), Some(Interix::Device(FileType::BlockDevice, (8, 17))));
        assert_eq!(parse(&device[..20]), None);
        assert_eq!(parse(b"IntxXXX\0"), None);
        assert_eq!(parse(b""), None);
    }
}
