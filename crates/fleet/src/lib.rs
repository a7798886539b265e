//! From a report on a machine to what the store keeps of it, and back.
//!
//! The store knows of packages, flaws and documents, and nothing of what reports and findings look
//! like. Here the one is made of the other ([`look()`]): what a machine is, what is installed, what is
//! known to be wrong with it. [`Judge`] compares reports with the database of advisories and with what
//! was decided about flaws; whatever decides that ([`Judge::with`]) is kept with each machine, so that
//! those are compared once more for which it has changed ([`rematch()`]).

#![forbid(unsafe_code)]

mod advisories;
mod judge;
mod look;
mod rematch;

pub use advisories::{Advisories, NoDatabase};
pub use judge::Judge;
pub use look::{look, word};
pub use rematch::{Rematched, rematch};
