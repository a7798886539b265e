//! What cron starts: the lines of its tables, and scripts in the folders that run by the hour or day;
//! and the lines of anacron, which runs such folders too.
//!
//! Whether they are run is another question: cron may not be there or not be started, and it refuses
//! tables. What is not run is listed as disabled.

mod daemon;
mod line;

use fathom_filesystem::{FileType, Found};
use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use self::daemon::{Daemon, Kind, Taken};
use self::line::Line;
use super::{HIDES, once};
use crate::files::{Files, Read};
use crate::lines::at_most;

const CRONTAB: &str = "/etc/crontab";
/// Tables whose lines name an account.
const SYSTEM_TABLES: &str = "/etc/cron.d";
/// Tables of accounts, each called after its own.
const ACCOUNT_TABLES: [&str; 3] =
    ["/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron"];
/// Folders of scripts. What is in the first may start anacron, which runs the others.
const HOURLY: (&str, &str) = ("/etc/cron.hourly", "hourly");
const FOLDERS: [(&str, &str); 8] = [
    ("/etc/cron.daily", "daily"),
    ("/etc/cron.weekly", "weekly"),
    ("/etc/cron.monthly", "monthly"),
    // Those of Alpine.
    ("/etc/periodic/15min", "every 15 minutes"),
    ("/etc/periodic/hourly", "hourly"),
    ("/etc/periodic/daily", "daily"),
    ("/etc/periodic/weekly", "weekly"),
    ("/etc/periodic/monthly", "monthly"),
];

/// What runs all the folders without naming them.
const RUNS_ALL: &str = "/usr/lib/cron/run-crons";

/// Endings of what packages and editors leave behind, which Red Hat's programs pass over.
const LEFT_BEHIND: [&str; 7] = ["~", ".rpmsave", ".rpmorig", ".rpmnew", ".swp", ",v", ".cfsaved"];

/// No table has as many lines.
const MAX_LINES: usize = 10_000;

/// Everything that cron and anacron start; `services` are what starts these.
pub(super) fn all(files: &Files<'_>, services: &Listing<Service>) -> Listing<Service> {
    let daemon = Daemon::of(files, services);
    let mut found = Listing::complete(Vec::new(), Vec::new());
    if let Read::There(own) = files.found(CRONTAB, HIDES) {
        daemon.table(files, CRONTAB, &own, None, &mut found);
    }
    for_each(files, SYSTEM_TABLES, &mut found, |name, path, own, found| {
        if daemon.reads(name) {
            daemon.table(files, path, own, None, found);
        }
    });
    for folder in ACCOUNT_TABLES {
        for_each(files, folder, &mut found, |name, path, own, found| {
            daemon.table(files, path, own, Some(name), found);
        });
    }
    daemon.folder(files, HOURLY, &mut found);
    let mut lines = once::anacron(files);
    let started = daemon::anacron(files, services, &found.items);
    for line in &mut lines.items {
        line.enabled = as_enabled(&started, once::ANACRONTAB);
    }
    found.join(lines);
    for folder in FOLDERS {
        daemon.folder(files, folder, &mut found);
    }
    found
}

/// Whether something at `path` is run, by whether what runs it is started.
fn as_enabled(started: &Fact<bool>, path: &str) -> Fact<Enabled> {
    match started {
        Fact::Known { value: true, .. } => Fact::known(Enabled::Enabled, path),
        Fact::Known { evidence, .. } | Fact::Absent { evidence } => {
            Fact::Known { value: Enabled::Disabled, evidence: evidence.clone() }
        }
        Fact::Unknown { reason } => Fact::unknown(reason.clone()),
    }
}

/// Calls `each` for every file in the folder.
fn for_each(
    files: &Files<'_>,
    folder: &str,
    found: &mut Listing<Service>,
    mut each: impl FnMut(&str, &str, &Found, &mut Listing<Service>),
) {
    let children = match files.children(folder, HIDES) {
        Read::There(children) => children,
        Read::Absent => return,
        Read::Unread(why) => return found.hide(why),
    };
    found.evidence.push(folder.into());
    for (name, child) in children {
        let path = format!("{folder}/{name}");
        match child.metadata().map(|metadata| metadata.file_type) {
            Ok(FileType::File | FileType::Symlink) if !name.starts_with('.') => {
                each(&name, &path, &child, found);
            }
            Ok(_) => {}
            Err(error) => {
                files.note(&error, &path, HIDES);
                found.hide(error.to_string());
            }
        }
    }
}

impl Daemon {
    /// Whether a file of this name is a table, or a script of a folder.
    fn reads(&self, name: &str) -> bool {
        match self.kind {
            Kind::Cronie => !LEFT_BEHIND.iter().any(|end| name.ends_with(end)),
            Kind::Debian => {
                name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
            }
            Kind::BusyBox | Kind::Other => !name.contains('.') && !name.ends_with('~'),
        }
    }

    /// The lines of one table; `account` where it is the table of one.
    fn table(
        &self,
        files: &Files<'_>,
        path: &str,
        own: &Found,
        account: Option<&str>,
        found: &mut Listing<Service>,
    ) {
        let text = match files.text(path, HIDES) {
            Read::There(text) => text,
            Read::Absent => return,
            Read::Unread(why) => return found.hide(why),
        };
        if account.is_none() {
            found.evidence.push(path.into());
        }
        let lines = text.lines().map(|text| line::read(text, account));
        let lines = lines.filter(|line| *line != Line::Nothing);
        let lines = at_most(lines, MAX_LINES, |why| found.hide(format!("{path}: {why}")));
        let mut taken = self.takes(files, path, own, account);
        if taken == Taken::Yes && self.kind == Kind::Debian {
            taken = self.whole(&text, &lines);
        }
        for line in lines {
            let Line::Entry(one) = line else { continue };
            let taken = match &taken {
                Taken::Yes => self.knows(one.user),
                other => other.clone(),
            };
            let state = self.state(path, taken);
            found.items.push(entry(one.command, one.command, one.user, &one.when, path, state));
        }
    }

    /// Debian's cron takes all of a table or nothing: one line that is wrong, or that has no end,
    /// spoils the others.
    fn whole(&self, text: &str, lines: &[Line<'_>]) -> Taken {
        let no_end = !text.is_empty() && !text.ends_with('\n');
        // A mark that others take for silence is no time to it.
        let marked = text.lines().any(|line| line.trim_start().starts_with('-'));
        if no_end || marked || lines.contains(&Line::Wrong) {
            return Taken::No;
        }
        let users = lines.iter().filter_map(|line| match line {
            Line::Entry(entry) => Some(self.knows(entry.user)),
            Line::Nothing | Line::Wrong => None,
        });
        users.reduce(worse).unwrap_or(Taken::Yes)
    }

    /// The scripts of a folder, which something that cron or anacron runs is to run.
    fn folder(&self, files: &Files<'_>, folder: (&str, &str), found: &mut Listing<Service>) {
        let (folder, when) = folder;
        let anacron = files.exists(daemon::ANACRON, HIDES);
        let runs = |command: &String| {
            let named = command.contains(folder) || command.contains(RUNS_ALL);
            named && !(anacron && daemon::defers(command))
        };
        let by = found.items.iter().filter(|one| one.commands.iter().any(runs));
        let started = daemon::any(by, &format!("nothing that runs {folder} is known"));
        for_each(files, folder, found, |name, path, _, found| {
            if self.reads(name) {
                let state = match is_program(files, path) {
                    Read::There(true) => as_enabled(&started, path),
                    Read::There(false) | Read::Absent => Fact::known(Enabled::Disabled, path),
                    Read::Unread(why) => Fact::unknown(why),
                };
                found.items.push(entry(name, path, "root", when, path, state));
            }
        });
    }
}

/// The answer for two, both of which must be taken.
fn worse(one: Taken, other: Taken) -> Taken {
    match (one, other) {
        (Taken::No, _) | (_, Taken::No) => Taken::No,
        (Taken::Unclear(why), _) | (_, Taken::Unclear(why)) => Taken::Unclear(why),
        (Taken::Yes, Taken::Yes) => Taken::Yes,
    }
}

/// Whether the path leads to a file that can be run.
fn is_program(files: &Files<'_>, path: &str) -> Read<bool> {
    match files.found(path, HIDES).map(|found| found.metadata()) {
        Read::There(Ok(metadata)) => {
            Read::There(metadata.file_type == FileType::File && metadata.mode & 0o111 != 0)
        }
        Read::There(Err(error)) => Read::Unread(error.to_string()),
        Read::Absent => Read::Absent,
        Read::Unread(why) => Read::Unread(why),
    }
}

fn entry(
    name: &str,
    command: &str,
    user: &str,
    when: &str,
    path: &str,
    enabled: Fact<Enabled>,
) -> Service {
    Service {
        kind: ServiceKind::Cron,
        name: name.to_owned(),
        enabled,
        description: None,
        commands: vec![command.to_owned()],
        further_commands: Vec::new(),
        user: Some(user.to_owned()),
        triggers: vec![when.to_owned()],
        start: None,
        evidence: vec![path.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    const PASSWD: (&str, &[u8]) = ("/etc/passwd", b"root:x:0:0::/:/bin/sh\njoe:x:1000:0::/:/\n");
    const DEBIAN: (&str, &[u8]) = ("/usr/sbin/cron*", b"INSECURE MODE (mode 0600 expected)");

    fn service(name: &str, state: Enabled) -> Listing<Service> {
        let mut one = entry(name, "", "", "", "/unit", Fact::known(state, "/unit"));
        one.kind = ServiceKind::Service;
        Listing::complete(vec![one], Vec::new())
    }

    /// The commands with their states, in one word each.
    fn shown(files: &[(&str, &[u8])], services: &Listing<Service>) -> Vec<String> {
        let tree = memory::tree(files);
        let found = all(&Files::new(&tree), services).items;
        let state = |one: &Service| match &one.enabled {
            Fact::Known { value: Enabled::Enabled, .. } => "on",
            Fact::Known { .. } | Fact::Absent { .. } => "off",
            Fact::Unknown { .. } => "unknown",
        };
        found.iter().map(|one| format!("{} {}", one.name, state(one))).collect()
    }

    #[test]
    fn what_debian_refuses_is_not_run() {
        let runs = service("cron.service", Enabled::Enabled);
        let files: &[(&str, &[u8])] = &[
            PASSWD,
            DEBIAN,
            ("/etc/crontab", b"1 * * * * root run-parts /etc/cron.hourly\n"),
            ("/etc/cron.d/bad-line", b"* * * * * root a\n99 * * * * root b\n"),
            ("/etc/cron.d/good", b"* * * * * root c\n"),
            ("/etc/cron.d/no-end", b"* * * * * root d"),
            ("/etc/cron.d/marked", b"-* * * * * root m\n"),
            ("/etc/cron.d/nobody", b"* * * * * nemo e\n* * * * * root f\n"),
            ("/etc/cron.d/open*", b"* * * * * root g\n"),
            ("/var/spool/cron/crontabs/gone", b"* * * * * h\n"),
            ("/var/spool/cron/crontabs/joe", b"* * * * * i\n"),
            ("/var/spool/cron/root*p", b"* * * * * j\n"),
            ("/etc/cron.hourly/plain", b""),
            ("/etc/cron.hourly/program*", b""),
            ("/etc/cron.hourly/dangling -> /gone", b""),
            ("/etc/cron.daily/program*", b""),
        ];
        assert_eq!(
            shown(files, &runs),
            [
                "run-parts /etc/cron.hourly on",
                "a off",
                "c on",
                "m off",
                "d off",
                "e off",
                "f off",
                "g on",
                "h off",
                // Only its owner may read it.
                "i off",
                // Others have their tables there.
                "j off",
                "dangling off",
                "plain off",
                "program on",
                "program unknown",
            ]
        );
    }

    #[test]
    fn without_cron_nothing_is_run() {
        let table: (&str, &[u8]) = ("/etc/crontab", b"* * * * * root a\n");
        let masked = service("cron.service", Enabled::Masked);
        assert_eq!(shown(&[PASSWD, DEBIAN, table], &masked), ["a off"]);
        let none = Listing::complete(Vec::new(), Vec::new());
        assert_eq!(shown(&[PASSWD, table], &none), ["a off"]);
        assert_eq!(shown(&[PASSWD, DEBIAN, table], &none), ["a unknown"]);
        assert_eq!(shown(&[PASSWD, DEBIAN, table], &Listing::unknown("x")), ["a unknown"]);
    }

    /// Debian's own line does nothing where anacron is there, be that started or not.
    #[test]
    fn anacron_takes_the_folders_over() {
        let line = b"1 1 * * * root test -x /usr/sbin/anacron || run-parts /etc/cron.daily\n";
        let files: &[(&str, &[u8])] = &[
            PASSWD,
            DEBIAN,
            ("/etc/crontab", line),
            ("/etc/anacrontab", b"1 5 cron.daily run-parts /etc/cron.daily\n"),
            ("/etc/cron.daily/x*", b""),
            ("/usr/sbin/anacron*", b""),
        ];
        let mut services = service("cron.service", Enabled::Enabled);
        let without = shown(&files[..5], &services);
        assert_eq!(without[1..], ["cron.daily off", "x on"]);
        services.join(service("anacron.timer", Enabled::Masked));
        assert_eq!(shown(files, &services)[1..], ["cron.daily off", "x off"]);
    }

    #[test]
    fn cronie_passes_over_single_lines() {
        let runs = service("crond.service", Enabled::Enabled);
        let files: &[(&str, &[u8])] = &[
            PASSWD,
            ("/usr/sbin/crond*", b"BAD FILE MODE"),
            ("/etc/cron.d/x.cron", b"* * * * * root a\n99 * * * * root b\n* * * * * nemo c\n"),
            ("/etc/cron.d/x.rpmsave", b"* * * * * root d\n"),
            ("/etc/cron.d/program*", b"* * * * * root e\n"),
            ("/etc/anacrontab", b"1 5 cron.daily run-parts /etc/cron.daily\n"),
            ("/usr/sbin/anacron*", b""),
            ("/etc/cron.d/0hourly", b"1 * * * * root run-parts /etc/cron.hourly\n"),
            ("/etc/cron.hourly/0anacron*", b""),
            ("/etc/cron.daily/logrotate*", b""),
        ];
        assert_eq!(
            shown(files, &runs),
            [
                "run-parts /etc/cron.hourly on",
                "e off",
                "a on",
                "c off",
                "0anacron on",
                "cron.daily on",
                "logrotate on",
            ]
        );
    }
}
