//! The service over HTTP: the interface, who may use it, and what it tells of itself.
//!
//! One table says everything about each operation ([`route`]): its path, who may use it, what it
//! takes and what it answers. The router, the check of who calls, and the published document are made
//! from it, so that none of them can know of an operation that the others do not.

#![forbid(unsafe_code)]

mod access;
mod caller;
mod connections;
mod document;
mod guesses;
mod identify;
mod limit;
mod meters;
mod parameters;
mod password;
mod problem;
mod process;
mod route;
mod routes;
mod serve;
mod service;

pub use access::{Role, Secret, new_token};
pub use document::document;
pub use identify::Identities;
pub use password::hash_password;
pub use serve::{Bound, Ending, Tls, bind, metrics_only};
pub use service::{Rate, Rules, Service};
