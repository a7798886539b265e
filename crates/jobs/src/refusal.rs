//! Why a job is not taken.

use std::fmt;

/// What is wrong, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalCode {
    /// It is no JSON, or not of the form of a job.
    Malformed,
    /// It is a job of a version that this program does not speak.
    UnsupportedVersion,
    /// There is no such operation.
    UnknownOperation,
    /// Something in it makes no sense.
    Invalid,
    /// It is larger than jobs are.
    TooLarge,
    /// Its name or its key belongs to another job.
    Conflict,
    /// There is no such job.
    NotFound,
    /// Whoever asks may not.
    Forbidden,
    /// It stands where this cannot be done.
    State,
    /// The store cannot be asked; it may be tried again.
    Unavailable,
    /// A bug of ours.
    Internal,
}

impl RefusalCode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::UnsupportedVersion => "UNSUPPORTED_VERSION",
            Self::UnknownOperation => "UNKNOWN_OPERATION",
            Self::Invalid => "VALIDATION_ERROR",
            Self::TooLarge => "TOO_LARGE",
            Self::Conflict => "CONFLICT",
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::State => "WRONG_STATE",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL_ERROR",
        }
    }
}

/// Why a job is not taken: a code for programs, a text for whoever sent it, and what the operator
/// should know besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub code: RefusalCode,
    /// The same in words, with what to do.
    pub message: String,
    /// What only the operator is told.
    pub detail: Option<String>,
}

impl Refusal {
    /// A refusal that says all there is to say.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalCode::Invalid, message)
    }

    /// Whether the same may be taken later.
    pub fn is_passing(&self) -> bool {
        self.code == RefusalCode::Unavailable
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<fathom_store::Error> for Refusal {
    fn from(error: fathom_store::Error) -> Self {
        use fathom_store::ErrorKind;
        let detail = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let (code, message) = match error.kind() {
            ErrorKind::NotFound => (RefusalCode::NotFound, error.to_string()),
            ErrorKind::Conflict => (RefusalCode::Conflict, error.to_string()),
            ErrorKind::Invalid => (RefusalCode::Invalid, error.to_string()),
            ErrorKind::Busy | ErrorKind::Unreachable => (
                RefusalCode::Unavailable,
                "the store cannot be asked at the moment; try again".to_owned(),
            ),
            _ => (RefusalCode::Internal, "the store answers what it should not".to_owned()),
        };
        Self { code, message, detail: Some(detail) }
    }
}
