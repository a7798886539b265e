//! A file or block device of this machine.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::{Errno, preadv};

use crate::error::{Error, Result};
use crate::read::{ReadAt, check_range};

/// How many buffers the kernel takes at once.
const VECTORS: usize = 1024;

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

    /// An open file of which the caller knows that it has positions, and how long it is: where nothing
    /// can be asked about files, it was asked before.
    pub fn of_length(file: File, name: String, length: u64) -> Self {
        Self { file, name, length }
    }
}

impl FileSource {
    /// Reads neighbours with one system call, or as many as the kernel wants.
    fn read_run(&self, run: &mut [(u64, &mut [u8])]) -> Result<()> {
        let Some(offset) = run.first().map(|(offset, _)| *offset).filter(|_| run.len() > 1) else {
            return run.iter_mut().try_for_each(|(offset, buf)| self.read_at(*offset, buf));
        };
        let wanted: usize = run.iter().map(|(_, buf)| buf.len()).sum();
        check_range(offset, wanted, self.length).map_err(|error| error.of_image(&self.name))?;
        let mut vectors: Vec<_> = run.iter_mut().map(|(_, buf)| IoSliceMut::new(buf)).collect();
        let mut came = match preadv(&self.file, &mut vectors, offset) {
            Ok(came) => came,
            Err(Errno::INTR) => 0,
            Err(errno) => return Err(self.failed(offset, errno.into())),
        };
        // What one call did not bring is read piece by piece.
        for (offset, buf) in run {
            let here = came.min(buf.len());
            came -= here;
            if here < buf.len() {
                self.read_at(*offset + here as u64, &mut buf[here..])?;
            }
        }
        Ok(())
    }

    fn failed(&self, offset: u64, error: io::Error) -> Error {
        let error = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::io(&*self.name, io::Error::other("the file shrank while it was read"))
            }
            _ => Error::io(&*self.name, error),
        };
        error.at(offset).placed()
    }
}

impl ReadAt for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.length).map_err(|error| error.of_image(&self.name))?;
        self.file.read_exact_at(buf, offset).map_err(|error| self.failed(offset, error))
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let follows = |(at, buf): &(u64, &mut [u8]), (next, _): &(u64, &mut [u8])| {
            at.checked_add(buf.len() as u64) == Some(*next)
        };
        for run in reads.chunk_by_mut(follows) {
            for part in run.chunks_mut(VECTORS) {
                self.read_run(part)?;
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(length: u32) -> FileSource {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&(0..length).map(|at| (at / 7) as u8).collect::<Vec<_>>()).unwrap();
        FileSource::from_file(file, "file".to_owned()).unwrap()
    }

    #[test]
    fn neighbours_and_strangers_are_read_alike() {
        let source = source(100_000);
        let wanted = [(5, 10), (15, 3000), (3015, 0), (3015, 1), (50, 7), (99_000, 1000)];
        let mut buffers: Vec<Vec<u8>> = wanted.iter().map(|(_, length)| vec![0; *length]).collect();
        let mut reads: Vec<(u64, &mut [u8])> =
            wanted.iter().zip(&mut buffers).map(|((at, _), buf)| (*at, &mut buf[..])).collect();
        source.read_many(&mut reads).unwrap();
        for ((start, _), buf) in wanted.iter().zip(&buffers) {
            for (index, byte) in buf.iter().enumerate() {
                assert_eq!(*byte, ((start + index as u64) / 7) as u8);
            }
        }
        let (mut one, mut two) = ([0; 10], [0; 10]);
        let past = source.read_many(&mut [(99_985, &mut one), (99_995, &mut two)]).unwrap_err();
        assert!(past.to_string().contains("file"), "{past}");
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let source = source(100_000);
        source.file.set_len(50_000).unwrap();
        let (mut one, mut two) = ([0; 10], [0; 10]);
        let error = source.read_many(&mut [(49_995, &mut one), (50_005, &mut two)]).unwrap_err();
        assert!(format!("{error:?}").contains("shrank"), "{error:?}");
    }

    #[test]
    fn directories_and_devices_without_positions_are_refused() {
        for path in ["/", "/dev/null"] {
            let error = FileSource::open(Path::new(path)).err().unwrap();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{error}");
        }
    }
}
