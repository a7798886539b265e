//! Python: the metadata that installers write beside what they install.
//!
//! A wheel leaves a folder `NAME-VERSION.dist-info` with `METADATA`, setuptools a folder
//! `NAME.egg-info` with `PKG-INFO`, and distutils that text alone as a file `NAME-VERSION.egg-info`.
//! A folder `.dist-info` without that text still says what it is of by its own name.
//! An egg has the folder `EGG-INFO`, unpacked or as the archive that it came as.

use fathom_block::{Error, Result};
use fathom_filesystem::FileType;
use fathom_report::{Package, PackageKind};

use super::beginning;
use super::finds::{Finds, told};
use super::headers::{self, Folding, value};
use super::zip::{Budget, Zip};
use crate::walk::Entry;

/// How much of the metadata is read. The description, which may be long, stands behind what matters.
const MAX_METADATA: usize = 64 << 10;

/// The longest metadata within an egg.
const MAX_MEMBER: u64 = 4 << 20;

const EGG: &[u8] = b".egg";
const WHEEL: &[u8] = b".dist-info";

pub(super) fn recognise(entry: &Entry) -> bool {
    let mut parts = entry.path.rsplit(|&byte| byte == b'/');
    let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match name {
        b"METADATA" => folder.ends_with(b".dist-info"),
        b"PKG-INFO" => folder.ends_with(b".egg-info") || folder == b"EGG-INFO",
        _ => name.ends_with(b".egg-info") || name.ends_with(EGG) || metadata_of(entry).is_some(),
    }
}

/// Whether it is a folder that should hold metadata; if so, where.
pub(super) fn metadata_of(entry: &Entry) -> Option<Vec<u8>> {
    let is_folder = entry.metadata.file_type == FileType::Directory;
    (is_folder && entry.path.ends_with(WHEEL)).then(|| [&entry.path, &b"/METADATA"[..]].concat())
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let place = finds.place().to_owned();
    if metadata_of(entry).is_some() {
        return folder(&place, finds);
    }
    if entry.path.ends_with(EGG) {
        return egg(entry, &place, finds);
    }
    let (bytes, _) = beginning(entry, MAX_METADATA)?;
    package(&bytes, &place, finds)
}

/// The package that a folder without metadata is of, by its name: `NAME-VERSION.dist-info`.
fn folder(place: &str, finds: &mut Finds) -> Result<()> {
    let name = place.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(".dist-info").unwrap_or(name);
    let (name, version) = name.split_once('-').unwrap_or((name, ""));
    finds.add(PackageKind::Python, name, version, place);
    Err(Error::corrupt(place, 0, "it has no METADATA"))
}

/// The package that an egg is.
fn egg(entry: &Entry, place: &str, finds: &mut Finds) -> Result<()> {
    let reader = entry.open()?;
    let mut budget = Budget::of(reader.len());
    let mut zip = Zip::open(reader)?;
    for member in zip.members(1, |name| name == "EGG-INFO/PKG-INFO")? {
        let bytes = zip.read(&member, MAX_MEMBER, &mut budget)?;
        package(&bytes, place, finds)?;
    }
    Ok(())
}

/// The package that the metadata at `place` describes.
fn package(bytes: &[u8], place: &str, finds: &mut Finds) -> Result<()> {
    let headers = headers::read(bytes, Folding::Lines);
    let missing = |what| Error::corrupt("metadata", 0, format!("it has no {what}"));
    let name = value(&headers, "Name").ok_or_else(|| missing("name"))?;
    let version = value(&headers, "Version").ok_or_else(|| missing("version"))?;
    if let Some(found) = finds.add(PackageKind::Python, name, version, place) {
        complete(found, &headers);
    }
    Ok(())
}

fn complete(found: &mut Package, headers: &[(String, String)]) {
    let says = |name| value(headers, name).and_then(told);
    found.licence = says("License-Expression").or_else(|| says("License"));
    found.vendor = says("Author").or_else(|| says("Author-email")).or_else(|| says("Maintainer"));
    found.origin = says("Home-page");
}

#[cfg(test)]
mod tests {
    use crate::languages::tests::check;
    use crate::languages::zip::tests::{Packed, packed};

    #[test]
    fn metadata() {
        check(
            &[
                (
                    "/s/a_b-1.0.dist-info/METADATA",
                    b"Metadata-Version: 2.1\nName: A.b\nVersion: 1.0\nLicense: MIT\n\nName: c\n",
                ),
                ("/s/c.egg-info/PKG-INFO", b"Name: c\nVersion: 2\nLicense: UNKNOWN\n"),
                ("/s/d-3.egg-info", b"Name: d\nVersion: 3\n"),
                ("/s/e-4.egg/EGG-INFO/PKG-INFO", b"Name: e\nVersion: 4\n"),
                ("/s/f/PKG-INFO", b"Name: f\nVersion: 4\n"),
                ("/s/f/METADATA", b"Name: f\nVersion: 4\n"),
            ],
            &["A.b 1.0", "c 2", "d 3", "e 4"],
            None,
        );
        check(
            &[
                ("/s/foo_x-1.0.dist-info/RECORD", b""),
                ("/s/linked-1.dist-info/METADATA -> /s/x", b""),
                ("/s/x", b""),
            ],
            &["foo_x 1.0"],
            Some("it has no METADATA"),
        );
        let member = Packed::deflated("EGG-INFO/PKG-INFO", b"Name: g\nVersion: 5\n");
        check(&[("/s/g-5.egg", &packed(&[member]))], &["g 5"], None);
        check(&[("/a-1.dist-info/METADATA", b"Name: a\n")], &[], Some("no version"));
        check(&[("/a-1.dist-info/METADATA", b"")], &[], Some("no name"));
        let long = format!("Name: {}\nVersion: 1\n", "n".repeat(5000));
        check(&[("/a-1.dist-info/METADATA", long.as_bytes())], &[], Some("name or version"));
    }
}
