//! Where the packages of languages usually lie, for all who look without a walk over every file.

use std::collections::HashSet;

use fathom_block::Error;
use fathom_filesystem::{FileType, Found, NodeId};
use fathom_report::Evidence;

use super::HIDES;
use crate::files::{Files, Read};
use crate::walk::Entry;

/// What a list of these alone says.
pub(super) use fathom_report::USUAL_PLACES_ALONE as REASON;

/// How many files are looked at.
const MAX_ENTRIES: usize = 20_000;

/// How deep `node_modules` may lie within each other.
const MAX_NESTED: usize = 16;

/// What the folders of Python begin with.
const PYTHON: &[&str] =
    &["/usr/lib/python", "/usr/lib64/python", "/usr/local/lib/python", "/usr/local/lib64/python"];

const NODE: &[&str] =
    &["/usr/lib/node_modules", "/usr/local/lib/node_modules", "/usr/share/nodejs"];

const GEMS: &[&str] = &[
    "/var/lib/gems",
    "/usr/lib/ruby/gems",
    "/usr/local/lib/ruby/gems",
    "/usr/lib64/ruby/gems",
    "/usr/share/rubygems-integration",
];

const SPECIFICATIONS: &[&str] =
    &["/usr/share/gems/specifications", "/usr/local/share/gems/specifications"];

/// The files in the usual places, sorted, and where it was looked.
pub(super) fn entries(files: &Files<'_>, evidence: &mut Vec<Evidence>) -> Vec<Entry> {
    let mut search =
        Search { files, evidence, seen: HashSet::new(), found: Vec::new(), full: false };
    for begin in PYTHON {
        search.python(begin);
    }
    for folder in NODE {
        search.modules(folder, MAX_NESTED);
        search.looked((*folder).to_owned());
    }
    for folder in GEMS {
        for (version, _) in search.children(folder) {
            search.specifications(&format!("{folder}/{version}/specifications"));
        }
    }
    for folder in SPECIFICATIONS {
        search.specifications(folder);
    }
    search.found.sort_by(|a, b| a.path.cmp(&b.path));
    search.found.dedup_by(|a, b| a.path == b.path);
    search.found
}

struct Search<'a, 'b, 'c> {
    files: &'a Files<'b>,
    evidence: &'c mut Vec<Evidence>,
    seen: HashSet<(usize, NodeId)>,
    found: Vec<Entry>,
    full: bool,
}

impl Search<'_, '_, '_> {
    /// What the folder holds; nothing the second time that a link leads to it.
    fn children(&mut self, folder: &str) -> Vec<(String, Found)> {
        let Read::There(found) = self.files.found(folder, HIDES) else { return Vec::new() };
        if !self.seen.insert(found.place()) {
            return Vec::new();
        }
        self.files.children(folder, HIDES).there().unwrap_or_default()
    }

    /// `/usr/lib/python3.11/site-packages` and its like.
    fn python(&mut self, begin: &str) {
        let Some((folder, begin)) = begin.rsplit_once('/') else { return };
        let versions = self.files.children(folder, HIDES).there().unwrap_or_default();
        for (version, _) in versions.into_iter().filter(|(name, _)| name.starts_with(begin)) {
            for packages in ["dist-packages", "site-packages"] {
                let folder = format!("{folder}/{version}/{packages}");
                for (name, child) in self.children(&folder) {
                    let path = format!("{folder}/{name}");
                    if name.ends_with(".dist-info") {
                        if !self.file(format!("{path}/METADATA")) {
                            self.folder(path, child);
                        }
                    } else if name.ends_with(".egg-info") {
                        match child.metadata() {
                            Ok(metadata) if metadata.file_type == FileType::Directory => {
                                self.file(format!("{path}/PKG-INFO"));
                            }
                            Ok(_) => {
                                self.file(path);
                            }
                            Err(error) => self.files.note(&error, &path, HIDES),
                        }
                    }
                }
                self.looked(folder);
            }
        }
    }

    /// What a folder `node_modules` holds, and those within it.
    fn modules(&mut self, folder: &str, nested: usize) {
        for (name, _) in self.children(folder) {
            let path = format!("{folder}/{name}");
            let modules = match name.starts_with('@') {
                true => self
                    .children(&path)
                    .into_iter()
                    .map(|(name, _)| format!("{path}/{name}"))
                    .collect(),
                false => vec![path],
            };
            for module in modules {
                self.file(format!("{module}/package.json"));
                if nested > 0 {
                    self.modules(&format!("{module}/node_modules"), nested - 1);
                }
            }
        }
    }

    fn specifications(&mut self, folder: &str) {
        for folder in [folder.to_owned(), format!("{folder}/default")] {
            for (name, _) in self.children(&folder) {
                if name.ends_with(".gemspec") {
                    self.file(format!("{folder}/{name}"));
                }
            }
            self.looked(folder);
        }
    }

    /// Remembers that it was looked there, if anything was found.
    fn looked(&mut self, folder: String) {
        let begin = format!("{folder}/");
        if self.found.last().is_some_and(|entry| entry.path.starts_with(begin.as_bytes())) {
            self.evidence.push(folder.into());
        }
    }

    /// Keeps a folder that should hold metadata.
    fn folder(&mut self, path: String, found: Found) {
        match Entry::new(path.clone().into_bytes(), found) {
            Ok(entry) if super::python::metadata_of(&entry).is_some() => self.found.push(entry),
            Ok(_) => {}
            Err(error) => self.files.note(&error, &path, HIDES),
        }
    }

    /// Keeps a file; `false` if it is not there.
    fn file(&mut self, path: String) -> bool {
        if self.found.len() >= MAX_ENTRIES {
            if !self.full {
                let why = format!("there are more than {MAX_ENTRIES}");
                self.files.note(&Error::unsupported(HIDES, why), &path, HIDES);
            }
            self.full = true;
            return true;
        }
        let found = match self.files.found(&path, HIDES) {
            Read::There(found) => found,
            Read::Absent => return false,
            Read::Unread(_) => return true,
        };
        match Entry::new(path.clone().into_bytes(), found) {
            Ok(entry) if entry.is_file() => self.found.push(entry),
            Ok(_) => {}
            Err(error) => self.files.note(&error, &path, HIDES),
        }
        true
    }
}
