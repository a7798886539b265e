//! Reparse points: files and directories that are something else. [MS-FSCC] section 2.1.2.
//!
//! Where a link leads is told in the terms of Windows. A relative target becomes a relative path
//! with forward slashes. An absolute one starts with a drive, which no volume knows of itself, so:
//! `\??\C:\Users` becomes `/Users`, since the namespace that a caller assembles has the system
//! drive at its root; `\??\D:\data` becomes `/D:/data`, `\??\Volume{…}\x` becomes `/Volume{…}/x`
//! and `\??\UNC\server\share` becomes `/UNC/server/share`, which lead somewhere only if the caller
//! has mounted something there.

use fathom_block::{Fields, Result};

use crate::node::FileType;
use crate::utf16;

/// The longest reparse data that Windows takes.
pub(super) const MAX_LENGTH: u64 = 16 << 10;

const IO_REPARSE_TAG_MOUNT_POINT: u32 = 0xA000_0003;
const IO_REPARSE_TAG_SYMLINK: u32 = 0xA000_000C;
const IO_REPARSE_TAG_WOF: u32 = 0x8000_0017;
const IO_REPARSE_TAG_AF_UNIX: u32 = 0x8000_0023;
const IO_REPARSE_TAG_LX_SYMLINK: u32 = 0xA000_001D;
const IO_REPARSE_TAG_LX_FIFO: u32 = 0x8000_0024;
const IO_REPARSE_TAG_LX_CHR: u32 = 0x8000_0025;
const IO_REPARSE_TAG_LX_BLK: u32 = 0x8000_0026;

/// A directory with such a tag has entries of its own.
const DIRECTORY_BIT: u32 = 0x1000_0000;

/// The target is relative to where the link is.
const SYMLINK_FLAG_RELATIVE: u32 = 1;

/// What a reparse point makes of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reparse {
    pub(super) tag: u32,
    /// Where a link leads.
    pub(super) target: Option<Vec<u8>>,
}

impl Reparse {
    /// The reparse point that the value is.
    pub(super) fn parse(value: &Fields<'_>) -> Result<Self> {
        let tag = value.le_u32(0)?;
        let length = usize::from(value.le_u16(4)?);
        let header = if tag & 0x8000_0000 != 0 { 8 } else { 24 };
        let data = value.part("reparse data", header, length)?;
        let target = match tag {
            IO_REPARSE_TAG_SYMLINK => {
                let relative = data.le_u32(8)? & SYMLINK_FLAG_RELATIVE != 0;
                Some(translate(substitute(&data, 12)?, relative))
            }
            IO_REPARSE_TAG_MOUNT_POINT => Some(translate(substitute(&data, 8)?, false)),
            IO_REPARSE_TAG_LX_SYMLINK => {
                let version = data.le_u32(0)?;
                if version != 2 {
                    return Err(fathom_block::Error::unsupported(
                        "WSL symbolic link",
                        format!("version {version}"),
                    ));
                }
                Some(data.bytes(4, length.saturating_sub(4))?.to_vec())
            }
            _ => None,
        };
        Ok(Self { tag, target })
    }

    /// What kind of object the file is.
    pub(super) fn file_type(&self, is_directory: bool) -> FileType {
        match self.tag {
            IO_REPARSE_TAG_SYMLINK | IO_REPARSE_TAG_MOUNT_POINT | IO_REPARSE_TAG_LX_SYMLINK => {
                FileType::Symlink
            }
            IO_REPARSE_TAG_AF_UNIX => FileType::Socket,
            IO_REPARSE_TAG_LX_FIFO => FileType::Fifo,
            IO_REPARSE_TAG_LX_CHR => FileType::CharacterDevice,
            IO_REPARSE_TAG_LX_BLK => FileType::BlockDevice,
            IO_REPARSE_TAG_WOF if !is_directory => FileType::File,
            tag if is_directory && tag & DIRECTORY_BIT != 0 => FileType::Directory,
            _ => FileType::Other,
        }
    }

    /// Why the file's bytes are not what its data holds.
    pub(super) fn refusal(&self) -> String {
        let name = match self.tag {
            IO_REPARSE_TAG_WOF => "compressed by the Windows Overlay Filter (WOF, CompactOS)",
            0x8000_0013 => "deduplicated",
            0x8000_0018 | 0x9000_1018 => "kept in a container's layer (WCI)",
            0x8000_001B => "an alias of a packaged application",
            0xC000_0004 | 0x8000_0006 => "moved to other storage (HSM)",
            tag if tag & 0xFFFF_0FFF == 0x9000_001A => "kept in the cloud",
            _ => "of a kind that is not known",
        };
        format!("it is a reparse point with tag {:#010x}, {name}", self.tag)
    }
}

/// The substitute name, in UTF-16LE, of a link whose names start at `names`.
fn substitute<'a>(data: &Fields<'a>, names: usize) -> Result<&'a [u8]> {
    let (offset, length) = (usize::from(data.le_u16(0)?), usize::from(data.le_u16(2)?));
    data.bytes(names + offset, length)
}

/// A target in the terms of Windows as a path of the guest; see the [module](self).
fn translate(target: &[u8], relative: bool) -> Vec<u8> {
    let mut path = utf16::decode(utf16::units(target));
    path.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    if relative {
        return path;
    }
    for prefix in [&b"/??/"[..], b"//?/", b"//./"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            path = match rest {
                [b'C' | b'c', b':'] => b"/".to_vec(),
                [b'C' | b'c', b':', b'/', ..] => rest[2..].to_vec(),
                _ => [b"/", rest].concat(),
            };
            break;
        }
    }
    // A mount point names a directory, with a slash at its end.
    if path.len() > 1 && path.ends_with(b"/") {
        path.pop();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(tag: u32, flags: Option<u32>, target: &str) -> Vec<u8> {
        let name: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut data = vec![0, 0];
        data.extend((name.len() as u16).to_le_bytes());
        data.extend([0; 4]);
        data.extend(flags.map(u32::to_le_bytes).into_iter().flatten());
        data.extend(name);
        let mut value = tag.to_le_bytes().to_vec();
        value.extend((data.len() as u32).to_le_bytes());
        value.extend(data);
        value
    }

    fn target(value: &[u8]) -> String {
        let reparse = Reparse::parse(&Fields::new("reparse point", 0, value)).unwrap();
        assert_eq!(reparse.file_type(false), FileType::Symlink);
        String::from_utf8(reparse.target.unwrap()).unwrap()
    }

    #[test]
    fn targets_are_paths_of_the_guest() {
        for (windows, path) in [
            (r"\??\C:\Users\All Users", "/Users/All Users"),
            (r"\??\c:\", "/"),
            (r"\??\C:", "/"),
            (r"\??\D:\data\", "/D:/data"),
            (r"\??\Volume{1234}\", "/Volume{1234}"),
            (r"\??\UNC\server\share", "/UNC/server/share"),
            (r"\\?\C:\x", "/x"),
        ] {
            assert_eq!(target(&link(IO_REPARSE_TAG_SYMLINK, Some(0), windows)), path);
            assert_eq!(target(&link(IO_REPARSE_TAG_MOUNT_POINT, None, windows)), path);
        }
        assert_eq!(target(&link(IO_REPARSE_TAG_SYMLINK, Some(1), r"..\a\b")), "../a/b");
        let mut wsl = IO_REPARSE_TAG_LX_SYMLINK.to_le_bytes().to_vec();
        wsl.extend([7, 0, 0, 0, 2, 0, 0, 0]);
        wsl.extend(b"a/b");
        assert_eq!(target(&wsl), "a/b");
    }

    #[test]
    fn every_tag_has_a_type() {
        let kind = |tag: u32, directory| Reparse { tag, target: None }.file_type(directory);
        assert_eq!(kind(IO_REPARSE_TAG_WOF, false), FileType::File);
        assert_eq!(kind(IO_REPARSE_TAG_AF_UNIX, false), FileType::Socket);
        assert_eq!(kind(0x9000_601A, true), FileType::Directory);
        assert_eq!(kind(0x9000_601A, false), FileType::Other);
        assert_eq!(kind(0x8000_0013, false), FileType::Other);
        for (tag, word) in [(0x8000_0017, "WOF"), (0x9000_601A, "cloud"), (0x8000_0013, "dedup")] {
            assert!(Reparse { tag, target: None }.refusal().contains(word));
        }
    }

    #[test]
    fn nonsense_is_corrupt() {
        let good = link(IO_REPARSE_TAG_SYMLINK, Some(0), r"\??\C:\x");
        for (at, value) in [(4, 0xFF), (8, 0xFF), (10, 0xFF)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert!(Reparse::parse(&Fields::new("reparse point", 0, &bad)).is_err(), "{at}");
        }
        let mut old = IO_REPARSE_TAG_LX_SYMLINK.to_le_bytes().to_vec();
        old.extend([5, 0, 0, 0, 1, 0, 0, 0, b'x']);
        assert!(Reparse::parse(&Fields::new("reparse point", 0, &old)).is_err());
    }
}
