//! Packages that languages keep beside those of the system.
//!
//! Every language is a module with two functions: `recognise` tells by the name of a file, and where
//! that says nothing by its mode, whether it may hold packages; `read` says which. Where it is looked
//! is none of their business: in the usual places alone ([`usual`]), or wherever the walk over every
//! file came by.

mod binary;
mod cargo;
mod composer;
mod finds;
mod gem;
mod go;
mod headers;
mod java;
mod npm;
mod nuget;
mod owner;
mod python;
#[cfg(test)]
mod tests;
mod usual;
mod zip;

use std::sync::atomic::{AtomicUsize, Ordering};

use fathom_block::{Error, Result};
use fathom_report::{Listing, Package};

use crate::files::{Files, Read};
use crate::walk::{Collector, Entry, Kept, Walked, in_parallel};
use binary::Binary;
use finds::Finds;

/// What the listing loses if a file cannot be read.
const HIDES: &str = "packages of languages";

/// How much memory the packages may take in all, about. A hundred thousand take a third of that.
const MAX_WEIGHT: usize = 256 << 20;

/// How many problems are told one by one.
const MAX_PROBLEMS: usize = 64;

/// One language.
struct Language {
    /// Whether the file may hold packages.
    recognise: fn(&Entry) -> bool,
    /// The packages it holds.
    read: fn(&Entry, &mut Finds) -> Result<()>,
}

const LANGUAGES: &[Language] = &[
    Language { recognise: composer::recognise, read: composer::read },
    Language { recognise: gem::recognise, read: gem::read },
    Language { recognise: java::recognise, read: java::read },
    Language { recognise: java::recognise_program, read: java::read_program },
    Language { recognise: npm::recognise, read: npm::read },
    Language { recognise: nuget::recognise, read: nuget::read },
    Language { recognise: python::recognise, read: python::read },
    Language { recognise: binary::recognise, read: program },
];

/// What may hold packages, of all that the walk came to.
#[derive(Default)]
pub(crate) struct Candidates(Kept);

impl Collector for Candidates {
    fn see(&mut self, entry: &Entry) {
        let is_folder = python::metadata_of(entry).is_some();
        if is_folder
            || entry.is_file() && LANGUAGES.iter().any(|language| (language.recognise)(entry))
        {
            self.0.keep(entry);
        }
    }
}

/// Those in the usual places, and after a walk over every file those anywhere.
pub(crate) fn all(
    files: &Files<'_>,
    candidates: Candidates,
    walked: Option<&Walked>,
) -> Listing<Package> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    let entries = match walked {
        Some(walked) => {
            walked.tell(&mut listing);
            let what = "files that may hold packages of languages";
            without_metadata(files, candidates.0.into_entries(files, what))
        }
        None => {
            listing.reason = Some(usual::REASON.to_owned());
            usual::entries(files, &mut listing.evidence)
        }
    };
    let weight = AtomicUsize::new(0);
    let found = in_parallel(&entries, |_, entry| {
        if weight.load(Ordering::Relaxed) > MAX_WEIGHT {
            return None;
        }
        let finds = read(entry);
        weight.fetch_add(finds.weight(), Ordering::Relaxed);
        Some(finds)
    });
    let mut all = Finds::default();
    for (entry, finds) in entries.iter().zip(found) {
        let Some(finds) = finds else {
            let error = Error::unsupported(HIDES, "there are more than any real machine has");
            files.note(&error, &entry.shown(), HIDES);
            break;
        };
        all.join(finds);
    }
    let (mut packages, problems) = all.finish();
    owner::mark(files, &mut packages, walked.is_some());
    for (error, place) in problems {
        files.note(&error, &place, HIDES);
    }
    listing.items = packages;
    listing
}

/// Takes away the folders whose metadata is there. The entries are sorted.
fn without_metadata(files: &Files<'_>, mut entries: Vec<Entry>) -> Vec<Entry> {
    let is_needless = |entry: &Entry| {
        python::metadata_of(entry).is_some_and(|path| {
            let kept = entries.binary_search_by(|other| other.path.cmp(&path)).is_ok();
            // The walk follows no links.
            kept || !matches!(files.found(&String::from_utf8_lossy(&path), HIDES), Read::Absent)
        })
    };
    let needless: Vec<bool> = entries.iter().map(is_needless).collect();
    let mut needless = needless.into_iter();
    entries.retain(|_| needless.next() != Some(true));
    entries
}

/// The packages in one file.
fn read(entry: &Entry) -> Finds {
    let mut finds = Finds::of(entry);
    for language in LANGUAGES.iter().filter(|language| (language.recognise)(entry)) {
        if let Err(error) = (language.read)(entry, &mut finds) {
            finds.problem(error);
        }
    }
    finds
}

/// What compilers wrote into a program.
fn program(entry: &Entry, finds: &mut Finds) -> Result<()> {
    if let Some(binary) = Binary::open(entry.open()?)? {
        go::read(&binary, finds)?;
        cargo::read(&binary, finds)?;
    }
    Ok(())
}

/// The beginning of the file: all of it, if it is not longer than `limit`.
fn beginning(entry: &Entry, limit: usize) -> Result<(Vec<u8>, bool)> {
    let file = entry.open()?;
    let length = file.len().min(limit as u64) as usize;
    let mut bytes = vec![0; length];
    file.read_at(0, &mut bytes)?;
    Ok((bytes, file.len() > limit as u64))
}

/// The whole file, if it is not longer than `limit`.
fn whole(entry: &Entry, limit: usize) -> Result<Vec<u8>> {
    match beginning(entry, limit)? {
        (bytes, false) => Ok(bytes),
        (_, true) => {
            let why = format!("it is longer than {limit} bytes");
            Err(Error::unsupported("file", why))
        }
    }
}
