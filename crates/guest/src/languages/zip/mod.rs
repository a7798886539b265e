//! The archives of Java and Python: their directory at the end, and the members one by one.
//!
//! A member that is stored as it is can be read in place, so that an archive in an archive costs no
//! memory; one that is compressed is inflated under a [`Budget`]. What the directory says of a member
//! is held against what is there: two members on the same bytes, a length that is not the true one
//! and a wrong checksum are damage.

mod directory;
mod member;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};

/// How many bytes may be inflated whatever the size of the archive, how many times its size, and how
/// many at most.
const FREE: u64 = 32 << 20;
const RATIO: u64 = 64;
const MOST: u64 = 512 << 20;

/// What the reading of one file may cost, with all archives within archives.
pub(crate) struct Budget {
    /// How many bytes may still be inflated.
    bytes: u64,
}

impl Budget {
    /// The budget of a file of that size.
    pub(crate) fn of(size: u64) -> Self {
        Self { bytes: size.saturating_mul(RATIO).saturating_add(FREE).min(MOST) }
    }

    fn spend(&mut self, bytes: u64) -> Result<()> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                let why = "what is compressed in it is out of all proportion to its size";
                Err(Error::unsupported("archive", why))
            }
        }
    }
}

/// One member, as the directory describes it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Its path within the archive.
    pub(crate) name: String,
    /// How many bytes it has.
    pub(crate) size: u64,
    compressed: u64,
    header: u64,
    method: u16,
    encrypted: bool,
    checksum: u32,
}

impl Member {
    /// Whether its bytes stand in the archive as they are.
    pub(crate) fn is_stored(&self) -> bool {
        self.method == member::STORED && !self.encrypted
    }
}

/// An archive.
pub(crate) struct Zip {
    reader: Arc<dyn ReadAt>,
    directory: directory::Directory,
    /// Which bytes were read as members: from where to where.
    taken: BTreeMap<u64, u64>,
}

impl Zip {
    /// Finds the directory of the archive.
    pub(crate) fn open(reader: Arc<dyn ReadAt>) -> Result<Self> {
        let directory = directory::find(&*reader)?;
        Ok(Self { reader, directory, taken: BTreeMap::new() })
    }

    /// The members whose name is wanted, in the order of the directory; at most `limit`.
    pub(crate) fn members(
        &self,
        limit: usize,
        wanted: impl FnMut(&str) -> bool,
    ) -> Result<Vec<Member>> {
        directory::members(&*self.reader, &self.directory, limit, wanted)
    }
}
