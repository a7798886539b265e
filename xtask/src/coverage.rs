//! Which lines the tests run: `cargo test`, the oracle, damaged images and machines of several disks
//! together.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

use crate::shell::{bash, project, visible};
use crate::tools::{self, CARGO_LLVM_COV, cargo_tool};

/// The least that is accepted of the whole workspace, in percent.
const WORKSPACE: f64 = 70.0;

/// The least that is accepted of each crate that parses what strangers wrote.
const PARSERS: f64 = 85.0;
const PARSER_CRATES: &[&str] =
    &["crates/block/", "crates/volume/", "crates/filesystem/", "crates/registry/", "crates/guest/"];

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Also print every file.
    #[arg(long)]
    files: bool,
    /// Damaged images a format.
    #[arg(long, default_value_t = 300)]
    mutants: u64,
}

#[derive(Clone, Copy, Default)]
struct Lines {
    all: u64,
    run: u64,
}

impl Lines {
    /// Of no lines at all none were run: a crate that was not measured does not pass.
    fn percent(self) -> f64 {
        if self.all == 0 { 0.0 } else { self.run as f64 * 100.0 / self.all as f64 }
    }

    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.run += other.run;
    }
}

/// Measures, prints and judges.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    tools::setup()?;
    let llvm = llvm()?;
    let program = cargo_tool(CARGO_LLVM_COV)?;
    let script = format!(
        "export LLVM_COV=/usr/bin/llvm-cov-{llvm} LLVM_PROFDATA=/usr/bin/llvm-profdata-{llvm}\n\
         source <('{cov}' llvm-cov show-env --sh)\n\
         '{cov}' llvm-cov clean --workspace\n\
         cargo test --quiet --workspace\n\
         cargo run --quiet --package xtask -- oracle\n\
         cargo run --quiet --package xtask -- mutants --count {mutants}\n\
         cargo run --quiet --package xtask -- hostile machine/\n\
         '{cov}' llvm-cov report --lcov --output-path target/lcov.info",
        cov = program.display(),
        mutants = arguments.mutants,
    );
    visible(&project(), &script)?;
    let report = std::fs::read_to_string(project().join("target/lcov.info"))?;
    judge(&parse(&report), arguments.files)
}

/// The version of LLVM that the compiler was made with; Debian carries its tools.
fn llvm() -> Result<String> {
    let said = bash(&project(), "rustc -vV")?;
    let version = said
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))
        .and_then(|version| version.split('.').next())
        .context("rustc does not say which LLVM it has")?;
    tools::install_packages(&[&format!("llvm-{version}")])
        .with_context(|| format!("the tools of LLVM {version} are needed"))?;
    Ok(version.to_owned())
}

/// Lines by file, from an lcov report.
fn parse(report: &str) -> BTreeMap<String, Lines> {
    let root = format!("{}/", project().display());
    let mut files = BTreeMap::new();
    let mut current = String::new();
    for line in report.lines() {
        if let Some(path) = line.strip_prefix("SF:") {
            current = path.strip_prefix(&root).unwrap_or(path).to_owned();
        } else if let Some(data) = line.strip_prefix("DA:") {
            let count = data.split(',').nth(1).and_then(|count| count.parse::<u64>().ok());
            let lines: &mut Lines = files.entry(current.clone()).or_default();
            lines.add(Lines { all: 1, run: u64::from(count.unwrap_or(0) > 0) });
        }
    }
    files
}

fn judge(files: &BTreeMap<String, Lines>, list: bool) -> Result<()> {
    let mut workspace = Lines::default();
    let mut parsers = vec![Lines::default(); PARSER_CRATES.len()];
    for (path, lines) in files.iter().filter(|(path, _)| path.starts_with("crates/")) {
        workspace.add(*lines);
        for (name, sum) in PARSER_CRATES.iter().zip(&mut parsers) {
            if path.starts_with(name) {
                sum.add(*lines);
            }
        }
        if list {
            println!("{:>6.1} % of {:>5}  {path}", lines.percent(), lines.all);
        }
    }
    let mut low = Vec::new();
    let mut say = |name: &str, lines: Lines, least: f64| {
        println!("{name}: {:.1} % of {} lines (at least {least} %)", lines.percent(), lines.all);
        if lines.percent() < least {
            low.push(name.to_owned());
        }
    };
    for (name, lines) in PARSER_CRATES.iter().zip(parsers) {
        say(name, lines, PARSERS);
    }
    say("workspace", workspace, WORKSPACE);
    if low.is_empty() { Ok(()) } else { bail!("too few lines are run of {low:?}") }
}
