//! What several say about one flaw, put together.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use fathom_report::finding::State;

use super::alias::Aliases;
use super::{Named, Role};
use crate::cve::Cve;
use crate::day::Day;
use crate::error::Result;
use crate::segment::{Row, Segment, Subject};

/// A statement about a package.
#[derive(Clone, Debug)]
pub(crate) struct Hit<'d> {
    pub(crate) segment: &'d Segment,
    pub(crate) namespace: &'d str,
    pub(crate) subject: Subject,
    pub(crate) role: Role,
    pub(crate) row: Row<'d>,
    /// What was looked for, and compared.
    pub(crate) named: Rc<Named>,
    /// The number of the update to install, of a Windows.
    pub(crate) remedy: Option<u32>,
}

impl Hit<'_> {
    fn advisory(&self) -> (*const Segment, u32) {
        (std::ptr::from_ref(self.segment), self.row.advisory)
    }

    /// Whether some version ends it.
    fn is_bounded(&self) -> bool {
        self.row.upper.is_some()
    }
}

/// What speaks against a flaw.
#[derive(Clone, Copy, Debug)]
struct Against {
    role: Role,
    /// The package was never affected; otherwise, it is mended in what is installed.
    never: bool,
    /// Said in what the distribution knows of the flaw itself, not in an announcement of several.
    is_record: bool,
}

/// What a statement stands in.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Whether that is a record of the flaw itself, not an announcement of several.
    is_record: bool,
    /// When it was last changed.
    modified: Day,
}

/// All that is said of one flaw.
#[derive(Default)]
struct Talk<'d> {
    /// What speaks for it, and what it stands in.
    hits: Vec<(Hit<'d>, Place)>,
    against: Vec<Against>,
}

/// The flaws that remain, with what each rests on; what counts comes first.
pub(super) fn resolve<'d>(
    rows: Vec<(Hit<'d>, bool)>,
    language: Option<&str>,
) -> Result<Vec<(String, Vec<Hit<'d>>)>> {
    // Of several statements of one advisory, those that do not hold say nothing against one that does:
    // each is about other versions. But one may be about those who pay, and the next about everybody.
    let open: HashSet<_> = rows
        .iter()
        .filter(|(_, holds)| *holds)
        .map(|(hit, _)| (hit.advisory(), hit.role))
        .collect();
    if open.is_empty() {
        return Ok(Vec::new());
    }
    let holding = || rows.iter().filter(|(_, holds)| *holds).map(|(hit, _)| hit);
    let aliases = match language {
        Some(_) => Some(Aliases::of(holding())?),
        None => None,
    };
    let mut flaws: BTreeMap<Flaw, Talk<'d>> = BTreeMap::new();
    for hit in holding() {
        let (names, place) = flaws_of(hit, aliases.as_ref())?;
        for name in names {
            flaws.entry(name).or_default().hits.push((hit.clone(), place));
        }
    }
    // A language's advisories say where a flaw is, each by itself; several do not contradict each other.
    if language.is_none() {
        for (hit, _) in
            rows.iter().filter(|(hit, holds)| !holds && !open.contains(&(hit.advisory(), hit.role)))
        {
            let never = hit.row.state == State::NotAffected;
            if !never && hit.row.state != State::Fixed {
                continue;
            }
            let (names, Place { is_record, .. }) = flaws_of(hit, None)?;
            for name in names {
                if let Some(talk) = flaws.get_mut(&name) {
                    talk.against.push(Against { role: hit.role, never, is_record });
                }
            }
        }
    }
    let mut remaining = Vec::new();
    for (flaw, Talk { hits, against }) in flaws {
        let mut hits: Vec<_> =
            hits.into_iter().filter(|it| !against.iter().any(|what| refutes(what, it))).collect();
        hits.sort_by(|one, other| order(one).cmp(&order(other)));
        // What is known of the release itself needs no other's word.
        if hits.first().is_some_and(|(hit, _)| hit.role != Role::Successor) {
            hits.retain(|(hit, _)| hit.role != Role::Successor);
        }
        if !hits.is_empty() {
            remaining.push((flaw.to_string(), hits.into_iter().map(|(hit, _)| hit).collect()));
        }
    }
    Ok(remaining)
}

/// Whether what speaks against a flaw outweighs this that speaks for it.
fn refutes(against: &Against, (hit, place): &(Hit<'_>, Place)) -> bool {
    match against.never {
        true => against.role < hit.role || against.role == hit.role && !hit.is_bounded(),
        // Whoever says that it is not mended does not know yet that it is.
        false if !hit.is_bounded() => true,
        // A later announcement may name the flaw again, of which it mends what the mend broke.
        false => {
            against.role < hit.role
                || against.role == hit.role && against.is_record && !place.is_record
        }
    }
}

/// What counts first: what names a fix, the closer, the flaw's own record; of fixes the latest, of words
/// that there is none the one that says why, and of what is the same in all of that, what was changed
/// last.
fn order<'h>((hit, place): &'h (Hit<'_>, Place)) -> impl Ord + use<'h> {
    let fix = std::cmp::Reverse(hit.row.upper.map(|upper| upper.key));
    let mended = (hit.role == Role::Successor, hit.row.state != State::Fixed, !hit.is_bounded());
    let changed = std::cmp::Reverse(place.modified);
    // What is said of the package itself tells its own version, not that of what it was built from.
    let is_of_source = hit.subject == Subject::Source;
    (mended, hit.role, is_of_source, !place.is_record, fix, vagueness(hit.row.state), changed)
}

/// How little a state says of what whoever maintains a package means to do: a decision says more than
/// that there is a flaw, and that more than that it is being looked into.
fn vagueness(state: State) -> u8 {
    match state {
        State::Fixed | State::WillNotFix | State::Deferred | State::EndOfLife => 0,
        State::Affected | State::NotAffected => 1,
        State::UnderInvestigation => 2,
    }
}

/// The name of a flaw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Flaw {
    Numbered(Cve),
    Named(String),
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Numbered(cve) => cve.fmt(out),
            Self::Named(name) => out.write_str(name),
        }
    }
}

/// The flaws that an advisory is about, and whether it is a record of one, which it is named by.
/// Distributions announce much that is no flaw; who writes of languages writes of flaws alone, and
/// with others of the same ones.
fn flaws_of(hit: &Hit<'_>, aliases: Option<&Aliases>) -> Result<(Vec<Flaw>, Place)> {
    let said = hit.segment.flaws(hit.row.advisory)?;
    let is_record = said.is_record || said.cves.is_empty();
    let place = Place { is_record, modified: said.modified };
    if let Some(aliases) = aliases {
        return Ok((aliases.flaws(said.name), place));
    }
    if said.cves.is_empty() {
        // Chainguard names by itself what others have named.
        let advisory = hit.segment.advisory(hit.row.advisory)?;
        let names = std::iter::once(advisory.name).chain(advisory.aliases);
        let named = names.filter(|name| is_flaw(name)).take(1);
        return Ok((named.map(|name| Flaw::Named(name.to_owned())).collect(), place));
    }
    Ok((said.cves.into_iter().map(Flaw::Numbered).collect(), place))
}

/// Whether the name is that of a flaw, and not of an announcement.
fn is_flaw(name: &str) -> bool {
    FLAWS.iter().any(|prefix| name.starts_with(prefix))
}

/// What names of flaws begin with that have none of the CVE list.
const FLAWS: [&str; 14] = [
    "ADV",
    "GHSA-",
    "GNUTLS-SA-",
    "GO-",
    "PYSEC-",
    "RUSTSEC-",
    "TALOS-",
    "TEMP-",
    "TS-",
    "VSV",
    "XSA-",
    "ZBX-",
    "ZDI-",
    "ZSL-",
];
