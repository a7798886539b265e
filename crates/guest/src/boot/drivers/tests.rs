use fathom_report::Coverage;
use fathom_volume::Discovery;

use crate::device::Places;
use crate::files::Files;
use crate::memory;

use super::*;

/// A cpio archive with files of these names.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names.iter().chain(&["TRAILER!!!"]) {
        bytes.extend(b"070701");
        (0..13).for_each(|field| {
            let value = if field == 11 { name.len() + 1 } else { 0 };
            bytes.extend(format!("{value:08x}").bytes());
        });
        bytes.extend(name.bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn drivers(files: &[(&str, &[u8])]) -> Listing<Driver> {
    drivers_with(files, Unpacking::default())
}

fn drivers_with(files: &[(&str, &[u8])], unpacking: Unpacking<'_>) -> Listing<Driver> {
    let tree = memory::tree(files);
    let discovery = Discovery::default();
    let files = Files::new(&tree);
    crate::boot::of(&files, &Places::of(&discovery), unpacking).drivers
}

fn shown(listing: &Listing<Driver>) -> Vec<(String, DriverPlace)> {
    listing.items.iter().map(|it| (it.name.clone(), it.place)).collect()
}

const BUILT_IN: &[u8] = b"kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/ext4/ext4.ko\n";
const INSTALLED: &[u8] = b"kernel/drivers/block/virtio_blk.ko.xz: kernel/x.ko\n\
    kernel/drivers/scsi/hv_storvsc.ko.xz:\nkernel/drivers/block/xen-blkfront.ko.xz:\n";

#[test]
fn built_in_early_and_installed() {
    let initramfs =
        archive(&["init", "usr/lib/modules/6.1/kernel/virtio-blk.ko", "lib/hv_storvsc.ko"]);
    let listing = drivers(&[
        ("/boot/vmlinuz-6.1", b"x"),
        ("/boot/initrd.img-6.1", &initramfs),
        ("/lib/modules/6.1/modules.builtin", BUILT_IN),
        ("/lib/modules/6.1/modules.dep", INSTALLED),
    ]);
    assert_eq!(listing.coverage, Coverage::Complete, "{listing:?}");
    assert_eq!(
        shown(&listing),
        [
            ("virtio_pci".into(), DriverPlace::BuiltIn),
            ("virtio_blk".into(), DriverPlace::Early),
            // What lies elsewhere in the archive is no module of the kernel.
            ("hv_storvsc".into(), DriverPlace::Installed),
            ("xen_blkfront".into(), DriverPlace::Installed),
        ]
    );
    let at = &listing.items[1].evidence.0;
    assert_eq!(at, "/boot/initrd.img-6.1: usr/lib/modules/6.1/kernel/virtio-blk.ko");
}

#[test]
fn what_could_not_be_read_is_no_lack() {
    let kernel: (&str, &[u8]) = ("/boot/vmlinuz-6.1", b"x");
    let lists: [(&str, &[u8]); 2] = [
        ("/lib/modules/6.1/modules.builtin", BUILT_IN),
        ("/lib/modules/6.1/modules.dep", INSTALLED),
    ];
    let damaged = drivers(&[kernel, lists[0], lists[1], ("/boot/initrd.img-6.1", b"no archive")]);
    assert_eq!(damaged.coverage, Coverage::Partial);
    assert!(damaged.reason.unwrap().contains("/boot/initrd.img-6.1 is not known"));
    assert_eq!(drivers(&[kernel, lists[1]]).coverage, Coverage::Partial);
    assert_eq!(drivers(&[kernel]).coverage, Coverage::Unknown);
    assert_eq!(drivers(&[]).coverage, Coverage::Unknown);
    let two = drivers(&[kernel, ("/boot/vmlinuz-6.2", b"x"), lists[0], lists[1]]);
    assert!(two.reason.unwrap().contains("no menu"));
    // It starts without one.
    let plain = drivers(&[kernel, lists[0], lists[1]]);
    assert_eq!((plain.coverage, plain.items.len()), (Coverage::Complete, 4));
}

#[test]
fn what_was_learned_of_one_machine_is_true_of_another() {
    let learned = Learned::default();
    let machine = |modules: &[&str], installed: &[u8]| {
        let initramfs = archive(modules);
        let files: [(&str, &[u8]); 4] = [
            ("/boot/vmlinuz-6.1", b"x"),
            ("/boot/initrd.img-6.1", &initramfs),
            ("/lib/modules/6.1/modules.builtin", BUILT_IN),
            ("/lib/modules/6.1/modules.dep", installed),
        ];
        let unpacking = Unpacking { patient: false, learned: Some(&learned) };
        let told = drivers_with(&files, unpacking);
        assert_eq!(told, drivers(&files));
        told
    };
    let modules = ["lib/modules/6.1/virtio_blk.ko", "x", "lib/modules/6.1/hv_storvsc.ko"];
    for _ in 0..4 {
        assert_eq!(machine(&modules, INSTALLED).items[1].place, DriverPlace::Early);
        // Enough for this one is not all that there is.
        assert_eq!(machine(&modules, b"kernel/virtio_blk.ko:\n").items.len(), 2);
        assert_eq!(machine(&modules[1..], INSTALLED).items[1].place, DriverPlace::Installed);
    }
}

#[test]
fn modules_of_another_kernel_do_not_count() {
    let initramfs = archive(&[
        "usr/lib/modules/5.10/kernel/virtio_blk.ko",
        "usr/lib/modules/6.1/kernel/hv_storvsc.ko",
        "usr/lib/modules/6.10/kernel/xen-blkfront.ko",
    ]);
    let listing = drivers(&[
        ("/boot/vmlinuz-6.1", b"x"),
        ("/boot/initrd.img-6.1", &initramfs),
        ("/lib/modules/6.1/modules.builtin", BUILT_IN),
        ("/lib/modules/6.1/modules.dep", INSTALLED),
    ]);
    use DriverPlace::{BuiltIn, Early, Installed};
    let places: Vec<_> = listing.items.iter().map(|it| it.place).collect();
    assert_eq!(places, [BuiltIn, Installed, Early, Installed]);
}

#[test]
fn what_lies_on_a_disk_that_is_missing_is_not_known() {
    use fathom_block::Error;
    use fathom_filesystem::Unavailable;

    let mut tree = memory::tree(&[("/boot/x", b""), ("/lib/modules/6.1/modules.dep", INSTALLED)]);
    let why = Error::not_found("/dev/vdb1", "there is no such disk");
    tree.mount(b"/boot", Arc::new(Unavailable::new(None, why))).unwrap();
    let discovery = Discovery::default();
    let files = Files::new(&tree);
    let boot = crate::boot::of(&files, &Places::of(&discovery), Unpacking::default());
    assert!(matches!(boot.default, Fact::Unknown { .. }), "{:?}", boot.default);
    assert_ne!(boot.firmware.coverage, Coverage::Complete);
    assert_ne!(boot.kernels.coverage, Coverage::Complete);
    assert_eq!(boot.drivers.coverage, Coverage::Unknown);
    assert!(boot.drivers.reason.unwrap().contains("no such disk"));
}
