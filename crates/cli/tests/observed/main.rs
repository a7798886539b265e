//! The service as it is watched: its figures, what it writes, and what becomes of a request.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod deployed;
mod figures;
mod lines;
mod query;
mod site;
mod traces;
