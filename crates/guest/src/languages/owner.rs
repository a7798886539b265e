//! To which package of the system a file belongs, as the lists of files of dpkg and apk say.
//!
//! Debian puts modules of Python, Node.js and others into packages of its own; these are found twice
//! then, in the database of the system and by what they left for the language.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use fathom_block::{ReadAt, Result};
use fathom_filesystem::Found;
use fathom_report::Package;

use super::HIDES;
use crate::files::{Files, Read};
use crate::lines::Lines;
use crate::walk::in_parallel;

const DPKG: &str = "/var/lib/dpkg/info";
const APK: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// What is lost where such a list cannot be read.
const LOST: &str = "which packages of languages belong to which of the system";

/// Files, each with the package that it belongs to.
type Owners = HashMap<String, String>;

/// What packages of Debian are called that hold packages of the languages that are looked for without
/// a walk.
const USUAL: [&str; 4] = ["python", "node", "npm", "ruby"];

/// Says of each package which of the system's it belongs to, where one does. After a walk all lists
/// are read; without, those of packages whose name says that they may be it.
pub(super) fn mark(files: &Files<'_>, packages: &mut [Package], all: bool) {
    if packages.is_empty() {
        return;
    }
    let wanted: BTreeSet<&str> = packages.iter().map(|it| it.evidence.0.as_str()).collect();
    let mut owners = Owners::new();
    dpkg(files, &wanted, &mut owners, all);
    apk(files, &wanted, &mut owners);
    for package in packages {
        package.owner = owners.get(&package.evidence.0).cloned();
    }
}

/// The list of each package is a file that is named after it, with a path a line.
fn dpkg(files: &Files<'_>, wanted: &BTreeSet<&str>, owners: &mut Owners, all: bool) {
    let may_be = |name: &str| all || USUAL.iter().any(|begin| name.starts_with(begin));
    let lists = files.children(DPKG, LOST).there().unwrap_or_default();
    let lists: Vec<(String, Found)> =
        lists.into_iter().filter(|(name, _)| name.ends_with(".list") && may_be(name)).collect();
    let found = in_parallel(&lists, |_, (_, list)| {
        let mut owned = Vec::new();
        let outcome = list.open().and_then(|reader| listed(reader, wanted, &mut owned));
        (owned, outcome)
    });
    for ((name, _), (owned, outcome)) in lists.iter().zip(found) {
        if let Err(error) = outcome {
            files.note(&error, &format!("{DPKG}/{name}"), LOST);
        }
        // `libc6:amd64.list`, where there may be one of each architecture.
        let package = name.trim_end_matches(".list").split(':').next().unwrap_or_default();
        owners.extend(owned.into_iter().map(|path| (path, package.to_owned())));
    }
}

fn listed(reader: Arc<dyn ReadAt>, wanted: &BTreeSet<&str>, owned: &mut Vec<String>) -> Result<()> {
    let mut lines = Lines::new(reader);
    while let Some(line) = lines.next()? {
        let Ok(path) = std::str::from_utf8(line) else { continue };
        owned.extend(is_wanted(path, wanted));
    }
    Ok(())
}

/// The path as it was found, if it was: where `/lib` is a link to `/usr/lib`, the lists may say either.
fn is_wanted(path: &str, wanted: &BTreeSet<&str>) -> Option<String> {
    if wanted.contains(path) {
        return Some(path.to_owned());
    }
    let merged = ["/lib", "/bin", "/sbin"].iter().any(|begin| path.starts_with(begin));
    let path = merged.then(|| format!("/usr{path}"))?;
    wanted.contains(path.as_str()).then_some(path)
}

/// The database names the folder in a line `F:` and the files in it in lines `R:`, after the name of
/// the package in a line `P:`.
fn apk(files: &Files<'_>, wanted: &BTreeSet<&str>, owners: &mut Owners) {
    let database = APK.iter().find_map(|path| match files.open(path, LOST) {
        Read::There(reader) => Some((path, reader)),
        Read::Absent | Read::Unread(_) => None,
    });
    let Some((place, reader)) = database else { return };
    let mut lines = Lines::new(reader);
    let (mut package, mut folder) = (String::new(), String::new());
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => String::from_utf8_lossy(line),
            Ok(None) => break,
            Err(error) => {
                files.note(&error, place, HIDES);
                break;
            }
        };
        match line.split_once(':') {
            Some(("P", name)) => package = name.to_owned(),
            Some(("F", path)) => folder = path.to_owned(),
            Some(("R", name)) => {
                let path = is_wanted(&format!("/{folder}/{name}"), wanted);
                owners.extend(path.map(|path| (path, package.clone())));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::languages::tests::found;

    #[test]
    fn owners() {
        let metadata: &[u8] = b"Name: a\nVersion: 1\n";
        let path = "/usr/lib/python3/dist-packages/a-1.dist-info/METADATA";
        let (listing, _) = found(&[
            (path, metadata),
            ("/opt/a-1.dist-info/METADATA", metadata),
            ("/var/lib/dpkg/info/python3-a:amd64.list", format!("/.\n{}\n", &path[4..]).as_bytes()),
            ("/var/lib/dpkg/info/other.list", b"/opt\n\xff\n"),
        ]);
        let owners: Vec<_> = listing.items.iter().map(|package| package.owner.as_deref()).collect();
        assert_eq!(owners, [None, Some("python3-a")]);
        let database = b"P:py3-a\nV:1\nF:usr/lib/python3/dist-packages/a-1.dist-info\nR:METADATA\n";
        let (listing, _) = found(&[(path, metadata), ("/lib/apk/db/installed", database)]);
        assert_eq!(listing.items[0].owner.as_deref(), Some("py3-a"));
    }
}
