//! Documents kept outside the database: in a folder, or with a server that speaks S3.
//!
//! [`Artefacts`] is the one door to both. A document lies under a [`Key`]; it is there as a whole or
//! not at all, whatever is interrupted. [`Artefacts::put`] makes what is not there and may be repeated,
//! so that keys made of contents need no more; [`Artefacts::replace`] is for keys that somebody else may
//! write too, and writes only while its caller may.
//!
//! A folder is never left: the kernel resolves each key beneath it. With a server, every request is
//! signed, patient for as long as it was told and no longer, and tried again where that helps.

#![forbid(unsafe_code)]

mod address;
mod bucket;
mod error;
mod failed;
mod folder;
mod key;
mod settings;
mod signature;

use std::fmt;
use std::path::Path;

use bytes::Bytes;

pub use address::{beneath, bucket_and_rest};
use bucket::Bucket;
pub use error::{Error, Kind, Result};
use folder::Folder;
pub use key::Key;
pub use settings::BucketSettings;
pub use signature::Objects;

/// The most documents that one list has.
pub const MAX_LISTED: usize = 100_000;

/// Where documents are kept. Cheap to clone.
#[derive(Clone)]
pub struct Artefacts {
    place: Place,
}

#[derive(Clone)]
enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

/// What came of putting something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is there now.
    New,
    /// The same was there.
    There,
}

/// What came of replacing something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It is there now.
    Yes,
    /// Whoever asked may not write it any more: nothing was changed.
    No,
}

/// A document, as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it lies under.
    pub key: String,
    /// How many bytes it has.
    pub length: u64,
}

impl Artefacts {
    /// In a folder that is there.
    pub fn in_folder(path: &Path) -> Result<Self> {
        Ok(Self { place: Place::Folder(Folder::open(path)?) })
    }

    /// In a folder, which is made for its owner alone where it is not there.
    pub fn in_private_folder(path: &Path) -> Result<Self> {
        Folder::make(path)?;
        Self::in_folder(path)
    }

    /// In a bucket, beneath `prefix`, which may be empty.
    pub fn in_bucket(settings: &BucketSettings, prefix: &str) -> Result<Self> {
        Ok(Self { place: Place::Bucket(Bucket::new(settings, prefix)?) })
    }

    /// Makes `key` these bytes, where nothing is there. Where the same is there it is as good as made;
    /// another content is an error, and stays.
    pub async fn put(&self, key: &Key, bytes: Bytes) -> Result<Put> {
        match &self.place {
            Place::Folder(folder) => folder.put(key, bytes).await,
            Place::Bucket(bucket) => bucket.put(key, bytes).await,
        }
    }

    /// Makes `key` these bytes, whatever is there, if `still` says that the caller may.
    ///
    /// `still` is asked when nothing is left to be done but to let the new document take its place, and
    /// whoever else writes the key meanwhile is noticed. So of several who write the same key, of whom
    /// but the last is told *no*, none puts something in place of what the last has written. `fence` is
    /// a number that grows from one to the next of them.
    pub async fn replace<F, W>(
        &self,
        key: &Key,
        bytes: Bytes,
        fence: i64,
        still: F,
    ) -> Result<Replaced>
    where
        F: Fn() -> W + Send + Sync,
        W: Future<Output = Result<bool>> + Send,
    {
        match &self.place {
            Place::Folder(folder) => folder.replace(key, bytes, fence, still).await,
            Place::Bucket(bucket) => bucket.replace(key, bytes, still).await,
        }
    }

    /// The document, which has at most so many bytes.
    pub async fn get(&self, key: &Key, most: u64) -> Result<Bytes> {
        match &self.place {
            Place::Folder(folder) => folder.get(key, most).await,
            Place::Bucket(bucket) => bucket.get(key, most).await,
        }
    }

    /// Takes the document away. Whether it was there is not told: not every server knows.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match &self.place {
            Place::Folder(folder) => folder.delete(key).await,
            Place::Bucket(bucket) => bucket.delete(key).await,
        }
    }

    /// Up to `most` documents beneath a prefix, or of all, behind `after`, in the order of their keys.
    pub async fn list(
        &self,
        prefix: Option<&Key>,
        after: Option<&Key>,
        most: usize,
    ) -> Result<Vec<Entry>> {
        let most = most.min(MAX_LISTED);
        match &self.place {
            Place::Folder(folder) => folder.list(prefix, after, most).await,
            Place::Bucket(bucket) => bucket.list(prefix, after, most).await,
        }
    }
}

/// As settings name it.
impl fmt::Display for Artefacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Folder(folder) => folder.fmt(f),
            Place::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl fmt::Debug for Artefacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Artefacts({self})")
    }
}
