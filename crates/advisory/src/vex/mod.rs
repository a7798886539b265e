//! What others have found out about flaws in products (VEX), as OpenVEX, CSAF and CycloneDX say it.
//!
//! A document is read into statements: a flaw, what the statement is about, and how that stands to the
//! flaw. The latest statement about a package counts. That it is not affected, or mended, tells the
//! finding apart; anything else is noted at the finding. A statement is about a package only where all
//! that the document says of the product is so: what is in doubt tells nothing apart.

mod cpe;
mod csaf;
mod cyclonedx;
mod moment;
mod openvex;
mod product;
mod purl;

#[cfg(test)]
#[allow(clippy::panic, reason = "a test that cannot go on fails")]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use fathom_report::finding::{
    Excepted, Exemption, ExemptionKind, Finding, Findings, VexStatement, VexStatus,
};
use serde::Deserialize;

use self::moment::Moment;
use self::product::{Machine, Product, Subject, Target};
use crate::enrich::summarize;
use crate::segment::beginning;

/// The most bytes of a document that are read.
pub const MOST: usize = 16 << 20;

/// What begins an OpenVEX document of each version.
const CONTEXTS: [&str; 6] = [
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.0.0",
    "https://openvex.dev/ns/v0.0.1",
    "https://openvex.dev/ns/v0.0.2",
    "https://openvex.dev/ns/v0.1.0",
    "https://openvex.dev/ns/v0.2.0",
];

/// The most statements, products and parts of them that one document may have, each.
const MANY: usize = 1 << 18;

/// The most names that one flaw may have.
const NAMES: usize = 64;

/// The most bytes of a text that are told.
const TEXT: usize = 4096;

/// A document, read.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file, and the document's own name.
    name: String,
    author: Option<String>,
    products: Vec<Product>,
    statements: Vec<Statement>,
}

/// What a document says of a flaw.
#[derive(Clone, Debug)]
struct Statement {
    /// The names of the flaw.
    flaws: Arc<[String]>,
    subjects: Vec<Subject>,
    status: VexStatus,
    justification: Option<String>,
    detail: Option<String>,
    moment: Option<Moment>,
    timestamp: Option<String>,
}

/// Why a document makes no sense, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl Malformed {
    fn at(place: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self(format!("{place}: {why}"))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl From<serde_json::Error> for Malformed {
    /// It says the line and the column.
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// What tells the kinds of documents apart.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
    document: Option<serde::de::IgnoredAny>,
    #[serde(rename = "bomFormat")]
    format: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Reads a document that lies in the file of this name.
    pub fn parse(text: &str, file: &str) -> Result<Self, Malformed> {
        if text.len() > MOST {
            return Err(Malformed(format!("it is larger than {} MiB", MOST >> 20)));
        }
        let text = text.trim_start_matches('\u{feff}');
        let kind: Kind = serde_json::from_str(text)?;
        let mut document = match kind {
            Kind { context: Some(context), .. } => {
                let context = context.as_str().unwrap_or_default();
                if !CONTEXTS.contains(&context) {
                    return Err(Malformed::at(
                        "@context",
                        "it is not one of OpenVEX that is known",
                    ));
                }
                openvex::read(text)?
            }
            Kind { format: Some(_), .. } => cyclonedx::read(text)?,
            Kind { document: Some(_), .. } => csaf::read(text)?,
            Kind { .. } => {
                let why = "it is neither OpenVEX nor CSAF nor CycloneDX: it has none of @context, \
                           document and bomFormat";
                return Err(Malformed(why.to_owned()));
            }
        };
        document.name = match joined([document.name.as_str()]) {
            None => file.to_owned(),
            Some(name) => format!("{file} ({name})"),
        };
        document.author = joined(document.author.as_deref());
        Ok(document)
    }

    /// The file, and the document's own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many statements there are.
    pub fn statements(&self) -> usize {
        self.statements.len()
    }
}

/// What came of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many findings were told apart.
    pub excepted: usize,
    /// At how many it was noted what is said of them.
    pub noted: usize,
    /// Which of the documents are about something here.
    pub used: HashSet<usize>,
}

/// Tells the findings of a machine apart that are none by what documents say, and notes at others what
/// these say of them.
pub fn apply(findings: &mut Findings, documents: &[Document]) -> Applied {
    let mut by_flaw: HashMap<&str, Vec<(usize, &Statement)>> = HashMap::new();
    for (index, document) in documents.iter().enumerate() {
        for statement in &document.statements {
            for flaw in statement.flaws.iter() {
                by_flaw.entry(flaw).or_default().push((index, statement));
            }
        }
    }
    let mut applied = Applied::default();
    let all = std::mem::take(&mut findings.vulnerabilities);
    let (mut kept, mut told_apart) = (Vec::with_capacity(all.len()), Vec::new());
    let machine = Machine::of(findings);
    for mut finding in all {
        let about = statements_about(&finding, &machine, documents, &by_flaw);
        applied.used.extend(about.iter().map(|(index, _)| *index));
        // Of those of one moment the last counts, and one that says none is the oldest.
        let latest = about.into_iter().max_by_key(|(_, statement)| statement.moment);
        let said = latest.and_then(|(index, statement)| Some((documents.get(index)?, statement)));
        let Some((document, statement)) = said else {
            kept.push(finding);
            continue;
        };
        let said = document.said(statement);
        match statement.status {
            VexStatus::NotAffected | VexStatus::Fixed => {
                applied.excepted += 1;
                told_apart.push(Excepted { finding, exemption: exemption(said) });
            }
            VexStatus::Affected | VexStatus::UnderInvestigation => {
                applied.noted += 1;
                finding.vex = Some(said);
                kept.push(finding);
            }
        }
    }
    findings.vulnerabilities = kept;
    findings.excepted.extend(told_apart);
    summarize(findings);
    applied
}

/// The statements that are about a finding, in the order in which they were given.
fn statements_about<'d>(
    finding: &Finding,
    machine: &Machine<'_>,
    documents: &[Document],
    by_flaw: &HashMap<&str, Vec<(usize, &'d Statement)>>,
) -> Vec<(usize, &'d Statement)> {
    let names = std::iter::once(&finding.cve_id).chain(finding.aliases.iter());
    let named: Vec<_> = names.filter_map(|name| by_flaw.get(name.as_str())).flatten().collect();
    if named.is_empty() {
        return Vec::new();
    }
    let target = Target::of(finding, machine);
    let mut about: Vec<_> = named
        .into_iter()
        .filter(|(index, statement)| {
            let products = documents.get(*index).map_or(&[][..], |it| it.products.as_slice());
            statement.subjects.iter().any(|subject| target.is_meant_by(subject, products))
        })
        .copied()
        .collect();
    // Found by several names, they came in the order of the names.
    about.sort_by_key(|(index, statement)| (*index, std::ptr::from_ref(*statement)));
    about
}

impl Document {
    fn said(&self, statement: &Statement) -> VexStatement {
        VexStatement {
            status: statement.status,
            justification: statement.justification.clone(),
            detail: statement.detail.clone(),
            document: self.name.clone(),
            author: self.author.clone(),
            timestamp: statement.timestamp.clone(),
        }
    }
}

fn exemption(said: VexStatement) -> Exemption {
    let status = match said.status {
        VexStatus::Fixed => "it is mended",
        _ => "it is not affected",
    };
    let why = said.detail.clone().or_else(|| said.justification.clone());
    Exemption {
        kind: ExemptionKind::FalsePositive,
        reason: why.map_or_else(|| status.to_owned(), |why| format!("{status}: {why}")),
        by: said.author.clone(),
        until: None,
        statement: Some(said),
    }
}

/// Texts of a document in one line, no longer than anybody reads, or nothing.
fn joined<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<String> {
    let mut texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
    let first = beginning(texts.next()?, TEXT).to_owned();
    Some(texts.fold(first, |all, text| all + "; " + beginning(text, TEXT)))
}

/// The names of a flaw, each once.
fn names(
    all: impl IntoIterator<Item = String>,
    place: impl fmt::Display,
) -> Result<Arc<[String]>, Malformed> {
    let mut names: Vec<_> = all.into_iter().filter(|name| !name.trim().is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    match names.len() {
        0 => Err(Malformed::at(place, "it names no flaw")),
        1..=NAMES => Ok(names.into()),
        _ => Err(Malformed::at(place, format!("the flaw has more than {NAMES} names"))),
    }
}

/// The moment that a text of a document says, if it says any.
fn moment(text: Option<&String>, place: impl fmt::Display) -> Result<Option<Moment>, Malformed> {
    let Some(text) = text else { return Ok(None) };
    let why = || Malformed::at(place, format!("{text:?} is no time of RFC 3339"));
    Moment::parse(text).map(Some).ok_or_else(why)
}

/// Whether a count is more than a document may have.
fn check_count(count: usize, place: &str) -> Result<(), Malformed> {
    match count > MANY {
        true => Err(Malformed::at(place, format!("there are more than {MANY}"))),
        false => Ok(()),
    }
}
