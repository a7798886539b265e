//! A new password: typed twice at a terminal, or the one line that standard input has. It never stands
//! among the arguments, which everybody on the machine can see.

use std::io::{IsTerminal as _, Read as _, stdin};

use fathom_block::source::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::{Failure, tell};
use crate::interrupt::Leftovers;

/// More than a password has.
const MOST: u64 = 4096;

/// Reads the new password of somebody.
pub(crate) fn read(whose: &str) -> Result<Secret, Failure> {
    if !stdin().is_terminal() {
        return line();
    }
    let first = typed(&format!("new password of {whose}:"))?;
    if typed("once more:")? != first {
        return Err(Failure::Usage("the two are not the same; nothing was changed".to_owned()));
    }
    Ok(first)
}

fn typed(prompt: &str) -> Result<Secret, Failure> {
    let _silence = Silence::begin()?;
    tell(prompt);
    let mut text = String::new();
    stdin().read_line(&mut text).map_err(Failure::host("standard input"))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

fn line() -> Result<Secret, Failure> {
    let mut text = String::new();
    let read = stdin().take(MOST + 1).read_to_string(&mut text);
    read.map_err(Failure::host("standard input"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::Usage(
            "there is no password on standard input: type it at a terminal, or send it as one line"
                .to_owned(),
        ));
    }
    Ok(Secret::new(text))
}

/// While this lives, the terminal does not show what is typed.
struct Silence {
    before: Termios,
    _leftovers: Leftovers,
}

impl Silence {
    fn begin() -> Result<Self, Failure> {
        let failed =
            |error: rustix::io::Errno| Failure::Host("the terminal".to_owned(), error.into());
        let before = tcgetattr(stdin()).map_err(failed)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let restored = before.clone();
        let leftovers = Leftovers::of(move || {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &restored);
        });
        tcsetattr(stdin(), OptionalActions::Flush, &silent).map_err(failed)?;
        Ok(Self { before, _leftovers: leftovers })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.before);
    }
}
