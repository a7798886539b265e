//! The guest that is measured: this machine's own programs on a disk as installers lay it out.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::oracle::Work;
use crate::shell::{bash, cache};

/// Images of one guest in several containers, kept in the cache.
pub(super) struct Guest {
    pub(super) description: String,
    /// For the first file: a clean and a dirty filesystem.
    pub(super) first: Vec<(&'static str, PathBuf)>,
    /// The whole disk in several containers.
    pub(super) containers: Vec<(&'static str, PathBuf)>,
    /// Single filesystems.
    pub(super) filesystems: Vec<(&'static str, PathBuf)>,
    scratch: PathBuf,
}

impl Guest {
    /// Makes the images, unless they are there from before.
    pub(super) fn make() -> Result<Self> {
        let directory = cache()?.join("bench");
        std::fs::create_dir_all(&directory)?;
        if !directory.join("done").exists() {
            let work = Work::new("bench", false)?;
            work.bash(&SCRIPT.replace("@OUT@", &directory.display().to_string()))?;
        }
        let description = bash(&directory, "cat done")?.trim().to_owned();
        let image = |name: &str| directory.join(name);
        let scratch = if Path::new("/dev/shm").is_dir() && shm_has_room() {
            PathBuf::from("/dev/shm/fathom-bench")
        } else {
            directory.join("scratch")
        };
        std::fs::create_dir_all(&scratch)?;
        Ok(Self {
            description,
            first: vec![
                ("qcow2, GPT, LVM, ext4, clean", image("disk.qcow2")),
                ("the same, journal dirty", image("dirty.qcow2")),
            ],
            containers: vec![
                ("qcow2", image("disk.qcow2")),
                ("qcow2, zlib", image("disk-zlib.qcow2")),
                ("qcow2, zstd", image("disk-zstd.qcow2")),
                ("VMDK monolithicSparse", image("disk.vmdk")),
                ("VMDK streamOptimized", image("disk-stream.vmdk")),
                ("VHDX", image("disk.vhdx")),
            ],
            filesystems: vec![
                ("ext4", image("ext4.raw")),
                ("XFS", image("xfs.raw")),
                ("Btrfs", image("btrfs.raw")),
            ],
            scratch,
        })
    }

    /// A folder for what is measured to write into.
    pub(super) fn scratch(&self) -> String {
        self.scratch.display().to_string()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// Two raw images of the guest take some three gigabytes.
fn shm_has_room() -> bool {
    rustix::fs::statvfs("/dev/shm").is_ok_and(|stat| stat.f_bavail * stat.f_frsize > 6 << 30)
}

const SCRIPT: &str = r#"
out=@OUT@
truncate -s 6G disk
sgdisk -a 2048 -n 1:0:+64M -t 1:ef00 -n 2:0:0 -t 2:8e00 disk >/dev/null
at=$(( $(sgdisk -i 2 disk | awk '/First sector/ { print $3 }') * 512 ))
loop=$(losetup -f --show -o $at --sizelimit $((6*1024*1024*1024 - at - 1024*1024)) disk)
config="devices { filter=[\"a|^$loop\$|\", \"r|.*|\"] use_devicesfile=0 } backup { backup=0 archive=0 } global { locking_dir=\"$PWD\" event_activation=0 }"
pvcreate -q --config "$config" $loop >/dev/null
vgcreate -q --config "$config" guest $loop >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 5G -n root guest >/dev/null
losetup -d $loop
root=$((at + 1024*1024))

fill() {
  mkdir -p "$1/etc" "$1/var/lib/dpkg" "$1/usr"
  cp -a /usr/bin /usr/sbin "$1/usr/"
  cp -a /usr/share/doc /usr/share/perl "$1/usr/" 2>/dev/null || true
  cp -a /usr/lib/x86_64-linux-gnu "$1/usr/" 2>/dev/null || cp -a /usr/lib/"$(uname -m)"-linux-gnu "$1/usr/"
  cp -L /etc/os-release "$1/etc/os-release"
  cp /var/lib/dpkg/status "$1/var/lib/dpkg/status"
  # A guest's own bytes: not even the compressors of this machine's files make less of them.
  head -c 300M /dev/urandom > "$1/var/data"
}
mkdir mnt
loop=$(losetup -f --show -o $root --sizelimit $((5*1024*1024*1024)) disk)
mkfs.ext4 -q -L root $loop
mount $loop mnt; fill mnt; sync
files=$(find mnt -type f | wc -l); bytes=$(du -sm mnt | cut -f1)
umount mnt
qemu-img convert -O qcow2 disk "$out/disk.qcow2"
qemu-img convert -c -O qcow2 disk "$out/disk-zlib.qcow2"
qemu-img convert -c -O qcow2 -o compression_type=zstd disk "$out/disk-zstd.qcow2"
qemu-img convert -O vmdk disk "$out/disk.vmdk"
qemu-img convert -O vmdk -o subformat=streamOptimized disk "$out/disk-stream.vmdk"
qemu-img convert -O vhdx disk "$out/disk.vhdx"
# The machine is running: files have been changed and fsynced, and the copy is taken as it stands.
mount $loop mnt
for i in $(seq 1 300); do echo $i > mnt/etc/changed-$i; done
sync -f mnt
for i in $(seq 1 50); do echo again $i >> mnt/etc/changed-$i; sync mnt/etc/changed-$i; done
cp --sparse=always disk running
umount mnt; losetup -d $loop
qemu-img convert -O qcow2 running "$out/dirty.qcow2"; rm running disk

for kind in ext4 xfs btrfs; do
  truncate -s 4G fs; mkfs.$kind -q fs
  mount -o loop fs mnt; fill mnt; umount mnt
  cp --sparse=always fs "$out/$kind.raw"; rm fs
done
echo "6 GiB virtual, GPT, LVM, ext4; $files files, $bytes MiB" > "$out/done"
"#;
