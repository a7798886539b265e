//! Inline data: what is so short that it fits into the inode.
//!
//! The first sixty bytes take the place of the block numbers, what is more is the value of the
//! hidden attribute `system.data`. A directory keeps its parent in the first four bytes and
//! entries in the rest of either part.

use std::ops::ControlFlow;

use fathom_block::Result;

use super::directory::{self, Visit, WHAT};
use super::inode::{I_BLOCK_SIZE, Inode};
use super::store::Store;
use super::xattr;

/// A directory's parent, before its entries.
const PARENT: usize = 4;

/// The bytes of a file or link.
pub(super) fn bytes(inode: &Inode) -> Result<Vec<u8>> {
    let mut bytes = inode.i_block()?.as_bytes().to_vec();
    if let Some(rest) = xattr::system_data(inode)? {
        bytes.extend_from_slice(rest.as_bytes());
    }
    if inode.size > bytes.len() as u64 {
        let why = format!("it has {} bytes, but keeps only {} inline", inode.size, bytes.len());
        return Err(inode.corrupt(4, why));
    }
    bytes.truncate(inode.size as usize);
    Ok(bytes)
}

/// Shows the names of a directory.
pub(super) fn scan(store: &Store, directory: &Inode, visit: Visit<'_>) -> Result<()> {
    let first = directory.i_block()?.part(WHAT, PARENT, I_BLOCK_SIZE - PARENT)?;
    // The rest is seen even where the first part is damaged.
    let outcome = directory::entries(store, directory, &first, visit);
    if matches!(outcome, Ok(ControlFlow::Break(()))) {
        return Ok(());
    }
    if let Some(rest) = xattr::system_data(directory)?.filter(|rest| !rest.is_empty()) {
        let _ = directory::entries(store, directory, &rest, visit)?;
    }
    outcome.map(|_| ())
}
