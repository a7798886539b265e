//! The operation `scan`: what is known to be wrong with a machine.

use std::sync::Arc;

use fathom_advisory::risk::Weights;
use fathom_advisory::{Database, Day};
use fathom_jobs::Operation;
use fathom_report::Report;
use fathom_report::finding::Findings;
use serde_json::{Value, json};

use super::payload::{Fields, Options, Subject, Wrong};
use super::{Asked, GENERATOR, Tools, advisories, look, today};
use crate::handler::{Done, Handler, Running, Task, Trouble};

/// What is asked for.
pub(super) struct Request {
    pub(super) subject: Subject,
    pub(super) options: Options,
}

impl Request {
    pub(super) fn of(data: &Value) -> Result<Self, Wrong> {
        let fields = Fields::of(data)?;
        Ok(Self { subject: Subject::of(&fields)?, options: Options::of(&fields)? })
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
        let Request { subject, options } = Request::of(&task.data).map_err(look::invalid)?;
        let database = self.0.database().await?;
        let (report, metrics) = self.0.report(task, subject, options.deep).await?;
        task.progress("matching", Some(95), "");
        let tools = Arc::clone(&self.0);
        let data =
            look::compute(move || Ok(json!({ "findings": tools.findings(&report, &database)? })));
        Ok(Done { data: data.await?, metrics, ..Done::default() })
    }
}

/// What is known to be wrong with the machine of a report.
pub(super) fn findings(report: &Report, database: &Database) -> Result<Findings, Trouble> {
    let subject = report.disks.first().map_or("", |disk| disk.name.as_str());
    let options = fathom_advisory::Options {
        weights: Weights::default(),
        texts: true,
        today: Day::of(&today().to_string()),
        generator: GENERATOR.to_owned(),
    };
    fathom_advisory::scan(report, subject, database, &options).map_err(advisories::failed)
}
