//! What is written of what is done, and the spans that follow it from one process into the next.
//!
//! Whoever does something says so with the macros of `tracing`: a span around it, and events for what
//! people should read. One layer ([`watch`]) takes both. Each span gets the ids of OpenTelemetry; a line
//! carries the fields and the ids of the spans around it; a span that has ended goes to an [`Exporter`],
//! where there is one, which sends it on as OTLP. So lines and traces have the same ids.
//!
//! A span may say more than its fields by names that begin with `otel.`: `otel.name` and `otel.kind` as
//! they are told, `otel.parent` where its parent is in another process (a `traceparent`), `otel.start` and
//! `otel.end` in microseconds since 1970 where it was not there itself, and `otel.error` where it failed.

#![forbid(unsafe_code)]

mod context;
mod escape;
mod export;
mod field;
mod line;
mod otlp;
mod span;
mod watch;

pub use context::{Context, SpanId, TraceId};
pub use export::{Exporter, Post, Sending};
pub use line::Format;
pub use otlp::Resource;
pub use watch::{Watch, start};
