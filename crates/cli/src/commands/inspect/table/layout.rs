//! Lists as columns, as wide as the terminal is.
//!
//! Columns that hold nothing are left out. Where the rest is too wide, long text goes on below; then
//! columns that can be spared go, from the right, which is said; then the widest are made narrower still.

use std::io::{self, Write};

use fathom_document::view::{Column, List, Sink, Value, Weight};
use fathom_report::Coverage;
use unicode_width::UnicodeWidthStr as _;

use crate::terminal::{Paint, Style};
use crate::text::harmless;

/// How far the rows are set in.
const INDENT: usize = 2;

/// What stands between two columns.
const GAP: usize = 2;

/// The widest that a column may be where others are left out for want of room.
const LONG: usize = 40;

/// The narrowest that a column is made whose text goes on below.
const NARROW: usize = 14;

/// Lists as columns.
pub(super) struct Tables<'a> {
    style: Style,
    out: &'a mut dyn Write,
    title: &'static str,
    note: String,
    columns: &'static [Column],
    facts: bool,
    rows: Vec<Vec<Cell>>,
}

/// What stands in a row, harmless.
struct Cell {
    text: String,
    paint: Option<Paint>,
    absent: bool,
}

impl<'a> Tables<'a> {
    pub(super) fn new(style: Style, out: &'a mut dyn Write) -> Self {
        let (title, note) = ("", String::new());
        Self { style, out, title, note, columns: &[], facts: false, rows: Vec::new() }
    }

    /// Whether a column holds anything.
    fn holds(&self, index: usize) -> bool {
        self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.absent))
    }

    /// The names of the columns that there is no room for beside those that are shown. Of statements
    /// that is what they rest on, and known.
    fn spared(&self, shown: &[(usize, usize)]) -> Vec<&'static str> {
        let is_spared = |(index, column): &(usize, &Column)| {
            column.weight != Weight::Detail
                && self.holds(*index)
                && shown.iter().all(|(shown, _)| shown != index)
        };
        let columns = self.columns.iter().enumerate().filter(|_| !self.facts);
        columns.filter(is_spared).map(|(_, column)| column.name).collect()
    }

    /// Which columns are shown, and how wide.
    fn shown(&self) -> Vec<(usize, usize)> {
        let width = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| cell.text.width()).max().unwrap_or(0);
            let head = self.columns.get(index).filter(|_| !self.facts);
            head.map_or(0, |column| column.name.len()).max(widest)
        };
        let mut shown: Vec<(usize, usize)> = (self.columns.iter().enumerate())
            .filter(|(_, column)| column.weight != Weight::Detail)
            .filter(|(index, column)| column.weight == Weight::Key || self.holds(*index))
            .map(|(index, _)| (index, width(index)))
            .collect();
        let Some(limit) = self.style.width.filter(|limit| total(&shown) > *limit) else {
            return shown;
        };
        // Long text goes on below before a column is left out for it.
        let wanted = shown.clone();
        for (_, width) in &mut shown {
            *width = LONG.min(*width);
        }
        for weight in [Weight::Spare, Weight::Main] {
            while total(&shown) > limit {
                let is_spared = |(index, _): &(usize, usize)| {
                    self.columns.get(*index).is_some_and(|column| column.weight == weight)
                };
                match shown.iter().rposition(is_spared) {
                    Some(at) => drop(shown.remove(at)),
                    None => break,
                }
            }
        }
        while total(&shown) > limit {
            let excess = total(&shown) - limit;
            let Some((_, widest)) = shown.iter_mut().max_by_key(|(_, width)| *width) else { break };
            if *widest <= NARROW {
                break;
            }
            *widest = widest.saturating_sub(excess).max(NARROW);
        }
        let mut room = limit.saturating_sub(total(&shown));
        for (index, width) in &mut shown {
            let full = wanted.iter().find(|(wanted, _)| wanted == index);
            let more = full.map_or(0, |(_, full)| full.saturating_sub(*width)).min(room);
            *width += more;
            room -= more;
        }
        shown
    }

    fn write_row(&mut self, row: &[Cell], shown: &[(usize, usize)]) -> io::Result<()> {
        let lines: Vec<Vec<String>> = shown
            .iter()
            .map(|(index, width)| {
                row.get(*index).map_or_else(Vec::new, |cell| wrap(&cell.text, *width))
            })
            .collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(0);
        for number in 0..height {
            let mut line = " ".repeat(INDENT);
            // Blanks are written only when something follows them.
            let mut owed = 0;
            for (place, (index, width)) in shown.iter().enumerate() {
                let text = lines.get(place).and_then(|lines| lines.get(number));
                let text = text.map_or("", String::as_str);
                let fill = width.saturating_sub(text.width());
                let right = self.columns.get(*index).is_some_and(|column| column.number);
                owed += if right { fill } else { 0 };
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', owed));
                    owed = 0;
                    match row.get(*index).and_then(|cell| cell.paint) {
                        Some(paint) => line.push_str(&self.style.paint(paint, text)),
                        None => line.push_str(text),
                    }
                }
                owed += GAP + if right { 0 } else { fill };
            }
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}

/// How wide the columns are together.
fn total(shown: &[(usize, usize)]) -> usize {
    let widths: usize = shown.iter().map(|(_, width)| width).sum();
    INDENT + widths + GAP * shown.len().saturating_sub(1)
}

/// The text in lines of at most `width` columns, broken where words end, or anywhere if none does.
pub(in super::super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive([' ', ',', '/']) {
        let wide = word.trim_end().width();
        if used > 0 && used + wide > width {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if used + wide > width && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            if let (Some(line), true) = (lines.last_mut(), used > 0 || c != ' ') {
                line.push(c);
                used += wide;
            }
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// The colour that repeats what a word says.
fn paint_of(text: &str) -> Option<Paint> {
    match text {
        "Critical" | "critical" | "fail" | "EMPTY" => Some(Paint::Critical),
        "Warning" | "masked" => Some(Paint::Warning),
        "pass" | "enabled" => Some(Paint::Good),
        _ => None,
    }
}

impl Sink for Tables<'_> {
    fn begin(&mut self, list: &List<'_>) -> io::Result<()> {
        self.title = list.title;
        self.columns = list.columns;
        self.facts = list.facts;
        self.rows.clear();
        let reason = harmless(list.reason.unwrap_or("some could not be read"));
        self.note = match (list.coverage, list.reason) {
            (Coverage::Complete, None) => String::new(),
            (Coverage::Complete, Some(_)) => reason,
            (Coverage::Partial, _) => format!("not complete, there may be more: {reason}"),
            (Coverage::Unknown, _) => format!("unknown: {reason}"),
        };
        Ok(())
    }

    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        let cells = values.iter().enumerate().map(|(index, value)| {
            let text = harmless(&value.shown());
            let paint = match value {
                Value::Absent => Some(Paint::Faint),
                Value::Unknown(_) => Some(Paint::Warning),
                Value::Text(text) => match self.facts && index != 1 {
                    true => Some(Paint::Faint),
                    false => paint_of(text),
                },
                _ => None,
            };
            Cell { text, paint, absent: *value == Value::Absent }
        });
        let row = cells.collect();
        self.rows.push(row);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let title = self.style.paint(Paint::Heading, self.title);
        let count = match (self.facts, self.rows.len()) {
            (true, _) => String::new(),
            (false, 0) if !self.note.is_empty() => String::new(),
            (false, 0) => " none".to_owned(),
            (false, count) => format!(" {count}"),
        };
        let colon = if self.facts { "" } else { ":" };
        writeln!(self.out, "\n{title}{colon}{count}")?;
        if !self.note.is_empty() {
            let width = self.style.width.map_or(usize::MAX, |width| width - INDENT);
            for line in wrap(&self.note, width) {
                writeln!(self.out, "  {}", self.style.paint(Paint::Warning, &line))?;
            }
        }
        let shown = self.shown();
        let spared = self.spared(&shown);
        let rows = std::mem::take(&mut self.rows);
        if !self.facts && !rows.is_empty() {
            let heads: Vec<Cell> = self
                .columns
                .iter()
                .map(|column| Cell {
                    text: column.name.to_owned(),
                    paint: Some(Paint::Faint),
                    absent: false,
                })
                .collect();
            self.write_row(&heads, &shown)?;
        }
        rows.iter().try_for_each(|row| self.write_row(row, &shown))?;
        if spared.is_empty() {
            return Ok(());
        }
        let note = format!("no room here for: {}", spared.join(", "));
        for line in wrap(&note, self.style.width.map_or(usize::MAX, |it| it.saturating_sub(INDENT)))
        {
            writeln!(self.out, "  {}", self.style.paint(Paint::Faint, &line))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_goes_on_below_before_columns_are_left_out() {
        const COLUMNS: &[Column] = &[
            Column { name: "name", weight: Weight::Key, number: false },
            Column { name: "where", weight: Weight::Spare, number: false },
        ];
        let text = "a rather long text that goes on and on for more than forty columns";
        for (width, expected) in [
            (100, vec![(0, text.len()), (1, 10)]),
            (60, vec![(0, 46), (1, 10)]),
            (50, vec![(0, 48)]),
        ] {
            let mut out = Vec::new();
            let style = Style { width: Some(width), colour: false };
            let mut tables = Tables::new(style, &mut out);
            let (coverage, reason) = (Coverage::Complete, None);
            let list = List { title: "List", columns: COLUMNS, facts: false, coverage, reason };
            tables.begin(&list).unwrap();
            tables.row(&[Value::text(text), Value::text("/somewhere")]).unwrap();
            assert_eq!(tables.shown(), expected, "{width}");
            let is_spared = expected.len() < 2;
            tables.end().unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.contains("no room here for: where"), is_spared, "{text}");
        }
    }

    #[test]
    fn text_goes_on_below() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("a,b,c,d", 4), ["a,b,", "c,d"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
