//! One file as the listings show it.

use fathom_block::{Error, ErrorKind};
use fathom_filesystem::{FileType, Found, Metadata, Step, Timestamp, Tree};
use serde::Serialize;

use crate::exit;
use crate::text;

/// A file as JSON shows it.
#[derive(Serialize)]
pub(crate) struct Entry {
    path: String,
    /// The path's bytes in hexadecimal, where they are not UTF-8 and `path` cannot hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    #[serde(flatten)]
    facts: Option<Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// What is known of a file.
#[derive(Serialize)]
pub(crate) struct Facts {
    #[serde(rename = "type")]
    file_type: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    allocated: u64,
    links: u64,
    inode: u64,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_hex: Option<String>,
}

/// Something that was wrong.
#[derive(Serialize)]
pub(crate) struct Problem {
    kind: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            kind: match error.kind() {
                ErrorKind::NotFound => "not-found".to_owned(),
                kind => format!("{kind:?}").to_lowercase(),
            },
            message: exit::describe(error),
            offset: error.offset(),
        }
    }
}

/// The word for a file type.
pub(crate) fn type_name(file_type: FileType) -> &'static str {
    match file_type {
        FileType::File => "file",
        FileType::Directory => "directory",
        FileType::Symlink => "symlink",
        FileType::CharacterDevice => "character-device",
        FileType::BlockDevice => "block-device",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::Other => "other",
    }
}

/// A path as JSON can hold it, and its bytes in hexadecimal where that is not all of it.
pub(crate) fn json_path(path: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(path) {
        Ok(path) => (path.to_owned(), None),
        Err(_) => (String::from_utf8_lossy(path).into_owned(), Some(hex(path))),
    }
}

/// The path of a directory from which a walk starts there even if the name is a symbolic link.
pub(crate) fn as_directory(tree: &Tree, path: &[u8]) -> Result<Vec<u8>, Error> {
    let mut path = path.to_vec();
    if tree.symlink_metadata(&path)?.file_type == FileType::Symlink {
        path.push(b'/');
    }
    Ok(path)
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Facts {
    fn new(found: &Found, metadata: &Metadata, target: Option<&[u8]>) -> Self {
        let (target, target_hex) = target.map(json_path).unzip();
        let optional = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            file_type: type_name(metadata.file_type),
            mode: format!("{:04o}", metadata.mode),
            uid: metadata.uid,
            gid: metadata.gid,
            size: metadata.size,
            allocated: metadata.allocated,
            links: metadata.links,
            inode: found.node.inode,
            modified: metadata.modified.to_string(),
            accessed: optional(metadata.accessed),
            changed: optional(metadata.changed),
            created: optional(metadata.created),
            device: metadata.device.map(|(major, minor)| format!("{major}:{minor}")),
            target,
            target_hex: target_hex.flatten(),
        }
    }
}

/// A file looked at as far as listings show it: what is known of it and, if it is a symbolic link,
/// where it leads.
pub(super) struct Look<'a> {
    found: &'a Found,
    pub(super) metadata: Result<Metadata, Error>,
    pub(super) target: Option<Vec<u8>>,
    /// What kept a part of this from being read.
    pub(super) problem: Option<Error>,
}

impl<'a> Look<'a> {
    /// Looks at what was found at `path`.
    pub(super) fn at(path: &[u8], found: &'a Found) -> Self {
        let metadata = found.metadata().map_err(|error| error.within(text::name(path)));
        Self::further(path, found, metadata, None)
    }

    /// Looks at what a walk came to.
    pub(super) fn of_step(step: &'a Step) -> Self {
        Self::further(&step.path, &step.found, step.metadata.clone(), step.problem.clone())
    }

    fn further(
        path: &[u8],
        found: &'a Found,
        metadata: Result<Metadata, Error>,
        problem: Option<Error>,
    ) -> Self {
        let is_link = metadata.as_ref().is_ok_and(|it| it.file_type == FileType::Symlink);
        let (target, unread) = match is_link.then(|| found.read_link()) {
            Some(Ok(target)) => (Some(target), None),
            Some(Err(error)) => (None, Some(error.within(text::name(path)))),
            None => (None, None),
        };
        let problem = metadata.as_ref().err().cloned().or(problem).or(unread);
        Self { found, metadata, target, problem }
    }

    pub(super) fn is_directory(&self) -> bool {
        self.metadata.as_ref().is_ok_and(|it| it.file_type == FileType::Directory)
    }

    /// The cells of a long listing; of what is there but cannot be looked at, those that `ls` prints.
    pub(super) fn long_cells(&self, shown: String) -> Vec<String> {
        let Ok(metadata) = &self.metadata else {
            let unknown = std::iter::repeat_n("?".to_owned(), 5);
            return std::iter::once("??????????".to_owned())
                .chain(unknown)
                .chain([shown])
                .collect();
        };
        let size = match metadata.device {
            Some((major, minor)) => format!("{major},{minor}"),
            None => metadata.size.to_string(),
        };
        let name = match (&self.target, metadata.file_type) {
            (Some(target), _) => format!("{shown} -> {}", text::name(target)),
            (None, FileType::Symlink) => format!("{shown} -> (cannot be read)"),
            (None, _) => shown,
        };
        vec![
            format!("{}{}", metadata.file_type.letter(), text::permissions(metadata.mode)),
            metadata.links.to_string(),
            metadata.uid.to_string(),
            metadata.gid.to_string(),
            size,
            Timestamp::new(metadata.modified.seconds, 0).to_string(),
            name,
        ]
    }
}

/// What kept the step from being read.
pub(super) fn problem_of_step(step: &Step) -> Option<&Error> {
    step.metadata.as_ref().err().or(step.problem.as_ref())
}

impl Entry {
    pub(super) fn new(path: &[u8], look: &Look<'_>) -> Self {
        let (path, path_hex) = json_path(path);
        let facts = look.metadata.as_ref().ok();
        let facts = facts.map(|it| Facts::new(look.found, it, look.target.as_deref()));
        Self { path, path_hex, facts, problem: look.problem.as_ref().map(Problem::from) }
    }
}

/// Which cells of a long listing are numbers.
pub(crate) const LONG_RIGHT: &[usize] = &[1, 2, 3, 4];
