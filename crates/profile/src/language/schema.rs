//! What there is in a report, by its own schema: names in rules are held to it.

use std::sync::LazyLock;

use serde_json::Value;

use super::{Literal, Path, Step};
use crate::suggest::suggest;

/// Short names for what rules often ask, and the ways that they stand for.
pub(crate) const ALIASES: [(&str, &[&str]); 16] = [
    ("sshd", &["security", "sshd", "settings"]),
    ("sysctl", &["security", "kernel_parameters"]),
    ("password_policy", &["security", "password_policy"]),
    ("settings", &["security", "settings"]),
    ("set_id", &["security", "set_id"]),
    ("world_writable", &["security", "world_writable"]),
    ("certificates", &["security", "certificates"]),
    ("mandatory_access", &["security", "mandatory_access"]),
    ("accounts", &["users", "accounts"]),
    ("groups", &["users", "groups"]),
    ("sudo", &["users", "sudo"]),
    ("kernels", &["boot", "kernels"]),
    ("drivers", &["boot", "drivers"]),
    ("interfaces", &["network", "interfaces"]),
    ("firewalls", &["network", "firewalls"]),
    ("volumes", &["storage", "volumes"]),
];

/// What of the whole report a rule sees besides the system.
pub(crate) const OF_REPORT: [&str; 3] = ["concerns", "undecided", "storage"];

/// How often a schema refers on.
const MAX_REFERENCES: usize = 16;

static SCHEMA: LazyLock<Value> = LazyLock::new(fathom_report::schema);

static FINDINGS: LazyLock<Value> = LazyLock::new(fathom_report::finding::schema);

/// What something in the report looks like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Its schema; nothing where anything may be.
    node: &'static Value,
    system: bool,
}

impl Shape {
    /// A system, and what of the report a rule sees besides.
    pub(crate) fn system() -> Self {
        Self { node: &SCHEMA["$defs"]["System"], system: true }
    }

    /// A finding.
    pub(crate) fn finding() -> Self {
        Self::new(&FINDINGS["$defs"]["Finding"])
    }

    /// What looks as this schema says.
    pub(crate) fn new(node: &'static Value) -> Self {
        Self { node, system: false }
    }

    pub(crate) fn anything() -> Self {
        Self { node: &Value::Null, system: false }
    }

    pub(crate) fn is_system(&self) -> bool {
        self.system
    }

    fn of(node: &'static Value) -> Self {
        Self { node: value_of(node), system: false }
    }

    /// Its schema.
    pub(crate) fn node(&self) -> &'static Value {
        self.node
    }

    /// The names of its properties.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let properties = self.node["properties"].as_object();
        let mut names: Vec<_> = properties.into_iter().flatten().map(|(name, _)| &**name).collect();
        if self.system {
            names.extend(OF_REPORT);
        }
        names
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// The property of a name, behind a statement about it if there is one.
    pub(crate) fn property(&self, name: &str) -> Option<Self> {
        self.raw_property(name).map(Self::of)
    }

    /// The schema of a property as it is.
    pub(crate) fn raw_property(&self, name: &str) -> Option<&'static Value> {
        let of_report = self.system && OF_REPORT.contains(&name);
        let node = if of_report { &*SCHEMA } else { self.node };
        node["properties"].get(name)
    }

    /// Where a step leads.
    pub(crate) fn step(&self, step: &Step) -> Result<Self, String> {
        match step {
            Step::Field(name) => self.property(name).ok_or_else(|| self.no_such(name)),
            Step::Setting(name) => {
                let item = self.item().filter(|item| item.has("name") && item.has("value"));
                let item = item.ok_or_else(|| format!("[{name:?}] needs a list of settings"))?;
                item.property("value").ok_or_else(|| item.no_such("value"))
            }
        }
    }

    /// That there is nothing of this name.
    pub(crate) fn no_such(&self, name: &str) -> String {
        let mut known = self.names();
        if self.system {
            known.extend(ALIASES.iter().map(|(alias, _)| *alias));
        }
        if known.is_empty() {
            return format!("there is no {name:?} here: this has no properties");
        }
        format!("the report has no {name:?} here{}", suggest(name, known))
    }

    pub(crate) fn is_list(&self) -> bool {
        self.item().is_some()
    }

    /// What an item of the list is, if it is one.
    pub(crate) fn item(&self) -> Option<Self> {
        let items = match &self.node["properties"] {
            Value::Object(properties) if properties.contains_key("coverage") => {
                properties.get("items")?.get("items")?
            }
            _ if self.node["type"] == "array" => self.node.get("items")?,
            _ => return None,
        };
        Some(Self::of(items))
    }

    /// The words that it can be, where these are fixed.
    pub(crate) fn words(&self) -> Option<Vec<&'static str>> {
        if let Some(words) = self.node["enum"].as_array() {
            return words.iter().map(Value::as_str).collect();
        }
        self.node["oneOf"].as_array()?.iter().map(|variant| variant["const"].as_str()).collect()
    }

    /// Whether it can be compared with the value at all.
    pub(crate) fn check(&self, path: &Path, literal: &Literal) -> Result<(), String> {
        if self.node["type"] == "object" {
            let known = self.names().join(", ");
            return Err(format!("{path} is no single value: it has {known}"));
        }
        let is = |kind: &str| match &self.node["type"] {
            Value::Array(kinds) => kinds.iter().any(|it| it == kind),
            it => it == kind,
        };
        match literal {
            Literal::Flag(_) if !is("boolean") => Err(format!("{path} is no true or false")),
            Literal::Text(text) => match self.words() {
                Some(words) if !words.contains(&text.as_str()) => {
                    Err(format!("{path} is never {text:?}{}", suggest(text, words)))
                }
                _ if is("boolean") || is("integer") => {
                    Err(format!("{path} is no text, so {text:?} stands without quotes"))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The schema of the value itself: behind references, behind "or nothing", and behind a statement that
/// it is known.
fn value_of(mut node: &'static Value) -> &'static Value {
    for _ in 0..MAX_REFERENCES {
        if let Some(next) = referred(node) {
            node = next;
        } else if let Some(value) = known_value(node) {
            node = value;
        } else {
            break;
        }
    }
    node
}

/// What the schema refers to, or is besides being nothing.
pub(crate) fn referred(node: &'static Value) -> Option<&'static Value> {
    if let Some(name) = node["$ref"].as_str() {
        let pointer = name.trim_start_matches('#');
        // What both have goes by the same name in both, and is the same.
        return SCHEMA.pointer(pointer).or_else(|| FINDINGS.pointer(pointer));
    }
    let choices = node["anyOf"].as_array()?;
    choices.iter().find(|choice| choice["type"] != "null")
}

/// The schema of the value of a statement, if this is one.
pub(crate) fn known_value(node: &'static Value) -> Option<&'static Value> {
    let variants = node["oneOf"].as_array()?;
    let known = variants.iter().find(|it| it["properties"]["state"]["const"] == "known")?;
    known["properties"].get("value")
}
