//! What a service does under load: a fleet of any size that dice make, and callers that come at a steady
//! rate: `cargo run --release --package fathom-load -- --help`. No test needs it.

#![forbid(unsafe_code)]

mod dice;
mod fleet;
mod jobs;
mod keep;
mod reads;
mod web;

use clap::{Parser, Subcommand};

/// Puts a service under load, and measures.
#[derive(Parser)]
#[command(name = "fathom-load")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fill a store with machines.
    Fill(keep::Arguments),
    /// Read from a service over such a store, at a steady rate.
    Reads(reads::Arguments),
    /// Have a service do jobs, and see how many it does in a second.
    Jobs(jobs::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Fill(arguments) => keep::run(&arguments),
        Task::Reads(arguments) => reads::run(&arguments),
        Task::Jobs(arguments) => jobs::run(&arguments),
    }
}
