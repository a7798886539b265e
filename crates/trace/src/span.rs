//! A span from its beginning to its end.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::Rng as _;

use crate::context::{Context, SpanId, TraceId};
use crate::field::{Fields, Value};

/// Who did something, as seen from who asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// A span that has not ended yet.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) context: Context,
    pub(crate) fields: Fields,
    name: Option<String>,
    kind: Kind,
    error: Option<String>,
    began: (SystemTime, Instant),
    start: Option<SystemTime>,
    end: Option<SystemTime>,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) context: Context,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) fields: Fields,
    pub(crate) error: Option<String>,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
}

impl Open {
    /// Begins beneath the parent; without one, as the first of a trace, of which `ratio` are sampled.
    pub(crate) fn begin(above: Option<Context>, mut fields: Fields, ratio: f64) -> Self {
        let remote = fields.take("otel.parent").map(Value::into_text);
        let parent = remote.and_then(|text| Context::parse(&text)).or(above);
        let mut random = rand::rng();
        let span = SpanId(random.random_range(1..=u64::MAX));
        let context = match parent {
            Some(parent) => Context { span, parent: Some(parent.span), ..parent },
            None => {
                let trace = TraceId(random.random_range(1..=u128::MAX));
                Context { trace, span, parent: None, sampled: is_sampled(trace, ratio) }
            }
        };
        let mut open = Self {
            context,
            fields: Fields::default(),
            name: None,
            kind: Kind::default(),
            error: None,
            began: (SystemTime::now(), Instant::now()),
            start: None,
            end: None,
        };
        open.record(fields);
        open
    }

    /// Notes what is said of it.
    pub(crate) fn record(&mut self, fields: Fields) {
        for (name, value) in fields.0 {
            match name.strip_prefix("otel.") {
                None => self.fields.set(name, value),
                Some("name") => self.name = Some(value.into_text()),
                Some("error") => self.error = Some(value.into_text()),
                Some("start") => self.start = moment(&value),
                Some("end") => self.end = moment(&value),
                Some("kind") => {
                    self.kind = match value.into_text().as_str() {
                        "server" => Kind::Server,
                        "client" => Kind::Client,
                        "producer" => Kind::Producer,
                        "consumer" => Kind::Consumer,
                        _ => Kind::Internal,
                    };
                }
                Some(_) => {}
            }
        }
    }

    /// Ends it.
    pub(crate) fn end(self, name: &str) -> Span {
        let start = self.start.unwrap_or(self.began.0);
        let end = self.end.unwrap_or_else(|| self.began.0 + self.began.1.elapsed());
        Span {
            context: self.context,
            name: self.name.unwrap_or_else(|| name.to_owned()),
            kind: self.kind,
            fields: self.fields,
            error: self.error,
            start,
            // Clocks of several machines differ: nothing ends before it begins.
            end: end.max(start),
        }
    }
}

/// The same for all spans of a trace, in whichever process they are.
fn is_sampled(trace: TraceId, ratio: f64) -> bool {
    const ALL: f64 = (1_u64 << 56) as f64;
    let share = (trace.0 & ((1 << 56) - 1)) as f64 / ALL;
    share < ratio
}

fn moment(micros: &Value) -> Option<SystemTime> {
    match micros {
        Value::Whole(micros) => {
            UNIX_EPOCH.checked_add(Duration::from_micros(u64::try_from(*micros).ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_all_traces_is_sampled() {
        let sampled = |ratio| {
            let roots = (0..4000).map(|_| Open::begin(None, Fields::default(), ratio));
            roots.filter(|open| open.context.sampled).count()
        };
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 4000));
        let half = sampled(0.5);
        assert!((1600..2400).contains(&half), "{half}");
    }

    #[test]
    fn a_parent_elsewhere_counts_more_than_one_here() {
        let here = Open::begin(None, Fields::default(), 1.0).context;
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let mut fields = Fields::default();
        fields.set("otel.parent", Value::Text(header.to_owned()));
        let open = Open::begin(Some(here), fields, 1.0);
        let there = Context::parse(header).unwrap();
        assert_eq!((open.context.trace, open.context.parent), (there.trace, Some(there.span)));
        assert!(!open.context.sampled);
        // What makes no sense is passed over.
        let mut fields = Fields::default();
        fields.set("otel.parent", Value::Text("nonsense".to_owned()));
        assert_eq!(Open::begin(Some(here), fields, 1.0).context.parent, Some(here.span));
    }

    #[test]
    fn nothing_ends_before_it_begins() {
        let mut fields = Fields::default();
        fields.set("otel.start", Value::Whole(2_000_000));
        fields.set("otel.end", Value::Whole(1_000_000));
        let span = Open::begin(None, fields, 1.0).end("queue");
        assert_eq!((span.start, span.end), (span.end, UNIX_EPOCH + Duration::from_secs(2)));
    }
}
