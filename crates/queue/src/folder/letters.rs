//! Dead letters: a file in `failed`, and beside it why it lies there.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::io;
use super::name::{Name, now};
use super::place::{self, Place};
use crate::{Body, Buried, Error, Kind, Result};

const REASON: &str = ".reason.json";
/// How much of a reason is read.
const MAX_REASON: u64 = 1 << 16;

/// What stands in `NAME.reason.json`.
#[derive(Serialize, Deserialize)]
struct Reason {
    reason: String,
    #[serde(default)]
    deliveries: u32,
    /// When, in milliseconds since 1970.
    #[serde(default)]
    at: u64,
}

/// Puts a file to the dead letters.
pub(super) fn bury(place: &Place, path: &Path, name: &Name, reason: &str) -> Result<()> {
    let folder = place.failed();
    let Some(called) = place::rename_beside(path, &folder, &name.original)? else {
        return Ok(());
    };
    let reason = Reason {
        reason: reason.to_owned(),
        deliveries: name.deliveries,
        at: u64::try_from(now() / 1_000_000).unwrap_or(u64::MAX),
    };
    let text = serde_json::to_vec_pretty(&reason)
        .map_err(|error| Error::with(Kind::Protocol, "a reason cannot be written", error))?;
    let draft = folder.join(format!(".{called}{REASON}.tmp"));
    place::remove(&draft)?;
    place::write(&draft, &text, false)?;
    let target = folder.join(format!("{called}{REASON}"));
    fs::rename(&draft, &target).map_err(|error| io("written", &target, error))
}

pub(super) fn list(place: &Place, most: usize, max_body: usize) -> Result<Vec<Buried>> {
    let folder = place.failed();
    let mut found = Vec::new();
    for name in place::list(&folder)? {
        let path = folder.join(&name);
        let beside = folder.join(format!("{name}{REASON}"));
        // A job may itself be called so.
        if name
            .strip_suffix(REASON)
            .is_some_and(|letter| folder.join(letter).symlink_metadata().is_ok())
        {
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        // Whoever was interrupted half-way has moved the file, and not said why.
        let reason = place::read(&beside, MAX_REASON)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or(Reason { reason: "it is not known".to_owned(), deliveries: 0, at: 0 });
        found.push((reason, name, path, metadata.len()));
    }
    found.sort_by(|a, b| (a.0.at, &a.1).cmp(&(b.0.at, &b.1)));
    let letters = found.into_iter().take(most).map(|(reason, name, path, size)| Buried {
        id: format!("{}/{name}", place.pool),
        pool: place.pool.clone(),
        body: place::read(&path, max_body as u64).unwrap_or_default(),
        size,
        reason: reason.reason,
        deliveries: reason.deliveries,
    });
    Ok(letters.collect())
}

/// Puts a dead letter back, and says whether it was there.
pub(super) fn replay(place: &Place, name: &str) -> Result<bool> {
    if name.is_empty() || name.starts_with('.') || name.contains('/') {
        return Ok(false);
    }
    let path = place.failed().join(name);
    let Ok(metadata) = fs::symlink_metadata(&path) else { return Ok(false) };
    if !metadata.is_file() {
        return Err(Error::new(Kind::Invalid, format!("{name} is not a regular file")));
    }
    let mut again = Name::of_file(name, now());
    if again.is_ticket()
        && let Ok(bytes) = place::read(&path, MAX_REASON)
        && let Body::Ticket(ticket) = Body::decode(true, bytes)
    {
        again.priority = crate::message::bounded(ticket.priority);
    }
    let moved = place::rename(&path, &place.queue().join(again.text()))?;
    place::remove(&place.failed().join(format!("{name}{REASON}")))?;
    Ok(moved)
}
