//! Every setting of the service: one file, the environment, and what is typed.
//!
//! [`Config`] is the settings as types, a file a group under `settings`. Everything else is made of
//! them: their JSON Schema ([`schema`]) says which keys there are, what each takes, and so which
//! environment variable each has and how a text is read for it ([`Setting`]). What is set wins in the
//! order flag, environment, file, default, and of each setting it is known where it came from
//! ([`Origin`]).
//!
//! [`load()`] tells every problem at once, each with its place, and hands out no settings where there is
//! one. Secrets may stand in files and variables of their own; they are resolved when they are loaded,
//! and nothing here shows one.
//!
//! This crate reads files and touches nothing else: no network, no clock. Whether what is set is there
//! on this host is for `fathom doctor`.

#![forbid(unsafe_code)]

mod check;
mod document;
mod environment;
mod file;
mod leaf;
mod load;
mod overrides;
mod page;
mod problem;
mod secret;
mod settings;
mod shape;
mod show;
mod suggest;
mod value;

pub use environment::{Environment, variable};
pub use load::{Loaded, MAX_BYTES, Refused, Sources, load, load_bytes};
pub use overrides::Overrides;
pub use page::page;
pub use problem::{Origin, Problem};
pub use secret::others_can_read;
pub use settings::*;
pub use shape::{Setting, schema, settings};
pub use value::{Address, Network, Size, Span};
