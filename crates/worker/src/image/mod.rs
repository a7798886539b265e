//! An image that a stranger made, read by a child process that has nothing to lose.
//!
//! [`Images`] opens what a request names, beneath the configured [`Roots`] and nowhere else, compares
//! it with the checksum that came with it, and starts a confined child ([`child::main`]), which is
//! handed descriptors or has its reads made for it. All parsing happens in the child. What it wants to
//! open besides, such as a backing file, it asks for; what it found comes back as the bytes of a
//! report, which are believed as far as they are one.
//!
//! Where there is a checksum, what is parsed is byte for byte what had it: the bytes are read through
//! [`checksum::Verified`], which remembers the checksum of every stretch from when the whole was
//! compared. Swapping the file, or changing it in place, in between is an error.

pub mod address;
mod bucket;
pub mod checksum;
pub mod child;
mod failure;
mod inspect;
mod request;
mod roots;
mod session;
mod verifications;
mod wire;

pub use fathom_confine::Limits as ChildLimits;

pub use bucket::Buckets;
pub use failure::{Code, Failure, Phase, Refusal};
pub use inspect::{Images, Limits, Outcome, Progress, Sum};
pub(crate) use request::check;
pub use request::{Content, Image, Inspection, Key};
pub use roots::Roots;
