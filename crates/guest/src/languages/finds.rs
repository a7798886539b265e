//! The packages that were found in one file, or in all of them.

use fathom_block::Error;
use fathom_report::{Package, PackageKind};

use super::{MAX_PACKAGES, MAX_PROBLEMS, MAX_TEXT};
use crate::packages::package::package;
use crate::walk::Entry;

/// How many packages one file may hold, and how many problems of it are told.
const MAX_OF_FILE: usize = 1 << 16;
const MAX_PROBLEMS_OF_FILE: usize = 8;

/// The longest text of a package that is kept. A name or a version that is longer is none.
const MAX_FIELD: usize = 1024;

/// What was found.
#[derive(Default)]
pub(super) struct Finds {
    place: String,
    packages: Vec<Package>,
    problems: Vec<(Error, String)>,
    text: usize,
    full: bool,
}

impl Finds {
    /// Nothing yet, in this file.
    pub(super) fn of(entry: &Entry) -> Self {
        Self { place: entry.shown(), ..Self::default() }
    }

    /// The file that is looked at.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Takes a package that lies at `place`: the file itself, or something within it. Gives it to be
    /// completed; nothing where it has no name that could be one, or where there are too many.
    pub(super) fn add(
        &mut self,
        kind: PackageKind,
        name: &str,
        version: &str,
        place: &str,
    ) -> Option<&mut Package> {
        let is_text = |text: &str| {
            !text.is_empty() && text.len() <= MAX_FIELD && !text.contains(char::is_control)
        };
        if !is_text(name) || !(version.is_empty() || is_text(version)) {
            self.problem(Error::corrupt(place, 0, "what it has for a name or version is none"));
            return None;
        }
        if self.packages.len() >= MAX_OF_FILE {
            if !self.full {
                let why = format!("it holds more than {MAX_OF_FILE} packages");
                self.problem(Error::unsupported("packages", why));
            }
            self.full = true;
            return None;
        }
        let mut found = package(kind, name.to_owned(), version.to_owned(), &self.place);
        found.location = Some(place.to_owned());
        self.packages.push(found);
        self.packages.last_mut()
    }

    /// Something in the file could not be read.
    pub(super) fn problem(&mut self, error: Error) {
        if self.problems.len() < MAX_PROBLEMS_OF_FILE {
            self.problems.push((error, self.place.clone()));
        }
    }

    /// Adds what was found in another file, in bounded memory.
    pub(super) fn join(&mut self, other: Self) {
        for package in other.packages {
            self.text += text(&package);
            if self.packages.len() >= MAX_PACKAGES || self.text > MAX_TEXT {
                if !self.full {
                    let why = format!(
                        "there are more than {}, or with more text than any real ones",
                        self.packages.len()
                    );
                    let error = Error::unsupported("packages of languages", why);
                    self.problems.insert(0, (error, package.evidence.0));
                }
                self.full = true;
                break;
            }
            self.packages.push(package);
        }
        let room = MAX_PROBLEMS.saturating_sub(self.problems.len());
        self.problems.extend(other.problems.into_iter().take(room));
    }

    /// The packages, and what could not be read of which file.
    pub(super) fn finish(self) -> (Vec<Package>, Vec<(Error, String)>) {
        (self.packages, self.problems)
    }
}

fn text(package: &Package) -> usize {
    let optional = [&package.licence, &package.vendor, &package.location, &package.checksum];
    let optional: usize = optional.into_iter().flatten().map(String::len).sum();
    optional + package.name.len() + package.version.len() + package.evidence.0.len()
}

/// A text as it is told: its first line, shortened. One that says nothing is none.
pub(super) fn told(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?.trim();
    let line: String = line.chars().filter(|letter| !letter.is_control()).take(256).collect();
    let nothing = line.is_empty() || line.eq_ignore_ascii_case("unknown") || line == "None";
    (!nothing).then_some(line)
}
