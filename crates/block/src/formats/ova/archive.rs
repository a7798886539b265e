//! Where the files of a description are: in the archive, or beside the description.

use std::collections::HashMap;
use std::sync::Arc;

use super::description::File;
use super::tar::Member;
use crate::error::{Error, ErrorKind, Result};
use crate::formats::Format;
use crate::formats::joined::Joined;
use crate::location::Location;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, Window};

/// The most pieces that one file may be split into.
const MOST_CHUNKS: u64 = 4096;

/// Where files are looked up.
pub(super) enum Archive<'a> {
    /// In a tar; nothing outside it is ever opened.
    Tar {
        source: &'a Source,
        members: HashMap<&'a str, &'a Member>,
        directory: &'a str,
        /// Up to where its members are known, where it is cut off or damaged.
        cut: Option<u64>,
    },
    /// Beside the description, through the gate.
    Directory,
}

impl<'a> Archive<'a> {
    /// The members of a tar whose description is the one called `description`.
    pub(super) fn tar(
        source: &'a Source,
        members: &'a [Member],
        description: &'a str,
        cut: Option<u64>,
    ) -> Self {
        // Of two members of one name, the later is what unpacking would leave.
        let members = members.iter().map(|member| (plain(&member.name), member)).collect();
        let directory = plain(description).rfind('/').map_or("", |at| &plain(description)[..=at]);
        Self::Tar { source, members, directory, cut }
    }

    /// Opens the disks in a file that the description refers to; `declared` is the format it says
    /// the file has.
    pub(super) fn open(
        &self,
        file: &File,
        declared: Option<Format>,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        self.look_up(file, declared, chain).map_err(|error| match self {
            // What is missing may have been behind that place.
            Self::Tar { cut: Some(at), .. } if error.kind() == ErrorKind::NotFound => {
                let why = "the archive has no such member up to there, where it is cut off or \
                           damaged";
                Error::corrupt(format!("disk {:?}", file.href), *at, why)
            }
            _ => error,
        })
    }

    fn look_up(
        &self,
        file: &File,
        declared: Option<Format>,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        if !matches!(file.compression.as_str(), "" | "identity") {
            return Err(Error::unsupported(
                format!("disk {:?}", file.href),
                format!("the description says it is compressed with {}", file.compression),
            ));
        }
        if file.chunk_size.is_some() {
            return chain.member(self.joined(file, chain)?, declared);
        }
        // A name with escapes may be meant as it stands or as an address.
        let decoded = percent_decoded(&file.href);
        let names = std::iter::once(file.href.clone()).chain(decoded);
        let mut outcome = Err(Error::invalid("disk", "it has no name"));
        for name in names {
            outcome = match self {
                Self::Directory => chain.image(&name, "disk", declared).map(|disk| vec![disk]),
                Self::Tar { .. } => {
                    self.find(&name, chain).and_then(|source| chain.member(source, declared))
                }
            };
            if !matches!(&outcome, Err(error) if error.kind() == ErrorKind::NotFound) {
                break;
            }
        }
        outcome
    }

    /// The bytes of one file.
    fn find(&self, name: &str, chain: &Chain<'_>) -> Result<Source> {
        let Self::Tar { source, members, directory, .. } = self else {
            return chain.source(name, "disk");
        };
        let beside = format!("{directory}{}", plain(name));
        let member = members.get(beside.as_str()).or_else(|| members.get(plain(name)));
        let member = member.ok_or_else(|| {
            Error::not_found(format!("disk {name:?}"), "the archive has no such member")
        })?;
        open_member(source, member)
    }

    /// The pieces of a split file, one behind the other.
    fn joined(&self, file: &File, chain: &Chain<'_>) -> Result<Source> {
        let what = || format!("disk {:?}", file.href);
        let Some((chunk_size, count)) = file.chunks() else {
            return Err(Error::unsupported(what(), "it is split, but the sizes are not given"));
        };
        if count > MOST_CHUNKS {
            let why = format!("it is split into {count} pieces; at most {MOST_CHUNKS} are read");
            return Err(Error::unsupported(what(), why));
        }
        let (mut first, mut readers) = (None, Vec::new());
        for index in 0..count {
            let piece = self.find(&format!("{}.{index:09}", file.href), chain)?;
            readers.push(Arc::clone(&piece.reader));
            first.get_or_insert(piece);
        }
        let joined = Joined::new(readers)?;
        let size = file.size.unwrap_or_default();
        let Some(first) = first.filter(|_| joined.len() == size) else {
            let why = format!(
                "its {count} pieces of {chunk_size} have {} bytes, not {size}",
                joined.len()
            );
            return Err(Error::corrupt(what(), joined.len(), why));
        };
        Ok(Source { reader: Arc::new(joined), ..first })
    }
}

/// The bytes of one member, which goes by the archive's place and its own name.
pub(super) fn open_member(archive: &Source, member: &Member) -> Result<Source> {
    let what = || format!("member {:?}", member.name);
    if member.sparse {
        let why = "it is stored as a sparse file; make the archive without --sparse";
        return Err(Error::unsupported(what(), why));
    }
    let length = member.range.end - member.range.start;
    let window = Window::new(archive.reader.clone(), member.range.start, length)
        .map_err(|error| error.within(what()))?;
    let name = format!("{}/{}", archive.location, plain(&member.name));
    let location = match archive.location {
        Location::Path(_) => Location::Path(name.into()),
        Location::Url(_) => Location::Url(name),
    };
    Ok(Source { reader: Arc::new(window), location, note: archive.note })
}

/// A name without the `./` that some archivers begin all names with.
fn plain(name: &str) -> &str {
    name.strip_prefix("./").unwrap_or(name)
}

/// The name with its `%20` and the like decoded, if it has any.
fn percent_decoded(name: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(decoded).ok().filter(|decoded| decoded != name)
}
