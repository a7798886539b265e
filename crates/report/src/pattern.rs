//! Patterns of those who ask of reports.

/// Whether a text is like a pattern, in which `*` stands for anything, and for nothing too.
pub fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_is_anything() {
        for (text, pattern, expected) in [
            ("web-1", "web-*", true),
            ("web-1", "web-1", true),
            ("web-1", "web", false),
            ("web-1", "*1", true),
            ("web-1", "*", true),
            ("", "*", true),
            ("a-b-c", "a*b*c", true),
            ("a-c", "a*b*c", false),
            ("ab", "ab*b", false),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }
}
