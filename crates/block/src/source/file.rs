//! A file or block device of this machine.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::read::{ReadAt, check_range};

/// A file or block device, read by position.
pub struct FileSource {
    file: File,
    name: String,
    length: u64,
}

impl FileSource {
    /// Opens what the user named. Pipes, sockets and directories are refused: they have no
    /// positions.
    pub fn open(path: &Path) -> Result<Self> {
        let named = || path.display().to_string();
        let file = File::options()
            .read(true)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(path)
            .map_err(|error| Error::io(named(), error))?;
        Self::from_file(file, named())
    }

    /// An open file, called `name` in messages.
    pub fn from_file(file: File, name: String) -> Result<Self> {
        use std::os::unix::fs::FileTypeExt;
        let metadata = file.metadata().map_err(|error| Error::io(&*name, error))?;
        let kind = metadata.file_type();
        let length = if kind.is_file() {
            metadata.len()
        } else if kind.is_block_device() {
            seek(&file, SeekFrom::End(0)).map_err(|errno| Error::io(&*name, errno.into()))?
        } else {
            let what =
                if kind.is_dir() { "a directory" } else { "neither a file nor a block device" };
            return Err(Error::invalid(name, format!("it is {what}, not a disk image")));
        };
        Ok(Self { file, name, length })
    }
}

impl ReadAt for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.length).map_err(|error| error.of_image(&self.name))?;
        self.file.read_exact_at(buf, offset).map_err(|error| {
            let error = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    Error::io(&*self.name, io::Error::other("the file shrank while it was read"))
                }
                _ => Error::io(&*self.name, error),
            };
            error.at(offset).placed()
        })
    }

    fn next_data(&self, offset: u64) -> Option<Range<u64>> {
        if offset >= self.length {
            return None;
        }
        let whole = offset..self.length;
        let start = match seek(&self.file, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => return None,
            Err(_) => return Some(whole),
        };
        if start >= self.length {
            return None;
        }
        let end = seek(&self.file, SeekFrom::Hole(start)).unwrap_or(self.length).min(self.length);
        Some(start..end)
    }
}
