//! The one exit-code table of the product.

use std::io::Write as _;
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
    /// It has been said already; what is left is the exit code.
    Said(u8),
}

/// The code of errors of this machine.
pub(crate) const HOST: u8 = 10;

/// The code of an error of the readers.
pub(crate) fn code_of(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::Missing => 3,
        ErrorKind::Unsupported => 4,
        ErrorKind::Corrupt => 5,
        ErrorKind::Encrypted => 6,
        ErrorKind::Refused => 7,
        ErrorKind::Unreachable => 8,
        ErrorKind::Invalid => 2,
        _ => HOST,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl Failure {
    /// For `map_err` where a file that was named is read: that it is not there is no fault of this
    /// machine.
    pub(crate) fn reading(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(what, "there is no such file").into(),
            _ => Self::Host(what, error),
        }
    }

    /// The same failure, led by the image that it is about unless it is already.
    pub(crate) fn of_image(self, image: &str) -> Self {
        match self {
            Self::Read(error) => {
                let shown = error.to_string();
                let subject = shown.split_once(": ").map_or("", |(_, subject)| subject);
                let led = subject == image || subject.starts_with(&format!("{image}: "));
                Self::Read(if led { error } else { error.within(image) })
            }
            Self::Host(what, error) => Self::Host(format!("{image}: {what}"), error),
            Self::Usage(what) => Self::Usage(format!("{image}: {what}")),
            Self::Interrupted | Self::Said(_) => self,
        }
    }

    /// For `map_err`: what was being done when this machine refused.
    pub(crate) fn host(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Host(what, error)
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Read(error) => code_of(error),
            Self::Host(..) => HOST,
            Self::Interrupted => crate::interrupt::CODE,
            Self::Said(code) => *code,
        }
    }

    fn say(&self) {
        if let Some(why) = self.why() {
            say(&why);
        }
    }

    /// What there is to say of it.
    pub(crate) fn why(&self) -> Option<String> {
        Some(match self {
            Self::Host(what, error) => format!("{what}: {error}"),
            Self::Usage(what) => what.clone(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Read(error) => describe(error),
            Self::Said(_) => return None,
        })
    }
}

/// What several paths came to. As with `ls` and `cat`, one that fails keeps none of the others from
/// being done.
pub(crate) struct Each {
    several: bool,
    done: usize,
    failed: usize,
    first_code: Option<u8>,
}

impl Each {
    /// Nothing done yet of this many paths.
    pub(crate) fn of(paths: usize) -> Self {
        Self { several: paths > 1, done: 0, failed: 0, first_code: None }
    }

    /// Notes how one of them went. Only what must end the command is handed back.
    pub(crate) fn note(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        match outcome {
            Ok(()) => self.done += 1,
            Err(failure @ (Failure::Read(_) | Failure::Usage(_))) if self.several => {
                failure.say();
                self.failed += 1;
                self.first_code.get_or_insert(failure.code());
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// How it went, in a line; `partial` of what was done was not complete.
    pub(crate) fn summary(&self, what: &str, partial: usize) -> String {
        let Self { done, failed, .. } = self;
        let complete = done.saturating_sub(partial);
        format!("{} {what}: {complete} complete, {partial} in part, {failed} failed", done + failed)
    }

    /// How the command ends: in part where some were done, as the first failed where none was.
    pub(crate) fn verdict(self, partial: bool) -> Result<Verdict, Failure> {
        match self.first_code {
            Some(code) if self.done == 0 => Err(Failure::Said(code)),
            None if !partial => Ok(Verdict::Done),
            _ => Ok(Verdict::Partial),
        }
    }
}

/// What the user reads about the codes in `--help`.
pub(crate) const TABLE: &str = "\
Exit codes:
   0  done
   1  the answer is \"no\", the two differ, a rule of --fail-on fails, or a condition of --fail-if holds
   2  usage: the arguments do not fit
   3  not found: no such image, volume, file, snapshot or environment variable
   4  unsupported: recognised, but this version cannot read it
   5  corrupt: the data contradicts its own format
   6  encrypted: no key was given that opens it
   7  refused: the image asked for a file that it may not open, or has another checksum than it must
   8  unreachable: a server did not answer, or not as it must
   9  partial: done as far as possible, the rest is named on standard error
  10  input/output error of this machine
  11  interrupted
  20  `fathom job`: the job failed
  21  `fathom job`: the job was called off
  22  `fathom job`: the job took too long
  23  `fathom job`: the job is dead: whoever took it was lost with it
  24  `fathom job`: the job has not ended yet
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
        failure => failure.say(),
    }
    ExitCode::from(failure.code())
}

/// The error and what caused it, on one line.
pub(crate) fn describe(error: &Error) -> String {
    let mut text = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    // The readers know nothing of options.
    if error.kind() == ErrorKind::Encrypted && text.ends_with("no key was given for it") {
        text.push_str("; --key-file, --key-env or --key gives one");
    }
    text
}

/// One line on standard error. Names out of an image may hold anything; a terminal must not obey
/// them.
pub(crate) fn say(message: &str) {
    crate::progress::beside(|| tell(message));
}

/// The same without a look at what else is on the terminal. Where nobody can read it, nobody is told;
/// what is being done goes on.
pub(crate) fn tell(message: &str) {
    let line = format!("fathom: {}\n", text::harmless(message));
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// A problem that did not stop the command.
pub(crate) fn warn(error: &Error) {
    say(&format!("warning: {}", describe(error)));
}

/// Problems that did not stop the command, each once however often it was met.
pub(crate) fn warn_once<'a>(errors: impl IntoIterator<Item = &'a Error>) {
    let mut said = std::collections::HashSet::new();
    for error in errors {
        let text = describe(error);
        if said.insert(text.clone()) {
            say(&format!("warning: {text}"));
        }
    }
}

/// Where one bug must not end what others have asked for: it is told, and so is whoever waits for what it
/// was doing.
pub(crate) fn survive_panics(told: impl Fn(&str) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        told(&format!("internal error, please report it: {panic}"));
    }));
}

/// A panic is a bug of ours; it is said so, and has a code of its own.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        tell(&format!("internal error, please report it: {panic}"));
        std::process::exit(70);
    }));
}
