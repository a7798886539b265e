//! What a program is, by what its file says.

use std::sync::Arc;

use fathom_block::ReadAt;

use super::HIDES;
use crate::files::{Files, Read};

/// How many links are followed from one name to the next.
const MAX_LINKS: usize = 8;

/// How much of a program is looked at. The ones that are asked for are far smaller.
const MAX_PROGRAM: u64 = 4 << 20;

/// Where a name leads.
pub(super) struct Program {
    /// Where the file lies in the end.
    pub(super) path: String,
}

impl Program {
    /// The file that the path leads to, link by link.
    pub(super) fn at(files: &Files<'_>, path: &str) -> Read<Self> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            match files.link(&path, HIDES) {
                Read::There(target) => path = beside(&path, &target),
                Read::Absent => return files.found(&path, HIDES).map(|_| Self { path }),
                Read::Unread(why) => return Read::Unread(why),
            }
        }
        Read::Unread(format!("{path} leads through too many links"))
    }

    /// The name of the file.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Its bytes, as many as are looked at.
    pub(super) fn bytes(&self, files: &Files<'_>) -> Read<Vec<u8>> {
        match files.open(&self.path, HIDES) {
            Read::There(reader) => match beginning(&reader) {
                Ok(bytes) => Read::There(bytes),
                Err(error) => {
                    files.note(&error, &self.path, HIDES);
                    Read::Unread(error.to_string())
                }
            },
            Read::Absent => Read::Absent,
            Read::Unread(why) => Read::Unread(why),
        }
    }
}

fn beginning(reader: &Arc<dyn ReadAt>) -> fathom_block::Result<Vec<u8>> {
    let length = usize::try_from(reader.len().min(MAX_PROGRAM)).unwrap_or_default();
    let mut bytes = vec![0; length];
    reader.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// The path that a link at `path` means by `target`.
fn beside(path: &str, target: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if target.starts_with('/') { target.to_owned() } else { format!("{folder}/{target}") }
}

/// Whether the words stand anywhere in the bytes.
pub(super) fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}
