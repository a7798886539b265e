//! VEX as CycloneDX has it: flaws with an analysis, about components of this document or of another.

use std::collections::HashMap;

use fathom_report::finding::VexStatus;
use fathom_report::percent_decoded;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::product::{Identifier, Part, Place, Product, Subject};
use super::{Document, Malformed, Statement, check_count, joined, moment, names};

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "bomFormat")]
    format: String,
    #[serde(rename = "serialNumber", default)]
    serial: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    timestamp: Option<String>,
    component: Option<Component>,
    #[serde(default)]
    authors: Vec<Contact>,
    supplier: Option<Contact>,
}

#[derive(Deserialize)]
struct Contact {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    reference: Option<String>,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    name: String,
    version: Option<String>,
    purl: Option<String>,
    cpe: Option<String>,
    #[serde(flatten)]
    others: HashMap<String, IgnoredAny>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
    analysis: Option<Analysis>,
    #[serde(default)]
    affects: Vec<Affects>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<State>,
    justification: Option<String>,
    detail: Option<String>,
    #[serde(rename = "lastUpdated")]
    last_updated: Option<String>,
    #[serde(rename = "firstIssued")]
    first_issued: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum State {
    Resolved,
    ResolvedWithPedigree,
    Exploitable,
    InTriage,
    FalsePositive,
    NotAffected,
}

#[derive(Deserialize)]
struct Affects {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: Option<String>,
    status: Option<String>,
}

/// What may be said of a component that no finding is compared with.
const UNKNOWN: [&str; 5] = ["hashes", "omniborId", "pedigree", "swhid", "swid"];

/// The components of a document, by what they are called in it.
struct Components {
    products: Vec<Product>,
    places: HashMap<String, Place>,
    /// What the document is about, where it is about something.
    whole: Option<Place>,
}

pub(super) fn read(text: &str) -> Result<Document, Malformed> {
    let written: Written = serde_json::from_str(text)?;
    if written.format != "CycloneDX" {
        return Err(Malformed::at("bomFormat", "it is not CycloneDX"));
    }
    let mut all = Components { products: Vec::new(), places: HashMap::new(), whole: None };
    let metadata = written.metadata;
    if let Some(component) = metadata.component {
        all.whole = Some(all.products.len());
        all.add(component, None)?;
    }
    let whole = all.whole;
    for component in written.components {
        all.add(component, whole)?;
    }
    let mut statements = Vec::new();
    for (index, flaw) in written.vulnerabilities.into_iter().enumerate() {
        let place = format!("vulnerabilities[{index}]");
        statements.extend(one(flaw, metadata.timestamp.as_ref(), &mut all, &place)?);
    }
    check_count(all.products.len(), "vulnerabilities[].affects")?;
    let author = metadata.authors.into_iter().chain(metadata.supplier).find_map(|it| it.name);
    Ok(Document { name: written.serial, author, products: all.products, statements })
}

impl Components {
    /// Adds a component that is part of another, and what it is made of itself.
    fn add(&mut self, component: Component, of: Option<Place>) -> Result<(), Malformed> {
        // A name of a platform means all systems of it, and something else that bears it is one thing on it.
        let is_other = component.cpe.is_some()
            && component.purl.is_none()
            && component.kind != "operating-system";
        let is_unknown =
            is_other || UNKNOWN.iter().any(|field| component.others.contains_key(*field));
        let names = [component.purl, component.cpe].into_iter().flatten();
        let mut identifiers: Vec<_> = names.map(|name| Identifier::of(&name)).collect();
        if !component.name.is_empty() {
            identifiers.push(Identifier::Name(component.name));
        }
        let version = component.version.filter(|version| !version.is_empty());
        identifiers.extend(version.map(|it| Identifier::Version(it.into())));
        identifiers.extend(is_unknown.then_some(Identifier::Unknown));
        let place = self.products.len();
        self.products.push(Product { identifiers, part: None });
        let known = match of {
            // What a document lists is what is in the thing that it is about, and nowhere else.
            Some(of) => {
                self.products.push(Product {
                    identifiers: Vec::new(),
                    part: Some(Part { of, component: place }),
                });
                place + 1
            }
            None => place,
        };
        if let Some(reference) = component.reference
            && self.places.insert(reference.clone(), known).is_some()
        {
            return Err(Malformed::at("bom-ref", format!("{reference:?} is there twice")));
        }
        // How deeply they nest is bounded by the reader of JSON.
        component.components.into_iter().try_for_each(|part| self.add(part, Some(known)))
    }

    /// What a reference means: a component of this document, or one that is not listed by its package
    /// URL, as part of what the document is about. One of another document is part of what that is
    /// about, which is not known unless this one says it.
    fn place(&mut self, reference: &str) -> Place {
        if let Some(place) = self.places.get(reference) {
            return *place;
        }
        let other = reference.strip_prefix("urn:cdx:").and_then(|link| link.split_once('#'));
        let name = match other {
            Some((_, fragment)) => percent_decoded(fragment).unwrap_or_default(),
            None => reference.to_owned(),
        };
        let mut identifiers = vec![Identifier::of(&name)];
        if other.is_some() && self.whole.is_none() {
            identifiers.push(Identifier::Unknown);
        }
        let mut place = self.products.len();
        self.products.push(Product { identifiers, part: None });
        if let Some(of) = self.whole {
            let part = Some(Part { of, component: place });
            self.products.push(Product { identifiers: Vec::new(), part });
            place += 1;
        }
        self.places.insert(reference.to_owned(), place);
        place
    }
}

fn one(
    flaw: Vulnerability,
    issued: Option<&String>,
    components: &mut Components,
    place: &str,
) -> Result<Vec<Statement>, Malformed> {
    // A flaw without an analysis is one that the document lists, not one that it judges.
    let Some(analysis) = flaw.analysis else { return Ok(Vec::new()) };
    let Some(state) = analysis.state else { return Ok(Vec::new()) };
    let status = match state {
        State::Resolved | State::ResolvedWithPedigree => VexStatus::Fixed,
        State::Exploitable => VexStatus::Affected,
        State::InTriage => VexStatus::UnderInvestigation,
        State::FalsePositive | State::NotAffected => VexStatus::NotAffected,
    };
    let others = flaw.references.into_iter().filter_map(|it| it.id);
    let flaws = names(flaw.id.into_iter().chain(others), place)?;
    let tells_apart = matches!(status, VexStatus::NotAffected | VexStatus::Fixed);
    let mut subjects = Vec::with_capacity(flaw.affects.len());
    for affects in flaw.affects {
        let listed = !affects.versions.is_empty();
        let versions: Vec<_> = affects
            .versions
            .into_iter()
            .filter(|it| (it.status.as_deref() == Some("unaffected")) == tells_apart)
            .filter_map(|it| it.version)
            .collect();
        // A range of versions is not read, and what it covers is in doubt.
        if listed && versions.is_empty() {
            continue;
        }
        let product = components.place(&affects.reference);
        subjects.push(Subject { versions, ..Subject::whole(product) });
    }
    let timestamp = analysis.last_updated.or(analysis.first_issued).or_else(|| issued.cloned());
    let moment = moment(timestamp.as_ref(), format!("{place}.analysis"))?;
    Ok(vec![Statement {
        flaws,
        subjects,
        status,
        justification: joined(analysis.justification.as_deref()),
        detail: joined(analysis.detail.as_deref()),
        moment,
        timestamp,
    }])
}
