//! The one exit-code table of the product.

use std::process::ExitCode;

use fathom_block::{Error, ErrorKind};

use crate::text;

/// How a command ended, if it did not simply succeed or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Done.
    Done,
    /// The answer is "no" or "differs".
    No,
    /// Some of it could not be done; what could not has been said on standard error.
    Partial,
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something could not be read.
    Read(Error),
    /// Something of this machine could not be written or read.
    Host(String, std::io::Error),
    /// The arguments do not fit together.
    Usage(String),
    /// The user interrupted it.
    Interrupted,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl Failure {
    /// For `map_err`: what was being done when this machine refused.
    pub(crate) fn host(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Host(what, error)
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Read(error) => match error.kind() {
                ErrorKind::NotFound => 3,
                ErrorKind::Unsupported => 4,
                ErrorKind::Corrupt => 5,
                ErrorKind::Encrypted => 6,
                ErrorKind::Refused => 7,
                ErrorKind::Unreachable => 8,
                ErrorKind::Invalid => 2,
                _ => 10,
            },
            Self::Host(..) => 10,
            Self::Interrupted => 11,
        }
    }
}

/// What the user reads about the codes in `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
   0  done
   1  the answer is \"no\", or the two differ
   2  usage: the arguments do not fit
   3  not found: no such image, volume, file or snapshot
   4  unsupported: recognised, but this version cannot read it
   5  corrupt: the data contradicts its own format
   6  encrypted: no key was given that opens it
   7  refused by policy: the image asked for a file that it may not open
   8  unreachable: a server did not answer, or not as it must
   9  partial: done as far as possible, the rest is named on standard error
  10  input/output error of this machine
  11  interrupted
  70  a bug in fathom";

/// Says what went wrong on one line, and turns the outcome into the process's exit code.
pub(crate) fn code(outcome: Result<Verdict, Failure>) -> ExitCode {
    let failure = match outcome {
        Ok(Verdict::Done) => return ExitCode::SUCCESS,
        Ok(Verdict::No) => return ExitCode::from(1),
        Ok(Verdict::Partial) => return ExitCode::from(9),
        Err(failure) => failure,
    };
    match &failure {
        // Whoever reads our output has had enough; that is no failure of ours.
        Failure::Host(_, error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Failure::Host(what, error) => say(&format!("{what}: {error}")),
        Failure::Usage(what) => say(what),
        Failure::Interrupted => say("interrupted"),
        Failure::Read(error) => say(&describe(error)),
    }
    ExitCode::from(failure.code())
}

/// The error and what caused it, on one line.
pub(crate) fn describe(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// One line on standard error. Names out of an image may hold anything; a terminal must not obey
/// them.
pub(crate) fn say(message: &str) {
    eprintln!("fathom: {}", text::harmless(message));
}

/// A problem that did not stop the command.
pub(crate) fn warn(error: &Error) {
    eprintln!("fathom: warning: {}", text::harmless(&describe(error)));
}

/// A panic is a bug of ours; it is said so, and has a code of its own.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!(
            "fathom: internal error, please report it: {}",
            text::harmless(&panic.to_string())
        );
        std::process::exit(70);
    }));
}
