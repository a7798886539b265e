//! Answers, and how they are found in lists that may not be complete.

use fathom_report::{Coverage, Evidence, Fact, Listing};

/// How many things one message names.
const NAMED: usize = 8;

/// Whether there is a concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// There is.
    Yes {
        /// What it is about on this machine, and what to do.
        message: String,
        /// What it rests on.
        evidence: Vec<Evidence>,
    },
    /// There is none.
    No,
    /// It cannot be told, and this is why.
    Unknown(String),
}

/// What was found in lists.
#[derive(Debug, Default)]
pub(super) struct Search {
    found: Vec<String>,
    evidence: Vec<Evidence>,
    incomplete: Option<String>,
}

impl Search {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// What `name` makes of the items that it is looked for. Of an item that cannot be judged it gives
    /// an error.
    pub(super) fn of<T>(
        mut self,
        list: &Listing<T>,
        name: impl Fn(&T) -> Result<Option<(String, Vec<Evidence>)>, String>,
    ) -> Self {
        for item in &list.items {
            match name(item) {
                Ok(Some((name, evidence))) => self = self.with(name, evidence),
                Ok(None) => {}
                Err(why) => self = self.unsure(why),
            }
        }
        if list.coverage != Coverage::Complete {
            let why = list.reason.clone();
            self = self.unsure(why.unwrap_or_else(|| "the list is not complete".to_owned()));
        }
        self
    }

    /// Something that was found.
    pub(super) fn with(mut self, name: String, evidence: Vec<Evidence>) -> Self {
        if !self.found.contains(&name) {
            self.found.push(name);
            if self.found.len() <= NAMED {
                self.evidence.extend(evidence);
            }
        }
        self
    }

    /// There may be more, for this reason.
    pub(super) fn unsure(mut self, why: String) -> Self {
        self.incomplete.get_or_insert(why);
        self
    }

    /// Whether something was found; an error where that cannot be told.
    pub(super) fn any(&self) -> Result<bool, String> {
        match (&self.incomplete, self.found.is_empty()) {
            (_, false) => Ok(true),
            (Some(why), true) => Err(why.clone()),
            (None, true) => Ok(false),
        }
    }

    /// There is a concern if something was found, and this is what to do.
    pub(super) fn answer(self, what: &str, advice: &str) -> Answer {
        match self.any() {
            Ok(true) => {
                let message = format!("{what}: {}. {advice}", self.names());
                Answer::Yes { message, evidence: self.evidence }
            }
            Ok(false) => Answer::No,
            Err(why) => Answer::Unknown(why),
        }
    }

    /// There is a concern if nothing was found.
    pub(super) fn answer_if_none(self, message: &str, evidence: &[Evidence]) -> Answer {
        match self.any() {
            Ok(true) => Answer::No,
            Ok(false) => Answer::Yes { message: message.to_owned(), evidence: evidence.to_vec() },
            Err(why) => Answer::Unknown(why),
        }
    }

    fn names(&self) -> String {
        let mut names: Vec<_> = self.found.iter().take(NAMED).cloned().collect();
        if self.found.len() > NAMED {
            names.push(format!("{} more", self.found.len() - NAMED));
        }
        names.join(", ")
    }
}

/// The value if it is known, nothing if it is known not to be there.
pub(super) fn known<T>(fact: &Fact<T>) -> Result<Option<&T>, String> {
    match fact {
        Fact::Known { value, .. } => Ok(Some(value)),
        Fact::Absent { .. } => Ok(None),
        Fact::Unknown { reason } => Err(reason.clone()),
    }
}

/// Where a statement stands.
pub(super) fn evidence_of<T>(fact: &Fact<T>) -> Vec<Evidence> {
    match fact {
        Fact::Known { evidence, .. } | Fact::Absent { evidence } => evidence.clone(),
        Fact::Unknown { .. } => Vec::new(),
    }
}

/// Takes an error for an answer that cannot be given.
pub(super) fn or_unknown(answer: Result<Answer, String>) -> Answer {
    answer.unwrap_or_else(Answer::Unknown)
}
