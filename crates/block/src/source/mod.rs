//! Transports: where bytes come from before any format is known.

pub(crate) mod file;
#[cfg(feature = "http")]
pub(crate) mod http;

pub use file::FileSource;
#[cfg(feature = "http")]
pub use http::{
    Downloaded, Forbidden, HttpOptions, Network, Resolver, Secret, Signer, Web, agent, download,
    forget, is_public,
};
