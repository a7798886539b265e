//! Where in which trace something is, in this process and between processes.

use std::fmt;

use tracing::{Dispatch, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

use crate::span::Open;

/// The id of a trace: 16 bytes, not all of them 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub(crate) u128);

/// The id of a span: 8 bytes, not all of them 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub(crate) u64);

impl fmt::Display for TraceId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

/// Where in which trace something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub span: SpanId,
    /// The span above it, as far as it is known.
    pub parent: Option<SpanId>,
    /// Whether it is sent to who collects traces.
    pub sampled: bool,
}

impl Context {
    /// That of a header `traceparent` (W3C Trace Context, 2.2). What is none gives nothing.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = digits(version, 2)?;
        // Later versions may have more behind; 255 is none.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        Self::of(trace, span, Some(flags))
    }

    /// That of ids on their own. Whoever sends ids without flags wants to be followed.
    pub fn of(trace: &str, span: &str, flags: Option<&str>) -> Option<Self> {
        let trace = TraceId(digits(trace, 32).filter(|id| *id != 0)?);
        let span = SpanId(digits(span, 16).filter(|id| *id != 0)?.try_into().ok()?);
        let sampled = match flags {
            Some(flags) => digits(flags, 2)? & 1 == 1,
            None => true,
        };
        Some(Self { trace, span, parent: None, sampled })
    }

    /// That of the span that is being done here.
    pub fn current() -> Option<Self> {
        tracing::dispatcher::get_default(|dispatch| {
            let current = dispatch.current_span();
            look_up(dispatch, current.id()?)
        })
    }

    /// That of this span.
    pub fn of_span(span: &Span) -> Option<Self> {
        span.with_subscriber(|(id, dispatch)| look_up(dispatch, id)).flatten()
    }

    /// The flags of W3C.
    pub fn flags(&self) -> &'static str {
        if self.sampled { "01" } else { "00" }
    }
}

/// As a `traceparent`.
impl fmt::Display for Context {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "00-{}-{}-{}", self.trace, self.span, self.flags())
    }
}

fn look_up(dispatch: &Dispatch, id: &tracing::Id) -> Option<Context> {
    let registry = dispatch.downcast_ref::<Registry>()?;
    let span = registry.span(id)?;
    let extensions = span.extensions();
    extensions.get::<Open>().map(|open| open.context)
}

/// So many hexadecimal digits in lower case, as W3C wants them.
fn digits(text: &str, count: usize) -> Option<u128> {
    let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == count && text.bytes().all(plain)).then_some(())?;
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_was() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Context::parse(header).unwrap().to_string(), header);
        let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more";
        assert!(!Context::parse(later).unwrap().sampled);
    }

    #[test]
    fn what_is_no_header_is_none() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        for header in [
            String::new(),
            "00".to_owned(),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-"),
            format!("00-{trace}-{span}-1"),
            format!("00-{trace}-{span}-01-more"),
            format!("ff-{trace}-{span}-01"),
            format!("0x-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}0-{span}-01"),
            format!("00-+{}-{span}-01", &trace[1..]),
            format!("00-{}\u{e9}-{span}-01", &trace[2..]),
        ] {
            assert_eq!(Context::parse(&header), None, "{header:?}");
        }
    }
}
