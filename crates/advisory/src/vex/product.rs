//! What a statement is about, and whether that is what a finding is about.

use std::sync::Arc;

use fathom_report::finding::{Finding, Findings, MACHINE, Scanned};
use fathom_report::percent_decoded;

use super::cpe;
use super::purl::Purl;

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
    /// A version that stands beside the names.
    Version(Arc<str>),
    /// An architecture that stands beside the names.
    Architecture(Arc<str>),
    /// Something that nothing here is compared with: what is meant is in doubt.
    Unknown,
}

impl Identifier {
    /// What a text that may be any of them is.
    pub(super) fn of(text: &str) -> Self {
        match Purl::parse(text) {
            Some(purl) => Self::Purl(purl),
            None if text.starts_with("cpe:") => Self::Cpe(text.to_owned()),
            None if has_scheme(text, "pkg:") || has_scheme(text, "cpe:") => Self::Unknown,
            None => Self::Name(text.to_owned()),
        }
    }
}

fn has_scheme(text: &str, scheme: &str) -> bool {
    text.trim_start().get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme))
}

/// A product, of which all of this is so.
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

    /// Whether a name is that of what was scanned. What came through a pipe has none: the next one that
    /// comes so is another machine.
    fn is_subject(&self, name: &str) -> bool {
        name == self.subject && !matches!(name, "" | "-")
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
        self.is_machine(subject.product, products, false)
            && subject.parts.iter().any(|part| self.is_package(*part, products))
    }

    fn is_product(&self, place: Place, products: &[Product], depth: usize) -> bool {
        let Some(product) = products.get(place).filter(|_| depth < DEPTH) else { return false };
        match &product.part {
            Some(part) => {
                self.is_machine(part.of, products, false)
                    && self.is_product(part.component, products, depth + 1)
                    && (!product.identifiers.iter().any(Identifier::narrows)
                        || self.is_package(place, products))
            }
            None => self.is_package(place, products) || self.is_machine(place, products, true),
        }
    }

    fn is_package(&self, place: Place, products: &[Product]) -> bool {
        let identifiers = products.get(place).map_or(&[][..], |it| it.identifiers.as_slice());
        let Some(package) = &self.purl else { return false };
        let source = self.finding.source_package.as_deref().unwrap_or(&self.finding.package);
        let mut purls = identifiers.iter().filter_map(Identifier::purl).peekable();
        if purls.peek().is_none() {
            return false;
        }
        let is_of_sources = purls.all(|purl| !purl.covers(package));
        identifiers.iter().all(|identifier| match identifier {
            Identifier::Purl(purl) => purl.covers(package) || purl.covers_source(package, source),
            // What the package lies on.
            Identifier::Cpe(text) => self.system().is_some_and(|it| cpe::is_of(text, it)),
            Identifier::Name(name) => self.is_named_machine(name).unwrap_or(true),
            Identifier::Version(version) if is_of_sources => {
                package.version_of_sources() == Some(&**version)
            }
            Identifier::Version(version) => {
                **version == *self.finding.installed_version
                    || package.version.as_deref() == Some(&**version)
            }
            Identifier::Architecture(name) if is_of_sources => {
                matches!(&**name, "src" | "source")
            }
            Identifier::Architecture(name) => {
                let own = self.finding.architecture.as_deref();
                own.or_else(|| package.architecture()) == Some(name)
            }
            Identifier::Unknown => false,
        })
    }

    /// Whether a product is the machine or the system that the finding is of: all of it, or at least a
    /// part that packages are delivered in.
    fn is_machine(&self, place: Place, products: &[Product], all: bool) -> bool {
        let Some(product) = products.get(place).filter(|it| it.part.is_none()) else {
            return false;
        };
        // A package of a language is no part of a system, though it lies on it.
        let system = self.system().filter(|_| !self.finding.package_kind.is_of_language());
        let identifiers = product.identifiers.iter();
        let has_platform = identifiers.clone().any(|it| matches!(it, Identifier::Cpe(_)));
        let mut is_meant = false;
        let is_so = identifiers.clone().all(|identifier| match identifier {
            // A plain name may be that of anything, as `debian`: only the image has it for certain.
            Identifier::Name(name) => match self.is_named_machine(name) {
                Some(is_named) => {
                    is_meant |= is_named;
                    is_named
                }
                None => {
                    is_meant |= !has_platform && self.machine.is_subject(name);
                    true
                }
            },
            Identifier::Cpe(text) => {
                let is_of = if all { cpe::is_all_of } else { cpe::is_of };
                let is_of = system.is_some_and(|it| is_of(text, it));
                is_meant |= is_of;
                is_of
            }
            Identifier::Version(version) => {
                has_platform && system.is_some_and(|it| cpe::is_version(version, it))
            }
            Identifier::Purl(_) | Identifier::Architecture(_) | Identifier::Unknown => false,
        });
        is_meant && is_so
    }

    /// Whether a name of a machine is that of the one that the finding is of; nothing where a name is
    /// not one of a machine.
    fn is_named_machine(&self, name: &str) -> Option<bool> {
        let own = percent_decoded(name.strip_prefix(MACHINE)?);
        Some(own.is_some_and(|own| {
            self.machine.is_subject(&own)
                || self.system().is_some_and(|it| it.hostname.as_ref() == Some(&own))
        }))
    }

    /// The system that the finding is of.
    fn system(&self) -> Option<&'f Scanned> {
        match (self.machine.systems, &self.finding.system) {
            ([one], _) => Some(one),
            (several, Some(root)) => several.iter().find(|it| it.root == *root),
            (_, None) => None,
        }
    }
}

impl Identifier {
    fn purl(&self) -> Option<&Purl> {
        match self {
            Self::Purl(purl) => Some(purl),
            _ => None,
        }
    }

    /// Whether this says more than a name for people.
    fn narrows(&self) -> bool {
        !matches!(self, Self::Name(name) if !name.starts_with(MACHINE))
    }
}
