//! The registry as one section of the report sees it: every read ends in *there*, *absent* or
//! *unread*, and what could not be read is noted against the section.

mod hives;
mod node;
mod said;
#[cfg(test)]
pub(super) mod testing;

use std::cell::Cell;

use fathom_block::Error;
use fathom_registry::Hive;
use fathom_report::Listing;

use crate::files::{Files, Read};

pub(super) use hives::{Hives, Name, Opened};
pub(super) use node::{Node, Values};
pub(super) use said::Said;

/// How many things may be wrong in the registry until they are only counted.
const MAX_TOLD: usize = 64;

/// The most bytes of values that one section reads, and the most keys. No real one comes near.
const MAX_BYTES: usize = 32 << 20;
const MAX_KEYS: usize = 400_000;

/// The longest value that is read. Longer ones are pictures and caches.
const MAX_VALUE: u32 = 1 << 20;

/// The registry, read for one section.
pub(super) struct Registry<'a> {
    pub(super) files: &'a Files<'a>,
    hives: &'a Hives,
    /// What the report loses where something cannot be read.
    hides: &'static str,
    told: Cell<usize>,
    bytes: Cell<usize>,
    keys: Cell<usize>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(files: &'a Files<'a>, hives: &'a Hives, hides: &'static str) -> Self {
        Self {
            files,
            hives,
            hides,
            told: Cell::new(0),
            bytes: Cell::new(MAX_BYTES),
            keys: Cell::new(MAX_KEYS),
        }
    }

    /// What the report loses if something cannot be read.
    pub(super) fn hides(&self) -> &'static str {
        self.hides
    }

    /// The key at a path beneath the root of a hive of the machine.
    pub(super) fn key(&self, name: Name, path: &str) -> Read<Node<'_>> {
        let opened = self.hives.machine(self.files.tree(), name);
        if let Ok(None) = opened.hive {
            // No Windows is without it: that it is not there is damage, and says nothing.
            let error = Error::not_found(&opened.file, "every Windows has this hive");
            return self.unread_at(&error, &opened.file);
        }
        self.key_of(opened, path)
    }

    /// What the key at a path beneath the root of a hive of the machine says.
    pub(super) fn said(&self, name: Name, path: &str) -> Said<'_> {
        Said::new(self.key(name, path), format!(r"{}\{path}", name.root()))
    }

    /// What a key beneath the current control set says.
    pub(super) fn said_of_control_set(&self, path: &str) -> Said<'_> {
        Said::new(self.control_set(path), format!(r"HKLM\SYSTEM\CurrentControlSet\{path}"))
    }

    /// The key at a path beneath the control set that Windows starts from.
    pub(super) fn control_set(&self, path: &str) -> Read<Node<'_>> {
        match self.current_control_set() {
            Read::There(number) => {
                self.key(Name::System, &format!(r"ControlSet{number:03}\{path}"))
            }
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }

    fn current_control_set(&self) -> Read<u32> {
        match self.key(Name::System, "Select") {
            Read::There(select) => match select.values().number("Current") {
                Read::Absent => {
                    let why = "it does not say which control set is the current one";
                    self.unread(Error::corrupt(select.place(), 0, why))
                }
                number => number,
            },
            Read::Absent => {
                let why = "there is no key Select, which says which control set is the current one";
                self.unread(Error::corrupt(r"HKLM\SYSTEM", 0, why))
            }
            Read::Unread(why) => Read::Unread(why),
        }
    }

    /// A key of a hive that belongs to a user or lies elsewhere.
    pub(super) fn other(&self, file: &str, root: &str, path: &str) -> Read<Node<'_>> {
        self.key_of(&self.hives.other(self.files.tree(), file, root), path)
    }

    /// The same where the hive must be there, and this is `why`.
    pub(super) fn required(
        &self,
        (file, root): (&str, &str),
        path: &str,
        why: &str,
    ) -> Read<Node<'_>> {
        let opened = self.hives.other(self.files.tree(), file, root);
        if let Ok(None) = opened.hive {
            return self.unread_at(&Error::not_found(file, why), file);
        }
        self.key_of(&opened, path)
    }

    /// A key of a hive that was opened.
    pub(super) fn key_of(&self, opened: &Opened, path: &str) -> Read<Node<'_>> {
        for problem in &opened.problems {
            self.note(problem, &opened.file);
        }
        let hive = match &opened.hive {
            Ok(Some(hive)) => hive,
            Ok(None) => return Read::Absent,
            Err(error) => return self.unread_at(error, &opened.file),
        };
        self.note_problems_of(hive, &opened.file);
        let place = match path {
            "" => opened.root.clone(),
            path => format!(r"{}\{path}", opened.root),
        };
        match hive.lookup(path) {
            Ok(Some(key)) => Read::There(Node::new(self, key, place)),
            Ok(None) => Read::Absent,
            Err(error) => self.unread_at(&error, &place),
        }
    }

    /// The first `most` of what is at `place`. That there is more is noted.
    pub(super) fn first<T>(
        &self,
        all: impl IntoIterator<Item = T>,
        most: usize,
        place: &str,
    ) -> Vec<T> {
        let mut all = all.into_iter();
        let first = all.by_ref().take(most).collect();
        if all.next().is_some() {
            let why = format!("it has more than {most} entries; the rest is not read");
            self.note(&Error::unsupported(place, why), place);
        }
        first
    }

    /// The list that `collect` makes; what could not be read meanwhile may be missing in it.
    pub(super) fn listing<T>(&self, collect: impl FnOnce() -> Listing<T>) -> Listing<T> {
        self.files.listing(collect)
    }

    /// What was wrong with the hive without stopping the reading: it was not written completely,
    /// a log could not be replayed.
    fn note_problems_of(&self, hive: &Hive, file: &str) {
        for problem in hive.problems() {
            self.note(&problem, file);
        }
    }

    /// Notes an error that lies at `place`.
    pub(super) fn note(&self, error: &Error, place: &str) {
        let told = self.told.get();
        self.told.set(told.saturating_add(1));
        if told < MAX_TOLD {
            self.files.note(error, place, self.hides);
        } else {
            let why = format!("{MAX_TOLD} things are wrong in it; others are not told");
            self.files.note(&Error::corrupt("registry", 0, why), "registry", self.hides);
        }
    }

    fn unread<T>(&self, error: Error) -> Read<T> {
        self.unread_at(&error, "registry")
    }

    fn unread_at<T>(&self, error: &Error, place: &str) -> Read<T> {
        self.note(error, place);
        Read::Unread(error.to_string())
    }

    /// Takes that much from what the section may read.
    fn take(what: &Cell<usize>, amount: usize) -> bool {
        match what.get().checked_sub(amount) {
            Some(rest) => {
                what.set(rest);
                true
            }
            None => false,
        }
    }
}

fn too_much(place: &str) -> Error {
    let why = "the registry has more of it than any real one; the rest is not read";
    Error::unsupported(place, why)
}
