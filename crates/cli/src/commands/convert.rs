//! `fathom disk convert`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fathom_block::export::{ExportError, Target, export};
use fathom_block::{Error, ErrorKind, ReadAt};
use fathom_guest::of_volume;
use serde::Serialize;

use crate::args::{Convert, To};
use crate::exit::{Failure, Verdict, warn};
use crate::interrupt::{self, HalfWritten};
use crate::machine::Machine;
use crate::output::Out;
use crate::progress::Progress;

/// What was written, as JSON shows it.
#[derive(Serialize)]
struct Written {
    out: String,
    format: &'static str,
    virtual_size: u64,
    file_size: u64,
}

pub(crate) fn run(options: &Convert) -> Result<Verdict, Failure> {
    let target = target(options)?;
    check_free(options)?;
    let machine = Machine::open(&options.source)?;
    machine.disks.iter().flat_map(|disk| &disk.problems).for_each(warn);
    let (reader, problem) = source(&machine, options)?;
    problem.iter().for_each(warn);
    let _half_written = HalfWritten::begin();
    let out = Unfinished::new(&options.out)?;
    let progress = Progress::new(&options.out.display().to_string(), Some(reader.len()));
    let advance = |bytes| {
        progress.add(bytes);
        interrupt::check().is_ok()
    };
    let format = match target {
        To::Raw => Target::Raw,
        To::Qcow2 => Target::Qcow2,
    };
    export(&*reader, &out.file, format, &advance).map_err(|error| match error {
        ExportError::Read(error) => Failure::Read(error),
        ExportError::Write(error) => Failure::Host(options.out.display().to_string(), error),
        ExportError::Stopped => Failure::Interrupted,
    })?;
    let size = out.file.metadata().map_err(Failure::host(options.out.display().to_string()))?.len();
    out.finish(options.force)?;
    drop(progress);
    if options.output.is_json() {
        let mut out = Out::new();
        out.json(&Written {
            out: options.out.display().to_string(),
            format: if target == To::Raw { "raw" } else { "qcow2" },
            virtual_size: reader.len(),
            file_size: size,
        })?;
        out.finish()?;
    }
    Ok(if problem.is_some() { Verdict::Partial } else { Verdict::Done })
}

fn target(options: &Convert) -> Result<To, Failure> {
    let ending = options.out.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match (options.to, ending.to_ascii_lowercase().as_str()) {
        (Some(to), _) => Ok(to),
        (None, "qcow2") => Ok(To::Qcow2),
        (None, "qcow" | "vmdk" | "vhd" | "vpc" | "vhdx" | "vdi" | "ova" | "ovf") => {
            Err(Failure::Usage(format!(
                "{} ends like a format that cannot be written; say --to raw or --to qcow2",
                options.out.display()
            )))
        }
        (None, _) => Ok(To::Raw),
    }
}

/// Refuses to write where something is that the user did not mean, or that is no file.
fn check_free(options: &Convert) -> Result<(), Failure> {
    let out = &options.out;
    match fs::symlink_metadata(out) {
        Ok(there) if !there.is_file() => {
            Err(Failure::Usage(format!("{} is there and is not a regular file", out.display())))
        }
        Ok(_) if !options.force => {
            Err(Failure::Usage(format!("{} exists; --force overwrites it", out.display())))
        }
        _ => Ok(()),
    }
}

/// What is to be converted, the volume that was named or the machine's only disk; and why that is
/// not all of it.
fn source(
    machine: &Machine,
    options: &Convert,
) -> Result<(Arc<dyn ReadAt>, Option<Error>), Failure> {
    if let Some(name) = &options.volume {
        let volume = machine.volume(name)?;
        return match (&volume.reader, &volume.problem) {
            // A locked volume has all its bytes; they are encrypted.
            (Some(reader), problem) => {
                let whole = |error: &&Error| {
                    !matches!(error.kind(), ErrorKind::Encrypted | ErrorKind::Unsupported)
                };
                let problem = problem.as_ref().filter(whole);
                let problem = problem.map(|problem| of_volume(problem, &volume.id));
                machine.discovery.problems.iter().for_each(warn);
                Ok((reader.clone(), problem))
            }
            (None, Some(problem)) => Err(problem.clone().into()),
            (None, None) => Err(Failure::Usage(format!("volume {name} has no bytes of its own"))),
        };
    }
    match machine.disks.as_slice() {
        [disk] => Ok((disk.reader.clone(), None)),
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
            .map_err(Failure::host(target.display().to_string()))?;
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
