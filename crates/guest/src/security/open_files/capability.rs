//! The attribute `security.capability` of a file: what the kernel grants to who starts it.

use fathom_filesystem::Xattr;

const NAME: &[u8] = b"security.capability";

/// The names of the capabilities by their numbers.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// The capabilities among the attributes of a file, as `getcap` names them.
pub(super) fn of(attributes: &[Xattr]) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.name == NAME);
    value.map(|attribute| text(&attribute.value))
}

/// Three revisions: of one and of two words a set, and of two with the number of a namespace's root.
fn text(value: &[u8]) -> String {
    let word = |index: usize| {
        let bytes = value.get(4 * index..4 * index + 4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    let sets = || {
        let head = word(0)?;
        let (permitted, inherited) = match head >> 24 {
            1 => (u64::from(word(1)?), u64::from(word(2)?)),
            2 | 3 => (
                u64::from(word(1)?) | u64::from(word(3)?) << 32,
                u64::from(word(2)?) | u64::from(word(4)?) << 32,
            ),
            _ => return None,
        };
        let root = if head >> 24 == 3 { word(5)? } else { 0 };
        Some((head & 1 == 1, permitted, inherited, root))
    };
    let Some((effective, permitted, inherited, root)) = sets() else {
        return "not understood".to_owned();
    };
    let mut clauses = Vec::new();
    // Capabilities with the same flags stand together.
    for (flags, set) in [
        ("i", inherited & !permitted),
        ("p", permitted & !inherited),
        ("ip", permitted & inherited),
    ] {
        let names: Vec<String> = (0..64)
            .filter(|number| set >> number & 1 == 1)
            .map(|number| match NAMES.get(number) {
                Some(name) => format!("cap_{name}"),
                None => number.to_string(),
            })
            .collect();
        if !names.is_empty() {
            let effective = if effective { "e" } else { "" };
            clauses.push(format!("{}={effective}{flags}", names.join(",")));
        }
    }
    let root = if root == 0 { String::new() } else { format!(" [rootid={root}]") };
    let clauses = if clauses.is_empty() { "=".to_owned() } else { clauses.join(" ") };
    format!("{clauses}{root}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[u32]) -> String {
        text(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn the_three_revisions_are_understood() {
        assert_eq!(shown(&[0x0200_0001, 1 << 13, 0, 0, 0]), "cap_net_raw=ep");
        assert_eq!(shown(&[0x0100_0000, 1 << 13 | 1, 0]), "cap_chown,cap_net_raw=p");
        assert_eq!(
            shown(&[0x0300_0001, 1, 1 << 12, 1 << 7, 0, 1000]),
            "cap_net_admin=ei cap_chown,cap_bpf=ep [rootid=1000]"
        );
        assert_eq!(shown(&[0x0200_0000, 0, 0, 0, 0]), "=");
        assert_eq!(shown(&[0x0200_0000, 0]), "not understood");
        assert_eq!(shown(&[]), "not understood");
    }
}
