//! The operation `inspect`: what a machine is and what is on it.

use std::sync::Arc;

use fathom_jobs::Operation;
use serde_json::{Value, json};

use super::kept::Machine;
use super::payload::{Fields, Options, Subject, Wrong};
use super::{Asked, Tools, look, profile, sections};
use crate::handler::{Done, Handler, Running, Task, Trouble};
use crate::image::Image;

/// What is asked for.
pub(super) struct Request {
    field: String,
    images: Vec<Image>,
    machine: Machine,
    options: Options,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        let (field, images) = Subject::images(&fields)?;
        let machine = Machine::of(&fields, &images)?;
        Ok(Self { field, images, machine, options: Options::of(&fields)? })
    }

    pub(super) fn asked(self) -> Asked {
        vec![(self.field, self.images)]
    }
}

/// The operation `inspect`.
pub(super) struct Inspect(pub(super) Arc<Tools>);

impl Handler for Inspect {
    fn operation(&self) -> Operation {
        Operation::Inspect
    }

    fn run<'a>(&'a self, task: &'a Task) -> Running<'a> {
        Box::pin(self.inspect(task))
    }
}

impl Inspect {
    async fn inspect(&self, task: &Task) -> Result<Done, Trouble> {
        let Request { images, machine, options, .. } =
            Request::of(&task.data).map_err(look::invalid)?;
        // That there is none is said before all the work.
        let judge = match options.vulnerabilities {
            true => Some(self.0.judge(&task.namespace).await?),
            false => None,
        };
        let seen = look::machine(task, &self.0.images, images, options.deep).await;
        let seen = seen.map_err(|trouble| without(trouble, &options))?;
        task.progress("finishing", Some(95), "");
        let metrics = Some(seen.metrics);
        let report = Arc::new(seen.report);
        let of = Arc::clone(&report);
        let tools = Arc::clone(&self.0);
        let told = look::compute(move || {
            let mut data = json!({});
            let mut verdict = None;
            if let Some(judge) = judge {
                let (findings, of) = tools.judged(&judge, &of)?;
                data["findings"] = json!(findings);
                verdict = Some(of);
            }
            if !options.profiles.is_empty() {
                data["profiles"] = json!(profile::apply(&of, &options.profiles)?);
            }
            data["report"] = json!(of);
            sections::leave_out(&mut data["report"], &options.left_out);
            if !options.left_out.is_empty() {
                let names: Vec<_> = options.left_out.iter().map(|it| it.name()).collect();
                data["left_out"] = json!(names);
            }
            Ok((data, verdict))
        });
        let (mut data, verdict) = told.await?;
        if let Some(kept) = self.0.keep(task, machine, report, verdict).await? {
            data["machine"] = kept;
        }
        Ok(Done { data, metrics, ..Done::default() })
    }
}

/// What is not wanted is not in the report of trouble either.
fn without(mut trouble: Trouble, options: &Options) -> Trouble {
    if let Some(report) = trouble.details.get_mut("report") {
        sections::leave_out(report, &options.left_out);
    }
    trouble
}
