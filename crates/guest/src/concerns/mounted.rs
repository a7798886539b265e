//! What it mounts.

use fathom_report::{Evidence, Family, Mount};

use super::Subject;
use super::answer::{Answer, Search};

/// Filesystems that lie on no disk.
const OF_THE_KERNEL: [&str; 22] = [
    "proc",
    "sysfs",
    "tmpfs",
    "devtmpfs",
    "devpts",
    "cgroup",
    "cgroup2",
    "securityfs",
    "debugfs",
    "tracefs",
    "configfs",
    "mqueue",
    "hugetlbfs",
    "pstore",
    "efivarfs",
    "bpf",
    "fusectl",
    "binfmt_misc",
    "usbfs",
    "ramfs",
    "overlay",
    "none",
];

const REMOTE: [&str; 18] = [
    "autofs",
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "fuse.ceph",
    "glusterfs",
    "fuse.glusterfs",
    "lustre",
    "fuse.sshfs",
    "sshfs",
    "davfs",
    "afs",
    "ncpfs",
    "beegfs",
    "gpfs",
];

/// Whether it names a disk by where it hangs or which one it is, and not by what is on it.
pub(super) fn is_by_device(name: &str) -> bool {
    const STARTS: [&str; 6] =
        ["/dev/sd", "/dev/hd", "/dev/vd", "/dev/xvd", "/dev/nvme", "/dev/mmcblk"];
    // What LVM and the device mapper name has a UUID of its own there.
    let of_disk =
        |rest: &str| !["dm-", "lvm-pv-", "md-"].iter().any(|start| rest.starts_with(start));
    STARTS.iter().any(|start| name.starts_with(start))
        || name.starts_with("/dev/disk/by-path/")
        || name.strip_prefix("/dev/disk/by-id/").is_some_and(of_disk)
}

fn place(mount: &Mount) -> Vec<Evidence> {
    vec![mount.evidence.clone()]
}

/// The way in which one that is not a disk of this machine is mounted.
fn is_remote(mount: &Mount) -> bool {
    REMOTE.contains(&mount.kind.as_str())
}

pub(super) fn by_device(subject: &Subject<'_>) -> Answer {
    if subject.is(Family::Windows) {
        return Answer::No;
    }
    let hit = |mount: &Mount| {
        let name = format!("{} on {}", mount.device, mount.path);
        Ok(is_by_device(&mount.device).then(|| (name, place(mount))))
    };
    Search::new().of(&subject.system.mounts, hit).answer(
        "filesystems are named by the disk or its place",
        "On another machine these names lead elsewhere, or nowhere: name them by UUID",
    )
}

pub(super) fn swap_by_device(subject: &Subject<'_>) -> Answer {
    if subject.is(Family::Windows) {
        return Answer::No;
    }
    Search::new()
        .of(&subject.system.swap, |swap| {
            let hit = is_by_device(&swap.device);
            Ok(hit.then(|| (swap.device.clone(), vec![swap.evidence.clone()])))
        })
        .answer(
            "swap is named by the disk or its place",
            "On another machine it is not found, and the start waits for it: name it by UUID",
        )
}

pub(super) fn missing(subject: &Subject<'_>) -> Answer {
    if subject.is(Family::Windows) {
        return Answer::No;
    }
    let hit = |mount: &Mount| {
        let is_option = |name: &str| mount.options.iter().any(|option| option == name);
        let is_bound = is_option("bind") || is_option("rbind") || is_option("loop");
        let must = !is_option("nofail") && !is_option("noauto");
        let of_disk = !is_remote(mount)
            && !OF_THE_KERNEL.contains(&mount.kind.as_str())
            && !mount.kind.starts_with("fuse")
            && mount.device != "none"
            && mount.device != "tmpfs"
            // A disk in a drive is not missed.
            && !["/dev/cdrom", "/dev/sr", "/dev/fd", "/dev/scd"]
                .iter()
                .any(|start| mount.device.starts_with(start));
        let is = mount.volume.is_none() && must && of_disk && !is_bound;
        Ok(is.then(|| (format!("{} on {}", mount.device, mount.path), place(mount))))
    };
    Search::new().of(&subject.system.mounts, hit).answer(
        "it mounts what is on no disk that was given, or under a name that is not found there",
        "Give the disk with --disk; without it the system does not start by itself",
    )
}

pub(super) fn remote(subject: &Subject<'_>) -> Answer {
    if subject.is(Family::Windows) {
        return Answer::No;
    }
    let hit = |mount: &Mount| {
        let name = format!("{} on {}", mount.device, mount.path);
        Ok(is_remote(mount).then(|| (name, place(mount))))
    };
    Search::new().of(&subject.system.mounts, hit).answer(
        "filesystems come over the network",
        "The new machine has to reach the same servers, from an address that they let in",
    )
}
