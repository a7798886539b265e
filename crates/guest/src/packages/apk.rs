//! The database of apk: one text, whose paragraphs have lines of one letter, a colon and a value.
//!
//! Lines in capitals and small letters mean different things; those after the first `F:` are about
//! files.

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{ReadAt, Result};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::package;
use crate::files::{Files, Read};
use crate::lines::Lines;

/// Where the database may be: as ever, and since version 3 on systems whose `/usr` is merged.
const PLACES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "apk");
    // One of the two places may be a link to the other.
    for path in PLACES {
        match files.open(path, HIDES) {
            Read::There(reader) => {
                collection.at(path);
                if let Err(error) = paragraphs(&mut collection, path, reader) {
                    let _ = collection.problem(error, path);
                }
                break;
            }
            Read::Absent => {}
            Read::Unread(why) => collection.unread(why),
        }
    }
    collection.finish()
}

fn paragraphs(
    collection: &mut Collection<'_, '_>,
    path: &str,
    reader: Arc<dyn ReadAt>,
) -> Result<()> {
    let mut lines = Lines::new(reader);
    let mut current = package(PackageKind::Apk, String::new(), String::new(), path);
    loop {
        let line = lines.next()?;
        match line {
            Some(line) if !line.is_empty() => field(&mut current, line),
            end => {
                let is_last = end.is_none();
                let next = package(PackageKind::Apk, String::new(), String::new(), path);
                let whole = std::mem::replace(&mut current, next);
                if !whole.name.is_empty()
                    && !whole.version.is_empty()
                    && collection.add(whole) == ControlFlow::Break(())
                {
                    return Ok(());
                }
                if is_last {
                    return Ok(());
                }
            }
        }
    }
}

fn field(package: &mut Package, line: &[u8]) {
    let Some((letter, b":")) = line.get(..2).and_then(|start| start.split_at_checked(1)) else {
        return;
    };
    let value = || {
        let value = String::from_utf8_lossy(line.get(2..).unwrap_or_default());
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    match letter {
        b"P" => package.name = value().unwrap_or_default(),
        b"V" => package.version = value().unwrap_or_default(),
        b"A" => package.architecture = value(),
        b"o" => package.source = value(),
        b"L" => package.licence = value(),
        b"m" => package.vendor = value(),
        b"I" => package.size = value().and_then(|size| size.parse().ok()),
        // Of what the installation was not finished: files, scripts.
        b"f" => package.state = value().map(|_| "broken".to_owned()),
        // The tag of the repository it is pinned to.
        b"s" => package.origin = value(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory::tree;

    const TEXT: &[u8] = b"C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:1\nI:634880\nT:the library\n\
        U:https://x\nL:MIT\no:musl\nm:Somebody <a@b>\nt:1700000000\nc:abc\np:so:libc=1\nF:lib\n\
        R:ld.so\na:0:0:755\nZ:Q1x=\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\nf:f\n\nP:nameless\n\n";

    #[test]
    fn paragraphs() {
        for path in PLACES {
            let tree = tree(&[(path, TEXT)]);
            let files = Files::new(&tree);
            let listing = read(&files).unwrap();
            assert_eq!((listing.coverage, listing.items.len()), (Coverage::Complete, 2));
            let musl = &listing.items[0];
            assert_eq!((musl.name.as_str(), musl.version.as_str()), ("musl", "1.2.4-r2"));
            assert_eq!(musl.source.as_deref(), Some("musl"));
            assert_eq!(musl.licence.as_deref(), Some("MIT"));
            assert_eq!(musl.vendor.as_deref(), Some("Somebody <a@b>"));
            assert_eq!(musl.size, Some(634_880));
            assert_eq!(musl.evidence.0, path);
            assert_eq!(listing.items[1].state.as_deref(), Some("broken"));
        }
    }

    #[test]
    fn what_is_not_a_database() {
        assert!(read(&Files::new(&tree(&[("/etc/x", b"")]))).is_none());
        let empty = tree(&[(PLACES[0], b"\n\njunk\n:\nP\n")]);
        let listing = read(&Files::new(&empty)).unwrap();
        assert!(listing.reason.unwrap().contains("names no package"));
        let hidden = tree(&[("/lib/apk/db/installed/x", b"")]);
        assert_eq!(read(&Files::new(&hidden)).unwrap().coverage, Coverage::Unknown);
    }
}
