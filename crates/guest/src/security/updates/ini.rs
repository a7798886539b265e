//! Files of sections in brackets and `name = value`.

/// A section.
pub(super) struct Section {
    pub(super) name: String,
    values: Vec<(String, String)>,
}

impl Section {
    /// The value, the last of the name counting.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().rev().find(|(its, _)| its.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// The sections in their order. Lines that begin with a blank go on with the value before.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            sections.push(Section { name: name.trim().to_owned(), values: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        match (line.starts_with([' ', '\t']), section.values.last_mut()) {
            (true, Some((_, value))) if !trimmed.contains('=') => {
                *value = format!("{value} {trimmed}").trim().to_owned();
            }
            _ => {
                let (name, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
                section.values.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_hold_their_values() {
        let found = sections("lost=1\n[a]\n# b=1\nx = 1\nX=2\ny=\n  http://z\n[b]\nx=3\n");
        let shown: Vec<_> =
            found.iter().map(|it| (it.name.as_str(), it.get("x"), it.get("y"))).collect();
        assert_eq!(shown, [("a", Some("2"), Some("http://z")), ("b", Some("3"), None)]);
    }
}
