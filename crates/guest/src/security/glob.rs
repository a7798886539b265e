//! Names with wildcards, as a shell and `glob(3)` take them.

use crate::files::{Files, Read};

/// The most paths that one pattern leads to.
const MAX_PATHS: usize = 4096;

/// Whether the name is one that the pattern means: `*`, `?`, `[a-z]`, and `\` before what stands for
/// itself. The time it takes is at most the product of both lengths.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when the last `*` has to take one character more.
    let mut again: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at) {
            Some('*') => {
                again = Some((at + 1, in_name));
                at += 1;
                continue;
            }
            None if in_name == name.len() => return true,
            None => None,
            Some(_) => name.get(in_name).and_then(|character| one(&pattern[at..], *character)),
        };
        match (step, again) {
            (Some(length), _) => (at, in_name) = (at + length, in_name + 1),
            (None, Some((star, taken))) if taken < name.len() => {
                again = Some((star, taken + 1));
                (at, in_name) = (star, taken + 1);
            }
            (None, _) => return false,
        }
    }
}

/// How much of the pattern the character uses up, if it is what the pattern begins with.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', rest @ ..] => match set(rest, character) {
            Some((inside, length)) => inside.then_some(length + 1),
            // What is never closed stands for itself.
            None => (character == '[').then_some(1),
        },
        [plain, ..] => (*plain == character).then_some(1),
        [] => None,
    }
}

/// Whether the character is in the set whose inside `rest` begins with, and how long that is.
fn set(rest: &[char], character: char) -> Option<(bool, usize)> {
    let negated = matches!(rest.first(), Some('!' | '^'));
    let start = usize::from(negated);
    let mut at = start;
    let mut inside = false;
    loop {
        match rest.get(at..)? {
            [']', ..] if at > start => return Some((inside != negated, at + 1)),
            [low, '-', high, ..] if *high != ']' => {
                inside |= (*low..=*high).contains(&character);
                at += 3;
            }
            [single, ..] => {
                inside |= *single == character;
                at += 1;
            }
            [] => return None,
        }
    }
}

/// Whether there is something in it to be expanded.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that the pattern means, sorted; an error if it could not be looked everywhere.
pub(super) fn expand(files: &Files<'_>, pattern: &str, hides: &str) -> Result<Vec<String>, String> {
    let mut paths = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for path in paths {
            if !is_pattern(part) {
                next.push(format!("{path}/{part}"));
                continue;
            }
            let folder = if path.is_empty() { "/" } else { &path };
            let children = match files.children(folder, hides) {
                Read::There(children) => children,
                Read::Absent => continue,
                Read::Unread(why) => return Err(why),
            };
            // What begins with a dot has to be asked for.
            let names = children.into_iter().map(|(name, _)| name);
            let names = names.filter(|name| part.starts_with('.') || !name.starts_with('.'));
            next.extend(
                names.filter(|name| matches(part, name)).map(|name| format!("{path}/{name}")),
            );
        }
        if next.len() > MAX_PATHS {
            return Err(format!("{pattern} means more than {MAX_PATHS} files"));
        }
        paths = next;
    }
    paths.sort_unstable();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn wildcards_are_taken_as_the_shell_takes_them() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("", "", true),
            ("*", "", true),
            ("*a", "aaab", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_take_long_does_not() {
        assert!(!matches(&"*a".repeat(2000), &"a".repeat(1999)));
    }

    #[test]
    fn paths_are_expanded_in_every_part() {
        let tree = memory::tree(&[
            ("/a/one/x.conf", b""),
            ("/a/two/y.conf", b""),
            ("/a/two/.z.conf", b""),
            ("/b", b""),
        ]);
        let files = Files::new(&tree);
        let paths = expand(&files, "/a/*/*.conf", "nothing").unwrap();
        assert_eq!(paths, ["/a/one/x.conf", "/a/two/y.conf"]);
        assert_eq!(expand(&files, "/a/one", "nothing").unwrap(), ["/a/one"]);
        assert!(expand(&files, "/none/*", "nothing").unwrap().is_empty());
    }
}
