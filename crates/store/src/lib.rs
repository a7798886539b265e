//! What we know, on SQLite or PostgreSQL.
//!
//! Both engines are asked in the same words: plain SQL with `$1`, ids and documents as text, times
//! as microseconds since 1970. Where they differ, a word in braces stands for what each of them
//! says ([`engine`]), so that there is one query to read and one suite of tests that both pass.
//! Lists go to the database as one document of JSON each, so that a thousand rows are one round trip.
//!
//! Whatever is written together is one transaction. SQLite has one writer, and its commits are as
//! durable as those of PostgreSQL (`synchronous=FULL`): who wants many of them a second writes in
//! batches.

#![forbid(unsafe_code)]

mod audit;
mod engine;
mod error;
mod event;
mod exception;
mod job;
mod letter;
mod machine;
mod migration;
mod open;
mod requirement;
mod time;
mod token;
mod user;
mod webhook;
mod worker;

pub use audit::{Chain, Deed, Entry};
pub use engine::Engine;
pub use error::{Error, ErrorKind, Result};
pub use event::Event;
pub use exception::{ExceptionFilter, ExceptionRow, Step};
pub use job::{
    Announcement, Beat, Beaten, Cancelled, Claim, Claimed, Completion, Finish, Job, JobFilter,
    JobState, NewJob, Submitted, SweepRules, Swept, Told,
};
pub use letter::{Letter, NewLetter};
pub use machine::{
    Census, Condition, Cursor, FilterError, Flaw, FlawFilter, FlawOrder, FlawPlace, FlawSummary,
    Found, Inspection, Kept, Look, Machine, MachineFilter, MachineOrder, MachinePage, Named,
    Nature, Package, PackageFilter, PackageSummary, Place, Purged, Tally, Totals, Unmatched,
    Verdict, Whose,
};
pub use migration::LATEST;
pub use open::{Connections, Options, Store};
pub use requirement::Requirement;
pub use time::Time;
pub use token::Token;
pub use user::{User, UserChange};
pub use webhook::{Delivered, Delivery, DeliveryState, Due, Happening, Webhook};
pub use worker::{Worker, WorkerState};
