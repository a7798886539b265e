//! The files of a machine as commands look at them.

use std::ops::Deref;

use fathom_filesystem::Tree;

/// The files, and what the machine mounts among them that is not there to be seen.
pub(crate) struct Files {
    tree: Tree,
    /// Where it mounts something that could not be mounted here.
    unmounted: Vec<Vec<u8>>,
}

impl Deref for Files {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.tree
    }
}

/// Where a mount lies as seen from a directory.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    /// At the directory, above it, or where that cannot be told.
    Over,
    /// Beneath it, by way of this name.
    Beneath(&'a [u8]),
    /// Elsewhere.
    Apart,
}

impl Files {
    /// Files of which nothing is missing.
    pub(crate) fn whole(tree: Tree) -> Self {
        Self { tree, unmounted: Vec::new() }
    }

    /// Files that lack what is mounted at these places.
    pub(crate) fn lacking(tree: Tree, unmounted: Vec<String>) -> Self {
        let mut unmounted: Vec<_> = unmounted.into_iter().map(String::into_bytes).collect();
        unmounted.sort_unstable();
        unmounted.dedup();
        Self { tree, unmounted }
    }

    /// Whether the list of what lies in the directory may lack a name.
    pub(crate) fn lacks_in(&self, directory: &[u8]) -> bool {
        self.unmounted.iter().any(|mount| match place(mount, directory) {
            Place::Over => true,
            // A name that is there is listed, whatever should be mounted beneath it.
            Place::Beneath(name) => {
                let path = fathom_filesystem::join(directory, name);
                self.tree.resolve(&path, false).is_err()
            }
            Place::Apart => false,
        })
    }

    /// Whether the list of what lies in the directory and beneath it may lack something.
    pub(crate) fn lacks_beneath(&self, directory: &[u8]) -> bool {
        self.unmounted.iter().any(|mount| place(mount, directory) != Place::Apart)
    }
}

/// Where a mount lies as seen from a directory, by their paths.
fn place<'a>(mount: &'a [u8], directory: &'a [u8]) -> Place<'a> {
    fn names(path: &[u8]) -> Vec<&[u8]> {
        let names = path.split(|byte| *byte == b'/');
        names.filter(|name| !name.is_empty() && *name != b".").collect()
    }
    let (mount, directory) = (names(mount), names(directory));
    if mount.iter().chain(&directory).any(|name| *name == b"..") {
        return Place::Over;
    }
    match mount.strip_prefix(directory.as_slice()) {
        Some([name, ..]) => Place::Beneath(name),
        Some([]) => Place::Over,
        None if directory.starts_with(&mount) => Place::Over,
        None => Place::Apart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_mount_lies() {
        for (mount, directory, expected) in [
            ("/srv/data", "/", Place::Beneath(b"srv")),
            ("/srv/data", "srv//", Place::Beneath(b"data")),
            ("/srv", "/srv/.", Place::Over),
            ("/srv", "/srv/data", Place::Over),
            ("/", "/etc", Place::Over),
            ("/srv", "/srv2", Place::Apart),
            ("/srv", "/etc", Place::Apart),
            ("/srv/../data", "/etc", Place::Over),
        ] {
            assert_eq!(place(mount.as_bytes(), directory.as_bytes()), expected, "{mount}");
        }
    }
}
