//! Tells others of what has happened.
//!
//! What is to be told are rows of the store, written in the transaction in which it happened. Any number
//! of processes may run a [`Deliverer`] each: what one has claimed the others leave alone, and where it
//! dies with it, it is claimed again. So each message arrives at least once, and normally once; it bears
//! an id by which a second one is known.
//!
//! Addresses come from the settings, and still lead nowhere inside unless the settings say so: every
//! address that a name leads to is judged when a connection is made, and redirects are not followed.

#![forbid(unsafe_code)]

mod deliverer;
mod endpoint;
mod signature;

pub use deliverer::Deliverer;
pub use endpoint::Endpoint;
pub use signature::sign;
