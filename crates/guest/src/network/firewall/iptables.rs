//! iptables and ip6tables: what their services restore, in the words of `iptables-save`.

use fathom_report::{Firewall, Listing, Service};

use super::super::connections::{Connections, short, shown};
use crate::services::starts;

/// A kind, a file that is restored, and the service that does it.
const FILES: [(&str, &str, &str); 10] = [
    ("iptables", "/etc/iptables/rules.v4", "netfilter-persistent"),
    ("iptables", "/etc/sysconfig/iptables", "iptables"),
    ("iptables", "/etc/iptables/iptables.rules", "iptables"),
    ("iptables", "/etc/iptables/rules-save", "iptables"),
    ("iptables", "/var/lib/iptables/rules-save", "iptables"),
    ("ip6tables", "/etc/iptables/rules.v6", "netfilter-persistent"),
    ("ip6tables", "/etc/sysconfig/ip6tables", "ip6tables"),
    ("ip6tables", "/etc/iptables/ip6tables.rules", "ip6tables"),
    ("ip6tables", "/etc/iptables/rules6-save", "ip6tables"),
    ("ip6tables", "/var/lib/ip6tables/rules-save", "ip6tables"),
];

/// One firewall for each of the files.
pub(super) fn read(files: &mut Connections<'_, '_>, services: &Listing<Service>) -> Vec<Firewall> {
    let mut found = Vec::new();
    for (kind, path, service) in FILES {
        let Some(text) = files.text(path) else { continue };
        let (policies, rules) = parse(files, &text, path);
        found.push(Firewall {
            kind: kind.to_owned(),
            enabled: starts(services, &[service]),
            default: (!policies.is_empty()).then(|| policies.join(", ")),
            rules,
            evidence: vec![path.into()],
        });
    }
    found
}

/// The policies of the chains of the table `filter`, and the rules of all tables.
fn parse(files: &mut Connections<'_, '_>, text: &str, path: &str) -> (Vec<String>, Vec<String>) {
    let mut table = String::new();
    let (mut policies, mut rules) = (Vec::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        // Counters may stand before a rule.
        let line = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((_, rule)) => rule.trim_start(),
            None => line,
        };
        if let Some(name) = line.strip_prefix('*') {
            table = short(name.trim());
        } else if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            match (words.next(), words.next()) {
                // A chain that somebody made has none.
                (Some(_), Some("-")) => {}
                (Some(name), Some(policy)) if table == "filter" => {
                    policies.push(format!("{name} {policy}"));
                }
                (Some(_), Some(_)) => {}
                _ => files.odd(path, format!("{} is no chain", shown(line))),
            }
        } else if line.starts_with('-') {
            rules.push(match table.as_str() {
                "filter" | "" => line.to_owned(),
                other => format!("-t {other} {line}"),
            });
        } else if !(line.is_empty() || line.starts_with('#') || line == "COMMIT") {
            files.odd(path, format!("{} is no line of iptables-save", shown(line)));
        }
    }
    (policies, rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn saved_tables() {
        let text = b"# x\n*nat\n:PREROUTING ACCEPT [0:0]\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n*filter\n:INPUT DROP [1:2]\n:OUTPUT ACCEPT [0:0]\n:mine - [0:0]\n[3:4] -A INPUT -i lo -j ACCEPT\nCOMMIT\n";
        let tree = memory::tree(&[
            ("/etc/iptables/rules.v4", text),
            ("/etc/sysconfig/ip6tables", b"what\n"),
        ]);
        let files = Files::new(&tree);
        let found = read(&mut Connections::new(&files), &Listing::unknown("x"));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].default.as_deref(), Some("INPUT DROP, OUTPUT ACCEPT"));
        assert_eq!(
            found[0].rules,
            ["-t nat -A POSTROUTING -j MASQUERADE", "-A INPUT -i lo -j ACCEPT"]
        );
        assert_eq!(files.into_problems().len(), 1);
    }
}
