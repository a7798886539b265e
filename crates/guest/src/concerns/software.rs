//! What is installed and starts.

use fathom_report::{
    Application, ApplicationKind, Enabled, Evidence, Family, Package, PackageKind, Service,
};

use super::Subject;
use super::answer::{Answer, Search, known};
use super::start::words;

/// Whether the name is one of those, upper or lower case, where a star at the end stands for any rest.
fn is_one_of(name: &str, wanted: &[&str]) -> bool {
    wanted.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(start) => name.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start)),
        None => name.eq_ignore_ascii_case(wanted),
    })
}

/// Whether it is of the system, not a library of a language.
fn is_of_system(package: &Package) -> bool {
    matches!(
        package.kind,
        PackageKind::Deb
            | PackageKind::Rpm
            | PackageKind::Apk
            | PackageKind::Pacman
            | PackageKind::Portage
            | PackageKind::Snap
            | PackageKind::Flatpak
            | PackageKind::Program
            | PackageKind::Feature
    ) && package.state.as_deref().is_none_or(|state| {
        !["config-files", "not-installed", "removed"].iter().any(|gone| state.contains(gone))
    })
}

/// Packages of these names.
pub(super) fn installed(subject: &Subject<'_>, names: &[&str]) -> Search {
    Search::new().of(&subject.system.packages, |package| {
        let hit = is_of_system(package) && is_one_of(&package.name, names);
        Ok(hit.then(|| (package.name.clone(), vec![package.evidence.clone()])))
    })
}

/// Whether a service starts with the system; an error where that is not known.
fn starts(service: &Service) -> Result<bool, String> {
    if let Some(start) = &service.start {
        return Ok(["boot", "system", "automatic", "automatic-delayed"].contains(&start.as_str()));
    }
    Ok(matches!(known(&service.enabled)?, Some(Enabled::Enabled)))
}

/// Services of these names that start with the system.
pub(super) fn started(search: Search, subject: &Subject<'_>, names: &[&str]) -> Search {
    search.of(&subject.system.services, |service| {
        let name = service.name.strip_suffix(".service").unwrap_or(&service.name);
        if !is_one_of(name, names) {
            return Ok(None);
        }
        let is = starts(service).map_err(|why| format!("{name}: {why}"))?;
        Ok(is.then(|| (service.name.clone(), service.evidence.clone())))
    })
}

/// Applications that are so.
pub(super) fn applications(
    search: Search,
    subject: &Subject<'_>,
    is: impl Fn(&Application) -> Result<bool, String>,
) -> Search {
    search.of(&subject.system.applications, |application| {
        Ok(is(application)?.then(|| (application.name.clone(), application.evidence.clone())))
    })
}

pub(super) fn network_disks(subject: &Subject<'_>) -> Answer {
    let names = [
        "iscsi",
        "iscsid",
        "open-iscsi",
        "multipathd",
        "multipath-tools",
        "fcoe",
        "MSiSCSI",
        "mpio",
    ];
    started(Search::new(), subject, &names).answer(
        "disks come over a network of storage",
        "Connect the new machine to it, or copy them",
    )
}

pub(super) fn encryption(subject: &Subject<'_>) -> Answer {
    installed(
        subject,
        &[
            "veracrypt*", "truecrypt*", "diskcryptor*", "McAfee Drive Encryption*", "MfeEpe*",
            "Symantec Endpoint Encryption*", "PGP Desktop*", "Sophos SafeGuard*", "ESET Full Disk*",
            "Check Point Full Disk*", "WinMagic*", "SecureDoc*", "Trend Micro Full Disk*",
        ],
    )
    .answer(
        "a product that encrypts disks is installed",
        "What it encrypted cannot be looked at from here, nor started without its own loader: decrypt \
         before the move",
    )
}

pub(super) fn snapshots(subject: &Subject<'_>) -> Answer {
    installed(subject, &["snapper", "timeshift"]).answer(
        "snapshots of filesystems are kept",
        "They are moved too, and take room; delete those that nobody needs",
    )
}

pub(super) fn licences(subject: &Subject<'_>) -> Answer {
    let packages = installed(
        subject,
        &[
            "hasplmd*",
            "aksusbd*",
            "sentinel*",
            "hasp*",
            "codemeter*",
            "flexlm*",
            "flexnet*",
            "lmgrd*",
            "wibu*",
            "safenet*",
            "hardlock*",
            "rlm-server*",
            "RLM License*",
        ],
    );
    let services = [
        "hasplms",
        "hasplmd",
        "aksusbd",
        "hardlock",
        "SentinelProtectionServer",
        "SentinelKeysServer",
        "CodeMeter*",
        "FlexNet*",
        "FLEXlm*",
        "lmgrd*",
        "lmadmin*",
        "wibukey*",
    ];
    started(packages, subject, &services).answer(
        "licences are guarded",
        "A dongle has to be passed to the new machine, and a licence that is bound to hardware asked \
         for anew",
    )
}

pub(super) fn old_agents(subject: &Subject<'_>) -> Answer {
    const NAMES: [&str; 16] = [
        "open-vm-tools*",
        "vmware-tools*",
        "VMware Tools",
        "vmware-guest*",
        "hyperv-daemons*",
        "hv-kvp-daemon*",
        "hyperv-tools",
        "xe-guest-utilities*",
        "xenserver-*",
        "xen-guest-agent*",
        "Citrix VM Tools*",
        "Citrix Tools for*",
        "XenServer VM Tools*",
        "virtualbox-guest-*",
        "Oracle VM VirtualBox Guest Additions*",
        "Parallels Tools*",
    ];
    let services = [
        "vmtoolsd",
        "VMTools",
        "vmware-tools",
        "VGAuthService",
        "open-vm-tools",
        "xe-linux-distribution",
        "vboxadd*",
        "VBoxService",
        "hypervkvpd",
        "hv-kvp-daemon",
    ];
    started(installed(subject, &NAMES), subject, &services).answer(
        "tools of another platform are installed",
        "Remove them after the move; until then they only complain",
    )
}

pub(super) fn no_agent(subject: &Subject<'_>) -> Answer {
    let search = installed(subject, &["qemu-guest-agent*", "qemu-ga*"]);
    let search = started(search, subject, &["qemu-guest-agent", "qemu-ga", "QEMU-GA"]);
    search.answer_if_none(
        "the guest agent of QEMU is not installed: the machine cannot be shut down, nor its \
         filesystems be frozen, from outside. Install qemu-guest-agent",
        &subject.system.packages.evidence,
    )
}

pub(super) fn cloud_init(subject: &Subject<'_>) -> Answer {
    installed(subject, &["cloud-init", "Cloudbase-Init*"]).answer(
        "it is set up by what a cloud tells it",
        "Where it finds no such data it waits for them at each start, and where it finds others it \
         makes new keys and accounts: see its data sources, or disable it",
    )
}

pub(super) fn cloud_agents(subject: &Subject<'_>) -> Answer {
    installed(
        subject,
        &[
            "walinuxagent",
            "WALinuxAgent",
            "waagent",
            "google-guest-agent",
            "google-compute-engine*",
            "google-osconfig-agent",
            "amazon-ssm-agent*",
            "ec2-instance-connect",
            "ec2-hibinit-agent",
            "Amazon SSM Agent",
            "Windows Azure VM Agent*",
            "oracle-cloud-agent",
        ],
    )
    .answer("agents of a cloud are installed", "Remove them after the move")
}

pub(super) fn passthrough(subject: &Subject<'_>) -> Answer {
    let packages = installed(
        subject,
        &[
            "nvidia-driver*",
            "nvidia-kmod*",
            "kmod-nvidia*",
            "cuda-drivers*",
            "NVIDIA Graphics Driver*",
            "amdgpu-dkms",
            "mlnx-ofed*",
            "mlnx-ofa*",
            "rdma-core-devel",
            "quartus*",
            "dpdk",
        ],
    );
    let words = match words(subject) {
        Err(why) => return packages.unsure(why).answer(DEVICES, ADVICE),
        Ok(words) => words,
    };
    let starts =
        ["vfio-pci.ids=", "pci-stub.ids=", "intel_iommu=on", "amd_iommu=on", "xen-pciback.hide="];
    let told = words.into_iter().filter(|word| starts.iter().any(|start| word.starts_with(start)));
    told.fold(packages, |search, word| search.with(word, Vec::new())).answer(DEVICES, ADVICE)
}

const DEVICES: &str = "it used hardware that was passed to it";
const ADVICE: &str = "The new machine has to be given the like";

pub(super) fn no_time(subject: &Subject<'_>) -> Answer {
    if !subject.is(Family::Linux) {
        return Answer::No;
    }
    let names = [
        "chronyd",
        "chrony",
        "ntpd",
        "ntp",
        "ntpsec",
        "systemd-timesyncd",
        "openntpd",
        "timemaster",
    ];
    started(Search::new(), subject, &names).answer_if_none(
        "nothing that sets the clock starts: the tools of the old platform may have done so. Enable \
         chrony or systemd-timesyncd",
        &subject.system.services.evidence,
    )
}

pub(super) fn selinux(subject: &Subject<'_>) -> Answer {
    Search::new()
        .of(&subject.system.security.mandatory_access, |it| {
            if it.system != "selinux" {
                return Ok(None);
            }
            let mode = known(&it.mode)?.map(String::as_str);
            let on = matches!(mode, Some("enforcing" | "permissive"));
            let evidence: Vec<Evidence> = super::answer::evidence_of(&it.mode);
            Ok(on.then(|| (format!("SELinux is {}", mode.unwrap_or_default()), evidence)))
        })
        .answer(
            "labels matter",
            "If files are changed from outside, have all of them labelled anew (touch /.autorelabel), which \
             makes the first start long",
        )
}

pub(super) fn security(subject: &Subject<'_>) -> Answer {
    applications(Search::new(), subject, |it| Ok(it.kind == ApplicationKind::Security))
        .answer("something watches over the system", "Tell those who run it of the move")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_with_a_star_at_the_end() {
        assert!(is_one_of("VMware Tools", &["vmware tools"]));
        assert!(is_one_of("open-vm-tools-desktop", &["open-vm-tools*"]));
        assert!(!is_one_of("open-vm-tools-desktop", &["open-vm-tools"]));
        assert!(!is_one_of("é", &["ab*"]), "no character is cut");
    }
}
