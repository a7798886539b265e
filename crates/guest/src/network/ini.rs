//! Files of sections with settings, as systemd and as NetworkManager write them.

/// Whose rules count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A backslash joins lines, `;` comments too.
    Systemd,
    /// Values have escapes.
    Keyfile,
}

/// One section, in the order of the file.
pub(super) struct Section {
    pub(super) name: String,
    pub(super) settings: Vec<(String, String)>,
}

impl Section {
    /// The last setting of the name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter().rev();
        settings.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All sections of the text. One that comes twice is there twice.
pub(super) fn sections(text: &str, style: Style) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut joined = String::new();
    for line in text.lines() {
        let line = line.trim();
        let comment = line.starts_with('#') || style == Style::Systemd && line.starts_with(';');
        if comment || (line.is_empty() && joined.is_empty()) {
            continue;
        }
        match line.strip_suffix('\\') {
            Some(start) if style == Style::Systemd => {
                joined.push_str(start);
                joined.push(' ');
                continue;
            }
            _ => joined.push_str(line),
        }
        let line = std::mem::take(&mut joined);
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push(Section { name: name.to_owned(), settings: Vec::new() });
        } else if let Some((name, value)) = line.split_once('=')
            && let Some(section) = sections.last_mut()
        {
            let value = match style {
                Style::Systemd => value.trim().to_owned(),
                Style::Keyfile => unescaped(value.trim()),
            };
            section.settings.push((name.trim().to_owned(), value));
        }
    }
    sections
}

/// The value without the escapes that GLib's key files have.
fn unescaped(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('s') => plain.push(' '),
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some('\\') | None => plain.push('\\'),
                Some(other) => plain.extend(['\\', other]),
            },
            (other, false) => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing() {
        let text = "stray=1\n[A]\n# no\n;semi=x\nb=1 \\\n  2\nc = a\\sb\n[A]\nb=3\n";
        let systemd = sections(text, Style::Systemd);
        assert_eq!(systemd.len(), 2);
        assert_eq!(systemd[0].settings[0], ("b".into(), "1  2".into()));
        assert_eq!(systemd[0].get("c"), Some("a\\sb"));
        let keyfile = sections(text, Style::Keyfile);
        assert_eq!(keyfile[0].get(";semi"), Some("x"));
        assert_eq!(keyfile[0].get("c"), Some("a b"));
        assert_eq!(keyfile[1].get("b"), Some("3"));
        assert_eq!(keyfile[1].get("d"), None);
    }
}
