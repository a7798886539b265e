//! YAML as a tree of bounded size.
//!
//! The parser gives events and copies nothing for an alias, so that it is here where a few lines that
//! stand for billions are refused: every copy counts against one budget.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// How deep lists and mappings are within each other. Configuration has some ten levels.
const MAX_DEPTH: usize = 64;

/// The most values, those that aliases repeat among them, and the most bytes that aliases repeat.
const MAX_VALUES: usize = 100_000;
const MAX_REPEATED: usize = 4 << 20;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Yaml {
    /// Anything that is one word or text; empty where nothing stands.
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

const NOTHING: &Yaml = &Yaml::Text(String::new());

impl Yaml {
    /// The value that the mapping has by this name, the last counting; nothing where it has none.
    pub(super) fn get(&self, name: &str) -> &Yaml {
        let found = match self {
            Self::Map(pairs) => pairs.iter().rev().find(|(key, _)| key == name),
            Self::Text(_) | Self::List(_) => None,
        };
        found.map_or(NOTHING, |(_, value)| value)
    }

    /// The pairs of a mapping.
    pub(super) fn pairs(&self) -> &[(String, Yaml)] {
        match self {
            Self::Map(pairs) => pairs,
            Self::Text(_) | Self::List(_) => &[],
        }
    }

    /// The values of a list; one value stands for a list of one.
    pub(super) fn items(&self) -> &[Yaml] {
        match self {
            Self::List(items) => items,
            Self::Text(text) if text.is_empty() => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The text, if there is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The texts of a list.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.items().iter().filter_map(Self::text)
    }

    /// Yes or no, in the words that YAML has had for it.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        }
    }

    /// Puts another value over this one: mappings are merged name by name, all else is replaced.
    pub(super) fn overlay(&mut self, over: Self) {
        match (self, over) {
            (Self::Map(ours), Self::Map(theirs)) => {
                let names = ours.iter().enumerate();
                let places: HashMap<String, usize> =
                    names.map(|(place, (name, _))| (name.clone(), place)).collect();
                for (name, value) in theirs {
                    match places.get(&name) {
                        Some(place) => ours[*place].1.overlay(value),
                        None => ours.push((name, value)),
                    }
                }
            }
            (ours, theirs) => *ours = theirs,
        }
    }

    fn weight(&self) -> (usize, usize) {
        let sum = |(values, bytes): (usize, usize), (more, longer): (usize, usize)| {
            (values.saturating_add(more), bytes.saturating_add(longer))
        };
        match self {
            Self::Text(text) => (1, text.len()),
            Self::List(items) => items.iter().map(Self::weight).fold((1, 0), sum),
            Self::Map(pairs) => pairs
                .iter()
                .map(|(key, value)| sum((1, key.len()), value.weight()))
                .fold((1, 0), sum),
        }
    }
}

/// A list or mapping that has not ended yet.
enum Open {
    List(Vec<Yaml>, usize),
    /// With the name whose value comes next.
    Map(Vec<(String, Yaml)>, Option<String>, usize),
}

/// The first document of the text; an error says what is wrong with it.
pub(super) fn first(text: &str) -> Result<Yaml, String> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Yaml> = HashMap::new();
    let (mut values, mut repeated) = (0_usize, 0_usize);
    while let Some(event) = parser.next_event() {
        let (event, _) = event.map_err(|error| error.to_string())?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "~" | "null" | "Null");
                let text = if null { String::new() } else { text.into_owned() };
                (Yaml::Text(text), anchor)
            }
            Event::Alias(anchor) => {
                // It may not stand within what it names.
                let Some(value) = anchors.get(&anchor) else {
                    return Err("an alias names nothing that has ended".to_owned());
                };
                let (more, bytes) = value.weight();
                values = values.saturating_add(more);
                repeated = repeated.saturating_add(bytes);
                if values > MAX_VALUES || repeated > MAX_REPEATED {
                    return Err("its aliases repeat more than a configuration holds".to_owned());
                }
                (value.clone(), 0)
            }
            Event::SequenceStart(anchor, _) => {
                open.push(Open::List(Vec::new(), anchor));
                check(open.len(), values)?;
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(Open::Map(Vec::new(), None, anchor));
                check(open.len(), values)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items, anchor)) => (Yaml::List(items), anchor),
                Some(Open::Map(pairs, _, anchor)) => (Yaml::Map(pairs), anchor),
                None => return Err("it ends what has not begun".to_owned()),
            },
            Event::DocumentEnd | Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        values = values.saturating_add(1);
        check(open.len(), values)?;
        if anchor != 0 {
            let (more, bytes) = value.weight();
            repeated = repeated.saturating_add(bytes);
            values = values.saturating_add(more);
            anchors.insert(anchor, value.clone());
        }
        match open.last_mut() {
            None => return Ok(value),
            Some(Open::List(items, _)) => items.push(value),
            Some(Open::Map(pairs, name, _)) => match (name.take(), value) {
                (Some(name), _) if name == "<<" => {
                    return Err("it merges one mapping into another (<<)".to_owned());
                }
                (Some(name), value) => pairs.push((name, value)),
                (None, Yaml::Text(text)) => *name = Some(text),
                (None, _) => return Err("a mapping has a name that is no text".to_owned()),
            },
        }
    }
    Ok(Yaml::Text(String::new()))
}

fn check(depth: usize, values: usize) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is more than {MAX_DEPTH} levels deep"));
    }
    if values > MAX_VALUES {
        return Err(format!("it has more than {MAX_VALUES} values"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values() {
        let text = "a: {b: [1, 'null', null, ~], c: yes}\nd: &x [2]\ne: *x\n---\nf: 3\n";
        let yaml = first(text).unwrap();
        assert_eq!(yaml.get("a").get("b").texts().collect::<Vec<_>>(), ["1", "null"]);
        assert_eq!(yaml.get("a").get("c").flag(), Some(true));
        assert_eq!(yaml.get("e").texts().collect::<Vec<_>>(), ["2"]);
        assert_eq!(yaml.get("f"), NOTHING);
        assert_eq!(first("").unwrap(), *NOTHING);
        assert_eq!(first("# only a comment").unwrap(), *NOTHING);
    }

    #[test]
    fn hostile_text_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb += &format!("a{level}: &a{level} [{inner}]\n");
        }
        assert!(first(&bomb).unwrap_err().contains("aliases"));
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 19), "*a, ".repeat(1000));
        assert!(first(&long).unwrap_err().contains("aliases"));
        for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
            assert!(first(&deep).is_err());
        }
        assert!(first(&"- a\n".repeat(200_000)).unwrap_err().contains("values"));
        assert!(first("a: &a [*a]").is_err());
        assert!(first("? [a]\n: b").is_err());
        assert!(first("a: b\n<<: {c: d}").is_err());
        assert!(first("\t- a: : b: [").is_err());
    }

    #[test]
    fn one_over_the_other() {
        let mut yaml = first("a: {b: 1, c: [1]}").unwrap();
        yaml.overlay(first("a: {c: [2], d: 3}\ne: 4").unwrap());
        assert_eq!(yaml, first("a: {b: 1, c: [2], d: 3}\ne: 4").unwrap());
    }
}
