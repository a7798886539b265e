//! `fathom`: knows every virtual machine down to the bottom of its disk.

#![forbid(unsafe_code)]
// These panic where nobody can read what they print: `output` and `exit` print.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod clock;
mod commands;
mod exit;
mod files;
mod hash;
mod interrupt;
mod machine;
mod output;
mod progress;
#[cfg(test)]
mod reference;
mod terminal;
mod text;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    exit::report_panics();
    interrupt::watch();
    let outcome = commands::run(args::Arguments::parse());
    exit::code(outcome)
}
