//! Small reports of which it is known what a rule comes to.
//!
//! A fixture names only what matters: everything else is unknown, so that nothing passes by chance. It
//! is written shorter than a report: a value where there is a statement means that it is known,
//! `{ unknown = "why" }` and `{ absent = true }` the others; an array where there is a list means all of
//! it, `{ partial = […] }` a part, `{ found = […] }` what lay in the usual folders; a text where there is
//! an item gives its name; and a table where there is a list of settings gives names and values.

use fathom_report::{Listing, Outcome, Report, SCHEMA, Storage};
use serde_json::{Map, Value, json};

use crate::apply::apply;
use crate::language::{ALIASES, Shape};
use crate::rule::{Rule, RuleError, only, optional, required};
use crate::suggest::suggest;
use fathom_report::Day;

/// The day that fixtures live on.
const TODAY: &str = "2026-01-01";

/// How deeply a fixture is nested.
const MAX_DEPTH: usize = 24;

/// What a property that names an item may be called.
const NAMES: [&str; 5] = ["name", "path", "id", "device", "version"];

const OUTCOMES: [(&str, Outcome); 4] = [
    ("pass", Outcome::Pass),
    ("fail", Outcome::Fail),
    ("unknown", Outcome::Unknown),
    ("not-applicable", Outcome::NotApplicable),
];

/// A report of which it is known what the rule comes to.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// What the rule comes to.
    pub outcome: Outcome,
    /// What it is about, if that is said.
    pub note: Option<String>,
    /// The system, as it is written.
    system: Value,
}

impl Fixture {
    pub(crate) fn read(value: toml::Value) -> Result<Self, String> {
        let toml::Value::Table(mut table) = value else {
            return Err("\"fixture\" must be written as [[fixture]]".to_owned());
        };
        only(&table, &["outcome", "note", "system"])?;
        let word = required(&mut table, "outcome")?;
        let known = OUTCOMES.iter().find(|(name, _)| *name == word);
        let (_, outcome) = known.ok_or_else(|| {
            format!(
                "there is no outcome {word:?}{}",
                suggest(&word, OUTCOMES.map(|(name, _)| name))
            )
        })?;
        let note = optional(&mut table, "note")?;
        let system = table.remove("system").unwrap_or(toml::Value::Table(toml::Table::new()));
        Ok(Self { outcome: *outcome, note, system: from_toml(system, MAX_DEPTH)? })
    }

    /// The report that it stands for.
    pub fn report(&self) -> Result<Report, String> {
        let shape = Shape::system();
        let mut system = fill(&shape, MAX_DEPTH)?;
        for (name, value) in self.system.as_object().into_iter().flatten() {
            let way = match ALIASES.iter().find(|(alias, _)| alias == name) {
                Some((_, way)) => way.to_vec(),
                None => vec![name.as_str()],
            };
            put(&mut system, &shape, &way, value)?;
        }
        let mut part = |name: &str| system.as_object_mut().and_then(|it| it.remove(name));
        let concerns = part("concerns").unwrap_or_else(|| json!(unsaid()));
        let undecided = part("undecided").unwrap_or_else(|| json!([]));
        let storage = part("storage").unwrap_or_else(|| json!(Storage::default()));
        let read = |error: serde_json::Error| format!("it makes no report: {error}");
        Ok(Report {
            schema: SCHEMA.to_owned(),
            generator: String::new(),
            disks: Vec::new(),
            systems: vec![serde_json::from_value(system).map_err(read)?],
            storage: serde_json::from_value(storage).map_err(read)?,
            concerns: serde_json::from_value(concerns).map_err(read)?,
            undecided: serde_json::from_value(undecided).map_err(read)?,
            profiles: Vec::new(),
            problems: Vec::new(),
        })
    }
}

/// Runs the fixtures of a rule. The first that comes to something else than it says is an error.
pub fn run(rule: &Rule) -> Result<usize, RuleError> {
    for (number, fixture) in (1..).zip(&rule.fixtures) {
        let place = format!("{}/{}.toml: fixture {number}", rule.profile, rule.id);
        let wrong = |why| RuleError { place: place.clone(), why };
        let report = fixture.report().map_err(wrong)?;
        let today = Day::parse(TODAY).ok_or_else(|| wrong(format!("{TODAY} is no day")))?;
        let profiles = apply(&rule.profile, &[rule], &report, today);
        for result in profiles.iter().flat_map(|profile| &profile.results) {
            if result.outcome != fixture.outcome {
                let (wanted, is) = (fixture.outcome, result.outcome);
                return Err(wrong(format!("{is:?} instead of {wanted:?}: {}", result.message)));
            }
        }
    }
    Ok(rule.fixtures.len())
}

fn unsaid() -> Listing<fathom_report::Concern> {
    Listing::unknown("the fixture does not say")
}

fn unknown(why: &str) -> Value {
    json!({ "state": "unknown", "reason": why })
}

/// Puts a value where a way leads. What lies on the way and is unknown so far becomes known.
fn put(target: &mut Value, shape: &Shape, way: &[&str], value: &Value) -> Result<(), String> {
    let Some((name, rest)) = way.split_first() else {
        return Ok(());
    };
    let node = shape.raw_property(name).ok_or_else(|| shape.no_such(name))?;
    let inner = shape.property(name).ok_or_else(|| shape.no_such(name))?;
    if rest.is_empty() {
        // Several keys may say something of one part.
        let is_part = !is_statement(node) && !inner.is_list() && target[*name].is_object();
        if let (true, Value::Object(object)) = (is_part, value) {
            for (key, value) in object {
                put(&mut target[*name], &inner, &[key], value)?;
            }
            return Ok(());
        }
        let made = make(node, value, MAX_DEPTH)?;
        target[*name] = made;
        return Ok(());
    }
    let is_statement = is_statement(node);
    let mut object = match &target[*name] {
        Value::Object(there) if !is_statement => Value::Object(there.clone()),
        Value::Object(there) if there.contains_key("value") => there["value"].clone(),
        _ => fill(&inner, MAX_DEPTH)?,
    };
    put(&mut object, &inner, rest, value)?;
    target[*name] = if is_statement { known(object) } else { object };
    Ok(())
}

fn known(value: Value) -> Value {
    json!({ "state": "known", "value": value, "evidence": ["fixture"] })
}

/// What the schema refers to: the statement, list or value itself.
fn behind(mut node: &'static Value) -> &'static Value {
    while let Some(next) = crate::language::referred(node) {
        node = next;
    }
    node
}

fn is_statement(node: &'static Value) -> bool {
    crate::language::known_value(behind(node)).is_some()
}

/// Something of which nothing is said: statements and lists are unknown, optional properties missing.
fn fill(shape: &Shape, depth: usize) -> Result<Value, String> {
    let deeper = depth.checked_sub(1).ok_or("the report is nested too deeply")?;
    let mut object = Map::new();
    let required = shape.node()["required"].as_array();
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        if let Some(node) = shape.raw_property(name) {
            object.insert(name.to_owned(), blank(node, deeper)?);
        }
    }
    Ok(Value::Object(object))
}

fn blank(node: &'static Value, depth: usize) -> Result<Value, String> {
    let node = behind(node);
    if is_statement(node) {
        return Ok(unknown("the fixture does not say"));
    }
    let shape = Shape::new(node);
    if node["properties"].get("coverage").is_some() {
        return Ok(json!(unsaid()));
    }
    if let Some(words) = shape.words() {
        return Ok(words.first().map_or(Value::Null, |word| json!(word)));
    }
    match node["type"].as_str() {
        Some("object") => fill(&shape, depth),
        Some("array") => Ok(json!([])),
        Some("string") => Ok(json!("")),
        Some("integer") => Ok(json!(0)),
        Some("boolean") => Ok(json!(false)),
        _ => Ok(Value::Null),
    }
}

/// What a fixture says, as the report would.
fn make(node: &'static Value, value: &Value, depth: usize) -> Result<Value, String> {
    let deeper = depth.checked_sub(1).ok_or("the fixture is nested too deeply")?;
    let node = behind(node);
    let word = |name: &str| match value {
        Value::Object(object) if object.len() == 1 => object.get(name),
        _ => None,
    };
    if let Some(inner) = crate::language::known_value(node) {
        return Ok(match (word("unknown"), word("absent")) {
            (Some(why), _) => unknown(why.as_str().unwrap_or_default()),
            (_, Some(_)) => json!({ "state": "absent", "evidence": ["fixture"] }),
            _ => known(make(inner, value, deeper)?),
        });
    }
    let shape = Shape::new(node);
    if let Some(item) = shape.item() {
        let is_listing = node["type"] != "array";
        if let Some(why) = word("unknown").filter(|_| is_listing) {
            return Ok(
                json!({ "coverage": "unknown", "reason": why, "evidence": [], "items": [] }),
            );
        }
        let part = |name: &str| word(name).filter(|_| is_listing);
        let (coverage, reason, items) = match (part("partial"), part("found")) {
            (Some(part), _) => ("partial", Some("the fixture says that there may be more"), part),
            (None, Some(found)) => ("partial", Some(fathom_report::USUAL_FOLDERS_ALONE), found),
            (None, None) => ("complete", None, value),
        };
        let items = items_of(&item, items, deeper)?;
        if !is_listing {
            return Ok(json!(items));
        }
        return Ok(
            json!({ "coverage": coverage, "reason": reason, "evidence": ["fixture"], "items": items }),
        );
    }
    match value {
        Value::Object(object) => {
            let mut made = fill(&shape, deeper)?;
            for (name, value) in object {
                let node = shape.raw_property(name).ok_or_else(|| shape.no_such(name))?;
                made[name] = make(node, value, deeper)?;
            }
            Ok(made)
        }
        Value::String(_) if node["type"] == "object" => {
            let name = NAMES.iter().find(|name| shape.has(name));
            let name = name.ok_or_else(|| format!("{value} is no item: it needs a table"))?;
            let mut made = fill(&shape, deeper)?;
            made[*name] = value.clone();
            Ok(made)
        }
        other => Ok(other.clone()),
    }
}

fn items_of(item: &Shape, value: &Value, depth: usize) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => items.iter().map(|value| make(item.node(), value, depth)).collect(),
        Value::Object(settings) if item.has("value") && item.has("name") => {
            let setting =
                |(name, value): (&String, &Value)| json!({ "name": name, "value": value });
            Ok(settings.iter().map(setting).collect())
        }
        other => Err(format!("{other} is no list")),
    }
}

fn from_toml(value: toml::Value, depth: usize) -> Result<Value, String> {
    let deeper = depth.checked_sub(1).ok_or("a fixture is nested too deeply")?;
    Ok(match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Boolean(flag) => json!(flag),
        toml::Value::Float(_) | toml::Value::Datetime(_) => {
            return Err("in a report there are no fractions, and times are texts".to_owned());
        }
        toml::Value::Array(items) => {
            let items: Result<_, _> = items.into_iter().map(|it| from_toml(it, deeper)).collect();
            Value::Array(items?)
        }
        toml::Value::Table(table) => {
            let mut object = Map::new();
            for (name, value) in table {
                object.insert(name, from_toml(value, deeper)?);
            }
            Value::Object(object)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(fixture: &str) -> Result<usize, String> {
        let text = format!(
            "id = \"x\"\ntitle = \"t\"\nrationale = \"r\"\nseverity = \"low\"\n\
             check = 'installed \"a\" or sshd[\"b\"] = \"c\"'\n[[fixture]]\n{fixture}"
        );
        let rule = Rule::parse("p", "x", &text).map_err(|error| error.to_string())?;
        run(&rule).map_err(|error| error.to_string())
    }

    #[test]
    fn fixtures_are_short_for_reports() {
        for fixture in [
            "outcome = \"pass\"\nsystem.packages = [\"a\"]",
            "outcome = \"pass\"\nsystem.sshd = { b = \"c\" }",
            "outcome = \"pass\"\nsystem.security.sshd.settings = [{ name = \"b\", value = \"c\" }]",
            "outcome = \"fail\"\nsystem.packages = []\nsystem.security.sshd = { absent = true }",
            "outcome = \"unknown\"\nsystem.packages = { partial = [] }\nsystem.sshd = {}",
            "outcome = \"unknown\"",
        ] {
            assert_eq!(rule(fixture), Ok(1), "{fixture}");
        }
    }

    #[test]
    fn a_fixture_that_is_wrong_is_told() {
        let wrong = |fixture| rule(fixture).unwrap_err();
        assert!(
            wrong("outcome = \"pass\"\nsystem.packages = [\"b\"]")
                .contains("Unknown instead of Pass")
        );
        assert!(
            wrong("outcome = \"fail\"\nsystem.packages = [\"a\"]").contains("Pass instead of Fail")
        );
        assert!(
            wrong("outcome = \"pass\"\nsystem.packges = []").contains("did you mean \"packages\"")
        );
        assert!(wrong("outcome = \"pass\"\nsystem.packages = [{ nam = 1 }]").contains("\"name\""));
        assert!(
            wrong("outcome = \"pass\"\nsystem.packages = [{ name = 1 }]")
                .contains("makes no report")
        );
        assert!(wrong("outcome = \"passes\"").contains("did you mean \"pass\""));
        assert!(wrong("outcome = \"pass\"\nsystem.x = 1.5").contains("fractions"));
    }
}
