//! The backing file: what lies beneath where an image has nothing of its own.

use super::extension::{Extensions, text};
use super::header::Header;
use crate::error::{Error, Result};
use crate::formats::Format;
use crate::open::{Chain, Disk};
use crate::read::ReadAt;

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
