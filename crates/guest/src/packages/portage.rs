//! The database of Portage: a folder for each category, in it one for each package, named by its
//! name and version, in it a file for each thing that is known.

use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::moment;
use crate::files::{Files, Read};

const FOLDER: &str = "/var/db/pkg";

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "Portage");
    match files.children(FOLDER, HIDES) {
        Read::There(categories) => {
            collection.at(FOLDER);
            for (category, _) in categories {
                let folder = format!("{FOLDER}/{category}");
                match files.children(&folder, HIDES) {
                    Read::There(packages) => {
                        for (folder_name, _) in packages {
                            // What is being installed or removed has a name that is not valid.
                            let Some((name, version)) = split(&folder_name) else { continue };
                            let path = format!("{folder}/{folder_name}");
                            let name = format!("{category}/{name}");
                            let found = known(files, &mut collection, name, version, &path);
                            if collection.add(found).is_break() {
                                return collection.finish();
                            }
                        }
                    }
                    Read::Absent => {}
                    Read::Unread(why) => collection.unread(why),
                }
            }
        }
        Read::Absent => {}
        Read::Unread(why) => collection.unread(why),
    }
    collection.finish()
}

fn known(
    files: &Files<'_>,
    collection: &mut Collection<'_, '_>,
    name: String,
    version: &str,
    path: &str,
) -> Package {
    let mut value = |file: &str| match files.text(&format!("{path}/{file}"), HIDES) {
        Read::There(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Read::Absent => None,
        Read::Unread(why) => {
            collection.unread(why);
            None
        }
    };
    let mut package = Package::bare(PackageKind::Portage, name, version.to_owned(), path);
    package.architecture = value("CHOST").and_then(|host| Some(host.split('-').next()?.to_owned()));
    package.licence = value("LICENSE");
    package.origin = value("repository").or_else(|| value("REPOSITORY"));
    package.size = value("SIZE").and_then(|size| size.parse().ok());
    // The package is merged right after it is built, unless it came as a binary.
    package.installed = value("BUILD_TIME").and_then(|time| moment(time.parse().ok()?));
    package
}

/// `name-with-hyphens-1.2_p3-r4` as the name and the version with its revision. A version begins with
/// a digit (Package Manager Specification, section 3).
fn split(folder: &str) -> Option<(&str, &str)> {
    let begins = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    let (mut name, last) = folder.rsplit_once('-')?;
    let is_revision = last
        .strip_prefix('r')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if is_revision {
        name = name.rsplit_once('-')?.0;
    }
    let version = folder.get(name.len() + 1..)?;
    (begins(version) && !name.is_empty() && !name.starts_with('-')).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory::tree;

    #[test]
    fn folders() {
        let tree = tree(&[
            ("/var/db/pkg/app-shells/bash-5.1_p16-r2/CHOST", b"x86_64-pc-linux-gnu\n"),
            ("/var/db/pkg/app-shells/bash-5.1_p16-r2/LICENSE", b"GPL-3+\n"),
            ("/var/db/pkg/app-shells/bash-5.1_p16-r2/repository", b"gentoo\n"),
            ("/var/db/pkg/app-shells/bash-5.1_p16-r2/SIZE", b"99\n"),
            ("/var/db/pkg/app-shells/bash-5.1_p16-r2/BUILD_TIME", b"86400\n"),
            ("/var/db/pkg/sys-libs/lib-x-y-2/SLOT", b"0\n"),
            ("/var/db/pkg/sys-libs/-MERGING-lib-x-3/SLOT", b"0\n"),
        ]);
        let listing = read(&Files::new(&tree)).unwrap();
        assert_eq!((listing.coverage, listing.items.len()), (Coverage::Complete, 2));
        let bash = &listing.items[0];
        assert_eq!((bash.name.as_str(), bash.version.as_str()), ("app-shells/bash", "5.1_p16-r2"));
        assert_eq!(bash.architecture.as_deref(), Some("x86_64"));
        assert_eq!(bash.licence.as_deref(), Some("GPL-3+"));
        assert_eq!(bash.origin.as_deref(), Some("gentoo"));
        assert_eq!((bash.size, bash.epoch), (Some(99), None));
        assert_eq!(bash.installed.as_deref(), Some("1970-01-02T00:00:00Z"));
        assert_eq!(listing.items[1].name, "sys-libs/lib-x-y");
    }

    #[test]
    fn names_and_versions() {
        assert_eq!(split("gcc-13.2.1_p20240210"), Some(("gcc", "13.2.1_p20240210")));
        assert_eq!(split("gtk+-3-r1"), Some(("gtk+", "3-r1")));
        assert_eq!(split("font-adobe-100dpi-1.0.3"), Some(("font-adobe-100dpi", "1.0.3")));
        assert_eq!(split("live-9999"), Some(("live", "9999")));
        for wrong in ["", "-", "a", "a-r1", "-1", "a-b", "-MERGING-a-1"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        let damaged = tree(&[("/var/db/pkg/a/b-1/SIZE/x", b"")]);
        assert_eq!(read(&Files::new(&damaged)).unwrap().coverage, Coverage::Partial);
        assert!(read(&Files::new(&tree(&[]))).is_none());
    }
}
