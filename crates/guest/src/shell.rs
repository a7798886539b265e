//! Files of variables as a shell reads them: `os-release`, `sysconfig`, `/etc/default`.

use std::collections::HashMap;

/// The variables that the text sets, the last of a name counting. Nothing is expanded: such files
/// hold plain words, and what does not is kept as it stands.
pub(crate) fn assignments(text: &str) -> HashMap<String, String> {
    text.lines().filter_map(assignment).collect()
}

fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name.to_owned(), unquoted(value)))
}

/// The word that the shell makes of it.
fn unquoted(value: &str) -> String {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = value.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, '\\') => word.extend(characters.next()),
            (Some('"'), '\\') => match characters.peek() {
                Some('"' | '\\' | '$' | '`') => word.extend(characters.next()),
                _ => word.push('\\'),
            },
            // What follows is another command, or a comment.
            (None, ' ' | '\t' | ';') => break,
            _ => word.push(character),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_as_the_shell_takes_them() {
        for (value, word) in [
            ("debian", "debian"),
            ("\"Debian GNU/Linux 12 (bookworm)\"", "Debian GNU/Linux 12 (bookworm)"),
            ("'it''s'", "its"),
            (r#""a \"b\" \$c \d""#, r#"a "b" $c \d"#),
            (r"a\ b", "a b"),
            ("word # comment", "word"),
            ("\"open", "open"),
            ("", ""),
        ] {
            assert_eq!(unquoted(value), word, "{value}");
        }
        let text = "# no\nA=1\n export B='2'\nA=3\nnot a line\n=x\nC D=4\n";
        let values = assignments(text);
        assert_eq!(values.len(), 2);
        assert_eq!((values["A"].as_str(), values["B"].as_str()), ("3", "2"));
    }
}
