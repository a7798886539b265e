//! The database of pacman: a folder for each package, with a text `desc` of titles between percent
//! signs and the lines beneath them.
//!
//! pacman takes the name and the version from the name of the folder, and so lists a package whose
//! text is damaged or gone. We do the same, and the list is then incomplete, since what else the text
//! said is lost.

use std::ops::ControlFlow;

use fathom_block::Error;
use fathom_filesystem::{FileType, Found};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::{moment, split_epoch};
use crate::files::{Files, Read};

const CONFIGURATION: &str = "/etc/pacman.conf";
const FOLDER: &str = "/var/lib/pacman";

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "pacman");
    let local = format!("{}/local", folder(files));
    match files.children(&local, HIDES) {
        Read::There(children) => {
            collection.at(&local);
            for (name, found) in children {
                if folder_of_package(&mut collection, files, &local, &name, &found).is_break() {
                    break;
                }
            }
        }
        Read::Absent => {}
        Read::Unread(why) => collection.unread(why),
    }
    collection.finish()
}

/// Takes the package of one folder of the database.
fn folder_of_package(
    collection: &mut Collection<'_, '_>,
    files: &Files<'_>,
    local: &str,
    name: &str,
    found: &Found,
) -> ControlFlow<()> {
    let folder = format!("{local}/{name}");
    match found.metadata() {
        // Beside the folders lies the version of the database.
        Ok(metadata) if metadata.file_type != FileType::Directory => {
            return ControlFlow::Continue(());
        }
        Ok(_) => {}
        Err(error) => return collection.problem(error, &folder),
    }
    let Some((name, version)) = split(name) else {
        let why = "its name is not that of a package with a version and a release";
        return collection.problem(Error::corrupt("folder", 0, why), &folder);
    };
    let path = format!("{folder}/desc");
    let mut package = Package::bare(PackageKind::Pacman, name.to_owned(), String::new(), &path);
    let (epoch, rest) = split_epoch(version);
    package.epoch = epoch;
    // The release is what follows the last hyphen.
    if let Some((version, release)) = rest.rsplit_once('-') {
        package.version = version.to_owned();
        package.release = Some(release.to_owned());
    }
    let wrong = match files.text(&path, HIDES) {
        Read::There(text) => describe(&mut package, &text, version).err(),
        Read::Absent => Some("it is not there, but its folder is".to_owned()),
        Read::Unread(why) => {
            collection.unread(why);
            None
        }
    };
    if let Some(why) = wrong {
        let _ = collection.problem(Error::corrupt("package", 0, why), &path);
    }
    collection.add(package)
}

/// The name and the version of a package by the name of its folder. The version may have an epoch,
/// and has a release; no other part of it has a hyphen.
fn split(folder: &str) -> Option<(&str, &str)> {
    let (rest, _) = folder.rsplit_once('-')?;
    let (name, _) = rest.rsplit_once('-')?;
    let version = folder.get(name.len() + 1..)?;
    (!name.is_empty() && !version.starts_with('-') && !version.ends_with('-'))
        .then_some((name, version))
}

/// Where the configuration puts the database.
fn folder(files: &Files<'_>) -> String {
    let text = files.text(CONFIGURATION, HIDES).there().unwrap_or_default();
    let mut inside = false;
    let mut folder = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[options]";
        } else if let (true, Some((name, value))) = (inside, line.split_once('='))
            && name.trim() == "DBPath"
        {
            // The first counts.
            folder.get_or_insert(value.trim().trim_end_matches('/').to_owned());
        }
    }
    folder.unwrap_or_else(|| FOLDER.to_owned())
}

/// Adds what the text says of the package, which must be what its folder says. Otherwise nothing is
/// believed of it.
fn describe(package: &mut Package, text: &str, of_folder: &str) -> Result<(), String> {
    let (mut name, mut version) = (None, None);
    let mut said = package.clone();
    let mut title = "";
    for line in text.lines() {
        if line.is_empty() {
            title = "";
            continue;
        }
        if let Some(found) = line.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')) {
            title = found;
            continue;
        }
        let value = || Some(line.to_owned());
        match title {
            "NAME" => name = Some(line),
            "VERSION" => version = Some(line),
            "BASE" => said.source = value(),
            "ARCH" => said.architecture = value(),
            "PACKAGER" => said.vendor = value().filter(|name| name != "Unknown Packager"),
            "INSTALLDATE" => said.installed = line.parse().ok().and_then(moment),
            "SIZE" => said.size = line.parse().ok(),
            "LICENSE" => match &mut said.licence {
                Some(licence) => {
                    licence.push_str("  ");
                    licence.push_str(line);
                }
                none => *none = value(),
            },
            _ => {}
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err("it gives no name or no version".to_owned());
    };
    if name != package.name || version != of_folder {
        return Err(format!("it says that it is of {name} {version}, unlike its folder"));
    }
    if !text.ends_with('\n') {
        return Err("it ends in the middle of a line".to_owned());
    }
    *package = said;
    Ok(())
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory::tree;

    const DESC: &[u8] = b"%NAME%\nlib_x+y\n\n%VERSION%\n1:2.0.r5.gabc-3.1\n\n%BASE%\nx\n\n\
        %DESC%\nd\n\n%ARCH%\nx86_64\n\n%INSTALLDATE%\n86400\n\n%PACKAGER%\nSomebody <a@b>\n\n\
        %SIZE%\n77\n\n%LICENSE%\nGPL\nMIT\n\n%DEPENDS%\nglibc\n\n";

    #[test]
    fn folders() {
        let elsewhere: &[u8] = b"[options]\n#DBPath = /a\nDBPath = /srv/db/\n[x]\nDBPath = /b\n";
        for (conf, folder) in [(&b""[..], FOLDER), (elsewhere, "/srv/db")] {
            let path = format!("{folder}/local/lib_x+y-1:2.0.r5.gabc-3.1/desc");
            let version = format!("{folder}/local/ALPM_DB_VERSION");
            let tree = tree(&[(CONFIGURATION, conf), (&path, DESC), (&version, b"9\n")]);
            let listing = read(&Files::new(&tree)).unwrap();
            assert_eq!((listing.coverage, listing.items.len()), (Coverage::Complete, 1));
            let found = &listing.items[0];
            assert_eq!((found.name.as_str(), found.version.as_str()), ("lib_x+y", "2.0.r5.gabc"));
            assert_eq!((found.epoch, found.release.as_deref()), (Some(1), Some("3.1")));
            assert_eq!(found.source.as_deref(), Some("x"));
            assert_eq!(found.licence.as_deref(), Some("GPL  MIT"));
            assert_eq!(found.installed.as_deref(), Some("1970-01-02T00:00:00Z"));
            assert_eq!((found.size, found.evidence.0.as_str()), (Some(77), path.as_str()));
        }
    }

    #[test]
    fn what_is_wrong_with_one_hides_no_other() {
        let found: [(&str, &[u8]); 9] = [
            ("/var/lib/pacman/local/a-1-1/desc", b"%NAME%\na\n\n%VERSION%\n1-1\n"),
            ("/var/lib/pacman/local/b-1-1/desc", b"%NAME%\n\n%VERSION%\n"),
            ("/var/lib/pacman/local/c-1-1/desc/x", b""),
            ("/var/lib/pacman/local/no-desc-1.0-1/files", b""),
            ("/var/lib/pacman/local/cut-2:1.0-12/desc", b"%NAME%\ncut\n\n%VERSION%\n2:1.0-1"),
            ("/var/lib/pacman/local/e-1-1/desc", b"%NAME%\nother\n\n%VERSION%\n1-1\n"),
            ("/var/lib/pacman/local/f-1-1/desc", b"%NAME%\nf\n\n%VERSION%\n1-1\n\n%SIZE%\n7"),
            ("/var/lib/pacman/local/left/desc", b""),
            ("/var/lib/pacman/local/ALPM_DB_VERSION", b"9\n"),
        ];
        let tree = tree(&found);
        let files = Files::new(&tree);
        let listing = read(&files).unwrap();
        let listed: Vec<_> = listing.items.iter().map(|it| (&*it.name, &*it.version)).collect();
        let ones = ["a", "b", "c"].map(|name| (name, "1"));
        let more = [("cut", "1.0"), ("e", "1"), ("f", "1"), ("no-desc", "1.0")];
        assert_eq!(listed, [&ones[..], &more].concat());
        assert_eq!(listing.items[3].release.as_deref(), Some("12"));
        assert_eq!((listing.coverage, listing.items[5].size), (Coverage::Partial, None));
        assert_eq!(files.into_problems().len(), 7);
        assert!(read(&Files::new(&crate::memory::tree(&[]))).is_none());
    }

    #[test]
    fn names_of_folders() {
        assert_eq!(split("lib-x-1:2.0-3"), Some(("lib-x", "1:2.0-3")));
        for wrong in ["a", "a-1", "-1-1", "a--1", "a-1-", ""] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
