//! Who gets into `fathom serve`, and how: the real program, asked over its sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod oidc;
mod site;
