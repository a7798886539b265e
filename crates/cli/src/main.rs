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
mod password;
mod progress;
#[cfg(test)]
mod reference;
mod terminal;
mod text;

use clap::Parser as _;

/// The command by which a service starts this program to read an image in a process that has nothing
/// to lose. It is no part of what is typed, and comes before everything else: there must be one thread
/// when the process is confined.
const CONFINED: &str = "__confined";

fn main() -> std::process::ExitCode {
    if std::env::args_os().nth(1).is_some_and(|first| first == CONFINED) {
        return fathom_worker::image::child::main();
    }
    exit::report_panics();
    interrupt::watch();
    let outcome = commands::run(args::Arguments::parse());
    exit::code(outcome)
}
