//! Shell patterns over bytes.

/// Whether `text` matches `pattern`: `*` stands for anything, `?` for one byte, `[a-z]` and
/// `[!a-z]` for one of a set, `\` takes the next byte as it is. Linear in space, and in time at
/// worst the product of both lengths: a stored position to go back to replaces recursion.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(at_pattern) {
            Some(b'*') => {
                at_pattern += 1;
                retry = Some((at_pattern, at_text));
                continue;
            }
            Some(_) if at_text < text.len() => one(&pattern[at_pattern..], text[at_text]),
            Some(_) => None,
            None if at_text == text.len() => return true,
            None => None,
        };
        match (step, retry) {
            (Some(length), _) => {
                at_pattern += length;
                at_text += 1;
            }
            (None, Some((pattern_from, text_from))) if text_from < text.len() => {
                retry = Some((pattern_from, text_from + 1));
                at_pattern = pattern_from;
                at_text = text_from + 1;
            }
            (None, _) => return false,
        }
    }
}

/// Whether the first element of the pattern stands for this byte, and how long that element is.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [b'[', set @ ..] => match set_matches(set, byte) {
            Some((true, length)) => Some(length + 1),
            Some((false, _)) => None,
            None => (byte == b'[').then_some(1),
        },
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// Whether the set holds the byte, and how long the set is with its closing bracket.
fn set_matches(set: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(set.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        match set.get(at)? {
            b']' if at > first => return Some((found != negated, at + 1)),
            low => match (set.get(at + 1), set.get(at + 2)) {
                (Some(b'-'), Some(high)) if *high != b']' => {
                    found |= (*low..=*high).contains(&byte);
                    at += 3;
                }
                _ => {
                    found |= *low == byte;
                    at += 1;
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*.so*", "libc.so.6", true),
            ("*.so", "libc.so.6", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("", "", true),
            ("*", "", true),
            ("**a**", "bab", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = b"*a".repeat(200);
        assert!(!matches(&pattern, &b"b".repeat(4000)));
    }
}
