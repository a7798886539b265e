//! What runs beside cron: anacron, which makes up for days that the machine was off, and `at`, which
//! runs a job once.

use fathom_filesystem::{FileType, Timestamp};
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::HIDES;
use crate::files::{Files, Read};

pub(super) const ANACRONTAB: &str = "/etc/anacrontab";

/// Where distributions keep the jobs of `at`.
const JOBS: [&str; 3] = ["/var/spool/cron/atjobs", "/var/spool/at", "/var/spool/atjobs"];

/// No machine has as many.
const MAX_JOBS: usize = 10_000;

/// The lines of anacron's table.
pub(super) fn anacron(files: &Files<'_>) -> Listing<Service> {
    let text = match files.text(ANACRONTAB, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Listing::complete(Vec::new(), Vec::new()),
        Read::Unread(why) => return Listing::unknown(why),
    };
    let items = text.lines().filter_map(period).collect();
    Listing::complete(items, vec![ANACRONTAB.into()])
}

/// `7 10 cron.weekly run-parts /etc/cron.weekly`: the days, the minutes to wait, a name, a command.
fn period(line: &str) -> Option<Service> {
    let (days, rest) = line.trim().split_once(char::is_whitespace)?;
    let (delay, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let (name, command) = rest.trim_start().split_once(char::is_whitespace)?;
    let is_period = days.starts_with('@') || days.bytes().all(|byte| byte.is_ascii_digit());
    if !is_period || !delay.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let when = match days.strip_prefix('@') {
        Some(_) => days.to_owned(),
        None => format!("every {days} days"),
    };
    Some(Service {
        kind: ServiceKind::Anacron,
        name: name.to_owned(),
        enabled: Fact::known(Enabled::Enabled, ANACRONTAB),
        description: None,
        commands: vec![command.trim().to_owned()],
        further_commands: Vec::new(),
        user: Some("root".to_owned()),
        triggers: vec![when],
        start: None,
        evidence: vec![ANACRONTAB.into()],
    })
}

/// The jobs that wait for their time.
pub(super) fn at(files: &Files<'_>) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    for folder in JOBS {
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => continue,
            Read::Unread(why) => {
                listing.hide(why);
                continue;
            }
        };
        listing.evidence.push(folder.into());
        for (name, found) in children {
            let Some((number, seconds)) = job(&name) else { continue };
            let path = format!("{folder}/{name}");
            if listing.items.len() >= MAX_JOBS {
                listing.hide(format!("{folder} has more than {MAX_JOBS} jobs"));
                break;
            }
            match found.metadata().map(|metadata| metadata.file_type) {
                Ok(FileType::File) => {}
                Ok(_) => continue,
                Err(error) => {
                    files.note(&error, &path, HIDES);
                    continue;
                }
            }
            match files.text(&path, HIDES) {
                Read::There(text) => listing.items.push(service(&text, &path, number, seconds)),
                Read::Absent => {}
                Read::Unread(why) => listing.hide(why),
            }
        }
    }
    listing
}

/// The number and the time of a job, which are its name: `a00003019d0c2a` is job 3 of the queue `a`.
/// One that is running begins with `=`.
fn job(name: &str) -> Option<(u32, i64)> {
    let is_job = name.len() == 14
        && name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '=')
        && name[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_job {
        return None;
    }
    let number = u32::from_str_radix(&name[1..6], 16).ok()?;
    let minutes = i64::from_str_radix(&name[6..], 16).ok()?;
    Some((number, minutes.checked_mul(60)?))
}

/// The job without the environment that it was given in, which is nobody's business.
fn service(text: &str, path: &str, number: u32, seconds: i64) -> Service {
    let mut lines = text.lines();
    let user = text.lines().find_map(|line| line.strip_prefix("# mail "));
    let user = user.and_then(|mail| mail.split_whitespace().next()).map(str::to_owned);
    // The commands come behind the change into the folder, and may stand between two marks.
    lines.by_ref().find(|line| line.starts_with("cd "));
    lines.by_ref().find(|line| line.trim() == "}");
    let mut commands = Vec::new();
    let mut mark = None;
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match line.split_once("<< '") {
            Some((_, end)) if mark.is_none() && line.starts_with("${SHELL") => {
                mark = Some(end.trim_end_matches('\''));
            }
            _ if Some(line) == mark => break,
            _ => commands.push(line.to_owned()),
        }
    }
    let when = Timestamp { seconds, ..Timestamp::default() };
    Service {
        kind: ServiceKind::At,
        name: format!("job {number}"),
        enabled: Fact::known(Enabled::Enabled, path),
        description: None,
        commands,
        further_commands: Vec::new(),
        user,
        triggers: vec![when.to_string()],
        start: None,
        evidence: vec![path.into()],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::memory;

    #[test]
    fn anacrons_table() {
        let text = b"# x\nSHELL=/bin/sh\nSTART_HOURS_RANGE=3 - 22 x y\n1\t5\tcron.daily\trun-parts /etc/cron.daily\n@monthly 15 m x y\n";
        let tree = memory::tree(&[(ANACRONTAB, text)]);
        let found = anacron(&Files::new(&tree)).items;
        assert_eq!(found.len(), 2);
        assert_eq!((&found[0].name[..], &found[0].triggers[0][..]), ("cron.daily", "every 1 days"));
        assert_eq!(found[1].commands, ["x y"]);
    }

    #[test]
    fn jobs_without_their_environment() {
        let text = b"#!/bin/sh\n# atrun uid=1000 gid=1000\n# mail joe 0\numask 22\nSECRET=s3cret; export SECRET\ncd /home/joe || {\n\t echo 'Execution directory inaccessible' >&2\n\t exit 1\n}\n${SHELL:-/bin/sh} << 'marcinDELIMITER1234'\necho hi\nmarcinDELIMITER1234\n";
        let tree = memory::tree(&[
            ("/var/spool/cron/atjobs/a0000301b2d8e0", text),
            ("/var/spool/cron/atjobs/.SEQ", b"3"),
        ]);
        let found = at(&Files::new(&tree)).items;
        let [one] = &found[..] else { unreachable!() };
        assert_eq!((&one.name[..], one.user.as_deref()), ("job 3", Some("joe")));
        assert_eq!(one.commands, ["echo hi"]);
        assert!(!format!("{one:?}").contains("s3cret"));
        assert_eq!(job("a0000301b2d8e0").unwrap().0, 3);
        assert!(job("é0000301b2d8e").is_none());
    }
}
