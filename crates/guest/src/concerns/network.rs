//! How it is connected.

use fathom_report::{Interface, PersistentName};

use super::Subject;
use super::answer::{Answer, Search};

pub(super) fn bound(subject: &Subject<'_>) -> Answer {
    let network = &subject.system.network;
    let by_address = |interface: &Interface| {
        let name =
            |mac: &String| (format!("{} by {mac}", interface.name), interface.evidence.clone());
        Ok(interface.mac.as_ref().map(name))
    };
    let by_rule = |rule: &PersistentName| {
        let by = rule.mac.as_ref().or(rule.slot.as_ref());
        let by = by.map_or_else(String::new, |by| format!(" by {by}"));
        Ok(Some((format!("{}{by}", rule.name), vec![rule.evidence.clone()])))
    };
    Search::new().of(&network.persistent_names, by_rule).of(&network.interfaces, by_address).answer(
        "network cards are recognised by their hardware",
        "The new one has another address: remove the rule, or give it the old address",
    )
}

pub(super) fn fixed(subject: &Subject<'_>) -> Answer {
    let fixed = |interface: &Interface| {
        let is_loopback = interface.name == "lo" || interface.kind.as_deref() == Some("loopback");
        let is = !interface.addresses.is_empty() && !is_loopback;
        let name = format!("{} {}", interface.name, interface.addresses.join(" "));
        Ok(is.then(|| (name, interface.evidence.clone())))
    };
    Search::new().of(&subject.system.network.interfaces, fixed).answer(
        "addresses are fixed",
        "They are right only in the same network: take them along, or use DHCP",
    )
}
