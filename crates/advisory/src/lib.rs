//! What is known to be wrong with which versions of what, and what that means for a machine.
//!
//! What providers publish is kept in files, one a provider ([`segment`]), which are made once, never
//! changed, and looked things up in without being read. Who makes them of which feeds is no matter of
//! this crate.

#![forbid(unsafe_code)]

mod cve;
mod database;
mod day;
pub mod enrich;
mod error;
pub mod exception;
mod fleet;
mod matching;
mod plan;
pub mod risk;
pub mod segment;
pub mod vex;

pub use cve::{Cve, NoCve};
pub use database::{CURRENT, Database, EXTENSION};
pub use day::Day;
pub use enrich::{Options, TOO_MANY, count, scan, summarize};
pub use error::{Error, Kind, Result};
pub use fleet::{Fleet, Likeness};
pub use matching::{
    Opinion, REPOSITORIES, STREAMS, flaws_of, is_module_build, normalised, opinions, scheme,
};
pub use plan::plan;
