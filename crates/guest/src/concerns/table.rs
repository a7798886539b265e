//! Every concern: its name, how grave it is, what it is called, and who answers.

use fathom_report::Category::{self, Critical, Information, Warning};

use super::answer::Answer;
use super::{Disks, Subject, disks, life, mounted, network, roles, software, start, windows};

/// What a concern is about, and who answers whether it is there.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// One system.
    System(fn(&Subject<'_>) -> Answer),
    /// The disks of the machine.
    Disks(fn(&Disks<'_>) -> Answer),
}

/// A concern.
pub(super) struct Entry {
    /// Never changes its meaning.
    pub(super) id: &'static str,
    pub(super) category: Category,
    pub(super) label: &'static str,
    /// When it is there, for the documentation.
    #[cfg_attr(not(test), allow(dead_code, reason = "the page is written by a test"))]
    pub(super) when: &'static str,
    pub(super) about: About,
}

const fn system(
    id: &'static str,
    category: Category,
    label: &'static str,
    when: &'static str,
    ask: fn(&Subject<'_>) -> Answer,
) -> Entry {
    Entry { id, category, label, when, about: About::System(ask) }
}

const fn on_disks(
    id: &'static str,
    category: Category,
    label: &'static str,
    when: &'static str,
    ask: fn(&Disks<'_>) -> Answer,
) -> Entry {
    Entry { id, category, label, when, about: About::Disks(ask) }
}

#[rustfmt::skip]
pub(super) const TABLE: [Entry; 52] = [
    // What keeps it from starting.
    system("no-virtio-in-initramfs", Critical, "no driver of virtio disks when it starts", "Linux: neither the kernel nor the initial filesystem that boots has virtio_blk or virtio_scsi, or not virtio_pci", start::no_virtio),
    system("no-virtio-drivers", Critical, "no virtio drivers", "Windows: neither viostor nor vioscsi starts with the loader", windows::no_virtio),
    system("root-by-device-name", Critical, "the root is named by a device", "the kernel's arguments name the root by /dev/sdX, /dev/hdX, /dev/xvdX, /dev/nvmeX or by path", start::root_by_device),
    system("unsupported-os", Critical, "an operating system that is not supported", "neither Linux nor Windows, or a Windows before 7 and Server 2008 R2", life::unsupported),
    on_disks("windows-dynamic-disk", Critical, "dynamic disk of Windows", "a disk is kept by the logical disk manager", disks::dynamic),
    system("vmware-only-drivers", Warning, "drivers of VMware disks only", "when it starts there are drivers of VMware's disks, and none of virtio", start::vmware_only),
    system("old-kernel", Warning, "old kernel", "Linux: the kernel that boots is older than 2.6.32, and may know no virtio", start::old_kernel),
    system("architecture-32-bit", Warning, "built for 32 bits", "programs are built for a processor of 32 bits", start::narrow),
    system("unsigned-drivers", Warning, "drivers that are built here under secure boot", "secure boot is on, and DKMS or akmods builds modules", start::unsigned),
    // How it names what it needs.
    system("fstab-by-path-device", Warning, "filesystems named by device", "fstab names a filesystem by /dev/sdX and its kin, by path or by the identifier of a disk", mounted::by_device),
    system("swap-by-path", Warning, "swap named by device", "fstab names swap by /dev/sdX and its kin, by path or by the identifier of a disk", mounted::swap_by_device),
    system("missing-disk", Warning, "a disk is missing", "fstab mounts, without nofail or noauto, what is on no disk that was given", mounted::missing),
    system("drive-letter-missing", Warning, "a drive is on no disk that was given", "Windows: a letter leads to no volume that was given", windows::letters),
    system("persistent-nic-names", Warning, "network cards bound to hardware", "an interface is recognised by its hardware address or by its slot", network::bound),
    system("static-ip", Warning, "fixed address", "an interface has an address that is fixed", network::fixed),
    system("network-storage", Warning, "filesystems over the network", "NFS, SMB, Ceph, GlusterFS or the like is mounted", mounted::remote),
    system("network-disks", Warning, "disks over the network", "iSCSI, Fibre Channel over Ethernet or multipath starts with the system", software::network_disks),
    // Its disks.
    on_disks("disk-encrypted", Warning, "encrypted disk", "a volume is encrypted: LUKS, BitLocker or another", disks::encrypted),
    system("third-party-disk-encryption", Warning, "disk encryption of another maker", "a product that encrypts disks is installed", software::encryption),
    on_disks("unreadable-filesystem", Warning, "a filesystem that could not be read", "a volume holds a filesystem that is not read, such as ZFS", disks::unreadable),
    on_disks("unclean-filesystem", Warning, "a filesystem that was not left in order", "a filesystem was not unmounted, or has errors", disks::unclean),
    system("filesystem-nearly-full", Warning, "little room", "the root or /boot is full by 90 %, another filesystem by 95 %", disks::full),
    on_disks("raid-md", Warning, "member of an array", "a volume is a member of a RAID", disks::raid),
    on_disks("lvm-thin", Warning, "thin volumes or snapshots of LVM", "a group of LVM has volumes that are not plain", disks::thin),
    on_disks("damaged-disk", Warning, "a disk is damaged", "a partition table, group of volumes or filesystem contradicts its own format", disks::damaged),
    system("filesystem-snapshots", Information, "snapshots are kept", "snapper or timeshift keeps snapshots, which take room", software::snapshots),
    // What it is.
    system("end-of-life-os", Warning, "no longer mended", "nobody gets mends any more, not for pay either", life::over),
    system("end-of-support-soon", Warning, "support ends soon", "what everybody gets has ended, or ends within half a year", life::soon),
    system("firmware-bios", Information, "starts by BIOS", "the disks are prepared for BIOS", start::bios),
    system("firmware-uefi", Information, "starts by UEFI", "the disks are prepared for UEFI", start::uefi),
    on_disks("multiple-systems", Information, "several systems", "there is more than one operating system on the disks", disks::several),
    system("custom-kernel", Information, "a kernel that no package brings", "Linux: a kernel is in no package", start::custom_kernel),
    system("kernel-arguments-for-hardware", Information, "arguments for hardware", "the kernel is told of hardware: nomodeset, pci=, acpi=off, noapic, vga=, nr_cpus=", start::arguments),
    system("no-serial-console", Information, "nothing on the serial console", "Linux: the kernel is told of no serial console", start::no_console),
    // What Windows keeps.
    system("pending-restart", Warning, "a restart is pending", "Windows: updates or renames wait for a restart", windows::pending),
    system("windows-hibernated", Warning, "hibernated", "Windows: it was hibernated, or left by fast startup", windows::hibernated),
    system("windows-activation", Information, "activation", "Windows: on other hardware it may have to be activated anew", windows::activation),
    // What it is there for.
    system("licence-dongle", Warning, "licence bound to hardware", "HASP, Sentinel, CodeMeter, FlexLM or another guard of licences is installed", software::licences),
    system("guest-agent-of-old-platform", Warning, "tools of another platform", "tools of VMware, Hyper-V, Xen or VirtualBox are installed", software::old_agents),
    system("missing-qemu-guest-agent", Information, "no guest agent of QEMU", "qemu-guest-agent is not installed", software::no_agent),
    system("cloud-init-datasource", Warning, "cloud-init", "cloud-init is installed: elsewhere it may not find its data, or set the machine up anew", software::cloud_init),
    system("cloud-agent", Warning, "agent of a cloud", "an agent of Azure, AWS or Google is installed", software::cloud_agents),
    system("containers-present", Information, "containers", "an engine of containers is installed, or there are containers", roles::containers),
    system("kubernetes-node", Warning, "node of Kubernetes", "kubelet, K3s or RKE2 is installed", roles::kubernetes),
    system("database-running", Warning, "a database starts", "a database starts with the system: bring it to rest before the copy", roles::databases),
    system("cluster-software", Warning, "part of a cluster", "Pacemaker, Corosync, keepalived or the cluster service of Windows starts", roles::cluster),
    system("domain-controller", Warning, "domain controller", "a controller of Active Directory, Samba or FreeIPA starts", roles::controller),
    system("domain-member", Warning, "member of a domain", "it is joined to a domain", roles::member),
    system("passthrough", Warning, "hardware that is passed through", "drivers of graphics or network hardware, or arguments for passing it through, are there", software::passthrough),
    system("no-time-sync", Warning, "the clock is not set", "Linux: nothing that sets the clock starts", software::no_time),
    system("selinux-relabel", Information, "labels of SELinux", "SELinux is on: files that are changed offline lose their labels", software::selinux),
    system("security-product", Information, "security product", "a product that watches over the system is installed; it may take new hardware for an attack", software::security),
];
