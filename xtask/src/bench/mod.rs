//! The figures in `docs/benchmarks.md`, and the commands that make them.

mod guest;
mod inspect;
mod measure;
mod scan;
mod server;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::shell::{bash, project, visible};
use crate::tools;
use guest::Guest;
use measure::{Program, alternate};

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each command is run.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Print the figures without writing them down.
    #[arg(long)]
    dry_run: bool,
    /// Measure these alone, and keep the others as they are on the page.
    #[arg(long, value_enum)]
    only: Vec<Subject>,
    /// The folder of feeds; without it, what is known to be wrong is not measured.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// A section of the page.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Subject {
    First,
    Sequential,
    Walk,
    Inspect,
    Scan,
}

/// Measures with the program, the guest and so many runs, and gives the section of the page.
type Section<'s> = &'s dyn Fn(&Path, &Guest, usize) -> Result<String>;

/// Measures everything and writes `docs/benchmarks.md`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    tools::setup()?;
    tools::install_packages(&["time"])?;
    visible(&project(), "cargo build --quiet --release --package fathom-cli")?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let fathom = project().join(target).join("release/fathom");
    let guest = Guest::make()?;
    let path = project().join("docs/benchmarks.md");
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    let before: Vec<&str> = before.split("\n## ").skip(1).collect();
    let mut page = String::from(HEAD);
    let _ = writeln!(page, "{}\n", machine()?);
    let _ = writeln!(page, "The guest: {}\n", guest.description);
    let data = arguments.data.as_deref();
    let scanning = |fathom: &Path, _: &Guest, runs: usize| match data {
        Some(data) => scan::section(fathom, data, runs),
        None => Ok(String::new()),
    };
    let sections: [(Subject, Section<'_>); 5] = [
        (Subject::First, &first_file),
        (Subject::Sequential, &sequential),
        (Subject::Walk, &walk),
        (Subject::Inspect, &inspection),
        (Subject::Scan, &scanning),
    ];
    for (index, (subject, section)) in sections.into_iter().enumerate() {
        let is_wanted = arguments.only.is_empty() || arguments.only.contains(&subject);
        if is_wanted && (subject != Subject::Scan || data.is_some()) {
            let text = section(&fathom, &guest, arguments.runs)?;
            print!("{text}");
            page.push_str(&text);
        } else if let Some(kept) = before.get(index) {
            let _ = writeln!(page, "## {}\n", kept.trim_end());
        }
    }
    if !arguments.dry_run {
        std::fs::write(path, page)?;
    }
    Ok(())
}

const HEAD: &str = "# Benchmarks\n\n\
    Written by `cargo xtask bench`. Whole processes are timed, from their start to their end; every \
    figure is the median of several runs, commands that are compared run in turn. Machines differ \
    and are shared: the ratios are what travels.\n\n";

fn machine() -> Result<String> {
    let said = bash(
        Path::new("/"),
        "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2; nproc; uname -r | cut -d. -f1-2; \
         qemu-img --version | head -1",
    )?;
    let lines: Vec<_> = said.lines().map(str::trim).collect();
    let part = |index: usize| lines.get(index).copied().unwrap_or("?");
    Ok(format!("Machine: {}, {} cores, Linux {}; {}.", part(0), part(1), part(2), part(3)))
}

/// Opening a disk and reading the first files: hot, and over a slow network.
fn first_file(fathom: &Path, guest: &Guest, runs: usize) -> Result<String> {
    let mut text = String::from(
        "## Opening and reading the first files\n\n\
         `fathom cat IMAGE /etc/os-release /var/lib/dpkg/status`, image in the page cache. Goals: \
         10 ms, 40 MiB, under 1 % of the image's bytes; over HTTP at most 15 round trips to the \
         first file.\n\n\
         | image | median | least | memory | bytes read | share of the file |\n|---|---|---|---|---|---|\n",
    );
    for (name, image) in &guest.first {
        let program = Program::new(&format!(
            "{} cat {} /etc/os-release /var/lib/dpkg/status",
            fathom.display(),
            image.display()
        ));
        let seconds = program.time(runs * 10)?;
        let bytes = bytes_read(fathom, &image.display().to_string())?;
        let size = std::fs::metadata(image)?.len();
        let _ = writeln!(
            text,
            "| {name} | {:.1} ms | {:.1} ms | {:.1} MiB | {:.2} MiB | {:.3} % |",
            seconds.median * 1e3,
            seconds.least * 1e3,
            program.memory()? as f64 / 1024.0,
            bytes as f64 / f64::from(1 << 20),
            bytes as f64 * 100.0 / size as f64,
        );
    }
    text.push_str(
        "\nThe same first file over HTTP, with every answer delayed by 50 ms: round trips' worth of \
         latency is the time taken divided by the delay.\n\n\
         | image | requests | time | round trips' worth |\n|---|---|---|---|\n",
    );
    let delay = Duration::from_millis(50);
    for (name, image) in &guest.first {
        let server = server::Server::start(image, delay)?;
        let program =
            Program::new(&format!("{} cat {} /etc/os-release", fathom.display(), server.url()));
        let seconds = program.time(3)?;
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {:.0} ms | {:.1} |",
            server.requests() as f64 / 4.0,
            seconds.median * 1e3,
            seconds.median / delay.as_secs_f64(),
        );
    }
    text.push('\n');
    Ok(text)
}

/// Bytes that reading the two files costs, as `--io` counts them.
fn bytes_read(fathom: &Path, image: &str) -> Result<u64> {
    let script = format!(
        "'{}' cat --io '{image}' /etc/os-release /var/lib/dpkg/status 2>&1 >/dev/null | tail -n 1",
        fathom.display()
    );
    let said = bash(Path::new("/"), &script)?;
    let number = said.split_whitespace().find_map(|word| word.parse().ok());
    number.context("cat --io did not say what it read")
}

/// Reading whole images, beside qemu-img.
fn sequential(fathom: &Path, guest: &Guest, runs: usize) -> Result<String> {
    let mut text = String::from(
        "## Reading a whole image\n\n\
         `fathom disk convert IMAGE out.raw` beside `qemu-img convert -O raw IMAGE out.raw`, to \
         tmpfs where it fits. Goal: at least 0.8 times the speed of qemu-img on one core; compressed \
         images use all cores.\n\n\
         | image | cores | fathom | qemu-img | speed (qemu-img = 1) |\n|---|---|---|---|---|\n",
    );
    let out = guest.scratch();
    for (name, image) in &guest.containers {
        for (cores, pin) in [("one", "taskset -c 0 "), ("all", "")] {
            let ours = format!(
                "{pin}{} disk convert --force {} {out}/ours.raw",
                fathom.display(),
                image.display()
            );
            let theirs =
                format!("{pin}qemu-img convert -O raw {} {out}/theirs.raw", image.display());
            let (ours, theirs) = alternate(&Program::new(&ours), &Program::new(&theirs), runs)?;
            let _ = writeln!(
                text,
                "| {name} | {cores} | {:.2} s | {:.2} s | {:.2} |",
                ours.median,
                theirs.median,
                theirs.median / ours.median,
            );
        }
        bash(Path::new("/"), &format!("cmp {out}/ours.raw {out}/theirs.raw"))?;
    }
    bash(Path::new("/"), &format!("rm -f {out}/ours.raw {out}/theirs.raw"))?;
    text.push('\n');
    Ok(text)
}

fn inspection(fathom: &Path, _: &Guest, runs: usize) -> Result<String> {
    inspect::section(fathom, runs)
}

/// A walk with the SHA-256 of every file, beside the kernel.
fn walk(fathom: &Path, guest: &Guest, runs: usize) -> Result<String> {
    let mut text = String::from(
        "## Walking everything\n\n\
         `fathom hash --recursive IMAGE /` beside a loop mount by the kernel and \
         `find -type f -print0 | xargs -0 sha256sum` in it, with as many processes as there are \
         cores. Goal: within 1.5 times.\n\n\
         | filesystem | fathom | kernel and sha256sum | ratio |\n|---|---|---|---|\n",
    );
    let mount = guest.scratch();
    for (name, image) in &guest.filesystems {
        let ours = format!("{} hash --recursive {} /", fathom.display(), image.display());
        let theirs = format!(
            "mkdir -p {mount}/mnt; mount -o loop,ro {} {mount}/mnt; \
             (cd {mount}/mnt; find . -type f -print0 | xargs -0 -P $(nproc) -n 200 sha256sum); \
             umount {mount}/mnt",
            image.display()
        );
        let (ours, theirs) = alternate(&Program::new(&ours), &Program::script(theirs), runs)?;
        let _ = writeln!(
            text,
            "| {name} | {:.2} s | {:.2} s | {:.2} |",
            ours.median,
            theirs.median,
            ours.median / theirs.median
        );
        agree(fathom, image, &mount)?;
    }
    text.push('\n');
    Ok(text)
}

/// The figures are worth nothing if the answers differ.
fn agree(fathom: &Path, image: &Path, mount: &str) -> Result<()> {
    let script = format!(
        "mkdir -p {mount}/mnt; mount -o loop,ro {image} {mount}/mnt; \
         (cd {mount}/mnt; find . -type f -print0 | xargs -0 -P 2 -n 200 sha256sum | sed 's|  \\./|  /|') | sort > {mount}/theirs; \
         umount {mount}/mnt; {fathom} hash --recursive {image} / | sort > {mount}/ours; \
         cmp {mount}/ours {mount}/theirs",
        image = image.display(),
        fathom = fathom.display(),
    );
    bash(Path::new("/"), &script).map(|_| ())
}
