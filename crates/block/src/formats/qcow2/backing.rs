//! The backing file: what lies beneath where an image has nothing of its own.

use super::extension::{Extensions, text};
use super::header::Header;
use crate::error::{Error, Problem, Result};
use crate::formats::Format;
use crate::open::{Chain, Disk};
use crate::read::ReadAt;

const SECTOR: u64 = 512;

/// Opens the backing file, if the image has one.
pub(super) fn open(
    file: &dyn ReadAt,
    header: &Header,
    extensions: &Extensions,
    chain: &Chain<'_>,
) -> Result<Option<Disk>> {
    let Some((offset, length)) = header.backing_name else {
        return Ok(None);
    };
    if offset < u64::from(header.length) {
        let why = format!("the backing file's name lies at byte {offset}, in the header itself");
        return Err(Error::corrupt("qcow2 header", 8, why));
    }
    let name = text(file, offset, u64::from(length))?;
    let format = extensions.backing_format.as_deref().map(format).transpose()?.flatten();
    chain.image(&name, "backing file", format).map(Some)
}

/// Why the backing file must have lost its end. One that is shorter than its overlay is common: the
/// overlay was grown, and reads as zeros there. Disks are whole sectors, though, and an overlay that
/// was made for a file of a part of one more is less than a sector longer.
pub(super) fn cut_off(beneath: &Disk, overlay: u64) -> Option<Problem> {
    let length = beneath.reader.len();
    if length.is_multiple_of(SECTOR) || length.next_multiple_of(SECTOR) >= overlay {
        return None;
    }
    let what = match beneath.layers.first() {
        Some(layer) => format!("backing file {}", layer.location),
        None => "backing file".to_owned(),
    };
    let why = format!(
        "it ends within a sector, and the overlay has {overlay} bytes: what lies beyond reads as \
         zeros; truncated?"
    );
    Some(Error::corrupt(what, length, why))
}

/// The format that an image declares its backing file to have. The declared format wins over what
/// the bytes say: a guest can write a qcow2 header onto its raw disk.
fn format(name: &str) -> Result<Option<Format>> {
    match name {
        "" => Ok(None),
        "raw" | "file" => Ok(Some(Format::Raw)),
        "luks" => Err(Error::encrypted("backing file of format \"luks\"", "it cannot be unlocked")),
        "host_device" | "host_cdrom" | "nbd" | "rbd" | "iscsi" | "nfs" | "ssh" | "http"
        | "https" | "ftp" | "ftps" | "blkdebug" | "vvfat" | "null-co" | "null-aio" => {
            let why = "an image may open files beside itself, not devices or services";
            Err(Error::refused(format!("backing file of format {name:?}"), why))
        }
        _ => match Format::from_name(name) {
            Some(format) if !matches!(format, Format::Ova | Format::Ovf | Format::Vhd) => {
                Ok(Some(format))
            }
            // qemu knows VHD by the name of vpc alone.
            Some(Format::Vhd) if name == "vpc" => Ok(Some(Format::Vhd)),
            _ => Err(Error::unsupported(
                format!("backing file of format {name:?}"),
                "only raw, qcow2, vmdk, vpc, vhdx and vdi are read",
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn formats_by_the_names_qemu_has_for_them() {
        for (name, expected) in [
            ("raw", Format::Raw),
            ("qcow2", Format::Qcow2),
            ("vmdk", Format::Vmdk),
            ("vpc", Format::Vhd),
            ("vhdx", Format::Vhdx),
            ("vdi", Format::Vdi),
        ] {
            assert_eq!(format(name).unwrap(), Some(expected));
        }
        assert_eq!(format("").unwrap(), None);
        for (name, kind) in [
            ("host_device", ErrorKind::Refused),
            ("nbd", ErrorKind::Refused),
            ("luks", ErrorKind::Encrypted),
            ("qed", ErrorKind::Unsupported),
            ("ova", ErrorKind::Unsupported),
            ("vhd", ErrorKind::Unsupported),
        ] {
            assert_eq!(format(name).unwrap_err().kind(), kind, "{name}");
        }
    }
}
