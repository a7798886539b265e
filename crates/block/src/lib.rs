//! Bytes from anywhere: positional reads over any disk image format and any transport.
//!
//! [`Opener::open`] is the one door. It takes a [`Location`], finds out what format lies there, and
//! gives back [`Disk`]s whose `reader` serves the guest's bytes through the [`ReadAt`] trait. What
//! an image wants to open beside itself passes a [`Gate`].
//!
//! This crate knows nothing of partitions, filesystems, guests, serialisation or asynchronous
//! runtimes.

#![forbid(unsafe_code)]

pub mod cache;
mod error;
pub mod export;
mod fields;
mod formats;
mod gate;
mod location;
mod meter;
mod named;
mod open;
mod read;
pub mod source;

pub use error::{Error, ErrorKind, Problem, Result};
pub use fields::Fields;
pub use formats::Format;
pub use gate::{Admitted, Gate, Siblings, Wish};
pub use location::Location;
pub use meter::{Meter, Spent};
pub use open::{Disk, Layer, Opener, Snapshot};
pub use read::{MAX_ALLOCATION, ReadAt, Window, Zeros, check_range, read_array, read_vec};
