//! Texts that mask themselves wherever they are shown.
//!
//! A [`Secret`] shows nothing of itself, a [`SecretUrl`] shows where it leads and not by which right.
//! Both give their text by `expose()` alone, so that a search for that word finds every place that a
//! secret can leave by. With the feature `serde` they are read from documents and written masked.

#![forbid(unsafe_code)]

mod masked;
mod url;

pub use masked::{MASK, Secret};
pub use url::SecretUrl;

#[cfg(feature = "serde")]
mod document;
