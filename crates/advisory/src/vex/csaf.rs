//! CSAF 2.0, of whichever profile: what a document says of products that it names in a tree.

use std::collections::HashMap;
use std::sync::Arc;

use fathom_report::finding::VexStatus;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::product::{Identifier, Part, Place, Product, Subject};
use super::{Document, Malformed, Statement, check_count, joined, moment, names};

/// The most products that the groups of a document may name, counted each time that they are used.
const GROUPED: usize = 1 << 20;

/// The most that the branches on the way to a product may say of it: what says more is in doubt.
const WAY: usize = 3;

#[derive(Deserialize)]
struct Written {
    document: Head,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Head {
    csaf_version: Option<String>,
    publisher: Option<Publisher>,
    tracking: Option<Tracking>,
}

#[derive(Deserialize)]
struct Publisher {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Tracking {
    #[serde(default)]
    id: String,
    status: Option<String>,
    current_release_date: Option<String>,
}

#[derive(Deserialize, Default)]
struct Tree {
    #[serde(default)]
    full_product_names: Vec<Named>,
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(default)]
    product_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    category: String,
    #[serde(default)]
    name: String,
    product: Option<Named>,
    #[serde(default)]
    branches: Vec<Branch>,
}

#[derive(Deserialize)]
struct Named {
    product_id: String,
    #[serde(default)]
    name: String,
    product_identification_helper: Option<Helper>,
}

#[derive(Deserialize)]
struct Helper {
    purl: Option<String>,
    cpe: Option<String>,
    /// Checksums, serial numbers and the like, which no finding is compared with.
    #[serde(flatten)]
    others: HashMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Relationship {
    full_product_name: Named,
    product_reference: String,
    relates_to_product_reference: String,
}

#[derive(Deserialize)]
struct Group {
    group_id: String,
    #[serde(default)]
    product_ids: Vec<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    #[serde(default)]
    ids: Vec<Name>,
    #[serde(default)]
    product_status: Status,
    #[serde(default)]
    flags: Vec<Remark>,
    #[serde(default)]
    threats: Vec<Remark>,
    #[serde(default)]
    remediations: Vec<Remark>,
}

#[derive(Deserialize)]
struct Name {
    text: String,
}

#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    known_not_affected: Vec<String>,
    #[serde(default)]
    fixed: Vec<String>,
    #[serde(default)]
    first_fixed: Vec<String>,
    #[serde(default)]
    known_affected: Vec<String>,
    #[serde(default)]
    first_affected: Vec<String>,
    #[serde(default)]
    last_affected: Vec<String>,
    #[serde(default)]
    under_investigation: Vec<String>,
}

/// Something said of some products: a flag, a threat, or a way to mend.
#[derive(Deserialize)]
struct Remark {
    label: Option<String>,
    category: Option<String>,
    details: Option<String>,
    #[serde(default)]
    product_ids: Vec<String>,
    #[serde(default)]
    group_ids: Vec<String>,
}

/// The products of a document, by their names in it.
#[derive(Default)]
struct Products {
    all: Vec<Product>,
    places: HashMap<String, Place>,
    groups: HashMap<String, Vec<Place>>,
    grouped: usize,
}

pub(super) fn read(text: &str) -> Result<Document, Malformed> {
    let written: Written = serde_json::from_str(text)?;
    let head = written.document;
    match head.csaf_version.as_deref() {
        Some("2.0") => {}
        Some(other) => {
            return Err(Malformed::at("document.csaf_version", format!("{other:?} is not 2.0")));
        }
        None => return Err(Malformed::at("document.csaf_version", "it is not there")),
    }
    let tracking = head.tracking.unwrap_or(Tracking {
        id: String::new(),
        status: None,
        current_release_date: None,
    });
    if tracking.status.as_deref() == Some("draft") {
        return Err(Malformed::at("document.tracking.status", "it is a draft"));
    }
    let released = tracking.current_release_date;
    let moment = moment(released.as_ref(), "document.tracking.current_release_date")?;
    let mut products = Products::of(written.product_tree)?;
    let mut statements = Vec::new();
    for (index, flaw) in written.vulnerabilities.into_iter().enumerate() {
        let place = format!("vulnerabilities[{index}]");
        for mut statement in of_flaw(flaw, &mut products, &place)? {
            statement.moment = moment;
            statement.timestamp.clone_from(&released);
            statements.push(statement);
        }
        check_count(statements.len(), "vulnerabilities[].product_status")?;
    }
    Ok(Document {
        name: tracking.id,
        author: head.publisher.and_then(|it| it.name),
        products: products.all,
        statements,
    })
}

impl Products {
    fn of(tree: Tree) -> Result<Self, Malformed> {
        let mut products = Self::default();
        for named in tree.full_product_names {
            products.add(named, None, &[])?;
        }
        // How deeply they nest is bounded by the reader of JSON.
        for branch in tree.branches {
            products.add_branch(branch, &[])?;
        }
        for (index, relationship) in tree.relationships.into_iter().enumerate() {
            let place = format!("product_tree.relationships[{index}]");
            let component = products.place(&relationship.product_reference, &place)?;
            let of = products.place(&relationship.relates_to_product_reference, &place)?;
            products.add(relationship.full_product_name, Some(Part { of, component }), &[])?;
        }
        for group in tree.product_groups {
            let members =
                group.product_ids.iter().filter_map(|id| products.places.get(id).copied());
            let members = members.collect();
            products.groups.insert(group.group_id, members);
        }
        check_count(products.all.len(), "product_tree")?;
        Ok(products)
    }

    /// Adds what is in a branch, of which all is said that the branches on the way say.
    fn add_branch(&mut self, branch: Branch, way: &[Identifier]) -> Result<(), Malformed> {
        let mut way = way.to_vec();
        match branch.category.as_str() {
            // Names for people.
            "vendor" | "product_family" | "product_name" => {}
            "product_version" => way.push(Identifier::Version(branch.name.into())),
            "architecture" => way.push(Identifier::Architecture(branch.name.into())),
            // A range of versions, a patch level, a language.
            _ => way.push(Identifier::Unknown),
        }
        // Each product has them all, so that they must be few.
        if way.len() > WAY {
            way = vec![Identifier::Unknown];
        }
        if let Some(named) = branch.product {
            self.add(named, None, &way)?;
        }
        branch.branches.into_iter().try_for_each(|branch| self.add_branch(branch, &way))
    }

    fn add(
        &mut self,
        named: Named,
        part: Option<Part>,
        way: &[Identifier],
    ) -> Result<(), Malformed> {
        let mut identifiers = Vec::new();
        if let Some(helper) = named.product_identification_helper {
            if !helper.others.is_empty() {
                identifiers.push(Identifier::Unknown);
            }
            let texts = [helper.purl, helper.cpe].into_iter().flatten();
            identifiers.extend(texts.map(|text| Identifier::of(&text)));
        }
        let is_said = |said: &Identifier| match (said, identifiers.as_slice()) {
            (Identifier::Version(text), [Identifier::Purl(purl), ..]) => purl.says(text),
            _ => false,
        };
        let further: Vec<_> = way.iter().filter(|it| !is_said(it)).cloned().collect();
        identifiers.extend(further);
        identifiers.push(Identifier::Name(named.name));
        let place = self.all.len();
        self.all.push(Product { identifiers, part });
        match self.places.insert(named.product_id.clone(), place) {
            None => Ok(()),
            Some(_) => {
                let why = format!("{:?} is there twice", named.product_id);
                Err(Malformed::at("product_tree: product_id", why))
            }
        }
    }

    fn place(&self, id: &str, place: &str) -> Result<Place, Malformed> {
        let found = self.places.get(id).copied();
        found.ok_or_else(|| Malformed::at(place, format!("there is no product {id:?}")))
    }

    /// The products that a remark is of, groups and all.
    fn of_remark(&mut self, remark: &Remark) -> Result<Vec<Place>, Malformed> {
        let ids = remark.product_ids.iter();
        let mut places: Vec<_> = ids.filter_map(|id| self.places.get(id).copied()).collect();
        for group in &remark.group_ids {
            let members = self.groups.get(group).map_or(&[][..], Vec::as_slice);
            self.grouped = self.grouped.saturating_add(members.len());
            if self.grouped > GROUPED {
                return Err(Malformed::at("product_tree.product_groups", "they are too large"));
            }
            places.extend(members);
        }
        Ok(places)
    }

    /// The texts of remarks, each once, and which of them is said of which product: the first one.
    fn said<'r>(
        &mut self,
        remarks: impl Iterator<Item = &'r Remark>,
        text: impl Fn(&'r Remark) -> Option<&'r str>,
    ) -> Result<Said<'r>, Malformed> {
        let mut said = Said::default();
        for remark in remarks {
            let Some(text) = text(remark) else { continue };
            let index = said.texts.len();
            said.texts.push(text);
            for place in self.of_remark(remark)? {
                said.of.entry(place).or_insert(index);
            }
        }
        Ok(said)
    }
}

/// What is said of products apart from their status.
#[derive(Default)]
struct Said<'r> {
    texts: Vec<&'r str>,
    of: HashMap<Place, usize>,
}

impl<'r> Said<'r> {
    fn text(&self, index: Option<usize>) -> Option<&'r str> {
        self.texts.get(index?).copied()
    }
}

/// A statement for each way that products stand to a flaw, and each reason for it.
fn of_flaw(
    mut flaw: Vulnerability,
    products: &mut Products,
    place: &str,
) -> Result<Vec<Statement>, Malformed> {
    let all = flaw.cve.take().into_iter().chain(flaw.ids.drain(..).map(|it| it.text));
    let flaws = names(all, place)?;
    let labels = products.said(flaw.flags.iter(), |it| it.label.as_deref())?;
    let impacts = flaw.threats.iter().filter(|it| it.category.as_deref() == Some("impact"));
    let impacts = products.said(impacts, |it| it.details.as_deref())?;
    let remedies = products.said(flaw.remediations.iter(), |it| it.details.as_deref())?;
    let status = &flaw.product_status;
    let lists = [
        (VexStatus::NotAffected, "known_not_affected", &status.known_not_affected),
        (VexStatus::Fixed, "fixed", &status.fixed),
        (VexStatus::Fixed, "first_fixed", &status.first_fixed),
        (VexStatus::Affected, "known_affected", &status.known_affected),
        (VexStatus::Affected, "first_affected", &status.first_affected),
        (VexStatus::Affected, "last_affected", &status.last_affected),
        (VexStatus::UnderInvestigation, "under_investigation", &status.under_investigation),
    ];
    let mut standing: HashMap<Place, VexStatus> = HashMap::new();
    let mut made: HashMap<_, usize> = HashMap::new();
    let mut statements: Vec<Statement> = Vec::new();
    for (status, name, ids) in lists {
        for id in ids {
            let place = format!("{place}.product_status.{name}");
            let product = products.place(id, &place)?;
            match standing.insert(product, status) {
                None => {}
                Some(before) if before == status => continue,
                // A document that says two things of one product says nothing that can be believed.
                Some(_) => {
                    let why = format!("{id:?} stands in another list too, which says otherwise");
                    return Err(Malformed::at(place, why));
                }
            }
            let (label, detail) = match status {
                VexStatus::NotAffected => (labels.of.get(&product), impacts.of.get(&product)),
                VexStatus::Fixed => (None, None),
                VexStatus::Affected | VexStatus::UnderInvestigation => {
                    (None, remedies.of.get(&product))
                }
            };
            let (label, detail) = (label.copied(), detail.copied());
            let index = *made.entry((status, label, detail)).or_insert_with(|| {
                let detail = match status {
                    VexStatus::NotAffected => impacts.text(detail),
                    _ => remedies.text(detail),
                };
                statements.push(Statement {
                    flaws: Arc::clone(&flaws),
                    subjects: Vec::new(),
                    status,
                    justification: joined(labels.text(label)),
                    detail: joined(detail),
                    moment: None,
                    timestamp: None,
                });
                statements.len() - 1
            });
            if let Some(statement) = statements.get_mut(index) {
                statement.subjects.push(Subject::whole(product));
            }
        }
    }
    Ok(statements)
}
