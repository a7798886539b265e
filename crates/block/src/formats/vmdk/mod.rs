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

pub(crate) fn probe(head: &[u8], length: u64) -> bool {
    head.starts_with(MAGIC)
        || head.starts_with(COWD)
        || head.starts_with(SESPARSE)
        // A descriptor is short. A disk that starts like one was made so by its guest.
        || (is_descriptor(head) && length <= LONGEST)
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

#[cfg(test)]
mod tests {
    use super::header::tests::header;
    use super::*;
    use crate::error::ErrorKind;
    use crate::location::Location;
    use crate::open::Opener;

    /// A descriptor that stands alone, with these lines in it.
    fn text(create_type: &str, lines: &str) -> String {
        format!(
            "# Disk DescriptorFile\nversion=1\nCID=00000abc\nparentCID=ffffffff\n\
             createType=\"{create_type}\"\n{lines}"
        )
    }

    /// A sparse extent of one table, whose grain number 1 is `fill`, with an embedded descriptor.
    fn sparse(fill: u8, capacity: u64, descriptor: &str) -> Vec<u8> {
        let mut image = header(capacity, 0);
        (image[28], image[36]) = (10, 2);
        image.resize(512 * 24, 0);
        image[512] = 2;
        image[1024 + 4] = 16;
        image[16 * 512..].fill(fill);
        image[5120..5120 + descriptor.len()].copy_from_slice(descriptor.as_bytes());
        image
    }

    fn open(files: &[(&str, &[u8])]) -> Result<Disk> {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(directory.path().join(name), bytes).unwrap();
        }
        let first = Location::Path(directory.path().join(files[0].0));
        Ok(Opener::new().open(&first)?.remove(0))
    }

    fn bytes(disk: &Disk) -> Result<Vec<u8>> {
        let mut bytes = vec![0xEE; disk.reader.len() as usize];
        disk.reader.read_at(0, &mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn extents_of_every_kind_make_one_disk() {
        let lines = "RW 1 FLAT \"flat\" 1\nRW 1 ZERO\nRW 16 SPARSE \"sparse\"\nRW 1 FLAT \"flat\" 0\n\
                     NOACCESS 1 FLAT \"gone\" 0\n";
        let flat = [vec![1; 512], vec![2; 512]].concat();
        let sparse = sparse(3, 24, "");
        let disk = open(&[
            ("d.vmdk", text("custom", lines).as_bytes()),
            ("flat", &flat),
            ("sparse", &sparse),
        ])
        .unwrap();
        let length = 20 * 512;
        assert_eq!(disk.reader.len(), length);
        let mut readable = vec![0xEE; length as usize - 512];
        disk.reader.read_at(0, &mut readable).unwrap();
        let wanted = [vec![2; 512], vec![0; 512 + 4096], vec![3; 4096], vec![1; 512]].concat();
        assert_eq!(readable, wanted);
        assert_eq!(disk.problems.len(), 1);
        let barred = disk.reader.read_at(length - 1, &mut [0]).unwrap_err();
        assert_eq!(barred.kind(), ErrorKind::Unsupported);
        assert_eq!(disk.reader.next_data(5120 + 4096), Some(5120 + 4096..length - 512));
        assert_eq!(disk.layers[0].detail, "custom, 4 KiB grains");
    }

    #[test]
    fn a_snapshot_shows_its_parent_where_it_has_nothing() {
        let parent = text("monolithicFlat", "RW 16 FLAT \"flat\" 0\n");
        let child = |cid: &str| {
            let lines = "RW 24 SPARSE \"old name\"\nparentFileNameHint=\"base.vmdk\"\n";
            text("monolithicSparse", lines).replace("ffffffff", cid)
        };
        let flat = vec![7; 16 * 512];
        let top = sparse(8, 24, &child("00000abc"));
        let files: [(&str, &[u8]); 3] =
            [("top.vmdk", &top), ("base.vmdk", parent.as_bytes()), ("flat", &flat)];
        let disk = open(&files).unwrap();
        let wanted = [vec![7; 4096], vec![8; 4096], vec![0; 4096]].concat();
        assert_eq!(bytes(&disk).unwrap(), wanted);
        assert_eq!((disk.layers.len(), disk.problems.len()), (2, 0));

        let changed = sparse(8, 24, &child("00000abd"));
        let error = open(&[("top.vmdk", &changed), files[1], files[2]]).err().unwrap();
        assert!(error.to_string().contains("its CID is 00000abc"), "{error}");
        let missing = open(&files[..2]).err().unwrap();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_disk_that_rests_on_itself_is_refused() {
        let lines = "RW 24 ZERO\nparentFileNameHint=\"loop.vmdk\"\n";
        let text = text("custom", lines).replace("ffffffff", "00000abc");
        let error = open(&[("loop.vmdk", text.as_bytes())]).err().unwrap();
        assert!(error.to_string().contains("goes in a circle"), "{error}");
    }

    #[test]
    fn extents_that_do_not_fit_are_corrupt() {
        let flat = [0; 512];
        for lines in [
            "RW 2 FLAT \"flat\" 0\n",
            "RW 1 FLAT \"flat\" 1\n",
            "RW 1 FLAT \"flat\" 99999999999999999\n",
            "RW 1 FLAT\n",
            "RW 99999999999999999 ZERO\n",
            "RW 36028797018963967 ZERO\nRW 36028797018963967 ZERO\n",
            "RW 25 SPARSE \"sparse\"\n",
            "RW 1 SPARSE \"flat\"\n",
            "",
        ] {
            let sparse = sparse(3, 24, "");
            let text = text("custom", lines);
            let files: [(&str, &[u8]); 3] =
                [("d.vmdk", text.as_bytes()), ("flat", &flat), ("sparse", &sparse)];
            assert_eq!(open(&files).err().unwrap().kind(), ErrorKind::Corrupt, "{lines:?}");
        }
        let short = text("custom", "RW 2 FLAT \"flat\" 0\n");
        let error = open(&[("d.vmdk", short.as_bytes()), ("flat", &flat)]).err().unwrap();
        assert_eq!(error.offset(), Some(512), "where the file ends: {error}");
    }

    #[test]
    fn what_is_not_read_is_named() {
        let image = |bytes: &[u8]| open(&[("x.vmdk", bytes)]).err().unwrap();
        let create = |kind: &str| image(text(kind, "RW 1 ZERO\n").as_bytes());
        for (error, why) in [
            (create("vmfsSparse"), "COWD"),
            (create("seSparse"), "seSparse"),
            (create("vmfsRawDeviceMap"), "physical device"),
            (create(""), "does not say"),
            (create("new"), "unknown"),
            (image(text("custom", "RW 1 VMFSSPARSE \"x\"").as_bytes()), "COWD"),
            (image(text("custom", "RW 1 SESPARSE \"x\"").as_bytes()), "seSparse"),
            (image(text("custom", "RW 1 VMFSRDM \"x\"").as_bytes()), "device"),
            (image(text("custom", "RW 1 OTHER \"x\"").as_bytes()), "OTHER"),
            (image(b"COWD\x01\0\0\0"), "COWD"),
            (image(SESPARSE), "seSparse"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(why), "{error}");
        }
        let several = sparse(1, 24, &text("custom", "RW 8 ZERO\nRW 16 ZERO\n"));
        assert!(image(&several).to_string().contains("names 2 extents"));
        let opener = Opener::new().format(Some(Format::Vmdk));
        let location = Location::Path("x".into());
        for bytes in [vec![0; 600], Vec::new()] {
            assert!(opener.open_reader(Arc::new(bytes), &location).is_err());
        }
        let long = [text("custom", "RW 1 ZERO\n").into_bytes(), vec![b'#'; 1 << 20]].concat();
        assert!(!probe(&long[..512], long.len() as u64));
        assert!(opener.open_reader(Arc::new(long), &location).is_err());
    }

    #[test]
    fn an_extent_alone_and_one_that_disagrees_say_so() {
        let mut alone = sparse(1, 24, "");
        alone[28] = 0;
        let disk = open(&[("x-s001.vmdk", &alone)]).unwrap();
        assert!(disk.problems[0].to_string().contains("one of several"));
        let mut other = sparse(1, 24, &text("monolithicSparse", "RW 25 SPARSE \"x\"\n"));
        other[72] = 1;
        let disk = open(&[("x.vmdk", &other)]).unwrap();
        let problems: Vec<_> = disk.problems.iter().map(ToString::to_string).collect();
        assert!(problems[0].contains("the descriptor says 25"), "{problems:?}");
        assert!(problems[1].contains("uncleanShutdown"), "{problems:?}");
        // An empty sparse file that only carries a descriptor of other extents.
        let carrier = sparse(1, 0, &text("custom", "RW 3 ZERO\n"));
        assert_eq!(open(&[("x.vmdk", &carrier)]).unwrap().reader.len(), 3 * 512);
    }
}
