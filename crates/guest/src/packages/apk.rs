//! The database of apk: one text, whose paragraphs have lines of one letter, a colon and a value.
//!
//! Lines in capitals and small letters mean different things; those after the first `F:` are about
//! files.
//!
//! apk installs what was asked for and what that needs, and nothing else. So a package that nothing in
//! the database is, but that was asked for or is needed, shows that a part of the database was lost.

mod needs;

use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use crate::files::{Files, Read};
use crate::lines::Lines;
use needs::Needs;

/// Where the database may be: as ever, and since version 3 on systems whose `/usr` is merged.
const PLACES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// What was asked to be installed: only what is here and what it needs is.
const WORLD: &str = "/etc/apk/world";

pub(super) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let mut collection = Collection::new(files, "apk");
    let mut found = None;
    let mut needs = Needs::default();
    // One of the two places may be a link to the other.
    for path in PLACES {
        match files.open(path, HIDES) {
            Read::There(reader) => {
                collection.at(path);
                if let Err(error) = paragraphs(&mut collection, &mut needs, path, reader) {
                    let _ = collection.problem(error, path);
                }
                found = Some(path);
                break;
            }
            Read::Absent => {}
            Read::Unread(why) => collection.unread(why),
        }
    }
    let world = files.text(WORLD, HIDES).there().unwrap_or_default();
    world.split_whitespace().for_each(|wish| needs.wish(wish, WORLD));
    let path = found.unwrap_or(PLACES[0]);
    // What is known to be missing need not be found out.
    if !collection.is_hiding()
        && let Some((need, of)) = needs.unmet()
    {
        let why = match found {
            Some(_) if of == WORLD => format!("it does not name {need}, which {WORLD} asks for"),
            Some(_) => format!("it does not name {need}, which {of} needs"),
            None => format!("it is not there, but {of} asks for {need}"),
        };
        let _ = collection.problem(Error::corrupt("text", 0, why), path);
    }
    collection.finish()
}

fn paragraphs(
    collection: &mut Collection<'_, '_>,
    needs: &mut Needs,
    path: &str,
    reader: Arc<dyn ReadAt>,
) -> Result<()> {
    let mut lines = Lines::new(reader);
    let fresh = || Package::bare(PackageKind::Apk, String::new(), String::new(), path);
    let (mut current, mut wrong, mut any) = (fresh(), None, false);
    loop {
        let line = match lines.next() {
            // What was read before an error counts.
            Err(error) => {
                let _ = collection.problem(error, path);
                None
            }
            Ok(line) => line.map(<[u8]>::to_vec),
        };
        let torn = (any && lines.is_torn()).then_some("a part of the paragraph was lost");
        wrong = wrong.or(torn);
        if let Some(line) = line.as_ref().filter(|line| !line.is_empty()) {
            any = true;
            let is_wanted = matches!(line.first(), Some(b'P' | b'V'));
            let is_again = line.starts_with(b"P:") && !current.name.is_empty();
            let why = match field(&mut current, line) {
                false => Some("a line does not begin with a letter and a colon"),
                true if is_again => Some("it names two packages"),
                true if is_wanted && lines.is_cut() => Some("a field is longer than is read"),
                true => None,
            };
            wrong = wrong.or(why);
            needs.line(&current.name, line, lines.is_cut());
            continue;
        }
        let whole = std::mem::replace(&mut current, fresh());
        let is_named = !whole.name.is_empty() && !whole.version.is_empty();
        let missing = (any && !is_named).then_some("a paragraph has no name or no version");
        let wrong = wrong.take().or(missing);
        // One of which a part was lost may have been joined with the next.
        let is_whole = any && wrong.is_none();
        if let Some(why) = wrong {
            let _ = collection.problem(Error::corrupt("paragraph", lines.at(), why), path);
        }
        if is_whole && collection.add(whole) == ControlFlow::Break(()) {
            return Ok(());
        }
        any = false;
        if line.is_none() {
            return match lines.is_ended() {
                true => Ok(()),
                false => Err(Error::corrupt("text", lines.at(), "it ends in the middle of a line")),
            };
        }
    }
}

/// Takes what the line says; `false` if it is no line of the format.
fn field(package: &mut Package, line: &[u8]) -> bool {
    let Some((letter, b":")) = line.get(..2).and_then(|start| start.split_at_checked(1)) else {
        return false;
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
    letter.iter().all(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use fathom_report::{Coverage, ProblemKind};

    use super::*;
    use crate::memory::tree;

    const TEXT: &[u8] = b"C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:1\nI:634880\nT:the library\n\
        U:https://x\nL:MIT\no:musl\nm:Somebody <a@b>\nt:1700000000\nc:abc\np:so:libc=1\nF:lib\n\
        R:ld.so\na:0:0:755\nZ:Q1x=\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\nf:f\n\n";

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
    fn an_empty_database_is_believed_only_where_nothing_was_asked_for() {
        let check = |found: &[(&str, &[u8])], expected: Option<Coverage>| {
            let tree = tree(found);
            let listing = read(&Files::new(&tree));
            assert_eq!(listing.map(|it| it.coverage), expected, "{found:?}");
        };
        let world: (&str, &[u8]) = (WORLD, b"busybox@edge\nmusl>1\n");
        check(&[world], Some(Coverage::Unknown));
        check(&[(PLACES[1], b""), world], Some(Coverage::Partial));
        check(&[(PLACES[0], TEXT), world], Some(Coverage::Complete));
        check(&[(PLACES[0], b""), (WORLD, b"!musl\n\n")], Some(Coverage::Complete));
        check(&[(WORLD, b"")], None);
    }

    #[test]
    fn what_is_needed_and_not_there_was_lost() {
        let check = |text: &str, world: &str, words: &str| {
            let tree = tree(&[(PLACES[0], text.as_bytes()), (WORLD, world.as_bytes())]);
            let listing = read(&Files::new(&tree)).unwrap();
            let why = listing.reason.unwrap_or_default();
            assert!(why.contains(words), "{why}");
            assert_eq!(listing.coverage == Coverage::Complete, words.is_empty(), "{why}");
        };
        let [a, b, c] = [
            "P:a\nV:1\nD:so:b.so.1\nF:D\n\n",
            "P:b\nV:1\np:so:b.so.1=1 cmd:b=1\n\n",
            "P:c\nV:1\n\n",
        ];
        check(&[a, b, c].concat(), "a c", "");
        // Cut at the end of a paragraph.
        check(&[a, b].concat(), "a c", "does not name c, which /etc/apk/world asks for");
        check(a, "a", "does not name so:b.so.1, which a needs");
        check(&[b, c].concat(), "cmd:b c", "");
    }

    #[test]
    fn what_is_not_a_database() {
        assert!(read(&Files::new(&tree(&[("/etc/x", b"")]))).is_none());
        let empty = tree(&[(PLACES[0], b"\n\n")]);
        let listing = read(&Files::new(&empty)).unwrap();
        assert!(listing.reason.unwrap().contains("names no package"));
        let torn = TEXT.iter().map(|byte| if b"V".contains(byte) { 0 } else { *byte });
        let torn: Vec<u8> = torn.collect();
        let damaged: [&[u8]; 7] = [
            b"\n\njunk\n",
            b"P:nameless\n\n",
            b"P:a\nV:1\nP:b\nV:2\n\n",
            b"P:a\nV:1\n\nP:b\nV:2\nA:x8",
            &[0; 5000],
            b"P:a\nL:M\0\0\n\0V:2\nV:1\n\n",
            &torn,
        ];
        for text in damaged {
            let tree = tree(&[(PLACES[0], text)]);
            let files = Files::new(&tree);
            let listing = read(&files).unwrap();
            let found: Vec<_> = listing.items.iter().map(|it| it.name.as_str()).collect();
            let shown = String::from_utf8_lossy(text);
            assert_eq!(listing.coverage, Coverage::Partial, "{shown}: {found:?}");
            assert!(found.is_empty() || found == ["a", "b"], "{shown}: {found:?}");
            let problems = files.into_problems();
            assert!(problems.iter().all(|it| it.kind == ProblemKind::Corrupt), "{problems:?}");
        }
        let hidden = tree(&[("/lib/apk/db/installed/x", b"")]);
        assert_eq!(read(&Files::new(&hidden)).unwrap().coverage, Coverage::Unknown);
    }
}
