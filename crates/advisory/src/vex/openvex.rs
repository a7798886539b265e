//! OpenVEX: of version 0.2.0, and of those before it, in which names were plain texts.

use std::collections::HashMap;

use fathom_report::finding::{MACHINE, VexStatus};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::product::{Identifier, Product, Subject};
use super::{Document, Malformed, Statement, check_count, joined, moment, names};

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "@id", default)]
    id: String,
    author: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    statements: Vec<WrittenStatement>,
}

#[derive(Deserialize)]
struct WrittenStatement {
    vulnerability: Option<Vulnerability>,
    timestamp: Option<String>,
    last_updated: Option<String>,
    #[serde(default)]
    products: Vec<Component>,
    /// Of the versions before 0.2.0: parts of all the products.
    #[serde(default)]
    subcomponents: Vec<Component>,
    status: VexStatus,
    justification: Option<String>,
    impact_statement: Option<String>,
    action_statement: Option<String>,
    status_notes: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Described {
        #[serde(rename = "@id", default)]
        id: String,
        #[serde(default)]
        name: String,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Component {
    Id(String),
    Described(Box<Described>),
}

#[derive(Deserialize)]
struct Described {
    #[serde(rename = "@id")]
    id: Option<String>,
    identifiers: Option<Identifiers>,
    hashes: Option<IgnoredAny>,
    #[serde(default)]
    subcomponents: Vec<Component>,
}

/// The specification calls them one thing, and its schema another.
#[derive(Deserialize)]
struct Identifiers {
    purl: Option<String>,
    cpe22: Option<String>,
    cpe23: Option<String>,
    #[serde(rename = "@cpe22")]
    at_cpe22: Option<String>,
    #[serde(rename = "@cpe23")]
    at_cpe23: Option<String>,
    /// What no finding is compared with.
    #[serde(flatten)]
    others: HashMap<String, IgnoredAny>,
}

pub(super) fn read(text: &str) -> Result<Document, Malformed> {
    let written: Written = serde_json::from_str(text)?;
    let issued = written.last_updated.clone().or(written.timestamp);
    moment(issued.as_ref(), "timestamp")?;
    let mut document = Document {
        name: written.id,
        author: written.author,
        products: Vec::new(),
        statements: Vec::new(),
    };
    let mut parts = 0;
    for (index, statement) in written.statements.into_iter().enumerate() {
        let place = format!("statements[{index}]");
        // Parts of all products count once for each of these.
        let shared = statement.subcomponents.len().saturating_mul(statement.products.len());
        parts = shared.saturating_add(parts);
        check_count(parts, "statements[].subcomponents")?;
        let statement = one(statement, issued.as_ref(), &mut document.products, &place)?;
        document.statements.push(statement);
        check_count(document.products.len(), "statements[].products")?;
    }
    Ok(document)
}

fn one(
    written: WrittenStatement,
    issued: Option<&String>,
    products: &mut Vec<Product>,
    place: &str,
) -> Result<Statement, Malformed> {
    let all = written.vulnerability.map(Vulnerability::names).unwrap_or_default();
    let flaws = names(all, format!("{place}.vulnerability"))?;
    let is_bare = written.justification.is_none() && written.impact_statement.is_none();
    if written.status == VexStatus::NotAffected && is_bare {
        let why = "it is not_affected, with neither a justification nor an impact_statement";
        return Err(Malformed::at(place, why));
    }
    // A statement holds from when the document says so, unless it says another time itself.
    let timestamp = written.last_updated.or(written.timestamp).or_else(|| issued.cloned());
    let shared: Vec<_> =
        written.subcomponents.into_iter().map(|part| add(part.into_part(), products)).collect();
    let mut subjects = Vec::with_capacity(written.products.len());
    for product in written.products {
        let (identifiers, parts) = product.described();
        let product = add(identifiers, products);
        let mut parts: Vec<_> =
            parts.into_iter().map(|part| add(part.into_part(), products)).collect();
        parts.extend(&shared);
        subjects.push(Subject { parts, ..Subject::whole(product) });
    }
    let texts = [&written.impact_statement, &written.action_statement, &written.status_notes];
    Ok(Statement {
        flaws,
        subjects,
        status: written.status,
        detail: joined(texts.into_iter().flatten().map(String::as_str)),
        justification: joined(written.justification.as_deref()),
        moment: moment(timestamp.as_ref(), format!("{place}.timestamp"))?,
        timestamp,
    })
}

fn add(identifiers: Vec<Identifier>, products: &mut Vec<Product>) -> usize {
    products.push(Product { identifiers, part: None });
    products.len() - 1
}

impl Vulnerability {
    fn names(self) -> Vec<String> {
        let (id, name, aliases) = match self {
            Self::Name(name) => (String::new(), name, Vec::new()),
            Self::Described { id, name, aliases } => (id, name, aliases),
        };
        // The name may stand in the address alone.
        let name = match name.trim() {
            "" => id.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => name,
        };
        std::iter::once(name).chain(aliases).collect()
    }
}

impl Component {
    /// All names of it, and its parts.
    fn described(self) -> (Vec<Identifier>, Vec<Component>) {
        let described = match self {
            Self::Id(id) => return (vec![Identifier::of(&id)], Vec::new()),
            Self::Described(described) => *described,
        };
        let mut texts: Vec<_> = described.id.into_iter().collect();
        let mut is_known = described.hashes.is_none();
        if let Some(it) = described.identifiers {
            is_known &= it.others.is_empty();
            texts.extend(
                [it.purl, it.cpe22, it.cpe23, it.at_cpe22, it.at_cpe23].into_iter().flatten(),
            );
        }
        let mut identifiers: Vec<_> = texts.iter().map(|text| Identifier::of(text)).collect();
        // What has a name of its own is one thing on a platform, not all systems of it.
        let has_purl = identifiers.iter().any(|it| matches!(it, Identifier::Purl(_)));
        let has_platform = identifiers.iter().any(|it| matches!(it, Identifier::Cpe(_)));
        let is_named = identifiers
            .iter()
            .any(|it| matches!(it, Identifier::Name(name) if !name.starts_with(MACHINE)));
        if !is_known || (is_named && has_platform && !has_purl) {
            identifiers.push(Identifier::Unknown);
        }
        (identifiers, described.subcomponents)
    }

    /// All names of a part. Of one that has parts itself only these are meant, and what lies within a
    /// package is not known.
    fn into_part(self) -> Vec<Identifier> {
        let (mut identifiers, parts) = self.described();
        if !parts.is_empty() {
            identifiers.push(Identifier::Unknown);
        }
        identifiers
    }
}
