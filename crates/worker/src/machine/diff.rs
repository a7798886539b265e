//! The operation `diff`: what differs between two machines, or one and what it was.

use std::sync::Arc;

use fathom_jobs::Operation;
use serde_json::{Value, json};

use super::payload::{Fields, Options, Subject, Wrong};
use super::{Asked, GENERATOR, Tools, look};
use crate::handler::{Done, Handler, Running, Task, Trouble};

/// What is asked for.
pub(super) struct Request {
    before: Subject,
    after: Subject,
    deep: bool,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        let (before, after) = (fields.needed("before")?, fields.needed("after")?);
        Ok(Self {
            before: Subject::of(&before)?,
            after: Subject::of(&after)?,
            deep: Options::of(&fields)?.deep,
        })
    }

    pub(super) fn asked(self) -> Asked {
        self.before.asked().into_iter().chain(self.after.asked()).collect()
    }
}

/// The operation `diff`.
pub(super) struct Diff(pub(super) Arc<Tools>);

impl Handler for Diff {
    fn operation(&self) -> Operation {
        Operation::Diff
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.diff(task))
    }
}

impl Diff {
    async fn diff(&self, task: &Task) -> Result<Done, Trouble> {
        let Request { before, after, deep } = Request::of(&task.data).map_err(look::invalid)?;
        let side = |name: &'static str| {
            move |trouble: Trouble| Trouble {
                message: format!("{name}: {}", trouble.message),
                ..trouble
            }
        };
        let before = self.0.report(task, before, deep).await.map_err(side("before"))?;
        let after = self.0.report(task, after, deep).await.map_err(side("after"))?;
        task.progress("comparing", Some(95), "");
        let metrics = look::sum(before.1, after.1);
        let (before, after) = (before.0, after.0);
        let data = look::compute(move || {
            let difference = fathom_diff::compare(&before, &after, GENERATOR);
            Ok(json!({ "difference": difference }))
        });
        Ok(Done { data: data.await?, metrics, ..Done::default() })
    }
}
