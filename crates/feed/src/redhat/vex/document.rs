//! The parts of CSAF 2.0 that are read.

use std::borrow::Cow;

use fathom_report::finding::Severity;
use serde::Deserialize;

use crate::list::List;
use crate::severity::severity;

pub(super) type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
pub(super) struct Document<'r> {
    #[serde(borrow)]
    pub(super) document: About<'r>,
    #[serde(borrow, default)]
    pub(super) product_tree: Tree<'r>,
    #[serde(borrow, default)]
    pub(super) vulnerabilities: List<Vulnerability<'r>>,
}

#[derive(Deserialize)]
pub(super) struct About<'r> {
    #[serde(borrow, default)]
    pub(super) title: Text<'r>,
    #[serde(borrow, default)]
    pub(super) aggregate_severity: Option<Aggregate<'r>>,
    #[serde(borrow)]
    pub(super) tracking: Tracking<'r>,
}

#[derive(Deserialize)]
pub(super) struct Aggregate<'r> {
    #[serde(borrow, default)]
    pub(super) text: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Tracking<'r> {
    #[serde(borrow)]
    pub(super) id: Text<'r>,
    #[serde(borrow, default)]
    pub(super) status: Text<'r>,
    #[serde(borrow, default)]
    pub(super) current_release_date: Text<'r>,
    #[serde(borrow, default)]
    pub(super) initial_release_date: Text<'r>,
}

#[derive(Deserialize, Default)]
pub(super) struct Tree<'r> {
    #[serde(borrow, default)]
    pub(super) branches: List<Branch<'r>>,
    #[serde(borrow, default)]
    pub(super) full_product_names: List<Product<'r>>,
    #[serde(borrow, default)]
    pub(super) relationships: List<Relationship<'r>>,
}

/// A branch, as deep as the parser of JSON goes: 128 lists and objects within each other.
#[derive(Deserialize)]
pub(super) struct Branch<'r> {
    #[serde(borrow, default)]
    pub(super) branches: List<Branch<'r>>,
    #[serde(borrow, default)]
    pub(super) product: Option<Product<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Product<'r> {
    #[serde(borrow)]
    pub(super) product_id: Text<'r>,
    #[serde(borrow, default)]
    pub(super) product_identification_helper: Helper<'r>,
}

#[derive(Deserialize, Default)]
pub(super) struct Helper<'r> {
    #[serde(borrow, default)]
    pub(super) cpe: Option<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) purl: Option<Text<'r>>,
}

/// That something in something else has a name of its own.
#[derive(Deserialize)]
pub(super) struct Relationship<'r> {
    #[serde(borrow)]
    pub(super) full_product_name: Product<'r>,
    #[serde(borrow)]
    pub(super) product_reference: Text<'r>,
    #[serde(borrow)]
    pub(super) relates_to_product_reference: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability<'r> {
    #[serde(borrow, default)]
    pub(super) cve: Option<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) cwe: Option<Weakness<'r>>,
    #[serde(borrow, default)]
    pub(super) notes: List<Note<'r>>,
    #[serde(borrow, default)]
    pub(super) release_date: Option<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) product_status: Status<'r>,
    #[serde(borrow, default)]
    pub(super) remediations: List<Remediation<'r>>,
    #[serde(borrow, default)]
    pub(super) scores: List<Score<'r>>,
    #[serde(borrow, default)]
    pub(super) threats: List<Threat<'r>>,
    #[serde(borrow, default)]
    pub(super) references: List<Reference<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Weakness<'r> {
    #[serde(borrow, default)]
    pub(super) id: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Note<'r> {
    #[serde(borrow, default)]
    pub(super) category: Text<'r>,
    #[serde(borrow, default)]
    pub(super) text: Text<'r>,
}

#[derive(Deserialize, Default)]
pub(super) struct Status<'r> {
    #[serde(borrow, default)]
    pub(super) fixed: List<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) known_affected: List<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) known_not_affected: List<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) under_investigation: List<Text<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Remediation<'r> {
    #[serde(borrow, default)]
    pub(super) category: Text<'r>,
    #[serde(borrow, default)]
    pub(super) details: Text<'r>,
    #[serde(borrow, default)]
    pub(super) product_ids: List<Text<'r>>,
    #[serde(borrow, default)]
    pub(super) url: Option<Text<'r>>,
}

#[derive(Deserialize)]
pub(super) struct Score<'r> {
    #[serde(borrow, default)]
    pub(super) cvss_v2: Option<Vector<'r>>,
    #[serde(borrow, default)]
    pub(super) cvss_v3: Option<Vector<'r>>,
    #[serde(borrow, default)]
    pub(super) cvss_v4: Option<Vector<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vector<'r> {
    #[serde(borrow, default)]
    pub(super) vector_string: Text<'r>,
}

#[derive(Deserialize)]
pub(super) struct Threat<'r> {
    #[serde(borrow, default)]
    category: Text<'r>,
    #[serde(borrow, default)]
    details: Text<'r>,
    #[serde(borrow, default)]
    pub(super) product_ids: List<Text<'r>>,
}

impl Threat<'_> {
    /// How bad Red Hat says it is.
    pub(super) fn severity(&self) -> Option<Severity> {
        (self.category == "impact").then(|| severity(&self.details)).flatten()
    }
}

#[derive(Deserialize)]
pub(super) struct Reference<'r> {
    #[serde(borrow, default)]
    pub(super) url: Text<'r>,
}
