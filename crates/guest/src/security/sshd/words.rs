//! A line of sshd's configuration: a keyword, and the words behind it.

/// A line that says something.
pub(super) struct Line<'a> {
    /// The keyword in lower case.
    pub(super) keyword: String,
    /// What stands behind it, as it is written.
    pub(super) rest: &'a str,
}

const BLANK: [char; 3] = [' ', '\t', '\r'];

/// The keyword of the line and what is behind it; nothing of blank lines and comments. Between the two
/// may be blanks and one `=`.
pub(super) fn line(text: &str) -> Option<Line<'_>> {
    let text = text.trim_matches(|character| BLANK.contains(&character) || character == '\u{c}');
    if text.is_empty() || text.starts_with('#') {
        return None;
    }
    let (keyword, rest) = first(text);
    Some(Line { keyword: keyword.to_ascii_lowercase(), rest })
}

/// The first word and the rest, `=` being a blank once.
fn first(text: &str) -> (&str, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let (word, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
        return (word, rest.trim_start_matches(BLANK));
    }
    let end = text.find(|character| BLANK.contains(&character) || character == '=');
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let rest = rest.trim_start_matches(BLANK);
    (word, rest.strip_prefix('=').unwrap_or(rest).trim_start_matches(BLANK))
}

/// The words of the text, quotes and escapes taken off; a comment ends them. Nothing if a quote is not
/// closed.
pub(super) fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|character| matches!(character, ' ' | '\t')).is_some() {}
        match characters.peek() {
            None | Some('#') => return Some(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(character) = characters.next() {
            match (quote, character) {
                (None, ' ' | '\t') => break,
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                (_, '\\') => match characters.peek() {
                    Some('"' | '\'' | '\\') => word.extend(characters.next()),
                    Some(' ') if quote.is_none() => word.extend(characters.next()),
                    _ => word.push('\\'),
                },
                _ => word.push(character),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(word);
    }
}

/// The condition behind `Match`, as it is written but for blanks and comments. Nothing if none is
/// there; an empty one is that which always holds.
pub(super) fn condition(rest: &str) -> Option<String> {
    let mut parts = Vec::new();
    let mut left = rest;
    while !left.is_empty() && !left.starts_with('#') {
        let (criterion, behind) = first(left);
        if criterion.eq_ignore_ascii_case("all") && parts.is_empty() {
            let alone = behind.is_empty() || behind.starts_with('#');
            return alone.then(String::new);
        }
        if criterion.eq_ignore_ascii_case("invalid-user") {
            parts.push(criterion.to_owned());
            left = behind;
            continue;
        }
        let (value, behind) = first(behind);
        if criterion.is_empty() || value.is_empty() || value.starts_with('#') {
            return None;
        }
        parts.push(format!("{criterion} {value}"));
        left = behind;
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parted_into_keyword_and_rest() {
        for (text, keyword, rest) in [
            ("Port 22", "port", "22"),
            ("  PORT\t= 22 ", "port", "22"),
            ("port=22", "port", "22"),
            ("port == 22", "port", "= 22"),
            ("\"Port\" 22", "port", "22"),
            ("Port", "port", ""),
        ] {
            let line = line(text).unwrap();
            assert_eq!((line.keyword.as_str(), line.rest), (keyword, rest), "{text}");
        }
        assert!(line("  # Port 22").is_none() && line(" \t").is_none());
    }

    #[test]
    fn quotes_and_escapes_are_taken_off() {
        for (text, expected) in [
            ("a  b", vec!["a", "b"]),
            ("\"a b\" 'c d'", vec!["a b", "c d"]),
            ("a\\ b \\\"c \\d", vec!["a b", "\"c", "\\d"]),
            ("a # b", vec!["a"]),
            ("a#b", vec!["a#b"]),
            ("\"\"", vec![""]),
            ("", vec![]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        assert!(words("\"open").is_none());
    }

    #[test]
    fn conditions_keep_their_words() {
        for (text, expected) in [
            ("user bob", Some("user bob")),
            ("User=bob  address 10.0.0.0/8 # why", Some("User bob address 10.0.0.0/8")),
            ("All", Some("")),
            ("all # always", Some("")),
            ("all user bob", None),
            ("user", None),
            ("", None),
            ("# nothing", None),
            ("invalid-user", Some("invalid-user")),
        ] {
            assert_eq!(condition(text).as_deref(), expected, "{text}");
        }
    }
}
