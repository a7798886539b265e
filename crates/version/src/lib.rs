//! Which of two versions is newer, by the rules of those who number them.
//!
//! Every order is a module of its own, and takes whatever bytes it is given: versions come from
//! disks that others have written. Some orders compare two versions without copying. All of them,
//! behind [`Scheme`], make a key of one version, so that many can be sorted and searched by plain
//! bytes. What a kind of package numbers by which rules is for those who ask.

#![forbid(unsafe_code)]

mod apk;
mod debian;
mod dotted;
mod gem;
mod go;
mod key;
mod maven;
mod nuget;
mod packagist;
mod pacman;
mod pep440;
mod pieces;
mod prerelease;
mod rpm;
mod scheme;
mod semver;
mod uapi;
mod windows;

pub use debian::debian;
pub use pieces::by_number;
pub use rpm::{rpm, rpm_part};
pub use scheme::Scheme;
pub use uapi::uapi;
