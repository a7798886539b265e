//! Open virtualization archives, and descriptions beside their disks.
//!
//! An archive is a [`tar`] whose [`description`] says which members are the machine's disks. They are
//! read where they lie, as windows onto the archive; nothing is unpacked, and nothing outside the
//! archive is opened whatever its names say. A description that stands alone has its disks beside
//! it, and they pass the gate.
//!
//! One disk that cannot be opened does not hide the others: its error becomes a problem of theirs.
//! The manifest's checksums are not verified, since that would read everything.

mod archive;
mod description;
mod tar;

use std::sync::Arc;

use self::archive::{Archive, open_member};
use self::description::{Description, LONGEST};
use self::tar::Member;
use crate::error::{Error, Problem, Result};
use crate::formats::Format;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, Zeros, read_vec};

/// The most disks of one machine.
const MOST_DISKS: usize = 256;

/// What the names of disks end in, where no description says which they are.
const ENDINGS: [&str; 7] = [".vmdk", ".vhd", ".vhdx", ".vdi", ".qcow2", ".img", ".raw"];

pub(crate) fn probe(head: &[u8], _reader: &dyn ReadAt) -> bool {
    head.get(257..262) == Some(b"ustar".as_slice())
}

pub(crate) fn open(source: Source, chain: &Chain<'_>) -> Result<Vec<Disk>> {
    if chain.depth() > 0 {
        let why = "an archive or description within another image is not looked into";
        return Err(Error::unsupported(source.location.to_string(), why));
    }
    let head = read_vec(&*source.reader, "archive", 0, source.reader.len().min(512))?;
    if !probe(&head, &*source.reader) {
        let description = read_description(&*source.reader)?;
        return Found::default().described(&description, &Archive::Directory, &source, chain);
    }
    let (members, problem) = tar::members(&*source.reader)?;
    let found = Found { problems: Vec::from_iter(problem), ..Found::default() };
    let Some(member) = members.iter().find(|member| ends_in(&member.name, ".ovf")) else {
        return found.undescribed(&members, &source, chain);
    };
    let text = open_member(&source, member)?;
    let description =
        read_description(&*text.reader).map_err(|error| error.within(&member.name))?;
    let archive = Archive::tar(&source, &members, &member.name);
    found.described(&description, &archive, &source, chain)
}

fn read_description(reader: &dyn ReadAt) -> Result<Description> {
    if reader.len() > LONGEST {
        let why = format!("it has {} bytes; at most {LONGEST} are read", reader.len());
        return Err(Error::unsupported("OVF", why));
    }
    Description::parse(&read_vec(reader, "OVF", 0, reader.len())?)
}

fn ends_in(name: &str, ending: &str) -> bool {
    name.to_ascii_lowercase().ends_with(ending)
}

/// The disks found so far, and those that could not be opened.
#[derive(Default)]
struct Found {
    disks: Vec<Disk>,
    problems: Vec<Problem>,
}

impl Found {
    /// The disks that a description lists.
    fn described(
        mut self,
        description: &Description,
        archive: &Archive<'_>,
        source: &Source,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        if description.disks.len() > MOST_DISKS {
            let count = description.disks.len();
            let why = format!("the machine has {count} disks; at most {MOST_DISKS} are read");
            return Err(Error::unsupported("OVF", why));
        }
        for disk in &description.disks {
            match described(disk, description, archive, source, chain) {
                Ok((name, disks)) => self.take(&name, disks),
                Err(problem) => self.problems.push(problem),
            }
        }
        self.finish("the description lists no disks")
    }

    /// The members that look like disks.
    fn undescribed(
        mut self,
        members: &[Member],
        source: &Source,
        chain: &Chain<'_>,
    ) -> Result<Vec<Disk>> {
        for member in members {
            if self.disks.len() > MOST_DISKS {
                break;
            }
            let named = ENDINGS.iter().any(|ending| ends_in(&member.name, ending));
            match open_member(source, member).and_then(|source| chain.member(source, None)) {
                Ok(disks) => {
                    let known = |disk: &Disk| {
                        disk.layers.first().is_some_and(|layer| layer.format != Format::Raw)
                    };
                    if named || disks.iter().any(known) {
                        self.take(&member.name, disks);
                    }
                }
                Err(problem) if named => self.problems.push(problem.within(&member.name)),
                Err(_) => {}
            }
        }
        if !self.disks.is_empty() {
            let why = "the archive has no description; these are the members that look like disks";
            self.problems.push(Error::not_found("OVF", why));
        }
        self.finish("the archive has no description, and no member that looks like a disk")
    }

    fn take(&mut self, name: &str, disks: Vec<Disk>) {
        self.disks.extend(disks.into_iter().map(|disk| Disk { name: name.to_owned(), ..disk }));
    }

    /// The disks, the first of which carries the problems of those that are missing.
    fn finish(mut self, none: &str) -> Result<Vec<Disk>> {
        match self.disks.first_mut() {
            Some(first) => {
                first.problems.append(&mut self.problems);
                Ok(self.disks)
            }
            None => Err(self.problems.pop().unwrap_or_else(|| Error::not_found("disks", none))),
        }
    }
}

/// One disk of a description, and the name of its file.
fn described(
    disk: &description::Disk,
    description: &Description,
    archive: &Archive<'_>,
    source: &Source,
    chain: &Chain<'_>,
) -> Result<(String, Vec<Disk>)> {
    if disk.parent_ref.is_some() {
        let why = "the description says it is the difference to another disk";
        return Err(Error::unsupported(format!("disk {:?}", disk.id), why));
    }
    let Some(id) = &disk.file_ref else {
        let capacity = disk.capacity().ok_or_else(|| {
            let why = "it has no file, and its capacity is not given in bytes";
            Error::unsupported(format!("disk {:?}", disk.id), why)
        })?;
        let zeros = Arc::new(Zeros(capacity));
        let empty = Disk::new(Format::Raw, source.location.clone(), zeros).detail("empty");
        return Ok((disk.id.clone(), vec![empty]));
    };
    let file = description.file(id).ok_or_else(|| {
        let why = format!("its file {id:?} is not among the references");
        Error::corrupt(format!("disk {:?}", disk.id), 0, why)
    })?;
    let disks = archive.open(file, disk.declared(), chain);
    Ok((file.href.clone(), disks.map_err(|error| error.within(&file.href))?))
}
