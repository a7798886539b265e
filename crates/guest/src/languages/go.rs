//! Go: what its linker writes into every program about the modules that it was built from.
//!
//! A mark leads it. Since Go 1.18 the version and the modules follow as texts with their lengths;
//! before that two pointers follow, to texts elsewhere in the program, in its own byte order.

use fathom_block::{Error, Fields, Result};
use fathom_report::PackageKind;

use super::binary::{Binary, Format, Section};
use super::finds::Finds;

const MARK: &[u8; 16] = b"\xff Go buildinf:\0\0";
const MARK_LENGTH: usize = 14;
const HEADER: usize = 32;

/// The longest text of modules that is read. A program with a thousand modules has 100 KiB.
const MAX_MODULES: u64 = 8 << 20;
const MAX_VERSION: u64 = 4096;

/// What the linker puts before and behind the modules, so that they are found in a running program.
const SENTINEL: usize = 16;

pub(super) fn read(binary: &Binary, finds: &mut Finds) -> Result<()> {
    let named = binary.section(".go.buildinfo").or_else(|| binary.section("__go_buildinfo"));
    let Some((section, at)) = (match named {
        Some(section) => binary.search(section, MARK, MARK_LENGTH)?.map(|at| (section, at)),
        // Windows has no section of its own for it, and of a program that was stripped of the names
        // of its sections none is known.
        None if binary.format == Format::Pe || !binary.is_named => search(binary)?,
        None => None,
    }) else {
        return Ok(());
    };
    let header = binary.read_part(section, at, HEADER as u64, HEADER as u64)?;
    let (version, modules) = match header[15] & 2 != 0 {
        true => inline(binary, section, at + HEADER as u64)?,
        false => pointed(binary, &Fields::new("build information", at, &header))?,
    };
    let damaged = |_| Error::corrupt("build information", at, "it is no text");
    let version = String::from_utf8(version).map_err(damaged)?;
    if version.is_empty() {
        return Ok(());
    }
    let modules = String::from_utf8(unwrapped(modules)).map_err(damaged)?;
    packages(&version, &modules, finds);
    Ok(())
}

/// Looks for the mark wherever the program may write, where the linker puts it.
fn search(binary: &Binary) -> Result<Option<(&Section, u64)>> {
    for section in binary.writable() {
        if let Some(at) = binary.search(section, MARK, MARK_LENGTH)? {
            return Ok(Some((section, at)));
        }
    }
    Ok(None)
}

/// The texts behind the header, each led by its length.
fn inline(binary: &Binary, section: &Section, at: u64) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut at = at;
    let mut text = |limit: u64| -> Result<Vec<u8>> {
        let mut length = 0u64;
        for shift in (0..).step_by(7) {
            let byte = binary.read_part(section, at, 1, 1)?[0];
            at += 1;
            length |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return Err(Error::corrupt("build information", at, "a length without end"));
            }
        }
        let bytes = binary.read_part(section, at, length, limit)?;
        at += length;
        Ok(bytes)
    };
    Ok((text(MAX_VERSION)?, text(MAX_MODULES)?))
}

/// The texts that the header points to: first to a pointer and a length.
fn pointed(binary: &Binary, header: &Fields<'_>) -> Result<(Vec<u8>, Vec<u8>)> {
    let (width, big) = (usize::from(header.u8(14)?), header.u8(15)? & 1 != 0);
    let number = |bytes: &Fields<'_>, at: usize| match (width, big) {
        (4, false) => bytes.le_u32(at).map(u64::from),
        (4, true) => bytes.be_u32(at).map(u64::from),
        (8, false) => bytes.le_u64(at),
        (8, true) => bytes.be_u64(at),
        _ => Err(header.corrupt(14, format!("pointers of {width} bytes"))),
    };
    let text = |at: usize, limit: u64| -> Result<Vec<u8>> {
        let address = number(header, at)?;
        if address == 0 {
            return Ok(Vec::new());
        }
        let bytes = binary.at_address(address, 2 * width as u64, 16)?;
        let bytes = Fields::new("text", address, &bytes);
        let (address, length) = (number(&bytes, 0)?, number(&bytes, width)?);
        match length {
            0 => Ok(Vec::new()),
            _ => binary.at_address(address, length, limit),
        }
    };
    Ok((text(16, MAX_VERSION)?, text(16 + width, MAX_MODULES)?))
}

/// The modules without what stands around them; none where nothing stands around them.
fn unwrapped(modules: Vec<u8>) -> Vec<u8> {
    let end = modules.len().saturating_sub(SENTINEL);
    match end.checked_sub(1).and_then(|last| modules.get(last)) {
        Some(b'\n') if end > SENTINEL => modules[SENTINEL..end].to_vec(),
        _ => Vec::new(),
    }
}

/// One module that the program was built from.
struct Module<'a> {
    path: &'a str,
    version: &'a str,
    /// What was taken in its place.
    replaced: Option<(&'a str, &'a str)>,
}

/// The standard library and the modules, as packages.
fn packages(version: &str, modules: &str, finds: &mut Finds) {
    let place = finds.place().to_owned();
    let mut found: Vec<Module<'_>> = Vec::new();
    let mut architecture = None;
    for line in modules.lines() {
        let mut parts = line.split('\t');
        let kind = parts.next().unwrap_or_default();
        let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match kind {
            "mod" | "dep" => found.push(Module { path: first, version: second, replaced: None }),
            "=>" => {
                if let Some(module) = found.last_mut() {
                    module.replaced = Some((first, second));
                }
            }
            "build" => {
                if let Some(value) = first.strip_prefix("GOARCH=") {
                    architecture = Some(value.to_owned());
                }
            }
            _ => {}
        }
    }
    // Experiments that were switched on stand behind the version.
    let release = version.split(' ').next().unwrap_or(version);
    let release = release.strip_prefix("go").unwrap_or(release);
    let mut add = |path: &str, version: &str, origin: Option<String>| {
        if let Some(package) = finds.add(PackageKind::Go, path, version, &place) {
            package.architecture.clone_from(&architecture);
            package.origin = origin;
        }
    };
    add("stdlib", release, None);
    for module in found {
        match module.replaced {
            // A folder of whoever built it: what is in there is not known, but for the module.
            Some((folder, "" | "(devel)")) => {
                add(module.path, module.version, Some(format!("replaced by {folder}")));
            }
            Some((path, version)) => {
                let origin = format!("in place of {} {}", module.path, module.version);
                add(path, version, Some(origin));
            }
            None => add(module.path, module.version, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::binary::tests::elf;
    use crate::languages::tests::{check, found};

    const MODULES: &str = "path\tx/cmd\nmod\tx\t(devel)\t\ndep\ta.b/c\tv1.0.0\th1:x=\n\
        dep\ta.b/d\tv2.0.0\n=>\te.f/d\tv2.1.0\th1:y=\ndep\ta.b/g\tv3.0.0\n=>\t./g\t(devel)\t\n\
        build\tGOARCH=amd64\n";

    fn wrapped() -> Vec<u8> {
        [&[7; SENTINEL], MODULES.as_bytes(), &[8; SENTINEL]].concat()
    }

    fn header(flags: u8) -> Vec<u8> {
        let mut header = MARK.to_vec();
        (header[14], header[15]) = (8, flags);
        header
    }

    fn inline() -> Vec<u8> {
        let mut info = header(2);
        info.resize(HEADER, 0);
        for text in [b"go1.22.1 X:loopvar".to_vec(), wrapped()] {
            let length = text.len();
            info.extend([length as u8 | 0x80, (length >> 7) as u8]);
            info.extend(text);
        }
        info
    }

    const EXPECTED: &[&str] =
        &["stdlib 1.22.1", "x (devel)", "a.b/c v1.0.0", "e.f/d v2.1.0", "a.b/g v3.0.0"];

    #[test]
    fn programs() {
        let named = elf(&[(".go.buildinfo", 0x2000, true, &inline())], false);
        check(&[("/bin/x*", &named)], EXPECTED, None);
        check(&[("/bin/x", &named)], &[], None);
        check(&[("/bin/x.exe", &named)], EXPECTED, None);
        let late = [vec![0; 64], inline()].concat();
        check(&[("/bin/x*", &elf(&[(".data", 0x2000, true, &late)], true))], EXPECTED, None);
        let (listing, _) = found(&[("/bin/x*", &named)]);
        let origins: Vec<_> = listing.items.iter().map(|it| it.origin.as_deref()).collect();
        assert_eq!(
            origins,
            [None, None, None, Some("in place of a.b/d v2.0.0"), Some("replaced by ./g")]
        );
        assert_eq!(listing.items[0].architecture.as_deref(), Some("amd64"));
    }

    #[test]
    fn texts_that_are_pointed_to() {
        for big in [false, true] {
            let number =
                |number: u64| if big { number.to_be_bytes() } else { number.to_le_bytes() };
            let mut info = header(u8::from(big));
            info.extend([number(0x3000), number(0x3010)].concat());
            let texts = [b"go1.13".to_vec(), wrapped()].concat();
            let length = wrapped().len() as u64;
            let mut data = [number(0x3020), number(6), number(0x3026), number(length)].concat();
            data.extend(texts);
            let parts =
                [(".go.buildinfo", 0x2000, true, info.as_slice()), (".data", 0x3000, true, &data)];
            let mut expected = EXPECTED.to_vec();
            expected[0] = "stdlib 1.13";
            check(&[("/bin/x*", &elf(&parts, false))], &expected, None);
        }
    }

    #[test]
    fn damage() {
        let with = |at: usize, byte: u8, words: &str| {
            let mut info = inline();
            info[at] = byte;
            let file = elf(&[(".go.buildinfo", 0x2000, true, &info)], false);
            check(&[("/bin/x*", &file)], &[], Some(words));
        };
        with(HEADER + 1, 0x7F, "at most");
        with(HEADER + 2, 0xFF, "no text");
        let mut endless = inline();
        endless[HEADER..HEADER + 16].fill(0xFF);
        let file = elf(&[(".go.buildinfo", 0x2000, true, &endless)], false);
        check(&[("/bin/x*", &file)], &[], Some("without end"));
        let short = elf(&[(".go.buildinfo", 0x2000, true, &header(2))], false);
        check(&[("/bin/x*", &short)], &[], Some("shorter than"));
        let mut pointed = header(0);
        pointed.extend([0xFF; 16]);
        let file = elf(&[(".go.buildinfo", 0x2000, true, &pointed)], false);
        check(&[("/bin/x*", &file)], &[], Some("nothing is loaded"));
        check(&[("/bin/x*", &elf(&[(".go.buildinfo", 0x2000, true, b"")], false))], &[], None);
    }
}
