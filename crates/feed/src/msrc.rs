//! CVRF as Microsoft publishes it every month: which updates mend which flaws in which products, and
//! which build a Windows has that they brought it to.
//!
//! Read are statements about a Windows itself. Whether an Office, an SQL Server or a .NET is mended, its
//! own builds tell, which no report has exactly; who scans is told that these were compared with nothing.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use fathom_advisory::segment::{NewAdvisory, NewVector, Statement, Subject, Texts, Upper, Writer};
use fathom_advisory::{Cve, Day};
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::Result;
use crate::list::List;
use crate::severity::severity;
use crate::source::{Item, records};
use crate::windows::is_system;
use crate::{cvss, tally};

/// The numbers that the format has for kinds of threats, remediations and notes.
const EXPLOIT_STATUS: u32 = 1;
const SEVERITY: u32 = 3;
const VENDOR_FIX: u32 = 2;
const DESCRIPTION: u32 = 2;
const TAG: u32 = 7;

/// The most vectors of a flaw that are kept.
const VECTORS: usize = 4;

/// What updates are numbered from: smaller numbers are of something else.
const FIRST_UPDATE: u32 = 100_000;

/// The most parts that a month has: many products, named for each flaw several times over. None of these
/// takes much.
const MOST_PARTS: usize = 1 << 21;

type Text<'r> = Cow<'r, str>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document<'r> {
    #[serde(borrow, default)]
    document_tracking: Tracking<'r>,
    #[serde(borrow)]
    product_tree: Tree<'r>,
    #[serde(borrow)]
    vulnerability: List<Entry<'r>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Tracking<'r> {
    #[serde(borrow, default)]
    current_release_date: Text<'r>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tree<'r> {
    #[serde(borrow)]
    full_product_name: List<Product<'r>>,
}

#[derive(Deserialize)]
struct Product<'r> {
    #[serde(borrow, rename = "ProductID")]
    id: Text<'r>,
    #[serde(borrow, rename = "Value", default)]
    name: Text<'r>,
}

/// A flaw, or what should have been one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry<'r> {
    Flaw(#[serde(borrow)] Box<Flaw<'r>>),
    Malformed(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Flaw<'r> {
    #[serde(borrow, rename = "CVE")]
    cve: Text<'r>,
    #[serde(borrow, default)]
    title: Value<'r>,
    #[serde(borrow, default)]
    notes: List<Note<'r>>,
    #[serde(borrow, rename = "CWE", default)]
    weaknesses: Option<Weaknesses<'r>>,
    #[serde(borrow, default)]
    threats: List<Threat<'r>>,
    #[serde(borrow, rename = "CVSSScoreSets", default)]
    scores: List<Score<'r>>,
    #[serde(borrow, default)]
    remediations: List<Remediation<'r>>,
    #[serde(borrow, default)]
    revision_history: List<Revision<'r>>,
}

#[derive(Deserialize, Default)]
struct Value<'r> {
    #[serde(borrow, rename = "Value", default)]
    value: Option<Text<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Note<'r> {
    #[serde(rename = "Type", default)]
    kind: u32,
    #[serde(borrow, default)]
    value: Option<Text<'r>>,
}

/// One, or since 2024 a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Weaknesses<'r> {
    Several(#[serde(borrow)] List<Weakness<'r>>),
    One(#[serde(borrow)] Weakness<'r>),
}

#[derive(Deserialize)]
struct Weakness<'r> {
    #[serde(borrow, rename = "ID", default)]
    id: Text<'r>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Threat<'r> {
    #[serde(rename = "Type", default)]
    kind: u32,
    #[serde(borrow, default)]
    description: Value<'r>,
    #[serde(borrow, rename = "ProductID", default)]
    products: List<Text<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Score<'r> {
    #[serde(borrow, default)]
    vector: Option<Text<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remediation<'r> {
    #[serde(rename = "Type", default)]
    kind: u32,
    /// The number of the update, or `Release Notes` and the like.
    #[serde(borrow, default)]
    description: Value<'r>,
    /// The numbers of what it replaces.
    #[serde(borrow, default)]
    supercedence: Option<Text<'r>>,
    /// The build that it brings a product to, as `10.0.20348.2322`.
    #[serde(borrow, default)]
    fixed_build: Option<Text<'r>>,
    #[serde(borrow, rename = "ProductID", default)]
    products: List<Text<'r>>,
    #[serde(borrow, rename = "URL", default)]
    url: Option<Text<'r>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Revision<'r> {
    #[serde(borrow, default)]
    date: Text<'r>,
}

/// Adds all documents of the file.
pub fn read(path: &Path, writer: &mut Writer) -> Result<()> {
    records(path, &mut |item| one(&item, writer))
}

fn one(item: &Item<'_>, writer: &mut Writer) -> Result<()> {
    let document: Document<'_> = match item.parse_of(MOST_PARTS) {
        Ok(document) => document,
        Err(why) => {
            tally::malformed(writer.about(), item.name, why);
            return Ok(());
        }
    };
    let changed = document.document_tracking.current_release_date.get(..10).unwrap_or_default();
    if changed > writer.about().as_of.as_str() && Day::of(changed).is_known() {
        writer.about().as_of = changed.to_owned();
    }
    let products = &document.product_tree.full_product_name;
    let systems = products.into_iter().filter(|product| is_system(&product.name));
    let systems: HashMap<&str, &str> =
        systems.map(|product| (&*product.id, product.name.trim())).collect();
    for (index, entry) in document.vulnerability.into_iter().enumerate() {
        match entry {
            Entry::Malformed(_) => {
                let named = format!("{}, flaw {index}", item.name);
                tally::malformed(writer.about(), &named, "is none as the format has them");
            }
            Entry::Flaw(flaw) => add(flaw, &systems, writer)?,
        }
    }
    Ok(())
}

fn add(flaw: &Flaw<'_>, systems: &HashMap<&str, &str>, writer: &mut Writer) -> Result<()> {
    // `ADV990001` and the like advise, and are about no flaw.
    let Ok(cve) = flaw.cve.parse::<Cve>() else {
        if flaw.cve.starts_with("CVE-") {
            tally::malformed(writer.about(), &flaw.cve, "is no number of the CVE list");
        }
        return Ok(());
    };
    let statements = statements(flaw, systems, writer);
    if statements.is_empty() {
        return Ok(());
    }
    let severities = flaw.threats.into_iter().filter(|threat| threat.kind == SEVERITY);
    let mut by_product: HashMap<&str, Severity> = HashMap::new();
    let mut worst = None;
    for threat in severities {
        let said = threat.description.value.as_deref().and_then(severity);
        worst = worst.max(said);
        if let Some(said) = said {
            by_product.extend(threat.products.into_iter().map(|id| (&**id, said)));
        }
    }
    let revisions = || flaw.revision_history.into_iter().map(|it| Day::of(&it.date));
    let revisions = || revisions().filter(|day| day.is_known());
    let advisory = NewAdvisory {
        name: &flaw.cve,
        cves: &[cve],
        weaknesses: &weaknesses(flaw),
        vectors: &vectors(flaw),
        severity: worst,
        published: revisions().min().unwrap_or_default(),
        modified: revisions().max().unwrap_or_default(),
        has_exploit: is_exploited(flaw),
        texts: texts(flaw),
        ..NewAdvisory::default()
    };
    let id = match writer.advisory(&advisory)? {
        Ok(id) => id,
        Err(refused) => {
            tally::malformed(writer.about(), &flaw.cve, refused.0);
            return Ok(());
        }
    };
    let component = note(flaw, TAG).filter(|tag| !tag.is_empty()).unwrap_or("Windows");
    for mend in statements {
        let severity = by_product.get(mend.id).copied();
        let update = mend.update.map(|update| format!("KB{update}"));
        let statement = Statement {
            namespace: &format!("Windows:{}", mend.product),
            scheme: Scheme::Windows,
            subject: Subject::Installed,
            name: component,
            lower: None,
            upper: mend.build.map(Upper::Before),
            state: State::Fixed,
            severity: severity.filter(|_| severity != worst),
            qualifier: update.as_deref(),
        };
        if let Err(refused) = writer.statement(id, &statement) {
            tally::malformed(writer.about(), &flaw.cve, refused.0);
        }
    }
    Ok(())
}

/// That an update mends a flaw in a product, and brings it to a build.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mend<'f> {
    id: &'f str,
    product: &'f str,
    update: Option<u32>,
    build: Option<&'f str>,
}

/// What mends the flaw in a Windows; and adds what each update replaces.
fn statements<'f>(
    flaw: &'f Flaw<'_>,
    systems: &HashMap<&'f str, &'f str>,
    writer: &mut Writer,
) -> BTreeSet<Mend<'f>> {
    let mut mends = BTreeSet::new();
    for remediation in flaw.remediations.into_iter().filter(|it| it.kind == VENDOR_FIX) {
        let said = remediation.description.value.as_deref().unwrap_or_default();
        let update = number(said);
        let build = remediation.fixed_build.as_deref().map(str::trim).filter(|it| is_build(it));
        if update.is_none() && build.is_none() {
            continue;
        }
        let replaced = remediation.supercedence.as_deref().unwrap_or_default();
        for old in replaced.split(|it: char| !it.is_ascii_alphanumeric()).filter_map(number) {
            if let Some(new) = update.filter(|new| *new != old) {
                writer.replaced(old, new);
            }
        }
        for id in &remediation.products {
            if let Some((id, product)) = systems.get_key_value(&**id) {
                mends.insert(Mend { id, product, update, build });
            }
        }
    }
    mends
}

/// The number of an update: `5034770`, `KB5034770`.
fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("KB").unwrap_or(text);
    digits.parse().ok().filter(|number| *number >= FIRST_UPDATE)
}

/// Whether the text is a build of a Windows: four numbers, `10.0.20348.2322`.
fn is_build(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    text.len() <= 32 && text.split('.').count() == 4 && text.split('.').all(is_number)
}

fn vectors(flaw: &Flaw<'_>) -> Vec<NewVector> {
    let mut vectors: Vec<NewVector> = Vec::new();
    for text in flaw.scores.into_iter().filter_map(|score| score.vector.as_deref()) {
        let Some(vector) = cvss::vector(text, true) else { continue };
        if vectors.len() < VECTORS && !vectors.contains(&vector) {
            vectors.push(vector);
        }
    }
    // Products may have vectors of their own; the worst counts.
    vectors.sort_by_key(|vector| std::cmp::Reverse((vector.version, vector.score)));
    vectors
}

fn weaknesses(flaw: &Flaw<'_>) -> Vec<u16> {
    let listed: Vec<&Weakness<'_>> = match &flaw.weaknesses {
        None => Vec::new(),
        Some(Weaknesses::One(weakness)) => vec![weakness],
        Some(Weaknesses::Several(list)) => list.into_iter().take(u8::MAX.into()).collect(),
    };
    listed.into_iter().filter_map(|it| it.id.strip_prefix("CWE-")?.parse().ok()).collect()
}

/// Whether Microsoft knows that somebody exploits it:
/// `Publicly Disclosed:No;Exploited:Yes;Latest Software Release:Exploitation Detected`.
fn is_exploited(flaw: &Flaw<'_>) -> bool {
    let mut told = flaw.threats.into_iter().filter(|threat| threat.kind == EXPLOIT_STATUS);
    told.any(|threat| {
        let said = threat.description.value.as_deref().unwrap_or_default();
        said.split(';').any(|part| part.trim() == "Exploited:Yes")
    })
}

fn note<'f>(flaw: &'f Flaw<'_>, kind: u32) -> Option<&'f str> {
    let mut notes = flaw.notes.into_iter().filter(|note| note.kind == kind);
    notes.find_map(|note| note.value.as_deref()).map(str::trim)
}

fn texts(flaw: &Flaw<'_>) -> Texts {
    let urls = flaw.remediations.into_iter().filter_map(|it| it.url.as_deref());
    let mut references: Vec<String> = Vec::new();
    for url in urls.filter(|url| !url.is_empty()) {
        if references.len() < 20 && !references.iter().any(|known| known == url) {
            references.push(url.to_owned());
        }
    }
    Texts {
        summary: flaw.title.value.as_deref().unwrap_or_default().trim().to_owned(),
        details: without_tags(note(flaw, DESCRIPTION).unwrap_or_default()),
        references,
    }
}

/// The text of a piece of HTML.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_and_updates_are_told_from_words() {
        assert!(is_build("10.0.26200.9445"));
        for none in ["", "10.0.26200", "https://aka.ms/x", "16.0.1.x", "10..0.1"] {
            assert!(!is_build(none), "{none}");
        }
        assert_eq!(number("5124012"), Some(5_124_012));
        assert_eq!(number(" KB5124012"), Some(5_124_012));
        assert_eq!(number("Release Notes"), None);
        assert_eq!(number("16"), None);
        assert_eq!(without_tags("<p>One <b>two</b></p>\n<p"), "One two");
    }
}
