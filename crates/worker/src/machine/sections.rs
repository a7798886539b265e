//! Sections of a report that somebody does not want.

use serde_json::{Value, json};

/// What a report can go without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Packages,
    Services,
    Users,
    Network,
    Security,
    Storage,
    Databases,
}

impl Section {
    pub(super) const ALL: [Self; 7] = [
        Self::Packages,
        Self::Services,
        Self::Users,
        Self::Network,
        Self::Security,
        Self::Storage,
        Self::Databases,
    ];

    /// As options call it, behind `include_`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Packages => "packages",
            Self::Services => "services",
            Self::Users => "users",
            Self::Network => "network",
            Self::Security => "security",
            Self::Storage => "storage",
            Self::Databases => "databases",
        }
    }
}

/// Takes sections out of a report. Their members are gone, not empty: nobody can take what was left
/// out for what is not there.
pub(super) fn leave_out(report: &mut Value, sections: &[Section]) {
    for section in sections {
        if *section == Section::Storage {
            remove(report, "storage");
        }
        let systems = report.get_mut("systems").and_then(Value::as_array_mut);
        for system in systems.into_iter().flatten() {
            match section {
                Section::Storage => {
                    remove(system, "mounts");
                    remove(system, "swap");
                }
                Section::Databases => without_databases(system),
                other => remove(system, other.name()),
            }
        }
    }
}

fn remove(object: &mut Value, member: &str) {
    if let Some(members) = object.as_object_mut() {
        members.remove(member);
    }
}

/// Databases are some of the applications, so that the list stays, and says that it is not all.
fn without_databases(system: &mut Value) {
    let Some(applications) = system.get_mut("applications") else { return };
    if let Some(items) = applications.get_mut("items").and_then(Value::as_array_mut) {
        items.retain(|application| application["kind"] != "database");
    }
    if applications["coverage"] == "complete" {
        applications["coverage"] = json!("partial");
        applications["reason"] = json!("databases were left out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_does_not_read_as_empty() {
        let mut report = json!({
            "storage": { "volumes": [] },
            "systems": [{
                "packages": {}, "services": {}, "users": {}, "network": {}, "security": {},
                "mounts": {}, "swap": {}, "identity": {},
                "applications": {
                    "coverage": "complete",
                    "items": [{ "kind": "database" }, { "kind": "web-server" }],
                },
            }],
        });
        leave_out(&mut report, &[]);
        assert!(report["systems"][0]["packages"].is_object());
        leave_out(&mut report, &Section::ALL);
        let expected = json!({
            "systems": [{
                "identity": {},
                "applications": {
                    "coverage": "partial",
                    "reason": "databases were left out",
                    "items": [{ "kind": "web-server" }],
                },
            }],
        });
        assert_eq!(report, expected);
    }
}
