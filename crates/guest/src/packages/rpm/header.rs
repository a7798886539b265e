//! The header of a package: an index of tags, and the data that they point into.
//!
//! Two big-endian counts, of index entries and of bytes of data, lead; an entry has a tag, a type, a
//! place in the data and a count. The first entry of all but the oldest headers marks the *region*,
//! the part that was signed. Entries after it were added when the package was installed, and count
//! more than those within.

use fathom_block::{Fields, Result};
use fathom_report::{Package, PackageKind};

use super::signature;
use crate::packages::package::moment;

const ENTRY: usize = 16;

/// The longest string that is kept. No name, version or vendor comes near.
const MAX_STRING: usize = 4096;

/// Types of data.
const INT32: u32 = 4;
const INT64: u32 = 5;
const STRING: u32 = 6;
const BINARY: u32 = 7;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// What is wanted of a header.
#[derive(Default)]
struct Tags<'a> {
    name: Option<String>,
    version: Option<String>,
    release: Option<String>,
    epoch: Option<u32>,
    architecture: Option<String>,
    vendor: Option<String>,
    packager: Option<String>,
    distribution: Option<String>,
    licence: Option<String>,
    source: Option<String>,
    module: Option<String>,
    installed: Option<u32>,
    size: Option<u32>,
    long_size: Option<u64>,
    /// Signatures of the header by RSA and DSA, and of header and payload by either.
    signatures: [Option<&'a [u8]>; 4],
}

/// The package that the header describes.
pub(super) fn package(blob: &[u8], evidence: &str) -> Result<Package> {
    let tags = tags(&Fields::new("header", 0, blob))?;
    let missing = |what| Fields::new("header", 0, blob).corrupt(0, format!("it has no {what}"));
    let name = tags.name.ok_or_else(|| missing("name"))?;
    let version = tags.version.ok_or_else(|| missing("version"))?;
    let release = tags.release.ok_or_else(|| missing("release"))?;
    let (source, source_version) = match tags.source.as_deref() {
        Some(file) => split_source(file),
        None => (None, None),
    };
    let own = format!("{version}-{release}");
    Ok(Package {
        epoch: tags.epoch,
        release: Some(release),
        architecture: tags.architecture,
        source,
        source_version: source_version.filter(|version| *version != own),
        licence: tags.licence,
        vendor: tags.vendor.or(tags.packager),
        origin: tags.distribution,
        module: tags.module,
        signature: tags.signatures.into_iter().flatten().find_map(signature::key_id),
        installed: tags.installed.and_then(|seconds| moment(seconds.into())),
        size: tags.long_size.or(tags.size.map(u64::from)),
        ..Package::bare(PackageKind::Rpm, name, version, evidence)
    })
}

fn tags<'a>(blob: &Fields<'a>) -> Result<Tags<'a>> {
    let entries = blob.be_u32(0)? as usize;
    let length = blob.be_u32(4)? as usize;
    let index = blob.part("index", 8, entries.saturating_mul(ENTRY))?;
    let data = blob.part("data", 8 + index.len(), length)?;
    let mut tags = Tags::default();
    for entry in 0..entries {
        let at = entry * ENTRY;
        let (tag, kind) = (index.be_u32(at)?, index.be_u32(at + 4)?);
        let (offset, count) = (index.be_u32(at + 8)? as usize, index.be_u32(at + 12)? as usize);
        let text = || string(&data, kind, offset);
        match tag {
            259 => tags.signatures[2] = binary(&data, kind, offset, count)?,
            262 => tags.signatures[3] = binary(&data, kind, offset, count)?,
            267 => tags.signatures[1] = binary(&data, kind, offset, count)?,
            268 => tags.signatures[0] = binary(&data, kind, offset, count)?,
            1000 => tags.name = text()?,
            1001 => tags.version = text()?,
            1002 => tags.release = text()?,
            1003 if kind == INT32 => tags.epoch = Some(data.be_u32(offset)?),
            1008 if kind == INT32 => tags.installed = Some(data.be_u32(offset)?),
            1009 if kind == INT32 => tags.size = Some(data.be_u32(offset)?),
            1010 => tags.distribution = text()?,
            1011 => tags.vendor = text()?,
            1014 => tags.licence = text()?,
            1015 => tags.packager = text()?,
            1022 => tags.architecture = text()?,
            1044 => tags.source = text()?,
            5009 if kind == INT64 => tags.long_size = Some(data.be_u64(offset)?),
            5096 => tags.module = text()?,
            _ => {}
        }
    }
    Ok(tags)
}

/// The string, or the first of several, at this place. An empty one is none.
fn string(data: &Fields<'_>, kind: u32, offset: usize) -> Result<Option<String>> {
    if !matches!(kind, STRING | STRING_ARRAY | I18N_STRING) {
        return Ok(None);
    }
    let rest = data.bytes(offset, data.len().saturating_sub(offset))?;
    let near = rest.get(..MAX_STRING).unwrap_or(rest);
    let Some(length) = near.iter().position(|byte| *byte == 0) else {
        return Err(data.corrupt(offset, "a string that does not end, or is longer than any"));
    };
    let text = near.get(..length).unwrap_or_default();
    Ok((!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned()))
}

fn binary<'a>(
    data: &Fields<'a>,
    kind: u32,
    offset: usize,
    count: usize,
) -> Result<Option<&'a [u8]>> {
    if kind == BINARY { data.bytes(offset, count).map(Some) } else { Ok(None) }
}

/// `bash-5.2.15-1.fc38.src.rpm` as the name and the version of the source package.
fn split_source(file: &str) -> (Option<String>, Option<String>) {
    let base = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"));
    let split = base.and_then(|base| {
        let (rest, _release) = base.rsplit_once('-')?;
        let (name, _version) = rest.rsplit_once('-')?;
        Some((name.to_owned(), base.get(name.len() + 1..)?.to_owned()))
    });
    match split {
        Some((name, version)) => (Some(name), Some(version)),
        // What rpm itself writes of a key.
        None if file == "(none)" => (None, None),
        None => (Some(file.to_owned()), None),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A header of these tags: tag, type, count, data.
    pub(in super::super) fn blob(tags: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut index = Vec::new();
        let mut data: Vec<u8> = Vec::new();
        for (tag, kind, count, bytes) in tags {
            let place = data.len() as u32;
            index.extend([*tag, *kind, place, *count].into_iter().flat_map(u32::to_be_bytes));
            data.extend(*bytes);
        }
        let counts = [tags.len() as u32, data.len() as u32];
        let mut blob: Vec<u8> = counts.into_iter().flat_map(u32::to_be_bytes).collect();
        blob.extend(index);
        blob.extend(data);
        blob
    }

    /// The header of a small package.
    pub(in super::super) fn small(name: &str) -> Vec<u8> {
        let name = [name.as_bytes(), b"\0"].concat();
        blob(&[(1000, 6, 1, &name), (1001, 6, 1, b"1.0\0"), (1002, 6, 1, b"2.el9\0")])
    }

    #[test]
    fn a_whole_header() {
        let key = b"\x88\x46\x04\x00\x01\x02\0\0\0\x0a\x09\x10\x19\x9e\x2f\x91\xfd\x43\x1d\x51";
        let tags: &[(u32, u32, u32, &[u8])] = &[
            (63, 7, 16, &[0; 16]),
            (268, 7, key.len() as u32, key),
            (1000, 6, 1, b"bash\0"),
            (1001, 6, 1, b"5.1.8\0"),
            (1002, 6, 1, b"9.el9\0"),
            (1003, 4, 1, &2u32.to_be_bytes()),
            (1009, 4, 1, &77u32.to_be_bytes()),
            (1010, 6, 1, b"CentOS\0"),
            (1011, 6, 1, b"Red Hat\0"),
            (1014, 6, 1, b"GPLv3+\0"),
            (1022, 6, 1, b"x86_64\0"),
            (1044, 6, 1, b"bash-suite-5.1.8-9.el9.src.rpm\0"),
            (5096, 6, 1, b"shell:1\0"),
            (5009, 5, 1, &(1u64 << 33).to_be_bytes()),
            (1008, 4, 1, &86400u32.to_be_bytes()),
            // Added later, it counts more.
            (1011, 6, 1, b"Another\0"),
        ];
        let found = package(&blob(tags), "/x").unwrap();
        assert_eq!((found.name.as_str(), found.version.as_str()), ("bash", "5.1.8"));
        assert_eq!((found.release.as_deref(), found.epoch), (Some("9.el9"), Some(2)));
        assert_eq!(found.vendor.as_deref(), Some("Another"));
        assert_eq!(found.origin.as_deref(), Some("CentOS"));
        assert_eq!(found.licence.as_deref(), Some("GPLv3+"));
        assert_eq!(found.architecture.as_deref(), Some("x86_64"));
        assert_eq!(found.source.as_deref(), Some("bash-suite"));
        assert_eq!(found.source_version, None);
        assert_eq!(found.module.as_deref(), Some("shell:1"));
        assert_eq!(found.signature.as_deref(), Some("199e2f91fd431d51"));
        assert_eq!(found.installed.as_deref(), Some("1970-01-02T00:00:00Z"));
        assert_eq!(found.size, Some(1 << 33));
        assert_eq!(found.evidence.0, "/x");
    }

    #[test]
    fn damaged_headers() {
        let check = |blob: &[u8], words: &str| {
            let error = package(blob, "/x").unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(b"", "4 bytes are wanted");
        check(&[0xFF; 64], "bytes are wanted");
        check(&blob(&[]), "no name");
        check(&blob(&[(1000, 6, 1, b"a\0"), (1001, 6, 1, b"1\0")]), "no release");
        check(&blob(&[(1000, 6, 1, b"endless")]), "does not end");
        check(&blob(&[(1000, 6, 1, &[b'a'; 5000])]), "longer than any");
        let mut far = small("a");
        far[8 + 8] = 0x7F;
        check(&far, "bytes are wanted");
        check(&blob(&[(268, 7, 9, b"")]), "9 bytes are wanted");
        // A number of the wrong type is no number.
        let wrong = [(1000, 6, 1, &b"a\0"[..]), (1001, 6, 1, b"1\0"), (1002, 6, 1, b"1\0")];
        let found = package(&blob(&[&wrong[..], &[(1003, 6, 1, b"7\0")]].concat()), "/x").unwrap();
        assert_eq!(found.epoch, None);
        let small = small("a");
        for length in 0..small.len() {
            assert!(package(&small[..length], "/x").is_err(), "{length}");
        }
    }

    #[test]
    fn names_of_source_packages() {
        let check = |file: &str, name: &str, version: Option<&str>| {
            let expected = (Some(name.to_owned()), version.map(str::to_owned));
            assert_eq!(split_source(file), expected, "{file}");
        };
        check("a-b-1.2-3.fc40.src.rpm", "a-b", Some("1.2-3.fc40"));
        check("a-1-2.nosrc.rpm", "a", Some("1-2"));
        check("a.src.rpm", "a.src.rpm", None);
        assert_eq!(split_source("(none)"), (None, None));
    }
}
