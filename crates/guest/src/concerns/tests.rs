//! Every concern: a machine that has it, one that has it not, and one of which it cannot be told.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use fathom_block::Error;
use fathom_report::{
    Application, ApplicationKind, Architecture, BootEntry, Driver, DriverPlace, DriverPurpose,
    Enabled, EndOfLife, Fact, Firmware, Interface, Kernel, Listing, MandatoryAccess, Mount,
    Package, PackageKind, PersistentName, Platform, Service, ServiceKind, Setting, Swap, Volume,
};
use serde_json::{Value, json};

use super::table::Entry;
use super::*;

/// A machine under test.
struct Machine {
    system: System,
    storage: Storage,
    problems: Vec<Error>,
    second: bool,
}

/// A system that was looked at everywhere and has nothing.
fn empty(family: Family) -> Machine {
    let unknown = System::unknown("disk0p1", family, "a test does not say");
    let system = serde_json::from_value(looked(serde_json::to_value(unknown).unwrap())).unwrap();
    let storage = Storage { volumes: vec![volume("disk0p1", "ext4")] };
    let mut machine = Machine { system, storage, problems: Vec::new(), second: false };
    machine.system.identity.architecture = known(Architecture("x86_64".into()));
    machine.system.identity.version = known("10.0.20348".into());
    machine.system.boot.default = known(entry("root=UUID=1-2 console=ttyS0"));
    machine
}

/// Unknown becomes absent, and unknown lists become empty ones.
fn looked(value: Value) -> Value {
    match value {
        Value::Object(object) if object.get("state") == Some(&json!("unknown")) => {
            json!({"state": "absent", "evidence": []})
        }
        Value::Object(object) if object.get("coverage") == Some(&json!("unknown")) => {
            json!({"coverage": "complete", "evidence": [], "items": []})
        }
        Value::Object(object) => {
            object.into_iter().map(|(name, value)| (name, looked(value))).collect()
        }
        other => other,
    }
}

fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, "/place")
}

fn unread<T>() -> Listing<T> {
    Listing::unknown("it cannot be read")
}

fn part<T>(items: Vec<T>) -> Listing<T> {
    let mut listing = Listing::complete(items, Vec::new());
    listing.hide("a part cannot be read");
    listing
}

fn all<T>(items: Vec<T>) -> Listing<T> {
    Listing::complete(items, Vec::new())
}

fn entry(arguments: &str) -> BootEntry {
    BootEntry {
        loader: "grub".into(),
        title: None,
        version: Some("6.1.0-18-amd64".into()),
        image: None,
        initramfs: Vec::new(),
        arguments: Some(arguments.into()),
    }
}

fn volume(id: &str, content: &str) -> Volume {
    Volume {
        id: id.into(),
        parents: Vec::new(),
        size: 1000,
        layer: "partition".into(),
        content: content.into(),
        encrypted: false,
        label: None,
        uuid: None,
        used: Some(100),
        health: Some("clean".into()),
    }
}

fn driver(platform: Platform, place: DriverPlace) -> Driver {
    Driver {
        platform,
        purpose: DriverPurpose::Disk,
        name: "driver".into(),
        place,
        evidence: "/initrd".into(),
    }
}

fn package(name: &str) -> Package {
    serde_json::from_value(json!({
        "kind": PackageKind::Deb, "name": name, "version": "1", "evidence": "/status",
    }))
    .unwrap()
}

fn service(name: &str, enabled: Fact<Enabled>) -> Service {
    let mut service: Service = serde_json::from_value(json!({
        "kind": ServiceKind::Service, "name": name, "evidence": ["/unit"],
        "enabled": {"state": "unknown", "reason": "it leads nowhere"},
    }))
    .unwrap();
    service.enabled = enabled;
    service
}

fn application(kind: ApplicationKind, started: Fact<bool>) -> Application {
    Application {
        kind,
        name: "thing".into(),
        version: Fact::unknown("a test does not say"),
        started,
        packages: Vec::new(),
        location: None,
        evidence: Vec::new(),
    }
}

fn mount(path: &str, device: &str, kind: &str, volume: Option<&str>) -> Mount {
    Mount {
        path: path.into(),
        device: device.into(),
        kind: kind.into(),
        options: vec!["defaults".into()],
        volume: volume.map(str::to_owned),
        evidence: "/etc/fstab".into(),
    }
}

fn setting(name: &str, value: &str) -> Setting {
    Setting { name: name.into(), value: value.into(), evidence: None }
}

/// What comes of one concern: whether there is one, or nothing if it cannot be told.
fn asked(id: &str, machine: &Machine) -> Option<bool> {
    let options = Options {
        now: UNIX_EPOCH + Duration::from_secs(1_767_225_600), // 2026-01-01
        ..Options::default()
    };
    let mut systems = vec![machine.system.clone()];
    if machine.second {
        systems.push(System::unknown("disk0p2", Family::Linux, "a test does not say"));
    }
    let (found, undecided) = of(&systems, &machine.storage, &machine.problems, None, &options);
    let first = |system: &Option<String>| system.as_ref().is_none_or(|root| root == "disk0p1");
    if found.items.iter().any(|it| it.id == id && first(&it.system)) {
        return Some(true);
    }
    (!undecided.iter().any(|it| it.id == id && first(&it.system))).then_some(false)
}

type Change = fn(&mut Machine);

/// Family, name, and what makes a machine with it, without it, and undecided.
#[rustfmt::skip]
const CASES: &[(Family, &str, Change, Change, Change)] = &[
    (Family::Linux, "no-virtio-in-initramfs",
        |m| m.system.boot.drivers = all(vec![driver(Platform::Virtio, DriverPlace::Installed)]),
        |m| m.system.boot.drivers = part(vec![driver(Platform::Virtio, DriverPlace::BuiltIn), bus()]),
        |m| m.system.boot.drivers = part(vec![bus()])),
    (Family::Linux, "no-virtio-in-initramfs",
        |m| m.system.boot.drivers = all(vec![driver(Platform::Virtio, DriverPlace::Early)]),
        |m| m.system.boot.drivers = all(vec![driver(Platform::Virtio, DriverPlace::Early), bus()]),
        |m| m.system.boot.drivers = part(vec![driver(Platform::Virtio, DriverPlace::Early)])),
    (Family::Windows, "no-virtio-drivers",
        |m| m.system.boot.drivers = all(vec![]),
        |m| m.system.boot.drivers = all(vec![driver(Platform::Virtio, DriverPlace::Early)]),
        |m| m.system.boot.drivers = unread()),
    (Family::Linux, "root-by-device-name",
        |m| m.system.boot.default = known(entry("root=/dev/sda1 ro")),
        |m| m.system.boot.default = known(entry("root=/dev/mapper/vg-root")),
        |m| m.system.boot.default = Fact::unknown("grub.cfg")),
    (Family::Windows, "unsupported-os",
        |m| m.system.identity.version = known("5.2.3790".into()),
        |m| m.system.identity.version = known("6.1.7601".into()),
        |m| m.system.identity.version = known("new".into())),
    (Family::Linux, "windows-dynamic-disk",
        |m| m.storage.volumes.push(volume("disk1", "Windows dynamic disk, not read")),
        |_| {},
        |m| m.problems.push(Error::corrupt("disk1", 0, "the table"))),
    (Family::Linux, "vmware-only-drivers",
        |m| m.system.boot.drivers = all(vec![driver(Platform::Vmware, DriverPlace::Early)]),
        |m| m.system.boot.drivers = all(vec![driver(Platform::Vmware, DriverPlace::Early), driver(Platform::Virtio, DriverPlace::Early)]),
        |m| m.system.boot.drivers = part(vec![driver(Platform::Vmware, DriverPlace::Early)])),
    (Family::Linux, "old-kernel",
        |m| m.system.boot.default = known(BootEntry { version: Some("2.6.18-398.el5".into()), ..entry("") }),
        |m| m.system.boot.default = known(BootEntry { version: Some("2.6.32-754.el6".into()), ..entry("") }),
        |m| m.system.boot.default = known(BootEntry { version: None, ..entry("") })),
    (Family::Linux, "architecture-32-bit",
        |m| m.system.identity.architecture = known(Architecture("i686".into())),
        |m| m.system.identity.architecture = known(Architecture("aarch64".into())),
        |m| m.system.identity.architecture = Fact::unknown("no program")),
    (Family::Linux, "unsigned-drivers",
        |m| { m.system.security.secure_boot = known(true); m.system.packages = all(vec![package("dkms")]) },
        |m| { m.system.security.secure_boot = known(false); m.system.packages = all(vec![package("dkms")]) },
        |m| m.system.security.secure_boot = Fact::unknown("kept by the firmware")),
    (Family::Linux, "fstab-by-path-device",
        |m| m.system.mounts = all(vec![mount("/d", "/dev/disk/by-path/pci-0", "ext4", None)]),
        |m| m.system.mounts = all(vec![mount("/d", "/dev/disk/by-id/dm-uuid-LVM-x", "ext4", None)]),
        |m| m.system.mounts = part(vec![])),
    (Family::Linux, "swap-by-path",
        |m| m.system.swap = all(vec![Swap { device: "/dev/sda2".into(), evidence: "/etc/fstab".into() }]),
        |m| m.system.swap = all(vec![Swap { device: "UUID=1".into(), evidence: "/etc/fstab".into() }]),
        |m| m.system.swap = unread()),
    (Family::Linux, "missing-disk",
        |m| m.system.mounts = all(vec![mount("/d", "UUID=9", "ext4", None)]),
        |m| m.system.mounts = all(vec![mount("/d", "UUID=9", "ext4", Some("disk0p1")), mount("/n", "s:/n", "nfs4", None), mount("/proc", "proc", "proc", None)]),
        |m| m.system.mounts = unread()),
    (Family::Windows, "drive-letter-missing",
        |m| m.system.mounts = all(vec![mount("E:", "12345678", "ntfs", None)]),
        |m| m.system.mounts = all(vec![mount("C:", "12345678", "ntfs", Some("disk0p1"))]),
        |m| m.system.mounts = unread()),
    (Family::Linux, "persistent-nic-names",
        |m| m.system.network.persistent_names = all(vec![PersistentName { name: "eth0".into(), mac: Some("00:50".into()), slot: None, evidence: "/rule".into() }]),
        |m| m.system.network.interfaces = all(vec![Interface { name: "eth0".into(), ..Interface::default() }]),
        |m| m.system.network.interfaces = part(vec![])),
    (Family::Linux, "static-ip",
        |m| m.system.network.interfaces = all(vec![Interface { name: "eth0".into(), addresses: vec!["192.0.2.1/24".into()], ..Interface::default() }]),
        |m| m.system.network.interfaces = all(vec![Interface { name: "lo".into(), addresses: vec!["127.0.0.1/8".into()], ..Interface::default() }]),
        |m| m.system.network.interfaces = unread()),
    (Family::Linux, "network-storage",
        |m| m.system.mounts = all(vec![mount("/home", "s:/home", "nfs4", None)]),
        |m| m.system.mounts = all(vec![mount("/home", "UUID=1", "ext4", None)]),
        |m| m.system.mounts = part(vec![])),
    (Family::Linux, "network-disks",
        |m| m.system.services = all(vec![service("multipathd.service", known(Enabled::Enabled))]),
        |m| m.system.services = all(vec![service("multipathd.service", known(Enabled::Disabled))]),
        |m| m.system.services = all(vec![service("multipathd.service", Fact::unknown("leads nowhere"))])),
    (Family::Linux, "disk-encrypted",
        |m| m.storage.volumes.push(Volume { encrypted: true, ..volume("disk0p2", "LUKS2 aes") }),
        |_| {},
        |m| m.storage.volumes.push(volume("disk0p2", "could not be looked at"))),
    (Family::Windows, "third-party-disk-encryption",
        |m| m.system.packages = all(vec![package("VeraCrypt 1.26")]),
        |m| m.system.packages = all(vec![package("7-Zip")]),
        |m| m.system.packages = unread()),
    (Family::Linux, "unreadable-filesystem",
        |m| m.storage.volumes.push(volume("disk0p3", "zfs, not read")),
        |_| {},
        |m| m.storage.volumes.push(volume("disk0p2", "could not be looked at"))),
    (Family::Linux, "unclean-filesystem",
        |m| m.storage.volumes[0].health = Some("replayed".into()),
        |_| {},
        |m| m.storage.volumes.push(Volume { health: None, ..volume("disk0p3", "zfs, not read") })),
    (Family::Linux, "filesystem-nearly-full",
        |m| m.storage.volumes[0].used = Some(900),
        |m| m.storage.volumes[0].used = Some(899),
        |m| m.storage.volumes[0].used = None),
    (Family::Linux, "raid-md",
        |m| m.storage.volumes.push(volume("disk1", "Linux RAID member, not read")),
        |_| {},
        |m| m.problems.push(Error::corrupt("disk1", 0, "the table"))),
    (Family::Linux, "lvm-thin",
        |m| m.problems.push(Error::unsupported("LVM segment type thin-pool", "it is not read")),
        |_| {},
        |m| m.problems.push(Error::corrupt("disk1", 0, "the table"))),
    (Family::Linux, "damaged-disk",
        |m| m.problems.push(Error::corrupt("disk1", 0, "the table")),
        |m| m.problems.push(Error::unsupported("zfs", "it is not read")),
        |m| m.problems.push(Error::io("disk1", std::io::Error::other("gone")))),
    (Family::Linux, "filesystem-snapshots",
        |m| m.system.packages = all(vec![package("snapper")]),
        |m| m.system.packages = all(vec![]),
        |m| m.system.packages = part(vec![])),
    (Family::Linux, "end-of-life-os",
        |m| m.system.identity.end_of_life = known(EndOfLife { support: "2020-01-01".into(), extended: Some("2025-12-31".into()) }),
        |m| m.system.identity.end_of_life = known(EndOfLife { support: "2020-01-01".into(), extended: Some("2026-01-01".into()) }),
        |m| m.system.identity.end_of_life = Fact::unknown("not in the table")),
    (Family::Linux, "end-of-support-soon",
        |m| m.system.identity.end_of_life = known(EndOfLife { support: "2026-06-01".into(), extended: None }),
        |m| m.system.identity.end_of_life = known(EndOfLife { support: "2026-08-01".into(), extended: None }),
        |m| m.system.identity.end_of_life = Fact::unknown("not in the table")),
    (Family::Linux, "firmware-bios",
        |m| m.system.boot.firmware = all(vec![Firmware::Bios]),
        |m| m.system.boot.firmware = all(vec![Firmware::Uefi]),
        |m| m.system.boot.firmware = unread()),
    (Family::Linux, "firmware-uefi",
        |m| m.system.boot.firmware = all(vec![Firmware::Uefi]),
        |m| m.system.boot.firmware = all(vec![]),
        |m| m.system.boot.firmware = part(vec![])),
    (Family::Linux, "multiple-systems",
        |m| m.second = true,
        |_| {},
        |m| m.storage.volumes.push(volume("disk0p3", "zfs, not read"))),
    (Family::Linux, "custom-kernel",
        |m| { m.system.boot.kernels = all(vec![kernel("6.1.99-mine")]); m.system.packages = all(vec![package("linux-image-6.1.0-18-amd64")]) },
        |m| { m.system.boot.kernels = all(vec![kernel("6.1.0-18-amd64")]); m.system.packages = part(vec![package("linux-image-6.1.0-18-amd64")]) },
        |m| { m.system.boot.kernels = all(vec![kernel("6.1.99-mine")]); m.system.packages = part(vec![]) }),
    (Family::Linux, "kernel-arguments-for-hardware",
        |m| m.system.boot.default = known(entry("ro nomodeset")),
        |m| m.system.boot.default = known(entry("ro quiet resume=UUID=1")),
        |m| m.system.boot.default = Fact::unknown("grub.cfg")),
    (Family::Linux, "no-serial-console",
        |m| m.system.boot.default = known(entry("ro quiet")),
        |m| m.system.boot.default = known(entry("ro console=tty0 console=ttyS0,115200")),
        |m| m.system.boot.default = Fact::unknown("grub.cfg")),
    (Family::Windows, "pending-restart",
        |m| m.system.security.settings = all(vec![setting("pending-restart.servicing", "yes")]),
        |m| m.system.security.settings = all(vec![setting("uac.enabled", "1")]),
        |m| m.system.security.settings = unread()),
    (Family::Windows, "windows-hibernated",
        |m| m.storage.volumes[0] = Volume { health: Some("dirty".into()), ..volume("disk0p1", "NTFS 3.1") },
        |m| m.system.security.settings = all(vec![setting("hibernated", "no")]),
        |_| {}),
    (Family::Linux, "licence-dongle",
        |m| m.system.packages = all(vec![package("aksusbd")]),
        |_| {},
        |m| m.system.services = part(vec![])),
    (Family::Linux, "guest-agent-of-old-platform",
        |m| m.system.packages = all(vec![package("open-vm-tools")]),
        |m| m.system.packages = all(vec![Package { state: Some("config-files".into()), ..package("open-vm-tools") }]),
        |m| m.system.packages = part(vec![])),
    (Family::Linux, "missing-qemu-guest-agent",
        |m| m.system.packages = all(vec![package("bash")]),
        |m| m.system.packages = part(vec![package("qemu-guest-agent")]),
        |m| m.system.packages = part(vec![])),
    (Family::Linux, "cloud-init-datasource",
        |m| m.system.packages = all(vec![package("cloud-init")]),
        |_| {},
        |m| m.system.packages = unread()),
    (Family::Linux, "cloud-agent",
        |m| m.system.packages = all(vec![package("walinuxagent")]),
        |_| {},
        |m| m.system.packages = unread()),
    (Family::Linux, "containers-present",
        |m| m.system.packages = all(vec![package("podman")]),
        // A library of that name is none.
        |m| m.system.packages = all(vec![Package { kind: PackageKind::Python, ..package("docker") }]),
        |m| m.system.containers.containers = unread()),
    (Family::Linux, "kubernetes-node",
        |m| m.system.services = all(vec![service("k3s.service", known(Enabled::Enabled))]),
        |_| {},
        |m| m.system.services = part(vec![])),
    (Family::Linux, "database-running",
        |m| m.system.applications = all(vec![application(ApplicationKind::Database, known(true))]),
        |m| m.system.applications = all(vec![application(ApplicationKind::Database, known(false)), application(ApplicationKind::WebServer, known(true))]),
        |m| m.system.applications = all(vec![application(ApplicationKind::Database, Fact::unknown("its unit"))])),
    (Family::Windows, "cluster-software",
        |m| m.system.services = all(vec![Service { start: Some("automatic".into()), ..service("ClusSvc", known(Enabled::Enabled)) }]),
        |m| m.system.services = all(vec![Service { start: Some("manual".into()), ..service("ClusSvc", known(Enabled::Enabled)) }]),
        |m| m.system.services = unread()),
    (Family::Windows, "domain-controller",
        |m| m.system.services = all(vec![Service { start: Some("automatic".into()), ..service("NTDS", known(Enabled::Enabled)) }]),
        |m| m.system.services = all(vec![Service { start: Some("disabled".into()), ..service("NTDS", known(Enabled::Disabled)) }]),
        |m| m.system.services = unread()),
    (Family::Linux, "domain-member",
        |m| m.system.services = all(vec![service("sssd.service", known(Enabled::Enabled))]),
        |m| m.system.services = all(vec![service("Netlogon", known(Enabled::Enabled))]),
        |m| m.system.services = unread()),
    (Family::Linux, "passthrough",
        |m| m.system.boot.default = known(entry("ro intel_iommu=on")),
        |m| m.system.boot.default = known(entry("ro")),
        |m| m.system.boot.default = Fact::unknown("grub.cfg")),
    (Family::Linux, "no-time-sync",
        |m| m.system.services = all(vec![service("chrony.service", known(Enabled::Disabled))]),
        |m| m.system.services = part(vec![service("chrony.service", known(Enabled::Enabled))]),
        |m| m.system.services = part(vec![])),
    (Family::Linux, "selinux-relabel",
        |m| m.system.security.mandatory_access = all(vec![confined(known("enforcing".into()))]),
        |m| m.system.security.mandatory_access = all(vec![confined(known("disabled".into()))]),
        |m| m.system.security.mandatory_access = all(vec![confined(Fact::unknown("/etc/selinux/config"))])),
    (Family::Linux, "security-product",
        |m| m.system.applications = all(vec![application(ApplicationKind::Security, known(true))]),
        |_| {},
        |m| m.system.applications = unread()),
];

fn bus() -> Driver {
    Driver {
        purpose: DriverPurpose::Bus,
        name: "virtio_pci".into(),
        ..driver(Platform::Virtio, DriverPlace::Early)
    }
}

fn kernel(version: &str) -> Kernel {
    serde_json::from_value(json!({"version": version, "evidence": []})).unwrap()
}

fn confined(mode: Fact<String>) -> MandatoryAccess {
    MandatoryAccess { system: "selinux".into(), mode, policies: Vec::new() }
}

#[test]
fn each_is_there_is_not_there_or_cannot_be_told() {
    for (family, id, hit, clear, undecided) in CASES {
        for (change, wanted) in [(hit, Some(true)), (clear, Some(false)), (undecided, None)] {
            let mut machine = empty(*family);
            change(&mut machine);
            assert_eq!(asked(id, &machine), wanted, "{id}");
        }
    }
}

#[test]
fn every_concern_has_its_cases() {
    let cases: BTreeSet<_> = CASES.iter().map(|(_, id, ..)| *id).collect();
    // Every Windows has this one, and no other system.
    let always = BTreeSet::from(["windows-activation"]);
    let table: BTreeSet<_> = TABLE.iter().map(|entry| entry.id).collect();
    assert_eq!(table.len(), TABLE.len(), "a name stands twice");
    assert_eq!(table, cases.union(&always).copied().collect());
    assert_eq!(asked("windows-activation", &empty(Family::Windows)), Some(true));
    assert_eq!(asked("windows-activation", &empty(Family::Linux)), Some(false));
}

#[test]
fn of_an_unknown_system_nothing_is_ruled_out() {
    let of_windows = [
        "no-virtio-drivers",
        "drive-letter-missing",
        "pending-restart",
        "windows-hibernated",
        "windows-activation",
    ];
    let of_linux = [
        "no-virtio-in-initramfs",
        "old-kernel",
        "custom-kernel",
        "no-serial-console",
        "no-time-sync",
        "fstab-by-path-device",
        "swap-by-path",
        "missing-disk",
        "network-storage",
    ];
    for (family, others) in [(Family::Linux, &of_windows[..]), (Family::Windows, &of_linux)] {
        let mut machine = empty(family);
        machine.system = System::unknown("disk0p1", family, "a test does not say");
        machine.storage.volumes[0].used = None;
        for entry in TABLE.iter().filter(|entry| matches!(entry.about, About::System(_))) {
            let is_known = others.contains(&entry.id)
                || entry.id == "windows-activation"
                || (family == Family::Linux && entry.id == "unsupported-os");
            assert_eq!(asked(entry.id, &machine).is_some(), is_known, "{}", entry.id);
        }
    }
}

#[test]
fn the_list_is_complete_only_if_everything_could_be_told() {
    let machine = empty(Family::Linux);
    let ask = |machine: &Machine| {
        let systems = [machine.system.clone()];
        of(&systems, &machine.storage, &machine.problems, None, &Options::default())
    };
    let (found, undecided) = ask(&machine);
    assert_eq!(undecided, []);
    assert_eq!(found.coverage, fathom_report::Coverage::Complete);
    let mut half = empty(Family::Linux);
    half.system.mounts = unread();
    let (found, undecided) = ask(&half);
    assert_eq!(found.coverage, fathom_report::Coverage::Partial);
    assert!(undecided.iter().all(|it| it.system.as_deref() == Some("disk0p1")));
    assert!(!undecided.is_empty());
}

#[test]
fn what_is_not_of_lvm_is_no_thin_volume() {
    let mut machine = empty(Family::Linux);
    // The word is in "nothing", in the names of groups, and in problems of other kinds.
    machine.storage.volumes.push(volume("disk0p2", "nothing recognised"));
    machine.storage.volumes.push(volume("disk1", "LVM physical volume of thin"));
    let raid = Error::unsupported("LVM segment type raid5", "there is no reader for it yet");
    machine.problems.push(raid.within("thin/lv"));
    assert_eq!(asked("lvm-thin", &machine), Some(false));
    let thin = Error::unsupported("LVM segment type thin", "there is no reader for it yet");
    machine.problems.push(thin.within("vg/lv"));
    assert_eq!(asked("lvm-thin", &machine), Some(true));
}

#[test]
fn nothing_is_told_of_what_an_unknown_loader_tells_the_kernel() {
    let mut machine = empty(Family::Linux);
    machine.system.boot.default = Fact::absent(["/boot"]);
    let of_arguments = [
        "root-by-device-name",
        "passthrough",
        "kernel-arguments-for-hardware",
        "no-serial-console",
    ];
    for id in of_arguments {
        assert_eq!(asked(id, &machine), None, "{id}");
    }
    machine.system.identity.family = Family::Windows;
    for id in of_arguments {
        assert_eq!(asked(id, &machine), Some(false), "{id}");
    }
}

#[test]
fn where_no_system_could_be_looked_at_nothing_is_ruled_out() {
    let storage = Storage { volumes: vec![Volume { encrypted: true, ..volume("disk0", "LUKS2") }] };
    let locked = Error::encrypted("LUKS volume 1-2", "no key was given for it");
    let (found, undecided) = of(&[], &storage, &[], Some(&locked), &Options::default());
    assert_eq!(found.coverage, fathom_report::Coverage::Partial);
    assert_eq!(found.items.len(), 1, "the disk is encrypted: {found:?}");
    let systems = TABLE.iter().filter(|entry| matches!(entry.about, About::System(_))).count();
    // Besides, whether there are several.
    assert_eq!(undecided.len(), systems + 1);
    let (empty, undecided) = of(&[], &Storage::default(), &[], None, &Options::default());
    assert_eq!((empty.items.len(), undecided.len()), (0, 0));
}

#[test]
fn docs_concerns_md_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/concerns.md");
    let mut wanted = String::from(
        "# Concerns\n\nWhat `fathom inspect` says stands in the way of moving a machine, or has to be \
         looked after. Names never change their meaning. Generated from the table in \
         `crates/guest/src/concerns/table.rs`; `FATHOM_BLESS=1 cargo test -p fathom-guest concerns` \
         writes it anew.\n\nA concern is under `concerns` in the report if it is there. It is under \
         `undecided`, with the reason, if it could not be told: the list of concerns is then not \
         complete. One that is in neither is not there.\n\n\
         | concern | category | label | it is there when |\n|---|---|---|---|\n",
    );
    for entry in &TABLE {
        let Entry { id, category, label, when, .. } = entry;
        wanted.push_str(&format!("| `{id}` | {category:?} | {label} | {when} |\n"));
    }
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "docs/concerns.md is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-guest concerns`"
    );
}
