//! What every fuzz target does: takes the fuzzer's bytes for a sparse image and reads all of it.

#[path = "../../xtask/src/mutants/exercise.rs"]
#[allow(dead_code)]
mod exercise;
#[path = "../../crates/guest/src/memory.rs"]
#[allow(dead_code)]
mod memory;
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

/// Reads the bytes as the header of a package of rpm.
pub fn rpm_header(bytes: &[u8]) {
    exercise::rpm_header_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a database of rpm in SQLite.
pub fn rpm_sqlite(bytes: &[u8]) {
    exercise::rpm_sqlite_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a database of rpm in Berkeley DB.
pub fn rpm_bdb(bytes: &[u8]) {
    exercise::rpm_bdb_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a database of rpm in the container of SUSE.
pub fn rpm_ndb(bytes: &[u8]) {
    exercise::rpm_ndb_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the hives, the boot menu and the kernel of a Windows.
pub fn windows(bytes: &[u8]) {
    exercise::windows_at(Arc::new(sparse::Sparse::decode(bytes)));
}
