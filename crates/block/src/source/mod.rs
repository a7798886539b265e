//! Transports: where bytes come from before any format is known.

pub(crate) mod file;

pub use file::FileSource;
