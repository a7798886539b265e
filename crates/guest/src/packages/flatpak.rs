//! Flatpaks, of the whole system and of each person: a folder for each application and runtime, in it
//! one for each architecture, in it one for each branch, in it a link to the commit that is in use.

use std::ops::ControlFlow;

use fathom_block::Error;
use fathom_filesystem::{FileType, Found};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use crate::files::{Files, Read};
use crate::homes;

/// Where those of the system are, and what lies there.
const FOLDER: &str = "/var/lib/flatpak";
const PARTS: [&str; 2] = ["app", "runtime"];

/// Where those of a person are, beneath the home.
const FOLDER_OF_HOME: &str = ".local/share/flatpak";

/// The program itself: without it nobody has any.
const PROGRAM: &str = "/usr/bin/flatpak";

/// The longest file of deployment data that is read.
const MAX_DEPLOY: u64 = 1 << 20;

/// How the folders of a branch are found: what has an architecture has branches.
const LEVELS: usize = 3;

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "Flatpak");
    let mut places = vec![(FOLDER.to_owned(), None)];
    if files.exists(FOLDER, HIDES) || files.exists(PROGRAM, HIDES) {
        let homes = homes::of(files, HIDES).into_iter();
        places
            .extend(homes.map(|home| (format!("{}/{FOLDER_OF_HOME}", home.path), Some(home.user))));
    }
    for (place, user) in places {
        for part in PARTS {
            let folder = format!("{place}/{part}");
            if installed(files, &mut collection, folder, user.as_deref()).is_break() {
                return collection.finish();
            }
        }
    }
    collection.finish()
}

/// Takes what is deployed in the folder.
fn installed(
    files: &Files<'_>,
    collection: &mut Collection<'_, '_>,
    folder: String,
    user: Option<&str>,
) -> ControlFlow<()> {
    // Names from the top: of the application, the architecture and the branch.
    let mut todo = vec![(folder, Vec::<String>::new())];
    while let Some((path, names)) = todo.pop() {
        if let [name, architecture, branch] = names.as_slice() {
            let found = deployed(files, collection, &path, name, architecture, branch);
            if let Some(found) = found {
                collection.add(Package { scope: user.map(str::to_owned), ..found })?;
            }
            continue;
        }
        match files.children(&path, HIDES) {
            Read::There(children) => {
                if names.is_empty() {
                    collection.at(&path);
                }
                for (name, found) in children.into_iter().rev() {
                    if is_directory(collection, &path, &found) && names.len() < LEVELS {
                        let names = [&names[..], std::slice::from_ref(&name)].concat();
                        todo.push((format!("{path}/{name}"), names));
                    }
                }
            }
            Read::Absent => {}
            Read::Unread(why) => collection.unread(why),
        }
    }
    ControlFlow::Continue(())
}

/// Links, such as that to the branch that is started by default, are no folders.
fn is_directory(collection: &mut Collection<'_, '_>, path: &str, found: &Found) -> bool {
    match found.metadata() {
        Ok(metadata) => metadata.file_type == FileType::Directory,
        Err(error) => {
            let _ = collection.problem(error, path);
            false
        }
    }
}

/// What is deployed of a branch, if anything is.
fn deployed(
    files: &Files<'_>,
    collection: &mut Collection<'_, '_>,
    path: &str,
    name: &str,
    architecture: &str,
    branch: &str,
) -> Option<Package> {
    let active = format!("{path}/active");
    let commit = match files.link(&active, HIDES) {
        Read::There(commit) => commit,
        Read::Absent => return None,
        Read::Unread(why) => {
            collection.unread(why);
            return None;
        }
    };
    let deploy = format!("{active}/deploy");
    let mut package =
        Package::bare(PackageKind::Flatpak, name.to_owned(), branch.to_owned(), &active);
    package.release = Some(branch.to_owned());
    package.architecture = Some(architecture.to_owned());
    package.checksum = Some(commit);
    package.location = Some(path.to_owned());
    match files.open(&deploy, HIDES) {
        Read::There(reader) => {
            let length = reader.len().min(MAX_DEPLOY);
            match fathom_block::read_vec(&reader, "deployment", 0, length) {
                Ok(bytes) => describe(&mut package, &bytes, &deploy),
                Err(error) => {
                    let _ = collection.problem(error, &deploy);
                }
            }
        }
        Read::Absent => {
            let error = Error::corrupt("deployment", 0, "its data is not there");
            let _ = collection.problem(error, &active);
        }
        Read::Unread(why) => collection.unread(why),
    }
    Some(package)
}

/// The data is a GVariant of type `(ssasta{sv})`: it begins with the remote it came from, and among
/// the named values may be the version that the application says it has. A value begins at the next
/// multiple of eight after its name, which is here where the name ends.
fn describe(package: &mut Package, bytes: &[u8], path: &str) {
    const VERSION: &[u8] = b"appdata-version\0";
    package.origin = text(bytes);
    let place = bytes.windows(VERSION.len()).position(|window| window == VERSION);
    let value = place.and_then(|at| bytes.get(at + VERSION.len()..));
    if let Some(version) = value.and_then(text) {
        package.version = version;
        package.evidence = path.into();
    }
}

/// The text that begins here and ends with a zero.
fn text(bytes: &[u8]) -> Option<String> {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    (!text.is_empty() && text.len() <= 256).then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory::tree;

    #[test]
    fn applications_and_runtimes() {
        let deploy = b"flathub\0abc\0...\0\0\0\0\0\0\0\0appdata-version\0\x32.4.1\0\0s";
        let found: [(&str, &[u8]); 6] = [
            ("/var/lib/flatpak/app/org.x.App/current -> x86_64/stable", b""),
            ("/var/lib/flatpak/app/org.x.App/x86_64/stable/active -> abc", b""),
            ("/var/lib/flatpak/app/org.x.App/x86_64/stable/abc/deploy", deploy),
            ("/var/lib/flatpak/runtime/org.y.Platform/aarch64/23.08/active -> def", b""),
            ("/var/lib/flatpak/runtime/org.y.Platform/aarch64/23.08/def/deploy", b"local\0def\0"),
            ("/var/lib/flatpak/runtime/org.z/x86_64/1/old/x", b""),
        ];
        let whole = tree(&found);
        let listing = read(&Files::new(&whole)).unwrap();
        assert_eq!((listing.coverage, listing.items.len()), (Coverage::Complete, 2));
        let app = &listing.items[0];
        assert_eq!((app.name.as_str(), app.version.as_str()), ("org.x.App", "2.4.1"));
        assert_eq!(app.release.as_deref(), Some("stable"));
        assert_eq!(app.origin.as_deref(), Some("flathub"));
        assert_eq!(app.checksum.as_deref(), Some("abc"));
        let runtime = &listing.items[1];
        assert_eq!((runtime.name.as_str(), runtime.version.as_str()), ("org.y.Platform", "23.08"));
        assert_eq!(runtime.architecture.as_deref(), Some("aarch64"));
        assert_eq!(runtime.origin.as_deref(), Some("local"));
        let program: (&str, &[u8]) = (PROGRAM, b"");
        let own = [
            ("/home/joe/.local/share/flatpak/app/org.x.Own/x86_64/stable/active -> a", &b""[..]),
            ("/home/joe/.local/share/flatpak/app/org.x.Own/x86_64/stable/a/deploy", deploy),
        ];
        for other in [found[0], program] {
            let tree = tree(&[other, own[0], own[1]]);
            let listing = read(&Files::new(&tree)).unwrap();
            let [own] = &listing.items[..] else { unreachable!("{listing:?}") };
            assert_eq!((&*own.name, own.scope.as_deref()), ("org.x.Own", Some("joe")));
            assert_eq!(listing.coverage, Coverage::Complete);
        }
        let partial = tree(&found[..2]);
        let listing = read(&Files::new(&partial)).unwrap();
        assert_eq!((listing.coverage, listing.items.len()), (Coverage::Partial, 1));
        assert!(read(&Files::new(&tree(&[]))).is_none());
    }
}
