//! What runs when somebody logs in: the keys `Run` and `RunOnce` of the machine and of each user, those
//! that policies and installers fill, and the startup folders of all users and of each, which may have
//! been put elsewhere. What the user switched off in the task manager is disabled.

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::super::paths;
use super::super::registry::{Name, Node, Registry, Values};
use super::super::users::profiles::{self, system_drive};
use crate::files::Read;

const CURRENT: &str = r"Microsoft\Windows\CurrentVersion";
const CURRENT_32: &str = r"WOW6432Node\Microsoft\Windows\CurrentVersion";
const STARTUP: &str = "/ProgramData/Microsoft/Windows/Start Menu/Programs/StartUp";
/// The same of a user, beneath the folder of the profile.
const STARTUP_OF_USER: &str = "AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup";
/// Where it says that these folders are elsewhere, and the values of the machine and of a user.
const FOLDERS: &str = r"Explorer\User Shell Folders";
const COMMON: &str = "Common Startup";
const OWN: &str = "Startup";

/// Keys of commands, beside those that the task manager shows.
const UNSWITCHED: [&str; 2] = ["RunOnce", r"Policies\Explorer\Run"];
/// A key whose keys are sections of commands.
const SECTIONS: &str = "RunOnceEx";

/// More entries than this has no such key.
const MAX_ENTRIES: usize = 1000;

/// Everything that starts at a login.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Service> {
    let mut all = Listing::complete(Vec::new(), Vec::new());
    let machine = registry.key(Name::Software, CURRENT).there();
    for (path, approved) in [(CURRENT, "Run"), (CURRENT_32, "Run32")] {
        match registry.key(Name::Software, path) {
            Read::There(current) => {
                let approved = child(machine.as_ref(), &approval(approved));
                keys(registry, &mut all, &current, approved.as_ref(), None);
            }
            Read::Absent => {}
            Read::Unread(why) => return Listing::unknown(why),
        }
    }
    let approved = child(machine.as_ref(), &approval("StartupFolder"));
    let drive = system_drive(registry);
    let on_drive = |path: &str| paths::on_system_drive(path, drive);
    match startup(machine.as_ref(), COMMON, STARTUP, on_drive) {
        Ok(startup) => folder(registry, &mut all, &startup, approved.as_ref(), None),
        Err(why) => all.hide(why),
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
        let user = Some(profile.name());
        let own = match profile.key(registry, &format!(r"Software\{CURRENT}")) {
            Read::There(own) => Some(own),
            Read::Absent => None,
            Read::Unread(why) => {
                all.hide(why);
                None
            }
        };
        if let Some(own) = &own {
            let approved = child(Some(own), &approval("Run"));
            keys(registry, &mut all, own, approved.as_ref(), user);
        }
        if let Read::There(narrow) = profile.key(registry, &format!(r"Software\{CURRENT_32}")) {
            let approved = child(own.as_ref(), &approval("Run32"));
            keys(registry, &mut all, &narrow, approved.as_ref(), user);
        }
        if let Some(home) = &profile.folder {
            let approved = child(own.as_ref(), &approval("StartupFolder"));
            let usual = format!("{home}/{STARTUP_OF_USER}");
            let of_user = |path: &str| on_drive(&profile.expanded(path));
            match startup(own.as_ref(), OWN, &usual, of_user) {
                Ok(startup) => folder(registry, &mut all, &startup, approved.as_ref(), user),
                Err(why) => all.hide(why),
            }
        }
    }
    if all.items.is_empty() && all.reason.is_none() {
        all.reason = Some("nothing is run when somebody logs in".to_owned());
    }
    all
}

/// Where the startup folder is: where the value says, which `lead` makes a path of the tree, or in its
/// usual place; or why that is not known.
fn startup(
    current: Option<&Node<'_>>,
    name: &str,
    usual: &str,
    lead: impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let Some(folders) = child(current, FOLDERS) else { return Ok(usual.to_owned()) };
    let values = folders.values();
    match values.text(name) {
        Read::There(path) => lead(&path)
            .ok_or_else(|| format!("{} is {path}, which is not looked at", values.place(name))),
        Read::Absent => Ok(usual.to_owned()),
        Read::Unread(why) => Err(why),
    }
}

fn approval(name: &str) -> String {
    format!(r"Explorer\StartupApproved\{name}")
}

fn child<'r>(key: Option<&Node<'r>>, path: &str) -> Option<Node<'r>> {
    key?.child(path).there()
}

/// The commands of all keys beneath the key of the current version.
fn keys(
    registry: &Registry<'_>,
    all: &mut Listing<Service>,
    current: &Node<'_>,
    approved: Option<&Node<'_>>,
    user: Option<&str>,
) {
    if let Read::There(run) = current.child("Run") {
        entries(registry, all, &run, approved, user);
    }
    for name in UNSWITCHED {
        if let Read::There(key) = current.child(name) {
            entries(registry, all, &key, None, user);
        }
    }
    if let Read::There(sections) = current.child(SECTIONS) {
        for section in registry.first(sections.children(), MAX_ENTRIES, sections.place()) {
            entries(registry, all, &section, None, user);
        }
    }
}

/// The commands of one key.
fn entries(
    registry: &Registry<'_>,
    all: &mut Listing<Service>,
    key: &Node<'_>,
    approved: Option<&Node<'_>>,
    user: Option<&str>,
) {
    let approved = approved.map(Node::values);
    let values = key.values();
    for name in registry.first(values.names(), MAX_ENTRIES, key.place()) {
        // The value of the key itself is no command, but the title of a section.
        if name.is_empty() {
            continue;
        }
        let Read::There(command) = values.text(name) else {
            continue;
        };
        let enabled = enabled(approved.as_ref(), name);
        all.items.push(entry(name.to_owned(), command, enabled, key.place(), user));
    }
    all.evidence.push(key.place().into());
}

/// Whether the task manager leaves it on: the first byte is odd where it was switched off.
fn enabled(approved: Option<&Values<'_>>, name: &str) -> Enabled {
    let off = approved.and_then(|approved| match approved.bytes(name) {
        Read::There(bytes) => bytes.first().map(|byte| byte % 2 == 1),
        Read::Absent | Read::Unread(_) => None,
    });
    if off == Some(true) { Enabled::Disabled } else { Enabled::Enabled }
}

fn entry(
    name: String,
    command: String,
    enabled: Enabled,
    place: &str,
    user: Option<&str>,
) -> Service {
    Service {
        kind: ServiceKind::Autostart,
        enabled: Fact::known(enabled, place),
        description: None,
        commands: vec![command],
        further_commands: Vec::new(),
        user: user.map(str::to_owned),
        triggers: vec!["login".to_owned()],
        start: None,
        evidence: vec![place.into()],
        name,
    }
}

/// Files in a startup folder: links to programs, and programs.
fn folder(
    registry: &Registry<'_>,
    all: &mut Listing<Service>,
    startup: &str,
    approved: Option<&Node<'_>>,
    user: Option<&str>,
) {
    let files = match registry.files.children(startup, super::HIDES) {
        Read::There(files) => files,
        Read::Absent | Read::Unread(_) => return,
    };
    let approved = approved.map(Node::values);
    for (name, _) in registry.first(files, MAX_ENTRIES, startup) {
        if name.eq_ignore_ascii_case("desktop.ini") {
            continue;
        }
        let path = format!("{startup}/{name}");
        let enabled = enabled(approved.as_ref(), &name);
        all.items.push(entry(name, path.clone(), enabled, &path, user));
    }
}
