//! VMware virtual disks of every kind.
//!
//! A disk is a descriptor ([`descriptor`]) and its extents ([`extent`]). Flat extents are plain
//! bytes. Sparse ones have a [`header`] and find their grains through directories and tables
//! ([`grains`]); in stream-optimized ones the grains are compressed ([`packed`]). Where a disk is a
//! snapshot, grains that it does not have come from its parent.
//!
//! The parent's content id must be the one that the snapshot was taken of. VMware and qemu refuse a
//! chain where it is not, and so does this: a delta over a disk that has since been written is a
//! mixture that no machine ever had.

mod descriptor;
mod extent;
mod grains;
mod header;
mod packed;

use std::sync::Arc;

use self::descriptor::{Descriptor, LONGEST, is_descriptor};
use self::extent::{Extents, refuse_esx};
use self::header::{Header, MAGIC};
use crate::error::{Error, Result};
use crate::formats::Format;
use crate::formats::joined::Joined;
use crate::open::{Chain, Disk, Source};
use crate::read::{ReadAt, read_vec};

/// The first bytes of the sparse formats of ESX.
const COWD: &[u8] = b"COWD";
const SESPARSE: &[u8] = &[0xBE, 0xBA, 0xFE, 0xCA, 0, 0, 0, 0];

pub(crate) fn probe(head: &[u8], reader: &dyn ReadAt) -> bool {
    head.starts_with(MAGIC)
        || head.starts_with(COWD)
        || head.starts_with(SESPARSE)
        // A descriptor is short. A disk that starts like one was made so by its guest.
        || (is_descriptor(head) && reader.len() <= LONGEST)
}

pub(crate) fn open(source: Source, chain: &Chain<'_>) -> Result<Disk> {
    let head = read_vec(&*source.reader, "VMDK", 0, source.reader.len().min(512))?;
    if !head.starts_with(MAGIC) {
        refuse_esx(&head)?;
        if !is_descriptor(&head) {
            return Err(Error::corrupt("VMDK", 0, "it is neither an extent nor a descriptor"));
        }
        let text =
            read_vec(&*source.reader, "VMDK descriptor", 0, source.reader.len().min(LONGEST + 1))?;
        if text.len() as u64 > LONGEST {
            return Err(Error::unsupported("VMDK descriptor", "it is longer than 1 MiB"));
        }
        return described(source, &Descriptor::parse(&text, 0)?, chain);
    }
    let header = Header::read(&*source.reader)?;
    let descriptor = match header.descriptor {
        None => None,
        Some((at, length)) => {
            if length > LONGEST {
                return Err(Error::unsupported("VMDK descriptor", "it is longer than 1 MiB"));
            }
            let text = read_vec(&*source.reader, "VMDK descriptor", at, length)?;
            Some(Descriptor::parse(&text, at)?)
        }
    };
    match descriptor {
        // A sparse file may hold nothing but a descriptor of other files.
        Some(descriptor) if header.capacity == 0 => described(source, &descriptor, chain),
        descriptor => embedded(source, header, descriptor, chain),
    }
}

/// A disk whose descriptor names its extents.
fn described(source: Source, descriptor: &Descriptor, chain: &Chain<'_>) -> Result<Disk> {
    check_create_type(&descriptor.create_type)?;
    if descriptor.extents.is_empty() {
        return Err(Error::corrupt("VMDK descriptor", 0, "it has no extents"));
    }
    let parent = parent(descriptor, chain)?;
    let mut extents = Extents::new(chain, parent.as_ref().map(|disk| disk.reader.clone()));
    let mut readers = Vec::with_capacity(descriptor.extents.len());
    for line in &descriptor.extents {
        readers.push(extents.open(line, descriptor)?);
    }
    let reader: Arc<dyn ReadAt> = match (readers.pop(), readers.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Arc::new(Joined::new(readers.into_iter().chain(last))?),
    };
    Ok(finish(source, reader, Some(descriptor), parent, extents))
}

/// A disk that is one sparse extent, with its descriptor within if it has one.
fn embedded(
    source: Source,
    header: Header,
    descriptor: Option<Descriptor>,
    chain: &Chain<'_>,
) -> Result<Disk> {
    let mut parent = None;
    let mismatch;
    if let Some(descriptor) = &descriptor {
        check_create_type(&descriptor.create_type)?;
        parent = self::parent(descriptor, chain)?;
        // The name in the only line is the file's own, from before it was renamed.
        if descriptor.extents.len() > 1 {
            return Err(Error::unsupported(
                "VMDK descriptor",
                format!("it is embedded, and names {} extents", descriptor.extents.len()),
            ));
        }
        let said = descriptor.extents.first().map(|line| line.sectors);
        let has = header.capacity / header::SECTOR;
        mismatch = said.filter(|said| *said != has).map(|said| {
            let why = format!("capacity is {has} sectors, but the descriptor says {said}");
            Error::corrupt("VMDK header", 12, why)
        });
    } else {
        mismatch = Some(Error::unsupported(
            "VMDK",
            "the extent has no descriptor: it may be one of several of a split disk; \
             open the disk's descriptor to read all of it",
        ));
    }
    let mut extents = Extents::new(chain, parent.as_ref().map(|disk| disk.reader.clone()));
    extents.problems.extend(mismatch);
    let reader = extents.sparse_whole(source.reader.clone(), header)?;
    Ok(finish(source, reader, descriptor.as_ref(), parent, extents))
}

fn finish(
    source: Source,
    reader: Arc<dyn ReadAt>,
    descriptor: Option<&Descriptor>,
    parent: Option<Disk>,
    extents: Extents<'_>,
) -> Disk {
    let create_type = descriptor.map_or("extent", |descriptor| &descriptor.create_type);
    let detail = match extents.grains {
        Some((size, true)) => format!("{create_type}, {} KiB grains, deflate", size >> 10),
        Some((size, false)) => format!("{create_type}, {} KiB grains", size >> 10),
        None => create_type.to_owned(),
    };
    let mut disk = Disk::new(Format::Vmdk, source.location, reader).detail(detail);
    disk.problems = extents.problems;
    let cid = descriptor.and_then(|descriptor| descriptor.cid);
    disk.identity = cid.map(|cid| format!("{cid:08x}"));
    match parent {
        Some(parent) => disk.over(&parent),
        None => disk,
    }
}

/// The kinds of disks whose extents are files.
fn check_create_type(create_type: &str) -> Result<()> {
    let why = match create_type.to_ascii_lowercase().as_str() {
        "monolithicsparse"
        | "monolithicflat"
        | "twogbmaxextentsparse"
        | "twogbmaxextentflat"
        | "streamoptimized"
        | "vmfs"
        | "vmfsthin"
        | "vmfspreallocated"
        | "vmfseagerzeroedthick"
        | "custom" => return Ok(()),
        "vmfssparse" => "vmfsSparse (COWD) snapshots are not read yet",
        "sesparse" => "seSparse snapshots are not read yet",
        "fulldevice"
        | "partitioneddevice"
        | "vmfsraw"
        | "vmfsrdm"
        | "vmfsrdmp"
        | "vmfsrawdevicemap"
        | "vmfspassthroughrawdevicemap" => {
            "its data is on a physical device, not in a file; open the device itself"
        }
        "" => "the descriptor does not say which type it is",
        _ => "this type is unknown",
    };
    Err(Error::unsupported(format!("VMDK createType {create_type:?}"), why))
}

/// Opens the disk that this one is a snapshot of.
fn parent(descriptor: &Descriptor, chain: &Chain<'_>) -> Result<Option<Disk>> {
    let Some(wanted) = &descriptor.parent else {
        return Ok(None);
    };
    let hint = descriptor.file_name(&wanted.hint)?;
    let disk = chain.image(hint, "parent", Some(Format::Vmdk))?;
    let wanted = format!("{:08x}", wanted.cid);
    let has = disk.identity.as_deref().unwrap_or("none");
    if has != wanted {
        return Err(Error::corrupt(
            format!("VMDK parent {hint:?}"),
            0,
            format!(
                "its CID is {has}, but the snapshot was taken of {wanted}: the parent was changed \
                 since, or is another disk. Restore the right parent; if only the id was changed, \
                 set parentCID={has}"
            ),
        ));
    }
    Ok(Some(disk))
}
