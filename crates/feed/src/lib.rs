//! What providers publish about flaws, read as they publish it.
//!
//! A feed is a file that somebody else wrote: a module a format, each of which reads records in a
//! stream and adds what they say to a [`Writer`](fathom_advisory::segment::Writer). A record that
//! makes no sense is counted, named and passed over; a file that makes no sense is an error, and
//! then no database comes of it.

#![forbid(unsafe_code)]

pub mod alpine;
pub mod amazon;
pub mod arch;
mod archive;
mod cvss;
pub mod debian;
mod ecosystem;
pub mod endoflife;
pub mod epss;
mod error;
mod json;
pub mod kev;
mod known;
mod list;
pub mod msrc;
pub mod nvd;
pub mod oracle;
pub mod osv;
pub mod photon;
pub mod provider;
pub mod redhat;
mod severity;
mod source;
mod tally;
mod unpack;
pub mod windows;
mod xml;

pub use error::{Error, Result};
