//! What the administrator chose: the machine's name, place and language.

use fathom_filesystem::FileType;
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

const LOCALTIME: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";

/// No file of a zone is as long, and no system has as many.
const MAX_ZONE: usize = 64 << 10;
const MAX_ZONES: usize = 4096;

/// The zone that `/etc/localtime` is or leads to. What else names one is a remark that nobody reads,
/// and without that file the system lives in UTC.
pub(super) fn time_zone(files: &Files<'_>) -> Fact<String> {
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
    match files.bytes(LOCALTIME, HIDES, MAX_ZONE) {
        Read::There(rules) => copied(files, &rules),
        Read::Absent => Fact::absent([LOCALTIME]),
        Read::Unread(why) => Fact::unknown(why),
    }
}

/// The zone whose rules were copied: the one that is written beside them if it is that, or else the
/// only one that has these rules.
fn copied(files: &Files<'_>, rules: &[u8]) -> Fact<String> {
    let clock = |text: &str| {
        let mut values = shell::assignments(text);
        values.remove("ZONE").or_else(|| values.remove("TIMEZONE"))
    };
    let noted = first_of(files, &[("/etc/timezone", &line), ("/etc/sysconfig/clock", &clock)]);
    let noted = noted.value().filter(|zone| !zone.contains(".."));
    if let Some(zone) = noted.filter(|zone| has(files, &format!("{ZONES}/{zone}"), rules)) {
        return Fact::known(zone.clone(), LOCALTIME);
    }
    let mut same = Vec::new();
    let mut budget = MAX_ZONES;
    alike(files, "", rules, &mut budget, &mut same);
    // Of its many names this is the one that everybody knows.
    if let Some(zone) = same.iter().find(|zone| *zone == "UTC" || *zone == "Etc/UTC") {
        return Fact::known(zone.clone(), LOCALTIME);
    }
    match &same[..] {
        [zone] => Fact::known(zone.clone(), LOCALTIME),
        [] => Fact::unknown(format!("{LOCALTIME} is a copy that does not say of which zone")),
        [zone, ..] => Fact::unknown(format!(
            "{LOCALTIME} is a copy of {zone} and of {} others that are the same",
            same.len().saturating_sub(1)
        )),
    }
}

/// Whether the file has these rules.
fn has(files: &Files<'_>, path: &str, rules: &[u8]) -> bool {
    let Read::There(found) = files.found(path, HIDES) else { return false };
    let length = u64::try_from(rules.len()).unwrap_or(u64::MAX);
    if !found.metadata().is_ok_and(|metadata| metadata.size == length) {
        return false;
    }
    files.bytes(path, HIDES, MAX_ZONE).there().is_some_and(|bytes| bytes == rules)
}

/// Adds the zones in the folder that have these rules.
fn alike(
    files: &Files<'_>,
    folder: &str,
    rules: &[u8],
    budget: &mut usize,
    same: &mut Vec<String>,
) {
    let path = format!("{ZONES}/{folder}");
    let Read::There(children) = files.children(path.trim_end_matches('/'), HIDES) else { return };
    for (name, child) in children {
        *budget = budget.saturating_sub(1);
        if *budget == 0 {
            return;
        }
        let zone = format!("{folder}{name}");
        match child.metadata().map(|metadata| metadata.file_type) {
            // The same zones again, counted in another way.
            Ok(FileType::Directory) if matches!(name.as_str(), "posix" | "right") => {}
            // Zones lie at most three folders deep.
            Ok(FileType::Directory) if folder.matches('/').count() < 3 => {
                alike(files, &format!("{zone}/"), rules, budget, same);
            }
            Ok(FileType::File)
                if !matches!(name.as_str(), "localtime" | "posixrules")
                    && has(files, &format!("{ZONES}/{zone}"), rules) =>
            {
                same.push(zone);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn the_file_that_the_library_reads_decides() {
        let berlin: (&str, &[u8]) = ("/usr/share/zoneinfo/Europe/Berlin", b"TZif1");
        let oslo: (&str, &[u8]) = ("/usr/share/zoneinfo/Europe/Oslo", b"TZif2");
        let bergen: (&str, &[u8]) = ("/usr/share/zoneinfo/Europe/Bergen", b"TZif2");
        let noted: (&str, &[u8]) = ("/etc/timezone", b"Europe/Oslo\n");
        let zone = |files: &[(&str, &[u8])]| {
            let tree = memory::tree(files);
            time_zone(&Files::new(&tree))
        };
        let known = |name: &str| Fact::known(name.to_owned(), LOCALTIME);
        assert_eq!(zone(&[berlin, noted]), Fact::absent([LOCALTIME]));
        let link: (&str, &[u8]) = ("/etc/localtime -> /usr/share/zoneinfo/Europe/Berlin", b"");
        assert_eq!(zone(&[berlin, noted, link]), known("Europe/Berlin"));
        let copy: (&str, &[u8]) = (LOCALTIME, b"TZif1");
        assert_eq!(zone(&[berlin, oslo, noted, copy]), known("Europe/Berlin"));
        let copy: (&str, &[u8]) = (LOCALTIME, b"TZif2");
        assert_eq!(zone(&[oslo, bergen, noted, copy]), known("Europe/Oslo"));
        assert!(matches!(zone(&[oslo, bergen, copy]), Fact::Unknown { .. }));
        assert!(matches!(zone(&[noted, copy]), Fact::Unknown { .. }));
    }
}
