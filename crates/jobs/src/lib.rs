//! The protocol of jobs: what is accepted, who may do it, and how often it is tried.
//!
//! A producer sends an [`Envelope`], whole or in its short form, over whatever transport; it is
//! checked, filled in and recorded in the store, whose rows are the truth about it. A worker says
//! what it can do ([`WorkerDescription`]) and gets the jobs whose [`Requirement`] it meets. What
//! comes of a job is told in a [`ResultDocument`]. What a job does is no matter of this crate.

#![forbid(unsafe_code)]

mod announcer;
mod backoff;
mod desk;
mod envelope;
mod followed;
mod gather;
mod hold;
mod moment;
mod operation;
mod refusal;
mod requirement;
mod result;
mod worker;

pub use backoff::Backoff;
pub use desk::{Check, Desk, Receipt, Submitter, Trouble, View};
pub use envelope::{
    Audit, Constraints, Envelope, Execution, LARGEST, Metadata, Observability, Payload, Routing,
};
pub use gather::Gather;
pub use hold::{Hold, Holding, Taken};
pub use moment::{parse as moment, rfc3339};
pub use operation::Operation;
pub use refusal::{Refusal, RefusalCode};
pub use requirement::Requirement;
pub use result::{
    ErrorReport, ExecutionSummary, Metrics, Outputs, Progress, ResultDocument, Status, Written,
};
pub use worker::{Capabilities, Configuration, Resources, WorkerDescription};

/// The schemas of a job and of what comes of it, by the names that they are published under.
pub fn schemas() -> [(&'static str, schemars::Schema); 2] {
    [
        ("job", schemars::schema_for!(Envelope)),
        ("job-result", schemars::schema_for!(ResultDocument)),
    ]
}
