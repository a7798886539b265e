//! What sshd is given when it is started: arguments of its service, and variables in them.

use fathom_report::{Coverage, Fact, Listing, Service, ServiceKind};

use super::{CONFIGS, HIDES};
use crate::files::{Files, Read};
use crate::services::systemd::{Environment, command};
use crate::shell;

/// The services that start it.
const SERVICES: [&str; 2] = ["ssh.service", "sshd.service"];

/// Files of variables that scripts of init read, and the variable of its arguments: of Debian, of OpenRC,
/// of Red Hat and of SUSE.
const OF_SCRIPTS: [(&str, &str); 4] = [
    ("/etc/default/ssh", "SSHD_OPTS"),
    (OF_OPENRC, "SSHD_OPTS"),
    ("/etc/sysconfig/sshd", "OPTIONS"),
    ("/etc/sysconfig/ssh", "SSHD_OPTS"),
];

const OF_OPENRC: &str = "/etc/conf.d/sshd";

/// Where OpenRC is told of another file of settings, the first counting.
const CONFIG_OF_OPENRC: [&str; 2] = ["cfgfile", "SSHD_CONFIG"];

/// Its flags that take a value.
const WITH_VALUE: &str = "CEbcfghkopu";

/// Something that it is told besides its files.
pub(super) enum Given {
    /// A line as in its files.
    Line(String),
    /// A port, which takes the place of those in its files.
    Port(String),
}

/// How it is started.
#[derive(Default)]
pub(super) struct Started {
    /// What it is told besides its files, each with the place.
    pub(super) options: Vec<(Given, String)>,
    /// The file that it is told to read instead of its own.
    pub(super) config: Option<String>,
}

impl Started {
    /// The files that it looks for, of which the first that is there counts.
    pub(super) fn configs(&self) -> Vec<&str> {
        self.config.as_deref().map_or(CONFIGS.to_vec(), |config| vec![config])
    }
}

/// Whether one of its own files is there, or may be.
pub(super) fn has_config(files: &Files<'_>) -> bool {
    CONFIGS.iter().any(|config| !matches!(files.found(config, HIDES), Read::Absent))
}

/// How the service starts it; an error says why that cannot be told.
pub(super) fn how(files: &Files<'_>, services: &Listing<Service>) -> Result<Started, String> {
    let is_one = |service: &&Service| {
        service.kind == ServiceKind::Service && SERVICES.contains(&service.name.as_str())
    };
    let is_complete = services.coverage == Coverage::Complete;
    let hidden = || {
        let why = services.reason.as_deref().unwrap_or("some services could not be read");
        format!("how it is started is not known: {why}")
    };
    let mut strange = None;
    for service in services.items.iter().filter(is_one) {
        if let (Fact::Unknown { .. }, false) = (&service.enabled, is_complete) {
            return Err(hidden());
        }
        let is_test = |command: &str| command::words(command).iter().any(|word| word == "-t");
        let starts =
            |command: &&String| command::program(command).ends_with("/sshd") && !is_test(command);
        let place = service.evidence.first().map_or("", |place| place.0.as_str());
        let Some(command) = service.commands.iter().find(starts) else {
            // Another program that it starts may start sshd in its turn, with arguments of its own.
            if let Some(command) = service.commands.first() {
                let name = command::program(command);
                strange
                    .get_or_insert(format!("{place}: {name} may start it, with what is not known"));
            }
            continue;
        };
        let environment = Environment::of(files, &service.evidence, HIDES)?;
        return Ok(parsed(command::arguments(command, &environment, place)?));
    }
    if let Some(why) = strange {
        return Err(why);
    }
    if !is_complete {
        return Err(hidden());
    }
    by_script(files, services)
}

/// How a script of init starts it, where there is no unit.
fn by_script(files: &Files<'_>, services: &Listing<Service>) -> Result<Started, String> {
    let is_script = |service: &Service| {
        let of_init = matches!(service.kind, ServiceKind::Sysv | ServiceKind::OpenRc);
        of_init && ["ssh", "sshd"].contains(&service.name.as_str())
    };
    if !services.items.iter().any(is_script) {
        return Ok(Started::default());
    }
    let mut words = Vec::new();
    for (path, name) in OF_SCRIPTS {
        match files.text(path, HIDES) {
            Read::There(text) => {
                let mut variables = shell::assignments(&text);
                let mut value = variables.remove(name).unwrap_or_default();
                if path == OF_OPENRC {
                    let folder = variables.remove("SSHD_CONFDIR");
                    let folder = folder.map(|folder| format!("{folder}/sshd_config"));
                    let named = CONFIG_OF_OPENRC.iter().find_map(|name| variables.remove(*name));
                    if let Some(config) = named.or(folder).filter(|config| !config.is_empty()) {
                        value = format!("{value} -f {config}");
                    }
                }
                if value.contains(['$', '`']) {
                    return Err(format!("{path}: what {value} is is known when it runs"));
                }
                words.extend(value.split_whitespace().map(|it| (it.to_owned(), path.to_owned())));
            }
            Read::Absent => {}
            Read::Unread(why) => return Err(why),
        }
    }
    Ok(parsed(words))
}

/// What the arguments mean. Several flags may stand in one word, the last of them with its value.
fn parsed(words: Vec<command::Word>) -> Started {
    let mut started = Started::default();
    let mut words = words.into_iter();
    while let Some((word, place)) = words.next() {
        if word == "--" {
            break;
        }
        let Some(flags) = word.strip_prefix('-') else { continue };
        for (at, flag) in flags.char_indices() {
            let line = |line: String| Given::Line(line);
            if !WITH_VALUE.contains(flag) {
                match flag {
                    '4' => started.options.push((line("AddressFamily inet".into()), place.clone())),
                    '6' => {
                        started.options.push((line("AddressFamily inet6".into()), place.clone()))
                    }
                    _ => {}
                }
                continue;
            }
            let joined = flags.get(at + flag.len_utf8()..).unwrap_or_default();
            let value = match joined.is_empty() {
                true => words.next().map(|(word, _)| word),
                false => Some(joined.to_owned()),
            };
            let Some(value) = value else { break };
            let given = match flag {
                'f' => {
                    started.config = Some(value);
                    break;
                }
                'o' => line(value),
                'p' => Given::Port(value),
                'h' => line(format!("HostKey {value}")),
                'c' => line(format!("HostCertificate {value}")),
                'g' => line(format!("LoginGraceTime {value}")),
                _ => break,
            };
            started.options.push((given, place.clone()));
            break;
        }
    }
    started
}
