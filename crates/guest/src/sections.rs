//! Files of settings as systemd reads them: sections in brackets, `NAME=VALUE`, and lines that a
//! backslash joins with the next.

/// A setting and the section that it stands in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) section: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The settings in their order. What stands before the first section belongs to none, and is nothing.
pub(crate) fn assignments(text: &str) -> Vec<Assignment> {
    let mut all = Vec::new();
    let mut section: Option<String> = None;
    let mut joined = String::new();
    // What a backslash joins with nothing stands by itself.
    for line in text.lines().chain([""]) {
        let line = line.trim_start();
        // Comments may stand between the lines that a backslash joins.
        if line.starts_with(['#', ';']) || (line.is_empty() && joined.is_empty()) {
            continue;
        }
        // One that another stands before is a letter, and blanks behind it make it one.
        let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
        match line.strip_suffix('\\').filter(|_| backslashes % 2 == 1) {
            Some(start) => {
                joined.push_str(start);
                joined.push(' ');
                continue;
            }
            None => joined.push_str(line),
        }
        let line = std::mem::take(&mut joined);
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(name.to_owned());
        } else if let (Some(section), Some((name, value))) = (&section, line.split_once('=')) {
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            all.push(Assignment { section: section.clone(), name, value });
        }
    }
    all
}

/// Whether systemd takes the word for yes or for no.
pub(crate) fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_belong_to_their_sections() {
        let text = "Lost=1\n[A]\n# B=1\nX = 1 \\\n; no\n 2\n\n[B]\nX=\nno\n[C\nY=3\n";
        let all = assignments(text);
        let shown: Vec<_> = all
            .iter()
            .map(|it| (it.section.as_str(), it.name.as_str(), it.value.as_str()))
            .collect();
        assert_eq!(shown, [("A", "X", "1  2"), ("B", "X", ""), ("B", "Y", "3")]);
        for (text, expected) in [
            ("[A]\nX=1 \\", &["1"][..]),
            ("[A]\nX=1 \\\nY=2", &["1  Y=2"]),
            ("[A]\nX=1 \\\\\nY=2", &["1 \\\\", "2"]),
            ("[A]\nX=1 \\ \nY=2", &["1 \\", "2"]),
        ] {
            let all = assignments(text);
            let values: Vec<_> = all.iter().map(|it| it.value.as_str()).collect();
            assert_eq!(values, expected, "{text}");
        }
        assert_eq!(
            (boolean("On"), boolean("off"), boolean("kernel")),
            (Some(true), Some(false), None)
        );
    }
}
