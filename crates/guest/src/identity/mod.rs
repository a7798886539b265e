//! What a system is.

mod architecture;
mod distribution;
mod settings;

use fathom_report::{Fact, Family, FirstBoot, Identity};

use crate::files::{Files, Read};

use self::distribution::Distribution;

/// What the report loses if a file cannot be read.
const HIDES: &str = "identity";

/// What the system says it is.
pub(crate) fn identify(files: &Files<'_>) -> Identity {
    let Distribution { id, like, name, version, codename, edition, build, cpe } =
        Distribution::of(files);
    Identity {
        family: family(files),
        distribution: id,
        like,
        name,
        version,
        codename,
        edition,
        installation: None,
        build,
        architecture: architecture::of(files),
        hostname: settings::hostname(files),
        machine_id: settings::machine_id(files),
        time_zone: settings::time_zone(files),
        locale: settings::locale(files),
        installed: installed(files),
        first_boot: first_boot(files),
        end_of_life: Fact::unknown("it has not been looked up"),
        cpe,
    }
}

/// The machine's name.
pub(crate) fn hostname(files: &Files<'_>) -> Fact<String> {
    settings::hostname(files)
}

pub(crate) fn family(files: &Files<'_>) -> Family {
    let there = |path: &str| files.exists(path, HIDES);
    if there("/Windows/System32/config/SYSTEM") || there("/Windows/System32/ntoskrnl.exe") {
        Family::Windows
    } else if there("/bin/freebsd-version") || there("/netbsd") || there("/bsd") {
        Family::Bsd
    } else if there("/etc/os-release") || there("/etc/fstab") || there("/usr/lib/os-release") {
        Family::Linux
    } else if there("/Windows/System32") {
        // Neither the hive nor the kernel can be looked at.
        Family::Windows
    } else {
        Family::Other
    }
}

/// When it was installed: installers leave their notes, and do not come back.
fn installed(files: &Files<'_>) -> Fact<String> {
    const NOTES: [&str; 5] = [
        "/var/log/installer",
        "/root/anaconda-ks.cfg",
        "/root/original-ks.cfg",
        "/var/log/anaconda",
        "/root/autoinst.xml",
    ];
    for path in NOTES {
        match files.found(path, HIDES) {
            Read::There(found) => {
                if let Ok(metadata) = found.metadata() {
                    return Fact::known(metadata.modified.to_string(), path);
                }
            }
            Read::Absent => {}
            Read::Unread(why) => return Fact::unknown(why),
        }
    }
    // The filesystem was made then; of an image that was copied, earlier.
    match files.found("/", HIDES).there().map(|found| found.metadata()) {
        Some(Ok(metadata)) => match metadata.created {
            Some(time) if time.seconds > 0 => Fact::known(time.to_string(), "creation time of /"),
            _ => Fact::absent(NOTES),
        },
        Some(Err(error)) => Fact::unknown(error.to_string()),
        None => Fact::unknown("the root directory cannot be read"),
    }
}

/// Whether the system has been through its first start.
fn first_boot(files: &Files<'_>) -> Fact<FirstBoot> {
    const INSTANCE: &str = "/var/lib/cloud/instance";
    const CLOUD: &str = "/etc/cloud/cloud.cfg";
    const MACHINE_ID: &str = "/etc/machine-id";
    if files.exists(CLOUD, HIDES) && !files.exists("/etc/cloud/cloud-init.disabled", HIDES) {
        return match files.link(INSTANCE, HIDES) {
            Read::There(_) => Fact::known(FirstBoot::Done, INSTANCE),
            Read::Absent => Fact::known(FirstBoot::Pending, CLOUD),
            Read::Unread(why) => Fact::unknown(why),
        };
    }
    files.text(MACHINE_ID, HIDES).fact(MACHINE_ID, |text| match text.trim() {
        "" | "uninitialized" => Some(FirstBoot::Pending),
        _ => Some(FirstBoot::Done),
    })
}
