//! What one database gave so far, in bounded memory whatever the database claims.

use std::ops::ControlFlow;

use fathom_block::Error;
use fathom_report::{Evidence, Listing, Package};

use super::HIDES;
use crate::files::Files;

/// No system has as many packages.
const MAX_PACKAGES: usize = 1 << 18;

/// How many bytes of text are kept of them all. Ten thousand packages take two mebibytes.
const MAX_TEXT: usize = 64 << 20;

/// How many problems of one database are told; the list is incomplete after the first.
const MAX_PROBLEMS: usize = 32;

/// What one database gave so far.
pub(super) struct Collection<'a, 'b> {
    files: &'a Files<'b>,
    /// Whose database it is: `rpm`.
    owner: &'static str,
    packages: Vec<Package>,
    places: Vec<Evidence>,
    hidden: Option<String>,
    problems: usize,
    text: usize,
}

impl<'a, 'b> Collection<'a, 'b> {
    pub(super) fn new(files: &'a Files<'b>, owner: &'static str) -> Self {
        Self {
            files,
            owner,
            packages: Vec::new(),
            places: Vec::new(),
            hidden: None,
            problems: 0,
            text: 0,
        }
    }

    /// The database is there, at this place.
    pub(super) fn at(&mut self, place: &str) {
        self.places.push(place.into());
    }

    /// Something could not be read; why has been noted.
    pub(super) fn unread(&mut self, why: String) {
        self.hidden.get_or_insert(why);
    }

    /// Something at `place` could not be read.
    pub(super) fn problem(&mut self, error: Error, place: &str) -> ControlFlow<()> {
        let error = error.within(place);
        self.problems += 1;
        if self.problems <= MAX_PROBLEMS {
            self.files.note(&error, place, HIDES);
        }
        self.unread(error.to_string());
        ControlFlow::Continue(())
    }

    /// Takes a package, unless there are too many.
    pub(super) fn add(&mut self, package: Package) -> ControlFlow<()> {
        self.text = self.text.saturating_add(text(&package));
        if self.packages.len() >= MAX_PACKAGES || self.text > MAX_TEXT {
            let place = package.evidence.0;
            let why = format!(
                "it names more than {} packages, or with more text than any real one",
                self.packages.len()
            );
            let _ = self.problem(Error::unsupported("packages", why), &place);
            return ControlFlow::Break(());
        }
        self.packages.push(package);
        ControlFlow::Continue(())
    }

    /// Whether something is known that hides packages.
    pub(super) fn is_hiding(&self) -> bool {
        self.hidden.is_some()
    }

    /// The list; nothing where there is no such database.
    pub(super) fn finish(self) -> Option<Listing<Package>> {
        if self.places.is_empty() {
            return self.hidden.map(Listing::unknown);
        }
        let mut listing = Listing::complete(self.packages, self.places);
        match self.hidden {
            Some(why) => listing.hide(why),
            None if listing.items.is_empty() => {
                listing.reason = Some(format!("the database of {} names no package", self.owner));
            }
            None => {}
        }
        Some(listing)
    }
}

/// How much text a package holds.
fn text(package: &Package) -> usize {
    let optional = [
        &package.release,
        &package.architecture,
        &package.source,
        &package.source_version,
        &package.licence,
        &package.vendor,
        &package.origin,
        &package.module,
        &package.signature,
        &package.installed,
        &package.state,
        &package.checksum,
        &package.location,
    ];
    let optional: usize = optional.into_iter().flatten().map(String::len).sum();
    optional + package.name.len() + package.version.len() + package.evidence.0.len()
}
