//! What others put into the folder, and when it is whole.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::name::{Name, since_1970};
use super::place::{Place, read};
use super::{io, letters};
use crate::Result;

/// What does not read as JSON is taken all the same when it has not changed for so long.
const SETTLED: Duration = Duration::from_secs(2);

/// What a file looked like, and since when.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    length: u64,
    changed: Option<SystemTime>,
    since: Instant,
}

/// The files that are whole, in their order. What is no file at all goes to the dead letters.
pub(super) fn whole(
    place: &Place,
    limit: u64,
    seen: &mut HashMap<PathBuf, Seen>,
) -> Result<Vec<(Name, PathBuf)>> {
    let mut found = Vec::new();
    let mut unripe = HashMap::new();
    for (original, path) in candidates(place)? {
        // Somebody else may have taken it since.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let name = Name::of_file(
            &original,
            since_1970(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)),
        );
        if !metadata.is_file() {
            letters::bury(place, &path, &name, "it is not a regular file")?;
        } else if metadata.len() > limit
            || is_settled(&path, &metadata, seen, &mut unripe)
            || read(&path, limit).is_ok_and(|bytes| is_json(&bytes))
        {
            found.push((name, path));
        }
    }
    seen.retain(|path, _| path.parent() != Some(place.incoming()));
    seen.extend(unripe);
    found.sort();
    Ok(found)
}

/// How many files wait.
pub(super) fn count(place: &Place) -> Result<u64> {
    Ok(candidates(place)?.len() as u64)
}

fn candidates(place: &Place) -> Result<Vec<(String, PathBuf)>> {
    let folder = place.incoming();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| io("listed", folder, error))? {
        let entry = entry.map_err(|error| io("listed", folder, error))?;
        // Names are bytes; what they say is for people.
        let original = entry.file_name().to_string_lossy().into_owned();
        if original.ends_with(".json") && !original.starts_with('.') {
            found.push((original, entry.path()));
        }
    }
    Ok(found)
}

/// Whether it has looked the same for some time. We go by our own clock, since that of whoever
/// writes the file may be another.
fn is_settled(
    path: &PathBuf,
    metadata: &Metadata,
    seen: &HashMap<PathBuf, Seen>,
    unripe: &mut HashMap<PathBuf, Seen>,
) -> bool {
    let (length, changed) = (metadata.len(), metadata.modified().ok());
    let since = match seen.get(path) {
        Some(before) if (before.length, before.changed) == (length, changed) => before.since,
        _ => Instant::now(),
    };
    unripe.insert(path.clone(), Seen { length, changed, since });
    since.elapsed() >= SETTLED
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}
