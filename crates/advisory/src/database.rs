//! All that is known: the files of all providers, side by side in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cve::Cve;
use crate::error::{Error, Result};
use crate::segment::{Namespace, Segment};

/// What the files of a database end with.
pub const EXTENSION: &str = "advisories";

/// The link to the generation that counts, in a folder that has several.
pub const CURRENT: &str = "current";

/// A database.
#[derive(Debug)]
pub struct Database {
    folder: PathBuf,
    segments: Vec<Segment>,
}

impl Database {
    /// Opens the files of the folder, by their names: those of the generation that counts, where the
    /// folder has generations.
    pub fn open(folder: &Path) -> Result<Self> {
        let current = folder.join(CURRENT);
        // Followed once, so that all files are of one generation.
        let folder = &std::fs::canonicalize(current).unwrap_or_else(|_| folder.to_owned());
        let listed = fs::read_dir(folder).map_err(Error::io(folder, "cannot be listed"))?;
        let mut paths = Vec::new();
        for entry in listed {
            let path = entry.map_err(Error::io(folder, "cannot be listed"))?.path();
            if path.extension().is_some_and(|it| it == EXTENSION) {
                paths.push(path);
            }
        }
        paths.sort();
        let segments = paths.iter().map(|path| Segment::open(path)).collect::<Result<_>>()?;
        Ok(Self { folder: folder.to_owned(), segments })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files, by their names.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The ecosystems of all files.
    pub fn namespaces(&self) -> Result<Vec<(&Segment, Namespace<'_>)>> {
        let mut all = Vec::new();
        for segment in &self.segments {
            all.extend(segment.namespaces()?.into_iter().map(|namespace| (segment, namespace)));
        }
        Ok(all)
    }

    /// Whether anybody speaks of the flaw.
    pub fn knows(&self, cve: Cve) -> Result<bool> {
        for segment in &self.segments {
            if !segment.mentions(cve)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The file of this provider.
    pub fn provider(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.about().provider == name)
    }
}
