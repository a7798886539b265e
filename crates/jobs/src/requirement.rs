//! What a job asks of who does it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::envelope::{Constraints, Routing};
use crate::operation::Operation;
use crate::worker::WorkerDescription;

/// The pool of jobs and workers that name none.
pub(crate) const DEFAULT_POOL: &str = "default";

/// All that decides who may do a job. Jobs that ask the same share one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    operation: String,
    pools: Vec<String>,
    worker: Option<String>,
    capabilities: Vec<String>,
    features: Vec<String>,
    version: Option<String>,
    privileged: bool,
    affinity: BTreeMap<String, String>,
    anti_affinity: BTreeMap<String, Vec<String>>,
}

impl Requirement {
    /// What an envelope asks for.
    pub(crate) fn of(operation: Operation, constraints: &Constraints, routing: &Routing) -> Self {
        let pools = match &routing.worker_pool {
            Some(pool) => vec![pool.clone()],
            None if constraints.allowed_worker_pools.is_empty() => vec![DEFAULT_POOL.to_owned()],
            None => sorted(&constraints.allowed_worker_pools),
        };
        Self {
            operation: operation.as_str().to_owned(),
            pools,
            worker: routing.worker_id.clone(),
            capabilities: sorted(&constraints.required_capabilities),
            features: sorted(&constraints.required_features),
            version: constraints.minimum_worker_version.clone(),
            privileged: constraints.require_privileged,
            affinity: routing.affinity.clone(),
            anti_affinity: routing.anti_affinity.clone(),
        }
    }

    /// The pool that is told of the job first.
    pub(crate) fn pool(&self) -> &str {
        self.pools.first().map_or(DEFAULT_POOL, String::as_str)
    }

    /// A digest that tells requirements apart, and the document.
    pub(crate) fn document(&self) -> (String, String) {
        let document = serde_json::to_string(self).unwrap_or_default();
        (hex(&Sha256::digest(document.as_bytes())), document)
    }

    /// The requirement that the store keeps.
    pub fn parse(document: &str) -> Option<Self> {
        serde_json::from_str(document).ok()
    }

    /// Why this worker may not do it; nothing where it may.
    pub fn unmet(&self, worker: &WorkerDescription) -> Vec<String> {
        let mut reasons = Vec::new();
        let able = &worker.capabilities;
        if let Some(wanted) = self.worker.as_ref().filter(|wanted| **wanted != worker.worker_id) {
            reasons.push(format!("only worker {wanted} may do it"));
        }
        if !self.pools.contains(&worker.configuration.pool) {
            reasons.push(format!(
                "it is of pool {}, and the job is for {}",
                worker.configuration.pool,
                self.pools.join(", ")
            ));
        }
        if !able.operations.contains(&self.operation) {
            reasons.push(format!("it does not do {}", self.operation));
        }
        for wanted in &self.capabilities {
            let has = [&able.operations, &able.features, &able.disk_formats, &able.filesystems]
                .iter()
                .any(|list| list.iter().any(|it| is_named(it, wanted)));
            if !has {
                reasons.push(format!("it lacks the capability {wanted}"));
            }
        }
        for wanted in &self.features {
            if !able.features.contains(wanted) {
                reasons.push(format!("it lacks the feature {wanted}"));
            }
        }
        if let Some(version) = &self.version
            && !is_at_least(&worker.version, version)
        {
            reasons
                .push(format!("it is of version {}, and {version} is asked for", worker.version));
        }
        if self.privileged && !worker.resources.privileged {
            reasons.push("it does not run as root".to_owned());
        }
        let labels = &worker.configuration.labels;
        for (name, value) in &self.affinity {
            match labels.get(name) {
                Some(has) if has == value => {}
                Some(has) => reasons.push(format!("its {name} is {has}, not {value}")),
                None => reasons.push(format!("it has no {name}, and {value} is asked for")),
            }
        }
        for (name, values) in &self.anti_affinity {
            if let Some(has) = labels.get(name).filter(|has| values.contains(has)) {
                reasons.push(format!("its {name} is {has}, which is ruled out"));
            }
        }
        reasons
    }
}

/// Capabilities may be asked for by the names that producers of other systems use.
fn is_named(has: &str, wanted: &str) -> bool {
    has == wanted || Operation::parse(wanted).is_ok_and(|operation| operation.as_str() == has)
}

fn sorted(texts: &[String]) -> Vec<String> {
    let mut texts = texts.to_vec();
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Whether a version is the other or newer, by its numbers.
fn is_at_least(version: &str, wanted: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.trim_start_matches('v');
        let core = text.split(['-', '+']).next().unwrap_or("");
        let mut numbers: Vec<u64> = core.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        numbers.resize(numbers.len().max(4), 0);
        numbers
    };
    numbers(version) >= numbers(wanted)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Requirement, is_at_least};
    use crate::envelope::{Constraints, Routing};
    use crate::operation::Operation;
    use crate::worker::{Capabilities, Configuration, Resources, WorkerDescription};

    fn worker() -> WorkerDescription {
        WorkerDescription {
            worker_id: "w1".to_owned(),
            version: "1.2.3".to_owned(),
            hostname: "host".to_owned(),
            capabilities: Capabilities {
                operations: vec!["inspect".to_owned(), "echo".to_owned()],
                features: vec!["https".to_owned()],
                disk_formats: vec!["qcow2".to_owned()],
                filesystems: vec!["ext4".to_owned()],
            },
            resources: Resources::default(),
            configuration: Configuration {
                pool: "default".to_owned(),
                concurrency: 2,
                labels: [("site".to_owned(), "north".to_owned())].into(),
            },
        }
    }

    fn unmet(constraints: &str, routing: &str) -> Vec<String> {
        let constraints: Constraints = serde_json::from_str(constraints).unwrap();
        let routing: Routing = serde_json::from_str(routing).unwrap();
        Requirement::of(Operation::Inspect, &constraints, &routing).unmet(&worker())
    }

    #[test]
    fn a_worker_meets_what_it_has() {
        for (constraints, routing) in [
            ("{}", "{}"),
            (r#"{"required_capabilities":["guestkit.inspect","qcow2","ext4","https"]}"#, "{}"),
            (r#"{"required_features":["https"],"minimum_worker_version":"1.2"}"#, "{}"),
            (r#"{"allowed_worker_pools":["other","default"]}"#, "{}"),
            ("{}", r#"{"worker_id":"w1","worker_pool":"default","affinity":{"site":"north"}}"#),
            ("{}", r#"{"anti_affinity":{"site":["south"],"rack":["7"]}}"#),
        ] {
            assert!(unmet(constraints, routing).is_empty(), "{constraints} {routing}");
        }
    }

    #[test]
    fn what_it_lacks_is_said() {
        for (constraints, routing, said) in [
            (r#"{"required_capabilities":["vmdk"]}"#, "{}", "lacks the capability vmdk"),
            (r#"{"required_features":["gpu"]}"#, "{}", "lacks the feature gpu"),
            (r#"{"minimum_worker_version":"1.10"}"#, "{}", "1.10 is asked for"),
            (r#"{"require_privileged":true}"#, "{}", "root"),
            (r#"{"allowed_worker_pools":["gold"]}"#, "{}", "for gold"),
            ("{}", r#"{"worker_pool":"gold"}"#, "for gold"),
            ("{}", r#"{"worker_id":"w2"}"#, "only worker w2"),
            ("{}", r#"{"affinity":{"site":"south"}}"#, "its site is north, not south"),
            ("{}", r#"{"affinity":{"rack":"7"}}"#, "has no rack"),
            ("{}", r#"{"anti_affinity":{"site":["north"]}}"#, "ruled out"),
        ] {
            let reasons = unmet(constraints, routing);
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(reasons[0].contains(said), "{reasons:?}");
        }
    }

    #[test]
    fn versions_go_by_their_numbers() {
        for (version, wanted, is) in [
            ("1.10.0", "1.9", true),
            ("1.2", "1.2.0", true),
            ("1.2.3", "1.2.4", false),
            ("v2.0.0-rc.1", "2.0", true),
            ("0.1.0", "", true),
        ] {
            assert_eq!(is_at_least(version, wanted), is, "{version} {wanted}");
        }
    }
}
