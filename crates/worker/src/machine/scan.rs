//! The operation `scan`: what is known to be wrong with a machine.

use std::sync::Arc;

use fathom_jobs::Operation;
use serde_json::{Value, json};

use super::kept::Machine;
use super::payload::{Fields, Options, Subject, Wrong};
use super::{Asked, Tools, look};
use crate::handler::{Done, Handler, Running, Task, Trouble};

/// What is asked for.
pub(super) struct Request {
    pub(super) subject: Subject,
    /// Who it is that is looked at; nobody where only a report is given.
    machine: Option<Machine>,
    pub(super) options: Options,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        let subject = Subject::of(&fields)?;
        let machine = match &subject {
            Subject::Images(_, images) => Some(Machine::of(&fields, images)?),
            Subject::Report(_) => None,
        };
        Ok(Self { subject, machine, options: Options::of(&fields)? })
    }

    pub(super) fn asked(self) -> Asked {
        self.subject.asked().into_iter().collect()
    }
}

/// The operation `scan`.
pub(super) struct Scan(pub(super) Arc<Tools>);

impl Handler for Scan {
    fn operation(&self) -> Operation {
        Operation::Scan
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.scan(task))
    }
}

impl Scan {
    async fn scan(&self, task: &Task) -> Result<Done, Trouble> {
        let Request { subject, machine, options } =
            Request::of(&task.data).map_err(look::invalid)?;
        let judge = self.0.judge(&task.namespace).await?;
        let (report, metrics) = self.0.report(task, subject, options.deep).await?;
        let report = Arc::new(report);
        task.progress("matching", Some(95), "");
        let of = Arc::clone(&report);
        let tools = Arc::clone(&self.0);
        let judged = look::compute(move || {
            let (findings, verdict) = tools.judged(&judge, &of)?;
            Ok((json!({ "findings": findings }), verdict))
        });
        let (mut data, verdict) = judged.await?;
        if let Some(machine) = machine
            && let Some(kept) = self.0.keep(task, machine, report, Some(verdict)).await?
        {
            data["machine"] = kept;
        }
        Ok(Done { data, metrics, ..Done::default() })
    }
}
