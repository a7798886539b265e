//! Three values: it is so, it is not so, it cannot be told.

use crate::language::Operator;

/// How many places a verdict names.
const MAX_EVIDENCE: usize = 16;

/// The longest message; names in it are from a guest.
const MAX_MESSAGE: usize = 600;

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    Unknown,
}

/// Whether something is so, what was found, and where.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) truth: Truth,
    notes: Vec<String>,
    pub(crate) evidence: Vec<String>,
}

impl Verdict {
    pub(crate) fn new(truth: Truth, note: String) -> Self {
        Self { truth, notes: vec![note], evidence: Vec::new() }
    }

    pub(crate) fn unknown(why: String) -> Self {
        Self::new(Truth::Unknown, why)
    }

    pub(crate) fn with(mut self, evidence: Vec<String>) -> Self {
        for place in evidence {
            if self.evidence.len() < MAX_EVIDENCE && !self.evidence.contains(&place) {
                self.evidence.push(place);
            }
        }
        self
    }

    pub(crate) fn not(mut self) -> Self {
        self.truth = match self.truth {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
        };
        self
    }

    /// No if one is no; else unknown if one is unknown.
    pub(crate) fn all(verdicts: impl Iterator<Item = Self>) -> Self {
        Self::combine(verdicts, Truth::No, Truth::Yes)
    }

    /// Yes if one is yes; else unknown if one is unknown.
    pub(crate) fn any(verdicts: impl Iterator<Item = Self>) -> Self {
        Self::combine(verdicts, Truth::Yes, Truth::No)
    }

    /// What the verdicts come to, told by those that decide it.
    fn combine(verdicts: impl Iterator<Item = Self>, decides: Truth, otherwise: Truth) -> Self {
        let verdicts: Vec<_> = verdicts.collect();
        let there = |truth| verdicts.iter().any(|verdict| verdict.truth == truth);
        let truth =
            [decides, Truth::Unknown].into_iter().find(|it| there(*it)).unwrap_or(otherwise);
        let mut all = Self { truth, notes: Vec::new(), evidence: Vec::new() };
        for verdict in verdicts.into_iter().filter(|verdict| verdict.truth == truth) {
            for note in verdict.notes {
                if !all.notes.contains(&note) {
                    all.notes.push(note);
                }
            }
            all = all.with(verdict.evidence);
        }
        all
    }

    /// What was found, in words.
    pub(crate) fn message(&self) -> String {
        let mut message = self.notes.join("; ");
        shorten(&mut message, MAX_MESSAGE);
        message
    }
}

/// Cuts a text that is longer than `length` bytes off at a character.
pub(super) fn shorten(text: &mut String, length: usize) {
    if text.len() <= length {
        return;
    }
    let end = (0..=length).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text.push('…');
}

/// Whether a number that is at least and at most this compares so.
pub(super) fn of_range(least: i64, most: i64, operator: Operator, number: i64) -> Truth {
    let can_be_equal = (least..=most).contains(&number);
    let (for_all, for_some) = match operator {
        Operator::Equal => (can_be_equal && least == most, can_be_equal),
        Operator::NotEqual => (!can_be_equal, !can_be_equal || least != most),
        // These hold for all between if they hold for both ends.
        _ => {
            let (low, high) =
                (operator.holds(least.cmp(&number)), operator.holds(most.cmp(&number)));
            (low && high, low || high)
        }
    };
    match (for_all, for_some) {
        (true, _) => Truth::Yes,
        (false, true) => Truth::Unknown,
        (false, false) => Truth::No,
    }
}
