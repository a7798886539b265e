//! The processor that a system's programs were built for.

use fathom_block::ErrorKind;
use fathom_report::{Architecture, Fact};

use super::HIDES;
use crate::files::{self, Files};

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
    // What is wrong with one matters only where no other says it.
    let mut wrong = Vec::new();
    for path in PROGRAMS {
        let mut head = [0; 64];
        let read = files.tree().open(path.as_bytes()).and_then(|it| it.read_at(0, &mut head));
        match read {
            Ok(()) => {
                if let Some(name) = machine(&head) {
                    return Fact::known(Architecture(name.to_owned()), path);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => wrong.push((error, path)),
        }
    }
    for (error, path) in &wrong {
        files.note(error, path, HIDES);
    }
    match wrong.first() {
        Some((error, path)) => Fact::unknown(files::led(error, path).to_string()),
        None => Fact::absent(PROGRAMS),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn a_broken_program_matters_only_where_no_other_answers() {
        let mut program = [0; 64];
        program[..6].copy_from_slice(b"\x7fELF\x02\x01");
        program[18] = 62;
        let broken: (&str, &[u8]) = ("/sbin/init", b"x");
        let tree = memory::tree(&[broken, ("/bin/sh", &program)]);
        let files = Files::new(&tree);
        assert_eq!(of(&files).value().map(|it| it.0.as_str()), Some("x86_64"));
        assert!(files.into_problems().is_empty());
        let tree = memory::tree(&[broken]);
        let files = Files::new(&tree);
        assert!(matches!(of(&files), Fact::Unknown { .. }));
        assert_eq!(files.into_problems().len(), 1);
    }
}
