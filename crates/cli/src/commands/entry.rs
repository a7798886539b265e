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
    pub(crate) fn new(found: &Found, metadata: &Metadata) -> Self {
        let target = match link_target(found, metadata) {
            Some(Ok(target)) => Some(json_path(&target)),
            Some(Err(_)) | None => None,
        };
        let (target, target_hex) = target.map_or((None, None), |(text, hex)| (Some(text), hex));
        let optional = |time: Option<Timestamp>| time.map(text::time);
        Self {
            file_type: type_name(metadata.file_type),
            mode: format!("{:04o}", metadata.mode),
            uid: metadata.uid,
            gid: metadata.gid,
            size: metadata.size,
            allocated: metadata.allocated,
            links: metadata.links,
            inode: found.node.inode,
            modified: text::time(metadata.modified),
            accessed: optional(metadata.accessed),
            changed: optional(metadata.changed),
            created: optional(metadata.created),
            device: metadata.device.map(|(major, minor)| format!("{major}:{minor}")),
            target,
            target_hex,
        }
    }
}

/// Where a symbolic link leads.
pub(super) fn link_target(found: &Found, metadata: &Metadata) -> Option<Result<Vec<u8>, Error>> {
    (metadata.file_type == FileType::Symlink).then(|| found.read_link())
}

/// Why it cannot be read where a symbolic link leads.
pub(super) fn link_problem(path: &[u8], found: &Found, metadata: &Metadata) -> Option<Error> {
    link_target(found, metadata)?.err().map(|error| error.within(text::name(path)))
}

/// What kept the step from being read; or, where that is shown, where a link leads.
pub(super) fn problem_of_step(step: &Step, shows_target: bool) -> Option<Error> {
    match &step.metadata {
        Err(error) => Some(error.clone()),
        Ok(metadata) if shows_target => {
            step.problem.clone().or_else(|| link_problem(&step.path, &step.found, metadata))
        }
        Ok(_) => step.problem.clone(),
    }
}

impl Entry {
    pub(crate) fn new(path: &[u8], found: &Found, metadata: &Metadata) -> Self {
        let problem = link_problem(path, found, metadata).as_ref().map(Problem::from);
        let (path, path_hex) = json_path(path);
        Self { path, path_hex, facts: Some(Facts::new(found, metadata)), problem }
    }

    /// What is there but cannot be looked at.
    pub(crate) fn failed(path: &[u8], error: &Error) -> Self {
        let (path, path_hex) = json_path(path);
        Self { path, path_hex, facts: None, problem: Some(error.into()) }
    }

    /// One step of a walk, with what was wrong there.
    pub(crate) fn of_step(step: &Step) -> Self {
        let (path, path_hex) = json_path(&step.path);
        let facts = step.metadata.as_ref().ok().map(|metadata| Facts::new(&step.found, metadata));
        let problem = problem_of_step(step, true).as_ref().map(Problem::from);
        Self { path, path_hex, facts, problem }
    }
}

/// The cells of a long listing.
pub(crate) fn long_cells(shown: String, found: &Found, metadata: &Metadata) -> Vec<String> {
    let size = match metadata.device {
        Some((major, minor)) => format!("{major},{minor}"),
        None => metadata.size.to_string(),
    };
    let name = match link_target(found, metadata) {
        Some(Ok(target)) => format!("{shown} -> {}", text::name(&target)),
        Some(Err(_)) => format!("{shown} -> (cannot be read)"),
        None => shown,
    };
    vec![
        format!("{}{}", metadata.file_type.letter(), text::permissions(metadata.mode)),
        metadata.links.to_string(),
        metadata.uid.to_string(),
        metadata.gid.to_string(),
        size,
        text::time(Timestamp::new(metadata.modified.seconds, 0)),
        name,
    ]
}

/// The cells of what is there but cannot be looked at, as `ls` prints them.
pub(crate) fn unknown_cells(shown: String) -> Vec<String> {
    let mut cells = vec!["??????????".to_owned()];
    cells.extend(std::iter::repeat_n("?".to_owned(), 5));
    cells.push(shown);
    cells
}

/// Which cells of a long listing are numbers.
pub(crate) const LONG_RIGHT: &[usize] = &[1, 2, 3, 4];
