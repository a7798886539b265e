//! The files of the engines, read within bounds that hold for all of them together.

use std::cell::Cell;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, read_vec};
use serde::de::DeserializeOwned;

use super::HIDES;
use crate::files::{Files, Read};

/// The longest document that is read: a list of five thousand images.
const MAX_DOCUMENT: u64 = 16 << 20;

/// How many bytes of documents are read of all engines together: of some ten thousand containers.
const MAX_ALL: u64 = 128 << 20;

/// The most images or containers of one engine.
pub(super) const MAX_ITEMS: usize = 1 << 14;

/// The files, and how much more of them may be read.
pub(super) struct Source<'a, 'b> {
    pub(super) files: &'a Files<'b>,
    left: Cell<u64>,
}

impl<'a, 'b> Source<'a, 'b> {
    pub(super) fn new(files: &'a Files<'b>) -> Self {
        Self { files, left: Cell::new(MAX_ALL) }
    }

    /// The document at `path`.
    pub(super) fn json<T: DeserializeOwned>(&self, path: &str) -> Read<T> {
        match self.bytes(path) {
            Read::There(bytes) => self.parsed(path, &bytes),
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }

    /// The bytes of the document at `path`.
    pub(super) fn bytes(&self, path: &str) -> Read<Vec<u8>> {
        match self.files.open(path, HIDES) {
            Read::There(reader) => match self.whole(&*reader) {
                Ok(bytes) => Read::There(bytes),
                Err(error) => self.wrong(error, path),
            },
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }

    /// A database, with what lies beside it under a longer name.
    pub(super) fn open(&self, path: &str) -> Read<Arc<dyn ReadAt>> {
        self.files.open(path, HIDES)
    }

    fn whole(&self, reader: &dyn ReadAt) -> Result<Vec<u8>> {
        let length = reader.len();
        if length > MAX_DOCUMENT {
            let why = format!("{length} bytes; at most {MAX_DOCUMENT} are read");
            return Err(Error::unsupported("document", why));
        }
        self.spend(length)?;
        read_vec(reader, "document", 0, length)
    }

    /// Takes so many bytes off what may be read.
    pub(super) fn spend(&self, length: u64) -> Result<()> {
        match self.left.get().checked_sub(length) {
            Some(left) => self.left.set(left),
            None => {
                let why = format!("engines keep more than {MAX_ALL} bytes; the rest is not read");
                return Err(Error::unsupported("containers", why));
            }
        }
        Ok(())
    }

    /// The list at `path`.
    pub(super) fn list<T: DeserializeOwned>(&self, path: &str) -> Read<Vec<T>> {
        match self.bytes(path) {
            Read::There(bytes) => self.of_json(path, &bytes),
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }

    /// What the document says whose bytes, which are at `path`, these are.
    pub(super) fn parsed<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Read<T> {
        // A list would be taken for the fields of the document in their order.
        if bytes.trim_ascii_start().first() == Some(&b'[') {
            return self.wrong(Error::corrupt("document", 0, "it is a list"), path);
        }
        self.of_json(path, bytes)
    }

    fn of_json<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Read<T> {
        match serde_json::from_slice(bytes) {
            Ok(value) => Read::There(value),
            Err(error) => self.wrong(Error::corrupt("document", 0, error.to_string()), path),
        }
    }

    /// Notes what is wrong with what is at `path`.
    pub(super) fn wrong<T>(&self, error: Error, path: &str) -> Read<T> {
        let error = error.within(path);
        self.files.note(&error, path, HIDES);
        Read::Unread(error.to_string())
    }

    /// The names in a folder that `wanted` names; of too many, the first, and it is noted.
    pub(super) fn names(&self, folder: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let children = self.files.children(folder, HIDES).there().unwrap_or_default();
        let mut names: Vec<String> =
            children.into_iter().map(|(name, _)| name).filter(|name| wanted(name)).collect();
        if names.len() > MAX_ITEMS {
            self.too_many(folder);
            names.truncate(MAX_ITEMS);
        }
        names
    }

    /// Notes that there is more at `path` than is read.
    pub(super) fn too_many(&self, path: &str) {
        let why = format!("there are more than {MAX_ITEMS}; the rest is not read");
        let _: Read<()> = self.wrong(Error::unsupported("containers", why), path);
    }
}
