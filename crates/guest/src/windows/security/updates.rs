//! Whether and how Windows updates itself.

use fathom_report::{Fact, Updates};

use super::super::registry::{Name, Registry};

const POLICY: &str = r"Policies\Microsoft\Windows\WindowsUpdate";
const AUTOMATIC: &str = r"Policies\Microsoft\Windows\WindowsUpdate\AU";
const CHOSEN: &str = r"Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update";

/// Disabled.
const DISABLED: u32 = 4;

/// What the policy says; where there is none, what was chosen on the machine.
pub(super) fn of(registry: &Registry<'_>) -> Fact<Updates> {
    let service = registry.said_of_control_set(r"Services\wuauserv").number("Start");
    if let Fact::Known { value: DISABLED, evidence } = service {
        return Fact::Known { value: updates(false, Vec::new()), evidence };
    }
    let policy = registry.said(Name::Software, AUTOMATIC);
    let server = match policy.number("UseWUServer") {
        Fact::Known { value: 1, .. } => {
            registry.said(Name::Software, POLICY).text(&["WUServer"]).value().cloned()
        }
        Fact::Unknown { reason } => return Fact::Unknown { reason },
        _ => None,
    };
    let sources: Vec<String> = server.into_iter().collect();
    match policy.number("NoAutoUpdate") {
        Fact::Known { value: 0, .. } | Fact::Absent { .. } => {}
        Fact::Known { evidence, .. } => {
            return Fact::Known { value: updates(false, sources), evidence };
        }
        Fact::Unknown { reason } => return Fact::Unknown { reason },
    }
    let mut looked = Vec::new();
    for said in [policy, registry.said(Name::Software, CHOSEN)] {
        match said.number("AUOptions") {
            Fact::Known { value, evidence } => match automatic(value) {
                Some(automatic) => {
                    return Fact::Known { value: updates(automatic, sources), evidence };
                }
                None => {
                    return Fact::unknown(format!("no way to update has the number {value}"));
                }
            },
            Fact::Absent { evidence } => looked.extend(evidence),
            Fact::Unknown { reason } => return Fact::Unknown { reason },
        }
    }
    // What holds where nothing is said differs between clients and servers, and between releases.
    Fact::Absent { evidence: looked }
}

/// Whether updates are installed without anybody's doing: 1 never looks, 2 tells of them, 3 fetches
/// them, 4 installs them, 7 fetches them and asks.
fn automatic(option: u32) -> Option<bool> {
    match option {
        1..=3 | 7 => Some(false),
        4 => Some(true),
        // Whoever administers the machine chooses.
        5 => Some(false),
        _ => None,
    }
}

fn updates(automatic: bool, sources: Vec<String>) -> Updates {
    Updates { system: "windows-update".to_owned(), automatic, sources }
}
