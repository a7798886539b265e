//! What is known to be wrong: making the database, and asking it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fathom_advisory::Database;

use super::inspect::Server;
use super::measure::Program;
use crate::shell::{bash, cache, project};

/// The section of the page, of the feeds in a folder.
pub(super) fn section(fathom: &Path, data: &Path, runs: usize) -> Result<String> {
    let server = Server::make()?;
    let folder = cache()?.join("bench-scan");
    std::fs::create_dir_all(&folder)?;
    let report = folder.join("server.json");
    let image = server.image("server.qcow2");
    let show = |path: &Path| path.display().to_string();
    let inspect = format!("{} inspect --json {image} > {}", show(fathom), show(&report));
    bash(Path::new("/"), &inspect)?;
    let mut text = format!(
        "## What is known to be wrong\n\nThe guest: {}. Feeds: those that docs/accuracy.md tells of.\n\n",
        server.description()?
    );
    let database = folder.join("db");
    compile(fathom, data, &database, &mut text)?;
    processes(fathom, &database, &report, &image, runs, &mut text)?;
    within(&database, &report, &mut text)?;
    Ok(text)
}

/// Making the database of all feeds.
fn compile(fathom: &Path, data: &Path, database: &Path, text: &mut String) -> Result<()> {
    let build = |jobs: usize| {
        format!(
            "{} db build {} --db {} --jobs {jobs}",
            fathom.display(),
            data.display(),
            database.display()
        )
    };
    text.push_str(
        "`fathom db build FEEDS`. Goals: 60 s on two cores, 512 MiB; tables that are looked things up \
         in of 60 MiB.\n\n| feeds at once | time | memory |\n|---|---|---|\n",
    );
    for jobs in [1, 2] {
        let program = Program::new(&build(jobs)).ending_with(&[0, 9]);
        let seconds = program.time(1)?;
        let memory = program.memory()? as f64 / 1024.0;
        let _ = writeln!(text, "| {jobs} | {:.1} s | {memory:.0} MiB |", seconds.median);
    }
    let database = Database::open(database)?;
    let (mut hot, mut cold, mut statements) = (0, 0, 0);
    for segment in database.segments() {
        let (more, texts) = segment.sizes();
        (hot, cold) = (hot + more, cold + texts);
        statements += segment.about().statements;
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let _ = writeln!(
        text,
        "\n{statements} statements of {} providers: tables {:.1} MiB, texts {:.1} MiB.\n",
        database.segments().len(),
        mib(hot),
        mib(cold)
    );
    Ok(())
}

/// Whole processes.
fn processes(
    fathom: &Path,
    database: &Path,
    report: &Path,
    image: &str,
    runs: usize,
    text: &mut String,
) -> Result<()> {
    text.push_str(
        "Whole processes, the database in the page cache. Goals: 25 ms and 48 MiB for a report, \
         150 ms for an image.\n\n| what | median | least | memory |\n|---|---|---|---|\n",
    );
    let (fathom, report) = (fathom.display(), report.display());
    for (name, words) in [
        ("a report", format!("scan {report}")),
        ("a report, as JSON with descriptions", format!("scan {report} --json")),
        ("an image, end to end", format!("scan {image}")),
    ] {
        let command = format!("{fathom} {words} --db {}", database.display());
        // 9: the feeds are old, which is said.
        let program = Program::new(&command).ending_with(&[0, 9]);
        let seconds = program.time(runs * 4)?;
        let _ = writeln!(
            text,
            "| {name} | {:.1} ms | {:.1} ms | {:.1} MiB |",
            seconds.median * 1e3,
            seconds.least * 1e3,
            program.memory()? as f64 / 1024.0
        );
    }
    text.push('\n');
    Ok(())
}

/// Without starting a process.
fn within(database: &Path, report: &Path, text: &mut String) -> Result<()> {
    let command = format!(
        "cargo bench --quiet -p fathom-advisory --bench scan -- {} {}",
        database.display(),
        report.display()
    );
    let said = bash(&project(), &command)?;
    let figures: BTreeMap<&str, &str> =
        said.lines().filter_map(|line| line.split_once(' ')).collect();
    let figure = |name: &str| figures.get(name).copied().with_context(|| format!("no {name}"));
    ensure!(figure("findings")? != "0", "the bench found nothing");
    let _ = writeln!(
        text,
        "Without starting a process (`cargo bench -p fathom-advisory -- DATABASE REPORT`), on one core: \
         {} packages are compared in {} ms, and {} findings told in {} ms; the database is opened in \
         {} ms. Goal: 5 ms for 500 packages. A prototype of the least that is needed took 2.0 ms for \
         436 sources of Ubuntu with warm caches, 39 ms with cold ones, and 15 MiB.\n",
        figure("packages")?,
        figure("match-ms")?,
        figure("findings")?,
        figure("scan-ms")?,
        figure("open-ms")?,
    );
    let _ = writeln!(
        text,
        "A fleet of 10,000 machines of {} kinds, each kind with some packages and versions of its own \
         and no two neighbours alike, on two cores. Goal: 2,000 machines a second.\n\n\
         | what | machines a second |\n|---|---|\n\
         | it is kept what each machine is like, as a store does: each kind is compared once | {} |\n\
         | reports of {} MiB in all, as JSON in memory: parsed, and compared where it is a new kind | {} |\n\
         | the same, parsed and nothing else | {} |\n",
        figure("fleet-kinds")?,
        figure("fleet-kept")?,
        figure("fleet-mib")?,
        figure("fleet-reports")?,
        figure("fleet-parse")?,
    );
    Ok(())
}
