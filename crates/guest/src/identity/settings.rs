//! What the administrator chose: the machine's name, place and language.

use fathom_report::Fact;

use super::HIDES;
use crate::files::{Files, Read};
use crate::shell;

/// A file, and what finds the value in its text.
type Source<'a> = (&'static str, &'a dyn Fn(&str) -> Option<String>);

/// The first of several files that says something.
fn first_of(files: &Files<'_>, sources: &[Source<'_>]) -> Fact<String> {
    for (path, value) in sources {
        match files.text(path, HIDES) {
            Read::There(text) => {
                if let Some(value) = value(&text).filter(|value| !value.is_empty()) {
                    return Fact::known(value, *path);
                }
            }
            Read::Absent => {}
            Read::Unread(why) => return Fact::unknown(why),
        }
    }
    Fact::absent(sources.iter().map(|(path, _)| *path))
}

/// The first line that is not a comment.
fn line(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned)
}

fn variable(name: &'static str) -> impl Fn(&str) -> Option<String> {
    move |text| shell::assignments(text).remove(name)
}

pub(super) fn hostname(files: &Files<'_>) -> Fact<String> {
    first_of(
        files,
        &[
            ("/etc/hostname", &line),
            ("/etc/HOSTNAME", &line),
            ("/etc/sysconfig/network", &variable("HOSTNAME")),
            ("/etc/conf.d/hostname", &variable("hostname")),
            ("/etc/rc.conf", &variable("hostname")),
        ],
    )
}

pub(super) fn machine_id(files: &Files<'_>) -> Fact<String> {
    let id = |text: &str| line(text).filter(|id| id != "uninitialized");
    first_of(files, &[("/etc/machine-id", &id), ("/var/lib/dbus/machine-id", &id)])
}

pub(super) fn locale(files: &Files<'_>) -> Fact<String> {
    first_of(
        files,
        &[
            ("/etc/locale.conf", &variable("LANG")),
            ("/etc/default/locale", &variable("LANG")),
            ("/etc/sysconfig/i18n", &variable("LANG")),
            ("/etc/sysconfig/language", &variable("RC_LANG")),
            ("/etc/env.d/02locale", &variable("LANG")),
        ],
    )
}

pub(super) fn time_zone(files: &Files<'_>) -> Fact<String> {
    const LOCALTIME: &str = "/etc/localtime";
    match files.link(LOCALTIME, HIDES) {
        Read::There(target) => {
            if let Some((_, zone)) = target.split_once("zoneinfo/") {
                let zone = zone.trim_start_matches("posix/").trim_start_matches("right/");
                return Fact::known(zone.to_owned(), LOCALTIME);
            }
        }
        Read::Absent => {}
        Read::Unread(why) => return Fact::unknown(why),
    }
    let clock = |text: &str| {
        let mut values = shell::assignments(text);
        values.remove("ZONE").or_else(|| values.remove("TIMEZONE"))
    };
    let fact = first_of(files, &[("/etc/timezone", &line), ("/etc/sysconfig/clock", &clock)]);
    match fact {
        // A copy of the zone's rules bears no name.
        Fact::Absent { .. } if files.exists(LOCALTIME, HIDES) => {
            Fact::unknown(format!("{LOCALTIME} is a copy that does not say of which zone"))
        }
        // Without the file the system lives in UTC; that is its default, not its statement.
        other => other,
    }
}
