//! The packages that were found in one file, or in all of them.

use fathom_block::Error;
use fathom_report::{Package, PackageKind};

use super::MAX_PROBLEMS;
use crate::walk::Entry;

/// How much memory the packages of one file may take, and how many problems of it are told. A
/// thousand packages take a mebibyte.
const MAX_OF_FILE: usize = 32 << 20;
const MAX_PROBLEMS_OF_FILE: usize = 8;

/// The longest text of a package that is kept. A name or a version that is longer is none.
const MAX_FIELD: usize = 1024;

/// What was found.
#[derive(Default)]
pub(super) struct Finds {
    place: String,
    packages: Vec<Package>,
    problems: Vec<(Error, String)>,
    /// How much memory the packages take, about.
    weight: usize,
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
        let text = name.len() + version.len() + place.len() + self.place.len();
        self.weight = self.weight.saturating_add(size_of::<Package>() + text);
        if self.weight > MAX_OF_FILE {
            if !self.full {
                let why = format!("it holds more packages than {}", self.packages.len());
                self.problem(Error::unsupported("packages", why));
            }
            self.full = true;
            return None;
        }
        let mut found = Package::bare(kind, name.to_owned(), version.to_owned(), &self.place);
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

    /// How much memory the packages take, about.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    /// Adds what was found in another file.
    pub(super) fn join(&mut self, other: Self) {
        self.packages.extend(other.packages);
        let room = MAX_PROBLEMS.saturating_sub(self.problems.len());
        self.problems.extend(other.problems.into_iter().take(room));
    }

    /// The packages, and what could not be read of which file.
    pub(super) fn finish(self) -> (Vec<Package>, Vec<(Error, String)>) {
        (self.packages, self.problems)
    }
}

/// A text as it is told: its first line, shortened. One that says nothing is none.
pub(super) fn told(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?.trim();
    let line: String = line.chars().filter(|letter| !letter.is_control()).take(256).collect();
    let nothing = line.is_empty() || line.eq_ignore_ascii_case("unknown") || line == "None";
    (!nothing).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_file_may_hold() {
        let mut finds = Finds::default();
        let added = (0..1 << 20).filter(|_| finds.add(PackageKind::Npm, "a", "1", "/a").is_some());
        assert!(added.count() < 1 << 17);
        assert_eq!(finds.finish().1.len(), 1);
    }

    #[test]
    fn what_is_no_name() {
        let mut finds = Finds::default();
        for (name, version) in
            [("", "1"), ("a\nb", "1"), ("a", "\u{1b}[0m"), (&*"a".repeat(2000), "1")]
        {
            assert!(finds.add(PackageKind::Npm, name, version, "/a").is_none());
        }
        assert!(finds.add(PackageKind::Npm, "a", "", "/a").is_some());
        assert_eq!(told(" None\n"), None);
        assert_eq!(told("MIT\nand more").as_deref(), Some("MIT"));
    }
}
