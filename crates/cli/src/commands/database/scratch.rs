//! A folder for what is looked at and not kept.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::interrupt::Leftovers;

/// A folder that is removed when this ends, or the process is interrupted.
pub(super) struct Scratch {
    path: PathBuf,
    _leftovers: Leftovers,
}

impl Scratch {
    /// A new one where this machine keeps such things.
    pub(super) fn new() -> Result<Self, Failure> {
        let within = std::env::temp_dir();
        let mut last = None;
        // Others may have taken a name to be in the way.
        for number in 0..100 {
            let path = within.join(format!("fathom-{}-{number}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let gone = path.clone();
                    let _leftovers = Leftovers::of(move || drop(fs::remove_dir_all(&gone)));
                    return Ok(Self { path, _leftovers });
                }
                Err(error) => last = Some(error),
            }
        }
        let error = last.unwrap_or_else(|| std::io::ErrorKind::Other.into());
        Err(Failure::Host(within.display().to_string(), error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_it() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "content").unwrap();
        drop(scratch);
        assert!(!path.exists());
    }
}
