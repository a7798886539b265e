//! What an expression of PromQL asks for.

use std::collections::{BTreeMap, BTreeSet};

/// Words that are no metrics, and stand before no bracket.
const WORDS: [&str; 10] =
    ["sum", "max", "min", "avg", "count", "and", "or", "unless", "offset", "bool"];
/// Words before a list of labels.
const GROUPS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// What an expression asks for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Query {
    /// Metrics, each with the labels that it is chosen by.
    pub(crate) metrics: BTreeMap<String, BTreeSet<String>>,
    /// Labels that it is grouped by.
    pub(crate) grouped: BTreeSet<String>,
}

impl Query {
    pub(crate) fn read(expression: &str) -> Self {
        let mut query = Self::default();
        let mut rest = expression;
        while let Some(c) = rest.chars().next() {
            if c == '"' {
                rest = behind_text(rest);
            } else if c == '[' {
                rest = rest.split_once(']').unwrap().1;
            } else if c.is_ascii_digit() {
                rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
            } else if is_name(c) {
                let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap_or(rest.len())];
                rest = rest[name.len()..].trim_start();
                if GROUPS.contains(&name) {
                    let (labels, behind) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
                    let labels = labels.split(',').map(str::trim).filter(|label| !label.is_empty());
                    query.grouped.extend(labels.map(str::to_owned));
                    rest = behind;
                } else if !WORDS.contains(&name) && !rest.starts_with('(') {
                    let labels = query.metrics.entry(name.to_owned()).or_default();
                    rest = chosen(rest, labels);
                }
            } else {
                rest = &rest[c.len_utf8()..];
            }
        }
        query
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

/// What stands behind a text.
fn behind_text(text: &str) -> &str {
    let (text, behind) = text[1..].split_once('"').unwrap();
    assert!(!text.contains('\\'), "nothing is escaped so far: {text}");
    behind
}

/// The labels between braces, and what stands behind them.
fn chosen<'t>(text: &'t str, labels: &mut BTreeSet<String>) -> &'t str {
    let Some(mut rest) = text.strip_prefix('{') else { return text };
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        if let Some(behind) = rest.strip_prefix('}') {
            return behind;
        }
        let name = &rest[..rest.find(|c: char| !is_name(c)).unwrap()];
        labels.insert(name.to_owned());
        rest = behind_text(rest[name.len()..].trim_start_matches(['=', '!', '~', ' ']));
    }
}

#[test]
fn expressions_are_taken_apart() {
    let query = Query::read(
        "histogram_quantile(0.9, sum by (le, route) (rate(a_bucket{i=~\".*}\", j!=\"(\"}[5m]))) > 1e3 \
         and on () max(b) / ignoring (c) d{} or vector(0)",
    );
    let names =
        |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let expected = Query {
        metrics: BTreeMap::from([
            ("a_bucket".to_owned(), names(&["i", "j"])),
            ("b".to_owned(), names(&[])),
            ("d".to_owned(), names(&[])),
        ]),
        grouped: names(&["le", "route", "c"]),
    };
    assert_eq!(query, expected);
}
