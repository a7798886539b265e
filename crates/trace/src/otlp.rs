//! Spans as OTLP: the messages of `opentelemetry/proto/trace/v1/trace.proto`, in the wire format of
//! protobuf. Of these messages we write a few fields, and read none.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::field::Value;
use crate::span::{Kind, Span};

/// Who sends spans.
#[derive(Clone, Debug)]
pub struct Resource {
    /// What the service is called.
    pub service: String,
    /// Its version.
    pub version: &'static str,
    /// Which of its processes this is.
    pub instance: String,
}

/// How fields of requests are called there.
const HTTP: [(&str, &str); 4] = [
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
    ("from", "client.address"),
];

/// `ExportTraceServiceRequest`.
pub(crate) fn request(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut request = Message::default();
    // ResourceSpans
    request.message(1, |out| {
        out.message(1, |out| {
            for (key, value) in [
                ("service.name", resource.service.as_str()),
                ("service.version", resource.version),
                ("service.instance.id", &resource.instance),
            ] {
                attribute(out, 1, key, &Value::Text(value.to_owned()));
            }
        });
        // ScopeSpans
        out.message(2, |out| {
            out.message(1, |out| {
                out.bytes(1, b"fathom");
                out.bytes(2, resource.version.as_bytes());
            });
            for span in spans {
                out.message(2, |out| write(out, span));
            }
        });
    });
    request.0
}

/// `Span`
fn write(out: &mut Message, span: &Span) {
    out.bytes(1, &span.context.trace.0.to_be_bytes());
    out.bytes(2, &span.context.span.0.to_be_bytes());
    if let Some(parent) = span.context.parent {
        out.bytes(4, &parent.0.to_be_bytes());
    }
    out.bytes(5, span.name.as_bytes());
    out.number(6, span.kind as u64);
    out.fixed(7, nanos(span.start));
    out.fixed(8, nanos(span.end));
    for (name, value) in &span.fields.0 {
        let known = HTTP.iter().find(|(ours, _)| span.kind == Kind::Server && ours == name);
        attribute(out, 9, known.map_or(name, |(_, theirs)| theirs), value);
    }
    if let Some(error) = &span.error {
        // Status
        out.message(15, |out| {
            out.bytes(2, error.as_bytes());
            out.number(3, 2);
        });
    }
}

/// `KeyValue`
fn attribute(out: &mut Message, field: u64, key: &str, value: &Value) {
    out.message(field, |out| {
        out.bytes(1, key.as_bytes());
        // AnyValue
        out.message(2, |out| match value {
            Value::Text(text) => out.bytes(1, text.as_bytes()),
            Value::Is(it) => out.number(2, u64::from(*it)),
            Value::Whole(number) => out.number(3, number.cast_unsigned()),
            Value::Broken(number) => out.fixed(4, number.to_bits()),
        });
    });
}

fn nanos(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A message of protobuf, as it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn fixed(&mut self, field: u64, number: u64) {
        self.varint(field << 3 | 1);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn message(&mut self, field: u64, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_bytes_as_they_need() {
        for (number, bytes) in [
            (0, vec![0]),
            (127, vec![0x7f]),
            (128, vec![0x80, 1]),
            (300, vec![0xac, 2]),
            (u64::MAX, [vec![0xff; 9], vec![1]].concat()),
        ] {
            let mut message = Message::default();
            message.varint(number);
            assert_eq!(message.0, bytes, "{number}");
        }
        let mut message = Message::default();
        message.message(15, |out| out.bytes(2, b"no"));
        assert_eq!(message.0, [0x7a, 4, 0x12, 2, b'n', b'o']);
    }
}
