//! A rule, as its file says it.

use std::fmt;

use fathom_report::Severity;
use toml::{Table, Value};

use crate::fixture::Fixture;
use crate::language::{Expression, parse};
use crate::suggest::suggest;

/// The longest file of a rule.
pub(crate) const MAX_FILE: usize = 64 << 10;

/// The longest name of a rule.
const MAX_ID: usize = 64;

const KEYS: [&str; 8] =
    ["id", "title", "rationale", "severity", "reference", "applies", "check", "fixture"];

const SEVERITIES: [(&str, Severity); 4] = [
    ("critical", Severity::Critical),
    ("high", Severity::High),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
];

/// A check with its text.
#[derive(Clone, Debug)]
pub struct Check {
    /// As it is written, on one line.
    pub text: String,
    /// What it means.
    pub expression: Expression,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, as `sshd-no-root-password`.
    pub id: String,
    /// The profile that it belongs to.
    pub profile: String,
    /// What it asks.
    pub title: String,
    /// Why it matters, and what to do.
    pub rationale: String,
    /// How grave it is to fail it.
    pub severity: Severity,
    /// Where others say so.
    pub reference: Option<String>,
    /// Which systems it is about; all, if nothing is said.
    pub applies: Option<Check>,
    /// What holds of a system that passes.
    pub check: Check,
    /// Reports of which it is known what it comes to.
    pub fixtures: Vec<Fixture>,
}

/// What is wrong with the file of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, or the rule.
    pub place: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for RuleError {}

impl Rule {
    /// Reads the file of a rule, which is called by the rule's name.
    pub fn parse(profile: &str, name: &str, text: &str) -> Result<Self, RuleError> {
        let wrong = |why| RuleError { place: format!("{profile}/{name}.toml"), why };
        Self::read(profile, name, text).map_err(wrong)
    }

    fn read(profile: &str, name: &str, text: &str) -> Result<Self, String> {
        if text.len() > MAX_FILE {
            return Err(format!("a rule has at most {MAX_FILE} bytes"));
        }
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            // The rest of the message is a picture of the line.
            error.message().to_owned()
        })?;
        only(&table, &KEYS)?;
        let id = required(&mut table, "id")?;
        if id != name {
            return Err(format!("the rule is called {id:?}, so its file must be {id}.toml"));
        }
        check_id(&id)?;
        let severity = required(&mut table, "severity")?;
        let known = SEVERITIES.iter().find(|(word, _)| *word == severity);
        let (_, severity) = known.ok_or_else(|| {
            let words = SEVERITIES.map(|(word, _)| word);
            format!("there is no severity {severity:?}{}", suggest(&severity, words))
        })?;
        Ok(Self {
            title: required(&mut table, "title")?,
            rationale: one_line(&required(&mut table, "rationale")?),
            severity: *severity,
            reference: optional(&mut table, "reference")?,
            applies: optional(&mut table, "applies")?
                .map(|text| check("applies", &text))
                .transpose()?,
            check: check("check", &required(&mut table, "check")?)?,
            fixtures: fixtures(table.remove("fixture"))?,
            id,
            profile: profile.to_owned(),
        })
    }
}

/// Refuses keys that are not known.
pub(crate) fn only(table: &Table, known: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(format!("there is no key {key:?}{}", suggest(key, known.iter().copied()))),
    }
}

fn check_id(id: &str) -> Result<(), String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > MAX_ID || !id.chars().all(is_part) {
        return Err(format!("{id:?} is no name of a rule: small letters, digits and - make one"));
    }
    Ok(())
}

pub(crate) fn optional(table: &mut Table, key: &str) -> Result<Option<String>, String> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(format!("{key:?} must be a text that says something")),
    }
}

pub(crate) fn required(table: &mut Table, key: &str) -> Result<String, String> {
    optional(table, key)?.ok_or_else(|| format!("{key:?} is missing"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(key: &str, text: &str) -> Result<Check, String> {
    let expression = parse(text).map_err(|why| format!("{key}: {why}"))?;
    Ok(Check { text: one_line(text), expression })
}

fn fixtures(value: Option<Value>) -> Result<Vec<Fixture>, String> {
    match value {
        None => Ok(Vec::new()),
        Some(Value::Array(tables)) => tables.into_iter().map(Fixture::read).collect(),
        Some(_) => Err("\"fixture\" must be written as [[fixture]]".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
id = "x"
title = "X"
rationale = "Because."
severity = "low"
check = 'installed "x"'
"#;

    fn wrong(text: &str) -> String {
        Rule::parse("p", "x", text).unwrap_err().to_string()
    }

    #[test]
    fn a_rule_is_read() {
        let rule = Rule::parse("p", "x", GOOD).unwrap();
        assert_eq!((rule.severity, rule.applies.is_none()), (Severity::Low, true));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(wrong(&GOOD.replace("severity", "severty")).contains("did you mean \"severity\""));
        assert!(wrong(&GOOD.replace("\"low\"", "\"lo\"")).contains("did you mean \"low\""));
        assert!(wrong(&GOOD.replace("title = \"X\"", "")).contains("\"title\" is missing"));
        assert!(wrong(&GOOD.replace("\"X\"", "\" \"")).contains("title"));
        assert!(wrong(&GOOD.replace("id = \"x\"", "id = \"y\"")).contains("y.toml"));
        assert!(wrong(&GOOD.replace("installed", "installd")).starts_with("p/x.toml: check: "));
        assert!(wrong("id = ").starts_with("p/x.toml: "));
        assert!(Rule::parse("p", "X y", &GOOD.replace("id = \"x\"", "id = \"X y\"")).is_err());
    }

    #[test]
    fn hostile_files_are_refused_in_bounds() {
        assert!(wrong(&format!("{GOOD}#{}", "x".repeat(MAX_FILE))).contains("bytes"));
        // Nested deeper than a stack would bear.
        wrong(&format!("{GOOD}\na = {}", "[".repeat(30_000)));
        wrong(&format!("{GOOD}\na = {}1{}", "{b=".repeat(9_000), "}".repeat(9_000)));
        wrong(&format!("{GOOD}\n[{}]", vec!["a"; 20_000].join(".")));
    }
}
