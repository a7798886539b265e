//! The database of dpkg: one text, or in images without a shell a folder of texts.
//!
//! Changes that dpkg has not yet merged lie beside the text as numbered files, each of which
//! replaces what the text says of its packages.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ReadAt, Result};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::{package, split_epoch};
use crate::files::{Files, Read};
use crate::lines::Lines;

const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";

pub(crate) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut database =
        Database { packages: Collection::new(files, "dpkg"), changes: BTreeMap::new() };
    database.folder(files, UPDATES, is_update, |database, stanza, path| {
        if let Some(key) = stanza.key() {
            database.changes.insert(key, stanza.package(path));
        }
        ControlFlow::Continue(())
    });
    match files.open(STATUS, HIDES) {
        Read::There(reader) => {
            database.packages.at(STATUS);
            database.stanzas(STATUS, reader, |database, stanza, path| {
                match stanza.key().filter(|key| !database.changes.contains_key(key)) {
                    Some(_) => database.add(stanza.package(path)),
                    None => ControlFlow::Continue(()),
                }
            });
        }
        Read::Absent => {}
        Read::Unread(why) => database.packages.unread(why),
    }
    let changes = std::mem::take(&mut database.changes);
    for change in changes.into_values() {
        if database.add(change).is_break() {
            break;
        }
    }
    database.folder(files, STATUS_FOLDER, is_status, |database, stanza, path| {
        database.add(stanza.package(path))
    });
    database.packages.finish()
}

/// dpkg names the changes by a number.
fn is_update(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Beside each text may lie its checksums.
fn is_status(name: &str) -> bool {
    !name.ends_with(".md5sums")
}

/// A package by its name and architecture.
type Key = (String, Option<String>);

/// What was read so far.
struct Database<'a, 'b> {
    packages: Collection<'a, 'b>,
    /// What replaces what the text says; nothing where a package was taken away.
    changes: BTreeMap<Key, Option<Package>>,
}

impl Database<'_, '_> {
    /// Hands every paragraph of those files in the folder that `wanted` names to `each`.
    fn folder(
        &mut self,
        files: &Files<'_>,
        folder: &str,
        wanted: fn(&str) -> bool,
        each: impl Fn(&mut Self, Stanza, &str) -> ControlFlow<()>,
    ) {
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.packages.unread(why),
        };
        for (name, _) in children.iter().filter(|(name, _)| wanted(name)) {
            let path = format!("{folder}/{name}");
            match files.open(&path, HIDES) {
                Read::There(reader) => {
                    self.packages.at(&path);
                    self.stanzas(&path, reader, &each);
                }
                Read::Absent => {}
                Read::Unread(why) => self.packages.unread(why),
            }
        }
    }

    /// Hands every paragraph of the file to `each`.
    fn stanzas(
        &mut self,
        path: &str,
        reader: Arc<dyn ReadAt>,
        each: impl Fn(&mut Self, Stanza, &str) -> ControlFlow<()>,
    ) {
        let mut lines = Lines::new(reader);
        loop {
            let mut stanza = Stanza::default();
            match stanza.read(&mut lines) {
                Ok(true) if each(self, stanza, path).is_continue() => {}
                Ok(_) => return,
                Err(error) => {
                    let _ = self.packages.problem(error, path);
                    return;
                }
            }
        }
    }

    fn add(&mut self, package: Option<Package>) -> ControlFlow<()> {
        package.map_or(ControlFlow::Continue(()), |package| self.packages.add(package))
    }
}

/// `glibc (2.36-9)` as its two parts.
fn split_source(source: &str) -> (String, Option<String>) {
    match source.split_once(" (") {
        Some((name, version)) => {
            (name.trim().to_owned(), Some(version.trim_end().trim_end_matches(')').to_owned()))
        }
        None => (source.trim().to_owned(), None),
    }
}

/// What is wanted of one paragraph.
#[derive(Default)]
struct Stanza {
    package: Option<String>,
    status: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    source: Option<String>,
    maintainer: Option<String>,
    origin: Option<String>,
    installed_size: Option<String>,
}

impl Stanza {
    fn key(&self) -> Option<Key> {
        Some((self.package.clone()?, self.architecture.clone()))
    }

    /// The package that this is, unless it is one that is not there.
    fn package(self, path: &str) -> Option<Package> {
        let state = self.status.as_deref().and_then(|status| status.split_whitespace().nth(2));
        if state == Some("not-installed") {
            return None;
        }
        let (epoch, version) = split_epoch(self.version.as_deref()?);
        let (source, source_version) = self.source.as_deref().map(split_source).unzip();
        let size = self.installed_size.and_then(|size| size.parse::<u64>().ok()?.checked_mul(1024));
        Some(Package {
            epoch,
            state: state.filter(|state| *state != "installed").map(str::to_owned),
            source,
            source_version: source_version.flatten(),
            architecture: self.architecture,
            vendor: self.maintainer,
            origin: self.origin,
            size,
            ..package(PackageKind::Deb, self.package?, version.to_owned(), path)
        })
    }

    /// Reads the next paragraph; `false` where none follows.
    fn read(&mut self, lines: &mut Lines) -> Result<bool> {
        let mut any = false;
        while let Some(line) = lines.next()? {
            if line.iter().all(u8::is_ascii_whitespace) {
                if any {
                    return Ok(true);
                }
                continue;
            }
            any = true;
            self.line(line);
        }
        Ok(any)
    }

    fn line(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        // A line that goes on from the one above begins with a blank, and so names no field.
        let field = match name.len() {
            6 if name.eq_ignore_ascii_case(b"status") => &mut self.status,
            6 if name.eq_ignore_ascii_case(b"source") => &mut self.source,
            6 if name.eq_ignore_ascii_case(b"origin") => &mut self.origin,
            7 if name.eq_ignore_ascii_case(b"package") => &mut self.package,
            7 if name.eq_ignore_ascii_case(b"version") => &mut self.version,
            10 if name.eq_ignore_ascii_case(b"maintainer") => &mut self.maintainer,
            12 if name.eq_ignore_ascii_case(b"architecture") => &mut self.architecture,
            14 if name.eq_ignore_ascii_case(b"installed-size") => &mut self.installed_size,
            _ => return,
        };
        let value = String::from_utf8_lossy(value);
        let value = value.trim();
        *field = (!value.is_empty()).then(|| value.to_owned());
    }
}
