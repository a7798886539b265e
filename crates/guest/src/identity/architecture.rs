//! The processor that a system's programs were built for.

use fathom_report::{Architecture, Fact};

use super::HIDES;
use crate::files::{Files, Read};

/// Programs that every system of a kind has.
const PROGRAMS: [&str; 7] = [
    "/sbin/init",
    "/usr/lib/systemd/systemd",
    "/bin/sh",
    "/usr/bin/env",
    "/bin/busybox",
    "/bin/bash",
    "/bin/ls",
];

pub(super) fn of(files: &Files<'_>) -> Fact<Architecture> {
    let mut hidden = None;
    for path in PROGRAMS {
        let reader = match files.open(path, HIDES) {
            Read::There(reader) => reader,
            Read::Absent => continue,
            Read::Unread(why) => {
                hidden.get_or_insert(why);
                continue;
            }
        };
        let mut head = [0; 64];
        match reader.read_at(0, &mut head) {
            Ok(()) => {
                if let Some(name) = machine(&head) {
                    return Fact::known(Architecture(name.to_owned()), path);
                }
            }
            Err(error) => {
                files.note(&error, path, HIDES);
                hidden.get_or_insert(error.to_string());
            }
        }
    }
    hidden.map_or_else(|| Fact::absent(PROGRAMS), Fact::unknown)
}

/// What the kernel calls the machine that the header of an ELF file is for.
fn machine(head: &[u8; 64]) -> Option<&'static str> {
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let wide = head[4] == 2;
    let little = head[5] == 1;
    let number = [head[18], head[19]];
    let number = if little { u16::from_le_bytes(number) } else { u16::from_be_bytes(number) };
    Some(match (number, wide, little) {
        (3, ..) => "i686",
        (8, true, true) => "mips64el",
        (8, false, true) => "mipsel",
        (8, ..) => "mips",
        (20, ..) => "ppc",
        (21, _, true) => "ppc64le",
        (21, ..) => "ppc64",
        (22, true, _) => "s390x",
        (22, ..) => "s390",
        (40, ..) => "arm",
        (43, ..) => "sparc64",
        (50, ..) => "ia64",
        // The x32 ABI runs on the same processor.
        (62, ..) => "x86_64",
        (183, ..) => "aarch64",
        (243, true, _) => "riscv64",
        (243, ..) => "riscv32",
        (258, ..) => "loongarch64",
        _ => return None,
    })
}
