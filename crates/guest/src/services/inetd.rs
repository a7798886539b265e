//! Services that another program starts when somebody connects: the lines of `/etc/inetd.conf`, and the
//! blocks of xinetd.

use std::collections::HashMap;

use fathom_report::{Enabled, Fact, Listing, Service, ServiceKind};

use super::{HIDES, starts};
use crate::files::{Files, Read};

const INETD: &str = "/etc/inetd.conf";
const INETD_STARTED_BY: [&str; 4] = ["inetd", "openbsd-inetd", "inetutils-inetd", "rlinetd"];

const XINETD: &str = "/etc/xinetd.conf";
const XINETD_STARTED_BY: [&str; 1] = ["xinetd"];

/// How many services there are with sense.
const MAX_SERVICES: usize = 10_000;

/// Everything that the two start; `services` are what starts these.
pub(super) fn all(files: &Files<'_>, services: &Listing<Service>) -> Listing<Service> {
    let mut listing = Listing::complete(Vec::new(), Vec::new());
    if let Some(text) = text(files, INETD, &mut listing) {
        let started = starts(services, &INETD_STARTED_BY);
        listing.items.extend(text.lines().filter_map(line).map(|one| one.service(INETD, &started)));
    }
    if let Some(main) = text(files, XINETD, &mut listing) {
        of_xinetd(files, &main, services, &mut listing);
    }
    if listing.items.len() > MAX_SERVICES {
        listing.items.truncate(MAX_SERVICES);
        listing.hide(format!("there are more than {MAX_SERVICES} services of inetd"));
    }
    listing
}

fn text(files: &Files<'_>, path: &str, listing: &mut Listing<Service>) -> Option<String> {
    match files.text(path, HIDES) {
        Read::There(text) => {
            listing.evidence.push(path.into());
            Some(text)
        }
        Read::Absent => None,
        Read::Unread(why) => {
            listing.hide(why);
            None
        }
    }
}

/// One service.
struct One {
    name: String,
    command: String,
    user: Option<String>,
    trigger: String,
    is_off: bool,
}

impl One {
    fn service(self, path: &str, started: &Fact<bool>) -> Service {
        let enabled = match started {
            _ if self.is_off => Fact::known(Enabled::Disabled, path),
            Fact::Known { value: true, .. } => Fact::known(Enabled::Enabled, path),
            Fact::Known { evidence, .. } | Fact::Absent { evidence } => {
                Fact::Known { value: Enabled::Disabled, evidence: evidence.clone() }
            }
            Fact::Unknown { reason } => Fact::unknown(reason.clone()),
        };
        Service {
            kind: ServiceKind::Inetd,
            name: self.name,
            enabled,
            description: None,
            commands: vec![self.command],
            further_commands: Vec::new(),
            user: self.user,
            triggers: vec![self.trigger],
            start: None,
            evidence: vec![path.into()],
        }
    }
}

/// `ftp stream tcp nowait root /usr/sbin/tcpd in.ftpd -l`; the program may be `internal`.
fn line(line: &str) -> Option<One> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, kind, protocol, _wait, user, program, arguments @ ..] = words.as_slice() else {
        return None;
    };
    // What stands first behind the program is the name that it is told to have.
    let arguments = arguments.get(1..).unwrap_or_default();
    let command = [&[*program], arguments].concat().join(" ");
    let user = user.split([':', '.']).next().unwrap_or_default().to_owned();
    Some(One {
        name: (*name).to_owned(),
        command,
        user: Some(user),
        trigger: format!("{name} {kind} {protocol}"),
        is_off: false,
    })
}

/// A block between braces: `service NAME`, or `defaults`.
struct Block {
    head: String,
    values: HashMap<String, String>,
}

impl Block {
    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    fn lists(&self, name: &str, service: &str) -> bool {
        self.get(name).is_some_and(|names| names.split_whitespace().any(|it| it == service))
    }
}

/// The blocks of a text, and the folders and files that it includes.
fn blocks(text: &str) -> (Vec<Block>, Vec<(bool, String)>) {
    let (mut blocks, mut included) = (Vec::new(), Vec::new());
    let mut head = String::new();
    let mut block: Option<Block> = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        match (&mut block, line) {
            (_, "") => {}
            (None, line) if line.ends_with('{') => {
                let line = line.trim_end_matches('{').trim_end();
                let head = std::mem::take(&mut head);
                let head = if line.is_empty() { head } else { line.to_owned() };
                block = Some(Block { head, values: HashMap::new() });
            }
            (Some(_), "}") => blocks.extend(block.take()),
            (Some(block), line) => {
                let Some((name, value)) = line.split_once('=') else { continue };
                // With a sign before it the value adds to the one before.
                let adds = name.ends_with('+');
                let name = name.trim_end_matches(['+', '-']).trim().to_owned();
                let own = block.values.entry(name).or_default();
                if adds && !own.is_empty() {
                    own.push(' ');
                } else {
                    own.clear();
                }
                own.push_str(value.trim());
            }
            (None, line) => match line.split_once([' ', '\t']) {
                Some(("includedir", folder)) => included.push((true, folder.trim().to_owned())),
                Some(("include", file)) => included.push((false, file.trim().to_owned())),
                _ => head = line.to_owned(),
            },
        }
    }
    (blocks, included)
}

fn of_xinetd(
    files: &Files<'_>,
    main: &str,
    services: &Listing<Service>,
    listing: &mut Listing<Service>,
) {
    let (own, included) = blocks(main);
    let mut all: Vec<(String, Block)> =
        own.into_iter().map(|block| (XINETD.to_owned(), block)).collect();
    for (is_folder, path) in included {
        let paths = match is_folder.then(|| files.children(&path, HIDES)) {
            // It passes over names with a dot, and over backups.
            Some(Read::There(children)) => children
                .into_iter()
                .map(|(name, _)| name)
                .filter(|name| !name.contains('.') && !name.ends_with('~'))
                .map(|name| format!("{path}/{name}"))
                .collect(),
            Some(Read::Absent) => continue,
            Some(Read::Unread(why)) => {
                listing.hide(why);
                continue;
            }
            None => vec![path],
        };
        for path in paths {
            if let Some(text) = text(files, &path, listing) {
                all.extend(blocks(&text).0.into_iter().map(|block| (path.clone(), block)));
            }
        }
    }
    let started = starts(services, &XINETD_STARTED_BY);
    let defaults = all.iter().find(|(_, block)| block.head == "defaults").map(|(_, block)| block);
    let found = all.iter().filter_map(|(path, block)| {
        let name = block.head.strip_prefix("service")?.trim();
        let id = block.get("id").unwrap_or(name);
        let is_off = block.get("disable") == Some("yes")
            || defaults.is_some_and(|defaults| {
                let chosen = defaults.get("enabled").is_some();
                defaults.lists("disabled", id) || chosen && !defaults.lists("enabled", id)
            });
        let command = [block.get("server"), block.get("server_args")];
        let port = block.get("port").unwrap_or(name);
        let how = [Some(port), block.get("socket_type"), block.get("protocol")];
        let joined =
            |parts: &[Option<&str>]| parts.iter().flatten().copied().collect::<Vec<_>>().join(" ");
        let command = Some(joined(&command)).filter(|command| !command.is_empty());
        let one = One {
            name: id.to_owned(),
            command: command.unwrap_or_else(|| "internal".to_owned()),
            user: block.get("user").map(str::to_owned),
            trigger: joined(&how),
            is_off,
        };
        Some(one.service(path, &started))
    });
    let found: Vec<Service> = found.collect();
    listing.items.extend(found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn services_of_both() {
        let of_defaults = b"# x\ndefaults\n{\n disabled = finger\n disabled += time\n}\n\
            includedir /etc/xinetd.d\n";
        let rsync = b"service rsync\n{\n disable = no\n socket_type = stream\n user = root\n \
            server = /usr/bin/rsync\n server_args = --daemon\n}\n";
        let tree = memory::tree(&[
            (INETD, b"#x stream tcp nowait root /x x\nftp stream tcp nowait root.wheel /usr/sbin/tcpd in.ftpd -l\necho dgram udp wait root internal\n"),
            (XINETD, of_defaults),
            ("/etc/xinetd.d/rsync", rsync),
            ("/etc/xinetd.d/time", b"service time\n{\n id = time\n}\nservice echo {\n disable = yes\n}\n"),
            ("/etc/xinetd.d/old.rpmsave", b"service old\n{\n}\n"),
        ]);
        let mut started = Listing::complete(Vec::new(), Vec::new());
        let xinetd = One {
            name: String::new(),
            command: String::new(),
            user: None,
            trigger: String::new(),
            is_off: false,
        };
        let mut xinetd = xinetd.service("/unit", &Fact::known(true, "/unit"));
        xinetd.kind = ServiceKind::Service;
        xinetd.name = "xinetd.service".to_owned();
        started.items.push(xinetd);
        let found = all(&Files::new(&tree), &started).items;
        let shown = found.iter().map(|one| {
            let is_on = one.enabled.value() == Some(&Enabled::Enabled);
            let user = one.user.as_deref().unwrap_or("-");
            format!("{} {is_on} {user} {} ({})", one.name, one.commands[0], one.triggers[0])
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "ftp false root /usr/sbin/tcpd -l (ftp stream tcp)",
                "echo false root internal (echo dgram udp)",
                "rsync true root /usr/bin/rsync --daemon (rsync stream)",
                "time false - internal (time)",
                "echo false - internal (echo)",
            ]
        );
    }
}
