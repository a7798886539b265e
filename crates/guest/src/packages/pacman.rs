//! The database of pacman: a folder for each package, with a text `desc` of titles between percent
//! signs and the lines beneath them.

use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::{moment, package, split_epoch};
use crate::files::{Files, Read};

const CONFIGURATION: &str = "/etc/pacman.conf";
const FOLDER: &str = "/var/lib/pacman";

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "pacman");
    let local = format!("{}/local", folder(files));
    match files.children(&local, HIDES) {
        Read::There(children) => {
            collection.at(&local);
            for (name, _) in children {
                // Beside the folders lies the version of the database.
                if name == "ALPM_DB_VERSION" {
                    continue;
                }
                let path = format!("{local}/{name}/desc");
                let flow = match files.text(&path, HIDES) {
                    Read::There(text) => match described(&text, &path) {
                        Some(package) => collection.add(package),
                        None => {
                            let why = "it gives no name or no version";
                            let error = fathom_block::Error::corrupt("package", 0, why);
                            collection.problem(error, &path)
                        }
                    },
                    // A folder that is left over, which pacman too passes over.
                    Read::Absent => continue,
                    Read::Unread(why) => {
                        collection.unread(why);
                        continue;
                    }
                };
                if flow.is_break() {
                    break;
                }
            }
        }
        Read::Absent => {}
        Read::Unread(why) => collection.unread(why),
    }
    collection.finish()
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

fn described(text: &str, path: &str) -> Option<Package> {
    let (mut name, mut version) = (None, None);
    let mut package = package(PackageKind::Pacman, String::new(), String::new(), path);
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
            "NAME" => name = value(),
            "VERSION" => version = value(),
            "BASE" => package.source = value(),
            "ARCH" => package.architecture = value(),
            "PACKAGER" => package.vendor = value().filter(|name| name != "Unknown Packager"),
            "INSTALLDATE" => package.installed = line.parse().ok().and_then(moment),
            "SIZE" => package.size = line.parse().ok(),
            "LICENSE" => match &mut package.licence {
                Some(licence) => {
                    licence.push_str("  ");
                    licence.push_str(line);
                }
                none => *none = value(),
            },
            _ => {}
        }
    }
    package.name = name?;
    let version = version?;
    let (epoch, rest) = split_epoch(&version);
    package.epoch = epoch;
    // The release is what follows the last hyphen, which neither part may have.
    match rest.rsplit_once('-') {
        Some((version, release)) => {
            package.version = version.to_owned();
            package.release = Some(release.to_owned());
        }
        None => package.version = rest.to_owned(),
    }
    Some(package)
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
        let found: [(&str, &[u8]); 4] = [
            ("/var/lib/pacman/local/a-1-1/desc", b"%NAME%\na\n\n%VERSION%\n1-1\n"),
            ("/var/lib/pacman/local/b-1-1/desc", b"%NAME%\n\n%VERSION%\n"),
            ("/var/lib/pacman/local/c-1-1/desc/x", b""),
            ("/var/lib/pacman/local/d-1-1/files", b""),
        ];
        let tree = tree(&found);
        let files = Files::new(&tree);
        let listing = read(&files).unwrap();
        assert_eq!((listing.coverage, listing.items.len()), (Coverage::Partial, 1));
        assert_eq!(files.into_problems().len(), 2);
        assert!(read(&Files::new(&crate::memory::tree(&[]))).is_none());
    }
}
