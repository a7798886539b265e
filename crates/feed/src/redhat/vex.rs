//! CSAF-VEX: a document for each flaw, which says of every product of Red Hat whether it is mended,
//! affected, or never was, and what is going to be done about it.
//!
//! Products are listed in a tree, packages among them; how a package stands in a product has a name of
//! its own, which `Relationship`s make of the two. What is built of one source has one statement, by
//! the name of the source, as [`super::cve`] has them: the packages themselves say nothing more.

mod document;
mod products;
mod purl;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use fathom_advisory::segment::{AdvisoryId, NewAdvisory, NewVector, Texts, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::{Severity, State};

use self::document::{Document, Vulnerability};
use self::products::Products;
use super::{Said, weaknesses};
use crate::error::Result;
use crate::severity::severity;
use crate::source::{Item, records};
use crate::{cvss, tally};

/// The most bytes of a document that is read. The largest real ones have a tenth of it.
const LARGEST: usize = 32 << 20;

/// The most vectors of a flaw that are kept: products may have their own.
const VECTORS: usize = 4;

/// Adds all documents of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    records(path, &mut |item| one(&item, writer))
}

fn one(item: &Item<'_>, writer: &mut Writer) -> Result<()> {
    let document: Document<'_> = match item.parse_within(LARGEST) {
        Ok(document) => document,
        Err(why) => {
            tally::malformed(writer.about(), item.name, why);
            return Ok(());
        }
    };
    let tracking = &document.document.tracking;
    if tracking.status == "deleted" {
        return Ok(());
    }
    let changed = tracking.current_release_date.get(..10).unwrap_or_default();
    if changed > writer.about().as_of.as_str() && Day::of(changed).is_known() {
        writer.about().as_of = changed.to_owned();
    }
    let products = match Products::of(&document.product_tree) {
        Ok(products) => products,
        Err(why) => {
            tally::malformed(writer.about(), &tracking.id, why);
            return Ok(());
        }
    };
    for flaw in &document.vulnerabilities {
        let name = flaw.cve.as_deref().unwrap_or(&tracking.id);
        let Ok(cve) = name.parse::<Cve>() else {
            tally::malformed(writer.about(), name, "is no number of the CVE list");
            continue;
        };
        let (id, worst) = match add(&document, flaw, cve, writer)? {
            Ok(added) => added,
            Err(refused) => {
                tally::malformed(writer.about(), name, refused);
                continue;
            }
        };
        let told = Told { name, flaw, products: &products, severities: severities(flaw), worst };
        told.add(id, writer);
    }
    Ok(())
}

type Added = std::result::Result<(AdvisoryId, Option<Severity>), String>;

/// Adds what is said of the flaw itself.
fn add(
    document: &Document<'_>,
    flaw: &Vulnerability<'_>,
    cve: Cve,
    writer: &mut Writer,
) -> Result<Added> {
    let tracking = &document.document.tracking;
    let mut vectors: Vec<NewVector> = Vec::new();
    for score in &flaw.scores {
        let texts = [&score.cvss_v4, &score.cvss_v3, &score.cvss_v2].into_iter().flatten();
        let found = texts.filter_map(|it| cvss::vector(&it.vector_string, true));
        for vector in found {
            if vectors.len() < VECTORS && !vectors.contains(&vector) {
                vectors.push(vector);
            }
        }
    }
    let said = document.document.aggregate_severity.as_ref();
    let worst = said.and_then(|it| severity(&it.text));
    let worst = worst.or_else(|| flaw.threats.0.iter().filter_map(|it| it.severity()).max());
    let released = match flaw.release_date.as_deref() {
        Some(released) => released,
        None => &tracking.initial_release_date,
    };
    let advisory = NewAdvisory {
        name: &cve.to_string(),
        cves: &[cve],
        weaknesses: &weaknesses(flaw.cwe.as_ref().map(|it| &*it.id).unwrap_or_default()),
        vectors: &vectors,
        severity: worst,
        published: Day::of(released),
        modified: Day::of(&tracking.current_release_date),
        texts: texts(document, flaw),
        ..NewAdvisory::default()
    };
    Ok(writer.advisory(&advisory)?.map(|id| (id, worst)).map_err(|refused| refused.0))
}

/// How bad the flaw is in products, by their names.
fn severities<'r>(flaw: &'r Vulnerability<'_>) -> HashMap<&'r str, Severity> {
    let mut all = HashMap::new();
    for threat in &flaw.threats {
        if let Some(severity) = threat.severity() {
            all.extend(threat.product_ids.into_iter().map(|id| (&**id, severity)));
        }
    }
    all
}

/// What is told of a flaw.
struct Told<'t, 'r> {
    name: &'t str,
    flaw: &'t Vulnerability<'r>,
    products: &'t Products<'t>,
    severities: HashMap<&'t str, Severity>,
    /// How bad it is where nothing else is said.
    worst: Option<Severity>,
}

impl Told<'_, '_> {
    fn add(&self, id: AdvisoryId, writer: &mut Writer) {
        let status = &self.flaw.product_status;
        let planned = self.planned();
        let lists = [
            (&status.fixed, State::Fixed),
            (&status.known_affected, State::Affected),
            (&status.under_investigation, State::UnderInvestigation),
            (&status.known_not_affected, State::NotAffected),
        ];
        // Products of which packages are named, and those of which their sources are.
        let (mut built, mut sources) = (BTreeSet::new(), BTreeSet::new());
        let mut unknown: Option<&str> = None;
        for (ids, state) in lists {
            for name in ids {
                let Some(stands) = self.products.stands(name) else {
                    unknown = unknown.or(Some(name));
                    continue;
                };
                let Some(component) = &stands.component else { continue };
                if !component.is_source {
                    built.insert((stands.cpe, state as u8));
                    continue;
                }
                sources.insert((stands.cpe, state as u8));
                let severity = self.severities.get(&**name).copied();
                let before = (state == State::Fixed).then_some(component.version.as_deref());
                if before == Some(None) {
                    let why = format!("{name} is mended in no version");
                    tally::malformed(writer.about(), self.name, why);
                    continue;
                }
                let said = Said {
                    cpe: stands.cpe,
                    name: &component.name,
                    stream: component.stream.as_deref(),
                    before: before.flatten(),
                    state: match state {
                        State::Affected => planned.get(&**name).copied().unwrap_or(state),
                        state => state,
                    },
                    severity: severity.filter(|_| severity != self.worst),
                };
                said.add(id, self.name, writer);
            }
        }
        if let Some(name) = unknown {
            let why = format!("{name} is no product of its tree");
            tally::malformed(writer.about(), self.name, why);
        }
        if let Some((cpe, _)) = built.difference(&sources).next() {
            let why = format!("names packages of {cpe} and not what they are built from");
            tally::malformed(writer.about(), self.name, why);
        }
    }

    /// What is going to be done where nothing is mended yet, by the names of products.
    fn planned(&self) -> HashMap<&str, State> {
        let mut planned = HashMap::new();
        for remediation in &self.flaw.remediations {
            let state = match (&*remediation.category, remediation.details.trim()) {
                ("no_fix_planned", "Out of support scope") => State::EndOfLife,
                ("no_fix_planned", _) => State::WillNotFix,
                ("none_available", "Fix deferred") => State::Deferred,
                _ => continue,
            };
            planned.extend(remediation.product_ids.into_iter().map(|id| (&**id, state)));
        }
        planned
    }
}

fn texts(document: &Document<'_>, flaw: &Vulnerability<'_>) -> Texts {
    let note = |category: &str| {
        let mut notes = flaw.notes.into_iter().filter(|note| note.category == category);
        notes.next().map(|note| note.text.trim().to_owned()).unwrap_or_default()
    };
    let summary = match document.document.title.trim() {
        "" => note("summary"),
        title => title.to_owned(),
    };
    // What mends it comes first: there are many others.
    let fixes = flaw.remediations.into_iter().filter(|it| it.category == "vendor_fix");
    let fixes = fixes.filter_map(|it| it.url.as_deref());
    let mut references: Vec<String> = Vec::new();
    for url in fixes.chain(flaw.references.into_iter().map(|it| &*it.url)) {
        if references.len() < REFERENCES && !references.iter().any(|known| known == url) {
            references.push(url.to_owned());
        }
    }
    Texts { summary, details: note("description"), references }
}

/// How many places to read more are kept.
const REFERENCES: usize = 40;
