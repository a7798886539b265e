//! The interface, asked over a socket.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod access;
mod document;
mod jobs;
mod machines;
mod oidc;
mod page;
mod realm;
mod requests;
mod site;
mod users;
