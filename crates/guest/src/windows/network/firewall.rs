//! The firewall of Windows: a profile for each kind of network, and rules that name the profiles that
//! they hold in. What a policy sets wins over what the machine sets.

use fathom_report::{Fact, Firewall, Listing};

use super::super::registry::{Name, Node, Registry};
use crate::files::Read;

const POLICY: &str = r"Services\SharedAccess\Parameters\FirewallPolicy";
const GROUP_POLICY: &str = r"Policies\Microsoft\WindowsFirewall";

/// Profiles: their keys, and what rules call them.
const PROFILES: [(&str, &str); 3] =
    [("DomainProfile", "Domain"), ("StandardProfile", "Private"), ("PublicProfile", "Public")];

/// There are some hundred rules on a new machine.
const MAX_RULES: usize = 20_000;

/// One entry for each profile.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Firewall> {
    let policy = match registry.control_set(POLICY) {
        Read::There(policy) => policy,
        Read::Absent => {
            let place = format!(r"HKLM\SYSTEM\CurrentControlSet\{POLICY}");
            return Listing::empty(format!("there is no {place}"), vec![place.into()]);
        }
        Read::Unread(why) => return Listing::unknown(why),
    };
    let group = match registry.key(Name::Software, GROUP_POLICY) {
        Read::There(group) => Some(group),
        Read::Absent => None,
        // A policy that cannot be read may say anything.
        Read::Unread(why) => return Listing::unknown(why),
    };
    let mut rules = rules(registry, &policy);
    rules.extend(group.iter().flat_map(|group| self::rules(registry, group)));
    let all = PROFILES.iter().map(|(key, name)| {
        let mut evidence = Vec::new();
        let sources: Vec<Node<'_>> = [group.as_ref(), Some(&policy)]
            .iter()
            .flatten()
            .filter_map(|it| it.child(key).there())
            .collect();
        evidence.extend(sources.iter().map(|source| source.place().into()));
        let number = |name: &str| {
            let first = sources.iter().find_map(|source| match source.values().number(name) {
                Read::There(number) => Some(Ok((number, source.values().place(name)))),
                Read::Absent => None,
                Read::Unread(why) => Some(Err(why)),
            });
            first.transpose()
        };
        let action = |name: &str, otherwise: &'static str| match number(name) {
            Ok(Some((0, _))) => "allow",
            Ok(Some(_)) => "block",
            Ok(None) => otherwise,
            Err(_) => "unknown",
        };
        let (inbound, outbound) =
            (action("DefaultInboundAction", "block"), action("DefaultOutboundAction", "allow"));
        Firewall {
            kind: "windows".to_owned(),
            enabled: match number("EnableFirewall") {
                Ok(Some((number, place))) => Fact::known(number != 0, place),
                Ok(None) => Fact::absent([format!(r"{}\{key}\EnableFirewall", policy.place())]),
                Err(why) => Fact::unknown(why),
            },
            default: Some(format!(
                "{} profile: {inbound} (inbound), {outbound} (outbound)",
                name.to_ascii_lowercase()
            )),
            rules: rules.iter().filter(|rule| rule.holds_in(name)).map(Rule::shown).collect(),
            evidence,
        }
    });
    Listing::complete(all.collect(), vec![policy.place().into()])
}

/// A rule that is active and lets something in, or keeps something out.
struct Rule {
    text: String,
    profiles: Vec<String>,
}

impl Rule {
    /// `v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Profile=Domain|App=…|Name=…|`.
    /// A rule of which nothing is active, or that is about what goes out, is passed over.
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<(&str, &str)> =
            line.split('|').filter_map(|field| field.split_once('=')).collect();
        let get = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let is =
            |name: &str, value: &str| get(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
        if !is("Active", "TRUE") || !is("Dir", "In") {
            return None;
        }
        let profiles = fields.iter().filter(|(key, _)| *key == "Profile");
        Some(Self {
            profiles: profiles.map(|(_, value)| (*value).to_owned()).collect(),
            text: line.trim_end_matches('|').to_owned(),
        })
    }

    /// A rule that names no profile holds in all.
    fn holds_in(&self, profile: &str) -> bool {
        self.profiles.is_empty() || self.profiles.iter().any(|it| it.eq_ignore_ascii_case(profile))
    }

    fn shown(&self) -> String {
        self.text.clone()
    }
}

fn rules(registry: &Registry<'_>, policy: &Node<'_>) -> Vec<Rule> {
    let Read::There(key) = policy.child("FirewallRules") else { return Vec::new() };
    let values = key.values();
    let names = registry.first(values.names(), MAX_RULES, key.place());
    names.iter().filter_map(|name| Rule::read(&values.text(name).there()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read() {
        let line = "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=22|Name=a|";
        let rule = Rule::read(line).unwrap();
        assert!(rule.holds_in("Private") && !rule.holds_in("Public"));
        assert_eq!(rule.shown(), line.trim_end_matches('|'));
        assert!(Rule::read("v2.31|Action=Allow|Active=TRUE|Dir=In|").unwrap().holds_in("Public"));
        for no in ["v2.31|Active=FALSE|Dir=In|", "v2.31|Active=TRUE|Dir=Out|", "", "|||"] {
            assert!(Rule::read(no).is_none(), "{no}");
        }
    }
}
