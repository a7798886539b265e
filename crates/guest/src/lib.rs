//! From files to a machine.
//!
//! [`contents()`] says what lies on each volume. [`assemble`] finds the machine's root among them and
//! mounts the rest where its own `/etc/fstab` does, so that paths mean what they mean inside the
//! guest. A filesystem that is mounted there but cannot be read, or may be on a disk that was not
//! given, is mounted too, as the reason why: nothing beneath it ever reads as "not there".
//!
//! This crate knows nothing of vulnerabilities, networks, serialisation or asynchronous runtimes.

#![forbid(unsafe_code)]

mod contents;
mod crypttab;
mod device;
mod files;
mod fstab;
mod identity;
mod inspect;
mod lines;
mod mounts;
mod namespace;
mod packages;
mod root;
mod services;
mod shell;
mod storage;
mod users;

pub use contents::{Holds, SubvolumeName, contents, holds, of_volume, open_subvolume};
pub use files::problem;
pub use inspect::{Inspection, inspect};
pub use namespace::assemble;
