//! Everything a developer runs: `cargo xtask --help`.

mod accuracy;
mod appliance;
mod bench;
mod check;
mod contract;
mod corpus;
mod coverage;
mod fuzz;
mod hostile;
mod inspector;
mod mutants;
mod oracle;
mod sample;
mod services;
mod shell;
mod tools;

use std::process::ExitCode;

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
    /// Install what tests need, and run them all.
    Test(check::TestArguments),
    /// Everything that continuous integration checks: format, lints, docs, dependencies, tests.
    Ci,
    /// Install the Debian packages that tests need.
    Setup,
    /// Run a command beside real servers: PostgreSQL, the brokers, a provider of identities.
    Services(services::Arguments),
    /// Compare what we read with the kernel and with the tools that own each format.
    Oracle(oracle::Arguments),
    /// Compare LVM, LUKS and md with a kernel that maps them, under emulation: slow, and not part of CI.
    Appliance(appliance::Arguments),
    /// Compare what machines are with virt-inspector.
    Inspector(inspector::Arguments),
    /// Read damaged images, made from healthy ones with their checksums mended.
    Mutants(mutants::Arguments),
    /// Ask the service what its document says may be asked, and what not.
    Contract(contract::Arguments),
    /// Read a directory of damaged and odd images under limits of memory and time.
    Corpus(corpus::Arguments),
    /// Read images made by hand to hurt, with the program itself.
    Hostile(hostile::Arguments),
    /// Fuzz the parsers for a bounded time.
    Fuzz(fuzz::Arguments),
    /// Measure which lines the tests run, and fail below the thresholds.
    Coverage(coverage::Arguments),
    /// Compare findings with what people have judged.
    Accuracy(accuracy::Arguments),
    /// Measure, and write docs/benchmarks.md.
    Bench(bench::Arguments),
    /// Make the sample disks that the documents look into.
    Sample(sample::Arguments),
    #[command(hide = true)]
    MutantsChild(mutants::ChildArguments),
    #[command(hide = true)]
    CorpusOne(corpus::OneArguments),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Test(arguments) => check::test(&arguments),
        Task::Ci => check::ci(),
        Task::Setup => tools::setup(),
        Task::Accuracy(arguments) => accuracy::run(&arguments),
        Task::Services(arguments) => services::run(&arguments),
        Task::Oracle(arguments) => oracle::run(&arguments),
        Task::Inspector(arguments) => inspector::run(&arguments),
        Task::Appliance(arguments) => appliance::run(&arguments),
        Task::Mutants(arguments) => mutants::run(&arguments),
        Task::Contract(arguments) => contract::run(&arguments),
        Task::Corpus(arguments) => corpus::run(&arguments),
        Task::Hostile(arguments) => hostile::run(&arguments),
        Task::Fuzz(arguments) => fuzz::run(&arguments),
        Task::Coverage(arguments) => coverage::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Sample(arguments) => sample::make(&arguments),
        Task::MutantsChild(arguments) => mutants::child(&arguments),
        Task::CorpusOne(arguments) => corpus::one(&arguments),
    }
}
