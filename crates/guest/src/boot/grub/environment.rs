//! `grubenv`: the variables that GRUB keeps from one start to the next.

/// What the file begins with.
const SIGNATURE: &str = "# GRUB Environment Block\n";

/// The variables in the order of the file; none where it is no such file, which GRUB would not read
/// either.
pub(super) fn variables(text: &str) -> Option<Vec<(String, String)>> {
    let mut rest = text.strip_prefix(SIGNATURE)?.chars().peekable();
    let mut variables = Vec::new();
    let mut line = String::new();
    loop {
        match rest.next() {
            // Blanks and backslashes that matter have one before them, and so have new lines.
            Some('\\') => line.extend(rest.next()),
            Some('\n') | None => {
                if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#'))
                {
                    variables.push((name.to_owned(), value.to_owned()));
                }
                line.clear();
                if rest.peek().is_none() {
                    return Some(variables);
                }
            }
            Some(character) => line.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = format!(
            "{SIGNATURE}# WARNING: Do not edit\nsaved_entry=a>b\nkernelopts=root=x ro \\\nnext \nx=\\\\\n{}",
            "#".repeat(500)
        );
        let read = variables(&text).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read,
            [pair("saved_entry", "a>b"), pair("kernelopts", "root=x ro \nnext "), pair("x", "\\")]
        );
        assert_eq!(variables("saved_entry=a"), None);
        assert_eq!(variables(SIGNATURE), Some(Vec::new()));
    }
}
