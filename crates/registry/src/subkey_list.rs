//! Lists of subkeys: `li`, `lf` and `lh` name keys, `ri` names other lists.

use std::collections::HashSet;

use fathom_block::{Error, Fields, ReadAt, Result};

use crate::cell::Cells;
use crate::elements::Elements;
use crate::name;

/// How deep lists of lists may lie. Windows makes one level.
const MAX_DEPTH: usize = 8;

/// The most subkeys of one key that are listed.
const MAX_SUBKEYS: u32 = 1 << 20;

/// The most lists of one key that are read.
const MAX_LISTS: usize = 1 << 16;

const WHAT: &str = "list of subkeys";

/// What a list says of the name of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    None,
    /// How the name starts, as far as it is ASCII.
    Start([u8; 4]),
    Hash(u32),
}

impl Hint {
    /// Whether the key may well have that name.
    pub(crate) fn is_of(self, wanted: &[u16]) -> bool {
        match self {
            Self::None => true,
            Self::Hash(hash) => hash == name::hash(wanted),
            Self::Start(start) => wanted
                .iter()
                .zip(start)
                .all(|(unit, byte)| name::capital(*unit) == u16::from(byte.to_ascii_uppercase())),
        }
    }
}

impl Hint {
    /// Whether a key of that name cannot be the one that is meant. Of what is not ASCII writers make
    /// different things.
    pub(crate) fn contradicts(self, name: &[u16]) -> bool {
        name.iter().all(|unit| *unit < 0x80) && !self.is_of(name)
    }
}

/// One list that is being read.
struct Level {
    elements: Elements,
    signature: [u8; 2],
}

/// Walks the lists of one key. An error stands for what could not be read; the walk goes on.
pub(crate) struct SubkeyList {
    levels: Vec<Level>,
    lists: HashSet<u32>,
    keys: HashSet<u32>,
    /// How many subkeys the key says it has.
    count: u32,
    listed: u32,
    at: u64,
    /// What is to be told next.
    errors: Vec<Error>,
    first: Option<u32>,
}

impl SubkeyList {
    /// The lists beneath the one at `offset`, of the key whose record is at byte `at` and says that
    /// it has `count` subkeys.
    pub(crate) fn new(at: u64, count: u32, offset: u32) -> Self {
        Self {
            levels: Vec::new(),
            lists: HashSet::new(),
            keys: HashSet::new(),
            count,
            listed: 0,
            at,
            errors: Vec::new(),
            first: (count > 0).then_some(offset),
        }
    }

    /// The next key and what the list says of its name.
    pub(crate) fn next(&mut self, cells: &Cells<impl ReadAt>) -> Option<Result<(u32, Hint)>> {
        if let Some(first) = self.first.take() {
            self.enter(cells, first, self.at);
        }
        loop {
            if let Some(error) = self.errors.pop() {
                return Some(Err(error));
            }
            let Some(level) = self.levels.last_mut() else {
                let (count, listed) = (std::mem::take(&mut self.count), self.listed);
                return (count > 0 && count != listed).then(|| {
                    let why = format!("it has {count} subkeys, but its lists have {listed}");
                    Err(Error::corrupt("registry key", self.at, why))
                });
            };
            let signature = level.signature;
            let (at, read) = match level.elements.next(&cells.hive, WHAT) {
                None => {
                    self.levels.pop();
                    continue;
                }
                Some(Ok((at, element))) => (at, read_element(at, element, signature)),
                Some(Err(error)) => return Some(Err(error)),
            };
            let (offset, hint) = match read {
                Ok(element) => element,
                Err(error) => return Some(Err(error)),
            };
            if signature == *b"ri" {
                self.enter(cells, offset, at);
                continue;
            }
            self.listed += 1;
            if self.listed > MAX_SUBKEYS {
                self.stop(format!("it has more than {MAX_SUBKEYS} subkeys"));
                continue;
            }
            if !self.keys.insert(offset) {
                return Some(Err(Error::corrupt(WHAT, at, "a key is listed twice")));
            }
            return Some(Ok((offset, hint)));
        }
    }

    fn stop(&mut self, why: String) {
        self.levels.clear();
        self.count = 0;
        self.errors.push(Error::unsupported("registry key", why).at(self.at));
    }

    /// Goes on with the list at `offset`, which is named at the byte `from`.
    fn enter(&mut self, cells: &Cells<impl ReadAt>, offset: u32, from: u64) {
        if self.lists.len() >= MAX_LISTS {
            return self.stop(format!("it has more than {MAX_LISTS} lists of subkeys"));
        }
        if !self.lists.insert(offset) {
            return self.errors.push(Error::corrupt(WHAT, from, "a list is named twice"));
        }
        if self.levels.len() >= MAX_DEPTH {
            return self.errors.push(Error::corrupt(WHAT, from, "lists lie too deep"));
        }
        match open(cells, offset) {
            Ok((level, short)) => {
                self.levels.push(level);
                self.errors.extend(short);
            }
            Err(error) => self.errors.push(error),
        }
    }
}

/// Reads a list, and says what is wrong with one that is shorter than it says.
fn open(cells: &Cells<impl ReadAt>, offset: u32) -> Result<(Level, Option<Error>)> {
    let cell = cells.cell(WHAT, offset)?;
    let (signature, count) = cells.record(WHAT, cell)?;
    let stride = match &signature {
        b"li" | b"ri" => 4,
        b"lf" | b"lh" => 8,
        other => {
            let why = format!("no list starts with \"{}\"", other.escape_ascii());
            return Err(Error::corrupt(WHAT, cell.at, why));
        }
    };
    let room = cell.length.saturating_sub(4) / stride;
    let short = (room < u32::from(count)).then(|| {
        Error::corrupt(WHAT, cell.at, format!("{count} elements are claimed; there are {room}"))
    });
    let elements =
        Elements::new(cell.at + 4, stride as usize, u64::from(room.min(u32::from(count))));
    Ok((Level { elements, signature }, short))
}

fn read_element(at: u64, element: &[u8], signature: [u8; 2]) -> Result<(u32, Hint)> {
    let element = Fields::new(WHAT, at, element);
    let hint = match &signature {
        b"lf" => Hint::Start(element.array(4)?),
        b"lh" => Hint::Hash(element.le_u32(4)?),
        _ => Hint::None,
    };
    Ok((element.le_u32(0)?, hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Builder, list};

    /// Walks the lists and says what came of it.
    fn check(build: impl Fn(&mut Builder) -> (u32, u32), expected: &[&str]) {
        let mut hive = Builder::new(5);
        let (count, offset) = build(&mut hive);
        let cells = Cells::new(hive.image(0), 5);
        let mut walk = SubkeyList::new(9, count, offset);
        let mut said = Vec::new();
        while let Some(found) = walk.next(&cells) {
            said.push(match found {
                Ok((offset, hint)) => format!("{offset} {hint:?}"),
                Err(error) => error.to_string(),
            });
        }
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said}, expected {expected}");
        }
    }

    #[test]
    fn lists_of_every_kind() {
        check(|hive| (2, hive.cell(&list(b"li", &[64, 72]))), &["64 None", "72 None"]);
        check(
            |hive| (1, hive.cell(&list(b"lf", &[64, u32::from_le_bytes(*b"Name")]))),
            &["64 Start([78, 97, 109, 101])"],
        );
        check(|hive| (1, hive.cell(&list(b"lh", &[64, 5]))), &["64 Hash(5)"]);
        check(
            |hive| {
                let leaves = [list(b"li", &[8, 16]), list(b"lh", &[24, 1]), list(b"li", &[])];
                let leaves = leaves.map(|leaf| hive.cell(&leaf));
                (3, hive.cell(&list(b"ri", &leaves)))
            },
            &["8 None", "16 None", "24 Hash(1)"],
        );
        check(|_| (0, 0xFFFF_FFFF), &[]);
    }

    #[test]
    fn lists_that_lie() {
        check(|hive| (2, hive.cell(&list(b"li", &[64]))), &["64", "it has 2 subkeys"]);
        check(|hive| (u32::MAX, hive.cell(&list(b"li", &[64]))), &["64", "4294967295 subkeys"]);
        check(|hive| (2, hive.cell(&list(b"li", &[64, 64]))), &["64", "listed twice"]);
        check(|hive| (1, hive.cell(b"xx\x01\0....")), &["starts with \"xx\"", "it has 1"]);
        check(|_| (1, 0xFFFF_FFFF), &["no cell starts", "it has 1"]);
        check(
            |hive| {
                let mut short = list(b"li", &[64]);
                short[2] = 9;
                (1, hive.cell(&short))
            },
            &["9 elements are claimed; there are 2", "64", "0", "its lists have 2"],
        );
    }

    #[test]
    fn lists_in_circles() {
        check(
            |hive| {
                let own = hive.next();
                (1, hive.cell(&list(b"ri", &[own, own])))
            },
            &["named twice", "named twice", "it has 1"],
        );
        check(
            |hive| {
                let mut offset = hive.cell(&list(b"li", &[64]));
                for _ in 0..MAX_DEPTH {
                    offset = hive.cell(&list(b"ri", &[offset]));
                }
                (1, offset)
            },
            &["too deep", "it has 1"],
        );
    }

    #[test]
    fn hints_say_where_to_look() {
        let wanted: Vec<u16> = "Größe".encode_utf16().collect();
        assert!(Hint::None.is_of(&wanted));
        assert!(Hint::Hash(name::hash(&wanted)).is_of(&wanted));
        assert!(!Hint::Hash(1).is_of(&wanted));
        let wanted: Vec<u16> = "Ab".encode_utf16().collect();
        assert!(Hint::Start(*b"aB\0\0").is_of(&wanted));
        assert!(!Hint::Start(*b"aC\0\0").is_of(&wanted));
        assert!(Hint::Start(*b"aC\0\0").contradicts(&wanted));
        assert!(Hint::Hash(1).contradicts(&wanted) && Hint::Hash(1).contradicts(&[]));
        assert!(!Hint::Hash(1).contradicts(&[0x433]) && !Hint::None.contradicts(&wanted));
    }
}
