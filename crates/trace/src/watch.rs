//! The layer that takes spans and events.

use std::sync::Arc;
use std::time::SystemTime;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, SetGlobalDefaultError, Subscriber};
use tracing::{Event, Level, Metadata};
use tracing_subscriber::layer::{Context as Around, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::export::Exporter;
use crate::field::{Fields, Value};
use crate::line::{Format, Line};
use crate::span::Open;

/// What our own targets begin with.
const OURS: &str = "fathom";

/// Where lines are written to.
type Write = dyn Fn(&str) + Send + Sync;

/// What is made of spans and events.
pub struct Watch {
    /// How much of what we do ourselves is written.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
    /// Where lines are written to, each with its end.
    pub write: Box<Write>,
    /// Who sends spans on; they are only followed in lines where nobody does.
    pub exporter: Option<Arc<Exporter>>,
    /// Which part of the traces that begin here is sent.
    pub ratio: f64,
}

/// Takes what this process does from now on.
pub fn start(watch: Watch) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(Registry::default().with(watch))
}

impl Watch {
    /// Whether it is taken. What libraries do is written where it may be wrong; all of it only where all
    /// is asked for.
    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with(OURS);
        match (metadata.is_span(), ours) {
            (true, ours) => ours,
            (false, true) => *metadata.level() <= self.level,
            (false, false) if self.level == Level::TRACE => true,
            (false, false) => *metadata.level() <= self.level.min(Level::WARN),
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.takes(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Around<'_, S>) -> bool {
        self.takes(metadata)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        let above = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Open>().map(|open| open.context)
        });
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(Open::begin(above, fields, self.ratio));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            open.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, around: Around<'_, S>) {
        let mut fields = Fields::default();
        let mut context = None;
        for span in around.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(open) = span.extensions().get::<Open>() {
                context = Some(open.context);
                for (name, value) in &open.fields.0 {
                    fields.set(name, value.clone());
                }
            }
        }
        let mut said = Fields::default();
        event.record(&mut said);
        let message = said.take("message").map(Value::into_text).unwrap_or_default();
        for (name, value) in said.0 {
            fields.set(name, value);
        }
        let metadata = event.metadata();
        let (level, target) = (*metadata.level(), metadata.target());
        let line = Line { at: SystemTime::now(), level, target, message, fields, context };
        (self.write)(&line.write(self.format));
    }

    fn on_close(&self, id: Id, around: Around<'_, S>) {
        let (Some(exporter), Some(span)) = (&self.exporter, around.span(&id)) else { return };
        let open = span.extensions_mut().remove::<Open>();
        if let Some(open) = open.filter(|open| open.context.sampled) {
            exporter.take(open.end(span.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing::{debug, info, info_span, trace, warn};

    use super::*;
    use crate::Context;

    /// What is written while this is done.
    fn written(level: Level, work: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let write = move |line: &str| kept.lock().unwrap().push(line.to_owned());
        let watch = Watch {
            level,
            format: Format::Text,
            write: Box::new(write),
            exporter: None,
            ratio: 1.0,
        };
        tracing::subscriber::with_default(Registry::default().with(watch), work);
        let lines = lines.lock().unwrap();
        // Without the time.
        lines.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn lines_carry_what_is_around_them() {
        let mut ids = Vec::new();
        let lines = written(Level::INFO, || {
            let outer =
                info_span!("request", route = "/jobs", status = 0, late = tracing::field::Empty);
            let context = Context::of_span(&outer).unwrap();
            outer.in_scope(|| {
                outer.record("late", "now");
                let inner = info_span!("submit", otel.kind = "producer", job_id = "j", status = 1);
                inner.in_scope(|| {
                    info!(status = 2, "taken");
                    ids = vec![context, Context::current().unwrap()];
                });
            });
        });
        let [outer, inner] = ids[..] else { panic!("{ids:?}") };
        assert_eq!((inner.trace, inner.parent), (outer.trace, Some(outer.span)));
        let expected = format!(
            "info  taken route=/jobs status=2 late=now job_id=j trace_id={} span_id={}\n",
            outer.trace, inner.span
        );
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn libraries_are_quiet() {
        let all = || {
            info!(target: "sqlx::query", "theirs");
            warn!(target: "sqlx::query", "theirs");
            debug!("ours");
            trace!(target: "hyper", "theirs");
            info_span!(target: "hyper", "theirs", a = 1).in_scope(|| info!("ours"));
        };
        assert_eq!(written(Level::ERROR, all).len(), 0);
        assert_eq!(written(Level::INFO, all), ["warn  theirs\n", "info  ours\n"]);
        assert_eq!(written(Level::DEBUG, all).len(), 3);
        assert_eq!(written(Level::TRACE, all).len(), 5);
    }
}
