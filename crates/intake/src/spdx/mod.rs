//! SPDX 2.2 and 2.3, in JSON and as lines of tags and values.

mod tag_value;

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::Taken;
use crate::component::{Said, Source, kind_named, of_type};
use crate::cyclonedx::hidden;
use crate::distribution::Distribution;
use crate::draft::{Declared, Draft};
use crate::error::{Error, Result};
use crate::lenient::{self, Each, One, Text, Texts};
use crate::purl::Purl;

pub(crate) use tag_value::read as tag_value;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    packages: Each<Package>,
    relationships: Each<Relationship>,
    #[serde(rename = "documentDescribes")]
    describes: Texts,
    /// GitHub puts all of it into this.
    sbom: One<Inner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner {
    packages: Each<Package>,
    relationships: Each<Relationship>,
    #[serde(rename = "documentDescribes")]
    describes: Texts,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    #[serde(rename = "SPDXID")]
    id: Text,
    name: Text,
    #[serde(rename = "versionInfo")]
    version: Text,
    supplier: Text,
    summary: Text,
    #[serde(rename = "sourceInfo")]
    source_info: Text,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: Text,
    #[serde(rename = "externalRefs")]
    references: Each<Reference>,
    annotations: Each<Annotation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(rename = "referenceType")]
    kind: Text,
    #[serde(rename = "referenceLocator")]
    locator: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    comment: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: Text,
    #[serde(rename = "relationshipType")]
    kind: Text,
    #[serde(rename = "relatedSpdxElement")]
    to: Text,
}

/// Reads a bill of materials in JSON.
pub(crate) fn json(bytes: &[u8]) -> Result<Taken> {
    let document: Document = lenient::document(bytes)
        .map_err(|why| Error::malformed(format!("no SPDX that makes sense: {why}")))?;
    match document.sbom.0 {
        Some(Inner { packages, relationships, describes }) => {
            taken(packages, relationships, describes.0)
        }
        None => taken(document.packages, document.relationships, document.describes.0),
    }
}

/// What a document of either form tells.
fn taken(
    packages: Each<Package>,
    relationships: Each<Relationship>,
    described: Vec<String>,
) -> Result<Taken> {
    let mut draft = Draft::of("SPDX");
    draft.pass_over_wrong(packages.wrong);
    let mut systems: HashMap<String, usize> = HashMap::new();
    let mut rest = Vec::new();
    for package in packages.into_items() {
        if package.purpose.get() == Some("OPERATING-SYSTEM") {
            let id = package.id.owned();
            let system = draft.system(package.system());
            systems.extend(id.map(|id| (id, system)));
        } else {
            rest.push(package);
        }
    }
    let relations = Relations::of(relationships, described, &systems, &rest);
    for package in rest {
        let id = package.id.get().unwrap_or_default();
        let on = relations.on.get(id).copied();
        let owner = relations.owners.get(id).cloned();
        // What the document is about holds the others, and is none of them.
        let is_subject = relations.is_subject(id) && !package.locator().is_some_and(is_package);
        let purpose = package.purpose.get().unwrap_or_default();
        let is_no_package = matches!(purpose, "CONTAINER" | "FILE" | "ARCHIVE" | "SOURCE")
            && package.locator().is_none();
        let is_lock_file =
            id.starts_with("SPDXRef-Application-") && package.version.get().is_none();
        if is_subject || is_no_package || is_lock_file {
            continue;
        }
        draft.component(package.said(owner), on)?;
    }
    Ok(draft.finish())
}

/// Whether a package URL is that of what is installed, and not of an image or a repository.
fn is_package(url: &str) -> bool {
    Purl::parse(url).is_some_and(|purl| of_type(&purl.kind).is_some())
}

/// What is in what, as far as it matters here.
struct Relations {
    described: HashSet<String>,
    /// The system that a package is on.
    on: HashMap<String, usize>,
    /// The package of a system that another one is a part of.
    owners: HashMap<String, String>,
}

impl Relations {
    fn of(
        relationships: Each<Relationship>,
        described: Vec<String>,
        systems: &HashMap<String, usize>,
        packages: &[Package],
    ) -> Self {
        let names: HashMap<&str, &str> =
            packages.iter().filter_map(|it| Some((it.id.get()?, it.name.get()?))).collect();
        let mut relations = Self {
            described: described.into_iter().collect(),
            on: HashMap::new(),
            owners: HashMap::new(),
        };
        for Relationship { from, kind, to } in relationships.into_items() {
            let (Some(from), Some(kind), Some(to)) = (from.get(), kind.get(), to.get()) else {
                continue;
            };
            let (holder, held) = match kind {
                "DESCRIBES" => {
                    relations.described.insert(to.to_owned());
                    continue;
                }
                "DESCRIBED_BY" => {
                    relations.described.insert(from.to_owned());
                    continue;
                }
                "CONTAINS" => (from, to),
                "CONTAINED_BY" => (to, from),
                _ => continue,
            };
            if let Some(system) = systems.get(holder) {
                relations.on.insert(held.to_owned(), *system);
            } else if let (Some(name), true) = (names.get(holder), names.contains_key(held)) {
                relations.owners.insert(held.to_owned(), (*name).to_owned());
            }
        }
        // A subject, or what was made of a lock file, owns nothing in the sense of a package.
        let holders: HashSet<&str> = packages
            .iter()
            .filter(|it| {
                it.id.get().is_some_and(|id| relations.is_subject(id)) || !it.is_of_a_system()
            })
            .filter_map(|it| it.name.get())
            .collect();
        relations.owners.retain(|_, owner| !holders.contains(owner.as_str()));
        relations
    }

    /// Whether a document is about this; some say of everything in it that it is about it.
    fn is_subject(&self, id: &str) -> bool {
        self.described.len() == 1 && self.described.contains(id)
    }
}

impl Package {
    /// The package URL.
    fn locator(&self) -> Option<&str> {
        let references = self.references.items.iter().map(|(_, it)| it);
        let mut urls = references.filter(|it| {
            it.kind.get().is_some_and(|kind| kind == "purl" || kind.ends_with("/purl"))
        });
        urls.find_map(|it| it.locator.get())
    }

    /// Whether it is a package of a distribution, of which files may be packages of a language.
    fn is_of_a_system(&self) -> bool {
        let kinds = ["pkg:deb/", "pkg:rpm/", "pkg:apk/", "pkg:alpm/"];
        self.locator().is_some_and(|url| kinds.iter().any(|kind| url.starts_with(kind)))
    }

    fn system(self) -> Declared {
        let name = self.name.owned().filter(|name| name != "unknown");
        let version = self.version.owned();
        let comment = self.annotations.into_items().find_map(|it| it.comment.owned());
        let says = |it: &String| {
            it.starts_with("the list of packages") || it.starts_with("the packages are")
        };
        Declared {
            distribution: name.map(|name| Distribution::named(&name, version.as_deref())),
            name: self.summary.owned(),
            root: self.source_info.get().and_then(|it| it.strip_prefix("on ")).map(str::to_owned),
            hidden: comment.filter(says).map(|it| hidden(&it)),
            ..Declared::default()
        }
    }

    fn said(self, owner: Option<String>) -> Said {
        let purl = self.locator().map(str::to_owned);
        // We say of what kind a package is and where it was found; trivy, what it was built from.
        let info = self.source_info.get();
        let ours = info.and_then(|info| info.split_once(", found in "));
        let source =
            info.and_then(|info| info.strip_prefix("built package from: ")).map(
                |built| match built.rsplit_once(' ') {
                    Some((name, version)) => {
                        Source { name: name.to_owned(), version: Some(version.to_owned()) }
                    }
                    None => Source { name: built.to_owned(), version: None },
                },
            );
        let vendor = self.supplier.get().and_then(|it| {
            it.strip_prefix("Organization: ").or_else(|| it.strip_prefix("Person: "))
        });
        Said {
            names: self.name.owned().into_iter().collect(),
            version: self.version.owned(),
            kind: ours.and_then(|(kind, _)| kind_named(kind)),
            location: ours.map(|(_, location)| location.to_owned()),
            vendor: vendor.map(str::to_owned),
            purl,
            source,
            owner,
            ..Said::default()
        }
    }
}
