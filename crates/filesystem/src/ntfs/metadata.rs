//! What is known of a file besides its bytes, gathered from its attributes.

use fathom_block::{Fields, ReadAt, Result, read_vec};

use super::Ntfs;
use super::attribute::{
    DATA, EA, FILE_NAME, INDEX_ALLOCATION, INDEX_ROOT, REPARSE_POINT, STANDARD_INFORMATION, Sizes,
    Value,
};
use super::directory::I30;
use super::ea::{self, Unix};
use super::file_name::{FILE_ATTRIBUTE_SYSTEM, FileName};
use super::inode::Inode;
use super::interix::{self, Interix};
use super::reparse::{self, Reparse};
use super::standard_information::{FILE_ATTRIBUTE_READONLY, StandardInformation};
use crate::node::{FileType, Metadata};

/// What a file is, and where it leads if it is a link.
pub(super) struct Nature {
    pub(super) file_type: FileType,
    pub(super) target: Option<Vec<u8>>,
    pub(super) reparse: Option<Reparse>,
    device: Option<(u32, u32)>,
}

impl Ntfs {
    /// The times and DOS attributes.
    pub(super) fn standard(&self, inode: &Inode<'_>) -> Result<StandardInformation> {
        inode
            .first(STANDARD_INFORMATION, &[], |record, attribute| match &attribute.value {
                Value::Resident(value) => StandardInformation::parse(value),
                Value::NonResident(_) => Err(record.corrupt("its times are not resident")),
            })?
            .ok_or_else(|| inode.base.corrupt("it has no times ($STANDARD_INFORMATION)"))
    }

    /// How many names the file has. One that is only there for DOS is none.
    fn links(&self, inode: &Inode<'_>) -> Result<u64> {
        let mut links = 0;
        inode.each(FILE_NAME, &mut |record, attribute| {
            let Value::Resident(value) = &attribute.value else {
                return Err(record.corrupt("its name is not resident"));
            };
            links += u64::from(!FileName::parse(value)?.is_dos());
            Ok(true)
        })?;
        Ok(links)
    }

    /// A value that is at most `limit` bytes long; `None` where the file has none of that type.
    pub(super) fn value(
        &self,
        inode: &Inode<'_>,
        kind: u32,
        what: &str,
        limit: u64,
    ) -> Result<Option<Vec<u8>>> {
        let Some(stream) = inode.stream(kind, &[])? else {
            return Ok(None);
        };
        if stream.sizes.data > limit {
            return Err(inode.base.corrupt(format!(
                "its {what} has {} bytes; at most {limit} are allowed",
                stream.sizes.data
            )));
        }
        let reader = stream.open(&self.mft.volume, &self.mft.geometry)?;
        read_vec(&*reader, what, 0, reader.len()).map(Some)
    }

    /// The reparse point of the file, if it is one.
    pub(super) fn reparse(&self, inode: &Inode<'_>) -> Result<Option<Reparse>> {
        let value = self.value(inode, REPARSE_POINT, "reparse point", reparse::MAX_LENGTH)?;
        value.map(|value| Reparse::parse(&Fields::new("reparse point", 0, &value))).transpose()
    }

    /// What the file is.
    pub(super) fn nature(
        &self,
        inode: &Inode<'_>,
        standard: &StandardInformation,
    ) -> Result<Nature> {
        let is_directory = inode.base.is_directory();
        let mut nature = Nature {
            file_type: if is_directory { FileType::Directory } else { FileType::File },
            target: None,
            reparse: None,
            device: None,
        };
        if let Some(reparse) = self.reparse(inode)? {
            nature.file_type = reparse.file_type(is_directory);
            nature.target = reparse.target.clone();
            nature.reparse = Some(reparse);
        } else if !is_directory && standard.file_attributes & FILE_ATTRIBUTE_SYSTEM != 0 {
            let length = inode.first(DATA, &[], |_, data| Ok(data.sizes().data))?;
            let special = match length {
                Some(9..=interix::MAX_LENGTH) => {
                    let bytes = self.value(inode, DATA, "special file", interix::MAX_LENGTH)?;
                    bytes.and_then(|bytes| interix::parse(&bytes))
                }
                _ => None,
            };
            match special {
                Some(Interix::Link(target)) => {
                    nature.file_type = FileType::Symlink;
                    nature.target = Some(target);
                }
                Some(Interix::Device(file_type, device)) => {
                    nature.file_type = file_type;
                    nature.device = Some(device);
                }
                None => {}
            }
        }
        Ok(nature)
    }

    /// How long the file's own bytes are; for a directory, those of its index.
    pub(super) fn sizes(&self, inode: &Inode<'_>) -> Result<Sizes> {
        let of = |kind, name| inode.first(kind, name, |_, attribute| Ok(attribute.sizes()));
        let mut sizes = match inode.base.is_directory() {
            false => of(DATA, &[])?,
            true => match of(INDEX_ALLOCATION, I30)? {
                None => of(INDEX_ROOT, I30)?,
                sizes => sizes,
            },
        }
        .unwrap_or_default();
        // Counted in blocks of 512 bytes; what is in the record takes one.
        sizes.total_allocated = sizes.total_allocated.min(sizes.allocated).next_multiple_of(512);
        Ok(sizes)
    }

    /// All that [`Metadata`] asks for. Owners and modes are what Linux shows by default, unless the
    /// Windows Subsystem for Linux has written some down.
    pub(super) fn describe(&self, inode: &Inode<'_>) -> Result<Metadata> {
        let standard = self.standard(inode)?;
        let nature = self.nature(inode, &standard)?;
        let sizes = self.sizes(inode)?;
        let unix = match self.value(inode, EA, "extended attributes", ea::MAX_LENGTH)? {
            Some(list) => Unix::parse(&Fields::new("extended attributes", 0, &list))?,
            None => Unix::default(),
        };
        let directory = nature.file_type == FileType::Directory;
        let read_only = standard.file_attributes & FILE_ATTRIBUTE_READONLY != 0;
        let mode = match nature.file_type {
            FileType::Symlink => 0o777,
            _ if read_only && !directory => 0o555,
            _ => 0o755,
        };
        Ok(Metadata {
            file_type: nature.file_type,
            mode: unix.mode.map_or(mode, |mode| mode & 0o7777),
            uid: unix.uid.unwrap_or(0),
            gid: unix.gid.unwrap_or(0),
            size: nature.target.map_or(sizes.data, |target| target.len() as u64),
            allocated: sizes.total_allocated,
            links: if directory { 1 } else { self.links(inode)? },
            device: match nature.file_type {
                FileType::CharacterDevice | FileType::BlockDevice => {
                    Some(nature.device.or(unix.device).unwrap_or((0, 0)))
                }
                _ => None,
            },
            modified: standard.modified,
            accessed: Some(standard.accessed),
            changed: Some(standard.changed),
            created: Some(standard.created),
        })
    }
}
