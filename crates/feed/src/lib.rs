//! What providers publish about flaws, read as they publish it.
//!
//! A feed is a file that somebody else wrote: a module a format, each of which reads records in a
//! stream and adds what they say to a [`Writer`](fathom_advisory::segment::Writer). A record that
//! makes no sense is counted, named and passed over; a file that makes no sense is an error, and
//! then no database comes of it.

#![forbid(unsafe_code)]

pub mod alpine;
mod cvss;
mod ecosystem;
pub mod epss;
mod error;
pub mod kev;
mod list;
pub mod msrc;
pub mod osv;
pub mod provider;
pub mod redhat;
mod severity;
mod source;
mod tally;
pub mod windows;

pub use error::{Error, Result};
