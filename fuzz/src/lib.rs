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

/// Reads the bytes as an archive of Java.
pub fn jar(bytes: &[u8]) {
    exercise::jar_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a program.
pub fn program(bytes: &[u8]) {
    exercise::program_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as one of the texts in which languages write down what is installed.
pub fn metadata(bytes: &[u8]) {
    exercise::metadata_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as files that configure the network and start services.
pub fn network(bytes: &[u8]) {
    exercise::network_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the files of a whole system.
pub fn system(bytes: &[u8]) {
    exercise::system_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the file of a rule, as they are, and runs its fixtures.
pub fn rule(bytes: &[u8]) {
    if let Ok(rule) = fathom_profile::Rule::parse("p", "x", &String::from_utf8_lossy(bytes)) {
        // What they come to is not known here.
        let _ = fathom_profile::run_fixtures(&rule);
    }
}

/// Reads the bytes as the file of settings, as they are, and shows what came of it.
pub fn config(bytes: &[u8]) {
    use fathom_config::{Environment, Overrides, load_bytes};
    match load_bytes("f.yaml", bytes, &Environment::default(), &Overrides::new()) {
        Ok(loaded) => drop(loaded.to_yaml(true)),
        Err(refused) => assert!(!refused.problems.is_empty()),
    }
}

/// Reads the bytes as an initial filesystem, and as a kernel.
pub fn initramfs(bytes: &[u8]) {
    exercise::initramfs_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the script of GRUB and what it reads.
pub fn grub(bytes: &[u8]) {
    exercise::grub_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as every text that says how a system is guarded.
pub fn security_text(bytes: &[u8]) {
    exercise::security_text_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as certificates.
pub fn certificate(bytes: &[u8]) {
    exercise::certificate_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the databases of bbolt that engines of containers keep.
pub fn bolt(bytes: &[u8]) {
    exercise::bolt_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the documents that Docker keeps.
pub fn docker(bytes: &[u8]) {
    exercise::docker_at(Arc::new(bytes.to_vec()));
}

/// Reads the bytes as the hives, the boot menu and the kernel of a Windows.
pub fn windows(bytes: &[u8]) {
    exercise::windows_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as versions, a line each.
pub fn version(bytes: &[u8]) {
    exercise::version_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a file of a database of advisories.
pub fn segment(bytes: &[u8]) {
    exercise::advisory::segment_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as the feed that the first line names.
pub fn feed(bytes: &[u8]) {
    exercise::advisory::feed_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a bill of materials or an index of another's.
pub fn document(bytes: &[u8]) {
    exercise::intake::document_at(Arc::new(sparse::Sparse::decode(bytes)));
}

/// Reads the bytes as a VEX document, and as a list of exceptions.
pub fn vex(bytes: &[u8]) {
    exercise::advisory::vex_at(Arc::new(bytes.to_vec()));
}
