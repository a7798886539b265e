//! Rules over the report, and what comes of them.
//!
//! A rule is a file of TOML: what it asks, why, how grave it is to fail it, which systems it is about,
//! and a check in a [small language](language) over the report. The rules of a profile are applied to
//! each system of a report ([`apply()`]); each comes to *pass*, *fail*, *unknown* or *not applicable*.
//!
//! Nothing passes because something could not be looked at: every statement of the report is known,
//! absent or unknown, every list says whether it is complete, and the language reckons with that in
//! three values. A score is made of what is known only.
//!
//! This crate knows of nothing but the report: no disks, no files of a guest, no output. The one thing
//! it reads is a folder of rules that somebody names ([`folder()`]).

#![forbid(unsafe_code)]

mod apply;
mod builtin;
mod evaluate;
mod fixture;
mod folder;
pub mod language;
mod page;
mod policy;
mod rule;
mod score;
mod suggest;

pub use apply::apply;
pub use builtin::{PROFILES, builtin};
pub use fixture::{Fixture, run as run_fixtures};
pub use folder::{FolderError, folder};
pub use page::page;
pub use policy::Policy;
pub use rule::{Rule, RuleError};
pub use score::{score, weight};
pub use suggest::distance;
