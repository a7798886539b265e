//! What a statement is about, and whether that is what a finding is about.

use fathom_report::finding::{Finding, Findings, MACHINE, Scanned};

use super::cpe;
use super::purl::{Purl, decoded};

/// How many products may lie within each other.
const DEPTH: usize = 8;

/// A name of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identifier {
    /// A package URL.
    Purl(Purl),
    /// A name of a platform (CPE), of whichever version of that naming.
    Cpe(String),
    /// Any other name.
    Name(String),
}

impl Identifier {
    /// What a text that may be any of them is.
    pub(super) fn of(text: &str) -> Self {
        match Purl::parse(text) {
            Some(purl) => Self::Purl(purl),
            None if text.starts_with("cpe:") => Self::Cpe(text.to_owned()),
            None => Self::Name(text.to_owned()),
        }
    }
}

/// A product, which has all these names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) identifiers: Vec<Identifier>,
    /// What it is as a part of something else, rather than by itself.
    pub(super) part: Option<Part>,
}

/// A product within another one, by their places among the products of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) of: Place,
    pub(super) component: Place,
}

/// The place of a product among those of its document.
pub(super) type Place = usize;

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) product: Place,
    /// Only these parts of it; all of it where there are none.
    pub(super) parts: Vec<Place>,
    /// Only these versions of it, whatever its names say; all where there are none.
    pub(super) versions: Vec<String>,
}

impl Subject {
    /// All of a product.
    pub(super) fn whole(product: Place) -> Self {
        Self { product, parts: Vec::new(), versions: Vec::new() }
    }
}

/// A finding, as products are compared with it.
pub(super) struct Target<'f> {
    finding: &'f Finding,
    machine: &'f Machine<'f>,
    purl: Option<Purl>,
}

/// The machine that a finding is of.
pub(super) struct Machine<'f> {
    subject: &'f str,
    systems: &'f [Scanned],
}

impl<'f> Machine<'f> {
    pub(super) fn of(findings: &'f Findings) -> Self {
        Self { subject: &findings.subject, systems: &findings.systems }
    }
}

impl<'f> Target<'f> {
    pub(super) fn of(finding: &'f Finding, machine: &'f Machine<'f>) -> Self {
        Self { finding, machine, purl: finding.purl.as_deref().and_then(Purl::parse) }
    }

    /// Whether a statement about this is about the finding.
    pub(super) fn is_meant_by(&self, subject: &Subject, products: &[Product]) -> bool {
        let is_version = subject.versions.is_empty()
            || subject.versions.contains(&self.finding.installed_version);
        if !is_version {
            return false;
        }
        if subject.parts.is_empty() {
            return self.is_product(subject.product, products, 0);
        }
        // A part of a machine or of its system is a package there. Which package lies within another
        // one is not known, so that such a statement is about none.
        self.is_machine(subject.product, products)
            && subject.parts.iter().any(|part| self.is_package(*part, products))
    }

    fn is_product(&self, place: Place, products: &[Product], depth: usize) -> bool {
        let Some(product) = products.get(place).filter(|_| depth < DEPTH) else { return false };
        match &product.part {
            Some(part) => {
                self.is_machine(part.of, products)
                    && self.is_product(part.component, products, depth + 1)
            }
            None => self.is_package(place, products) || self.is_machine(place, products),
        }
    }

    fn is_package(&self, place: Place, products: &[Product]) -> bool {
        let identifiers = products.get(place).map_or(&[][..], |it| it.identifiers.as_slice());
        let Some(package) = &self.purl else { return false };
        let source = self.finding.source_package.as_deref().unwrap_or(&self.finding.package);
        identifiers.iter().any(|identifier| match identifier {
            Identifier::Purl(purl) => purl.covers(package) || purl.covers_source(package, source),
            Identifier::Cpe(_) | Identifier::Name(_) => false,
        })
    }

    /// Whether a product is the machine or the system that the finding is of.
    fn is_machine(&self, place: Place, products: &[Product]) -> bool {
        let Some(product) = products.get(place).filter(|it| it.part.is_none()) else {
            return false;
        };
        let system = match (self.machine.systems, &self.finding.system) {
            ([one], _) => Some(one),
            (several, Some(root)) => several.iter().find(|it| it.root == *root),
            (_, None) => None,
        };
        // A package of a language is no part of a system, though it lies on it.
        let system_alone = system.filter(|_| !self.finding.package_kind.is_of_language());
        product.identifiers.iter().any(|identifier| match identifier {
            // A plain name may be that of anything, as `debian`: only the image has it for certain.
            Identifier::Name(name) => match name.strip_prefix(MACHINE).and_then(decoded) {
                Some(own) => {
                    own == self.machine.subject
                        || system.is_some_and(|it| it.hostname.as_ref() == Some(&own))
                }
                None => name == self.machine.subject,
            },
            Identifier::Cpe(text) => system_alone.is_some_and(|it| cpe::is_of(text, it)),
            Identifier::Purl(_) => false,
        })
    }
}
