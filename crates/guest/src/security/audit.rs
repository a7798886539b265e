//! Whether actions are recorded: auditd, and the rules that it is started with.

use fathom_report::{Audit, Enabled, Evidence, Fact, Listing, Service};

use super::arguments::Arguments;
use super::glob;
use crate::files::{Files, Read};

const HIDES: &str = "rules of auditd";

/// The parts that `augenrules` puts together, and what comes of it.
const PARTS: &str = "/etc/audit/rules.d/*.rules";
const WHOLE: &str = "/etc/audit/audit.rules";

/// How many rules there are with sense.
const MAX_RULES: usize = 10_000;

/// Whether and what is recorded. `arguments` are those of the kernel.
pub(super) fn of(
    files: &Files<'_>,
    services: &Listing<Service>,
    arguments: Option<&Arguments<'_>>,
) -> Fact<Audit> {
    let named = |name: &str| services.items.iter().find(|service| service.name == name);
    let service = named("auditd.service").or_else(|| named("auditd"));
    let Some(service) = service else {
        return match (&services.coverage, &services.reason) {
            (fathom_report::Coverage::Complete, _) => Fact::absent(["/usr/lib/systemd/system"]),
            (_, reason) => Fact::unknown(reason.clone().unwrap_or_default()),
        };
    };
    let mut started = match service.enabled.value() {
        Some(state) => *state == Enabled::Enabled,
        None => return Fact::unknown("whether auditd starts is not known"),
    };
    let mut evidence: Vec<Evidence> = service.evidence.clone();
    // A kernel that is told not to record keeps the unit from starting.
    if let Some(arguments) = arguments.filter(|it| it.value("audit") == Some("0")) {
        started = false;
        evidence.splice(..0, arguments.place.clone());
    }
    // Where the parts are put together when it starts, they are what counts.
    let paths = match glob::expand(files, PARTS, HIDES) {
        Ok(parts) if parts.is_empty() => vec![WHOLE.to_owned()],
        Ok(mut parts) => {
            parts.sort_by_cached_key(|path| natural(path));
            parts
        }
        Err(why) => return Fact::unknown(why),
    };
    let mut rules = Rules::default();
    for path in paths {
        match files.text(&path, HIDES) {
            Read::There(text) => {
                evidence.push(path.into());
                text.lines().for_each(|line| rules.line(line));
            }
            Read::Absent => {}
            Read::Unread(why) => return Fact::unknown(why),
        }
    }
    let rules = rules.in_order();
    if rules.len() > MAX_RULES {
        return Fact::unknown(format!("there are more than {MAX_RULES} rules"));
    }
    Fact::Known { value: Audit { system: "auditd".to_owned(), started, rules }, evidence }
}

/// Names in the order of `ls -v`: numbers by what they are, so that `9-a` comes before `10-b`.
fn natural(path: &str) -> Vec<(String, u128)> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let digits = rest.find(|it: char| it.is_ascii_digit()).unwrap_or(rest.len());
        let (text, number) = rest.split_at(digits);
        let end = number.find(|it: char| !it.is_ascii_digit()).unwrap_or(number.len());
        let (number, behind) = number.split_at(end);
        parts.push((text.to_owned(), number.parse().unwrap_or_default()));
        rest = behind;
    }
    parts
}

/// Rules in the order in which `augenrules` writes them: what clears comes first, then the size of the
/// buffer and what is done on a failure, then all others, and last what locks them.
#[derive(Default)]
struct Rules {
    clear: Option<String>,
    buffer: Option<String>,
    failure: Option<String>,
    lock: Option<String>,
    others: Vec<String>,
}

impl Rules {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let text = line.to_owned();
        match line.get(..2) {
            Some("-D") if line == "-D" => self.clear = Some(text),
            Some("-b") => self.buffer = Some(text),
            Some("-f") => self.failure = Some(text),
            Some("-e") => self.lock = Some(text),
            _ => self.others.push(text),
        }
    }

    fn in_order(self) -> Vec<String> {
        let before = [self.clear, self.buffer, self.failure];
        before.into_iter().flatten().chain(self.others).chain(self.lock).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::memory;

    fn services(names: &[&str]) -> Listing<Service> {
        let service = |name: &&str| {
            let service = json!({
                "kind": "service",
                "name": name,
                "enabled": Fact::known(Enabled::Enabled, "/lib"),
                "evidence": ["/lib/auditd.service"],
            });
            serde_json::from_value::<Service>(service).unwrap()
        };
        Listing::complete(names.iter().map(service).collect(), Vec::new())
    }

    #[test]
    fn parts_count_more_than_what_was_put_together() {
        let tree = memory::tree(&[
            ("/etc/audit/audit.rules", b"-w /old\n"),
            ("/etc/audit/rules.d/9-a.rules", b"-e 2\n-D\n-w /etc/passwd -p wa\n# no\n"),
            ("/etc/audit/rules.d/10-b.rules", b"-b 8192\n-a always,exit -S all\n"),
            ("/etc/audit/rules.d/30.off", b"-w /never\n"),
        ]);
        let fact = of(&Files::new(&tree), &services(&["auditd.service"]), None);
        let audit = fact.value().unwrap();
        let off = Arguments {
            text: "ro audit=0",
            place: Some("/boot/grub/grub.cfg".into()),
            kernel: None,
        };
        let told = of(&Files::new(&tree), &services(&["auditd.service"]), Some(&off));
        assert!(!told.value().unwrap().started);
        assert!(audit.started);
        assert_eq!(
            audit.rules,
            ["-D", "-b 8192", "-w /etc/passwd -p wa", "-a always,exit -S all", "-e 2"]
        );
        let none = of(&Files::new(&tree), &services(&[]), None);
        assert!(matches!(none, Fact::Absent { .. }));
        let hidden = of(&Files::new(&tree), &Listing::unknown("damaged"), None);
        assert!(matches!(hidden, Fact::Unknown { .. }));
    }
}
