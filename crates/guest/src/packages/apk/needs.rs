//! What packages need, and whether something is there that is it.

use std::collections::{BTreeMap, HashSet};

/// How many bytes of names are kept; those of ten thousand packages have some mebibytes.
const MAX_TEXT: usize = 64 << 20;

/// What is needed, and what there is.
#[derive(Default)]
pub(super) struct Needs {
    /// The names of packages, and what else they are: `so:libc.musl-x86_64.so.1`, `cmd:sh`.
    provided: HashSet<String>,
    /// What is needed, and who needs it.
    needed: BTreeMap<String, String>,
    text: usize,
    /// Not everything was taken in, so that nothing can be said.
    is_cut: bool,
}

impl Needs {
    /// Takes a line of the database that is about a package; of one that is cut only the beginning is
    /// there.
    pub(super) fn line(&mut self, package: &str, line: &[u8], is_cut: bool) {
        let Some((letter @ (b"P:" | b"p:" | b"D:"), rest)) = line.split_at_checked(2) else {
            return;
        };
        self.is_cut |= is_cut;
        let rest = String::from_utf8_lossy(rest);
        for word in rest.split_whitespace() {
            match letter {
                b"D:" => self.need(word, package),
                _ => self.provide(word),
            }
        }
    }

    /// What was asked for, as `of` has it: perhaps with the repository behind it.
    pub(super) fn wish(&mut self, wish: &str, of: &str) {
        self.need(wish.split('@').next().unwrap_or(wish), of);
    }

    fn need(&mut self, word: &str, of: &str) {
        // It must not be there.
        if word.starts_with('!') {
            return;
        }
        let name = name(word);
        if self.takes(name.len() + of.len()) && !self.needed.contains_key(name) {
            self.needed.insert(name.to_owned(), of.to_owned());
        }
    }

    fn provide(&mut self, word: &str) {
        let name = name(word);
        if self.takes(name.len()) {
            self.provided.insert(name.to_owned());
        }
    }

    fn takes(&mut self, length: usize) -> bool {
        self.text = self.text.saturating_add(length + size_of::<(String, String)>());
        self.is_cut |= self.text > MAX_TEXT;
        !self.is_cut
    }

    /// The first that is needed and not there, and who needs it.
    pub(super) fn unmet(&self) -> Option<(&str, &str)> {
        let mut needed = self.needed.iter().filter(|_| !self.is_cut);
        let (name, of) = needed.find(|(name, _)| !self.provided.contains(*name))?;
        Some((name, of))
    }
}

/// The name without the versions that will do: `musl>=1.2`, `so:libz.so.1=1.3`.
fn name(word: &str) -> &str {
    word.split(['=', '<', '>', '~']).next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_is() {
        let check = |lines: &[&str], world: &str, expected: Option<(&str, &str)>| {
            let mut needs = Needs::default();
            lines.iter().for_each(|line| needs.line("a", line.as_bytes(), false));
            world.split_whitespace().for_each(|wish| needs.wish(wish, "world"));
            assert_eq!(needs.unmet(), expected, "{lines:?} {world}");
        };
        check(&["P:a", "D:so:b.so.1 /bin/sh !c d>=1 e~2"], "a@edge", Some(("/bin/sh", "a")));
        check(&["P:a", "p:so:b.so.1=1.3 /bin/sh", "D:so:b.so.1 /bin/sh"], "a=1 !x", None);
        check(&["P:a", "F:usr", "V:D:x"], "a>1 b<2", Some(("b", "world")));
        check(&[], "", None);
        let mut cut = Needs::default();
        cut.line("a", b"D:b", false);
        cut.line("a", b"p:c", true);
        assert_eq!(cut.unmet(), None);
    }
}
