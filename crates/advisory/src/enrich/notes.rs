//! What findings do not say, and why.

use std::collections::BTreeSet;

use fathom_report::finding::{Note, NoteKind};
use fathom_report::{Coverage, Fact, Report, System};

use crate::database::Database;
use crate::day::Day;
use crate::error::Result;
use crate::matching::{Distribution, Matches, Why};

/// After how many days a database is old: some provider publishes every day.
const FRESH: u16 = 7;

fn note(kind: NoteKind, message: impl Into<String>) -> Note {
    Note { kind, message: message.into() }
}

/// What is to be said of the database itself, of which these providers speak of what is installed.
/// Whoever speaks of no ecosystem speaks of all flaws.
pub(super) fn of_database(
    database: &Database,
    providers: &BTreeSet<&str>,
    today: Day,
) -> Result<Vec<Note>> {
    if database.segments().is_empty() {
        let message = format!(
            "there is no database in {}, so nothing was compared; `fathom db update` gets one",
            database.folder().display(),
        );
        return Ok(vec![note(NoteKind::MissingScanner, message)]);
    }
    let mut notes = Vec::new();
    let mut stale: Vec<(u16, &str)> = Vec::new();
    let mut undated: Vec<&str> = Vec::new();
    let mut asked = 0;
    for segment in database.segments() {
        let about = segment.about();
        let speaks = providers.contains(about.provider.as_str());
        if !speaks && !segment.namespaces()?.is_empty() {
            continue;
        }
        asked += 1;
        // What the data itself says; files of old feeds can be made today.
        let as_of = Some(Day::of(&about.as_of)).filter(|day| day.is_known());
        let age = as_of.unwrap_or_else(|| Day::of(&about.built)).until(today);
        if today.is_known() && age > FRESH {
            stale.push((age, &about.provider));
        } else if today.is_known() && as_of.is_none() {
            undated.push(&about.provider);
        }
    }
    if !undated.is_empty() {
        let message = format!(
            "it is not known how old the database is: neither what is said in it nor the feed that it \
             was made of has a date ({})",
            undated.join(", "),
        );
        notes.push(note(NoteKind::DatabaseStale, message));
    }
    if let Some((age, provider)) = stale.iter().max() {
        let message = format!(
            "the database is old: {} of the {asked} files that have to do with it are of more than \
             {FRESH} days ago, that of {provider} of {age}; what was published since is not in it",
            stale.len(),
        );
        notes.push(note(NoteKind::DatabaseStale, message));
    }
    Ok(notes)
}

/// What is to be said where it is not known of any flaw how likely it is used.
pub(super) fn of_providers(database: &Database) -> Option<Note> {
    let missing = |name: &&(&str, &str)| database.provider(name.0).is_none();
    let tells = [("kev", "which flaws are exploited"), ("epss", "how likely each will be")];
    let missing: Vec<_> = tells.iter().filter(missing).collect();
    let names: Vec<_> = missing.iter().map(|it| it.0).collect();
    let whats: Vec<_> = missing.iter().map(|it| it.1).collect();
    (!missing.is_empty()).then(|| {
        let message = format!(
            "the database has no file of {}, so that it does not know {}, and the risk is too low where \
             that counts",
            names.join(" and none of "),
            whats.join(", nor "),
        );
        note(NoteKind::MissingProvider, message)
    })
}

/// What is to be said where no system was found.
pub(super) fn of_no_system(report: &Report) -> Vec<Note> {
    let problem = report.problems.first().map(|it| format!(": {}", it.message));
    let message = format!("no operating system was found{}", problem.unwrap_or_default());
    vec![note(NoteKind::MissingScanData, message)]
}

/// What is to be said of a system.
pub(super) fn of_system(system: &System, matches: &Matches<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    let name = system.identity.name.value().map_or(system.root.as_str(), String::as_str);
    let is_of_languages = system.packages.items.iter().all(|it| it.kind.is_of_language());
    if Distribution::of(&system.identity).is_none() {
        let reason = match &system.identity.distribution {
            Fact::Unknown { reason } => format!(": {reason}"),
            Fact::Absent { .. } | Fact::Known { .. } => String::new(),
        };
        let message = format!(
            "it is not known what distribution {} is, so that its packages were not compared{reason}",
            system.root,
        );
        // A list that says nothing of a system, and has packages of languages alone, needs none.
        let is_absent = matches!(system.identity.distribution, Fact::Absent { .. });
        if !(is_absent && is_of_languages && !system.packages.items.is_empty()) {
            notes.push(note(NoteKind::OsUnknown, message));
        }
    } else if !matches.knows_distribution {
        let which = match system.identity.version.value() {
            None => ", of which it is not known which version it is",
            Some(_) => "",
        };
        let message = format!(
            "nobody in the database speaks of {name}{which}, so that its packages were not compared",
        );
        notes.push(note(NoteKind::OsUnsupported, message));
    } else if !matches.knows_own {
        let message = format!(
            "the database knows of {name} only what is said of the distribution that it is rebuilt \
             from, and not which of that it has mended",
        );
        notes.push(note(NoteKind::OsUnsupported, message));
    }
    if matches.knows_distribution && !matches.knows_unfixed {
        let rest = match matches.compared_with {
            None => "flaws that nothing mends are not told".to_owned(),
            Some(later) => format!("flaws that nothing mends are told by {later}, but for kernels"),
        };
        let message =
            format!("the database knows of {name} which flaws were mended, and by what; {rest}");
        notes.push(note(NoteKind::FixesOnly, message));
    }
    if matches.lacks_updates {
        let message = format!(
            "it could not be read which updates of {name} are installed, so that nothing was compared \
             but its build",
        );
        notes.push(note(NoteKind::MissingScanData, message));
    }
    match (system.packages.coverage, &system.packages.reason) {
        (Coverage::Complete, _) => {}
        (_, Some(reason)) if *reason == fathom_report::USUAL_PLACES_ALONE => {}
        (coverage, reason) => {
            let what = match coverage {
                Coverage::Unknown => "it could not be read what is installed",
                _ => "not everything that is installed could be read",
            };
            let reason = reason.as_deref().unwrap_or("no reason is known");
            notes.push(note(NoteKind::MissingScanData, format!("{what}: {reason}")));
        }
    }
    if let Some(ended) = &matches.ended {
        let since = match matches.compared_with {
            None => "what was found since is mostly not told of it".to_owned(),
            Some(later) => format!(
                "what was found since is told by {later}, as if nothing had come with newer versions"
            ),
        };
        let message = format!("{name} has not been mended {ended}; {since}");
        notes.push(note(NoteKind::OsEndOfLife, message));
    }
    let uncompared =
        matches.unscanned.iter().filter(|it| !matches!(it.why, Why::KernelAid | Why::Owned));
    let count = uncompared.count();
    if count > 0 {
        let message = format!(
            "{count} of {} packages of {name} were not compared with anything",
            system.packages.items.len(),
        );
        notes.push(note(NoteKind::Unscanned, message));
    }
    notes
}
