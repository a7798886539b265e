//! The database of dpkg: one text, or in images without a shell a folder of texts.
//!
//! Changes that dpkg has not yet merged lie beside the text as numbered files, each of which
//! replaces what the text says of its packages.

use std::collections::HashMap;
use std::sync::Arc;

use fathom_block::{ReadAt, Result};
use fathom_report::{Evidence, Listing, Package, PackageKind};

use super::HIDES;
use crate::files::{Files, Read};
use crate::lines::Lines;

const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";

/// No system has as many packages.
const MAX_PACKAGES: usize = 1 << 20;

pub(crate) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut database = Database::default();
    let mut there = false;
    match files.open(STATUS, HIDES) {
        Read::There(reader) => {
            there = true;
            database.file(files, STATUS, reader);
        }
        Read::Absent => {}
        Read::Unread(why) => database.incomplete(why),
    }
    for (folder, wanted) in [(UPDATES, is_update as fn(&str) -> bool), (STATUS_FOLDER, is_status)] {
        match files.children(folder, HIDES) {
            Read::There(children) => {
                there |= folder == STATUS_FOLDER;
                for (name, _) in children.iter().filter(|(name, _)| wanted(name)) {
                    let path = format!("{folder}/{name}");
                    match files.open(&path, HIDES) {
                        Read::There(reader) => database.file(files, &path, reader),
                        Read::Absent => {}
                        Read::Unread(why) => database.incomplete(why),
                    }
                }
            }
            Read::Absent => {}
            Read::Unread(why) => database.incomplete(why),
        }
    }
    (there || database.hidden.is_some()).then(|| database.finish(there))
}

/// dpkg names the changes by a number.
fn is_update(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Beside each text may lie its checksums.
fn is_status(name: &str) -> bool {
    !name.ends_with(".md5sums")
}

/// What was read so far.
#[derive(Default)]
struct Database {
    packages: Vec<Package>,
    /// Where each is, by its name and architecture.
    index: HashMap<(String, Option<String>), usize>,
    places: Vec<Evidence>,
    hidden: Option<String>,
}

impl Database {
    fn incomplete(&mut self, why: String) {
        self.hidden.get_or_insert(why);
    }

    fn file(&mut self, files: &Files<'_>, path: &str, reader: Arc<dyn ReadAt>) {
        self.places.push(path.into());
        let mut lines = Lines::new(reader);
        let mut stanza = Stanza::default();
        loop {
            match stanza.read(&mut lines) {
                Ok(true) if self.packages.len() < MAX_PACKAGES => {
                    self.add(std::mem::take(&mut stanza), path);
                }
                Ok(true) => {
                    self.incomplete(format!("{path} names more than {MAX_PACKAGES} packages"));
                    return;
                }
                Ok(false) => return,
                Err(error) => {
                    let error = error.within(path);
                    files.note(&error, path, HIDES);
                    self.incomplete(error.to_string());
                    return;
                }
            }
        }
    }

    fn add(&mut self, stanza: Stanza, path: &str) {
        let Some(name) = stanza.package else { return };
        let key = (name.clone(), stanza.architecture.clone());
        let known = self.index.get(&key).copied();
        let state = stanza.status.as_deref().and_then(|status| status.split_whitespace().nth(2));
        if state == Some("not-installed") || stanza.version.is_none() {
            if let Some(at) = known {
                self.packages[at].version.clear();
            }
            return;
        }
        let (epoch, version) = split_epoch(stanza.version.as_deref().unwrap_or_default());
        let (source, source_version) = match stanza.source.as_deref().map(split_source) {
            Some((source, version)) => (Some(source), version),
            None => (None, None),
        };
        let package = Package {
            kind: PackageKind::Deb,
            name,
            version,
            epoch,
            release: None,
            architecture: stanza.architecture,
            source,
            source_version,
            licence: None,
            vendor: stanza.maintainer,
            origin: stanza.origin,
            module: None,
            signature: None,
            installed: None,
            size: stanza
                .installed_size
                .and_then(|size| size.parse::<u64>().ok()?.checked_mul(1024)),
            state: state.filter(|state| *state != "installed").map(str::to_owned),
            checksum: None,
            location: None,
            evidence: path.into(),
        };
        match known {
            Some(at) => self.packages[at] = package,
            None => {
                self.index.insert(key, self.packages.len());
                self.packages.push(package);
            }
        }
    }

    fn finish(mut self, there: bool) -> Listing<Package> {
        // Taken away by a change that was not yet merged.
        self.packages.retain(|package| !package.version.is_empty());
        let mut listing = match (there, self.hidden.take()) {
            (false, why) => return Listing::unknown(why.unwrap_or_default()),
            (true, Some(why)) => {
                let mut listing = Listing::complete(self.packages, self.places);
                listing.hide(why);
                return listing;
            }
            (true, None) => Listing::complete(self.packages, self.places),
        };
        if listing.items.is_empty() {
            listing.reason = Some("the database of dpkg names no package".to_owned());
        }
        listing
    }
}

/// `1:2.3-4` as 1 and `2.3-4`.
fn split_epoch(version: &str) -> (Option<u32>, String) {
    match version.split_once(':') {
        Some((epoch, rest)) if epoch.parse::<u32>().is_ok() => {
            (epoch.parse().ok(), rest.to_owned())
        }
        _ => (None, version.to_owned()),
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
