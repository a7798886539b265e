//! Names with a part that varies: `#` stands for a version, `*` for anything.

/// What `name` has in place of the last version in `pattern`, or if there is none, of the last wild
/// card; nothing where there is none either. `None` where the name is another.
pub(super) fn matched<'a>(pattern: &str, name: &'a str) -> Option<Option<&'a str>> {
    Some(part(pattern, name)?.map(|part| part.text))
}

/// What a wild card stands for.
struct Part<'a> {
    is_version: bool,
    text: &'a str,
}

fn part<'a>(pattern: &str, name: &'a str) -> Option<Option<Part<'a>>> {
    let Some(at) = pattern.find(['#', '*']) else {
        return (pattern == name).then_some(None);
    };
    let (before, rest) = pattern.split_at(at);
    let is_version = rest.starts_with('#');
    let rest = rest.get(1..)?;
    let name = name.strip_prefix(before)?;
    let most = if is_version { version_length(name) } else { name.len() };
    let least = usize::from(is_version);
    // The longest fit is the one that is meant; names are short.
    (least..=most).rev().find_map(|end| {
        let (text, behind) = name.split_at_checked(end)?;
        Some(match part(rest, behind)? {
            Some(inner) if inner.is_version || !is_version => Some(inner),
            _ => Some(Part { is_version, text }),
        })
    })
}

/// How much of the start of the text is a version: digits, with single dots between them.
fn version_length(text: &str) -> usize {
    let mut length = 0;
    let mut last_is_digit = false;
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => last_is_digit = true,
            b'.' if last_is_digit => last_is_digit = false,
            _ => break,
        }
        length += 1;
    }
    if length > 0 && !last_is_digit { length - 1 } else { length }
}

/// Whether something of this version is of the series `series`: 15.2 of 15, 1.8.0_412 of 8.
pub(super) fn is_of(version: &str, series: &str) -> bool {
    let fits = |version: &str| {
        version
            .strip_prefix(series)
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    // Until its eighth, versions of Java began with a one.
    fits(version) || version.strip_prefix("1.").is_some_and(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wild_cards() {
        for (pattern, name, expected) in [
            ("nginx", "nginx", Some(None)),
            ("nginx", "nginx-core", None),
            ("postgresql-#", "postgresql-15", Some(Some("15"))),
            ("postgresql-#", "postgresql-15-postgis-3", None),
            ("postgresql-#", "postgresql-common", None),
            ("postgresql#-server", "postgresql15-server", Some(Some("15"))),
            ("java-#-openjdk", "java-1.8.0-openjdk", Some(Some("1.8.0"))),
            ("python3.#", "python3.11", Some(Some("11"))),
            ("python#", "python3.11", Some(Some("3.11"))),
            ("python#", "python", None),
            ("kafka_#-#.jar", "kafka_2.13-3.6.0.jar", Some(Some("3.6.0"))),
            ("node-v#-*", "node-v18.1.0-linux-x64", Some(Some("18.1.0"))),
            ("*tomcat*", "apache-tomcat-9", Some(Some("-9"))),
            ("#", "8.0.1", Some(Some("8.0.1"))),
            ("#", "8..1", None),
            ("#", "8.", None),
            ("*", "", Some(Some(""))),
            ("a*b", "aéb", Some(Some("é"))),
        ] {
            assert_eq!(matched(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn series() {
        for (version, series) in
            [("15.2", "15"), ("1.8.0_412", "8"), ("1.8.0_412", "1.8.0"), ("3.11.2", "3.11")]
        {
            assert!(is_of(version, series), "{version} {series}");
        }
        for (version, series) in [("15.2", "1"), ("3.11", "3.1"), ("8", "17")] {
            assert!(!is_of(version, series), "{version} {series}");
        }
    }
}
