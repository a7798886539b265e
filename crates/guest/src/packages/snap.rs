//! Snaps: the state that snapd keeps, or where it cannot be read the files of the snaps themselves.
//!
//! Both say which revision of a snap there is. Its version, which its publisher chose, is within the
//! snap, a squashfs, alone; so the revision stands for it here.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use fathom_block::{Error, ReadAt, Result, read_vec};
use fathom_report::{Listing, Package, PackageKind};
use serde::Deserialize;

use super::HIDES;
use super::collection::Collection;
use crate::files::{Files, Read};

const STATE: &str = "/var/lib/snapd/state.json";
const SNAPS: &str = "/var/lib/snapd/snaps";

/// The longest state that is read. That of ten snaps has some hundred kilobytes.
const MAX_STATE: u64 = 8 << 20;

#[derive(Deserialize)]
struct State {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    snaps: Option<BTreeMap<String, Snap>>,
}

#[derive(Deserialize)]
struct Snap {
    #[serde(default)]
    active: bool,
    /// The current revision; one that was put there by hand begins with an `x`.
    #[serde(default)]
    current: Option<String>,
    #[serde(default)]
    channel: Option<String>,
}

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "snapd");
    match files.open(STATE, HIDES) {
        Read::There(reader) => {
            collection.at(STATE);
            match state(&*reader) {
                Ok(snaps) => {
                    for (name, snap) in snaps {
                        if let Some(found) = installed(files, name, snap)
                            && collection.add(found).is_break()
                        {
                            break;
                        }
                    }
                    return collection.finish();
                }
                Err(error) => {
                    let _ = collection.problem(error, STATE);
                }
            }
        }
        Read::Absent => {}
        Read::Unread(why) => collection.unread(why),
    }
    by_name(files, &mut collection);
    collection.finish()
}

fn state(reader: &dyn ReadAt) -> Result<BTreeMap<String, Snap>> {
    if reader.len() > MAX_STATE {
        let why = format!("{} bytes; at most {MAX_STATE} are read", reader.len());
        return Err(Error::unsupported("state", why));
    }
    let bytes = read_vec(reader, "state", 0, reader.len())?;
    match serde_json::from_slice::<State>(&bytes) {
        Ok(state) => Ok(state.data.snaps.unwrap_or_default()),
        Err(error) => Err(Error::corrupt("state", 0, error.to_string())),
    }
}

fn installed(files: &Files<'_>, name: String, snap: Snap) -> Option<Package> {
    // One that is being installed for the first time has no current revision yet.
    let revision = snap.current?;
    let path = format!("{SNAPS}/{name}_{revision}.snap");
    let mut package = Package::bare(PackageKind::Snap, name, revision, STATE);
    package.origin = snap.channel.filter(|channel| !channel.is_empty());
    package.state = (!snap.active).then(|| "disabled".to_owned());
    let file = files.found(&path, HIDES).there();
    package.size = file.and_then(|file| Some(file.metadata().ok()?.size));
    package.location = Some(path);
    Some(package)
}

/// The snaps whose files are there: of each the revision that `/snap` calls current, or all.
fn by_name(files: &Files<'_>, collection: &mut Collection<'_, '_>) {
    let children = match files.children(SNAPS, HIDES) {
        Read::There(children) => children,
        Read::Absent => return,
        Read::Unread(why) => return collection.unread(why),
    };
    collection.at(SNAPS);
    for (file, _) in children {
        let named = file.strip_suffix(".snap").and_then(|base| base.rsplit_once('_'));
        let Some((name, revision)) = named else { continue };
        let current = files.link(&format!("/snap/{name}/current"), HIDES).there();
        if current.is_some_and(|current| current != revision) {
            continue;
        }
        let path = format!("{SNAPS}/{file}");
        let mut found =
            Package::bare(PackageKind::Snap, name.to_owned(), revision.to_owned(), &path);
        found.location = Some(path);
        if collection.add(found) == ControlFlow::Break(()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory::tree;

    const WHOLE: &[u8] = br#"{"data":{"auth":{"x":[1,{}]},"snaps":{
        "core20":{"type":"base","sequence":[{"name":"core20","revision":"2015"}],"active":true,
            "current":"2015","channel":"latest/stable"},
        "mine":{"active":false,"current":"x1"},"coming":{"sequence":null}}},"changes":{}}"#;

    #[test]
    fn a_state() {
        let tree = tree(&[(STATE, WHOLE), ("/var/lib/snapd/snaps/core20_2015.snap", b"hsqs")]);
        let listing = read(&Files::new(&tree)).unwrap();
        assert_eq!((listing.coverage, listing.items.len()), (Coverage::Complete, 2));
        let core = &listing.items[0];
        assert_eq!((core.name.as_str(), core.version.as_str()), ("core20", "2015"));
        assert_eq!((core.origin.as_deref(), core.size), (Some("latest/stable"), Some(4)));
        assert_eq!(core.state, None);
        let mine = &listing.items[1];
        assert_eq!((mine.version.as_str(), mine.state.as_deref()), ("x1", Some("disabled")));
    }

    #[test]
    fn files_stand_in_for_a_state() {
        let snaps = [
            ("/var/lib/snapd/snaps/a_1.snap", &b""[..]),
            ("/var/lib/snapd/snaps/a_2.snap", b""),
            ("/var/lib/snapd/snaps/b_inst_x3.snap", b""),
            ("/var/lib/snapd/snaps/partial", b""),
            ("/snap/a/current -> 2", b""),
        ];
        for state in [&b"{"[..], b"[]", b"{\"data\":{\"snaps\":7}}"] {
            let tree = tree(&[&[(STATE, state)], &snaps[..]].concat());
            let files = Files::new(&tree);
            let listing = read(&files).unwrap();
            let found: Vec<_> = listing.items.iter().map(|p| (&*p.name, &*p.version)).collect();
            assert_eq!(found, [("a", "2"), ("b_inst", "x3")]);
            assert_eq!(listing.coverage, Coverage::Partial);
            assert_eq!(files.into_problems().len(), 1);
        }
        assert_eq!(read(&Files::new(&tree(&snaps))).unwrap().coverage, Coverage::Complete);
        assert!(read(&Files::new(&tree(&[]))).is_none());
        let none = tree(&[(STATE, br#"{"data":{}}"#)]);
        assert!(read(&Files::new(&none)).unwrap().reason.unwrap().contains("names no package"));
    }
}
