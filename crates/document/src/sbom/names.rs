//! Names of components within a document, each once.

use std::collections::HashMap;

use fathom_report::{Package, Report, System, package_url};

/// The name of each component, and its package URL if it has one.
pub(super) struct Named {
    pub(super) reference: String,
    pub(super) url: Option<String>,
}

/// The names of the packages of each system, in the order of the report. They are made of what the
/// packages are, so that one more package does not rename the others.
pub(super) fn packages(report: &Report) -> Vec<Vec<Named>> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let several = report.systems.len() > 1;
    let name = |system: &System, taken: &mut HashMap<String, usize>| {
        installed(system)
            .map(|package| {
                let url = package_url(package, &system.identity);
                let wanted = match &url {
                    Some(url) => url.clone(),
                    None => {
                        let version = package.full_version();
                        format!("{}:{}@{version}", package.kind.name(), package.name)
                    }
                };
                let wanted = match several {
                    true => format!("{}#{wanted}", system.root),
                    false => wanted,
                };
                let count = taken.entry(wanted.clone()).or_insert(0);
                *count += 1;
                let reference = match *count {
                    1 => wanted,
                    // No package URL of ours has a fragment, so this is no other's name.
                    count => format!("{wanted}#{count}"),
                };
                Named { reference, url }
            })
            .collect()
    };
    report.systems.iter().map(|system| name(system, &mut taken)).collect()
}

/// The packages that a bill of materials lists: what was removed and left its configuration behind is
/// no material.
pub(super) fn installed(system: &System) -> impl Iterator<Item = &Package> {
    system.packages.items.iter().filter(|package| package.is_installed())
}

/// The name of a system.
pub(super) fn system(system: &System) -> String {
    format!("system:{}", system.root)
}

#[cfg(test)]
mod tests {
    use fathom_report::{Family, Listing};

    use super::*;

    #[test]
    fn what_was_removed_is_no_material() {
        let mut system = System::unknown("disk0", Family::Linux, "a test does not say");
        let package = |name: &str, state: Option<&str>| {
            let document = serde_json::json!({"kind": "deb", "name": name, "version": "1",
                "state": state, "evidence": "/db"});
            serde_json::from_value(document).unwrap()
        };
        system.packages = Listing::complete(
            vec![
                package("gone", Some("config-files")),
                package("half", Some("half-configured")),
                package("there", None),
            ],
            Vec::new(),
        );
        let names: Vec<_> = installed(&system).map(|package| package.name.as_str()).collect();
        assert_eq!(names, ["half", "there"]);
    }
}
