//! How the system is guarded.

use fathom_report::{Fact, System};

use super::{Said, counted, counted_with};
use crate::text::harmless;

/// The settings of SSH that one asks for first.
const ASKED: [(&str, &str); 3] =
    [("permitrootlogin", "root"), ("passwordauthentication", "passwords"), ("port", "port")];

/// What holds for logins over SSH.
pub(super) fn sshd(system: &System) -> Said {
    Said::fact(&system.security.sshd, |sshd| {
        let values = |name: &str| {
            let found = sshd.settings.iter().filter(|setting| setting.name == name);
            found.map(|setting| setting.value.as_str()).collect::<Vec<_>>().join(" and ")
        };
        let mut shown: Vec<String> = ASKED
            .iter()
            .map(|(name, word)| match values(name) {
                value if value.is_empty() => format!("{word} unknown"),
                value => format!("{word} {value}"),
            })
            .collect();
        if ASKED.iter().all(|(name, _)| values(name).is_empty()) {
            shown.clear();
            shown.push(match sshd.version {
                Some(_) => "unknown: what holds by default was not compared".to_owned(),
                None => "unknown: which release is installed is not known".to_owned(),
            });
        }
        match sshd.matches.len() {
            0 => {}
            1 => shown.push("1 condition".to_owned()),
            count => shown.push(format!("{count} conditions")),
        }
        match sshd.mistakes.len() {
            0 => {}
            1 => shown.push("1 mistake".to_owned()),
            count => shown.push(format!("{count} mistakes")),
        }
        shown.join(", ")
    })
}

/// What confines programs.
pub(super) fn confinement(system: &System) -> Said {
    let confined = &system.security.mandatory_access;
    let shown: Vec<String> = confined
        .items
        .iter()
        .map(|one| match &one.mode {
            Fact::Known { value, .. } => harmless(&format!("{} {value}", one.system)),
            Fact::Absent { .. } => harmless(&one.system),
            Fact::Unknown { reason } => {
                harmless(&format!("{}, mode unknown: {reason}", one.system))
            }
        })
        .collect();
    let said = counted(confined, ("", ""));
    match shown.is_empty() {
        true => said,
        false => Said { text: shown.join(", "), paint: said.paint },
    }
}

/// How the system updates itself.
pub(super) fn updates(system: &System) -> Said {
    Said::fact(&system.security.updates, |updates| {
        let automatic = if updates.automatic { "automatic" } else { "not automatic" };
        format!("{}, {automatic}", updates.system)
    })
}

/// How many certificates there are, and which one ends first.
pub(super) fn certificates(system: &System) -> Said {
    let certificates = &system.security.certificates;
    let first = certificates.items.iter().min_by(|a, b| a.not_after.cmp(&b.not_after));
    let more = first
        .map_or(String::new(), |first| format!("the first ends {}", harmless(&first.not_after)));
    counted_with(certificates, ("certificate", "certificates"), &more)
}

#[cfg(test)]
mod tests {
    use fathom_report::{Family, Setting, Sshd};

    use super::*;

    #[test]
    fn a_release_that_is_not_known_is_said() {
        let mut system = System::unknown("sda1", Family::Linux, "it is not looked at");
        let of = |settings| Sshd {
            settings,
            matches: Vec::new(),
            version: None,
            unknown: Vec::new(),
            mistakes: Vec::new(),
        };
        system.security.sshd = Fact::known(of(Vec::new()), "/etc/ssh/sshd_config");
        let said = sshd(&system).text;
        assert_eq!(said, "unknown: which release is installed is not known");
        let port = Setting { name: "port".into(), value: "22".into(), evidence: None };
        system.security.sshd = Fact::known(of(vec![port]), "/etc/ssh/sshd_config");
        assert_eq!(sshd(&system).text, "root unknown, passwords unknown, port 22");
    }
}
