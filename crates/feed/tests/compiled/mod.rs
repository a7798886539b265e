//! Databases of small feeds, and what they say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test uses what it needs")]

use std::path::Path;

use fathom_advisory::segment::{About, Row, Segment};
use fathom_feed::provider::Provider;
use tempfile::TempDir;

/// The day on which databases of tests are made.
pub(crate) const BUILT: &str = "2026-01-01T00:00:00Z";

/// A database of one feed.
pub(crate) struct Compiled {
    pub(crate) folder: TempDir,
    pub(crate) about: About,
    pub(crate) provider: &'static Provider,
}

/// Compiles a feed of this name.
pub(crate) fn compile(name: &str, content: &[u8]) -> fathom_feed::Result<Compiled> {
    let folder = tempfile::tempdir().unwrap();
    let (about, provider) = add(folder.path(), name, content)?;
    Ok(Compiled { folder, about, provider })
}

/// Compiles a feed of this name into a database.
pub(crate) fn add(
    folder: &Path,
    name: &str,
    content: &[u8],
) -> fathom_feed::Result<(About, &'static Provider)> {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    let provider = Provider::of(&path).unwrap();
    Ok((provider.compile(&path, folder, BUILT)?, provider))
}

impl Compiled {
    pub(crate) fn segment(&self) -> Segment {
        Segment::open(&self.provider.path(self.folder.path())).unwrap()
    }
}

/// What a row says: the advisory, from where to where, and the state.
fn shown(segment: &Segment, row: &Row<'_>) -> String {
    let advisory = segment.advisory(row.advisory).unwrap().name.to_owned();
    let lower = row.lower.map_or("", |it| it.text);
    let upper = row.upper.map_or("", |it| it.text);
    let end = if row.is_inclusive { "]" } else { ")" };
    let of = row.qualifier.map_or(String::new(), |it| format!(" {it}"));
    format!("{advisory} [{lower},{upper}{end} {}{of}", row.state.name())
}

#[track_caller]
pub(crate) fn check(segment: &Segment, ecosystem: &str, package: &str, expected: &[&str]) {
    let namespaces = segment.namespaces().unwrap();
    let namespace = namespaces.iter().find(|it| it.name == ecosystem);
    let rows = namespace.map(|it| segment.rows(it, package).unwrap()).unwrap_or_default();
    let rows: Vec<_> = rows.iter().map(|row| shown(segment, row)).collect();
    assert_eq!(rows, expected, "{ecosystem} {package}");
}

/// An archive of files, each changed on 2025-06-01.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1_748_779_200);
        tar.append_data(&mut header, name, *content).unwrap();
    }
    zstd::encode_all(tar.into_inner().unwrap().as_slice(), 1).unwrap()
}
