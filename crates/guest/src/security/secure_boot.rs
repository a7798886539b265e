//! Whether only signed programs start the system. The answer is kept in the firmware's own memory and
//! not on the disk; from the disk it follows only that a machine without UEFI has no such thing.

use fathom_report::{Boot, Coverage, Fact, Firmware, Setting};

use super::glob;
use crate::files::Files;

const HIDES: &str = "whether the system is prepared for Secure Boot";

/// Where the loader lies that firmware trusts, and that verifies the next.
const SHIMS: [&str; 2] = ["/boot/efi/EFI/*/shim*.efi", "/efi/EFI/*/shim*.efi"];

/// What can be told, and which loader would verify.
pub(super) fn of(files: &Files<'_>, boot: &Boot) -> (Fact<bool>, Option<Setting>) {
    let shims = SHIMS.iter().filter_map(|pattern| glob::expand(files, pattern, HIDES).ok());
    let shim = shims.flatten().next();
    let setting = shim.clone().map(|path| Setting {
        name: "secure-boot-shim".to_owned(),
        value: path.clone(),
        evidence: Some(path.into()),
    });
    let firmware = &boot.firmware;
    if firmware.coverage == Coverage::Complete && firmware.items == [Firmware::Bios] {
        return (Fact::Known { value: false, evidence: firmware.evidence.clone() }, setting);
    }
    let prepared = match shim {
        Some(path) => format!("{path} is there, so it is prepared for it"),
        None => "no shim was found".to_owned(),
    };
    let why = format!("it is kept in the memory of the firmware and not on the disk; {prepared}");
    (Fact::unknown(why), setting)
}
