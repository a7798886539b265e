//! The tests, and everything else that must hold before a change is taken.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::services::{self, Kind};
use crate::shell::{cache, project, visible};
use crate::tools::{self, CARGO_DENY, cargo_tool};

/// How many damaged images a format are read in an ordinary test run; `cargo xtask mutants` reads
/// 10,000.
const MUTANTS: &str = "1000";

/// How to run the tests.
#[derive(clap::Args)]
pub(crate) struct TestArguments {
    /// Only what needs no packages and no root: `cargo test`.
    #[arg(long)]
    quick: bool,
    /// Do without this server; the tests that need it say so and pass.
    #[arg(long, value_delimiter = ',', conflicts_with = "quick")]
    without: Vec<Kind>,
}

/// Installs what is needed and runs every test.
pub(crate) fn test(arguments: &TestArguments) -> Result<()> {
    if !arguments.quick {
        step("packages", tools::setup)?;
        step("the oracle", || again(&["oracle"]))?;
        step("virt-inspector", || again(&["inspector"]))?;
        step("damaged images", || again(&["mutants", "--count", MUTANTS]))?;
        step("hostile images", || again(&["hostile"]))?;
        step("the corpus", corpus)?;
        step("the interface", || again(&["contract", "--examples", "25"]))?;
    }
    if arguments.quick {
        return step("cargo test", || visible(&project(), "cargo test --workspace"));
    }
    step("cargo test", || beside_servers(&arguments.without))
}

/// Runs the tests of all crates with the servers that they need. One that cannot be had fails its
/// tests, unless it is left out on purpose.
fn beside_servers(without: &[Kind]) -> Result<()> {
    let (left_out, kinds): (Vec<Kind>, Vec<Kind>) =
        Kind::ALL.iter().partition(|kind| without.contains(kind));
    let mut command = services::owned_by_us("TERM");
    command.args(["cargo", "test", "--workspace"]).current_dir(project());
    command.env("FATHOM_TEST_REQUIRED", "1");
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(Kind::to_string).collect();
        println!("without {}: what needs them is not tested", names.join(", "));
        command.env("FATHOM_TEST_WITHOUT", names.join(","));
    }
    services::during(&kinds, command)
}

/// Everything that continuous integration checks.
pub(crate) fn ci() -> Result<()> {
    step("format", || visible(&project(), "cargo fmt --all --check"))?;
    step("lints", || {
        visible(&project(), "cargo clippy --quiet --workspace --all-targets -- -D warnings")
    })?;
    step("documentation", || {
        visible(
            &project(),
            "RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc --quiet --workspace --no-deps \
             --document-private-items",
        )
    })?;
    step("dependencies", || {
        let deny = cargo_tool(CARGO_DENY)?;
        // Advisories need a database from the network; licences, bans and sources do not.
        visible(
            &project(),
            &format!("'{}' --log-level error check bans licenses sources", deny.display()),
        )
    })?;
    test(&TestArguments { quick: false, without: Vec::new() })
}

/// The corpus is not ours to carry: it is read where it lies beside the project, or in the cache.
fn corpus() -> Result<()> {
    let places = [project().join("../shared/corpora/visible.tar"), cache()?.join("corpus")];
    match places.iter().find(|place| place.exists()) {
        Some(place) => again(&["corpus", &place.display().to_string()]),
        None => {
            println!("skipped: there is no corpus of damaged images beside the project");
            Ok(())
        }
    }
}

/// Runs another task of this program.
fn again(arguments: &[&str]) -> Result<()> {
    let status = Command::new(std::env::current_exe()?).args(arguments).status()?;
    if status.success() { Ok(()) } else { bail!("cargo xtask {} failed", arguments.join(" ")) }
}

fn step(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("== {name}");
    let started = Instant::now();
    run()?;
    println!("== {name}: {:.0} s", started.elapsed().as_secs_f32());
    Ok(())
}
