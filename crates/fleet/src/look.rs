//! What a report says, as the store keeps it.

use fathom_advisory::{Likeness, scheme};

use fathom_report::{Coverage, Report, System, USUAL_PLACES_ALONE};
use fathom_store::{Look, Nature, Package, Verdict, Whose};
use serde::Serialize;

/// A look at a machine: what is to be kept of its report.
pub fn look(
    machine: Whose,
    job: Option<(String, i64)>,
    report: &Report,
    verdict: Option<Verdict>,
) -> Result<Look, serde_json::Error> {
    let (packages, packages_known) = packages(report);
    let likeness: String =
        Likeness::of(report).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Look {
        machine,
        job,
        report: serde_json::to_string(report)?,
        likeness,
        nature: report.systems.first().map(nature).unwrap_or_default(),
        packages,
        packages_known,
        verdict,
    })
}

fn nature(system: &System) -> Nature {
    let identity = &system.identity;
    let known = |fact: &fathom_report::Fact<String>| fact.value().cloned();
    Nature {
        hostname: known(&identity.hostname),
        family: Some(word(&identity.family)),
        os: known(&identity.distribution),
        os_version: known(&identity.version),
        os_name: known(&identity.name),
        architecture: identity.architecture.value().map(word),
        kernel: system.boot.default.value().and_then(|entry| entry.version.clone()),
    }
}

/// What is installed on all systems of a machine, and whether that is all. Of languages it is all that
/// lies in the usual places.
fn packages(report: &Report) -> (Option<Vec<Package>>, bool) {
    let mut packages = Vec::new();
    let mut known = !report.systems.is_empty();
    let mut seen = false;
    for system in &report.systems {
        let listing = &system.packages;
        let usual = listing.reason.as_deref() == Some(USUAL_PLACES_ALONE);
        known &= listing.coverage == Coverage::Complete || usual;
        seen |= listing.coverage != Coverage::Unknown || !listing.items.is_empty();
        let name = system_name(
            system.identity.distribution.value().map(String::as_str),
            system.identity.version.value().map(String::as_str),
        );
        packages.extend(listing.items.iter().filter(|it| it.is_installed()).map(|it| Package {
            system: name.clone(),
            kind: word(&it.kind),
            name: it.name.clone(),
            version: it.full_version(),
            architecture: it.architecture.clone(),
            source: it.source.clone(),
            scheme: scheme(it.kind),
        }));
    }
    (seen.then_some(packages), known)
}

/// What a system is called beside its packages: `debian 12`.
pub(crate) fn system_name(distribution: Option<&str>, version: Option<&str>) -> String {
    match (distribution, version) {
        (Some(distribution), Some(version)) => format!("{distribution} {version}"),
        (Some(distribution), None) => distribution.to_owned(),
        (None, _) => "unknown".to_owned(),
    }
}

/// A value as documents write it.
pub fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
