//! A child process that has nothing to lose.
//!
//! Whoever has to read what a stranger wrote does it in a child: [`Confined::spawn`] starts one,
//! [`enter`] is the first thing that it calls. From then on the child can compute, use the memory that
//! it was given, read the descriptors that its parent hands to it, and talk to its parent over one
//! [`Channel`]; it can open, connect, execute, trace and signal nothing. Which layers of that hold on
//! this kernel is the first thing that it tells ([`Confinement`]), and unless all do, the parent does
//! not go on without being told to.
//!
//! To the parent a child is a stranger as well: its messages are bounded, descriptors from it are
//! refused, and however it ends, the parent learns how ([`Ended`]) and lives on.
//!
//! This crate knows nothing of what is computed: no images, no documents, no runtimes.

#![forbid(unsafe_code)]

mod canceller;
mod channel;
mod child;
mod confinement;
mod ended;
mod filter;
mod limits;
mod parent;
mod rules;
mod tail;
mod usage;

pub use canceller::Canceller;
pub use channel::{Channel, Message};
pub use child::enter;
pub use confinement::Confinement;
pub use ended::{Ended, How};
pub use limits::Limits;
pub use parent::Confined;
pub use usage::Usage;
