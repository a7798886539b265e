//! Everything a developer runs: `cargo xtask --help`.

mod mutants;
mod oracle;
mod shell;

use clap::{Parser, Subcommand};

/// Everything a developer of Fathom runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compare what we read with the kernel and with the tools that own each format.
    Oracle(oracle::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Oracle(arguments) => oracle::run(&arguments),
    }
}
