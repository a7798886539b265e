//! Names: their hash, and when two are the same.

use std::ops::ControlFlow;

use super::data::Entry;
use crate::xfs::blocks::Blocks;

/// The hash of a name (`xfs_da_hashname`).
pub(super) fn hash(name: &[u8]) -> u32 {
    let mut hash: u32 = 0;
    let mut parts = name.chunks_exact(4);
    for part in &mut parts {
        let [a, b, c, d] = [part[0], part[1], part[2], part[3]].map(u32::from);
        hash = (a << 21) ^ (b << 14) ^ (c << 7) ^ d ^ hash.rotate_left(28);
    }
    let rest = parts.remainder();
    let folded = rest.iter().fold(0, |folded, byte| folded << 7 ^ u32::from(*byte));
    match rest.len() {
        0 => hash,
        length => folded ^ hash.rotate_left(7 * length as u32),
    }
}

/// The hash where case does not count (`xfs_dir2_hashname` with ascii-ci): byte by byte.
fn hash_folded(name: &[u8]) -> u32 {
    name.iter().fold(0, |hash: u32, byte| u32::from(fold(*byte)) ^ hash.rotate_left(7))
}

/// What the kernel takes for the lower case: ASCII letters, and the letters of ISO 8859-1.
fn fold(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' | 0xC0..=0xD6 | 0xD8..=0xDE => byte + 0x20,
        _ => byte,
    }
}

/// The search for one name among entries.
pub(super) struct Search<'a> {
    name: &'a [u8],
    folded: bool,
    pub(super) hash: u32,
    exact: Option<u64>,
    /// The first that is the same but for its case.
    alike: Option<u64>,
}

impl<'a> Search<'a> {
    /// A search in a directory of this filesystem.
    pub(super) fn new(blocks: &Blocks, name: &'a [u8]) -> Self {
        let folded = blocks.superblock.features.ascii_ci;
        let hash = if folded { hash_folded(name) } else { hash(name) };
        Self { name, folded, hash, exact: None, alike: None }
    }

    /// Tries an entry; breaks when nothing better can come.
    pub(super) fn take(&mut self, entry: &Entry<'_>) -> ControlFlow<()> {
        if entry.name == self.name {
            self.exact = Some(entry.number);
            return ControlFlow::Break(());
        }
        let alike = || {
            let pairs = entry.name.iter().zip(self.name);
            entry.name.len() == self.name.len()
                && pairs.into_iter().all(|(left, right)| fold(*left) == fold(*right))
        };
        if self.folded && self.alike.is_none() && alike() {
            self.alike = Some(entry.number);
        }
        ControlFlow::Continue(())
    }

    /// The inode that was found.
    pub(super) fn found(&self) -> Option<u64> {
        self.exact.or(self.alike)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_kernel() {
        assert_eq!(hash(b"."), 0x2E);
        assert_eq!(hash(b".."), 0x172E);
        assert_eq!(hash(b""), 0);
        // Any split into fours gives what byte after byte gives.
        let plain = |name: &[u8]| {
            name.iter().fold(0u32, |hash, byte| u32::from(*byte) ^ hash.rotate_left(7))
        };
        for length in 0..40 {
            let name: Vec<u8> = (0..length).map(|at| (at * 37 + 11) as u8 | 0x80).collect();
            assert_eq!(hash(&name), plain(&name), "{length}");
        }
        assert_eq!(hash_folded(b"README"), plain(b"readme"));
    }
}
