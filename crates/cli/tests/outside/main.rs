//! What leaves the service and what it fetches: results that are written elsewhere, images in buckets,
//! and messages about what has happened. All of it by the real binary.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod images;
mod outputs;
mod site;
mod webhooks;
