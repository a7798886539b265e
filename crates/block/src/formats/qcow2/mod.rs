//! QEMU copy-on-write, versions 2 and 3.
//!
//! The file is cut into clusters. The header names an L1 table, whose entries name L2 tables, whose
//! entries say of each guest cluster where it is: nowhere, so that the backing file decides;
//! nowhere, and zeros; in a cluster of the file; compressed somewhere in the file; or at the same
//! place of an external data file. An internal snapshot is another L1 table. Reference counts are
//! for writers, and not looked at.
//!
//! [Specification](https://www.qemu.org/docs/master/interop/qcow2.html).

mod backing;
mod compressed;
mod extension;
mod header;
mod l2;
mod map;
mod reader;
mod snapshot;
mod unpack;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::sync::Arc;

use self::extension::Extensions;
use self::header::{Compression, Encryption, Header, L1Location, incompatible};
use self::map::Map;
use self::reader::{Backing, Reader};
use self::snapshot::SnapshotEntry;
use self::unpack::Unpacker;
use crate::error::{Error, Problem, Result};
use crate::formats::Format;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, read_vec};

/// Enough for every header field that is known.
const HEADER: u64 = 112;

pub(crate) fn probe(head: &[u8], _length: u64) -> bool {
    head.starts_with(&header::MAGIC)
}

pub(crate) fn open(source: Source, chain: &Chain<'_>) -> Result<Disk> {
    let file = &source.reader;
    let header = Header::parse(&read_vec(file, "qcow2 header", 0, HEADER.min(file.len()))?)?;
    let extensions = Extensions::read(file, &header)?;
    extensions.refuse_unknown(&header)?;
    header.check()?;
    refuse_encrypted(&header)?;

    let (snapshots, snapshot_problem) = snapshot::read_table(file, &header);
    let state = State::choose(&header, &snapshots, &snapshot_problem, chain)?;
    let name = source.location.to_string();
    let data = data_file(&source, &header, &extensions, chain)?;
    let backing = backing::open(file, &header, &extensions, chain)?;

    let reader = Reader {
        size: state.size,
        map: Map::new(Arc::clone(file), &header, state.l1),
        name,
        data: Arc::clone(&data.reader),
        data_name: data.location.to_string(),
        unpacker: Unpacker::new(
            header.compression,
            header.cluster_size() as usize,
            chain.clusters(),
        ),
        backing: backing.as_ref().map(|disk| Backing::new(Arc::clone(&disk.reader))),
    };
    let mut detail = detail(&header, &data, state.snapshot);
    let mut problems = problems(&header, state.l1, file.len(), snapshot_problem);
    if let Some(beneath) = &backing {
        let (length, size) = (beneath.reader.len(), state.size);
        if let Some(problem) = backing::cut_off(beneath, size) {
            problems.push(problem);
        } else if length < size {
            let _ = write!(detail, ", zeros from byte {length} on, where its backing file ends");
        }
    }
    let image = source.location.clone();
    let mut disk = Disk::new(Format::Qcow2, source.location, Arc::new(reader)).detail(detail);
    disk.problems = problems.into_iter().map(|problem| problem.of_image(&image)).collect();
    disk.snapshots = snapshots.into_iter().map(|entry| entry.snapshot).collect();
    Ok(match &backing {
        Some(beneath) => disk.over(beneath),
        None => disk,
    })
}

/// Which state of the disk is read.
struct State<'a> {
    l1: L1Location,
    size: u64,
    snapshot: Option<&'a str>,
}

impl<'a> State<'a> {
    fn choose(
        header: &Header,
        snapshots: &'a [SnapshotEntry],
        problem: &Option<Error>,
        chain: &Chain<'_>,
    ) -> Result<Self> {
        let Some(wanted) = chain.snapshot() else {
            return Ok(Self { l1: header.l1, size: header.size, snapshot: None });
        };
        let entry = match (snapshot::choose(snapshots, wanted), problem) {
            (Ok(entry), _) => entry,
            // It may be in the part of the table that cannot be read.
            (Err(_), Some(problem)) => {
                return Err(problem.clone().within(format!("snapshot {wanted:?}")));
            }
            (Err(error), None) => return Err(error),
        };
        let size = entry.snapshot.virtual_size;
        let corrupt = |why| Error::corrupt(format!("snapshot {wanted:?}"), entry.at, why);
        header.check_l1(entry.l1, size).map_err(corrupt)?;
        if header.has(incompatible::DATA_FILE) {
            let why = "an image with an external data file cannot have internal snapshots";
            return Err(corrupt(why.to_owned()));
        }
        Ok(Self { l1: entry.l1, size, snapshot: Some(&entry.snapshot.name) })
    }
}

fn refuse_encrypted(header: &Header) -> Result<()> {
    let method = match header.encryption {
        Encryption::None => return Ok(()),
        Encryption::Aes => "AES, as qemu had it before LUKS",
        Encryption::Luks => "LUKS",
    };
    let why = format!("its clusters are encrypted with {method}; decrypt it with qemu-img convert");
    Err(Error::encrypted("qcow2 image", why))
}

/// Where plain clusters are: in the image itself, or in its external data file.
fn data_file(
    source: &Source,
    header: &Header,
    extensions: &Extensions,
    chain: &Chain<'_>,
) -> Result<Source> {
    if !header.has(incompatible::DATA_FILE) {
        return Ok(source.clone());
    }
    match &extensions.data_file {
        Some(name) if !name.is_empty() => chain.source(name, "data file"),
        _ => Err(Error::not_found("external data file", "the image does not name it")),
    }
}

/// The particulars, as `disk info` shows them.
fn detail(header: &Header, data: &Source, snapshot: Option<&str>) -> String {
    let size = header.cluster_size();
    let mut detail = match size {
        ..1024 => format!("v{}, {size} B clusters", header.version),
        1024..0x10_0000 => format!("v{}, {} KiB clusters", header.version, size >> 10),
        _ => format!("v{}, {} MiB clusters", header.version, size >> 20),
    };
    if header.compression == Compression::Zstd {
        detail.push_str(", zstd");
    }
    if header.has(incompatible::EXTENDED_L2) {
        detail.push_str(", extended L2");
    }
    if header.has(incompatible::DATA_FILE) {
        let raw = if header.raw_data_file() { "raw " } else { "" };
        let _ = write!(detail, ", {raw}data file {}", data.location);
    }
    if let Some(snapshot) = snapshot {
        let _ = write!(detail, ", snapshot {snapshot:?}");
    }
    detail
}

/// What is wrong without stopping the reading.
fn problems(
    header: &Header,
    l1: L1Location,
    file_length: u64,
    snapshots: Option<Error>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let marked = |why| Error::corrupt("qcow2 header", 72, why);
    if header.has(incompatible::CORRUPT) {
        problems.push(marked(
            "qemu marked the image as corrupt: what is read may be wrong; see qemu-img check",
        ));
    }
    if header.has(incompatible::DIRTY) {
        problems.push(marked(
            "the image was not closed cleanly: reference counts may be stale, which reading does \
             not need; see qemu-img check",
        ));
    }
    let l1_end = l1.offset.saturating_add(u64::from(l1.entries) * 8);
    if l1_end > file_length {
        let past = Error::past_end(l1.offset, u64::from(l1.entries) * 8, file_length);
        problems.push(past.within("L1 table"));
    }
    problems.extend(snapshots.map(|error| error.within("snapshots")));
    problems
}
