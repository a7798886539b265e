//! Lists of components and indexes that others wrote, as reports.
//!
//! A bill of materials (CycloneDX, SPDX) or an index of Clair and its kin tells what is installed and
//! little else. It becomes a report of which the rest is unknown, so that whatever asks reports asks
//! it. What a document is, its content says. What of it cannot be used is counted by reason and keeps
//! the list from being complete: it is never dropped in silence. Of several distributions in one list
//! none is guessed.

#![forbid(unsafe_code)]

mod component;
mod cyclonedx;
mod distribution;
mod draft;
mod error;
mod index;
mod kind;
mod lenient;
mod purl;
mod spdx;

use fathom_report::Report;
use fathom_report::finding::Unscanned;

pub use error::{Error, ErrorKind, Result};
pub use kind::{Kind, kind};

/// The largest document that is read.
pub const MAX_DOCUMENT: usize = 64 << 20;

/// The most packages that are taken of one document.
pub const MAX_PACKAGES: usize = 250_000;

/// What was taken of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// What it says is installed.
    pub report: Report,
    /// What of it could not be used, by reason. The lists of the report say so too.
    pub passed_over: Vec<Unscanned>,
}

/// Reads a document of another's.
pub fn read(bytes: &[u8]) -> Result<Taken> {
    if bytes.len() > MAX_DOCUMENT {
        let why = format!("it has more than {MAX_DOCUMENT} bytes, which is the most that is read");
        return Err(Error::unsupported(why));
    }
    let bytes = kind::without_mark(bytes);
    match kind(bytes)? {
        Kind::Cyclonedx => cyclonedx::read(bytes),
        Kind::Spdx => spdx::json(bytes),
        Kind::SpdxTagValue => spdx::tag_value(bytes),
        Kind::Index => index::read(bytes),
        kind => Err(Error::foreign(format!("it is a document of the kind {kind}"))),
    }
}
