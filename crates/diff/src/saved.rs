//! Reports that were saved, by this version or another.

use std::fmt;
use std::io::Read;

use fathom_report::{Report, SCHEMA};
use serde_json::Value;

/// The largest report that is read. One on some hundred thousand packages has a tenth of it.
pub const MAX_REPORT: u64 = 64 << 20;

/// Why something is no report that can be compared.
#[derive(Debug)]
pub enum Unfit {
    /// It could not be read.
    Io(std::io::Error),
    /// It is none, or one of another kind.
    Other(String),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Unfit {}

/// Reads a report. Properties that this version does not know are passed over; a document of another
/// kind is refused by name.
pub fn report(from: impl Read) -> Result<Report, Unfit> {
    let mut text = Vec::new();
    from.take(MAX_REPORT + 1).read_to_end(&mut text).map_err(Unfit::Io)?;
    if text.len() as u64 > MAX_REPORT {
        return Err(Unfit::Other(format!("it has more than {MAX_REPORT} bytes")));
    }
    // What kind it is comes first: a list of missing properties would help nobody.
    let kind: Kind = match serde_json::from_slice(&text) {
        Ok(kind) => kind,
        Err(error) => return Err(Unfit::Other(why_not(&text, &error))),
    };
    match kind.schema.as_ref().and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => {
            let other: String = other.chars().take(100).collect();
            let why = format!("it is a document of the kind {other:?}, not {SCHEMA:?}");
            return Err(Unfit::Other(why));
        }
        None => return Err(Unfit::Other(format!("it is no {SCHEMA}: it has no \"schema\""))),
    }
    serde_json::from_slice(&text).map_err(|error| {
        let why = "it cannot be understood; was it written by a newer version?";
        Unfit::Other(format!("{why} {error}"))
    })
}

/// As much of a document as says what kind it is.
#[derive(serde::Deserialize)]
struct Kind {
    schema: Option<Value>,
}

fn why_not(text: &[u8], error: &serde_json::Error) -> String {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => "it is a list; a report on one machine is an object".to_owned(),
        None => "it is empty".to_owned(),
        _ => format!("it is no JSON: {error}"),
    }
}
