//! The file as a tree in which everything knows its place.
//!
//! The parser gives events and keeps nothing. What a file of settings has no use for is refused:
//! anchors and aliases (with which a few lines stand for billions), merge keys, tags, several
//! documents, keys that are no texts. Scalars stay the text that stands there: what it is to be is
//! for whoever takes it.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::problem::{clipped, quoted};

/// How deep lists and tables are within each other. Ours are five levels deep.
const MAX_DEPTH: usize = 32;

/// How many values there are at most.
const MAX_VALUES: usize = 50_000;

/// How many problems are told at most: who has more has another file in their hands.
pub(crate) const MAX_PROBLEMS: usize = 100;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// A value and where it stands.
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    /// Nothing, or one of the words for it.
    Nothing,
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table and its value.
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Node,
}

/// What is wrong, and where.
pub(crate) type Objection = (Place, String);

/// A list or table that has not ended yet.
struct Open {
    place: Place,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Table { entries: Vec<Entry>, key: Option<(String, Place)>, seen: HashMap<String, usize> },
}

/// The one document of the text. Where the text is no YAML, or holds what is not taken, there is none.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<Objection>) {
    let mut objections = Vec::new();
    match tree(text, &mut objections) {
        Ok(node) => (Some(node), objections),
        Err(objection) => {
            objections.push(objection);
            (None, objections)
        }
    }
}

fn tree(text: &str, objections: &mut Vec<Objection>) -> Result<Node, Objection> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    let (mut values, mut documents) = (0_usize, 0_usize);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            (Place::from(*error.marker()), format!("this is no YAML: {}", error.info()))
        })?;
        let place = Place::from(span.start);
        let refuse = |why: &str| Err((place, why.to_owned()));
        let node = match event {
            Event::Alias(_) => return refuse("aliases are not taken; write out what is meant"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor != 0 =>
            {
                return refuse("anchors are not taken; write out what is meant");
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return refuse("tags are not taken"),
            Event::Scalar(text, style, ..) => {
                let nothing = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let content = match nothing && style == ScalarStyle::Plain {
                    true => Content::Nothing,
                    false => Content::Text(text.into_owned()),
                };
                Node { place, content }
            }
            Event::SequenceStart(..) => {
                open.push(Open { place, kind: Kind::List(Vec::new()) });
                check(open.len(), values, place)?;
                continue;
            }
            Event::MappingStart(..) => {
                let kind = Kind::Table { entries: Vec::new(), key: None, seen: HashMap::new() };
                open.push(Open { place, kind });
                check(open.len(), values, place)?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open { place, kind: Kind::List(items) }) => {
                    Node { place, content: Content::List(items) }
                }
                Some(Open { place, kind: Kind::Table { entries, .. } }) => {
                    Node { place, content: Content::Table(entries) }
                }
                None => return refuse("it ends what has not begun"),
            },
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    return refuse("a second document begins here; there is one a file");
                }
                continue;
            }
            Event::StreamEnd => break,
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => continue,
        };
        values += 1;
        check(open.len(), values, place)?;
        match open.last_mut() {
            None => whole = Some(node),
            Some(Open { kind: Kind::List(items), .. }) => items.push(node),
            Some(Open { kind: Kind::Table { entries, key, seen }, .. }) => match key.take() {
                Some((key, place)) => entries.push(Entry { key, place, value: node }),
                None => {
                    let Content::Text(name) = node.content else {
                        return refuse("a key must be a text");
                    };
                    if name == "<<" {
                        return refuse("one table is not merged into another (<<); write it out");
                    }
                    if let Some(line) = seen.insert(name.clone(), place.line)
                        && objections.len() < MAX_PROBLEMS
                    {
                        let shown = quoted(&name);
                        let why = format!("{shown} stands here again; it is on line {line}");
                        objections.push((place, why));
                    }
                    *key = Some((name, place));
                }
            },
        }
    }
    Ok(whole.unwrap_or(Node { place: Place::default(), content: Content::Nothing }))
}

fn check(depth: usize, values: usize, place: Place) -> Result<(), Objection> {
    if depth > MAX_DEPTH {
        return Err((place, format!("this is more than {MAX_DEPTH} levels deep")));
    }
    if values > MAX_VALUES {
        return Err((place, format!("there are more than {MAX_VALUES} values")));
    }
    Ok(())
}

/// The path of a key beneath another path.
pub(crate) fn beneath(path: &str, key: &str) -> String {
    let key = clipped(key);
    if path.is_empty() { key } else { format!("{path}.{key}") }
}
