//! What runs when somebody logs in: the keys `Run` and `RunOnce` of the machine and of each user, and
//! the startup folder of all users. What the user switched off in the task manager is disabled.

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::super::registry::{Name, Node, Registry};
use super::super::users::profiles;
use crate::files::Read;

const CURRENT: &str = r"Microsoft\Windows\CurrentVersion";
const CURRENT_32: &str = r"WOW6432Node\Microsoft\Windows\CurrentVersion";
const STARTUP: &str = "/ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp";

/// More entries than this has no such key.
const MAX_ENTRIES: usize = 1000;

/// Everything that starts at a login.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Service> {
    let mut all = Listing::complete(Vec::new(), Vec::new());
    for (path, approved) in [(CURRENT, "Run"), (CURRENT_32, "Run32")] {
        match registry.key(Name::Software, path) {
            Read::There(current) => {
                let approvals = registry.key(Name::Software, CURRENT).there();
                let run = child(approvals.as_ref(), &approval(approved));
                entries(&mut all, &current, "Run", run.as_ref(), None);
                entries(&mut all, &current, "RunOnce", None, None);
            }
            Read::Absent => {}
            Read::Unread(why) => return Listing::unknown(why),
        }
    }
    let profiles = match profiles::all(registry) {
        Read::There(profiles) => profiles,
        Read::Absent => Vec::new(),
        Read::Unread(why) => {
            all.hide(why);
            Vec::new()
        }
    };
    for profile in profiles {
        let Some((file, root)) = profile.hive() else { continue };
        let path = format!(r"Software\{CURRENT}");
        let Read::There(current) = registry.other(&file, &root, &path) else { continue };
        let run = child(Some(&current), &approval("Run"));
        entries(&mut all, &current, "Run", run.as_ref(), Some(profile.name()));
        entries(&mut all, &current, "RunOnce", None, Some(profile.name()));
    }
    folder(registry, &mut all);
    if all.items.is_empty() && all.reason.is_none() {
        all.reason = Some("nothing is run when somebody logs in".to_owned());
    }
    all
}

fn approval(name: &str) -> String {
    format!(r"Explorer\StartupApproved\{name}")
}

fn child<'r>(key: Option<&Node<'r>>, path: &str) -> Option<Node<'r>> {
    key?.child(path).there()
}

/// The commands of one key.
fn entries(
    all: &mut Listing<Service>,
    current: &Node<'_>,
    name: &str,
    approved: Option<&Node<'_>>,
    user: Option<&str>,
) {
    let Read::There(key) = current.child(name) else {
        return;
    };
    let approved = approved.map(Node::values);
    let values = key.values();
    let names: Vec<String> = values.names().take(MAX_ENTRIES).map(str::to_owned).collect();
    for name in names {
        let Read::There(command) = values.text(&name) else {
            continue;
        };
        // The first byte is odd where it was switched off.
        let off = approved.as_ref().and_then(|approved| match approved.bytes(&name) {
            Read::There(bytes) => bytes.first().map(|byte| byte % 2 == 1),
            Read::Absent | Read::Unread(_) => None,
        });
        let enabled = if off == Some(true) { Enabled::Disabled } else { Enabled::Enabled };
        all.items.push(Service {
            kind: ServiceKind::Autostart,
            enabled: Fact::known(enabled, key.place()),
            description: None,
            commands: vec![command],
            further_commands: Vec::new(),
            user: user.map(str::to_owned),
            triggers: vec!["login".to_owned()],
            start: None,
            evidence: vec![key.place().into()],
            name,
        });
    }
    all.evidence.push(key.place().into());
}

/// Files in the startup folder: links to programs, and programs.
fn folder(registry: &Registry<'_>, all: &mut Listing<Service>) {
    let files = match registry.files.children(STARTUP, super::HIDES) {
        Read::There(files) => files,
        Read::Absent | Read::Unread(_) => return,
    };
    for (name, _) in files.into_iter().take(MAX_ENTRIES) {
        if name.eq_ignore_ascii_case("desktop.ini") {
            continue;
        }
        let path = format!("{STARTUP}/{name}");
        all.items.push(Service {
            kind: ServiceKind::Autostart,
            enabled: Fact::known(Enabled::Enabled, path.as_str()),
            description: None,
            commands: vec![path.clone()],
            further_commands: Vec::new(),
            user: None,
            triggers: vec!["login".to_owned()],
            start: None,
            evidence: vec![path.into()],
            name,
        });
    }
}
