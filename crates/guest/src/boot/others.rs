//! Boot loaders whose settings are not read.

use super::HIDES;
use super::ground::Ground;
use crate::unread::{self, Other};

/// Those, and what they have among the files of the system.
const OTHERS: &[Other] = &[
    ("zipl", "/etc/zipl.conf"),
    ("LILO", "/etc/lilo.conf"),
    ("ELILO", "/etc/elilo.conf"),
    ("yaboot", "/etc/yaboot.conf"),
    ("U-Boot", "/boot/boot.scr"),
    ("U-Boot", "/boot/uEnv.txt"),
    ("the firmware of the Raspberry Pi", "/boot/firmware/config.txt"),
    ("the firmware of the Raspberry Pi", "/boot/config.txt"),
    ("Limine", "/boot/limine.conf"),
    ("Limine", "/boot/limine/limine.conf"),
    ("Limine", "/boot/limine.cfg"),
    ("rEFInd", "/boot/efi/EFI/refind/refind.conf"),
    ("rEFInd", "/boot/EFI/refind/refind.conf"),
    ("rEFInd", "/efi/EFI/refind/refind.conf"),
];

/// The same on a partition for boot loaders that is not mounted.
const ON_PARTITIONS: &[Other] = &[
    ("rEFInd", "/EFI/refind/refind.conf"),
    ("Limine", "/limine.conf"),
    ("Limine", "/EFI/limine/limine.conf"),
    ("U-Boot", "/boot.scr"),
    ("the firmware of the Raspberry Pi", "/config.txt"),
];

/// Why something may be started although nothing that is read starts anything.
pub(super) fn instead(ground: &Ground<'_>) -> Option<String> {
    let here = unread::note(ground.files, OTHERS, false, HIDES);
    let others = ground.areas.iter().filter(|area| !std::ptr::eq(area.files, ground.files));
    let there = others.filter_map(|area| unread::note(area.files, ON_PARTITIONS, false, HIDES));
    here.into_iter().chain(there).next()
}

#[cfg(test)]
mod tests {
    use fathom_report::Fact;

    use crate::memory;

    #[test]
    fn a_loader_that_is_not_read_starts_something() {
        let is_absent = |found: &[(&str, &[u8])]| {
            let (boot, _) = crate::boot(&memory::tree(found));
            matches!(boot.default, Fact::Absent { .. })
        };
        assert!(is_absent(&[("/etc/x", b""), ("/boot/x", b"")]));
        assert!(!is_absent(&[("/etc/zipl.conf", b"[defaultboot]\n"), ("/boot/x", b"")]));
        assert!(!is_absent(&[("/boot/firmware/config.txt", b"kernel=vmlinuz\n")]));
    }
}
