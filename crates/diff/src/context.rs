//! What has been found to differ so far.

use fathom_report::{Change, ChangeKind, Fact, FieldChange, Incomparable, Part};
use serde_json::Value;

/// What has been found to differ so far, and of which system it is.
#[derive(Default)]
pub(crate) struct Context {
    pub(crate) system: Option<String>,
    pub(crate) changes: Vec<Change>,
    pub(crate) unknown: Vec<Incomparable>,
}

impl Context {
    /// Something differs.
    pub(crate) fn change(
        &mut self,
        part: Part,
        kind: ChangeKind,
        what: &str,
        name: &str,
        fields: Vec<FieldChange>,
    ) {
        self.changes.push(Change {
            part,
            system: self.system.clone(),
            kind,
            what: what.to_owned(),
            name: name.to_owned(),
            direction: None,
            fields,
            evidence_before: Vec::new(),
            evidence_after: Vec::new(),
        });
    }

    /// Something could not be compared: `before` and `after` say why not, where one is to blame.
    pub(crate) fn hidden(
        &mut self,
        part: Part,
        what: &str,
        before: Option<String>,
        after: Option<String>,
        mut names: Vec<String>,
    ) {
        names.sort_unstable();
        names.dedup();
        let (system, what) = (self.system.clone(), what.to_owned());
        self.unknown.push(Incomparable { part, system, what, before, after, names });
    }

    /// Compares a single statement.
    pub(crate) fn fact<T: PartialEq>(
        &mut self,
        part: Part,
        what: &str,
        (before, after): (&Fact<T>, &Fact<T>),
        show: impl Fn(&T) -> String,
    ) {
        let reason = |fact: &Fact<T>| match fact {
            Fact::Unknown { reason } => Some(reason.clone()),
            _ => None,
        };
        let (unread, unread_after) = (reason(before), reason(after));
        if unread.is_some() || unread_after.is_some() {
            return self.hidden(part, what, unread, unread_after, Vec::new());
        }
        if before.value() == after.value() {
            return;
        }
        let kind = match (before.value(), after.value()) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        let (was, is) = (before.value().map(&show), after.value().map(&show));
        let field = FieldChange { name: "value".to_owned(), before: was, after: is };
        self.change(part, kind, "setting", what, vec![field]);
        if let Some(change) = self.changes.last_mut() {
            change.evidence_before = evidence(before);
            change.evidence_after = evidence(after);
        }
    }
}

fn evidence<T>(fact: &Fact<T>) -> Vec<fathom_report::Evidence> {
    match fact {
        Fact::Known { evidence, .. } | Fact::Absent { evidence } => evidence.clone(),
        Fact::Unknown { .. } => Vec::new(),
    }
}

/// A value that is one of a few, by the name that documents give it.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
