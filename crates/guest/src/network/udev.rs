//! Names that rules of udev give: `70-persistent-net.rules`, which older systems wrote by themselves.

use fathom_report::PersistentName;

use super::address;
use super::connections::Connections;
use super::layers::layered;

const FOLDERS: [&str; 2] = ["/etc/udev/rules.d", "/run/udev/rules.d"];

/// Every rule for the network that sets a name.
pub(super) fn read(connections: &mut Connections<'_, '_>) {
    for path in layered(connections.files, &FOLDERS, |name| name.ends_with(".rules")).values() {
        // Most of them are about other devices.
        let Some(text) = connections.text(path).filter(|text| text.contains("net")) else {
            continue;
        };
        let mut joined = String::new();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            match line.strip_suffix('\\') {
                Some(start) => joined.push_str(start),
                None => {
                    joined.push_str(line);
                    connections.names.extend(rule(&joined, path));
                    joined.clear();
                }
            }
        }
    }
}

/// The name that a rule gives to a device of the network.
fn rule(line: &str, path: &str) -> Option<PersistentName> {
    let (mut net, mut name, mut mac, mut slot) = (false, None, None, None);
    let mut rest = line;
    while let Some((key, after)) = rest.split_once('"') {
        let (value, after) = after.split_once('"')?;
        rest = after;
        let key = key.trim_matches(|letter: char| letter == ',' || letter.is_whitespace());
        match key {
            "SUBSYSTEM==" => net |= value == "net",
            "ATTR{address}==" | "SYSFS{address}==" | "ATTRS{address}==" => {
                mac = address::mac(value)
            }
            "KERNELS==" | "ID==" | "ENV{ID_PATH}==" | "ENV{ID_NET_NAME_PATH}==" => {
                slot = Some(value.to_owned());
            }
            "NAME=" | "NAME:=" => name = Some(value.to_owned()),
            _ => {}
        }
    }
    let name = name.filter(|name| net && !name.is_empty())?;
    Some(PersistentName { name, mac, slot, evidence: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::memory;

    #[test]
    fn rules_that_name() {
        let text = br#"# SUBSYSTEM=="net", ATTR{address}=="00:00:00:00:00:00", NAME="no"
SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:16:3E:00:11:22", ATTR{type}=="1", KERNEL=="eth*", NAME="eth0"
SUBSYSTEM=="net", KERNELS=="0000:03:00.0", \
  NAME="lan1"
SUBSYSTEM=="block", NAME="sda"
SUBSYSTEM=="net", NAME=="eth9"
SUBSYSTEM=="net", NAME="open
"#;
        let tree = memory::tree(&[("/etc/udev/rules.d/70-persistent-net.rules", text)]);
        let files = Files::new(&tree);
        let mut found = Connections::new(&files);
        read(&mut found);
        let [eth0, lan1] = &found.names[..] else { unreachable!() };
        assert_eq!((&eth0.name[..], eth0.mac.as_deref()), ("eth0", Some("00:16:3e:00:11:22")));
        assert_eq!((&lan1.name[..], lan1.slot.as_deref()), ("lan1", Some("0000:03:00.0")));
    }
}
