//! The lines of `/etc/inittab`, as init of System V and of BusyBox read them.

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use super::init::Init;
use crate::files::{Files, Read};
use crate::lines::at_most;

const INITTAB: &str = "/etc/inittab";

/// No table has as many lines.
const MAX_LINES: usize = 1000;

/// What is run when something happens, and is no service.
const EVENTS: [&str; 10] = [
    "initdefault",
    "powerwait",
    "powerfail",
    "powerokwait",
    "powerfailnow",
    "ctrlaltdel",
    "kbrequest",
    "shutdown",
    "restart",
    "resume",
];

/// One line: `1:2345:respawn:/sbin/getty 38400 tty1`.
struct Line<'a> {
    levels: &'a str,
    action: &'a str,
    command: &'a str,
}

fn line(text: &str) -> Option<Line<'_>> {
    let text = text.trim();
    if text.starts_with('#') {
        return None;
    }
    let mut fields = text.splitn(4, ':');
    let _id = fields.next()?;
    let (levels, action) = (fields.next()?.trim(), fields.next()?.trim());
    // A plus keeps the line out of the records of logins.
    let command = fields.next().unwrap_or_default().trim().trim_start_matches('+');
    Some(Line { levels, action, command })
}

/// The runlevel that the system goes to, where the table names one.
pub(super) fn default_level(files: &Files<'_>) -> Option<char> {
    let text = files.text(INITTAB, HIDES).there()?;
    let mut lines = text.lines().filter_map(line);
    lines.find(|line| line.action == "initdefault")?.levels.chars().next()
}

/// What the table starts.
pub(super) fn lines(files: &Files<'_>, init: &Init) -> Listing<Service> {
    let text = match files.text(INITTAB, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Listing::complete(Vec::new(), Vec::new()),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let default = default_level(files);
    let lines = text.lines().filter_map(line);
    let lines = lines.filter(|line| !EVENTS.contains(&line.action) && !line.command.is_empty());
    let mut hidden = None;
    let lines = at_most(lines, MAX_LINES, |why| hidden = Some(format!("{INITTAB}: {why}")));
    let items = lines.iter().map(|line| service(line, state(line, default, init))).collect();
    let mut listing = Listing::complete(items, vec![INITTAB.into()]);
    hidden.into_iter().for_each(|why| listing.hide(why));
    listing
}

/// Whether the line is run in the runlevel that the system goes to.
fn state(line: &Line<'_>, default: Option<char>, init: &Init) -> Fact<Enabled> {
    // BusyBox knows no runlevels, and what is done at the start comes before any.
    let always = *init == Init::BusyBox
        || matches!(line.action, "sysinit" | "boot" | "bootwait")
        || line.levels.is_empty();
    let runs = match default {
        _ if line.action == "off" => false,
        _ if always => true,
        Some(level) => line.levels.contains(level),
        None => return Fact::unknown(format!("{INITTAB} names no runlevel to go to")),
    };
    Fact::known(if runs { Enabled::Enabled } else { Enabled::Disabled }, INITTAB)
}

fn service(line: &Line<'_>, enabled: Fact<Enabled>) -> Service {
    let trigger = match line.levels {
        "" => line.action.to_owned(),
        levels => format!("{} {levels}", line.action),
    };
    Service {
        kind: ServiceKind::Inittab,
        name: line.command.to_owned(),
        enabled,
        description: None,
        commands: vec![line.command.to_owned()],
        further_commands: Vec::new(),
        user: Some("root".to_owned()),
        triggers: vec![trigger],
        start: None,
        evidence: vec![INITTAB.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    fn shown(text: &str, init: &Init) -> Vec<String> {
        let tree = memory::tree(&[(INITTAB, text.as_bytes())]);
        let found = lines(&Files::new(&tree), init).items;
        let state = |one: &Service| one.enabled.value().map(|state| *state == Enabled::Enabled);
        found.iter().map(|one| format!("{} {:?}", one.name, state(one))).collect()
    }

    #[test]
    fn lines_of_both_kinds() {
        let text = "# c\nid:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\nl2:2:wait:/etc/init.d/rc 2\n\
             l3:3:wait:/etc/init.d/rc 3\nca:12345:ctrlaltdel:/sbin/shutdown\n\
             1:2345:respawn:/sbin/getty --noclear 38400 tty1 \n~~:S:wait:/sbin/sulogin\n";
        assert_eq!(
            shown(text, &Init::Sysv),
            [
                "/etc/init.d/rcS Some(true)",
                "/etc/init.d/rc 2 Some(true)",
                "/etc/init.d/rc 3 Some(false)",
                "/sbin/getty --noclear 38400 tty1 Some(true)",
                "/sbin/sulogin Some(false)",
            ]
        );
        let text = "::sysinit:/sbin/openrc sysinit\ntty1::respawn:/sbin/getty 38400 tty1\n\
             ::shutdown:/sbin/openrc shutdown\n";
        assert_eq!(
            shown(text, &Init::BusyBox),
            ["/sbin/openrc sysinit Some(true)", "/sbin/getty 38400 tty1 Some(true)"]
        );
        assert_eq!(shown("1:23:respawn:/x\n", &Init::Sysv), ["/x None"]);
    }
}
