//! How right what `fathom scan` says is: compared with what people have judged.
//!
//! Judgements are given of images, which are not at hand; what is installed in them is collected from
//! the judgements themselves, and compared with a database that is compiled of real feeds.

mod labels;
mod origin;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use fathom_advisory::{Database, Day, Options, risk::Weights};
use fathom_feed::provider::Provider;
use fathom_report::Report;
use fathom_report::finding::NoteKind;

use self::labels::{Image, Verdict};
use self::origin::Origins;
use crate::shell::cache;

/// What is compared.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder of feeds and of judgements (`match-labels.tar.zst`).
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Take the database as it was compiled last.
    #[arg(long)]
    keep: bool,
    /// Name every judgement that differs.
    #[arg(long)]
    misses: bool,
    /// Only images whose names contain this.
    filter: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = cache()?.join("advisories");
    if !arguments.keep {
        compile(&arguments.data, &folder)?;
    }
    let database = Database::open(&folder)?;
    let origins = Origins::collect(&database)?;
    let mut images = labels::read(&arguments.data.join("match-labels.tar.zst"))?;
    ensure!(!images.is_empty(), "there are no judgements");
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for image in &mut images {
        if arguments.filter.as_ref().is_some_and(|it| !image.name.contains(it.as_str())) {
            continue;
        }
        let sum = sums.entry(image.distribution.clone()).or_default();
        judge(image, &database, &origins, sum, arguments.misses)?;
    }
    print!("{}", table(&sums));
    Ok(())
}

/// Makes the database of all feeds in the folder, two at a time.
fn compile(data: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut feeds = Vec::new();
    for entry in std::fs::read_dir(data).with_context(|| data.display().to_string())? {
        let path = entry?.path();
        if let Some(provider) = Provider::of(&path) {
            feeds.push((provider, path));
        }
    }
    if feeds.is_empty() {
        bail!("{}: there is no feed whose name is known", data.display());
    }
    let start = Instant::now();
    for (provider, path) in &feeds {
        let start = Instant::now();
        let about = provider.compile(path, folder, "2026-01-01T00:00:00Z")?;
        let size = std::fs::metadata(provider.path(folder))?.len();
        println!(
            "{:12} {:6.2} s {:8} advisories {:8} statements {:6.1} MiB, {} malformed {:?}",
            provider.name,
            start.elapsed().as_secs_f64(),
            about.advisories,
            about.statements,
            size as f64 / f64::from(1 << 20),
            about.malformed,
            about.examples.first(),
        );
    }
    println!("all of it in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

#[derive(Default)]
struct Sum {
    images: usize,
    found: usize,
    missed: usize,
    wrong: usize,
    right: usize,
    excluded: BTreeMap<&'static str, usize>,
}

fn judge(
    image: &mut Image,
    database: &Database,
    origins: &Origins,
    sum: &mut Sum,
    misses: bool,
) -> Result<()> {
    let report: Report = image.report(origins);
    let options = Options {
        weights: Weights::default(),
        texts: false,
        today: Day::default(),
        generator: String::new(),
    };
    let findings = fathom_advisory::scan(&report, &image.name, database, &options)?;
    let found: BTreeSet<(&str, &str, &str)> = findings
        .vulnerabilities
        .iter()
        .map(|it| (it.package.as_str(), it.installed_version.as_str(), it.cve_id.as_str()))
        .collect();
    image.is_covered = !findings.notes.iter().any(|note| note.kind == NoteKind::OsUnsupported);
    image.has_fixes_only = findings.notes.iter().any(|note| note.kind == NoteKind::FixesOnly);
    let mut said = BTreeSet::new();
    if image.has_fixes_only {
        let identity = &report.systems[0].identity;
        said = fathom_advisory::flaws_of(database, identity)?;
    }
    sum.images += 1;
    for label in &image.labels {
        if let Some(why) = image.excluded(label, database, &said) {
            *sum.excluded.entry(why).or_default() += 1;
            continue;
        }
        let is_found =
            found.contains(&(label.package.as_str(), label.shown.as_str(), label.flaw.as_str()));
        match (label.verdict, is_found) {
            (Verdict::Right, true) => sum.found += 1,
            (Verdict::Right, false) => sum.missed += 1,
            (Verdict::Wrong, true) => sum.wrong += 1,
            (Verdict::Wrong, false) => sum.right += 1,
        }
        if misses && is_found != (label.verdict == Verdict::Right) {
            println!(
                "{} {} {} {} {}: {}",
                if is_found { "WRONG" } else { "MISSED" },
                image.distribution,
                label.package,
                label.version,
                label.flaw,
                label.note,
            );
            let because = findings.vulnerabilities.iter().find(|it| {
                (&it.package, &it.installed_version, &it.cve_id)
                    == (&label.package, &label.shown, &label.flaw)
            });
            for reason in because.iter().flat_map(|it| &it.because) {
                println!("    {} {} {}", reason.advisory, reason.ecosystem, reason.rule);
            }
        }
    }
    Ok(())
}

fn table(sums: &BTreeMap<String, Sum>) -> String {
    let mut text = String::new();
    for (name, sum) in sums {
        let share = |part: usize, whole: usize| match whole {
            0 => "-".to_owned(),
            whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
        };
        let judged = sum.found + sum.missed + sum.wrong + sum.right;
        let excluded: usize = sum.excluded.values().sum();
        let _ = writeln!(
            text,
            "{name:20} {:2} images {judged:5} judged, {excluded:4} excluded {:?}; recall {} ({} of {}), precision {} ({} wrong)",
            sum.images,
            sum.excluded,
            share(sum.found, sum.found + sum.missed),
            sum.found,
            sum.found + sum.missed,
            share(sum.found, sum.found + sum.wrong),
            sum.wrong,
        );
    }
    text
}
