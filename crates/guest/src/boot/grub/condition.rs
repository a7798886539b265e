//! `test` of GRUB: whether something holds, where that is known.

use super::evaluate::{Evaluator, Filled};
use crate::boot::HIDES;
use crate::boot::ground::Located;

/// How deep brackets and negations may lie in each other.
const MAX_DEPTH: usize = 32;

/// Whether the words hold.
pub(super) fn holds(evaluator: &Evaluator<'_>, words: &[Filled]) -> Option<bool> {
    let mut test = Test { evaluator, words, at: 0 };
    let holds = test.either(0);
    // What cannot be taken in whole is not understood.
    holds.filter(|_| test.at == words.len())
}

struct Test<'a, 'g> {
    evaluator: &'a Evaluator<'g>,
    words: &'a [Filled],
    at: usize,
}

impl Test<'_, '_> {
    fn is(&self, text: &str) -> bool {
        self.words.get(self.at).is_some_and(|word| word.text == text && word.unknown.is_none())
    }

    fn either(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.both(depth);
        while self.is("-o") {
            self.at += 1;
            let next = self.both(depth);
            holds = match (holds, next) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        holds
    }

    fn both(&mut self, depth: usize) -> Option<bool> {
        let mut holds = self.one(depth);
        while self.at < self.words.len() && !self.is("-o") && !self.is(")") {
            if self.is("-a") {
                self.at += 1;
            }
            let next = self.one(depth);
            holds = match (holds, next) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        holds
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        if depth > MAX_DEPTH {
            self.at = self.words.len() + 1;
            return None;
        }
        let Some(first) = self.words.get(self.at) else {
            return Some(false);
        };
        // An operator between two words comes before all else.
        if let Some(operator) = self.words.get(self.at + 1)
            && let Some(compare) = comparison(&operator.text)
            && let Some(second) = self.words.get(self.at + 2)
        {
            self.at += 3;
            return match (&first.unknown, &second.unknown) {
                (None, None) => Some(compare(&first.text, &second.text)),
                _ => None,
            };
        }
        if self.is("!") {
            self.at += 1;
            return self.one(depth + 1).map(|holds| !holds);
        }
        if self.is("(") {
            self.at += 1;
            let holds = self.either(depth + 1);
            if !self.is(")") {
                return None;
            }
            self.at += 1;
            return holds;
        }
        if first.unknown.is_none()
            && ["-n", "-z", "-e", "-f", "-s", "-d"].contains(&first.text.as_str())
            && let Some(operand) = self.words.get(self.at + 1)
        {
            self.at += 2;
            let text = operand.value().ok()?;
            return match first.text.as_str() {
                "-n" => Some(!text.is_empty()),
                "-z" => Some(text.is_empty()),
                operator => self.file(operator, &text),
            };
        }
        self.at += 1;
        first.value().ok().map(|text| !text.is_empty())
    }

    /// Whether there is such a file.
    fn file(&self, operator: &str, path: &str) -> Option<bool> {
        let ground = self.evaluator.ground;
        let (files, path) = match self.evaluator.locate(path).ok()? {
            Located::Here(path) => (ground.files, path),
            Located::Area(area, path) => (ground.areas[area].files, path),
            Located::Elsewhere(path) => return (!path.starts_with('(')).then_some(false),
        };
        let found = match files.found(&path, HIDES) {
            crate::files::Read::There(found) => found,
            crate::files::Read::Absent => return Some(false),
            crate::files::Read::Unread(_) => return None,
        };
        let metadata = found.metadata().ok()?;
        let is_directory = metadata.file_type == fathom_filesystem::FileType::Directory;
        Some(match operator {
            "-d" => is_directory,
            "-f" => !is_directory,
            "-s" => metadata.size > 0,
            _ => true,
        })
    }
}

fn comparison(operator: &str) -> Option<fn(&str, &str) -> bool> {
    fn number(text: &str) -> i64 {
        text.trim().parse().unwrap_or(0)
    }
    Some(match operator {
        "=" | "==" => |one, other| one == other,
        "!=" => |one, other| one != other,
        "<" => |one, other| one < other,
        "<=" => |one, other| one <= other,
        ">" => |one, other| one > other,
        ">=" => |one, other| one >= other,
        "-eq" => |one, other| number(one) == number(other),
        "-ne" => |one, other| number(one) != number(other),
        "-lt" => |one, other| number(one) < number(other),
        "-le" => |one, other| number(one) <= number(other),
        "-gt" => |one, other| number(one) > number(other),
        "-ge" => |one, other| number(one) >= number(other),
        _ => return None,
    })
}
