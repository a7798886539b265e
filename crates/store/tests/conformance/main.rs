//! What a store promises, held against both engines.
//!
//! PostgreSQL is the one that `FATHOM_TEST_POSTGRES` names; every case has a database of its own in
//! it, so that they run side by side.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access;
mod jobs;
mod machines;
mod place;
mod upgrade;
mod users;
mod webhooks;
mod workers;
