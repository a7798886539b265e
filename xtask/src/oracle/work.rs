//! The folder that one case works in.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fathom_block::{Location, Opener};
use fathom_filesystem::Tree;
use fathom_volume::{Discovery, Disk, Key, Keys};

use crate::shell;

/// The folder that one case works in. It is removed when the case is done, and whatever the case
/// mounted beneath it is unmounted first.
pub(crate) struct Work {
    case: String,
    directory: PathBuf,
    keep: bool,
}

impl Work {
    pub(crate) fn new(case: &str, keep: bool) -> Result<Self> {
        let name = format!("{}-{}", case.replace('/', "-"), std::process::id());
        let directory = shell::cache()?.join("work").join(name);
        fs::create_dir_all(&directory)?;
        Ok(Self { case: case.to_owned(), directory, keep })
    }

    /// Tells whoever runs the case something that passing it does not.
    pub(crate) fn note(&self, text: impl Display) {
        println!("note  {}: {text}", self.case);
    }

    /// The folder.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs a bash script in the folder; see [`shell::bash`].
    pub(crate) fn bash(&self, script: &str) -> Result<String> {
        shell::bash(&self.directory, script)
    }

    /// Opens disk images of one machine and finds what lies on them.
    pub(crate) fn discover(&self, images: &[&str], passphrases: &[&str]) -> Result<Discovery> {
        let mut disks = Vec::new();
        for image in images {
            for disk in Opener::new().open(&Location::Path(self.path(image)))? {
                disks.push(Disk {
                    name: disk.name,
                    reader: disk.reader,
                    sector_size: disk.sector_size,
                });
            }
        }
        let keys = passphrases.iter().map(|phrase| Key::new(None, phrase.as_bytes().to_vec()));
        Ok(fathom_volume::discover(&disks, &Keys::new(keys.collect())))
    }

    /// Opens the filesystem that fills the whole image.
    pub(crate) fn tree(&self, image: &str) -> Result<Tree> {
        let disks = Opener::new().open(&Location::Path(self.path(image)))?;
        let disk = disks.into_iter().next().context("the image has no disk")?;
        Ok(Tree::new(fathom_filesystem::open(disk.reader)?))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // A failed case may have left something mounted; nothing may be removed through a mount.
        let script = "awk -v d=\"$PWD/\" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r | \
                      while read -r at; do umount -l \"$at\"; done";
        let unmounted = self.bash(script);
        if unmounted.is_ok() && !self.keep {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}
