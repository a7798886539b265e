//! CycloneDX 1.2 to 1.6, in JSON.
//!
//! The operating system is a component of its own; where there are several, the dependencies say what
//! is on which. What a package was built from stands in properties, which each program names in its
//! own way, or in the package URL.

use std::collections::HashMap;

use fathom_report::Coverage;
use serde::Deserialize;

use crate::Taken;
use crate::component::{Said, Source, kind_named};
use crate::distribution::Distribution;
use crate::draft::{Declared, Draft};
use crate::error::{Error, Result};
use crate::kind::shortened;
use crate::lenient::{self, Each, One, Properties, Text, Texts};

/// The versions that are read.
const VERSIONS: [&str; 6] = ["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

/// What a list of ours says of itself where it is not complete.
const INCOMPLETE: &str = "the list of packages is incomplete: ";
const UNKNOWN: &str = "the packages are unknown: ";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bom {
    #[serde(rename = "specVersion")]
    spec_version: Text,
    metadata: One<Metadata>,
    components: Each<Component>,
    dependencies: Each<Dependency>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    component: One<Component>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Component {
    #[serde(rename = "type")]
    kind: Text,
    #[serde(rename = "bom-ref")]
    reference: Text,
    group: Text,
    name: Text,
    version: Text,
    description: Text,
    publisher: Text,
    supplier: One<Supplier>,
    scope: Text,
    purl: Text,
    evidence: One<Evidence>,
    properties: Properties,
    components: Each<Component>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Supplier {
    name: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Evidence {
    occurrences: Each<Occurrence>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Occurrence {
    location: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dependency {
    #[serde(rename = "ref")]
    of: Text,
    #[serde(rename = "dependsOn")]
    on: Texts,
}

/// Reads a bill of materials.
pub(crate) fn read(bytes: &[u8]) -> Result<Taken> {
    let bom: Bom = lenient::document(bytes)
        .map_err(|why| Error::malformed(format!("no CycloneDX that makes sense: {why}")))?;
    let version = bom.spec_version.get().unwrap_or_default();
    if !VERSIONS.contains(&version) {
        return Err(Error::unsupported(format!(
            "it is of the version {:?} of CycloneDX; those from 1.2 to 1.7 are read",
            shortened(version)
        )));
    }
    let mut draft = Draft::of("CycloneDX");
    let mut references = HashMap::new();
    let mut components = Vec::new();
    draft.pass_over_wrong(bom.components.wrong);
    let subject = bom.metadata.0.and_then(|it| it.component.0);
    // The subject holds the others, and is none of them; it may be the system itself.
    let (subject, within) = match subject {
        Some(mut subject) => {
            let within = std::mem::take(&mut subject.components);
            (Some(subject).filter(|it| it.is("operating-system")), Some(within))
        }
        None => (None, None),
    };
    let mut stack: Vec<Component> = bom.components.into_items().rev().collect();
    stack.extend(within.into_iter().flat_map(|within| within.into_items().rev()));
    stack.extend(subject);
    while let Some(mut component) = stack.pop() {
        draft.pass_over_wrong(component.components.wrong);
        stack.extend(std::mem::take(&mut component.components).into_items().rev());
        if component.is("operating-system") {
            let reference = component.reference.owned();
            let system = draft.system(component.system());
            references.extend(reference.map(|reference| (reference, system)));
        } else if !component.is_no_package() {
            components.push(component);
        }
    }
    let mut on = HashMap::new();
    if references.len() > 1 {
        for dependency in bom.dependencies.into_items() {
            let system = dependency.of.get().and_then(|of| references.get(of));
            if let Some(system) = system {
                on.extend(dependency.on.0.into_iter().map(|reference| (reference, *system)));
            }
        }
    }
    for component in components {
        let system = component.reference.get().and_then(|it| on.get(it)).copied();
        if component.scope.get() == Some("excluded") {
            let name = component.name.owned().unwrap_or_default();
            draft.pass_over(&name, "as excluded from what is there".to_owned());
            continue;
        }
        draft.component(component.said(), system)?;
    }
    Ok(draft.finish())
}

impl Component {
    fn is(&self, kind: &str) -> bool {
        self.kind.get() == Some(kind)
    }

    /// Whether it is no package, but what some were found in.
    fn is_no_package(&self) -> bool {
        if self.purl.get().is_some() || self.properties.get("fathom:kind").is_some() {
            return false;
        }
        let is_lock_file = self.properties.get("aquasecurity:trivy:Class").is_some();
        self.is("file") || self.is("container") || self.is("application") && is_lock_file
    }

    fn system(self) -> Declared {
        let properties = &self.properties;
        let name = properties.first(&["syft:distro:id"]).or_else(|| self.name.owned());
        let version = properties.first(&["syft:distro:versionID"]).or_else(|| self.version.owned());
        let name = name.filter(|name| name != "unknown");
        let owned = |name: &str| properties.get(name).map(str::to_owned);
        Declared {
            distribution: name.map(|name| Distribution::named(&name, version.as_deref())),
            name: owned("syft:distro:prettyName").or_else(|| self.description.owned()),
            codename: owned("fathom:codename"),
            architecture: owned("fathom:architecture"),
            hostname: owned("fathom:hostname"),
            build: owned("fathom:build"),
            installation: owned("fathom:installation"),
            root: owned("fathom:root"),
            hidden: properties.get("fathom:packages").map(hidden),
        }
    }

    fn said(self) -> Said {
        let properties = &self.properties;
        let owned = |name: &str| properties.get(name).map(str::to_owned);
        let mut names = Vec::new();
        if let Some(name) = self.name.get() {
            if let Some(group) = self.group.get() {
                names.push(format!("{group}:{name}"));
                names.push(format!("{group}/{name}"));
            }
            names.push(name.to_owned());
        }
        let occurrence = self.evidence.0.map(|it| it.occurrences);
        let occurrence = occurrence
            .and_then(|all| all.into_items().find_map(|it| it.location.owned()))
            .or_else(|| properties.first(&["aquasecurity:trivy:FilePath", "syft:location:0:path"]));
        Said {
            kind: properties
                .first(&["fathom:kind", "syft:package:type"])
                .as_deref()
                .and_then(kind_named),
            version: self.version.owned(),
            purl: self.purl.owned(),
            vendor: self.publisher.owned().or_else(|| self.supplier.0?.name.owned()),
            location: occurrence,
            architecture: owned("fathom:architecture"),
            source: Source::of(properties),
            module: properties.first(&[
                "fathom:module",
                "aquasecurity:trivy:Modularitylabel",
                "syft:metadata:modularityLabel",
            ]),
            origin: owned("fathom:origin"),
            owner: owned("fathom:owner"),
            state: owned("fathom:state"),
            names,
        }
    }
}

/// What a list of ours hides, in its own words.
pub(crate) fn hidden(text: &str) -> (Coverage, String) {
    if let Some(reason) = text.strip_prefix(INCOMPLETE) {
        return (Coverage::Partial, reason.to_owned());
    }
    match text.strip_prefix(UNKNOWN) {
        Some(reason) => (Coverage::Unknown, reason.to_owned()),
        None => (Coverage::Partial, text.to_owned()),
    }
}
