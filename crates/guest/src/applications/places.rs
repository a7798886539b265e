//! Where something lies: known places, and folders whose names vary.

use std::collections::HashMap;

use fathom_block::Error;

use super::HIDES;
use super::pattern::matched;
use crate::files::{Files, Read};

/// How many places one trace leads to. Nobody keeps as many Java machines.
const MAX_PLACES: usize = 256;

/// A place that is there.
pub(super) struct Place {
    /// Where it lies.
    pub(super) home: String,
    /// What it was recognised by.
    pub(super) file: String,
    /// What the last version in the path stands for, or without one the last wild card.
    pub(super) matched: Option<String>,
    /// The same for the same place by another name.
    pub(super) identity: (usize, u64),
}

/// Looks for places; every folder is listed once.
pub(super) struct Places<'a, 'b> {
    pub(super) files: &'a Files<'b>,
    listed: HashMap<String, Vec<String>>,
}

impl<'a, 'b> Places<'a, 'b> {
    pub(super) fn new(files: &'a Files<'b>) -> Self {
        Self { files, listed: HashMap::new() }
    }

    /// The places that the path of a trace leads to.
    pub(super) fn of(&mut self, path: &str) -> Vec<Place> {
        let (home, rest) = path.split_once(':').unwrap_or((path, ""));
        let mut places = Vec::new();
        for (home, of_home) in self.expanded(String::new(), home) {
            for (file, of_rest) in self.expanded(home.clone(), rest) {
                let Some(found) = self.files.found(&file, HIDES).there() else { continue };
                let found = if rest.is_empty() {
                    found
                } else {
                    match self.files.found(&home, HIDES).there() {
                        Some(home) => home,
                        None => continue,
                    }
                };
                let (mount, node) = found.place();
                places.push(Place {
                    home: home.clone(),
                    file,
                    matched: of_rest.or_else(|| of_home.clone()),
                    identity: (mount, node.inode),
                });
            }
        }
        if places.len() > 1 {
            // Of two names of one place the real one is told.
            let files = self.files;
            places.sort_by_cached_key(|it| files.link(&it.home, HIDES).there().is_some());
        }
        if places.len() > MAX_PLACES {
            let why = format!("{} places fit {path}; {MAX_PLACES} are read", places.len());
            self.files.note(&Error::unsupported("applications", why), path, HIDES);
            places.truncate(MAX_PLACES);
        }
        places
    }

    /// The paths that `pattern` stands for beneath `start`, those without wild cards untried.
    fn expanded(&mut self, start: String, pattern: &str) -> Vec<(String, Option<String>)> {
        let mut paths = vec![(start, None)];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            if !part.contains(['#', '*']) {
                for (path, _) in &mut paths {
                    path.push('/');
                    path.push_str(part);
                }
                continue;
            }
            let mut next = Vec::new();
            for (path, _) in paths {
                for name in self.names(&path) {
                    if next.len() <= MAX_PLACES
                        && let Some(matched) = matched(part, name)
                    {
                        next.push((format!("{path}/{name}"), matched.map(str::to_owned)));
                    }
                }
            }
            paths = next;
        }
        paths
    }

    fn names(&mut self, folder: &str) -> &[String] {
        let files = self.files;
        self.listed.entry(folder.to_owned()).or_insert_with(|| {
            match files.children(folder, HIDES) {
                Read::There(children) => children.into_iter().map(|(name, _)| name).collect(),
                Read::Absent | Read::Unread(_) => Vec::new(),
            }
        })
    }
}
