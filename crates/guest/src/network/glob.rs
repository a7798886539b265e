//! Paths with wildcards, as the shell expands them.

use super::connections::HIDES;
use crate::files::{Files, Read};

/// The most paths that one pattern stands for.
const MAX_PATHS: usize = 4096;

/// No name that could fit has a longer pattern.
const MAX_PATTERN: usize = 1024;

/// The paths that fit the pattern, sorted; the pattern itself where it has no wildcard. `None` where
/// there are too many; `folders` says how many may be looked into, and is counted down.
pub(super) fn expand(files: &Files<'_>, pattern: &str, folders: &mut usize) -> Option<Vec<String>> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    let mut paths = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if !part.contains(['*', '?', '[']) {
            paths.iter_mut().for_each(|path| *path = format!("{path}/{part}"));
            continue;
        }
        let mut next = Vec::new();
        for folder in &paths {
            *folders = folders.checked_sub(1)?;
            let inside = if folder.is_empty() { "/" } else { folder };
            let Read::There(children) = files.children(inside, HIDES) else { continue };
            for (name, _) in children {
                // What is hidden has to be named as such.
                if (!name.starts_with('.') || part.starts_with('.')) && fits(part, &name) {
                    next.push(format!("{folder}/{name}"));
                }
            }
            if next.len() > MAX_PATHS {
                return None;
            }
        }
        paths = next;
    }
    Some(paths)
}

/// Whether the name fits the pattern.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on if the last star takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => class(&pattern[p..], name[n]),
            Some(letter) if *letter == name[n] => Some(1),
            _ => None,
        };
        match (step, star) {
            (Some(length), _) => (p, n) = (p + length, n + 1),
            (None, Some((after, taken))) => {
                (p, n) = (after, taken + 1);
                star = Some((after, taken + 1));
            }
            (None, None) => return false,
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

/// How long the class is that the pattern begins with, if the character is in it.
fn class(pattern: &[char], character: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let end = start + 1 + pattern.get(start + 1..)?.iter().position(|letter| *letter == ']')?;
    let inside = &pattern[start..end];
    let mut hit = false;
    let mut at = 0;
    while at < inside.len() {
        if inside.get(at + 1) == Some(&'-') && at + 2 < inside.len() {
            hit |= (inside[at]..=inside[at + 2]).contains(&character);
            at += 3;
        } else {
            hit |= inside[at] == character;
            at += 1;
        }
    }
    (hit != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::memory;

    #[test]
    fn names_and_patterns() {
        for (pattern, name, good) in [
            ("*", "a", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "a.confx", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxxb", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "[a", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, name), good, "{pattern} {name}");
        }
        // No time is lost on a pattern of many stars.
        assert!(!fits(&"*a".repeat(50), &"a".repeat(49)));
    }

    #[test]
    fn paths() {
        let tree = memory::tree(&[("/a/b/1.x", b""), ("/a/c/2.x", b""), ("/a/c/.3.x", b"")]);
        let files = Files::new(&tree);
        let of = |pattern: &str| expand(&files, pattern, &mut 10);
        assert_eq!(of("/a/*/*.x").unwrap(), ["/a/b/1.x", "/a/c/2.x"]);
        assert_eq!(of("/no/where").unwrap(), ["/no/where"]);
        assert!(of("/no/*").unwrap().is_empty());
        assert!(expand(&files, "/a/*/*.x", &mut 2).is_none());
        assert!(of(&"*/".repeat(1000)).is_none());
    }
}
