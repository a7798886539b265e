//! What lies on the volumes.

use std::collections::HashSet;
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
        Ok(None) => Holds::Nothing,
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

/// The filesystem seen from one of its subvolumes, named by its path or its number.
pub fn open_subvolume(
    filesystem: &Arc<dyn Filesystem>,
    name: &str,
) -> Result<Arc<dyn Filesystem>, Error> {
    let subvolumes = filesystem.subvolumes()?;
    let wanted = name.trim_matches('/');
    let found = subvolumes.iter().find(|subvolume| {
        subvolume.path.as_deref() == Some(wanted.as_bytes()) || wanted.parse() == Ok(subvolume.id)
    });
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
            Err(Error::not_found(format!("subvolume {name:?}"), why))
        }
    }
}
