//! `fathom cp`.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fathom_block::{Error, ReadAt};
use fathom_filesystem::{FileType, Found, Metadata, NodeId, Tree};
use serde::Serialize;

use super::destination::Destination;
use crate::args::Cp;
use crate::exit::{self, Each, Failure, Verdict, say, warn};
use crate::interrupt::{self, HalfWritten};
use crate::machine::{Machine, guest_path};
use crate::output::Out;
use crate::progress::Progress;
use crate::text;

/// How many bytes are copied at once.
const CHUNK: u64 = 1 << 20;

struct Copier {
    destination: Destination,
    /// Files with several names, by filesystem and node: where the first name was copied to.
    linked: HashMap<(usize, NodeId), Vec<Vec<u8>>>,
    /// What was copied to, where a later copy could replace it: of two that go by one name the first
    /// stays.
    made: Option<HashSet<Vec<Vec<u8>>>>,
    progress: Progress,
    /// The exit code of the first that could not be copied.
    first_code: Option<u8>,
    counts: Counts,
}

/// What was done, as JSON shows it.
#[derive(Default, Serialize)]
struct Counts {
    files: u64,
    directories: u64,
    links: u64,
    /// Bytes read from the image and written here; holes do not count.
    bytes: u64,
    /// What was there and was not replaced.
    kept: u64,
    /// What could not be copied, or has no copy: devices, pipes and sockets.
    failed: u64,
}

pub(crate) fn run(options: &Cp) -> Result<Verdict, Failure> {
    let machine = Machine::open(&options.guest.source)?;
    let tree = machine.files(&options.guest.on)?;
    let Some((target, paths)) = options.paths.split_last() else {
        return Err(Failure::Usage("a path and a destination are wanted".into()));
    };
    let target = Path::new(target);
    let mut sources = Vec::new();
    let mut each = Each::of(paths.len());
    for path in paths {
        let path = guest_path(path);
        each.note(source(&tree, path, options.recursive).map(|found| sources.push((path, found))))?;
    }
    let missed = each.verdict(false)? != Verdict::Done;
    let into = target.is_dir() || paths.len() > 1 || ends_with_slash(target);
    let (directory, rename) = if into {
        (target.to_owned(), None)
    } else {
        let name = target
            .file_name()
            .ok_or_else(|| Failure::Usage(format!("{} is no name for a copy", target.display())))?;
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.map_or_else(|| PathBuf::from("."), Path::to_owned);
        (parent, Some(name.as_encoded_bytes().to_vec()))
    };
    let destination = Destination::open(&directory, options.force)
        .map_err(Failure::host(format!("destination {}", directory.display())))?;
    // How much lies beneath a directory is not known before it is copied.
    let is_file = |metadata: &Metadata| metadata.file_type == FileType::File;
    let total = sources.iter().all(|(_, (_, metadata))| is_file(metadata)).then(|| {
        sources.iter().map(|(_, (_, metadata))| metadata.allocated.min(metadata.size)).sum()
    });
    let _half_written = HalfWritten::begin();
    let mut copier = Copier {
        destination,
        linked: HashMap::new(),
        made: options.force.then(HashSet::new),
        progress: Progress::new("copying", total),
        first_code: None,
        counts: Counts::default(),
    };
    let mut lacking = false;
    for (path, (found, metadata)) in sources {
        // The root has no name of its own: what it holds is copied.
        let name = rename.clone().or_else(|| last_name(path));
        let base: Vec<Vec<u8>> = name.into_iter().collect();
        if metadata.file_type == FileType::Directory {
            lacking |= tree.lacks_beneath(path);
            copier.tree(&tree, path, &base)?;
        } else {
            copier.one(&base, &found, &metadata)?;
        }
    }
    copier.destination.finish().map_err(Failure::host("times of directories"))?;
    drop(copier.progress);
    if options.guest.output.is_json() {
        let mut out = Out::new();
        out.json(&copier.counts)?;
        out.finish()?;
    }
    match copier.counts.verdict(copier.first_code) {
        Ok(Verdict::Done) if missed || lacking => Ok(Verdict::Partial),
        verdict => verdict,
    }
}

/// What is to be copied.
fn source(tree: &Tree, path: &[u8], recursive: bool) -> Result<(Found, Metadata), Failure> {
    let found = tree.resolve(path, !recursive)?;
    let metadata = found.metadata()?;
    if metadata.file_type == FileType::Directory && !recursive {
        return Err(Failure::Usage(format!(
            "{} is a directory; --recursive copies it and what is beneath it",
            text::name(path)
        )));
    }
    Ok((found, metadata))
}

impl Counts {
    /// In part where something was copied, as the first failed where nothing was.
    fn verdict(&self, first_code: Option<u8>) -> Result<Verdict, Failure> {
        let nothing = self.files + self.directories + self.links + self.kept == 0;
        match first_code {
            Some(code) if nothing => Err(Failure::Said(code)),
            None if self.failed + self.kept == 0 => Ok(Verdict::Done),
            _ => Ok(Verdict::Partial),
        }
    }
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// The last name of a path, if it has one that says what is there: `..` does not.
fn last_name(path: &[u8]) -> Option<Vec<u8>> {
    let mut parts = path.split(|byte| *byte == b'/');
    let last = parts.rfind(|part| !part.is_empty() && *part != b".");
    last.filter(|last| *last != b"..").map(<[u8]>::to_vec)
}

impl Copier {
    /// Copies a directory and everything beneath it.
    fn tree(&mut self, tree: &Tree, path: &[u8], base: &[Vec<u8>]) -> Result<(), Failure> {
        for step in tree.walk(path)? {
            interrupt::check()?;
            if let Some(problem) = &step.problem {
                self.failed(problem);
            }
            let metadata = match &step.metadata {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.failed(error);
                    continue;
                }
            };
            let inner = step.path.get(path.len()..).unwrap_or_default();
            let mut target = base.to_vec();
            target.extend(
                inner
                    .split(|byte| *byte == b'/')
                    .filter(|part| !part.is_empty())
                    .map(<[u8]>::to_vec),
            );
            self.one(&target, &step.found, metadata)?;
        }
        Ok(())
    }

    fn failed(&mut self, error: &Error) {
        warn(error);
        self.counts.failed += 1;
        self.first_code.get_or_insert(exit::code_of(error));
    }

    /// Copies one object. What the image keeps from being copied is said and passed over; what
    /// this machine refuses is said too, unless nothing more can be written at all.
    fn one(
        &mut self,
        target: &[Vec<u8>],
        found: &Found,
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        if self.made.as_ref().is_some_and(|made| made.contains(target)) {
            let shown = self.destination.shown(target);
            say(&format!(
                "warning: {shown} was copied a moment ago and is kept: two go by that name"
            ));
            self.counts.kept += 1;
            return Ok(());
        }
        let outcome = match metadata.file_type {
            FileType::Directory if target.is_empty() => Ok(()),
            FileType::Directory => self
                .destination
                .directory(target, metadata)
                .map_err(Failure::host(self.destination.shown(target))),
            FileType::File => self.file(target, found, metadata),
            FileType::Symlink => self.symlink(target, found, metadata),
            _ => {
                let shown = self.destination.shown(target);
                say(&format!("warning: {shown}: devices, pipes and sockets are not copied"));
                self.counts.failed += 1;
                return Ok(());
            }
        };
        if outcome.is_ok() {
            match metadata.file_type {
                FileType::Directory => self.counts.directories += u64::from(!target.is_empty()),
                FileType::Symlink => self.counts.links += 1,
                _ => self.counts.files += 1,
            }
            if let Some(made) = &mut self.made
                && metadata.file_type != FileType::Directory
            {
                made.insert(target.to_vec());
            }
        }
        match outcome {
            Err(Failure::Read(error)) => {
                self.failed(&error.within(self.destination.shown(target)));
                Ok(())
            }
            Err(Failure::Host(what, error)) if error.kind() == ErrorKind::AlreadyExists => {
                say(&format!("warning: {what} exists and is kept; --force replaces it"));
                self.counts.kept += 1;
                Ok(())
            }
            Err(Failure::Host(what, error)) if !is_fatal(&error) => {
                say(&format!("warning: {what}: {error}"));
                self.counts.failed += 1;
                self.first_code.get_or_insert(exit::HOST);
                Ok(())
            }
            other => other,
        }
    }

    fn symlink(
        &mut self,
        target: &[Vec<u8>],
        found: &Found,
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let leads_to = found.read_link()?;
        self.destination
            .symlink(target, &leads_to, metadata)
            .map_err(Failure::host(self.destination.shown(target)))
    }

    fn file(
        &mut self,
        target: &[Vec<u8>],
        found: &Found,
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let shown = self.destination.shown(target);
        let identity = (Arc::as_ptr(&found.filesystem).cast::<()>() as usize, found.node);
        let first = self.linked.get(&identity).filter(|_| metadata.links > 1).cloned();
        if let Some(first) = first {
            return self.destination.link(&first, target).map_err(Failure::host(shown));
        }
        let source = found.open()?;
        let new = self.destination.file(target).map_err(Failure::host(shown.clone()))?;
        self.counts.bytes += copy_bytes(&*source, &new.file, &shown, &self.progress)?;
        new.keep(metadata).map_err(Failure::host(shown))?;
        if metadata.links > 1 {
            self.linked.insert(identity, target.to_vec());
        }
        Ok(())
    }
}

/// Errors after which trying the next file is pointless.
fn is_fatal(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

/// Copies the bytes and keeps the holes; says how many bytes that were.
fn copy_bytes(
    source: &dyn ReadAt,
    file: &std::fs::File,
    shown: &str,
    progress: &Progress,
) -> Result<u64, Failure> {
    file.set_len(source.len()).map_err(Failure::host(shown))?;
    let mut buffer = vec![0; CHUNK.min(source.len()) as usize];
    let (mut at, mut copied) = (0, 0);
    while let Some(data) = source.next_data(at) {
        at = data.start;
        while at < data.end {
            interrupt::check()?;
            let length = (data.end - at).min(CHUNK) as usize;
            source.read_at(at, &mut buffer[..length])?;
            file.write_all_at(&buffer[..length], at).map_err(Failure::host(shown))?;
            progress.add(length as u64);
            at += length as u64;
            copied += length as u64;
        }
    }
    Ok(copied)
}
