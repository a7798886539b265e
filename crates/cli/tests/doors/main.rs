//! Who gets into `fathom serve`, and how: the real program, asked over its sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod browser;
mod canary;
mod oidc;
mod page;
mod site;
mod slow;
mod tls;
mod users;
