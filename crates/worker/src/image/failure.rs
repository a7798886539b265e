//! Why there is no report.

use std::fmt;

use fathom_block::{Error, ErrorKind};
use fathom_confine::{Ended, How};
use serde::{Deserialize, Serialize};

/// What a caller may branch on. The spelling is a part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum Code {
    /// The path or address is none that may be read.
    PathRefused,
    /// There is no such image.
    ImageNotFound,
    /// What should be a checksum is none.
    ChecksumInvalid,
    /// The image has another checksum, or does not have it any more.
    ChecksumMismatch,
    /// The request does not fit together.
    InvalidRequest,
    /// Something that the image needs, or that was asked for in it, is not there.
    NotFound,
    /// Recognised, but not read by this version.
    Unsupported,
    /// The disk is larger than is asked to be looked at.
    DiskTooLarge,
    /// The image contradicts its own format.
    Corrupt,
    /// No key that was given opens it.
    Encrypted,
    /// The image asks for a file that it may not have.
    ReferenceRefused,
    /// A server did not answer, or not as it must.
    SourceUnreachable,
    /// This machine could not read it.
    ReadFailed,
    /// It took longer than it may.
    Timeout,
    /// It needs more memory than it may have.
    OutOfMemory,
    /// The reader crashed.
    Crashed,
    /// It was cancelled.
    Cancelled,
    /// This machine cannot confine the reader, and it is not allowed to run without.
    NotConfined,
    /// The reader could not be started.
    NotStarted,
    /// The reader said what it must not.
    ProtocolViolated,
}

impl Code {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PathRefused => "PATH_REFUSED",
            Self::ImageNotFound => "IMAGE_NOT_FOUND",
            Self::ChecksumInvalid => "CHECKSUM_INVALID",
            Self::ChecksumMismatch => "CHECKSUM_MISMATCH",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::NotFound => "NOT_FOUND",
            Self::Unsupported => "UNSUPPORTED",
            Self::DiskTooLarge => "DISK_TOO_LARGE",
            Self::Corrupt => "CORRUPT",
            Self::Encrypted => "ENCRYPTED",
            Self::ReferenceRefused => "REFERENCE_REFUSED",
            Self::SourceUnreachable => "SOURCE_UNREACHABLE",
            Self::ReadFailed => "READ_FAILED",
            Self::Timeout => "TIMEOUT",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::Crashed => "CRASHED",
            Self::Cancelled => "CANCELLED",
            Self::NotConfined => "NOT_CONFINED",
            Self::NotStarted => "NOT_STARTED",
            Self::ProtocolViolated => "PROTOCOL_VIOLATED",
        }
    }

    /// Whether somebody can change something, or wait, so that the same image is read after all.
    pub fn is_recoverable(self) -> bool {
        matches!(
            self,
            Self::ImageNotFound
                | Self::NotFound
                | Self::Encrypted
                | Self::SourceUnreachable
                | Self::ReadFailed
                | Self::Timeout
                | Self::OutOfMemory
                | Self::Crashed
                | Self::Cancelled
                | Self::NotConfined
                | Self::NotStarted
        )
    }

    /// Whether the same request may come to another end when it is simply tried again.
    pub fn is_worth_a_retry(self) -> bool {
        matches!(
            self,
            Self::SourceUnreachable
                | Self::ReadFailed
                | Self::Timeout
                | Self::Crashed
                | Self::NotStarted
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// The request is looked at, and what it names is opened.
    Opening,
    /// The images are compared with their checksums.
    Verifying,
    /// The child is started.
    Starting,
    /// The child finds out what the disks are made of.
    Discovering,
    /// The child reads what is on them.
    Inspecting,
    /// The checksum of what the guest sees is computed.
    Hashing,
    /// The report is taken over.
    Reporting,
}

/// A request that is not even begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What a caller may branch on.
    pub code: Code,
    /// What was refused, and why.
    pub message: String,
}

impl Refusal {
    pub(crate) fn path(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self { code: Code::PathRefused, message: format!("{what}: {why}") }
    }

    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What a caller may branch on.
    pub code: Code,
    /// What happened, and to what.
    pub message: String,
    /// What was being done.
    pub phase: Phase,
    /// Whether the same image may be read after all, if somebody changes something or waits.
    pub recoverable: bool,
    /// Whether the same request is worth another try.
    pub retry_recommended: bool,
}

impl Failure {
    pub(crate) fn new(code: Code, phase: Phase, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            phase,
            recoverable: code.is_recoverable(),
            retry_recommended: code.is_worth_a_retry(),
        }
    }

    pub(crate) fn refused(refusal: Refusal, phase: Phase) -> Self {
        Self::new(refusal.code, phase, refusal.message)
    }

    pub(crate) fn read(error: &Error, phase: Phase) -> Self {
        Self::new(code_of(error.kind()), phase, describe(error))
    }

    pub(crate) fn ended(ended: &Ended, phase: Phase) -> Self {
        let code = match &ended.how {
            How::NotStarted(_) => Code::NotStarted,
            How::Degraded(_) => Code::NotConfined,
            How::OutOfMemory => Code::OutOfMemory,
            How::TimedOut | How::CpuExhausted => Code::Timeout,
            How::Cancelled => Code::Cancelled,
            How::Violated(_) => Code::ProtocolViolated,
            // What libraries say that have no error for it.
            How::Exited(_) if ended.said.contains("returned null pointer") => Code::OutOfMemory,
            _ => Code::Crashed,
        };
        let message = match std::error::Error::source(ended) {
            Some(source) => format!("{ended}: {source}"),
            None => ended.to_string(),
        };
        Self::new(code, phase, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

/// The error and what caused it, on one line.
pub(crate) fn describe(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

pub(crate) fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Unreachable => Code::SourceUnreachable,
        ErrorKind::NotFound | ErrorKind::Missing => Code::NotFound,
        ErrorKind::Invalid => Code::InvalidRequest,
        ErrorKind::Unsupported => Code::Unsupported,
        ErrorKind::Corrupt => Code::Corrupt,
        ErrorKind::Encrypted => Code::Encrypted,
        ErrorKind::Refused => Code::ReferenceRefused,
        _ => Code::ReadFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_they_are_read() {
        for code in [Code::PathRefused, Code::ChecksumMismatch, Code::OutOfMemory, Code::Crashed] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert!(!Code::ChecksumMismatch.is_worth_a_retry());
        assert!(!Code::ChecksumMismatch.is_recoverable());
    }
}
