//! Which of two versions is newer, by the rules of those who number them.
//!
//! Every order is a module of its own, compares without copying, and takes whatever bytes it is given:
//! versions come from disks that others have written. What a kind of package numbers by which rules is
//! for those who ask.

#![forbid(unsafe_code)]

mod debian;
mod pieces;
mod rpm;
mod uapi;

pub use debian::debian;
pub use pieces::by_number;
pub use rpm::{rpm, rpm_part};
pub use uapi::uapi;
