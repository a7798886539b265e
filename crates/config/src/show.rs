//! The settings as they came to be, with secrets masked.

use serde_json::{Map, Value, json};

use crate::load::Loaded;
use crate::shape::{Shape, root};

impl Loaded {
    /// The settings as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(&self.config).unwrap_or_default()
    }

    /// The settings as JSON, and of each where it has its value from.
    pub fn to_json_with_origins(&self) -> Value {
        let origins = crate::settings().into_iter().map(|setting| {
            let origin = self.origin(&setting.path).to_string();
            (setting.path, Value::String(origin))
        });
        json!({ "settings": self.to_json(), "origins": Value::Object(origins.collect()) })
    }

    /// The settings as YAML; with a comment on each that says where it has its value from, if asked
    /// for.
    pub fn to_yaml(&self, origins: bool) -> String {
        let mut text = String::new();
        if let (Value::Object(table), Shape::Table(_)) = (self.to_json(), root()) {
            self.table(&table, "", 0, origins, &mut text);
        }
        text
    }

    fn table(
        &self,
        table: &Map<String, Value>,
        path: &str,
        depth: usize,
        origins: bool,
        text: &mut String,
    ) {
        for (key, value) in table {
            let path = crate::document::beneath(path, key);
            indent(depth, text);
            text.push_str(key);
            text.push(':');
            if let (Some(Shape::Table(_)), Value::Object(inner)) = (root().at(&path), value) {
                text.push('\n');
                self.table(inner, &path, depth + 1, origins, text);
                continue;
            }
            let comment = match origins {
                true => format!("  # {}", self.origin(&path)).replace(char::is_control, " "),
                false => String::new(),
            };
            match value {
                Value::Array(items) if !items.is_empty() => {
                    text.push_str(&comment);
                    text.push('\n');
                    for item in items {
                        list_item(item, depth + 1, text);
                    }
                }
                value => {
                    text.push(' ');
                    text.push_str(&scalar(value));
                    text.push_str(&comment);
                    text.push('\n');
                }
            }
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}

fn list_item(item: &Value, depth: usize, text: &mut String) {
    indent(depth, text);
    text.push_str("- ");
    match item {
        Value::Object(table) if !table.is_empty() => {
            for (index, (key, value)) in table.iter().enumerate() {
                if index > 0 {
                    indent(depth + 1, text);
                }
                text.push_str(&format!("{key}: {}\n", scalar(value)));
            }
        }
        value => {
            text.push_str(&scalar(value));
            text.push('\n');
        }
    }
}

/// A value on one line. What stands in quotes in JSON does in YAML, and means the same.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        // YAML reads neither of them as JSON does: both would end the line.
        value => value.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"),
    }
}

/// Whether the text means itself without quotes, to old readers of YAML too.
fn is_plain(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let first =
        text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-:%@".contains(&byte));
    let meant = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&&*word);
    // A number, one of base sixty, or a day.
    let number = text.bytes().all(|byte| byte.is_ascii_digit() || b"._-:e".contains(&byte))
        || text.parse::<f64>().is_ok()
        || word.starts_with("0x")
        || word.starts_with("0o");
    first && rest && !meant && !number && !text.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_misread_is_quoted() {
        for text in
            ["fathom.jobs", "127.0.0.1:8080", "30s", "/metrics", "sqlite:///a.db", "::1/128"]
        {
            let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
            let number = text == "127.0.0.1:8080";
            assert_eq!(is_plain(text), plain && !number, "{text}");
        }
        for text in [
            "", "true", "No", "12", "1.5", "1e3", "0x10", "12:30", "a: b", "a #b", "***", "-a",
            "a:",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
