//! What the readers of configuration put together, each file by file.

use std::collections::HashSet;

use fathom_block::Error;
use fathom_filesystem::FileType;
use fathom_report::{Evidence, Interface, PersistentName, Route};

use super::{address, glob};
use crate::files::{Files, Read};

/// What the report loses if a file cannot be read.
pub(super) const HIDES: &str = "configuration of the network";

/// How many things that could not be understood are told one by one.
const MAX_ODD: usize = 64;

/// How many patterns are expanded, and into how many folders that looks.
const MAX_PATTERNS: usize = 256;
const MAX_FOLDERS: usize = 4096;

/// How many bytes of configuration are read.
const MAX_BYTES: usize = 64 << 20;

/// The longest name; it is written beside everything that belongs to it.
const MAX_NAME: usize = 255;

/// The most interfaces, routes or files of one machine; what has more was made to take our time.
const MAX_ITEMS: usize = 16_384;

/// Interfaces, routes and what else the files that configure them say.
pub(super) struct Connections<'a, 'b> {
    pub(super) files: &'a Files<'b>,
    pub(super) interfaces: Vec<Interface>,
    pub(super) routes: Vec<Route>,
    pub(super) names: Vec<PersistentName>,
    /// Servers and domains for the whole system, which stand among the interfaces.
    pub(super) nameservers: Vec<String>,
    pub(super) search: Vec<String>,
    /// What was read.
    pub(super) places: Vec<Evidence>,
    odd: usize,
    patterns: usize,
    /// How many folders may still be looked into, and how many bytes may still be read.
    folders: usize,
    bytes: usize,
}

impl<'a, 'b> Connections<'a, 'b> {
    pub(super) fn new(files: &'a Files<'b>) -> Self {
        Self {
            files,
            interfaces: Vec::new(),
            routes: Vec::new(),
            names: Vec::new(),
            nameservers: Vec::new(),
            search: Vec::new(),
            places: Vec::new(),
            odd: 0,
            patterns: 0,
            folders: MAX_FOLDERS,
            bytes: MAX_BYTES,
        }
    }

    /// The text of a file that configures something. What cannot be read is noted.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        if self.bytes == 0 {
            self.odd(path, format!("more than {} MiB would have been read", MAX_BYTES >> 20));
            return None;
        }
        match self.files.text(path, HIDES) {
            Read::There(text) => {
                self.bytes = self.bytes.saturating_sub(text.len());
                self.places.push(path.into());
                Some(text)
            }
            Read::Absent | Read::Unread(_) => None,
        }
    }

    /// Whether there is a file at the path, and no folder.
    pub(super) fn is_file(&self, path: &str) -> bool {
        let found = self.files.found(path, HIDES).there();
        found.is_some_and(|found| {
            // Reading it says what is wrong with it.
            found.metadata().map_or(true, |metadata| metadata.file_type == FileType::File)
        })
    }

    /// Whether the file belongs to another than root, or others may read it: what may hold passwords is
    /// refused then.
    pub(super) fn others_may_touch(&self, path: &str) -> bool {
        let found = self.files.found(path, HIDES).there();
        let metadata = found.and_then(|found| found.metadata().ok());
        metadata.is_some_and(|metadata| metadata.uid != 0 || metadata.mode & 0o077 != 0)
    }

    /// Something at `path` could not be understood, so that the lists are not complete.
    pub(super) fn odd(&mut self, path: &str, why: impl Into<String>) {
        self.odd += 1;
        if self.odd <= MAX_ODD {
            self.files.note(&Error::invalid(path, why), path, HIDES);
        }
    }

    /// The paths that a pattern in the file at `path` stands for.
    pub(super) fn expand(&mut self, path: &str, pattern: &str) -> Vec<String> {
        self.patterns += 1;
        if self.patterns > MAX_PATTERNS {
            self.odd(path, "it includes more than a configuration does");
            return Vec::new();
        }
        let paths = glob::expand(self.files, pattern, &mut self.folders);
        paths.unwrap_or_else(|| {
            self.odd(path, format!("{} stands for too many files", shown(pattern)));
            Vec::new()
        })
    }

    /// Adds an interface.
    pub(super) fn interface(&mut self, interface: Interface) {
        if self.interfaces.len() < MAX_ITEMS {
            self.interfaces.push(interface);
        } else {
            let path = interface.evidence.first().map_or("", |place| &place.0).to_owned();
            self.odd(&path, format!("there are more than {MAX_ITEMS} interfaces"));
        }
    }

    /// Adds a route.
    pub(super) fn route(&mut self, route: Route) {
        if self.routes.len() < MAX_ITEMS {
            self.routes.push(route);
        } else {
            let path = route.evidence.0.clone();
            self.odd(&path, format!("there are more than {MAX_ITEMS} routes"));
        }
    }

    /// The address if it is one: `192.0.2.7/24`. Anything else is noted.
    pub(super) fn address(&mut self, path: &str, text: &str) -> Option<String> {
        let text = text.trim();
        if address::is_address(text) {
            return Some(text.to_owned());
        }
        self.odd(path, format!("{} is no address", shown(text)));
        None
    }

    /// The number if it is one. Anything else is noted.
    pub(super) fn number<T: std::str::FromStr>(&mut self, path: &str, text: &str) -> Option<T> {
        let number = text.trim().parse().ok();
        if number.is_none() {
            self.odd(path, format!("{} is no number that it could be", shown(text)));
        }
        number
    }

    /// Takes away what is said twice.
    pub(super) fn tidy(&mut self) {
        for interface in &mut self.interfaces {
            let lists = [
                &mut interface.addresses,
                &mut interface.gateways,
                &mut interface.nameservers,
                &mut interface.search,
                &mut interface.members,
            ];
            lists.into_iter().for_each(once);
            let mut seen = HashSet::new();
            interface.evidence.retain(|place| seen.insert(place.clone()));
        }
        once(&mut self.nameservers);
        once(&mut self.search);
        let mut seen = HashSet::new();
        self.places.retain(|place| seen.insert(place.clone()));
    }
}

/// Keeps the first of everything.
pub(super) fn once(list: &mut Vec<String>) {
    let mut seen = HashSet::new();
    list.retain(|one| seen.insert(one.clone()));
}

/// An interface of which only the name is known.
pub(super) fn interface(name: &str, manager: &str, path: &str) -> Interface {
    Interface {
        name: short(name),
        manager: manager.to_owned(),
        evidence: vec![path.into()],
        ..Interface::default()
    }
}

/// The name, or its beginning where no interface could be called so.
pub(super) fn short(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The beginning of what somebody wrote, for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let mut start: String = text.chars().take(MOST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("{start:?}")
}
