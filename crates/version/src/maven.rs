//! The order of Maven (`ComparableVersion` of Maven 3.9).
//!
//! A version is a list of numbers and qualifiers, of which the last member may be a list again: a
//! dash opens one, and so does every change between digits and letters. At one place a qualifier
//! comes before a list, and a list before a number. But what ends is compared with all that the
//! other one still has: it is newer than a rest that begins with a pre-release, and older than any
//! other rest, where neither a 0 nor `final` nor the opening of a list counts. Together these two
//! rules contradict each other: to Maven `1.sp.1` is older than `1-rc`, that older than `1`, and
//! that older than `1.sp.1`. Here the second rule goes first: rests that make older, then the end,
//! then rests that make newer, and the first rule only among rests that do the same.

use crate::key;

/// What may stand at one place of a version. First the rests that make older.
const QUALIFIERS: [(&str, u8); 5] =
    [("alpha", 1), ("beta", 2), ("milestone", 3), ("rc", 4), ("snapshot", 5)];
const OLDER: Marks = Marks { release: 6, open: 7, zero: 8 };
const END: u8 = 9;
/// Then those that make newer. Numbers that are not 0 come last.
const NEWER: Marks = Marks { release: 10, open: 13, zero: key::NUMBER };
const SERVICE_PACK: u8 = 11;
const UNKNOWN: u8 = 12;

/// What does not say by itself whether it makes older or newer.
struct Marks {
    release: u8,
    open: u8,
    zero: u8,
}

pub(crate) fn encode(version: &str, key: &mut Vec<u8>) -> Option<()> {
    if version.is_empty() || version.contains('\0') {
        return None;
    }
    let version = version.to_lowercase();
    let mut list = List { key, opened: 0, pending: Vec::new(), is_empty: true };
    // Where the piece that is being read begins, and whether it is digits.
    let (mut start, mut is_digits) = (0, false);
    for (at, byte) in version.bytes().enumerate() {
        let piece = version.get(start..at).unwrap_or_default();
        match byte {
            b'.' | b'-' => {
                match piece {
                    "" => list.number(b""),
                    _ if is_digits => list.number(piece.as_bytes()),
                    _ => list.qualifier(piece),
                }
                start = at + 1;
                if byte == b'-' {
                    list.open();
                }
            }
            b'0'..=b'9' => {
                if !is_digits && !piece.is_empty() {
                    if !list.is_empty {
                        list.open();
                    }
                    list.qualifier(match piece {
                        "a" => "alpha",
                        "b" => "beta",
                        "m" => "milestone",
                        piece => piece,
                    });
                    start = at;
                    list.open();
                }
                is_digits = true;
            }
            _ => {
                if is_digits && !piece.is_empty() {
                    list.number(piece.as_bytes());
                    start = at;
                    list.open();
                }
                is_digits = false;
            }
        }
    }
    match version.get(start..).unwrap_or_default() {
        "" => {}
        piece if is_digits => list.number(piece.as_bytes()),
        piece => {
            if !list.is_empty {
                list.open();
            }
            list.qualifier(piece);
        }
    }
    list.key.push(END);
    Some(())
}

/// The innermost list. What is as good as nothing is kept back, until it is known what follows it:
/// at the end of a list it does not count.
struct List<'k> {
    key: &'k mut Vec<u8>,
    /// How many lists were opened since the last member that counts.
    opened: usize,
    /// The members as good as nothing in the innermost list, each as whether it is a 0.
    pending: Vec<bool>,
    /// Whether the innermost list has no member yet.
    is_empty: bool,
}

impl List<'_> {
    fn open(&mut self) {
        self.opened += 1;
        self.pending.clear();
        self.is_empty = true;
    }

    fn number(&mut self, digits: &[u8]) {
        if digits.iter().all(|digit| *digit == b'0') {
            self.pending.push(true);
        } else {
            self.write(&NEWER);
            key::number(digits, self.key);
        }
        self.is_empty = false;
    }

    fn qualifier(&mut self, name: &str) {
        let name = if name == "cr" { "rc" } else { name };
        if let Some((_, mark)) = QUALIFIERS.iter().find(|(known, _)| *known == name) {
            self.write(&OLDER);
            self.key.push(*mark);
        } else if matches!(name, "ga" | "final" | "release") {
            self.pending.push(false);
        } else {
            self.write(&NEWER);
            if name == "sp" {
                self.key.push(SERVICE_PACK);
            } else {
                self.key.push(UNKNOWN);
                key::word(name.as_bytes(), self.key);
            }
        }
        self.is_empty = false;
    }

    /// Writes what was kept back, now that it is known to make older or newer.
    fn write(&mut self, marks: &Marks) {
        self.key.extend(std::iter::repeat_n(marks.open, std::mem::take(&mut self.opened)));
        let mark = |is_zero| if is_zero { marks.zero } else { marks.release };
        self.key.extend(self.pending.drain(..).map(mark));
    }
}
