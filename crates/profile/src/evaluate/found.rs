//! The way through the document of a system, which knows what it does not know.

use fathom_report::{NAMED_FILES_ALONE, USUAL_FOLDERS_ALONE};
use serde_json::{Map, Value};

use super::truth::shorten;
use crate::language::{Path, Step};

/// The longest name that is shown.
const MAX_LABEL: usize = 80;

/// What stands at the end of a path.
pub(super) enum Found<'v> {
    There(&'v Value, Vec<String>),
    Absent(Vec<String>),
    Unknown(String),
}

/// A list, and why it may not be all.
pub(super) struct List<'v> {
    pub(super) items: &'v [Value],
    pub(super) incomplete: Option<String>,
    /// How far was looked for what it holds, where nothing beyond that is asked.
    pub(super) how_far: Option<String>,
    pub(super) evidence: Vec<String>,
}

/// Follows the path from `scope` on.
pub(super) fn resolve<'v>(scope: &'v Value, path: &Path) -> Found<'v> {
    let mut at = scope;
    let mut evidence = Vec::new();
    for step in &path.0 {
        at = match open(at, &mut evidence) {
            Ok(value) => value,
            Err(other) => return other,
        };
        at = match step {
            Step::Field(name) => match at.get(name) {
                Some(Value::Null) | None => return Found::Absent(evidence),
                Some(value) => value,
            },
            Step::Setting(name) => match setting(at, name) {
                Ok(Some(setting)) => {
                    evidence.extend(evidence_of(setting));
                    &setting["value"]
                }
                Ok(None) => return Found::Absent(evidence),
                Err(why) => return Found::Unknown(why),
            },
        };
    }
    match open(at, &mut evidence) {
        Ok(value) => Found::There(value, evidence),
        Err(other) => other,
    }
}

/// What is behind a statement; anything else as it is.
fn open<'v>(value: &'v Value, evidence: &mut Vec<String>) -> Result<&'v Value, Found<'v>> {
    let Some((state, object)) = statement(value) else { return Ok(value) };
    evidence.extend(evidence_of(value));
    match state {
        "known" => Ok(&object["value"]),
        "absent" => Err(Found::Absent(std::mem::take(evidence))),
        _ => Err(Found::Unknown(reason(object))),
    }
}

/// The state of a statement, if it is one. An item may have a property `state` of its own; it then has
/// others besides.
fn statement(value: &Value) -> Option<(&str, &Map<String, Value>)> {
    let object = value.as_object()?;
    let state = object.get("state")?.as_str()?;
    let needed = match state {
        "known" => "value",
        "absent" => "evidence",
        "unknown" => "reason",
        _ => return None,
    };
    let only = ["state", "value", "evidence", "reason"];
    let is = object.contains_key(needed) && object.keys().all(|key| only.contains(&&**key));
    is.then_some((state, object))
}

fn reason(object: &Map<String, Value>) -> String {
    let reason = object.get("reason").and_then(Value::as_str);
    reason.unwrap_or("it could not be looked").to_owned()
}

/// The setting of this name: the last, where there are several. Of a list that is not complete none is
/// known: what is missing could be what counts. A list that does not say whether it is complete holds
/// the defaults as far as they are known, so that what is not in it is not known either.
fn setting<'v>(value: &'v Value, name: &str) -> Result<Option<&'v Value>, String> {
    let list = as_list(value)?;
    if let Some(why) = list.incomplete {
        return Err(why);
    }
    match list.items.iter().rev().find(|item| item["name"] == name) {
        None if value.is_array() => Err(format!("nothing says what {name:?} is, nor its default")),
        setting => Ok(setting),
    }
}

/// The list at the end of the path; why not, where it is unknown.
pub(super) fn list<'v>(scope: &'v Value, path: &Path) -> Result<List<'v>, String> {
    match resolve(scope, path) {
        Found::There(value, evidence) => {
            let mut list = as_list(value)?;
            list.evidence.extend(evidence);
            Ok(list)
        }
        Found::Absent(evidence) => {
            Ok(List { items: &[], incomplete: None, how_far: None, evidence })
        }
        Found::Unknown(why) => Err(why),
    }
}

/// The same of a list that is all of what was looked for, if nothing else is missing in it.
pub(super) fn list_as_looked_for<'v>(scope: &'v Value, path: &Path) -> Result<List<'v>, String> {
    let mut list = list(scope, path)?;
    let is_as_looked_for =
        |why: &mut String| [USUAL_FOLDERS_ALONE, NAMED_FILES_ALONE].contains(&&**why);
    list.how_far = list.incomplete.take_if(is_as_looked_for);
    Ok(list)
}

fn as_list(value: &Value) -> Result<List<'_>, String> {
    let object = match value {
        Value::Array(items) => {
            return Ok(List { items, incomplete: None, how_far: None, evidence: Vec::new() });
        }
        Value::Object(object) => object,
        _ => return Err("it is no list".to_owned()),
    };
    let items = object.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let incomplete = match object.get("coverage").and_then(Value::as_str) {
        Some("complete") => None,
        Some("partial") => Some(reason(object)),
        _ => return Err(reason(object)),
    };
    Ok(List { items, incomplete, how_far: None, evidence: evidence_of(value) })
}

/// Where it says so.
pub(super) fn evidence_of(value: &Value) -> Vec<String> {
    match value.get("evidence") {
        Some(Value::String(place)) => vec![place.clone()],
        Some(Value::Array(places)) => {
            places.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// What something goes by in a message.
pub(super) fn label(value: &Value) -> String {
    const NAMES: [&str; 9] =
        ["name", "path", "id", "version", "subject", "system", "kind", "device", "message"];
    let mut text = match value {
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            let named = NAMES.iter().find_map(|name| object.get(*name)?.as_str());
            named.map_or_else(|| "something".to_owned(), str::to_owned)
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().take(8).map(label).collect();
            items.join(", ")
        }
        other => other.to_string(),
    };
    shorten(&mut text, MAX_LABEL);
    if text.is_empty() { "\"\"".to_owned() } else { text }
}
