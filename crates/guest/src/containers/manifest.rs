//! What an image says of itself: its configuration, by its digest, and the manifests that lead to it.
//! <https://github.com/opencontainers/image-spec>

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// The configuration of an image. What it says of the environment is not wanted.
#[derive(Default, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) created: Option<String>,
    #[serde(default)]
    pub(super) architecture: Option<String>,
}

/// A manifest, or an index of manifests.
#[derive(Deserialize)]
pub(super) struct Manifest {
    #[serde(default)]
    pub(super) config: Option<Descriptor>,
    #[serde(default)]
    pub(super) manifests: Option<Vec<Descriptor>>,
}

/// Where something lies.
#[derive(Deserialize)]
pub(super) struct Descriptor {
    pub(super) digest: String,
    #[serde(default)]
    pub(super) platform: Option<Platform>,
}

#[derive(Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub(super) os: String,
}

/// The part of a digest behind `sha256:`, which is the only kind in use. Nothing where it is no
/// digest: it becomes part of a path.
pub(super) fn sha256(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    is_id(hex).then_some(hex)
}

/// Whether this is a number as engines give them to containers and images.
pub(super) fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the bytes have this digest.
pub(super) fn fits(bytes: &[u8], hex: &str) -> bool {
    let sum = Sha256::digest(bytes);
    sum.iter()
        .map(|byte| format!("{byte:02x}"))
        .eq(hex.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_ascii_lowercase()))
}
