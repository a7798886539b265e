//! The drivers of Linux for the hardware of hypervisors.

use fathom_report::{DriverPurpose, Platform};

use DriverPurpose::{Bus, Disk, Network, Other};
use Platform::{Hyperv, Virtio, Vmware, Xen};

/// Name, whose hardware, and what for.
pub(super) const DRIVERS: [(&str, Platform, DriverPurpose); 39] = [
    ("virtio", Virtio, Bus),
    ("virtio_ring", Virtio, Bus),
    ("virtio_pci", Virtio, Bus),
    ("virtio_mmio", Virtio, Bus),
    ("virtio_blk", Virtio, Disk),
    ("virtio_scsi", Virtio, Disk),
    ("virtio_net", Virtio, Network),
    ("virtio_balloon", Virtio, Other),
    ("virtio_console", Virtio, Other),
    ("virtio_rng", Virtio, Other),
    ("virtio_gpu", Virtio, Other),
    ("virtio_input", Virtio, Other),
    ("virtiofs", Virtio, Other),
    ("vmw_vsock_virtio_transport", Virtio, Other),
    ("vmw_pvscsi", Vmware, Disk),
    ("mptspi", Vmware, Disk),
    ("mptsas", Vmware, Disk),
    ("vmxnet3", Vmware, Network),
    ("vmxnet", Vmware, Network),
    ("vmw_vmci", Vmware, Bus),
    ("vmw_balloon", Vmware, Other),
    ("vmwgfx", Vmware, Other),
    ("vmw_vsock_vmci_transport", Vmware, Other),
    ("vmhgfs", Vmware, Other),
    ("hv_vmbus", Hyperv, Bus),
    ("pci_hyperv", Hyperv, Bus),
    ("hv_storvsc", Hyperv, Disk),
    ("hv_netvsc", Hyperv, Network),
    ("hv_utils", Hyperv, Other),
    ("hv_balloon", Hyperv, Other),
    ("hyperv_keyboard", Hyperv, Other),
    ("hid_hyperv", Hyperv, Other),
    ("hyperv_drm", Hyperv, Other),
    ("hyperv_fb", Hyperv, Other),
    ("xen_blkfront", Xen, Disk),
    ("xen_scsifront", Xen, Disk),
    ("xen_netfront", Xen, Network),
    ("xen_pcifront", Xen, Bus),
    ("xen_platform_pci", Xen, Bus),
];

/// The name of the module in the file at that path, with dashes as underscores, which to Linux are the
/// same; nothing where it is no module.
pub(super) fn module(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?;
    let packed = [".gz", ".xz", ".zst", ".bz2", ".lzma"].iter();
    let plain = packed.clone().find_map(|ending| file.strip_suffix(*ending)).unwrap_or(file);
    Some(plain.strip_suffix(".ko")?.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules() {
        for (path, name) in [
            ("kernel/drivers/block/xen-blkfront.ko.xz", Some("xen_blkfront")),
            ("lib/modules/5/kernel/virtio_blk.ko", Some("virtio_blk")),
            ("virtio_net.ko.zst", Some("virtio_net")),
            ("lib/modules/5/modules.dep", None),
            ("virtio_blk.ko.d/", None),
            ("", None),
        ] {
            assert_eq!(module(path).as_deref(), name, "{path}");
        }
        assert!(DRIVERS.iter().all(|(name, ..)| !name.contains('-')));
    }
}
