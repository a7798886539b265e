//! What the file of a kernel says of itself.

use fathom_block::{ReadAt, Result};

use super::portable_executable::PortableExecutable;

/// The longest release that is believed; Linux has 64 bytes for it.
const MAX_RELEASE: usize = 64;

/// The longest `.uname` section that is believed.
const MAX_UNAME: u64 = 256;

/// The release of the kernel in the file, where the file says it.
pub(super) fn release(reader: &dyn ReadAt) -> Result<Option<String>> {
    let mut head = [0; 0x210];
    if reader.len() < head.len() as u64 {
        return Ok(None);
    }
    reader.read_at(0, &mut head)?;
    match of_header(reader, &head)? {
        Some(release) => Ok(Some(release)),
        // Everything that firmware starts begins with the same letters.
        None if head.starts_with(b"MZ") => of_section(reader),
        None => Ok(None),
    }
}

/// The x86 boot protocol (Documentation/arch/x86/boot.rst): `header` says "HdrS", and
/// `kernel_version` leads to the text in the real-mode part.
fn of_header(reader: &dyn ReadAt, head: &[u8; 0x210]) -> Result<Option<String>> {
    let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let (boot_flag, header, version) = (word(0x1FE), &head[0x202..0x206], word(0x206));
    let (setup_sects, kernel_version) = (head[0x1F1], word(0x20E));
    if boot_flag != 0xAA55 || header != b"HdrS" || version < 0x0200 || kernel_version == 0 {
        return Ok(None);
    }
    let sectors = if setup_sects == 0 { 4 } else { u64::from(setup_sects) };
    let at = u64::from(kernel_version) + 0x200;
    if at >= (sectors + 1) * 512 {
        return Ok(None);
    }
    text(reader, at)
}

/// A unified kernel image says it in a section of its own.
fn of_section(reader: &dyn ReadAt) -> Result<Option<String>> {
    let Ok(image) = PortableExecutable::read(reader) else {
        return Ok(None);
    };
    match image.section(".uname").filter(|section| section.size <= MAX_UNAME) {
        Some(section) => text(reader, section.start),
        None => Ok(None),
    }
}

/// The first word at this place.
fn text(reader: &dyn ReadAt, at: u64) -> Result<Option<String>> {
    let mut bytes = [0; MAX_RELEASE + 1];
    let length = reader.len().saturating_sub(at).min(bytes.len() as u64) as usize;
    reader.read_at(at, &mut bytes[..length])?;
    let end = bytes[..length].iter().position(|byte| *byte <= b' ');
    let word = bytes.get(..end.unwrap_or(length)).unwrap_or_default();
    let is_release = word.len() <= MAX_RELEASE
        && word.first().is_some_and(u8::is_ascii_digit)
        && word.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/');
    Ok(is_release.then(|| String::from_utf8_lossy(word).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of which the header says where the release stands.
    pub(crate) fn image(release: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x1000];
        bytes[0x1F1] = 3;
        bytes[0x1FE..0x200].copy_from_slice(&[0x55, 0xAA]);
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        bytes[0x206..0x208].copy_from_slice(&0x020F_u16.to_le_bytes());
        bytes[0x20E..0x210].copy_from_slice(&0x400_u16.to_le_bytes());
        bytes[0x600..0x600 + release.len()].copy_from_slice(release);
        bytes
    }

    #[test]
    fn the_file_says_its_release() {
        let said = |bytes: &[u8]| release(&bytes.to_vec()).unwrap();
        let debian = image(b"6.1.0-56-amd64 (debian-kernel@lists.debian.org) #1 SMP");
        assert_eq!(said(&debian).as_deref(), Some("6.1.0-56-amd64"));
        // No text, text past the real-mode part, no header, and less than a header.
        assert_eq!(said(&image(b"not a release")), None);
        assert_eq!(said(&image(b"6/../../etc")), None);
        let mut outside = debian.clone();
        outside[0x1F1] = 1;
        assert_eq!(said(&outside), None);
        assert_eq!(said(&vec![0; 0x1000]), None);
        assert_eq!(said(b"HdrS"), None);
        assert_eq!(said(&image(&[b'6'; 100])), None);
        // The last bytes of the file.
        let mut short = image(b"");
        short.truncate(0x604);
        short[0x600..].copy_from_slice(b"5.10");
        assert_eq!(said(&short).as_deref(), Some("5.10"));
    }
}
