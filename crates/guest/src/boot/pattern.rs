//! Shell patterns: `*`, `?` and `[…]`.

/// Whether the whole name is what the pattern says. Takes no more steps than their lengths multiply
/// to, whatever the pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut in_name) = (0, 0);
    // Where the last `*` stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, in_name));
                at += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => set(&pattern[at..], name[in_name]),
            Some('\\') if at + 1 < pattern.len() => (pattern[at + 1] == name[in_name]).then_some(2),
            Some(character) => (*character == name[in_name]).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(step), _) => {
                at += step;
                in_name += 1;
            }
            (None, Some((place, taken))) => {
                star = Some((place, taken + 1));
                at = place + 1;
                in_name = taken + 1;
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// How long the set is, if it holds the character. One that is not closed is a bracket.
fn set(pattern: &[char], wanted: char) -> Option<usize> {
    let negated = matches!(pattern.get(1), Some('!' | '^'));
    let start = if negated { 2 } else { 1 };
    let close = pattern.iter().skip(start + 1).position(|character| *character == ']');
    let Some(end) = close.map(|close| close + start + 1) else {
        return (wanted == '[').then_some(1);
    };
    let mut inside = false;
    let mut at = start;
    while at < end {
        if at + 2 < end && pattern[at + 1] == '-' {
            inside |= (pattern[at]..=pattern[at + 2]).contains(&wanted);
            at += 3;
        } else {
            inside |= pattern[at] == wanted;
            at += 1;
        }
    }
    (inside != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_a_shell_takes_them() {
        for (pattern, name, expected) in [
            ("debian-*", "debian-6.1.conf", true),
            ("debian-*.conf", "debian-6.1.efi", false),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x[!0-9]", "bxz", true),
            ("[a-c]x[!0-9]", "bx1", false),
            ("[", "[", true),
            ("[]]", "]", true),
            ("a*b*c", "a-b-b-c", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("abc", "abcd", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        let long = "a".repeat(2000);
        assert!(!matches(
            &"a*".repeat(1000).replace("aa", "a"),
            &format!("{long}b").replace('a', "c")
        ));
    }
}
