//! Rust: the list of crates that `cargo auditable` puts into a program, as JSON under zlib.

use std::io::Read as _;

use fathom_block::{Error, Result};
use fathom_report::PackageKind;
use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::binary::Binary;
use super::finds::Finds;

/// The longest list that is read, compressed and not. One of a thousand crates has 100 KiB.
const MAX_COMPRESSED: u64 = 4 << 20;
const MAX_JSON: u64 = 16 << 20;

#[derive(Deserialize)]
struct Audit {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    /// `build` for what only built it, and is not in it.
    #[serde(default)]
    kind: String,
}

pub(super) fn read(binary: &Binary, finds: &mut Finds) -> Result<()> {
    let section = binary.section(".dep-v0").or_else(|| binary.section("rust-deps-v0"));
    let Some(section) = section.or_else(|| binary.section(".rust-deps-v0")) else {
        return Ok(());
    };
    let compressed = binary.read(section, MAX_COMPRESSED)?;
    crates(&compressed, finds)
}

fn crates(compressed: &[u8], finds: &mut Finds) -> Result<()> {
    let corrupt = |why: String| Error::corrupt("list of crates", 0, why);
    let mut json = Vec::new();
    let mut stream = ZlibDecoder::new(compressed).take(MAX_JSON + 1);
    stream
        .read_to_end(&mut json)
        .map_err(|error| corrupt(format!("it cannot be inflated: {error}")))?;
    if json.len() as u64 > MAX_JSON {
        let why = format!("it has more than {MAX_JSON} bytes");
        return Err(Error::unsupported("list of crates", why));
    }
    let audit: Audit = serde_json::from_slice(&json).map_err(|error| corrupt(error.to_string()))?;
    let place = finds.place().to_owned();
    for one in audit.packages.iter().filter(|one| one.kind != "build") {
        if let Some(found) = finds.add(PackageKind::Cargo, &one.name, &one.version, &place) {
            found.origin = super::finds::told(&one.source);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use crate::languages::binary::tests::elf;
    use crate::languages::tests::check;

    fn compressed(json: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(json).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn programs() {
        let one = |section: &[u8], expected: &[&str], words: Option<&str>| {
            let file = elf(&[(".dep-v0", 0, false, section)], false);
            check(&[("/bin/x*", &file)], expected, words);
        };
        let json = br#"{"packages": [{"name": "a", "version": "1.0.0", "source": "crates.io"},
            {"name": "b", "version": "2.0.0", "source": "crates.io", "kind": "build"},
            {"name": "c", "version": "3.0.0", "source": "local", "root": true, "dependencies": [0]}]}"#;
        one(&compressed(json), &["a 1.0.0", "c 3.0.0"], None);
        one(b"junk", &[], Some("inflated"));
        one(&compressed(b"{}"), &[], Some("packages"));
        one(&compressed(&vec![b' '; 17 << 20]), &[], Some("16777216 bytes"));
    }
}
