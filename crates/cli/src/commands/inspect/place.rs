//! Where a document goes: standard output, a file that appears when it is complete, or a folder of
//! such files.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use fathom_block::Location;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::exit::Failure;
use crate::interrupt::HalfWritten;

/// A file under way. It lies beside the place that it is for under another name until it is
/// complete; dropped before that, it is removed.
pub(crate) struct Unfinished {
    out: Option<BufWriter<File>>,
    now: PathBuf,
    path: PathBuf,
    force: bool,
    _half_written: HalfWritten,
}

impl Unfinished {
    /// Begins the file `path`.
    pub(crate) fn begin(path: &Path, force: bool) -> Result<Self, Failure> {
        check_free(path, force)?;
        let _half_written = HalfWritten::begin();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let now = path.with_file_name(format!(".{name}.fathom-{}.part", std::process::id()));
        let file = File::options().write(true).create_new(true).open(&now);
        let file = file.map_err(Failure::host(path.display().to_string()))?;
        let out = Some(BufWriter::with_capacity(64 << 10, file));
        Ok(Self { out, now, path: path.to_owned(), force, _half_written })
    }

    /// It is complete: gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let written = self.out.take().map_or(Ok(()), |mut out| out.flush());
        let published = written.and_then(|()| self.publish());
        let name = || self.path.display().to_string();
        published.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&self.path),
            _ => Failure::Host(name(), error),
        })
    }

    fn publish(&self) -> io::Result<()> {
        if self.force {
            return fs::rename(&self.now, &self.path);
        }
        match renameat_with(CWD, &self.now, CWD, &self.path, RenameFlags::NOREPLACE) {
            // A filesystem that cannot do it at once may know hard links, which replace nothing.
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(&self.now, &self.path),
            outcome => Ok(outcome?),
        }
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Some(out) => out.write(bytes),
            None => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it has its own name, nothing goes by this one, or a second name of it.
        let _ = fs::remove_file(&self.now);
    }
}

/// A document on its way to where `-o` says.
pub(crate) enum Sheet {
    /// A file that appears when it is complete.
    File(Unfinished),
    /// A pipe or a device, which takes what comes at once.
    Stream(BufWriter<File>, PathBuf),
}

impl Sheet {
    /// Begins the document at `path`.
    pub(crate) fn begin(path: &Path, force: bool) -> Result<Self, Failure> {
        if !is_stream(path) {
            return Unfinished::begin(path, force).map(Self::File);
        }
        let file = File::options().write(true).open(path);
        let file = file.map_err(Failure::host(path.display().to_string()))?;
        Ok(Self::Stream(BufWriter::with_capacity(64 << 10, file), path.to_owned()))
    }

    /// Whether somebody looks at it on a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stream(out, _) if out.get_ref().is_terminal())
    }

    /// It is complete.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.finish(),
            Self::Stream(mut out, path) => {
                out.flush().map_err(Failure::host(path.display().to_string()))
            }
        }
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(out, _) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(out, _) => out.flush(),
        }
    }
}

/// Whether `-o` means standard output: `-`, or a name that this system has for it.
pub(crate) fn is_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}

/// Whether something is there that is written to as it is: a pipe, or a device without an end. Disks
/// are none: nobody means them here.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|there| there.file_type().is_char_device() || there.file_type().is_fifo())
}

fn exists(path: &Path) -> Failure {
    Failure::Usage(format!("{} exists; --force overwrites it", path.display()))
}

/// Refuses to write where something is that the user did not mean, or that is no file.
pub(crate) fn check_free(path: &Path, force: bool) -> Result<(), Failure> {
    if is_stream(path) {
        return Ok(());
    }
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            Err(Failure::Usage(format!("{} is there and is not a regular file", path.display())))
        }
        Ok(_) if !force => Err(exists(path)),
        _ => Ok(()),
    }
}

/// A folder that gets a file for each machine.
pub(crate) struct Folder {
    path: PathBuf,
    /// Names that have been given.
    given: HashSet<String>,
}

impl Folder {
    /// The folder `path`, made if it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(Failure::host(path.display().to_string()))?;
        Ok(Self { path: path.to_owned(), given: HashSet::new() })
    }

    /// The name of a file for the machine of `image`, without its ending: that of the image; where
    /// two images have the same, the second gets a number.
    pub(crate) fn name(&mut self, image: &OsString) -> String {
        let name = Location::parse(image).file_name();
        let plain: String = name
            .chars()
            .map(|c| if c.is_alphanumeric() || "._-+ ".contains(c) { c } else { '_' })
            .collect();
        let plain = match plain.trim_start_matches('.') {
            "" => "machine",
            plain => plain,
        };
        let mut name = plain.to_owned();
        let mut number = 2;
        while !self.given.insert(name.clone()) {
            name = format!("{plain}-{number}");
            number += 1;
        }
        name
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_of_one_name_get_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(&folder.path().join("new")).unwrap();
        let mut names = Vec::new();
        for image in ["a/disk.raw", "b/disk.raw", "http://host/x/..?q", "c/disk.raw-2"] {
            names.push(folder.name(&OsString::from(image)));
        }
        assert_eq!(names, ["disk.raw", "disk.raw-2", "machine", "disk.raw-2-2"]);
    }

    #[test]
    fn what_is_no_file_is_written_to_as_it_is() {
        assert!(is_output(Path::new("-")) && !is_output(Path::new("./-")));
        let mut sheet = Sheet::begin(Path::new("/dev/null"), false).unwrap();
        sheet.write_all(b"gone").unwrap();
        sheet.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        let reader = std::thread::spawn(move || fs::read(pipe).unwrap());
        let mut sheet = Sheet::begin(&link, false).unwrap();
        sheet.write_all(b"through").unwrap();
        sheet.finish().unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        // A folder is neither.
        assert!(Sheet::begin(folder.path(), true).is_err());
    }

    #[test]
    fn a_file_appears_when_it_is_complete_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report");
        let count = || fs::read_dir(folder.path()).unwrap().count();
        let mut file = Unfinished::begin(&path, false).unwrap();
        file.write_all(b"one").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), count()), (b"one".to_vec(), 1));
        assert!(Unfinished::begin(&path, false).is_err());
        // Dropped, it leaves nothing and changes nothing.
        let mut file = Unfinished::begin(&path, true).unwrap();
        file.write_all(b"two").unwrap();
        drop(file);
        assert_eq!((fs::read(&path).unwrap(), count()), (b"one".to_vec(), 1));
        let mut file = Unfinished::begin(&path, true).unwrap();
        file.write_all(b"two").unwrap();
        file.finish().unwrap();
        assert_eq!((fs::read(&path).unwrap(), count()), (b"two".to_vec(), 1));
        // What came into being meanwhile stays.
        let other = folder.path().join("other");
        let file = Unfinished::begin(&other, false).unwrap();
        fs::write(&other, b"theirs").unwrap();
        assert!(file.finish().is_err());
        assert_eq!((fs::read(&other).unwrap(), count()), (b"theirs".to_vec(), 2));
    }
}
