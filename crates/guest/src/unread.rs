//! What other software leaves behind than the software that is read here. Where it is there, a list
//! in which nothing stands is not one of nothing.

use fathom_block::{Error, Result};
use fathom_filesystem::{FileType, Found, Tree};

use crate::files::Files;

/// What such software is called, and something that is there where it is in use: a file or a folder
/// that is not empty, or behind a slash at the end a folder with a file in it.
pub(crate) type Other = (&'static str, &'static str);

/// Notes what is there of these, so that no list for which it counts is complete. Gives the first
/// reason. Where a place cannot be looked at, that counts only if it is `decisive`: a home on another
/// machine is no reason to doubt what is known of this one.
pub(crate) fn note(
    files: &Files<'_>,
    others: &[Other],
    decisive: bool,
    hides: &str,
) -> Option<String> {
    let mut first = None;
    let mut last = "";
    for (name, place) in others {
        let error = match is_there(files.tree(), place) {
            Ok(true) if last != *name => {
                Error::unsupported(*place, format!("it belongs to {name}, which is not read"))
            }
            Err(error) if decisive => error,
            Ok(_) | Err(_) => continue,
        };
        last = name;
        files.note(&error, place, hides);
        first.get_or_insert_with(|| error.to_string());
    }
    first
}

fn is_there(tree: &Tree, place: &str) -> Result<bool> {
    let (path, of_files) = match place.strip_suffix('/') {
        Some(path) => (path, true),
        None => (place, false),
    };
    if !tree.exists(path.as_bytes())? {
        return Ok(false);
    }
    let found = tree.resolve(path.as_bytes(), true)?;
    let metadata = found.metadata()?;
    if metadata.file_type != FileType::Directory {
        return Ok(metadata.size > 0 && !of_files);
    }
    let (children, problem) = tree.children_of(&found);
    problem.map_or(Ok(()), Err)?;
    let is_file = |child: &Found| child.metadata().is_ok_and(|it| it.file_type == FileType::File);
    Ok(children.iter().any(|(_, child)| !of_files || is_file(child)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn what_is_there_is_told_once() {
        const OTHERS: &[Other] = &[("one", "/a/"), ("one", "/b"), ("two", "/c"), ("three", "/d")];
        let check = |found: &[(&str, &[u8])], expected: &[&str]| {
            let tree = memory::tree(found);
            let files = Files::new(&tree);
            let first = note(&files, OTHERS, true, "x");
            assert_eq!(first.is_some(), !expected.is_empty(), "{found:?}");
            let places = files.into_problems().into_iter().filter_map(|it| Some(it.evidence?.0));
            assert_eq!(places.collect::<Vec<_>>(), expected, "{found:?}");
        };
        check(&[], &[]);
        check(&[("/a/x/y", b""), ("/c", b""), ("/d -> /nowhere", b"")], &[]);
        check(&[("/a/x", b""), ("/b/x", b""), ("/c", b"1"), ("/d/x/y", b"")], &["/a/", "/c", "/d"]);
    }
}
