//! ufw: rules that people added, which it keeps as comments in the files that it loads.

use fathom_report::{Fact, Firewall, Listing, Service};

use super::super::connections::{Connections, once, shown};
use crate::services::starts;
use crate::shell;

const CONF: &str = "/etc/ufw/ufw.conf";
const DEFAULTS: &str = "/etc/default/ufw";

/// Where versions have kept the rules of each family, the newest first.
const RULES: [[&str; 3]; 2] = [
    ["/etc/ufw/user.rules", "/lib/ufw/user.rules", "/var/lib/ufw/user.rules"],
    ["/etc/ufw/user6.rules", "/lib/ufw/user6.rules", "/var/lib/ufw/user6.rules"],
];

/// Its rules, if it is there.
pub(super) fn read(
    files: &mut Connections<'_, '_>,
    services: &Listing<Service>,
) -> Option<Firewall> {
    let conf = files.text(CONF)?;
    let mut evidence = vec![CONF.into()];
    let switch = shell::assignments(&conf).remove("ENABLED");
    let enabled = match switch.map(|value| value.to_ascii_lowercase()).as_deref() {
        Some("yes") => match starts(services, &["ufw"]) {
            Fact::Known { value, mut evidence } => {
                evidence.insert(0, CONF.into());
                Fact::Known { value, evidence }
            }
            other => other,
        },
        Some("no") | None => Fact::known(false, CONF),
        Some(other) => Fact::unknown(format!("{CONF} says {} for it", shown(other))),
    };
    let default = files.text(DEFAULTS).map(|text| {
        evidence.push(DEFAULTS.into());
        let mut values = shell::assignments(&text);
        let policies = [("INPUT", "incoming"), ("OUTPUT", "outgoing"), ("FORWARD", "routed")];
        let said = policies.iter().filter_map(|(chain, way)| {
            let policy = values.remove(&format!("DEFAULT_{chain}_POLICY"))?;
            let word = match policy.to_ascii_uppercase().as_str() {
                "DROP" => "deny",
                "REJECT" => "reject",
                "ACCEPT" => "allow",
                _ => return Some(format!("{policy} ({way})")),
            };
            Some(format!("{word} ({way})"))
        });
        said.collect::<Vec<_>>().join(", ")
    });
    let mut rules = Vec::new();
    for places in RULES {
        for path in places {
            let Some(text) = files.text(path) else { continue };
            evidence.push(path.into());
            for line in text.lines() {
                let Some(tuple) = line.strip_prefix("### tuple ###") else { continue };
                match rule(tuple) {
                    Some(rule) => rules.push(rule),
                    None => files.odd(path, format!("{} is no rule of ufw", shown(tuple.trim()))),
                }
            }
            break;
        }
    }
    // One for both families stands in both files.
    once(&mut rules);
    Some(Firewall { kind: "ufw".to_owned(), enabled, default, rules, evidence })
}

/// The words that ufw takes to add the rule: `allow 22/tcp`.
fn rule(tuple: &str) -> Option<String> {
    let (tuple, comment) = match tuple.split_once(" comment=") {
        Some((tuple, comment)) => (tuple, Some(unhex(comment.trim())?)),
        None => (tuple, None),
    };
    let fields: Vec<&str> = tuple.split_whitespace().collect();
    let (action, protocol, to_port, to, from_port, from) = match fields.as_slice() {
        [action, protocol, to_port, to, from_port, from, rest @ ..] if rest.len() < 4 => {
            (*action, *protocol, *to_port, *to, *from_port, *from)
        }
        _ => return None,
    };
    let (to_app, from_app) = match fields.len() {
        8 | 9 => (application(fields[6]), application(fields[7])),
        _ => (None, None),
    };
    let way = if fields.len() % 2 == 1 { fields[fields.len() - 1] } else { "in" };
    let (mut through_in, mut through_out) = (None, None);
    for part in way.split('!') {
        match part.split_once('_') {
            Some(("in", name)) => through_in = Some(name),
            Some(("out", name)) => through_out = Some(name),
            _ => {}
        }
    }
    let (routed, action) = match action.split_once(':') {
        Some((_, action)) => ("route ", action),
        None => ("", action),
    };
    let (action, logged) = match action.split_once('_') {
        Some((action, logged)) => (action, Some(logged)),
        None => (action, None),
    };
    let anywhere = |place: &str| matches!(place, "0.0.0.0/0" | "::/0");
    let mut words = vec![format!("{routed}{action}")];
    let short = anywhere(to)
        && anywhere(from)
        && from_port == "any"
        && from_app.is_none()
        && through_in.is_none()
        && through_out.is_none()
        && to_port != "any";
    words.extend(through_in.map(|name| format!("in on {name}")));
    match through_out {
        Some(name) => words.push(format!("out on {name}")),
        None if way.starts_with("out") => words.push("out".to_owned()),
        None => {}
    }
    words.extend(logged.map(str::to_owned));
    let quoted =
        |name: &str| if name.contains(' ') { format!("'{name}'") } else { name.to_owned() };
    let has_application = to_app.is_some() || from_app.is_some();
    if short {
        words.push(match &to_app {
            Some(name) => quoted(name),
            None if protocol == "any" => to_port.to_owned(),
            None => format!("{to_port}/{protocol}"),
        });
    } else {
        let mut located = false;
        for (word, place, port, app) in
            [("from", from, from_port, &from_app), ("to", to, to_port, &to_app)]
        {
            if anywhere(place) && port == "any" && app.is_none() {
                continue;
            }
            located = true;
            words.push(format!("{word} {}", if anywhere(place) { "any" } else { place }));
            match app {
                Some(name) => words.push(format!("app {}", quoted(name))),
                None if port != "any" => words.push(format!("port {port}")),
                None => {}
            }
        }
        if !located && through_in.is_none() && through_out.is_none() {
            words.push("to any".to_owned());
        }
        if protocol != "any" && !has_application {
            words.push(format!("proto {protocol}"));
        }
    }
    words.extend(comment.map(|comment| format!("comment '{comment}'")));
    Some(words.join(" "))
}

fn application(name: &str) -> Option<String> {
    (name != "-").then(|| name.replace("%20", " "))
}

fn unhex(text: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_as_they_were_typed() {
        for (tuple, expected) in [
            (" allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", Some("allow 22/tcp")),
            (" allow any 53 0.0.0.0/0 any 0.0.0.0/0 in comment=6120 62", None),
            (
                " deny any any 0.0.0.0/0 any 192.0.2.0/24 in comment=6162",
                Some("deny from 192.0.2.0/24 comment 'ab'"),
            ),
            (
                " limit tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0",
                Some("limit in on eth0 to any port 22 proto tcp"),
            ),
            (" allow_log tcp 25 ::/0 any ::/0 out", Some("allow out log 25/tcp")),
            (
                " allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in",
                Some("allow 'Nginx Full'"),
            ),
            (
                " route:allow tcp 80 10.0.0.2 any 0.0.0.0/0 in_eth0!out_eth1",
                Some("route allow in on eth0 out on eth1 to 10.0.0.2 port 80 proto tcp"),
            ),
            (" allow any any 0.0.0.0/0 any 0.0.0.0/0 in", Some("allow to any")),
            (" allow tcp", None),
            (" a b c d e f g h i j", None),
        ] {
            assert_eq!(rule(tuple).as_deref(), expected, "{tuple}");
        }
    }
}
