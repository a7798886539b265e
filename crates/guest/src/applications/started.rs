//! Whether something is started with the system: by a unit that is known to start it, or by one that
//! runs what lies in its place.

use std::collections::HashMap;

use fathom_report::{ApplicationKind, Coverage, Enabled, Fact, Listing, Service, ServiceKind};

use super::found::Found;
use super::pattern::matched;

/// What the system starts.
pub(super) struct Starters<'a> {
    services: &'a Listing<Service>,
    by_name: HashMap<&'a str, Vec<&'a Service>>,
}

impl<'a> Starters<'a> {
    pub(super) fn new(services: &'a Listing<Service>) -> Self {
        let mut by_name: HashMap<&str, Vec<&Service>> = HashMap::new();
        for service in &services.items {
            // What an account starts is not started with the system.
            let others =
                [ServiceKind::Cron, ServiceKind::Anacron, ServiceKind::At, ServiceKind::UserUnit];
            if !others.contains(&service.kind) {
                by_name.entry(unit(&service.name)).or_default().push(service);
            }
        }
        Self { services, by_name }
    }

    /// The services that run something in the place of what was found.
    pub(super) fn in_place(&self, found: &Found) -> Vec<&'a Service> {
        // What runs on a runtime is not started for its sake.
        if found.known.kind == ApplicationKind::Runtime || found.programs.is_empty() {
            return Vec::new();
        }
        let runs = |service: &&Service| {
            service.kind != ServiceKind::UserUnit
                && service.commands.iter().any(|command| is_run(command, &found.programs))
        };
        self.services.items.iter().filter(runs).collect()
    }

    /// The services that are called as those that start what was found.
    pub(super) fn by_name(&self, found: &Found) -> Vec<&'a Service> {
        let mut services = Vec::new();
        for pattern in found.known.units {
            if !pattern.contains('#') && !pattern.ends_with('@') {
                services.extend(self.by_name.get(unit(pattern)).into_iter().flatten().copied());
                continue;
            }
            for (name, named) in &self.by_name {
                let fits = match pattern.strip_suffix('@') {
                    Some(template) => {
                        name.strip_prefix(template).is_some_and(|rest| rest.starts_with('@'))
                    }
                    None => matched(pattern, name).is_some_and(|series| {
                        found.series.is_none() || series == found.series.as_deref()
                    }),
                };
                if fits {
                    services.extend(named.iter().copied());
                }
            }
        }
        services
    }

    /// Whether any of the services is started with the system.
    pub(super) fn any(&self, services: &[&Service]) -> Fact<bool> {
        let mut doubt = None;
        let mut evidence = Vec::new();
        for service in services {
            match &service.enabled {
                Fact::Known { value: Enabled::Enabled, evidence } => {
                    return Fact::Known { value: true, evidence: evidence.clone() };
                }
                Fact::Known { value: Enabled::Static | Enabled::Indirect, .. } => {
                    let why = format!("{} may be started by others", service.name);
                    doubt.get_or_insert(why);
                }
                Fact::Known { value: Enabled::Alias, .. } => {}
                Fact::Known { evidence: at, .. } => evidence.extend(at.iter().cloned()),
                Fact::Absent { .. } => {
                    doubt.get_or_insert(format!("{} does not say when", service.name));
                }
                Fact::Unknown { reason } => {
                    doubt.get_or_insert(format!("{}: {reason}", service.name));
                }
            }
        }
        match (doubt, &self.services.reason) {
            (Some(why), _) => Fact::unknown(why),
            // What could not be read may start it.
            (None, why) if self.services.coverage != Coverage::Complete => {
                let why = why.as_deref().unwrap_or("not all services could be read");
                Fact::unknown(why)
            }
            (None, _) if evidence.is_empty() => {
                Fact::unknown("none of the services that are known to start it is there")
            }
            (None, _) => {
                evidence.dedup();
                Fact::Known { value: false, evidence }
            }
        }
    }
}

/// The name of a service without what says that it is one.
fn unit(name: &str) -> &str {
    name.strip_suffix(".service").unwrap_or(name)
}

/// Whether the command runs what begins with one of these, straight or by a shell or a runtime.
fn is_run(command: &str, programs: &[String]) -> bool {
    let marks = ['-', '@', ':', '+', '!', '|', '"', '\''];
    let mut words = command.split_whitespace().map(|word| word.trim_start_matches(marks));
    let begins = |word: &str| programs.iter().any(|program| word.starts_with(program.as_str()));
    let Some(first) = words.next() else { return false };
    let by_others = ["sh", "bash", "dash", "env", "java", "su", "runuser", "python3", "node"];
    let name = first.rsplit('/').next().unwrap_or(first);
    begins(first)
        || by_others.contains(&name)
            && words.any(|word| begins(word.split_once('=').map_or(word, |(_, value)| value)))
}
