//! Reads everything that an image lets itself be read for. What comes back does not matter here;
//! that something comes back, in bounded time and memory, does.

use std::sync::Arc;

use fathom_block::{Location, Opener, ReadAt};
use fathom_filesystem::{FileType, Tree};
use fathom_volume::{Discovery, Disk, Keys};

/// The most bytes of one file or disk that are read: a sparse file may claim 2^63.
const MOST: u64 = 8 << 20;

/// The most paths that are visited.
const PATHS: usize = 20_000;

/// Takes the bytes for a container image, and then for what lies in it.
pub(crate) fn container(image: Vec<u8>) {
    container_at(Arc::new(image));
}

/// The same, of bytes that are not all in memory.
pub(crate) fn container_at(image: Arc<dyn ReadAt>) {
    let location = Location::Path("mutant".into());
    let Ok(disks) = Opener::new().open_reader(image, &location) else {
        return;
    };
    for disk in disks {
        some(&*disk.reader);
        data(&*disk.reader);
    }
}

/// Takes the bytes for a disk with volumes on it.
pub(crate) fn volumes(image: Vec<u8>) {
    volumes_at(Arc::new(image));
}

/// The same, of bytes that are not all in memory.
pub(crate) fn volumes_at(image: Arc<dyn ReadAt>) {
    let disk = Disk { name: "mutant".into(), reader: image, sector_size: None };
    found(&fathom_volume::discover(&[disk], &Keys::default()));
}

/// Reads the volumes that were found.
pub(crate) fn found(discovery: &Discovery) {
    let _ = fathom_volume::render(discovery, &|volume| format!("{:?}", volume.problem));
    for volume in discovery.volumes.iter().take(200) {
        if let Some(reader) = &volume.reader {
            some(&**reader);
        }
    }
}

/// Takes the bytes for a filesystem.
pub(crate) fn filesystem(image: Vec<u8>) {
    filesystem_at(Arc::new(image));
}

/// The same, of bytes that are not all in memory.
pub(crate) fn filesystem_at(image: Arc<dyn ReadAt>) {
    let Ok(filesystem) = fathom_filesystem::open(image) else {
        return;
    };
    let _ = (filesystem.info(), filesystem.problems());
    let tree = Tree::new(filesystem);
    let Ok(walk) = tree.walk(b"/") else { return };
    let mut budget = 4 * MOST;
    for step in walk.take(PATHS) {
        let _ = step.found.xattrs();
        let Ok(metadata) = step.metadata else {
            continue;
        };
        match metadata.file_type {
            FileType::Symlink => {
                let _ = step.found.read_link();
                let _ = tree.resolve(&step.path, true);
            }
            FileType::File => {
                let Ok(file) = step.found.open() else {
                    continue;
                };
                data(&*file);
                if budget > 0 {
                    budget = budget.saturating_sub(some(&*file));
                }
            }
            _ => {}
        }
    }
}

/// Reads the start and the end.
fn some(reader: &dyn ReadAt) -> u64 {
    let mut buffer = vec![0; 256 << 10];
    let mut read = 0;
    while read < reader.len().min(MOST) {
        let length = buffer.len().min((reader.len() - read) as usize);
        let _ = reader.read_at(read, &mut buffer[..length]);
        read += length as u64;
    }
    let tail = buffer.len().min(reader.len() as usize);
    let _ = reader.read_at(reader.len() - tail as u64, &mut buffer[..tail]);
    read
}

/// Walks the map of holes.
fn data(reader: &dyn ReadAt) {
    let mut at = 0;
    for _ in 0..10_000 {
        match reader.next_data(at) {
            Some(range) => {
                assert!(range.start >= at && range.end > range.start, "{range:?} after {at}");
                assert!(range.end <= reader.len(), "{range:?} of {}", reader.len());
                at = range.end;
            }
            None => break,
        }
    }
}
