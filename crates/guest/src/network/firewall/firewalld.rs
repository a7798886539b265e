//! firewalld: zones, each with what it lets in.

use std::collections::BTreeMap;

use fathom_report::{Evidence, Firewall, Listing, Service};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::connections::Connections;
use super::super::layers::layered;
use crate::services::starts;

const CONF: &str = "/etc/firewalld/firewalld.conf";
const ZONES: [&str; 2] = ["/etc/firewalld/zones", "/usr/lib/firewalld/zones"];
const POLICIES: &str = "/etc/firewalld/policies";
const DIRECT: &str = "/etc/firewalld/direct.xml";

/// How deep elements are within each other, and how many one file has.
const MAX_DEPTH: usize = 8;
const MAX_ELEMENTS: usize = 20_000;

/// No element has as many attributes.
const MAX_ATTRIBUTES: usize = 64;

/// Its zones, if it is there: the one for what belongs to none, and those that were changed.
pub(super) fn read(
    files: &mut Connections<'_, '_>,
    services: &Listing<Service>,
) -> Option<Firewall> {
    let text = files.text(CONF)?;
    let mut firewall = Firewall {
        kind: "firewalld".to_owned(),
        enabled: starts(services, &["firewalld"]),
        default: None,
        rules: Vec::new(),
        evidence: vec![CONF.into()],
    };
    let zone = text.lines().rev().find_map(|line| line.trim().strip_prefix("DefaultZone="));
    let zone = zone.map(str::trim).filter(|zone| !zone.is_empty()).unwrap_or("public");
    let is_xml = |name: &str| name.ends_with(".xml");
    let mut zones: BTreeMap<String, String> = layered(files.files, &ZONES, is_xml);
    let default = format!("{zone}.xml");
    zones.retain(|name, path| path.starts_with("/etc/") || *name == default);
    firewall.default = Some(format!("zone {zone}"));
    for (name, path) in zones {
        let stem = name.trim_end_matches(".xml");
        if let Some(target) = rules(files, stem, &path, &mut firewall)
            && stem == zone
        {
            firewall.default = Some(format!("zone {zone}, target {target}"));
        }
    }
    for (name, path) in layered(files.files, &[POLICIES], is_xml) {
        let name = format!("policy {}", name.trim_end_matches(".xml"));
        rules(files, &name, &path, &mut firewall);
    }
    rules(files, "direct", DIRECT, &mut firewall);
    Some(firewall)
}

/// Adds what one file says; gives what becomes of packets that it does not name.
fn rules(
    files: &mut Connections<'_, '_>,
    name: &str,
    path: &str,
    firewall: &mut Firewall,
) -> Option<String> {
    let text = files.text(path)?;
    firewall.evidence.push(Evidence(path.to_owned()));
    match parse(&text) {
        Ok((target, rules)) => {
            firewall.rules.extend(rules.into_iter().map(|rule| format!("{name}: {rule}")));
            Some(target.unwrap_or_else(|| "default".to_owned()))
        }
        Err(why) => {
            files.odd(path, why);
            None
        }
    }
}

/// The target of a zone, and a line for each of its elements. Those within a rule belong to it.
fn parse(text: &str) -> Result<(Option<String>, Vec<String>), String> {
    let mut reader = Reader::from_str(text);
    let (mut target, mut rules) = (None, Vec::new());
    let mut depth = 0_usize;
    let mut rule: Option<String> = None;
    for _ in 0..MAX_ELEMENTS {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        let (element, ends) = match &event {
            Event::Start(element) => (Some(element), false),
            Event::Empty(element) => (Some(element), true),
            _ => (None, false),
        };
        if let Some(element) = element {
            let name = element.name().as_ref().to_owned();
            match (depth, name.as_str()) {
                (0, _) => {
                    let mut attributes = attributes(element)?.into_iter();
                    target = attributes.find(|(key, _)| key == "target").map(|(_, value)| value);
                }
                (1, "short" | "description") => {}
                (1, _) => rule = Some(words(&name, element, false)?),
                _ => {
                    if let Some(rule) = &mut rule {
                        rule.push(' ');
                        rule.push_str(&words(&name, element, true)?);
                    }
                }
            }
            if !ends {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("it is more than {MAX_DEPTH} levels deep"));
                }
            }
        }
        match event {
            // The arguments of a direct rule stand within it.
            Event::Text(ref text) => {
                if let Some(rule) = rule.as_mut().filter(|_| !text.trim().is_empty()) {
                    rule.push(' ');
                    rule.push_str(text.trim());
                }
            }
            Event::GeneralRef(ref name) => {
                let letter = quick_xml::escape::resolve_predefined_entity(name).unwrap_or("?");
                rule.iter_mut().for_each(|rule| rule.push_str(letter));
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof if depth == 0 => return Ok((target, rules)),
            Event::Eof => return Err("it ends too early".to_owned()),
            _ => {}
        }
        if depth == 1 && (ends || matches!(event, Event::End(_))) {
            rules.extend(rule.take());
        }
    }
    Err(format!("it has more than {MAX_ELEMENTS} elements"))
}

fn attributes(element: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    // Looking for doubles takes the square of their number.
    for attribute in element.attributes().with_checks(false).take(MAX_ATTRIBUTES) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| error.to_string())?;
        all.push((attribute.key.as_ref().to_owned(), value.into_owned()));
    }
    if all.len() >= MAX_ATTRIBUTES {
        return Err(format!("an element has more than {MAX_ATTRIBUTES} attributes"));
    }
    Ok(all)
}

/// An element as firewalld's own commands write it: `service ssh` and `port 80/tcp` by themselves,
/// `source address="192.0.2.0/24"` within a rule.
fn words(name: &str, element: &BytesStart<'_>, within: bool) -> Result<String, String> {
    let attributes = attributes(element)?;
    let pairs: Vec<(&str, &str)> =
        attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    match pairs.as_slice() {
        _ if within || name == "rule" => {}
        [("port", port), ("protocol", protocol)] | [("protocol", protocol), ("port", port)] => {
            return Ok(format!("{name} {port}/{protocol}"));
        }
        [("name" | "value" | "address" | "mac" | "ipset", value)] => {
            return Ok(format!("{name} {value}"));
        }
        _ => {}
    }
    let attributes = pairs.iter().map(|(key, value)| format!(" {key}=\"{value}\""));
    Ok(format!("{name}{}", attributes.collect::<String>()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn zones_and_rules() {
        let tree = memory::tree(&[
            (CONF, b"# DefaultZone=drop\nDefaultZone=work\n"),
            ("/usr/lib/firewalld/zones/work.xml", b"<zone target=\"DROP\"><service name=\"no\"/></zone>"),
            ("/usr/lib/firewalld/zones/block.xml", b"<zone/>"),
            ("/etc/firewalld/zones/work.xml", b"<?xml version=\"1.0\"?>\n<zone target=\"%%REJECT%%\">\n <short>Work</short>\n <description>d</description>\n <service name=\"ssh\"/>\n <port port=\"80\" protocol=\"tcp\"/>\n <masquerade/>\n <interface name=\"eth0\"/>\n <rule family=\"ipv4\"><source address=\"192.0.2.0/24\"/><service name=\"http\"/><accept/></rule>\n</zone>"),
            ("/etc/firewalld/zones/x.xml", b"<zone><rule>"),
            (DIRECT, b"<direct><rule priority=\"0\" table=\"filter\" ipv=\"ipv4\" chain=\"INPUT\">-j DROP</rule></direct>"),
        ]);
        let files = Files::new(&tree);
        let found = read(&mut Connections::new(&files), &Listing::unknown("x")).unwrap();
        assert_eq!(found.default.as_deref(), Some("zone work, target %%REJECT%%"));
        assert_eq!(
            found.rules,
            [
                "work: service ssh",
                "work: port 80/tcp",
                "work: masquerade",
                "work: interface eth0",
                "work: rule family=\"ipv4\" source address=\"192.0.2.0/24\" service name=\"http\" accept",
                "direct: rule priority=\"0\" table=\"filter\" ipv=\"ipv4\" chain=\"INPUT\" -j DROP",
            ]
        );
        assert_eq!(files.into_problems().len(), 1);
        assert!(parse(&"<a>".repeat(100)).is_err());
        assert!(parse(&format!("<a>{}</a>", "<b/>".repeat(30_000))).is_err());
    }
}
