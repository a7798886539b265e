//! What it starts with.

use fathom_report::{Driver, DriverPlace, DriverPurpose, Family, Firmware, Platform};

use super::Subject;
use super::answer::{Answer, Search, evidence_of, known, or_unknown};
use super::mounted::is_by_device;
use super::software::installed;

/// The drivers that are so, of those that are there when it starts.
fn early(subject: &Subject<'_>, is: impl Fn(&Driver) -> bool) -> Search {
    Search::new().of(&subject.system.boot.drivers, |driver| {
        let hit = driver.place != DriverPlace::Installed && is(driver);
        Ok(hit.then(|| (driver.name.clone(), vec![driver.evidence.clone()])))
    })
}

/// The drivers of disks of a platform that are there when it starts.
pub(super) fn early_disks(subject: &Subject<'_>, platform: Platform) -> Search {
    early(subject, |driver| driver.platform == platform && driver.purpose == DriverPurpose::Disk)
}

pub(super) fn no_virtio(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Linux) {
        return Answer::No;
    }
    let message = "neither virtio_blk nor virtio_scsi is in the kernel or in the initial \
                   filesystem that boots: on KVM it finds no disk. Add them (dracut \
                   --add-drivers, or /etc/initramfs-tools/modules) and make it anew";
    let evidence = &subject.system.boot.drivers.evidence;
    let disks = early_disks(subject, Platform::Virtio).answer_if_none(message, evidence);
    if disks != Answer::No {
        return disks;
    }
    // A driver of disks finds none without that of the bus they hang on.
    let buses = ["virtio_pci", "virtio_mmio", "virtio_ccw"];
    early(subject, |driver| buses.contains(&driver.name.as_str())).answer_if_none(
        "the driver of virtio disks is there when it starts, but not virtio_pci, the driver of their \
         bus: on KVM it finds no disk. Add it to the initial filesystem",
        evidence,
    )
}

pub(super) fn vmware_only(subject: &Subject<'_>) -> Answer {
    let virtio = match early_disks(subject, Platform::Virtio).any() {
        Ok(true) => return Answer::No,
        Ok(false) => Search::new(),
        Err(why) => Search::new().unsure(why),
    };
    let vmware = early_disks(subject, Platform::Vmware);
    match (vmware.any(), virtio.any()) {
        (Ok(true), Ok(_)) => vmware.answer(
            "when it starts there are drivers of VMware's disks, and none of virtio",
            "Add those of virtio",
        ),
        (Ok(false), _) => Answer::No,
        (Ok(true), Err(why)) | (Err(why), _) => Answer::Unknown(why),
    }
}

/// The words of the kernel's arguments; none where it says none. Where nothing on the disks says what
/// starts, something else does, and what that tells the kernel is not known. Windows has no such
/// arguments.
pub(super) fn words(subject: &Subject<'_>) -> Result<Vec<String>, String> {
    let Some(entry) = known(&subject.system.boot.default)? else {
        return match subject.is(Family::Windows) {
            true => Ok(Vec::new()),
            false => Err("nothing on these disks says what the system starts with".to_owned()),
        };
    };
    let arguments = entry.arguments.as_deref().unwrap_or_default();
    Ok(arguments.split_whitespace().map(str::to_owned).collect())
}

/// The arguments that are so.
fn told(subject: &Subject<'_>, is: impl Fn(&str) -> bool) -> Search {
    match words(subject) {
        Err(why) => Search::new().unsure(why),
        Ok(words) => words.into_iter().filter(|word| is(word)).fold(Search::new(), |all, word| {
            all.with(word, evidence_of(&subject.system.boot.default))
        }),
    }
}

pub(super) fn root_by_device(subject: &Subject<'_>) -> Answer {
    let is = |word: &str| word.strip_prefix("root=").is_some_and(is_by_device);
    told(subject, is).answer(
        "the kernel looks for its root by a name that another machine gives to another disk, or to none",
        "Name it by UUID in the boot loader's configuration",
    )
}

fn is_for_hardware(word: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "nomodeset",
        "acpi=off",
        "noapic",
        "nolapic",
        "noapictimer",
        "pci=noacpi",
        "pci=nomsi",
        "noacpi",
        "notsc",
        "irqpoll",
        "nosmp",
        "apm=off",
    ];
    const STARTS: [&str; 10] = [
        "pci=",
        "vga=",
        "video=",
        "nr_cpus=",
        "maxcpus=",
        "clocksource=",
        "hugepagesz=",
        "isolcpus=",
        "memmap=",
        "resume=/dev/",
    ];
    let by_name = word.strip_prefix("resume=").is_none_or(is_by_device);
    WHOLE.contains(&word) || (by_name && STARTS.iter().any(|start| word.starts_with(start)))
}

pub(super) fn arguments(subject: &Subject<'_>) -> Answer {
    told(subject, is_for_hardware).answer(
        "the kernel is told of the hardware that it had",
        "See whether that is true of the new machine",
    )
}

pub(super) fn no_console(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Linux) {
        return Answer::No;
    }
    let serial = ["console=ttyS", "console=ttyAMA", "console=hvc"];
    let message = "the kernel is told of no serial console, which is often the only one that can be \
                   looked at. Add console=ttyS0 to its arguments";
    told(subject, |word| serial.iter().any(|start| word.starts_with(start)))
        .answer_if_none(message, &evidence_of(&subject.system.boot.default))
}

/// The first numbers of a release: `[2, 6, 32]` of `2.6.32-754.el6`.
fn numbers(version: &str) -> Vec<u32> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|part| part.parse().ok()).collect()
}

pub(super) fn old_kernel(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Linux) {
        return Answer::No;
    }
    or_unknown((|| {
        let boot = &subject.system.boot;
        let version = known(&boot.default)?.and_then(|entry| entry.version.clone());
        let version = version.ok_or("which kernel boots is not known")?;
        let numbers = numbers(&version);
        if numbers.len() < 2 {
            return Err(format!("{version} is not understood as a kernel's release"));
        }
        if numbers.as_slice() >= [2, 6, 32].as_slice() {
            return Ok(Answer::No);
        }
        let message = format!(
            "the kernel that boots is {version}; before 2.6.32 not every one has virtio. Boot a newer \
             one, or give the new machine emulated disks and cards"
        );
        Ok(Answer::Yes { message, evidence: evidence_of(&boot.default) })
    })())
}

pub(super) fn narrow(subject: &Subject<'_>) -> Answer {
    or_unknown((|| {
        let architecture = &subject.system.identity.architecture;
        let Some(name) = known(architecture)? else {
            return Err("the system does not say what it is built for".to_owned());
        };
        let name = name.0.to_lowercase();
        let is = ["i386", "i486", "i586", "i686", "x86", "arm", "armhf", "armel", "ppc", "mips"];
        if !is.contains(&name.as_str()) && !name.starts_with("armv") {
            return Ok(Answer::No);
        }
        let message = format!(
            "it is built for {name}: UEFI of 64 bits does not start it, and new \
                               platforms may not take it. Plan to install it anew"
        );
        Ok(Answer::Yes { message, evidence: evidence_of(architecture) })
    })())
}

fn firmware(subject: &Subject<'_>, firmware: Firmware, what: &str, advice: &str) -> Answer {
    let list = &subject.system.boot.firmware;
    let is = |found: &Firmware| {
        Ok((*found == firmware)
            .then(|| (format!("{found:?}").to_uppercase(), list.evidence.clone())))
    };
    Search::new().of(list, is).answer(what, advice)
}

pub(super) fn bios(subject: &Subject<'_>) -> Answer {
    firmware(
        subject,
        Firmware::Bios,
        "the disks are prepared for",
        "Give the new machine that firmware",
    )
}

pub(super) fn uefi(subject: &Subject<'_>) -> Answer {
    firmware(
        subject,
        Firmware::Uefi,
        "the disks are prepared for",
        "Give the new machine that firmware; entries that are kept in the old one's memory do not \
         come along",
    )
}

pub(super) fn unsigned(subject: &Subject<'_>) -> Answer {
    or_unknown((|| {
        if known(&subject.system.security.secure_boot)?.copied() != Some(true) {
            return Ok(Answer::No);
        }
        Ok(installed(subject, &["dkms", "akmods", "akmod-*"]).answer(
            "secure boot is on, and modules of the kernel are built on the machine",
            "Enrol their key on the new machine, or they are not loaded",
        ))
    })())
}

pub(super) fn custom_kernel(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Linux) {
        return Answer::No;
    }
    let packages = &subject.system.packages;
    let is_of = |version: &str| {
        let plain = |text: &str| text.replace(['-', '_', '+', '~'], ".");
        let release = numbers(version).iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let version = plain(version);
        packages.items.iter().any(|package| {
            let name = package.name.as_str();
            let of_kernel =
                ["linux", "kernel", "raspberrypi-kernel", "pve-kernel", "proxmox-kernel"];
            of_kernel.iter().any(|start| name.starts_with(start))
                && (plain(name).contains(&version)
                    || (!release.is_empty() && package.version.starts_with(&release)))
        })
    };
    let kernels = &subject.system.boot.kernels;
    let search = Search::new().of(kernels, |kernel| {
        Ok((!is_of(&kernel.version)).then(|| (kernel.version.clone(), kernel.evidence.clone())))
    });
    match search.any() {
        // The package may be among those that could not be read.
        Ok(true) if packages.coverage != fathom_report::Coverage::Complete => {
            Answer::Unknown(packages.reason.clone().unwrap_or_default())
        }
        _ => search.answer(
            "no package brings the kernel",
            "See that it has the drivers of the new platform",
        ),
    }
}
