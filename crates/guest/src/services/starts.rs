//! Whether what a configuration is for is started with the system.

use fathom_report::{Coverage, Enabled, Evidence, Fact, Listing, Service, ServiceKind};

/// Whether one of the services is enabled. They are named without the ending of a unit.
pub(crate) fn starts(services: &Listing<Service>, names: &[&str]) -> Fact<bool> {
    let mut unknown = None;
    let mut places: Vec<Evidence> = Vec::new();
    for service in &services.items {
        let name = match service.kind {
            ServiceKind::Service => service.name.strip_suffix(".service"),
            ServiceKind::Sysv | ServiceKind::OpenRc => Some(service.name.as_str()),
            _ => None,
        };
        if !name.is_some_and(|name| names.contains(&name)) {
            continue;
        }
        match &service.enabled {
            Fact::Known { value: Enabled::Enabled, evidence } => {
                return Fact::Known { value: true, evidence: evidence.clone() };
            }
            Fact::Known { evidence, .. } | Fact::Absent { evidence } => {
                places.extend(evidence.iter().cloned());
            }
            Fact::Unknown { reason } => unknown = Some(reason.clone()),
        }
    }
    let hidden = (services.coverage != Coverage::Complete && places.is_empty())
        .then(|| services.reason.clone().unwrap_or_default());
    match unknown.or(hidden) {
        Some(reason) => Fact::unknown(format!("whether it is started is not known: {reason}")),
        None => {
            if places.is_empty() {
                places.clone_from(&services.evidence);
            }
            Fact::Known { value: false, evidence: places }
        }
    }
}
