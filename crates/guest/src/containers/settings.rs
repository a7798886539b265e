//! Settings in the configuration of engines, which is TOML: strings and lists of strings, by section
//! and name. What is set in any other way is not understood, and that is told.

/// What one setting says.
#[derive(Debug, PartialEq)]
pub(super) enum Setting {
    /// It is not set.
    Unset,
    /// It is set to these; one of a plain string.
    Set(Vec<String>),
    /// It is set to what is neither.
    Other,
}

/// The setting of this name in this section; the section before the first is called nothing.
pub(super) fn setting(text: &str, section: &str, name: &str) -> Setting {
    let mut current = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('[') {
            let end = line.find(']').unwrap_or(line.len());
            current = line.get(1..end).unwrap_or_default().trim();
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if current != section || key.trim().trim_matches(['"', '\'']) != name {
            continue;
        }
        let mut value = value.trim().to_owned();
        // A list may go on over further lines.
        while value.starts_with('[') && strings(&value).is_none() {
            match lines.next() {
                Some(more) => {
                    value.push('\n');
                    value.push_str(more);
                }
                None => return Setting::Other,
            }
            if value.len() > 1 << 16 {
                return Setting::Other;
            }
        }
        let list = if value.starts_with('[') {
            strings(&value)
        } else {
            string(&value).filter(|(_, rest)| is_end(rest)).map(|(value, _)| vec![value])
        };
        return list.map_or(Setting::Other, Setting::Set);
    }
    Setting::Unset
}

/// Nothing, or a comment.
fn is_end(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.starts_with('#')
}

/// The string that the text begins with, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let rest = text.get(1..)?;
    let mut value = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quote == '"' => match characters.next()?.1 {
                escaped @ ('"' | '\\') => value.push(escaped),
                _ => return None,
            },
            '\n' => return None,
            _ if character == quote => return Some((value, rest.get(at + 1..)?)),
            _ => value.push(character),
        }
    }
    None
}

/// The strings of a list; nothing where it does not end.
fn strings(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('[')?;
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
        if let Some(comment) = rest.strip_prefix('#') {
            rest = comment.split_once('\n')?.1;
        } else if let Some(end) = rest.strip_prefix(']') {
            return is_end(end).then_some(values);
        } else {
            let (value, next) = string(rest)?;
            values.push(value);
            rest = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_in_their_section() {
        let text = "root = '/top' # here\n[storage]\n# graphroot = \"/no\"\ngraphroot = \"/a \\\"b\"\n\
                    driver=overlay\n[storage.options]\nadditionalimagestores = [ # many\n\"/x\",\n'/y', ]\n\
                    open = [ \"/x\"\n";
        let set =
            |values: &[&str]| Setting::Set(values.iter().map(|it| (*it).to_owned()).collect());
        for (section, name, expected) in [
            ("", "root", set(&["/top"])),
            ("storage", "graphroot", set(&["/a \"b"])),
            ("storage", "root", Setting::Unset),
            ("storage", "driver", Setting::Other),
            ("storage.options", "additionalimagestores", set(&["/x", "/y"])),
            ("storage.options", "open", Setting::Other),
        ] {
            assert_eq!(setting(text, section, name), expected, "{section} {name}");
        }
    }
}
