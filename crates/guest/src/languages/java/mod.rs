//! Java: archives, and those within them.
//!
//! A library built by Maven says what it is in a `pom.properties`. One that others were put into, a
//! *shaded* one, has theirs as well, and each is a package. Where none speaks for the archive itself
//! its name and its manifest do. An application carries libraries as archives of their own, as
//! Spring Boot does in `BOOT-INF/lib`, and these may carry some again.
//!
//! An archive may be a program as well, with a script before it, and then mostly has no ending.

mod identity;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};
use fathom_report::PackageKind;
use sha1::{Digest as _, Sha1};

use super::finds::{Finds, told};
use super::headers::{self, Folding, value};
use super::zip::{Budget, Member, Zip};
use crate::walk::Entry;
use identity::{Coordinates, of_manifest, of_properties};

/// How the names of archives end.
const SUFFIXES: &[&str] =
    &[".jar", ".war", ".ear", ".jpi", ".hpi", ".par", ".sar", ".nar", ".kar", ".lpkg"];

/// How deep archives may lie in each other. An application server has three levels.
const MAX_NESTED: usize = 6;

/// How many archives may lie in one file, in whatever depth.
const MAX_ARCHIVES: usize = 10_000;

/// How many members of one archive are read.
const MAX_MEMBERS: usize = 1 << 14;

/// The longest manifest or `pom.properties` that is read.
const MAX_TEXT: u64 = 1 << 20;

/// The largest compressed archive within another: it has to be held in memory. Those that are stored
/// as they are, as Spring Boot does it, are read in place.
const MAX_INFLATED: u64 = 48 << 20;

/// The largest archive that a checksum is made of.
const MAX_HASHED: u64 = 512 << 20;

/// What every archive of Java has.
const MANIFEST: &str = "META-INF/MANIFEST.MF";

/// The shortest program that is taken for an archive: scripts are mostly shorter.
const SHORTEST_PROGRAM: u64 = 16 << 10;

/// Whether it is a program that may be an archive, although its name does not say so.
pub(super) fn recognise_program(entry: &Entry) -> bool {
    let metadata = &entry.metadata;
    metadata.mode & 0o111 != 0 && metadata.size >= SHORTEST_PROGRAM && !recognise(entry)
}

/// The packages in a program, if it is an archive of Java.
pub(super) fn read_program(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let reader = entry.open()?;
    let mut start = [0; 2];
    reader.read_at(0, &mut start)?;
    if !matches!(&start, b"PK" | b"#!") {
        return Ok(());
    }
    // Most scripts are no archives, and not every archive is of Java.
    let manifest = Zip::open(reader).and_then(|zip| zip.members(1, |name| name == MANIFEST));
    match manifest {
        Ok(manifest) if !manifest.is_empty() => read(entry, finds),
        _ => Ok(()),
    }
}

pub(super) fn recognise(entry: &Entry) -> bool {
    std::str::from_utf8(&entry.path).is_ok_and(is_archive)
}

fn is_archive(name: &str) -> bool {
    let end = name.rfind('.').map_or("", |dot| &name[dot..]);
    SUFFIXES.iter().any(|suffix| end.eq_ignore_ascii_case(suffix))
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let reader = entry.open()?;
    let mut search = Search { finds, budget: Budget::of(reader.len()), archives: 0 };
    let place = search.finds.place().to_owned();
    search.archive(reader, &place, 0)
}

/// The search through one file and all archives in it.
struct Search<'a> {
    finds: &'a mut Finds,
    budget: Budget,
    archives: usize,
}

impl Search<'_> {
    /// The packages in the archive that lies at `place`, so many archives deep.
    fn archive(&mut self, reader: Arc<dyn ReadAt>, place: &str, depth: usize) -> Result<()> {
        let mut zip = Zip::open(Arc::clone(&reader))?;
        let members = zip.members(MAX_MEMBERS, |name| {
            name == MANIFEST || is_properties(name) || is_archive(name)
        })?;
        let (mut manifest, mut poms) = (Vec::new(), Vec::new());
        for member in members.iter().filter(|member| !is_archive(&member.name)) {
            let text = match zip.read(member, MAX_TEXT, &mut self.budget) {
                Ok(text) => text,
                Err(error) => {
                    self.problem(error, place);
                    continue;
                }
            };
            match is_properties(&member.name) {
                true => poms.extend(of_properties(&text)),
                false => manifest = headers::read(&text, Folding::Joined),
            }
        }
        self.packages(&*reader, place, &manifest, poms);
        for member in members.iter().filter(|member| is_archive(&member.name)) {
            if let Err(error) = self.nested(&mut zip, member, place, depth) {
                self.problem(error.within(&member.name), place);
            }
        }
        Ok(())
    }

    fn nested(&mut self, zip: &mut Zip, member: &Member, place: &str, depth: usize) -> Result<()> {
        if depth >= MAX_NESTED {
            let why = format!("archives lie in each other more than {MAX_NESTED} deep");
            return Err(Error::unsupported("archive", why));
        }
        self.archives += 1;
        if self.archives > MAX_ARCHIVES {
            let why = format!("more than {MAX_ARCHIVES} archives lie in it");
            return Err(Error::unsupported("archive", why));
        }
        let inner: Arc<dyn ReadAt> = match member.is_stored() {
            true => Arc::new(zip.data(member)?),
            false => Arc::new(zip.read(member, MAX_INFLATED, &mut self.budget)?),
        };
        self.archive(inner, &format!("{place}!/{}", member.name), depth + 1)
    }

    fn problem(&mut self, error: Error, place: &str) {
        let error = match place == self.finds.place() {
            true => error,
            false => error.within(place),
        };
        self.finds.problem(error);
    }

    /// The archive itself, and what was put into it.
    fn packages(
        &mut self,
        reader: &dyn ReadAt,
        place: &str,
        manifest: &[(String, String)],
        mut poms: Vec<Coordinates>,
    ) {
        let name = place.rsplit('/').next().unwrap_or(place);
        let itself = match poms.iter().position(|pom| pom.is_file(name)) {
            Some(index) => Some(poms.remove(index)),
            None if poms.len() == 1 => poms.pop(),
            None => of_manifest(manifest, name),
        };
        if let Some(itself) = itself {
            let found = self.finds.add(PackageKind::Maven, &itself.name(), &itself.version, place);
            if let Some(found) = found {
                found.checksum = checksum(reader);
                let says = |name| value(manifest, name).and_then(told);
                found.licence = says("Bundle-License");
                found.vendor = says("Implementation-Vendor").or_else(|| says("Bundle-Vendor"));
            }
        }
        for pom in poms {
            self.finds.add(PackageKind::Maven, &pom.name(), &pom.version, place);
        }
    }
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
fn is_properties(name: &str) -> bool {
    let inside = name.strip_prefix("META-INF/maven/");
    let inside = inside.and_then(|name| name.strip_suffix("/pom.properties"));
    inside.is_some_and(|name| name.split('/').count() == 2)
}

/// The SHA-1 of the archive, which repositories know it by.
fn checksum(reader: &dyn ReadAt) -> Option<String> {
    if reader.len() > MAX_HASHED {
        return None;
    }
    let mut hash = Sha1::new();
    let mut buffer = vec![0; (1 << 20).min(reader.len() as usize)];
    let mut at = 0;
    while at < reader.len() {
        let length = (buffer.len() as u64).min(reader.len() - at) as usize;
        reader.read_at(at, &mut buffer[..length]).ok()?;
        hash.update(&buffer[..length]);
        at += length as u64;
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("sha1:{digits}"))
}
