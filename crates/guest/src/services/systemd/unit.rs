//! The text of a unit.

use crate::sections::assignments;

/// What is wanted of a unit.
#[derive(Default)]
pub(super) struct Unit {
    pub(super) description: Option<String>,
    pub(super) commands: Vec<String>,
    /// The commands of other kinds, each behind its kind.
    pub(super) further_commands: Vec<String>,
    pub(super) user: Option<String>,
    /// Variables of what it starts, and the files that set others.
    pub(super) environment: Vec<String>,
    pub(super) environment_files: Vec<String>,
    /// Variables of systemd itself that it hands on, and those that are taken away in the end.
    pub(super) passed_environment: Vec<String>,
    pub(super) unset_environment: Vec<String>,
    /// When or where it is started.
    pub(super) triggers: Vec<String>,
    /// Units that are to start it, and further names of it.
    pub(super) wanted_by: Vec<String>,
    pub(super) aliases: Vec<String>,
    /// Units that are enabled with it.
    pub(super) also: Vec<String>,
    /// The instance that is enabled where none is named.
    pub(super) default_instance: Option<String>,
    /// The file is empty.
    pub(super) masked: bool,
}

/// How the settings that start a timer, a socket or a path begin.
const TRIGGERS: [&str; 21] = [
    "OnActiveSec",
    "OnBootSec",
    "OnStartupSec",
    "OnUnitActiveSec",
    "OnUnitInactiveSec",
    "OnCalendar",
    "OnClockChange",
    "OnTimezoneChange",
    "ListenStream",
    "ListenDatagram",
    "ListenSequentialPacket",
    "ListenFIFO",
    "ListenNetlink",
    "ListenMessageQueue",
    "ListenSpecial",
    "ListenUSBFunction",
    "PathExists",
    "PathExistsGlob",
    "PathChanged",
    "PathModified",
    "DirectoryNotEmpty",
];

/// What is run besides the command itself.
const FURTHER_COMMANDS: [&str; 8] = [
    "ExecCondition",
    "ExecStartPre",
    "ExecStartPost",
    "ExecReload",
    "ExecReloadPost",
    "ExecStop",
    "ExecStopPre",
    "ExecStopPost",
];

impl Unit {
    /// Adds what the text says to what is known.
    pub(super) fn read(&mut self, text: &str) {
        for one in assignments(text) {
            self.setting(&one.section, &one.name, &one.value);
        }
    }

    fn setting(&mut self, section: &str, name: &str, value: &str) {
        match (section, name) {
            ("Unit", "Description") => self.description = some(value),
            ("Service", "ExecStart") => list(&mut self.commands, value),
            ("Service" | "Socket", _) if FURTHER_COMMANDS.contains(&name) => {
                let all = &mut self.further_commands;
                if value.is_empty() {
                    let start = format!("{name}=");
                    all.retain(|one| !one.starts_with(&start));
                } else {
                    all.push(format!("{name}={value}"));
                }
            }
            ("Service", "Environment") => list(&mut self.environment, value),
            ("Service", "EnvironmentFile") => list(&mut self.environment_files, value),
            ("Service", "PassEnvironment") => list(&mut self.passed_environment, value),
            ("Service", "UnsetEnvironment") => list(&mut self.unset_environment, value),
            ("Service", "User") => self.user = some(value),
            ("Timer" | "Socket" | "Path", _) if TRIGGERS.contains(&name) => {
                let (all, new) = (&mut self.triggers, format!("{name}={value}"));
                if value.is_empty() {
                    // Timers forget all that was said before; sockets and paths that of the name.
                    let start = format!("{name}=");
                    all.retain(|one| section != "Timer" && !one.starts_with(&start));
                } else {
                    all.push(new);
                }
            }
            ("Install", "WantedBy" | "RequiredBy" | "UpheldBy") => {
                words(&mut self.wanted_by, value)
            }
            ("Install", "Alias") => words(&mut self.aliases, value),
            ("Install", "Also") => words(&mut self.also, value),
            ("Install", "DefaultInstance") => self.default_instance = some(value),
            _ => {}
        }
    }
}

fn some(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// An empty value takes back what was said before.
fn list(all: &mut Vec<String>, value: &str) {
    if value.is_empty() {
        all.clear();
    } else {
        all.push(value.to_owned());
    }
}

fn words(all: &mut Vec<String>, value: &str) {
    if value.is_empty() {
        all.clear();
    }
    all.extend(value.split_whitespace().map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_commands_are_told_with_their_kind() {
        let mut unit = Unit::default();
        unit.read("[Service]\nExecStart=/a\nExecStartPre=-/b\nExecStop=/c\nExecStartPre=/d\n");
        unit.read("[Other]\nExecStop=/no\n[Service]\nExecStop=\nExecStartPost=/e \\\n  f\n");
        assert_eq!(unit.commands, ["/a"]);
        assert_eq!(
            unit.further_commands,
            ["ExecStartPre=-/b", "ExecStartPre=/d", "ExecStartPost=/e  f"]
        );
    }
}
