//! Which settings there are, as the schema of the types tells it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::document::beneath;
use crate::environment::variable;
use crate::settings::Config;

/// What may stand somewhere.
#[derive(Debug)]
pub(crate) enum Shape {
    Table(BTreeMap<String, Part>),
    List(Box<Shape>),
    Leaf(Kind),
}

/// A key of a table.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) shape: Shape,
    /// Whether the table is none without it.
    pub(crate) required: bool,
    about: String,
    default: Value,
}

/// What one word or text must be.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Any text, or one of a format that [`crate::value`] knows.
    Text(Option<String>),
    Boolean,
    Integer(i128, i128),
    Number(f64, f64),
    Choice(Vec<String>),
    Secret,
}

/// A setting that stands for itself: a value, or a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// As `transport.config.url`.
    pub path: String,
    /// The environment variable that sets it.
    pub variable: String,
    /// What it is.
    pub about: String,
    /// What it is where nobody sets it. Those in the data folder go with that.
    pub default: Value,
    /// Whether it is never shown.
    pub secret: bool,
    /// The words that it may be, where there are few.
    pub choices: Vec<String>,
}

/// The JSON Schema of the file.
pub fn schema() -> Value {
    schemars::schema_for!(Config).to_value()
}

/// Every setting, in the order of the paths.
pub fn settings() -> Vec<Setting> {
    let mut found = Vec::new();
    if let Shape::Table(parts) = root() {
        list(parts, "", &mut found);
    }
    found
}

fn list(parts: &BTreeMap<String, Part>, path: &str, found: &mut Vec<Setting>) {
    for (key, part) in parts {
        let path = beneath(path, key);
        if let Shape::Table(parts) = &part.shape {
            list(parts, &path, found);
            continue;
        }
        let choices = match &part.shape {
            Shape::Leaf(Kind::Choice(choices)) => choices.clone(),
            _ => Vec::new(),
        };
        found.push(Setting {
            variable: variable(&path),
            about: part.about.clone(),
            default: part.default.clone(),
            secret: part.shape.is_secret(),
            choices,
            path,
        });
    }
}

impl Shape {
    /// What stands at the path; nothing where no setting of this name is.
    pub(crate) fn at(&self, path: &str) -> Option<&Shape> {
        path.split('.').try_fold(self, |shape, key| match shape {
            Self::Table(parts) => parts.get(key).map(|part| &part.shape),
            Self::List(_) | Self::Leaf(_) => None,
        })
    }

    /// Whether it is a secret, or a list of them.
    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Leaf(kind) => matches!(kind, Kind::Secret),
            Self::List(inner) => inner.is_secret(),
            Self::Table(_) => false,
        }
    }
}

/// The shape of the whole file.
pub(crate) fn root() -> &'static Shape {
    static ROOT: OnceLock<Shape> = OnceLock::new();
    ROOT.get_or_init(|| {
        let schema = schema();
        shape(&schema, &schema)
    })
}

/// Follows references, and takes what is optional as what it is where it is there.
fn resolved<'s>(root: &'s Value, rule: &'s Value) -> &'s Value {
    if let Some(reference) = rule.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#'));
        return target.map_or(rule, |target| resolved(root, target));
    }
    let null = |rule: &Value| rule.get("type").is_some_and(|name| name == "null");
    match rule.get("anyOf").and_then(Value::as_array) {
        Some(rules) if rules.iter().any(null) => match rules.iter().find(|rule| !null(rule)) {
            Some(inner) => resolved(root, inner),
            None => rule,
        },
        _ => rule,
    }
}

fn shape(root: &Value, rule: &Value) -> Shape {
    let rule = resolved(root, rule);
    let is = |name: &str| match rule.get("type") {
        Some(Value::Array(names)) => names.iter().any(|inner| inner == name),
        Some(only) => only == name,
        None => false,
    };
    if rule.get("writeOnly").is_some() {
        return Shape::Leaf(Kind::Secret);
    }
    if let Some(choices) = choices(rule) {
        return Shape::Leaf(Kind::Choice(choices));
    }
    if let Some(properties) = rule.get("properties").and_then(Value::as_object) {
        let required = rule.get("required").and_then(Value::as_array);
        let parts = properties.iter().map(|(key, inner)| {
            let required = required.is_some_and(|names| names.iter().any(|name| name == key));
            let about = inner.get("description").and_then(Value::as_str).unwrap_or_default();
            let default = inner.get("default").cloned().unwrap_or_default();
            let part = Part { shape: shape(root, inner), required, about: about.into(), default };
            (key.clone(), part)
        });
        return Shape::Table(parts.collect());
    }
    if is("array") {
        let items = rule.get("items").map_or(Shape::Leaf(Kind::Text(None)), |i| shape(root, i));
        return Shape::List(Box::new(items));
    }
    let bound = |name: &str| rule.get(name).and_then(Value::as_f64);
    Shape::Leaf(if is("boolean") {
        Kind::Boolean
    } else if is("integer") {
        // What is written in the file is a number of JSON, so no larger than this.
        let least = bound("minimum").map_or(i128::from(i64::MIN), |least| least as i128);
        let width = match rule.get("format").and_then(Value::as_str) {
            Some("uint32") => i128::from(u32::MAX),
            _ => i128::from(i64::MAX),
        };
        Kind::Integer(least, bound("maximum").map_or(width, |most| most as i128))
    } else if is("number") {
        Kind::Number(
            bound("minimum").unwrap_or(f64::NEG_INFINITY),
            bound("maximum").unwrap_or(f64::INFINITY),
        )
    } else {
        Kind::Text(rule.get("format").and_then(Value::as_str).map(str::to_owned))
    })
}

/// The words of a choice: a list of them, or each with a description of its own.
fn choices(rule: &Value) -> Option<Vec<String>> {
    if let Some(words) = rule.get("enum").and_then(Value::as_array) {
        return words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
    }
    let rules = rule.get("oneOf").and_then(Value::as_array)?;
    let word = |rule: &Value| rule.get("const").and_then(Value::as_str).map(str::to_owned);
    rules.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_found_with_its_kind() {
        let kind = |path: &str| match root().at(path) {
            Some(Shape::Leaf(kind)) => format!("{kind:?}"),
            Some(Shape::List(inner)) => format!("List({inner:?})"),
            other => panic!("{path}: {other:?}"),
        };
        for (path, expected) in [
            ("server.listen", "Text(Some(\"address\"))"),
            ("server.request_timeout", "Text(Some(\"duration\"))"),
            ("server.body_limit", "Text(Some(\"size\"))"),
            ("server.page_limit", "Integer(1, 4294967295)"),
            ("server.tls.key", "Text(None)"),
            ("server.trusted_proxies", "List(Leaf(Text(Some(\"network\"))))"),
            ("store.url", "Secret"),
            ("store.retention.jobs", "Text(Some(\"duration\"))"),
            ("transport.config.durable", "Boolean"),
            ("transport.config.password", "Secret"),
            ("transport.config.urls", "List(Leaf(Secret))"),
            ("transport.config.prefetch", "Integer(0, 65535)"),
            ("security.mode", "Choice([\"restricted\", \"standard\", \"unrestricted\"])"),
            ("metrics.listen", "Text(Some(\"ip\"))"),
            ("tracing.sample_ratio", "Number(0.0, 1.0)"),
            ("transport.config.max_length", "Integer(1, 9223372036854775807)"),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
        assert!(root().at("transport.config.nothing").is_none());
        assert!(settings().iter().all(|setting| !setting.about.is_empty()));
    }

    #[test]
    fn no_two_settings_have_the_same_variable() {
        let mut names = std::collections::HashSet::new();
        for setting in settings() {
            assert!(names.insert(setting.variable.clone()), "{}", setting.variable);
            if setting.secret {
                assert!(names.insert(format!("{}_FILE", setting.variable)));
            }
        }
        assert!(names.len() > 80);
    }
}
