//! The bytes of a file, mapped into memory.
//!
//! Databases of advisories are larger than what a scan needs of them, so they are not read but
//! mapped. That is the one thing in this workspace that the language cannot check, and it stands
//! here alone.

#![allow(unsafe_code, reason = "a mapping of a file is unsafe to make; nothing else here is")]

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// A file whose bytes can be looked at as if they had been read.
#[derive(Debug)]
pub struct Map(Mmap);

impl Map {
    /// Maps all of the file.
    ///
    /// The file must be one that nobody changes in place, as databases are, which are replaced by
    /// renaming: were it cut short meanwhile, the process would be stopped by a signal.
    pub fn of(file: &File) -> io::Result<Self> {
        // SAFETY: the mapping is read-only and private, and is looked at as bytes, of which every
        // value is valid. A change beneath it by another process can make two reads differ; whoever
        // reads checks each number where it uses it and keeps no assumption between two reads.
        unsafe { Mmap::map(file) }.map(Self)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn shows_what_the_file_holds() -> io::Result<()> {
        let path = std::env::temp_dir().join(format!("fathom-map-{}", std::process::id()));
        File::create(&path)?.write_all(b"soundings")?;
        let map = Map::of(&File::open(&path)?)?;
        std::fs::remove_file(path)?;
        assert_eq!(&*map, b"soundings");
        Ok(())
    }
}
