//! Reading one image whole: every volume, every path, every attribute, every byte that is not a
//! hole.

use std::path::PathBuf;

use anyhow::Result;
use fathom_block::{Location, Opener, ReadAt};
use fathom_filesystem::{FileType, Tree};
use fathom_volume::{Content, Disk, Keys};

/// The most bytes of data that are read of one image: damaged maps may claim the same blocks for
/// thousands of files.
const BUDGET: u64 = 1 << 30;

/// Which image to read.
#[derive(clap::Args)]
pub(crate) struct OneArguments {
    image: PathBuf,
}

#[derive(Default)]
struct Seen {
    paths: usize,
    bytes: u64,
    problems: Vec<String>,
}

/// Reads the image and prints one line: what it is, and what was wrong.
pub(crate) fn one(arguments: &OneArguments) -> Result<()> {
    let disks = match Opener::new().open(&Location::Path(arguments.image.clone())) {
        Ok(disks) => disks,
        Err(error) => {
            println!("not opened ({:?}): {error}", error.kind());
            return Ok(());
        }
    };
    let named: Vec<_> = disks
        .into_iter()
        .map(|disk| Disk { name: disk.name, reader: disk.reader, sector_size: disk.sector_size })
        .collect();
    let discovery = fathom_volume::discover(&named, &Keys::default());
    let mut seen = Seen::default();
    seen.problems.extend(discovery.problems.iter().map(ToString::to_string));
    let mut kinds = Vec::new();
    for volume in &discovery.volumes {
        seen.problems.extend(volume.problem.iter().map(ToString::to_string));
        match (&volume.content, &volume.reader) {
            (Content::Unknown, Some(reader)) => match fathom_filesystem::detect(reader) {
                Ok(None) => kinds.push("nothing".to_owned()),
                Ok(Some(kind)) => match fathom_filesystem::open(reader.clone()) {
                    Ok(filesystem) => {
                        kinds.push(format!("{kind} read"));
                        seen.problems.extend(filesystem.problems().iter().map(ToString::to_string));
                        seen.tree(&Tree::new(filesystem));
                    }
                    Err(error) => {
                        kinds.push(format!("{kind} not opened ({:?})", error.kind()));
                        seen.problems.push(error.to_string());
                    }
                },
                Err(error) => seen.problems.push(error.to_string()),
            },
            (Content::Recognised { name, .. }, _) => kinds.push((*name).to_owned()),
            (Content::Luks { version, .. }, _) => kinds.push(format!("LUKS{version}")),
            (Content::PhysicalVolume { .. }, _) => kinds.push("LVM".to_owned()),
            _ => {}
        }
    }
    kinds.sort();
    kinds.dedup();
    println!(
        "{}: {} paths, {} bytes, {} problems{}",
        kinds.join(" + "),
        seen.paths,
        seen.bytes,
        seen.problems.len(),
        seen.problems.first().map(|first| format!(", first: {first}")).unwrap_or_default()
    );
    Ok(())
}

impl Seen {
    fn tree(&mut self, tree: &Tree) {
        let walk = match tree.walk(b"/") {
            Ok(walk) => walk,
            Err(error) => return self.problems.push(error.to_string()),
        };
        for step in walk {
            self.paths += 1;
            self.problems.extend(step.problem.iter().map(ToString::to_string));
            let metadata = match step.metadata {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.problems.push(error.to_string());
                    continue;
                }
            };
            if let Err(error) = step.found.xattrs() {
                self.problems.push(error.to_string());
            }
            let outcome = match metadata.file_type {
                FileType::File => step.found.open().and_then(|file| self.file(&*file)),
                FileType::Symlink => step.found.read_link().map(|_| ()),
                _ => Ok(()),
            };
            if let Err(error) = outcome {
                self.problems.push(error.to_string());
            }
        }
    }

    fn file(&mut self, file: &dyn ReadAt) -> fathom_block::Result<()> {
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        while let Some(data) = file.next_data(at) {
            at = data.start;
            while at < data.end && self.bytes < BUDGET {
                let length = (data.end - at).min(buffer.len() as u64) as usize;
                file.read_at(at, &mut buffer[..length])?;
                self.bytes += length as u64;
                at += length as u64;
            }
            at = data.end;
        }
        Ok(())
    }
}
