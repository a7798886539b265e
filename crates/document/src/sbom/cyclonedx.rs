//! CycloneDX 1.6, in JSON.

use std::io::{self, Write};

use fathom_report::{Coverage, Package, PackageKind, Report, System, system_url};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::{cpe, hash, licence, names};
use crate::words::harmless;

/// Writes the bill of materials of a report, made at `timestamp` (RFC 3339).
pub fn write(report: &Report, timestamp: &str, out: &mut dyn Write) -> io::Result<()> {
    let serial = hash::identifier("cyclonedx", report, timestamp)?;
    let names = names::packages(report);
    let document = Document { report, timestamp, serial: &serial, names: &names };
    crate::json::write(&document, out)?;
    out.write_all(b"\n")
}

struct Document<'a> {
    report: &'a Report,
    timestamp: &'a str,
    serial: &'a str,
    names: &'a [Vec<names::Named>],
}

/// The reference of the machine as a whole.
const MACHINE: &str = "machine";

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json")?;
        map.serialize_entry("bomFormat", "CycloneDX")?;
        map.serialize_entry("specVersion", "1.6")?;
        map.serialize_entry("serialNumber", &format!("urn:uuid:{}", self.serial))?;
        map.serialize_entry("version", &1)?;
        map.serialize_entry("metadata", &metadata(self.report, self.timestamp))?;
        map.serialize_entry("components", &Components(self))?;
        map.serialize_entry("dependencies", &Dependencies(self))?;
        map.serialize_entry("compositions", &compositions(self.report))?;
        map.end()
    }
}

/// The program that made the report, taken apart.
pub(crate) fn tool(generator: &str) -> (&str, &str) {
    generator.split_once(' ').unwrap_or((generator, ""))
}

/// What the machine is called: by its first disk.
pub(super) fn machine(report: &Report) -> String {
    report.disks.first().map_or_else(|| "machine".to_owned(), |disk| harmless(&disk.name))
}

fn metadata(report: &Report, timestamp: &str) -> serde_json::Value {
    let (tool, version) = tool(&report.generator);
    let hashes: Vec<_> = report
        .disks
        .iter()
        .filter_map(|disk| match disk.checksum.as_deref()?.split_once(':')? {
            ("sha256", digits) => Some(json!({"alg": "SHA-256", "content": digits})),
            ("sha512", digits) => Some(json!({"alg": "SHA-512", "content": digits})),
            _ => None,
        })
        .collect();
    let mut component = json!({
        // In the words of the standard: a runtime format that isolates software by virtualization.
        "type": "container",
        "bom-ref": MACHINE,
        "name": machine(report),
    });
    // Several disks have several checksums, and a component has only its own.
    if report.disks.len() == 1 && !hashes.is_empty() {
        component["hashes"] = hashes.into();
    }
    json!({
        "timestamp": timestamp,
        "tools": {"components": [{"type": "application", "name": tool, "version": version}]},
        "component": component,
    })
}

/// The systems, and what is installed on them.
struct Components<'a>(&'a Document<'a>);

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0;
        let systems = document.report.systems.iter().map(system);
        let packages =
            document.report.systems.iter().zip(document.names).flat_map(|(it, names)| {
                names::installed(it).zip(names).map(|(package, name)| component(package, name))
            });
        serializer.collect_seq(systems.chain(packages))
    }
}

fn system(system: &System) -> serde_json::Value {
    let identity = &system.identity;
    let text = |fact: &fathom_report::Fact<String>| fact.value().map(|text| harmless(text));
    let name = text(&identity.distribution).or_else(|| text(&identity.name));
    let mut component = json!({
        "type": "operating-system",
        "bom-ref": names::system(system),
        "name": name.unwrap_or_else(|| "unknown".to_owned()),
    });
    if let Some(version) = text(&identity.version) {
        component["version"] = version.into();
    }
    if let Some(description) = text(&identity.name) {
        component["description"] = description.into();
    }
    if let Some(cpe) = cpe::of_system(identity) {
        component["cpe"] = cpe.into();
    }
    if let Some(url) = system_url(identity) {
        component["purl"] = url.into();
    }
    let mut properties = vec![property("fathom:root", &system.root)];
    let facts = [
        ("fathom:architecture", identity.architecture.value().map(|it| it.0.as_str())),
        ("fathom:codename", identity.codename.value().map(String::as_str)),
        ("fathom:hostname", identity.hostname.value().map(String::as_str)),
        ("fathom:build", identity.build.value().map(String::as_str)),
        ("fathom:installation", identity.installation.as_deref()),
    ];
    properties
        .extend(facts.iter().filter_map(|(name, value)| value.map(|value| property(name, value))));
    if let Some(reason) = incomplete(&system.packages) {
        properties.push(property("fathom:packages", &reason));
    }
    component["properties"] = properties.into();
    component
}

/// What a list of packages hides and why, in words; nothing if it is complete.
pub(super) fn incomplete<T>(listing: &fathom_report::Listing<T>) -> Option<String> {
    let reason = listing.reason.as_deref();
    match listing.coverage {
        Coverage::Complete => None,
        Coverage::Partial => Some(format!(
            "the list of packages is incomplete: {}",
            reason.unwrap_or("some could not be read")
        )),
        Coverage::Unknown => Some(format!(
            "the packages are unknown: {}",
            reason.unwrap_or("they could not be read")
        )),
    }
}

fn property(name: &str, value: &str) -> serde_json::Value {
    json!({"name": name, "value": value})
}

/// Whether people start it, rather than other programs being made of it.
fn is_application(kind: PackageKind) -> bool {
    matches!(
        kind,
        PackageKind::Snap
            | PackageKind::Flatpak
            | PackageKind::Program
            | PackageKind::StoreApp
            | PackageKind::Hotfix
            | PackageKind::Feature
    )
}

fn component(package: &Package, name: &names::Named) -> serde_json::Value {
    let kind = if is_application(package.kind) { "application" } else { "library" };
    let mut component = json!({"type": kind, "bom-ref": name.reference});
    let maven = package.name.split_once(':').filter(|_| package.kind == PackageKind::Maven);
    match maven {
        Some((group, artifact)) => {
            component["group"] = group.into();
            component["name"] = artifact.into();
        }
        None => component["name"] = package.name.as_str().into(),
    }
    component["version"] = package.full_version().into();
    if let Some(vendor) = &package.vendor {
        component["publisher"] = normalized(vendor).into();
    }
    if let Some((algorithm, digits)) = hash::checksum(package) {
        component["hashes"] = json!([{"alg": algorithm, "content": digits}]);
    }
    if let Some(text) = package.licence.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        component["licenses"] = match licence::expression(text) {
            Some(expression) => json!([{"expression": expression}]),
            None => json!([{"license": {"name": text}}]),
        };
    }
    if let Some(cpe) = cpe::of_package(package) {
        component["cpe"] = cpe.into();
    }
    if let Some(url) = &name.url {
        component["purl"] = url.as_str().into();
    }
    let location = package.location.as_deref().unwrap_or(&package.evidence.0);
    component["evidence"] = json!({"occurrences": [{"location": location}]});
    let known = [
        ("fathom:architecture", package.architecture.as_deref()),
        ("fathom:source", package.source.as_deref()),
        ("fathom:source-version", package.source_version.as_deref()),
        ("fathom:owner", package.owner.as_deref()),
        ("fathom:origin", package.origin.as_deref()),
        ("fathom:module", package.module.as_deref()),
        ("fathom:signature", package.signature.as_deref()),
        ("fathom:installed", package.installed.as_deref()),
        ("fathom:state", package.state.as_deref()),
    ];
    let mut properties = vec![property("fathom:kind", package.kind.name())];
    properties.extend(known.iter().filter_map(|(key, it)| it.map(|value| property(key, value))));
    component["properties"] = properties.into();
    component
}

/// The standard forbids line breaks here.
fn normalized(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The machine consists of its systems, and a system of what is installed on it.
struct Dependencies<'a>(&'a Document<'a>);

impl Serialize for Dependencies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = self.0;
        let systems: Vec<String> = document.report.systems.iter().map(names::system).collect();
        let machine = std::iter::once(Dependency { of: MACHINE.to_owned(), on: systems });
        let each = document.report.systems.iter().zip(document.names).map(|(system, names)| {
            let mut on: Vec<String> = names.iter().map(|name| name.reference.clone()).collect();
            on.sort_unstable();
            Dependency { of: names::system(system), on }
        });
        serializer.collect_seq(machine.chain(each))
    }
}

#[derive(serde::Serialize)]
struct Dependency {
    #[serde(rename = "ref")]
    of: String,
    #[serde(rename = "dependsOn")]
    on: Vec<String>,
}

/// What is known to be complete, and what is not.
fn compositions(report: &Report) -> Vec<serde_json::Value> {
    // Whether there are more systems than were found is known only if everything could be read.
    let machine = match (report.systems.is_empty(), report.problems.is_empty()) {
        (_, true) if !report.systems.is_empty() => "complete",
        (true, _) => "unknown",
        _ => "incomplete",
    };
    let mut all = vec![json!({"aggregate": machine, "assemblies": [MACHINE]})];
    all.extend(report.systems.iter().map(|system| {
        let aggregate = match system.packages.coverage {
            Coverage::Complete => "complete",
            Coverage::Partial => "incomplete",
            Coverage::Unknown => "unknown",
        };
        json!({"aggregate": aggregate, "assemblies": [names::system(system)]})
    }));
    all
}
