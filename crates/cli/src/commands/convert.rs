//! `fathom disk convert`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fathom_block::ReadAt;
use fathom_block::export::{ExportError, Target, export};

use crate::args::Convert;
use crate::exit::{Failure, Verdict, warn};
use crate::interrupt;
use crate::machine::Machine;
use crate::progress::Progress;

pub(crate) fn run(options: &Convert) -> Result<Verdict, Failure> {
    let target = target(options)?;
    if !options.force && fs::symlink_metadata(&options.out).is_ok() {
        return Err(Failure::Usage(format!(
            "{} exists; --force overwrites it",
            options.out.display()
        )));
    }
    let machine = Machine::open(&options.source)?;
    machine.disks.iter().flat_map(|disk| &disk.problems).for_each(warn);
    let reader = source(&machine, options)?;
    let out = Unfinished::new(&options.out)?;
    let progress = Progress::new(&options.out.display().to_string(), reader.len());
    let advance = |bytes| {
        progress.add(bytes);
        interrupt::check().is_ok()
    };
    export(&*reader, &out.file, target, &advance).map_err(|error| match error {
        ExportError::Read(error) => Failure::Read(error),
        ExportError::Write(error) => Failure::Host(options.out.display().to_string(), error),
        ExportError::Stopped => Failure::Interrupted,
    })?;
    out.finish(options.force)?;
    Ok(Verdict::Done)
}

fn target(options: &Convert) -> Result<Target, Failure> {
    let ending = options.out.extension().and_then(|ending| ending.to_str());
    match options.to.as_deref().or(ending.filter(|ending| *ending == "qcow2")) {
        None | Some("raw") => Ok(Target::Raw),
        Some("qcow2") => Ok(Target::Qcow2),
        Some(other) => Err(Failure::Usage(format!("--to {other}: raw and qcow2 can be written"))),
    }
}

/// What is to be converted: the volume that was named, or the machine's only disk.
fn source(machine: &Machine, options: &Convert) -> Result<Arc<dyn ReadAt>, Failure> {
    if let Some(name) = &options.volume {
        let volume = machine.volume(name)?;
        return match (&volume.reader, &volume.problem) {
            (Some(reader), _) => Ok(reader.clone()),
            (None, Some(problem)) => Err(problem.clone().into()),
            (None, None) => Err(Failure::Usage(format!("volume {name} has no bytes of its own"))),
        };
    }
    match machine.disks.as_slice() {
        [disk] => Ok(disk.reader.clone()),
        disks => Err(Failure::Usage(format!(
            "there are {} disks; choose one with --volume: disk0, disk1, …",
            disks.len()
        ))),
    }
}

/// A file that gets its name when it is complete. Dropped before that, it is removed.
struct Unfinished {
    file: File,
    path: PathBuf,
    target: PathBuf,
    finished: bool,
}

impl Unfinished {
    fn new(target: &Path) -> Result<Self, Failure> {
        let name = target
            .file_name()
            .ok_or_else(|| Failure::Usage(format!("{} is no file name", target.display())))?;
        let mut part = std::ffi::OsString::from(".");
        part.push(name);
        part.push(format!(".{}.part", std::process::id()));
        let path = target.with_file_name(part);
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(Failure::host(path.display().to_string()))?;
        Ok(Self { file, path, target: target.to_owned(), finished: false })
    }

    fn finish(mut self, force: bool) -> Result<(), Failure> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let flags = if force { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        renameat_with(CWD, &self.path, CWD, &self.target, flags)
            .map_err(|errno| Failure::Host(self.target.display().to_string(), errno.into()))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}
