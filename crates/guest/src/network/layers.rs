//! Folders that stand for one: of files of one name only that of the first folder counts, and one
//! that leads to `/dev/null` takes the others away.

use std::collections::BTreeMap;

use fathom_filesystem::FileType;

use super::connections::HIDES;
use crate::files::{Files, Read};

/// The paths of the files whose names `keep` takes, by name. What cannot be read is noted.
pub(super) fn layered(
    files: &Files<'_>,
    folders: &[impl AsRef<str>],
    keep: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    layered_for(files, folders, HIDES, keep)
}

/// The same for another part of the report, which loses `hides` by what cannot be read.
pub(crate) fn layered_for(
    files: &Files<'_>,
    folders: &[impl AsRef<str>],
    hides: &str,
    keep: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut counting: BTreeMap<String, Option<String>> = BTreeMap::new();
    for folder in folders {
        let folder = folder.as_ref();
        let Read::There(children) = files.children(folder, hides) else { continue };
        for (name, found) in children {
            if !keep(&name) || counting.contains_key(&name) {
                continue;
            }
            let path = format!("{folder}/{name}");
            let masked = match found.metadata().map(|metadata| metadata.file_type) {
                Ok(FileType::Symlink) => {
                    files.link(&path, hides).there().is_some_and(|target| target == "/dev/null")
                }
                Ok(FileType::File) => false,
                Ok(_) => continue,
                // Reading it says what is wrong with it.
                Err(_) => false,
            };
            counting.insert(name, (!masked).then_some(path));
        }
    }
    counting.into_iter().filter_map(|(name, path)| Some((name, path?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn the_first_folder_counts_and_null_masks() {
        let tree = memory::tree(&[
            ("/etc/x/b.conf", b"1"),
            ("/etc/x/c.conf -> /dev/null", b""),
            ("/usr/x/a.conf", b"2"),
            ("/usr/x/b.conf", b"3"),
            ("/usr/x/c.conf", b"4"),
            ("/usr/x/d.txt", b"5"),
            ("/usr/x/e.conf/f", b"6"),
        ]);
        let files = Files::new(&tree);
        let found =
            layered(&files, &["/etc/x", "/run/x", "/usr/x"], |name| name.ends_with(".conf"));
        let paths: Vec<_> = found.values().map(String::as_str).collect();
        assert_eq!(paths, ["/usr/x/a.conf", "/etc/x/b.conf"]);
        assert!(files.into_problems().is_empty());
    }
}
