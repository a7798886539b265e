//! What lies on the volumes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use fathom_block::Error;
use fathom_filesystem::{Filesystem, Kind};
use fathom_volume::{Content, Discovery, Volume, VolumeId};

/// What lies on a volume that no other volume lies on.
pub enum Holds {
    /// A filesystem that can be read.
    Filesystem(Arc<dyn Filesystem>),
    /// A filesystem that is recognised but cannot be read.
    Unreadable(Kind, Error),
    /// Nothing that is recognised.
    Nothing,
    /// It could not be looked.
    Unknown(Error),
}

/// What lies on the volume.
pub fn holds(volume: &Volume) -> Holds {
    let reader = match (&volume.reader, &volume.problem) {
        (Some(reader), _) => reader,
        (None, Some(problem)) => return Holds::Unknown(problem.clone()),
        (None, None) => return Holds::Nothing,
    };
    match fathom_filesystem::detect(reader) {
        Ok(None) if volume.content != Content::Unknown => Holds::Nothing,
        Ok(None) => match fathom_volume::lost_label(&**reader) {
            Ok(None) => Holds::Nothing,
            Ok(Some(lost)) | Err(lost) => Holds::Unknown(lost),
        },
        Ok(Some(kind)) => match fathom_filesystem::open(reader.clone()) {
            Ok(filesystem) => Holds::Filesystem(filesystem),
            Err(error) => Holds::Unreadable(kind, error),
        },
        Err(error) => Holds::Unknown(error),
    }
}

/// The volumes that a filesystem may lie on, each with what lies there.
pub fn contents(discovery: &Discovery) -> Vec<(&Volume, Holds)> {
    let parents: HashSet<&VolumeId> =
        discovery.volumes.iter().flat_map(|volume| &volume.parents).collect();
    discovery
        .volumes
        .iter()
        .filter(|volume| volume.content == Content::Unknown && !parents.contains(&volume.id))
        .map(|volume| (volume, holds(volume)))
        .collect()
}

/// The error, led by the volume that it is about unless it is already.
pub fn of_volume(error: &Error, id: &VolumeId) -> Error {
    let shown = error.to_string();
    let subject = shown.split_once(": ").map_or("", |(_, subject)| subject);
    if subject.starts_with(id.as_str()) { error.clone() } else { error.clone().within(id) }
}

/// The filesystem seen from one of its subvolumes.
pub fn open_subvolume(
    filesystem: &Arc<dyn Filesystem>,
    name: &SubvolumeName,
) -> Result<Arc<dyn Filesystem>, Error> {
    let subvolumes = filesystem.subvolumes()?;
    let at = |path: &str| {
        let wanted = path.trim_matches('/').as_bytes();
        subvolumes.iter().find(|subvolume| subvolume.path.as_deref() == Some(wanted))
    };
    let numbered = |id: u64| subvolumes.iter().find(|subvolume| subvolume.id == id);
    let found = match name {
        SubvolumeName::Path { path, id } => {
            let found = at(path);
            if let (Some(found), Some(id)) = (found, id)
                && found.id != *id
            {
                let why = format!("the one of that path has the number {}", found.id);
                return Err(Error::not_found(name.to_string(), why));
            }
            found
        }
        SubvolumeName::Id(id) => numbered(*id),
        SubvolumeName::Typed(text) => {
            at(text).or_else(|| text.parse().ok().and_then(|id: u64| numbered(id)))
        }
    };
    match found {
        Some(subvolume) => filesystem.open_subvolume(subvolume.id),
        None => {
            let known = subvolumes.iter().filter_map(|subvolume| subvolume.path.as_deref());
            let known = known.filter(|path| !path.is_empty());
            let known: Vec<_> =
                known.take(20).map(|path| String::from_utf8_lossy(path).into_owned()).collect();
            let why = match known.as_slice() {
                [] => "this filesystem has none".to_owned(),
                known => format!("there are {}", known.join(", ")),
            };
            Err(Error::not_found(name.to_string(), why))
        }
    }
}

/// How a subvolume is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubvolumeName {
    /// By its path, and where both are said, by its number too.
    Path {
        /// The path from the top of the filesystem.
        path: String,
        /// The number that the one there must have.
        id: Option<u64>,
    },
    /// By its number.
    Id(u64),
    /// By what a person typed: a path, or where there is none, a number.
    Typed(String),
}

impl fmt::Display for SubvolumeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, id: None } | Self::Typed(path) => write!(f, "subvolume {path:?}"),
            Self::Path { path, id: Some(id) } => write!(f, "subvolume {path:?} with number {id}"),
            Self::Id(id) => write!(f, "subvolume number {id}"),
        }
    }
}
