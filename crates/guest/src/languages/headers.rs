//! Texts of lines `Name: value`, which go on in the next line where that begins with white space:
//! metadata of Python, manifests of Java.

/// How the lines of one value are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    /// As in mails: a line stays a line.
    Lines,
    /// As in Java: the break is cut into the value wherever a line grew too long.
    Joined,
}

/// The lines of the first paragraph. A name that stands there twice is given twice.
pub(super) fn read(bytes: &[u8], folding: Folding) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        if line.trim_end_matches('\r').is_empty() {
            break;
        }
        let rest = line.strip_prefix([' ', '\t']);
        match (rest, headers.last_mut()) {
            (Some(rest), Some((_, value))) => match folding {
                Folding::Lines => {
                    value.push('\n');
                    value.push_str(rest.trim());
                }
                Folding::Joined => value.push_str(rest.trim_end_matches('\r')),
            },
            (Some(_), None) => {}
            (None, _) => {
                if let Some((name, value)) = line.split_once(':') {
                    let value = value.strip_prefix(' ').unwrap_or(value);
                    headers.push((name.trim().to_owned(), value.trim_end_matches('\r').to_owned()));
                }
            }
        }
    }
    headers
}

/// The first value of that name, whatever its case. An empty one is none.
pub(super) fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines() {
        let text = b"Name: a\r\nLong: one\r\n two\r\nNAME: b\r\nnonsense\r\n\r\nAfter: c\r\n";
        let headers = read(text, Folding::Joined);
        assert_eq!(value(&headers, "name"), Some("a"));
        assert_eq!(value(&headers, "Long"), Some("onetwo"));
        assert_eq!(value(&headers, "After"), None);
        let headers = read(text, Folding::Lines);
        assert_eq!(value(&headers, "Long"), Some("one\ntwo"));
        assert!(read(b"", Folding::Lines).is_empty());
        assert!(read(b" leading\n\xff\xfe", Folding::Lines).is_empty());
    }
}
