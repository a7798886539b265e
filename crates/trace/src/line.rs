//! Lines: what happened, with the fields of the spans around it.

use std::fmt::Write as _;
use std::time::SystemTime;

use time::OffsetDateTime;
use tracing::Level;

use crate::context::Context;
use crate::escape::{plain, quoted, sentence};
use crate::field::{Fields, Value};

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: an object of JSON.
    Json,
}

/// Names that a line has of its own.
const OWN: [&str; 6] = ["time", "level", "message", "target", "trace_id", "span_id"];

/// What is told.
pub(crate) struct Line<'a> {
    pub(crate) at: SystemTime,
    pub(crate) level: Level,
    pub(crate) target: &'a str,
    pub(crate) message: String,
    pub(crate) fields: Fields,
    pub(crate) context: Option<Context>,
}

impl Line<'_> {
    /// The line, with its end.
    pub(crate) fn write(&self, format: Format) -> String {
        let mut line = String::with_capacity(256);
        match format {
            Format::Text => self.text(&mut line),
            Format::Json => self.json(&mut line),
        }
        line.push('\n');
        line
    }

    fn text(&self, line: &mut String) {
        // It writes to memory, here and below.
        let _ = write!(line, "{} {:5} ", moment(self.at), name(self.level));
        sentence(line, &self.message);
        let ids = self.ids();
        let ids = ids.iter().map(|(name, id)| (*name, Value::Text(id.clone())));
        for (name, value) in self.fields.0.iter().cloned().chain(ids) {
            line.push(' ');
            line.push_str(name);
            line.push('=');
            match value {
                Value::Text(text) => plain(line, &text),
                value => line.push_str(&value.into_text()),
            }
        }
    }

    fn json(&self, line: &mut String) {
        let _ =
            write!(line, "{{\"time\":\"{}\",\"level\":\"{}\"", moment(self.at), name(self.level));
        line.push_str(",\"message\":");
        quoted(line, &self.message);
        line.push_str(",\"target\":");
        quoted(line, self.target);
        for (name, value) in &self.fields.0 {
            line.push(',');
            match OWN.contains(name) {
                true => quoted(line, &format!("field.{name}")),
                false => quoted(line, name),
            }
            line.push(':');
            match value {
                Value::Text(text) => quoted(line, text),
                // JSON has no word for it.
                Value::Broken(number) if !number.is_finite() => line.push_str("null"),
                value => line.push_str(&value.clone().into_text()),
            }
        }
        for (name, id) in self.ids() {
            let _ = write!(line, ",\"{name}\":\"{id}\"");
        }
        line.push('}');
    }

    fn ids(&self) -> Vec<(&'static str, String)> {
        self.context.map_or_else(Vec::new, |context| {
            vec![("trace_id", context.trace.to_string()), ("span_id", context.span.to_string())]
        })
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn moment(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at);
    let (date, (hour, minute, second, milli)) = (at.date(), at.time().as_hms_milli());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_line_is_for_people_or_for_programs() {
        let mut fields = Fields::default();
        fields.set("job_id", Value::Text("job-1\n2026-11-28T00:00:00.000Z info forged".to_owned()));
        fields.set("attempt", Value::Whole(2));
        fields.set("level", Value::Is(true));
        let line = Line {
            at: UNIX_EPOCH + Duration::from_millis(1_795_856_400_007),
            level: Level::INFO,
            target: "fathom_worker::runner",
            message: "a job ended".to_owned(),
            fields,
            context: Context::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        };
        let text = "2026-11-28T09:00:00.007Z info  a job ended \
                    job_id=\"job-1\\n2026-11-28T00:00:00.000Z info forged\" attempt=2 level=true \
                    trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7\n";
        assert_eq!(line.write(Format::Text), text);
        let json = "{\"time\":\"2026-11-28T09:00:00.007Z\",\"level\":\"info\",\
                    \"message\":\"a job ended\",\"target\":\"fathom_worker::runner\",\
                    \"job_id\":\"job-1\\n2026-11-28T00:00:00.000Z info forged\",\"attempt\":2,\
                    \"field.level\":true,\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\
                    \"span_id\":\"00f067aa0ba902b7\"}\n";
        assert_eq!(line.write(Format::Json), json);
    }
}
