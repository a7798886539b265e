//! What every fuzz target does: takes the fuzzer's bytes for a sparse image and reads all of it.

#[path = "../../xtask/src/mutants/exercise.rs"]
#[allow(dead_code)]
mod exercise;
#[path = "../../xtask/src/mutants/sparse.rs"]
mod sparse;

use std::sync::Arc;

/// Reads the bytes as a container image.
pub fn container(bytes: &[u8]) {
    exercise::container_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a disk with volumes.
pub fn volumes(bytes: &[u8]) {
    exercise::volumes_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a filesystem.
pub fn filesystem(bytes: &[u8]) {
    exercise::filesystem_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a registry hive with its logs behind it.
pub fn registry(bytes: &[u8]) {
    exercise::registry_at(Arc::new(sparse::Sparse::decode(bytes)));
}
