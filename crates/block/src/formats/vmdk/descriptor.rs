//! The descriptor: a few lines of text that say what the disk is made of.
//!
//! It is a file of its own, or lies inside a sparse extent. It holds `key = value` lines, among them
//! the content id that changes whenever the disk is written (`CID`) and the one that the parent must
//! have (`parentCID`); and a line for each extent:
//!
//! ```text
//! RW 4192256 SPARSE "disk-s001.vmdk"
//! RW 63 FLAT "disk-flat.vmdk" 0
//! RW 2048 ZERO
//! ```
//!
//! *Virtual Disk Format 5.0*, VMware, "The Descriptor File".

use crate::error::{Error, Result};

/// The longest descriptor that is read. VMware's own have a few hundred bytes, and a line more for
/// every two gigabytes of a split disk.
pub(super) const LONGEST: u64 = 1 << 20;

/// The most extents that a disk may have: 8 TiB in extents of two gigabytes.
const MOST_EXTENTS: usize = 4096;

/// The first line of a descriptor that stands alone.
const SIGNATURE: &[u8] = b"# Disk DescriptorFile";

/// The content id of no disk: what stands as `parentCID` where there is no parent.
const NO_PARENT: u32 = 0xFFFF_FFFF;

/// Whether these are the first bytes of a descriptor.
pub(super) fn is_descriptor(head: &[u8]) -> bool {
    head.get(..SIGNATURE.len()).is_some_and(|start| start.eq_ignore_ascii_case(SIGNATURE))
}

/// A descriptor, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// What kind of disk its maker calls it.
    pub(super) create_type: String,
    /// The content id.
    pub(super) cid: Option<u32>,
    /// The disk beneath, where there is one.
    pub(super) parent: Option<Parent>,
    /// The extents, in the order of the guest's bytes.
    pub(super) extents: Vec<ExtentLine>,
    /// The encoding that names are in.
    encoding: String,
}

/// The disk that a snapshot rests on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parent {
    /// The name of its descriptor.
    pub(super) hint: String,
    /// The content id that it had when the snapshot was taken.
    pub(super) cid: u32,
}

/// A line that describes an extent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExtentLine {
    pub(super) access: Access,
    /// How many sectors of the guest it holds.
    pub(super) sectors: u64,
    /// `FLAT`, `SPARSE`, `ZERO`, `VMFS`, …
    pub(super) kind: String,
    /// The file it lies in.
    pub(super) name: Option<String>,
    /// The sector of that file where it begins.
    pub(super) offset: u64,
}

/// What the guest may do with an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Readable,
    None,
}

impl Descriptor {
    /// Reads the text, which was found at the byte offset `base`.
    pub(super) fn parse(text: &[u8], base: u64) -> Result<Self> {
        // An embedded descriptor is padded with zeros.
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut found = Self::default();
        let (mut parent_cid, mut hint) = (None, None);
        let mut at = base;
        for line in text.split(|byte| *byte == b'\n') {
            let here = at;
            at += line.len() as u64 + 1;
            let line = String::from_utf8_lossy(line);
            let line = line.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(extent) = ExtentLine::parse(line, here)? {
                if found.extents.len() == MOST_EXTENTS {
                    return Err(Error::unsupported(
                        "VMDK descriptor",
                        format!("it has more than {MOST_EXTENTS} extents"),
                    ));
                }
                found.extents.push(extent);
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            match key.trim().to_ascii_lowercase().as_str() {
                "version" => check_version(value)?,
                "createtype" => value.clone_into(&mut found.create_type),
                "encoding" => value.clone_into(&mut found.encoding),
                "cid" => found.cid = Some(content_id(value, "CID", here)?),
                "parentcid" => parent_cid = Some(content_id(value, "parentCID", here)?),
                "parentfilenamehint" => hint = Some(value.to_owned()),
                key => check_encryption(key, value)?,
            }
        }
        found.parent = parent(hint, parent_cid, base)?;
        Ok(found)
    }

    /// A file name of this descriptor, as long as it could be decoded.
    pub(super) fn file_name<'a>(&self, name: &'a str) -> Result<&'a str> {
        if name.contains('\u{fffd}') {
            return Err(Error::unsupported(
                format!("VMDK descriptor: file name {name:?}"),
                format!("it is not UTF-8; the descriptor's encoding is {:?}", self.encoding),
            ));
        }
        Ok(name)
    }
}

fn check_version(version: &str) -> Result<()> {
    match version {
        "1" | "2" | "3" | "4" => Ok(()),
        other => Err(Error::unsupported(
            "VMDK descriptor",
            format!("its version is {other:?}; 1 to 4 are known"),
        )),
    }
}

/// Workstation encrypts whole extents and keeps `encryptionKeys` or `encryption.…` here; vSphere
/// names the filter that encrypts.
fn check_encryption(key: &str, value: &str) -> Result<()> {
    let filter = key == "ddb.iofilters" && value.to_ascii_lowercase().contains("crypt");
    if key.starts_with("encryption") || key.starts_with("ddb.encryption") || filter {
        return Err(Error::encrypted("VMDK", format!("the descriptor says {key} = {value:?}")));
    }
    Ok(())
}

fn content_id(value: &str, key: &str, at: u64) -> Result<u32> {
    u32::from_str_radix(value, 16).map_err(|_| {
        Error::corrupt("VMDK descriptor", at, format!("{key} is {value:?}, not eight hex digits"))
    })
}

/// The parent, as the two lines that speak of it agree.
fn parent(hint: Option<String>, cid: Option<u32>, base: u64) -> Result<Option<Parent>> {
    let contradiction = |why: &str| Err(Error::corrupt("VMDK descriptor", base, why));
    match (hint, cid) {
        (None, None | Some(NO_PARENT)) => Ok(None),
        (Some(hint), Some(cid)) if cid != NO_PARENT => Ok(Some(Parent { hint, cid })),
        (None, Some(_)) => contradiction(
            "parentCID says that the disk rests on a parent, but parentFileNameHint is missing",
        ),
        (Some(_), _) => contradiction(
            "parentFileNameHint names a parent, but parentCID does not say which state of it",
        ),
    }
}

impl ExtentLine {
    /// Reads the line, if it is one that describes an extent.
    fn parse(line: &str, at: u64) -> Result<Option<Self>> {
        let (access, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let access = match access.to_ascii_uppercase().as_str() {
            "RW" | "RDONLY" => Access::Readable,
            "NOACCESS" => Access::None,
            _ => return Ok(None),
        };
        let broken = |why: &str| {
            Error::corrupt("VMDK descriptor", at, format!("extent line {line:?}: {why}"))
        };
        let (sectors, rest) = word(rest);
        let sectors = sectors.parse().map_err(|_| broken("the number of sectors is missing"))?;
        let (kind, rest) = word(rest);
        if kind.is_empty() {
            return Err(broken("the type is missing"));
        }
        let (name, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let (name, rest) =
                    quoted.split_once('"').ok_or_else(|| broken("the name's quote is open"))?;
                (Some(name.to_owned()), rest)
            }
            None => (None, rest),
        };
        // After the offset, device-backed disks name a partition, which is of no use here.
        let (offset, _) = word(rest);
        let offset = match offset {
            "" => 0,
            offset => offset.parse().map_err(|_| broken("the offset is not a number"))?,
        };
        Ok(Some(Self { access, sectors, kind: kind.to_ascii_uppercase(), name, offset }))
    }
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once([' ', '\t']).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const TEXT: &str = "# Disk DescriptorFile\r\nversion=1\r\nencoding=\"UTF-8\"\r\nCID=fffffffe\r\n\
        parentCID=ffffffff\r\ncreateType=\"twoGbMaxExtentFlat\"\r\n\r\n# Extent description\r\n\
        RW 4192256 FLAT \"a disk-f001.vmdk\" 128\r\nRDONLY  63\tZERO\r\nNOACCESS 1 SPARSE \"x\"\r\n\
        rw 7 vmfs \"y\"\r\n\r\nddb.adapterType = \"ide\"\r\n";

    fn with(line: &str) -> Result<Descriptor> {
        Descriptor::parse(format!("{TEXT}{line}\n").as_bytes(), 512)
    }

    #[test]
    fn a_descriptor_is_read_line_by_line() {
        assert!(is_descriptor(TEXT.as_bytes()) && is_descriptor(b"# disk descriptorfile"));
        assert!(!is_descriptor(b"# Disk"));
        let mut padded = TEXT.as_bytes().to_vec();
        padded.extend(b"\0\0\xff\xff garbage RW");
        let descriptor = Descriptor::parse(&padded, 512).unwrap();
        assert_eq!(descriptor.create_type, "twoGbMaxExtentFlat");
        assert_eq!((descriptor.cid, &descriptor.parent), (Some(0xFFFF_FFFE), &None));
        let line = |access, sectors, kind: &str, name: Option<&str>, offset| ExtentLine {
            access,
            sectors,
            kind: kind.into(),
            name: name.map(Into::into),
            offset,
        };
        assert_eq!(
            descriptor.extents,
            [
                line(Access::Readable, 4_192_256, "FLAT", Some("a disk-f001.vmdk"), 128),
                line(Access::Readable, 63, "ZERO", None, 0),
                line(Access::None, 1, "SPARSE", Some("x"), 0),
                line(Access::Readable, 7, "VMFS", Some("y"), 0),
            ]
        );
    }

    #[test]
    fn a_parent_needs_both_its_lines() {
        let text = "CID=1\nparentCID=0000abcd\nparentFileNameHint=\"base disk.vmdk\"\n";
        let parent = Descriptor::parse(text.as_bytes(), 0).unwrap().parent.unwrap();
        assert_eq!(parent, Parent { hint: "base disk.vmdk".into(), cid: 0xABCD });
        for text in [
            "parentCID=0000abcd\n",
            "parentFileNameHint=\"x\"\n",
            "parentCID=ffffffff\nparentFileNameHint=\"x\"\n",
        ] {
            let error = Descriptor::parse(text.as_bytes(), 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for line in [
            "RW many FLAT \"x\"",
            "RW 5",
            "RW -5 FLAT",
            "RW 5 FLAT \"open",
            "RW 5 FLAT \"x\" here",
            "CID=xyz",
            "parentCID=123456789",
            "RW 99999999999999999999 FLAT \"x\"",
        ] {
            let error = with(line).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{line}");
            assert_eq!(error.offset(), Some(512 + TEXT.len() as u64), "{line}");
        }
        assert_eq!(with("version=9").unwrap_err().kind(), ErrorKind::Unsupported);
        for line in ["encryptionKeys = \"vmware:key/list\"", "ddb.iofilters = \"vmwarevmcrypt\""] {
            assert_eq!(with(line).unwrap_err().kind(), ErrorKind::Encrypted, "{line}");
        }
        assert!(with("ddb.iofilters = \"cache\"").is_ok());
        let many = "RW 1 ZERO\n".repeat(MOST_EXTENTS + 1);
        assert_eq!(with(&many).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn names_that_are_not_utf8_are_refused_when_they_are_needed() {
        let text = b"encoding=\"GBK\"\nRW 1 FLAT \"\xb4\xc5\xc5\xcc.vmdk\" 0\n";
        let descriptor = Descriptor::parse(text, 0).unwrap();
        let name = descriptor.extents[0].name.as_deref().unwrap();
        let error = descriptor.file_name(name).unwrap_err();
        assert!(error.to_string().contains("GBK"), "{error}");
    }
}
