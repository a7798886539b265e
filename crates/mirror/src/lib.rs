//! Databases of advisories as they are published, fetched and installed.
//!
//! A database is a set of files and a [`Manifest`] that names them with their checksums, which whoever
//! publishes it signs. It is installed as a generation beside the others, and one link says which
//! generation counts: whenever the work is interrupted, the one from before is whole and in its place.

#![forbid(unsafe_code)]

mod bundle;
mod error;
mod files;
mod install;
mod key;
mod manifest;
mod place;
mod update;

pub use bundle::{export, import};
pub use error::{Error, Result};
pub use install::{Generation, Installed, Store, discard};
pub use key::{PublicKey, SecretKey};
pub use manifest::{File, Manifest, SCHEMA, Trust};
pub use place::{Each, Folder, Mirror, Site};
pub use update::{Updated, publish, update};
