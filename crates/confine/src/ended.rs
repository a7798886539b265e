//! How a child ended that did not do what it was for.

use std::fmt;
use std::io;

use crate::confinement::Confinement;
use crate::usage::Usage;

/// Why there is no answer from a child. It has been reaped, unless it was never there.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// The end of what it said on standard error. A stranger may have written it.
    pub said: String,
    /// What it had used up.
    pub usage: Usage,
}

/// How a child ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum How {
    /// It could not be started.
    NotStarted(io::Error),
    /// The kernel does not confine it fully, and that was not allowed.
    Degraded(Confinement),
    /// It ended by itself with this code, before it had answered.
    Exited(i32),
    /// A signal ended it that nobody here sent: it crashed, did what is forbidden, or the machine ran
    /// out of memory.
    Signalled(i32),
    /// It needed more memory than it may have.
    OutOfMemory,
    /// Its time by the clock was up.
    TimedOut,
    /// Its time on the processor was up.
    CpuExhausted,
    /// It was told to end.
    Cancelled,
    /// It did not keep to the rules of the channel.
    Violated(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.how {
            How::NotStarted(_) => write!(f, "the child process could not be started"),
            How::Degraded(confinement) => write!(f, "{confinement}"),
            How::Exited(code) => write!(f, "the child process ended with code {code}"),
            How::Signalled(signal) => write!(f, "signal {signal} ended the child process"),
            How::OutOfMemory => write!(f, "the child process needs more memory than it may have"),
            How::TimedOut => write!(f, "the child process took longer than it may"),
            How::CpuExhausted => write!(f, "the child process computed longer than it may"),
            How::Cancelled => write!(f, "cancelled"),
            How::Violated(what) => write!(f, "the child process sent {what}"),
        }?;
        // The first line says it; what follows are notes for developers.
        match self.said.lines().next() {
            Some(line) if !matches!(self.how, How::Cancelled) => write!(f, " ({line})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Ended {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.how {
            How::NotStarted(error) => Some(error),
            _ => None,
        }
    }
}
