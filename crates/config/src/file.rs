//! Settings in the file, held to the shape of what may stand there.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::document::{Content, Entry, MAX_PROBLEMS, Node, Place, beneath};
use crate::environment::Environment;
use crate::leaf;
use crate::problem::{Origin, Problem, clipped};
use crate::secret;
use crate::shape::{Kind, Part, Shape};
use crate::suggest::closest;

/// What was set so far, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) settings: BTreeMap<String, (Value, Origin)>,
    pub(crate) problems: Vec<Problem>,
    /// Whether a secret stands in the file itself.
    pub(crate) inline_secret: bool,
    pub(crate) warnings: Vec<Problem>,
}

impl Gathered {
    pub(crate) fn set(&mut self, path: &str, value: Value, origin: Origin) {
        self.settings.insert(path.to_owned(), (value, origin));
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

/// Where in a document something stands, as an origin.
type At<'a> = dyn Fn(Place) -> Origin + 'a;

/// Takes every setting of a table, and of the tables in it.
pub(crate) fn gather(
    parts: &BTreeMap<String, Part>,
    entries: &[Entry],
    path: &str,
    at: &At<'_>,
    environment: &Environment,
    gathered: &mut Gathered,
) {
    for entry in entries {
        let Some(part) = known(parts, entry, path, at, gathered) else { continue };
        let path = beneath(path, &entry.key);
        match (&part.shape, &entry.value.content) {
            (_, Content::Nothing) => {}
            (Shape::Table(parts), Content::Table(entries)) => {
                gather(parts, entries, &path, at, environment, gathered);
            }
            (shape, _) => {
                if let Some(value) = take(shape, &entry.value, &path, at, environment, gathered) {
                    gathered.set(&path, value, at(entry.value.place));
                }
            }
        }
    }
}

/// The part of this key; a problem with what was likely meant where there is none.
fn known<'p>(
    parts: &'p BTreeMap<String, Part>,
    entry: &Entry,
    path: &str,
    at: &At<'_>,
    gathered: &mut Gathered,
) -> Option<&'p Part> {
    let part = parts.get(&entry.key);
    if part.is_none() {
        let meant = closest(&entry.key, parts.keys().map(String::as_str));
        let meant = meant
            .map_or_else(String::new, |meant| format!("; did you mean {}?", beneath(path, meant)));
        let why = format!("there is no such setting{meant}");
        gathered.problem(Problem::new(beneath(path, &entry.key), at(entry.place), why));
    }
    part
}

/// The value of this shape that stands there; a problem where it is none.
pub(crate) fn take(
    shape: &Shape,
    node: &Node,
    path: &str,
    at: &At<'_>,
    environment: &Environment,
    gathered: &mut Gathered,
) -> Option<Value> {
    let wrong = |gathered: &mut Gathered, why: &str| {
        gathered.problem(Problem::new(path, at(node.place), why));
        None
    };
    match (shape, &node.content) {
        (Shape::Leaf(Kind::Secret), _) => match resolve(node, path, at, environment, gathered) {
            Ok(text) if text.is_empty() => wrong(gathered, "it is empty"),
            Ok(text) => Some(Value::String(text)),
            Err(why) => wrong(gathered, &why),
        },
        (_, Content::Nothing) => wrong(gathered, "nothing stands here"),
        (Shape::Leaf(kind), Content::Text(text)) => match leaf::value(kind, text) {
            Ok(value) => Some(value),
            Err(why) => wrong(gathered, &why),
        },
        (Shape::Leaf(_), Content::List(_)) => wrong(gathered, "one value stands here, not a list"),
        (Shape::Leaf(_), Content::Table(_)) => {
            wrong(gathered, "one value stands here, not a group")
        }
        (Shape::List(inner), Content::List(items)) => {
            let mut values = Vec::new();
            let before = gathered.problems.len();
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                values.extend(take(inner, item, &path, at, environment, gathered));
            }
            (gathered.problems.len() == before).then_some(Value::Array(values))
        }
        (Shape::List(_), _) => wrong(gathered, "a list stands here"),
        (Shape::Table(parts), Content::Table(entries)) => {
            let mut values = Map::new();
            let before = gathered.problems.len();
            for entry in entries {
                let Some(part) = known(parts, entry, path, at, gathered) else { continue };
                if matches!(entry.value.content, Content::Nothing) {
                    continue;
                }
                let path = beneath(path, &entry.key);
                let value = take(&part.shape, &entry.value, &path, at, environment, gathered);
                values.extend(value.map(|value| (entry.key.clone(), value)));
            }
            for (key, part) in parts {
                if part.required && !entries.iter().any(|entry| entry.key == *key) {
                    let why = format!("{key} is missing");
                    gathered.problem(Problem::new(path, at(node.place), why));
                }
            }
            (gathered.problems.len() == before).then_some(Value::Object(values))
        }
        (Shape::Table(_), _) => wrong(gathered, "a group of settings stands here"),
    }
}

/// The text of a secret, wherever it lies.
fn resolve(
    node: &Node,
    path: &str,
    at: &At<'_>,
    environment: &Environment,
    gathered: &mut Gathered,
) -> Result<String, String> {
    let how = "a secret is a text, or {file: PATH}, or {env: NAME}";
    match &node.content {
        Content::Text(text) => {
            gathered.inline_secret = true;
            Ok(text.trim_end_matches(['\n', '\r']).to_owned())
        }
        Content::Table(entries) => match entries.as_slice() {
            [Entry { key, value: Node { content: Content::Text(place), .. }, .. }] => {
                match key.as_str() {
                    "file" => {
                        let (text, warning) = secret::of_file(place)?;
                        let warning = warning.map(|why| Problem::new(path, at(node.place), why));
                        gathered.warnings.extend(warning);
                        Ok(text)
                    }
                    "env" => secret::of_variable(place, environment),
                    key => Err(match closest(key, ["file", "env"]) {
                        Some(meant) => {
                            format!("there is no {}; did you mean {meant}?", clipped(key))
                        }
                        None => how.to_owned(),
                    }),
                }
            }
            _ => Err(how.to_owned()),
        },
        Content::Nothing | Content::List(_) => Err(how.to_owned()),
    }
}
