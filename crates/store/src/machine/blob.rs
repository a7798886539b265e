//! Documents, told by what they differ by from others, and known by what is in them.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use sqlx::{Any, Row as _, Transaction};

use super::fact::hex;
use crate::error::{Error, ErrorKind, Result};
use crate::open::Store;

/// The largest document that is kept.
pub(super) const LARGEST: usize = 64 << 20;
/// How much of one is looked back at: those that are larger gain little by their likes.
const LOOK_BACK: u32 = 23;
/// How many bytes of documents that others are told by are remembered.
const REMEMBERED: usize = 24 << 20;
/// How hard it is packed.
const LEVEL: i32 = 3;

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) number: i64,
    /// The digest of the document.
    pub digest: String,
    /// How many bytes it has.
    pub size: u64,
}

/// Documents that others are told by, as they were met lately.
#[derive(Default)]
pub(crate) struct Documents {
    known: Mutex<Known>,
}

/// Documents by their numbers, and how many bytes they have together.
type Known = (HashMap<i64, Arc<[u8]>>, usize);

impl Documents {
    fn get(&self, number: i64) -> Option<Arc<[u8]>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.0.get(&number).map(Arc::clone)
    }

    fn remember(&self, number: i64, document: &Arc<[u8]>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.1 + document.len() > REMEMBERED {
            *known = (HashMap::new(), 0);
        }
        if known.0.insert(number, Arc::clone(document)).is_none() {
            known.1 += document.len();
        }
    }

    /// Forgets all, since some are gone.
    pub(super) fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = (HashMap::new(), 0);
    }
}

/// A document that is to be kept.
pub(super) struct New<'d> {
    pub(super) document: &'d [u8],
    /// The one that it is like.
    pub(super) like: Option<i64>,
}

pub(super) fn digest(document: &[u8]) -> String {
    hex(&Sha256::digest(document))
}

/// Keeps documents; gives the numbers of those with these digests.
pub(super) async fn keep(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    documents: &BTreeMap<String, New<'_>>,
) -> Result<HashMap<String, i64>> {
    let mut kept = find(store, transaction, documents.keys()).await?;
    let mut lost = Vec::new();
    for (digest, new) in documents {
        if kept.contains_key(digest) {
            continue;
        }
        let like = match new.like {
            Some(number) => of_base(store, transaction, number).await?.map(|it| (number, it)),
            None => None,
        };
        let bytes = pack(new.document, like.as_ref().map(|(_, it)| &**it))?;
        let row = sqlx::query(
            "INSERT INTO blobs (digest, base, size, bytes) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (digest) DO NOTHING RETURNING number",
        )
        .bind(digest)
        .bind(like.map(|(number, _)| number))
        .bind(new.document.len() as i64)
        .bind(bytes)
        .fetch_optional(&mut **transaction)
        .await?;
        match row {
            Some(row) => drop(kept.insert(digest.clone(), row.try_get("number")?)),
            None => lost.push(digest),
        }
    }
    if !lost.is_empty() {
        kept.extend(find(store, transaction, lost.into_iter()).await?);
    }
    Ok(kept)
}

async fn find(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    digests: impl Iterator<Item = &String>,
) -> Result<HashMap<String, i64>> {
    let digests: Vec<&str> = digests.map(String::as_str).collect();
    let rows = sqlx::query(
        store
            .sql("SELECT number, digest FROM blobs WHERE digest IN (SELECT value FROM {texts:$1})"),
    )
    .bind(serde_json::Value::from(digests).to_string())
    .fetch_all(&mut **transaction)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("digest")?, row.try_get("number")?))).collect()
}

/// A document that others are told by; nothing where it is told by another itself.
async fn of_base(
    store: &Store,
    transaction: &mut Transaction<'static, Any>,
    number: i64,
) -> Result<Option<Arc<[u8]>>> {
    if let Some(known) = store.documents().get(number) {
        return Ok(Some(known));
    }
    let row = sqlx::query("SELECT size, bytes FROM blobs WHERE number = $1 AND base IS NULL")
        .bind(number)
        .fetch_optional(&mut **transaction)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let document: Arc<[u8]> = unpack(&row, None)?.into();
    store.documents().remember(number, &document);
    Ok(Some(document))
}

impl Store {
    /// A document.
    pub async fn document(&self, place: &Place) -> Result<Vec<u8>> {
        let row = sqlx::query("SELECT base, size, bytes FROM blobs WHERE number = $1")
            .bind(place.number)
            .fetch_optional(self.read())
            .await?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "the document is not kept any more"))?;
        let base = match row.try_get::<Option<i64>, _>("base")? {
            None => None,
            Some(number) => Some(self.base(number).await?),
        };
        let document = unpack(&row, base.as_deref())?;
        match digest(&document) == place.digest {
            true => Ok(document),
            false => Err(damaged("it is not what was kept")),
        }
    }

    async fn base(&self, number: i64) -> Result<Arc<[u8]>> {
        if let Some(known) = self.documents().get(number) {
            return Ok(known);
        }
        let row = sqlx::query("SELECT size, bytes FROM blobs WHERE number = $1")
            .bind(number)
            .fetch_optional(self.read())
            .await?
            .ok_or_else(|| damaged("the one that it is told by is gone"))?;
        let document: Arc<[u8]> = unpack(&row, None)?.into();
        self.documents().remember(number, &document);
        Ok(document)
    }
}

fn pack(document: &[u8], like: Option<&[u8]>) -> Result<Vec<u8>> {
    if document.len() > LARGEST {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("a document has {} bytes; {LARGEST} are kept at most", document.len()),
        ));
    }
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Internal, format!("a document cannot be packed: {error}"))
    };
    let write = |mut to: zstd::Encoder<'_, Vec<u8>>| {
        if like.is_some() {
            to.window_log(LOOK_BACK)?;
            to.long_distance_matching(true)?;
        }
        to.write_all(document)?;
        to.finish()
    };
    match like {
        Some(like) => zstd::Encoder::with_ref_prefix(Vec::new(), LEVEL, like).and_then(write),
        None => zstd::Encoder::new(Vec::new(), LEVEL).and_then(write),
    }
    .map_err(failed)
}

fn unpack(row: &sqlx::any::AnyRow, like: Option<&[u8]>) -> Result<Vec<u8>> {
    let size = usize::try_from(row.try_get::<i64, _>("size")?).unwrap_or(usize::MAX);
    if size > LARGEST {
        return Err(damaged("it says that it is larger than any that is kept"));
    }
    let bytes: Option<Vec<u8>> = row.try_get("bytes")?;
    let bytes = bytes.ok_or_else(|| damaged("it lies nowhere"))?;
    let mut document = Vec::with_capacity(size);
    let failed = |error: std::io::Error| damaged(&error.to_string());
    match like {
        Some(like) => {
            let mut from =
                zstd::Decoder::with_ref_prefix(bytes.as_slice(), like).map_err(failed)?;
            from.window_log_max(LOOK_BACK).map_err(failed)?;
            from.take(size as u64 + 1).read_to_end(&mut document).map_err(failed)?;
        }
        None => {
            let from = zstd::Decoder::new(bytes.as_slice()).map_err(failed)?;
            from.take(size as u64 + 1).read_to_end(&mut document).map_err(failed)?;
        }
    }
    match document.len() == size {
        true => Ok(document),
        false => Err(damaged("it has another size than it should have")),
    }
}

fn damaged(why: &str) -> Error {
    Error::new(ErrorKind::Unfit, format!("a document that was kept is damaged: {why}"))
}
