//! Which cron reads the tables, whether it is started, and which tables it refuses.

use std::collections::HashMap;

use fathom_filesystem::{FileType, Found, Metadata};
use fathom_report::{Coverage, Enabled, Evidence, Fact, Listing, Service, ServiceKind};

use super::super::HIDES;
use super::super::program::{Program, holds};
use super::super::starts;
use crate::files::{Files, Read};

/// Where the program lies.
const PROGRAMS: [&str; 6] = [
    "/usr/sbin/cron",
    "/usr/sbin/crond",
    "/usr/bin/crond",
    "/sbin/crond",
    "/bin/crond",
    "/usr/sbin/fcron",
];

/// What makes units of the tables instead.
const GENERATORS: [&str; 2] = [
    "/usr/lib/systemd/system-generators/systemd-crontab-generator",
    "/lib/systemd/system-generators/systemd-crontab-generator",
];

/// The services that start it.
const SERVICES: [&str; 6] = ["cron", "crond", "cronie", "vixie-cron", "dcron", "fcron"];

/// Where Debian keeps the tables of accounts.
const TABLES_OF_DEBIAN: &str = "/var/spool/cron/crontabs/";

/// The program that makes up for days that the machine was off.
pub(super) const ANACRON: &str = "/usr/sbin/anacron";

/// Which program it is, as far as its manners differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Vixie's with the checks of Debian.
    Debian,
    Cronie,
    BusyBox,
    /// One whose manners are not known.
    Other,
}

/// The program that runs the tables.
pub(super) struct Daemon {
    pub(super) kind: Kind,
    /// Whether it is started with the system.
    runs: Fact<bool>,
    accounts: Accounts,
}

/// Whether the program takes a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
    Unclear(String),
}

impl Daemon {
    pub(super) fn of(files: &Files<'_>, services: &Listing<Service>) -> Self {
        let accounts = Accounts::of(files);
        let (kind, runs) = match kind(files) {
            Read::There(kind) => (kind, runs(services)),
            Read::Absent if GENERATORS.iter().any(|path| files.exists(path, HIDES)) => {
                (Kind::Other, Fact::unknown("a generator of systemd makes units of the tables"))
            }
            Read::Absent => (Kind::Other, Fact::known(false, PROGRAMS[0])),
            Read::Unread(why) => (Kind::Other, Fact::unknown(why)),
        };
        Self { kind, runs, accounts }
    }

    /// Whether what stands at `path` is run.
    pub(super) fn state(&self, path: &str, taken: Taken) -> Fact<Enabled> {
        match (&self.runs, taken) {
            (Fact::Known { value: false, evidence }, _) | (Fact::Absent { evidence }, _) => {
                Fact::Known { value: Enabled::Disabled, evidence: evidence.clone() }
            }
            (_, Taken::No) => Fact::known(Enabled::Disabled, path),
            (Fact::Unknown { reason }, _) => Fact::unknown(reason.clone()),
            (_, Taken::Unclear(why)) => Fact::unknown(why),
            (_, Taken::Yes) => Fact::known(Enabled::Enabled, path),
        }
    }

    /// Whether the program takes a file by what it is; `account` where it is the table of one.
    pub(super) fn takes(
        &self,
        files: &Files<'_>,
        path: &str,
        own: &Found,
        account: Option<&str>,
    ) -> Taken {
        let (link, file) = match (own.metadata(), files.found(path, HIDES).there()) {
            (Ok(link), Some(found)) => match found.metadata() {
                Ok(file) => (link, file),
                Err(error) => return Taken::Unclear(error.to_string()),
            },
            (Ok(_), None) => return Taken::No,
            (Err(error), _) => return Taken::Unclear(error.to_string()),
        };
        let owner = match account.map(|account| self.accounts.find(account)) {
            Some(Taken::Unclear(why)) => return Taken::Unclear(why),
            Some(Taken::No) => return Taken::No,
            Some(Taken::Yes) => account.and_then(|account| self.accounts.number(account)),
            None => None,
        };
        let is_link = link.file_type == FileType::Symlink;
        let good = match (self.kind, account) {
            // It looks into no other folder.
            (Kind::Debian, Some(_)) if !path.starts_with(TABLES_OF_DEBIAN) => false,
            (Kind::Debian, Some(_)) => !is_link && is_good_to_debian(&file, owner),
            (Kind::Debian, None) => link.uid == 0 && is_good_for_all(&file),
            (Kind::Cronie, _) => is_good_to_cronie(&file, account.is_some(), owner),
            // It reads no tables but those of accounts.
            (Kind::BusyBox, _) => account.is_some() && file.uid == 0,
            (Kind::Other, _) if file.mode & 0o022 == 0 && file.uid == owner.unwrap_or(0) => true,
            (Kind::Other, _) => {
                return Taken::Unclear(format!("whether cron takes {path} is not known"));
            }
        };
        if good { Taken::Yes } else { Taken::No }
    }

    /// Whether there is the account that a line names.
    pub(super) fn knows(&self, account: &str) -> Taken {
        self.accounts.find(account)
    }
}

/// A table of an account is its own or root's, and nobody else sees it.
fn is_good_to_debian(file: &Metadata, owner: Option<u32>) -> bool {
    let mine = file.uid == 0 || Some(file.uid) == owner;
    mine && file.mode & 0o7777 == 0o600 && file.links == 1 && file.file_type == FileType::File
}

/// A table of the system is root's, and nobody else writes it.
fn is_good_for_all(file: &Metadata) -> bool {
    let regular = file.file_type == FileType::File;
    regular && file.uid == 0 && file.mode & 0o022 == 0 && file.links == 1
}

/// Nobody but the owner writes it, and nobody runs it.
fn is_good_to_cronie(file: &Metadata, of_account: bool, owner: Option<u32>) -> bool {
    let mine = file.uid == 0 || (of_account && Some(file.uid) == owner);
    let alone = !of_account || file.links == 1;
    file.file_type == FileType::File && mine && alone && file.mode & 0o7533 == 0o400
}

/// Which program there is.
fn kind(files: &Files<'_>) -> Read<Kind> {
    for place in PROGRAMS {
        let program = match Program::at(files, place) {
            Read::There(program) => program,
            Read::Absent => continue,
            Read::Unread(why) => return Read::Unread(why),
        };
        if program.name().starts_with("busybox") {
            return Read::There(Kind::BusyBox);
        }
        return program.bytes(files).map(|bytes| match () {
            () if holds(&bytes, "INSECURE MODE") => Kind::Debian,
            () if holds(&bytes, "BAD FILE MODE") => Kind::Cronie,
            () => Kind::Other,
        });
    }
    Read::Absent
}

/// Whether the system starts it. Where no service is called so, something else may.
fn runs(services: &Listing<Service>) -> Fact<bool> {
    let stem = |name: &str| name.strip_suffix(".service").unwrap_or(name).to_owned();
    let named = services.items.iter().any(|one| SERVICES.contains(&stem(&one.name).as_str()));
    if !named && services.coverage == Coverage::Complete {
        return Fact::unknown("nothing that starts cron is known");
    }
    starts(services, &SERVICES)
}

/// The accounts that lines may name.
struct Accounts {
    by_name: HashMap<String, u32>,
    /// Why there may be more.
    more: Option<String>,
}

impl Accounts {
    fn of(files: &Files<'_>) -> Self {
        let mut by_name = HashMap::new();
        let mut more = None;
        match files.text("/etc/passwd", HIDES) {
            Read::There(text) => by_name.extend(text.lines().filter_map(account)),
            Read::Absent => {}
            Read::Unread(why) => more = Some(why),
        }
        match files.text("/etc/nsswitch.conf", HIDES) {
            Read::There(text) if names_others(&text) => {
                more = Some("accounts come from elsewhere too".to_owned());
            }
            Read::Unread(why) => more = Some(why),
            Read::There(_) | Read::Absent => {}
        }
        Self { by_name, more }
    }

    fn find(&self, name: &str) -> Taken {
        match &self.more {
            _ if self.by_name.contains_key(name) => Taken::Yes,
            Some(why) => Taken::Unclear(why.clone()),
            None => Taken::No,
        }
    }

    fn number(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }
}

/// The name and the number of a line of `/etc/passwd`.
fn account(line: &str) -> Option<(String, u32)> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
}

/// Whether accounts are looked up elsewhere than in files.
fn names_others(text: &str) -> bool {
    let own = ["files", "compat", "systemd"];
    let line = text.lines().find_map(|line| line.trim().strip_prefix("passwd:"));
    let line = line.and_then(|line| line.split('#').next()).unwrap_or_default();
    line.split_whitespace().any(|word| !word.starts_with('[') && !own.contains(&word))
}

/// Whether a command does nothing where anacron is there, as Debian's lines for the folders.
pub(super) fn defers(command: &str) -> bool {
    command.contains("test -x /usr/sbin/anacron")
}

/// Where anacron's program is not there, nothing of its table is run; otherwise its own service
/// starts it, or a line of cron.
pub(super) fn anacron(
    files: &Files<'_>,
    services: &Listing<Service>,
    lines: &[Service],
) -> Fact<bool> {
    match files.found(ANACRON, HIDES) {
        Read::There(_) => {}
        Read::Absent => return Fact::known(false, ANACRON),
        Read::Unread(why) => return Fact::unknown(why),
    }
    let own = services
        .items
        .iter()
        .filter(|one| ["anacron", "anacron.service", "anacron.timer"].contains(&one.name.as_str()));
    // Debian's line leaves it to systemd where that runs.
    let units = services.items.iter().any(|one| one.kind == ServiceKind::Service);
    let calls = |command: &String| {
        let left = units && command.contains("/run/systemd/system");
        command.contains("anacron") && !defers(command) && !left
    };
    let of_cron = lines.iter().filter(|line| line.commands.iter().any(calls));
    any(own.chain(of_cron), "nothing that starts anacron is known")
}

/// Whether any of them is started; where there are none it is not known, for this reason.
pub(super) fn any<'a>(them: impl Iterator<Item = &'a Service>, none: &str) -> Fact<bool> {
    let mut doubt = None;
    let mut places: Vec<Evidence> = Vec::new();
    for one in them {
        match &one.enabled {
            Fact::Known { value: Enabled::Enabled, evidence } => {
                return Fact::Known { value: true, evidence: evidence.clone() };
            }
            Fact::Known { evidence, .. } | Fact::Absent { evidence } => {
                places.extend(evidence.iter().cloned());
            }
            Fact::Unknown { reason } => doubt = Some(reason.clone()),
        }
    }
    match doubt {
        Some(reason) => Fact::unknown(reason),
        None if places.is_empty() => Fact::unknown(none),
        None => Fact::Known { value: false, evidence: places },
    }
}
