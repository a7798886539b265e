//! How right what `fathom scan` says is: compared with what people have judged.
//!
//! Judgements are given of images, which are not at hand; what is installed in them is collected from
//! the judgements themselves, and compared with a database that is compiled of real feeds.

mod agreement;
mod labels;
mod origin;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use fathom_advisory::{Database, Day, Opinion, Options, risk::Weights};
use fathom_feed::provider::Provider;
use fathom_report::Report;
use fathom_report::finding::{NoteKind, State};

use self::labels::{Image, Label, Verdict};
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
    labels::compare(&mut images, &origins);
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    for image in &mut images {
        if arguments.filter.as_ref().is_some_and(|it| !image.name.contains(it.as_str())) {
            continue;
        }
        let sum = sums.entry(image.distribution.clone()).or_default();
        judge(image, &database, sum, arguments.misses)?;
    }
    print!("{}\n{}", table(&sums), by_distribution(&sums));
    if arguments.filter.is_none() {
        print!("{}", agreement::table(&database)?);
    }
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

/// What came of the judgements of a release.
#[derive(Default)]
struct Sum {
    images: usize,
    found: usize,
    right: usize,
    /// Flaws that were not found, by why.
    missed: BTreeMap<Cause, usize>,
    /// Flaws that were found and are none, by why.
    wrong: BTreeMap<Cause, usize>,
    excluded: BTreeMap<&'static str, usize>,
}

impl Sum {
    fn judged(&self) -> usize {
        self.found + self.right + all(&self.missed) + all(&self.wrong)
    }

    fn add(&mut self, other: &Self) {
        self.images += other.images;
        self.found += other.found;
        self.right += other.right;
        let causes = [(&mut self.missed, &other.missed), (&mut self.wrong, &other.wrong)];
        for (own, theirs) in causes {
            theirs.iter().for_each(|(cause, count)| *own.entry(*cause).or_default() += count);
        }
        for (why, count) in &other.excluded {
            *self.excluded.entry(why).or_default() += count;
        }
    }
}

/// Why what is judged of something else than a package of the distribution is left out.
const NO_PACKAGE: &str = "no package of the distribution";

/// Why what we say differs from a judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// The feed says that the package was never affected.
    SaidNever,
    /// The feed says that an earlier version than the one that is installed mended it.
    SaidMended,
    /// The feed says it, of this version.
    SaidSo,
    /// The feed says something of it, of packages of other names alone.
    OtherName,
    /// Neither: it is ours.
    Ours,
}

impl Cause {
    /// Whether the judgement contradicts what the provider itself says.
    fn is_of_feed(self) -> bool {
        matches!(self, Self::SaidNever | Self::SaidMended | Self::SaidSo)
    }

    fn text(self) -> &'static str {
        match self {
            Self::SaidNever => "the feed says: never affected",
            Self::SaidMended => "the feed says: mended before",
            Self::SaidSo => "the feed says it",
            Self::OtherName => "source unknown",
            Self::Ours => "ours",
        }
    }

    fn of(opinions: &[Opinion], is_found: bool) -> Self {
        if is_found {
            return match opinions.iter().any(|it| it.holds) {
                true => Self::SaidSo,
                false => Self::Ours,
            };
        }
        let is_mended = |it: &Opinion| !it.holds && it.upper.is_some();
        match opinions {
            [] => Self::OtherName,
            _ if opinions.iter().any(is_mended) => Self::SaidMended,
            _ if opinions.iter().any(|it| it.state == State::NotAffected) => Self::SaidNever,
            _ => Self::Ours,
        }
    }
}

/// The day as of which images are compared: no release is over any later than it is now.
const TODAY: &str = "2026-01-01";

fn judge(image: &mut Image, database: &Database, sum: &mut Sum, misses: bool) -> Result<()> {
    let report: Report = image.report();
    let today = Day::of(TODAY);
    let options =
        Options { weights: Weights::default(), texts: false, today, generator: String::new() };
    let findings = fathom_advisory::scan(&report, &image.name, database, &options)?;
    let found: BTreeSet<(&str, &str, &str)> = findings
        .vulnerabilities
        .iter()
        .map(|it| (it.package.as_str(), it.installed_version.as_str(), it.cve_id.as_str()))
        .collect();
    image.is_covered = !findings.notes.iter().any(|note| note.kind == NoteKind::OsUnsupported);
    let [system] = report.systems.as_slice() else { bail!("{}: no system", image.name) };
    let said = fathom_advisory::flaws_of(database, system, today)?;
    sum.images += 1;
    for label in &image.labels {
        if let Some(why) = image.excluded(label, database, &said) {
            *sum.excluded.entry(why).or_default() += 1;
            continue;
        }
        let installed = &system.packages.items;
        let at = installed
            .iter()
            .position(|it| it.name == label.package && it.full_version() == label.shown)
            .with_context(|| format!("{} is not in the report", label.package))?;
        let opinions = |flaw| fathom_advisory::opinions(database, system, at..at + 1, flaw, today);
        let of_flaw = opinions(label.flaw.parse().ok())?;
        // Where much is said of the package, its name is right; a module's stream may be another.
        if of_flaw.is_empty() && !label.version.contains(".module") && !opinions(None)?.is_empty() {
            *sum.excluded.entry("not of this package in the feed").or_default() += 1;
            continue;
        }
        let is_found =
            found.contains(&(label.package.as_str(), label.shown.as_str(), label.flaw.as_str()));
        match (label.verdict, is_found) {
            (Verdict::Right, true) => sum.found += 1,
            (Verdict::Wrong, false) => sum.right += 1,
            (Verdict::Right, false) | (Verdict::Wrong, true) => {
                let cause = Cause::of(&of_flaw, is_found);
                let counted = if is_found { &mut sum.wrong } else { &mut sum.missed };
                *counted.entry(cause).or_default() += 1;
                if misses {
                    print_miss(image, label, is_found, cause, &of_flaw);
                }
            }
        }
    }
    Ok(())
}

fn print_miss(image: &Image, label: &Label, is_found: bool, cause: Cause, opinions: &[Opinion]) {
    println!(
        "{} {} {} {} {}, {}: {}",
        if is_found { "WRONG" } else { "MISSED" },
        image.distribution,
        label.package,
        label.version,
        label.flaw,
        cause.text(),
        label.note,
    );
    for it in opinions {
        let upper = it.upper.as_deref().unwrap_or("all");
        let holds = if it.holds { "holds" } else { "does not hold" };
        println!("    {} before {upper}: {}, {holds}", it.ecosystem, it.state.name());
    }
}

fn table(sums: &BTreeMap<String, Sum>) -> String {
    let mut text = String::from(
        "| system | images | judged | left out | recall | precision | where the feed agrees | differs because |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (name, sum) in sums {
        let excluded: Vec<_> =
            sum.excluded.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let causes = sum.missed.iter().map(|it| ("missed", it));
        let causes = causes.chain(sum.wrong.iter().map(|it| ("wrong", it)));
        let causes: Vec<_> = causes
            .map(|(how, (cause, count))| format!("{count} {how}: {}", cause.text()))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {}, {} | {} |",
            if name.is_empty() { "none" } else { name },
            sum.images,
            sum.judged(),
            excluded.join(", "),
            share(sum.found, sum.found + all(&sum.missed)),
            share(sum.found, sum.found + all(&sum.wrong)),
            share(sum.found, sum.found + own(&sum.missed)),
            share(sum.found, sum.found + own(&sum.wrong)),
            causes.join("; "),
        );
    }
    text
}

/// All releases of a distribution together, with how much was left out of what is judged of its
/// packages.
fn by_distribution(sums: &BTreeMap<String, Sum>) -> String {
    let mut together: BTreeMap<&str, Sum> = BTreeMap::new();
    for (name, sum) in sums.iter().filter(|(_, sum)| sum.judged() > 0) {
        let name = name.split(' ').next().unwrap_or_default();
        together.entry(name).or_default().add(sum);
    }
    let mut text = String::from(
        "| distribution | judged | left out of its packages | recall | precision | contradicts the feed |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, sum) in &together {
        let of_others = sum.excluded.get(NO_PACKAGE).copied().unwrap_or_default();
        let excluded = sum.excluded.values().sum::<usize>() - of_others;
        let of_feed = [&sum.missed, &sum.wrong].map(|it| all(it) - own(it)).iter().sum::<usize>();
        let _ = writeln!(
            text,
            "| {name} | {} | {excluded}, {} | {} | {} | {of_feed}, {} |",
            sum.judged(),
            share(excluded, excluded + sum.judged()),
            share(sum.found, sum.found + all(&sum.missed)),
            share(sum.found, sum.found + all(&sum.wrong)),
            share(of_feed, sum.judged()),
        );
    }
    text
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{:.1} %", 100.0 * part as f64 / whole as f64),
    }
}

fn all(counted: &BTreeMap<Cause, usize>) -> usize {
    counted.values().sum()
}

/// Those that are not of the feed.
fn own(counted: &BTreeMap<Cause, usize>) -> usize {
    counted.iter().filter(|(cause, _)| !cause.is_of_feed()).map(|(_, count)| count).sum()
}
