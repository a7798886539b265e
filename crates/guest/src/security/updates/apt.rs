//! Debian and its kin: APT's own timers, and unattended-upgrades.

use super::apt_conf::AptConf;
use super::sources::{deb822, one_line};
use super::{Search, hidden, without_secret};
use crate::files::Read;
use crate::security::glob;

const CONFIGS: &str = "/etc/apt/apt.conf.d";

/// What is told of the configuration besides, and under which name.
const SETTINGS: [(&str, &str); 8] = [
    ("apt-periodic-update-package-lists", "APT::Periodic::Update-Package-Lists"),
    ("apt-periodic-unattended-upgrade", "APT::Periodic::Unattended-Upgrade"),
    ("apt-periodic-enable", "APT::Periodic::Enable"),
    ("apt-allow-unauthenticated", "APT::Get::AllowUnauthenticated"),
    ("apt-allow-insecure-repositories", "Acquire::AllowInsecureRepositories"),
    ("apt-check-valid-until", "Acquire::Check-Valid-Until"),
    ("apt-automatic-reboot", "Unattended-Upgrade::Automatic-Reboot"),
    ("apt-remove-unused-dependencies", "Unattended-Upgrade::Remove-Unused-Dependencies"),
];

impl Search<'_> {
    /// What updates it, and whether by itself.
    pub(super) fn apt(&mut self) -> Result<(&'static str, bool), String> {
        let mut conf = AptConf::default();
        let names = self.names(CONFIGS)?;
        let parts = names.iter().filter(|name| is_part(name, "conf"));
        let paths =
            parts.map(|name| format!("{CONFIGS}/{name}")).chain(["/etc/apt/apt.conf".into()]);
        for path in paths.collect::<Vec<_>>() {
            if let Some(text) = self.text(&path)? {
                conf.read(&text, &path);
            }
        }
        if conf.doubtful {
            return Err(format!("{CONFIGS}: something in it is not understood"));
        }
        for (name, key) in SETTINGS {
            if let Some((value, place)) = conf.get(key) {
                self.setting(name, value, Some(place.into()));
            }
        }
        if !self.has_package("unattended-upgrades") {
            return Ok(("none", false));
        }
        let is_on = |key: &str, default: bool| match conf.get(key) {
            // A number of days, or a span of time.
            Some((value, _)) => !value.trim_start_matches('0').is_empty(),
            None => default,
        };
        let asked = is_on("APT::Periodic::Enable", true)
            && is_on("APT::Periodic::Unattended-Upgrade", false);
        if !asked {
            return Ok(("unattended-upgrades", false));
        }
        let timer = "apt-daily-upgrade.timer";
        if self.service(timer).is_some() {
            return Ok(("unattended-upgrades", self.starts(timer)?));
        }
        // Without systemd a script of cron does the same. It leaves it to the timer where there is one,
        // so it has to be known that there is none.
        if let Some(why) = hidden(self.known.services) {
            return Err(format!("whether {timer} starts is not known: {why}"));
        }
        let script = "/etc/cron.daily/apt-compat";
        match self.files.found(script, super::HIDES) {
            Read::There(_) => Ok(("unattended-upgrades", true)),
            Read::Absent => Ok(("unattended-upgrades", false)),
            Read::Unread(why) => Err(why),
        }
    }

    /// Where packages come from: `deb URI SUITE COMPONENT…`.
    pub(super) fn apt_sources(&mut self) -> Result<Vec<String>, String> {
        let mut sources = Vec::new();
        if let Some(text) = self.text("/etc/apt/sources.list")? {
            sources.extend(one_line(&text));
        }
        for path in glob::expand(self.files, "/etc/apt/sources.list.d/*", super::HIDES)? {
            let name = path.rsplit('/').next().unwrap_or_default();
            let (list, modern) = (is_part(name, "list"), is_part(name, "sources"));
            let endings = (name.ends_with(".list"), name.ends_with(".sources"));
            if !(list && endings.0 || modern && endings.1) {
                continue;
            }
            if let Some(text) = self.text(&path)? {
                sources.extend(if endings.0 { one_line(&text) } else { deb822(&text) });
            }
        }
        let mut seen: Vec<String> = Vec::new();
        for source in sources {
            let words: Vec<String> = source.split(' ').map(without_secret).collect();
            let source = words.join(" ");
            if !seen.contains(&source) {
                seen.push(source);
            }
        }
        Ok(seen)
    }
}

/// Whether APT reads a file of the name in a folder of parts: without an ending, or with the one.
fn is_part(name: &str, ending: &str) -> bool {
    let plain =
        name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.'));
    let known = match name.rsplit_once('.') {
        Some((_, its)) => its == ending,
        None => true,
    };
    plain && known && !name.starts_with('.')
}
