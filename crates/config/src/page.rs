//! The page of the documentation: how settings are made, an example, and every setting.

use std::fmt::Write as _;

use serde_json::Value;

use crate::shape::{schema, settings};

/// What is written by hand. `{settings}` and `{example}` are filled in.
const TEXT: &str = include_str!("page.md");

/// The example that the page shows, and that a test loads.
pub(crate) const EXAMPLE: &str = include_str!("example.yaml");

/// `docs/configuration.md`.
pub fn page() -> String {
    let schema = schema();
    let about = |group: &str| {
        let about = schema["properties"][group]["description"].as_str();
        about.unwrap_or_default().to_owned()
    };
    let mut list = String::new();
    let mut last = String::new();
    for setting in settings() {
        let group = setting.path.split('.').next().unwrap_or_default();
        if group != last {
            let _ = writeln!(list, "\n### {group}\n");
            // A setting that is no group says it in its row.
            if group != setting.path {
                let _ = writeln!(list, "{}\n", about(group));
            }
            list.push_str("| setting | meaning | default | variable |\n|---|---|---|---|\n");
            last = group.to_owned();
        }
        let default = match &setting.default {
            Value::Null => String::new(),
            Value::Array(items) if items.is_empty() => String::new(),
            // These go with the data folder.
            Value::String(text) if text.contains("/var/lib/fathom") => String::new(),
            Value::String(text) => format!("`{text}`"),
            value => format!("`{value}`"),
        };
        let mut about = setting.about.split_whitespace().collect::<Vec<_>>().join(" ");
        if !setting.choices.is_empty() {
            let _ = write!(about, " One of `{}`.", setting.choices.join("`, `"));
        }
        if setting.secret {
            about.push_str(" A secret.");
        }
        let about = about.replace('|', "\\|");
        let _ =
            writeln!(list, "| `{}` | {about} | {default} | `{}` |", setting.path, setting.variable);
    }
    TEXT.replace("{settings}", list.trim()).replace("{example}", EXAMPLE.trim_end())
}
