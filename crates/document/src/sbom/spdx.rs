//! SPDX 2.3, in JSON.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use fathom_report::{Package, Report, System, system_url};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::cyclonedx::{incomplete, machine, tool};
use super::{cpe, hash, licence, names};
use crate::words::harmless;

/// Writes the bill of materials of a report, made at `timestamp` (RFC 3339, in whole seconds UTC).
pub fn write(report: &Report, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let identifier = hash::identifier("spdx", report, timestamp)?;
    let names = names::packages(report);
    let document = Document {
        report,
        timestamp,
        identifier: &identifier,
        names: &names,
        licences: RefCell::default(),
    };
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

struct Document<'a> {
    report: &'a Report,
    timestamp: &'a str,
    identifier: &'a str,
    names: &'a [Vec<names::Named>],
    /// Licences that the list of SPDX does not have, by the names that the document gives them.
    licences: RefCell<BTreeMap<String, String>>,
}

const MACHINE: &str = "SPDXRef-Machine";

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, version) = tool(&self.report.generator);
        let dash = if version.is_empty() { "" } else { "-" };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("spdxVersion", "SPDX-2.3")?;
        map.serialize_entry("dataLicense", "CC0-1.0")?;
        map.serialize_entry("SPDXID", "SPDXRef-DOCUMENT")?;
        map.serialize_entry("name", &machine(self.report))?;
        // Nothing lies at this address; the standard wants one that nobody else gives.
        let namespace = format!("https://fathom.invalid/spdx/{}", self.identifier);
        map.serialize_entry("documentNamespace", &namespace)?;
        map.serialize_entry(
            "creationInfo",
            &json!({
                "created": self.timestamp,
                "creators": [format!("Tool: {name}{dash}{version}")],
            }),
        )?;
        let incomplete = self.incomplete();
        if !incomplete.is_empty() {
            map.serialize_entry("comment", &incomplete.join("\n"))?;
        }
        map.serialize_entry("packages", &Packages(self))?;
        map.serialize_entry("relationships", &Relationships(self))?;
        let licences = self.licences.borrow();
        if !licences.is_empty() {
            map.serialize_entry("hasExtractedLicensingInfos", &Licences(&licences))?;
        }
        map.end()
    }
}

impl Document<'_> {
    /// What the document does not have, and why.
    fn incomplete(&self) -> Vec<String> {
        let mut said: Vec<String> = self
            .report
            .systems
            .iter()
            .filter_map(|system| {
                Some(format!("{}: {}", harmless(&system.root), incomplete(&system.packages)?))
            })
            .collect();
        if self.report.systems.is_empty() {
            said.push("no operating system was found".to_owned());
        }
        said.extend(self.report.problems.iter().map(|problem| harmless(&problem.message)));
        said
    }

    /// The licence that a package declares, in terms that are valid in the document.
    fn licence(&self, package: &Package) -> String {
        let Some(text) = package.licence.as_deref().map(str::trim).filter(|it| !it.is_empty())
        else {
            return "NOASSERTION".to_owned();
        };
        licence::expression(text).unwrap_or_else(|| {
            let name = format!("LicenseRef-{}", hash::short(text));
            self.licences.borrow_mut().insert(name.clone(), text.to_owned());
            name
        })
    }

    fn annotation(&self, comment: &str) -> serde_json::Value {
        let (name, version) = tool(&self.report.generator);
        json!([{
            "annotationDate": self.timestamp,
            "annotationType": "OTHER",
            "annotator": format!("Tool: {name} {version}").trim_end(),
            "comment": comment,
        }])
    }

    fn machine(&self) -> serde_json::Value {
        let mut package = bare(MACHINE, &machine(self.report));
        package["primaryPackagePurpose"] = "OTHER".into();
        package
    }

    fn system(&self, index: usize, system: &System) -> serde_json::Value {
        let identity = &system.identity;
        let name = identity.distribution.value().or(identity.name.value());
        let name = name.map_or_else(|| "unknown".to_owned(), |name| harmless(name));
        let mut package = bare(&of_system(index), &name);
        package["primaryPackagePurpose"] = "OPERATING-SYSTEM".into();
        if let Some(version) = identity.version.value() {
            package["versionInfo"] = harmless(version).into();
        }
        if let Some(summary) = identity.name.value() {
            package["summary"] = harmless(summary).into();
        }
        package["sourceInfo"] = format!("on {}", harmless(&system.root)).into();
        let url = system_url(identity);
        package["externalRefs"] = references(url.as_deref(), cpe::of_system(identity)).into();
        if let Some(incomplete) = incomplete(&system.packages) {
            package["annotations"] = self.annotation(&incomplete);
        }
        package
    }

    fn package(&self, id: &str, package: &Package, name: &names::Named) -> serde_json::Value {
        let mut one = bare(id, &package.name);
        one["versionInfo"] = package.full_version().into();
        one["licenseDeclared"] = self.licence(package).into();
        if let Some(vendor) = &package.vendor {
            one["supplier"] = supplier(vendor).into();
        }
        if let Some((algorithm, digits)) = hash::checksum(package) {
            let algorithm = algorithm.replace('-', "");
            one["checksums"] = json!([{"algorithm": algorithm, "checksumValue": digits}]);
        }
        if let Some(installed) = &package.installed {
            one["comment"] = format!("installed {}", harmless(installed)).into();
        }
        let location = package.location.as_deref().unwrap_or(&package.evidence.0);
        one["sourceInfo"] =
            format!("{}, found in {}", package.kind.name(), harmless(location)).into();
        one["externalRefs"] = references(name.url.as_deref(), cpe::of_package(package)).into();
        one
    }
}

/// A package of which nothing is known but its name.
fn bare(id: &str, name: &str) -> serde_json::Value {
    json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    })
}

/// Who made it. A comma or a bracket would be taken for the beginning of an address.
fn supplier(vendor: &str) -> String {
    let plain: String = vendor
        .chars()
        .map(|c| if c.is_control() || matches!(c, '(' | ')' | '<' | '>') { ' ' } else { c })
        .collect();
    match plain.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
        "" => "NOASSERTION".to_owned(),
        name => format!("Organization: {name}"),
    }
}

fn references(url: Option<&str>, cpe: Option<String>) -> Vec<serde_json::Value> {
    let url = url.map(|url| {
        json!({
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": url,
        })
    });
    let cpe = cpe.map(|name| {
        json!({
            "referenceCategory": "SECURITY",
            "referenceType": cpe::kind(&name),
            "referenceLocator": name,
        })
    });
    url.into_iter().chain(cpe).collect()
}

fn of_system(index: usize) -> String {
    format!("SPDXRef-System-{index}")
}

/// The identifier of a package: of what it is, so that one more package does not rename the others.
fn of_package(name: &names::Named) -> String {
    format!("SPDXRef-Package-{}", hash::short(&name.reference))
}

/// The machine, its systems, and what is installed on them.
struct Packages<'a>(&'a Document<'a>);

impl Serialize for Packages<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0;
        let systems = &document.report.systems;
        let each = systems.iter().enumerate().map(|(index, it)| document.system(index, it));
        let packages = systems.iter().zip(document.names).flat_map(|(system, names)| {
            let items = names::installed(system).zip(names);
            items.map(|(package, name)| document.package(&of_package(name), package, name))
        });
        serializer.collect_seq(std::iter::once(document.machine()).chain(each).chain(packages))
    }
}

/// The document describes the machine; the machine contains its systems, and those their packages.
struct Relationships<'a>(&'a Document<'a>);

#[derive(serde::Serialize)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}

impl Serialize for Relationships<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let contains = |from: String, to: String| Relationship { from, kind: "CONTAINS", to };
        let describes = Relationship {
            from: "SPDXRef-DOCUMENT".to_owned(),
            kind: "DESCRIBES",
            to: MACHINE.to_owned(),
        };
        let count = self.0.report.systems.len();
        let systems = (0..count).map(|index| contains(MACHINE.to_owned(), of_system(index)));
        let packages = self.0.names.iter().enumerate().flat_map(|(index, names)| {
            names.iter().map(move |name| contains(of_system(index), of_package(name)))
        });
        let owned = self.0.report.systems.iter().zip(self.0.names).flat_map(|(system, names)| {
            owned(system, names).into_iter().map(|(owner, part)| contains(owner, part))
        });
        serializer
            .collect_seq(std::iter::once(describes).chain(systems).chain(packages).chain(owned))
    }
}

/// Packages of languages that are files of a package of the system: which one, and they.
fn owned(system: &System, names: &[names::Named]) -> Vec<(String, String)> {
    let is_owner = |it: &Package| !it.kind.is_of_language();
    let mut owners: HashMap<&str, &names::Named> = HashMap::new();
    for (package, name) in names::installed(system).zip(names).filter(|(it, _)| is_owner(it)) {
        owners.entry(&package.name).or_insert(name);
    }
    let parts = names::installed(system).zip(names).filter_map(|(package, name)| {
        let owner = owners.get(package.owner.as_deref()?)?;
        Some((of_package(owner), of_package(name)))
    });
    parts.collect()
}

/// Licences that the list of SPDX does not have.
struct Licences<'a>(&'a BTreeMap<String, String>);

impl Serialize for Licences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(name, text)| {
            json!({"licenseId": name, "name": harmless(text), "extractedText": text})
        }))
    }
}
