//! Files by path over a volume.
//!
//! [`detect()`] says by name what filesystem lies on a volume; [`open`] is the one door to reading
//! it. A [`Filesystem`] speaks of nodes; a [`Tree`] on top of one or several speaks of paths, the
//! way `std::fs` does, and resolves symbolic links inside the guest's own root and nowhere else.
//!
//! A snapshot of a running machine has a dirty journal. Journals are replayed in memory over the
//! read-only volume ([`Overlay`]), so that what the guest was promised to be on disk is what is
//! read.
//!
//! This crate knows nothing of guests, packages, serialisation or asynchronous runtimes.

#![forbid(unsafe_code)]

mod btrfs;
mod detect;
mod ext;
mod extent;
mod fat;
mod node;
pub mod ntfs;
mod overlay;
mod signature;
mod timestamp;
mod tree;
mod unavailable;
mod utf16;
mod xfs;

pub use detect::{Kind, detect, open};
pub use extent::{Extent, ExtentFile};
pub use node::{
    DirEntry, FileType, Filesystem, Health, Info, Metadata, NodeId, Stream, Subvolume, Visit, Xattr,
};
pub use overlay::Overlay;
pub use timestamp::Timestamp;
pub use tree::{Children, Entered, Found, MAX_SYMLINKS, Mount, Step, Tree, Walk, join};
pub use unavailable::Unavailable;
