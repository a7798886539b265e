//! What the terminal is like that tables are shown on.

use std::io::{IsTerminal as _, stdout};

use crate::args::{Colour, When};

/// The narrowest that tables are laid out for.
const NARROWEST: usize = 40;

/// How tables are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// How many columns there are; without a limit where no terminal shows it.
    pub(crate) width: Option<usize>,
    /// Whether there is colour.
    pub(crate) colour: bool,
}

/// What text is, where that is shown by colour too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// A heading.
    Heading,
    /// Of less weight than the rest.
    Faint,
    /// Something to be looked after.
    Warning,
    /// Something grave.
    Critical,
    /// As it should be.
    Good,
}

impl Style {
    /// That of standard output.
    pub(crate) fn of_output(colour: Colour) -> Self {
        let terminal = stdout().is_terminal();
        let environment = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let window = || {
            let size = rustix::termios::tcgetwinsize(stdout()).ok()?;
            Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
        };
        let width = match environment {
            Some(columns) => Some(columns),
            None if terminal => Some(window().unwrap_or(80)),
            None => None,
        };
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            width: width.map(|columns: usize| columns.max(NARROWEST)),
            colour: match colour.color {
                When::Always => true,
                When::Never => false,
                When::Auto => terminal && !refused,
            },
        }
    }

    /// That of a file.
    pub(crate) fn of_file(colour: Colour) -> Self {
        Self { width: None, colour: colour.color == When::Always }
    }

    /// The text in the colour of what it is.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Heading => "1",
            Paint::Faint => "2",
            Paint::Warning => "33",
            Paint::Critical => "1;31",
            Paint::Good => "32",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
