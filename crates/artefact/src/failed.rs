//! What a server answered, as an error of ours.

use std::error::Error as _;

use object_store::Error as Theirs;
use object_store::client::{HttpError, HttpErrorKind};

use crate::error::{Error, Kind};

/// The longest that is passed on of what a server says.
const SAID: usize = 300;

/// An error about `place`. What a server says is cut to its code and message: the rest may be a page.
pub(crate) fn failed(place: &str, error: &Theirs) -> Error {
    let new = |kind, why: String| Error::new(kind, place, why);
    let text = error.to_string();
    let said = said(&text);
    let refused = ["status code: 401", "status code: 403"].iter().any(|it| text.contains(it));
    match error {
        Theirs::NotFound { .. } => {
            new(Kind::NotFound, format!("the server has no such object{said}"))
        }
        Theirs::AlreadyExists { .. } | Theirs::Precondition { .. } => {
            new(Kind::Exists, format!("something else lies there{said}"))
        }
        _ if refused => {
            let why = format!("the server does not let us{said}; look at the key of this bucket");
            new(Kind::Refused, why)
        }
        Theirs::InvalidPath { .. } | Theirs::UnknownConfigurationKey { .. } => {
            new(Kind::Invalid, "that cannot be asked of a server".to_owned())
        }
        Theirs::NotImplemented { .. } | Theirs::NotSupported { .. } => {
            new(Kind::Invalid, "the server is not asked for that".to_owned())
        }
        other => match transport(other) {
            Some(http) => {
                new(Kind::Unreachable, format!("the server cannot be asked: {}", reason(http)))
            }
            None if text.contains("status code: 501") => {
                let why = "the server does not know conditional writes; set conditional_writes: false for it";
                new(Kind::Invalid, why.to_owned())
            }
            None => new(Kind::Unreachable, format!("the server answers what it should not{said}")),
        },
    }
}

/// What happened on the way, if it was that.
fn transport(error: &Theirs) -> Option<&HttpError> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            return Some(http);
        }
        cause = error.source();
    }
    None
}

/// In few words, without addresses, which are long.
fn reason(error: &HttpError) -> String {
    let kind = match error.kind() {
        HttpErrorKind::Connect => "no connection",
        HttpErrorKind::Timeout => "no answer in time",
        HttpErrorKind::Interrupted => "the connection broke off",
        _ => "the request failed",
    };
    let mut last = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        last = Some(error.to_string());
        cause = error.source();
    }
    match last {
        Some(last) => format!("{kind} ({})", last.chars().take(SAID).collect::<String>()),
        None => kind.to_owned(),
    }
}

/// The code and the message of an answer.
fn said(text: &str) -> String {
    let of = |name: &str| {
        let (_, behind) = text.split_once(&format!("<{name}>"))?;
        let (inside, _) = behind.split_once('<')?;
        Some(inside.chars().take(SAID).filter(|c| !c.is_control()).collect::<String>())
    };
    match (of("Code"), of("Message")) {
        (Some(code), Some(message)) => format!(" ({code}: {})", message.trim_end_matches('.')),
        (Some(code), None) => format!(" ({code})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn of_an_answer_its_code_and_message_are_told() {
        let text =
            "403: <Error><Code>AccessDenied</Code><Message>No.</Message><RequestId>1</RequestId>";
        assert_eq!(said(text), " (AccessDenied: No)");
        assert_eq!(said("<Code>SlowDown</Code>"), " (SlowDown)");
        assert_eq!(said("<html>503</html>"), "");
    }
}
