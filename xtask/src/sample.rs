//! The sample disks that the documents look into, made by the tools that own each format, as root, and
//! kept in the repository so that looking needs neither.
//!
//! `server` is small, as an installer would lay it out: GPT, an EFI partition, `/boot`, and LVM with
//! ext4 and XFS on it. `machine` is a server that somebody uses, on subvolumes of Btrfs; every section
//! of the report has something to say of it. Nothing on either was ever real.

use anyhow::Result;

use crate::oracle::Work;
use crate::shell::{project, visible};
use crate::tools;

/// Which of the sample disks are made.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// This one alone.
    name: Option<Name>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Name {
    Server,
    Machine,
}

/// Makes the sample disks anew.
pub(crate) fn make(arguments: &Arguments) -> Result<()> {
    tools::setup()?;
    let out = project().join("samples");
    std::fs::create_dir_all(&out)?;
    let machine = [
        "export SOURCE_DATE_EPOCH=1770109200\n",
        include_str!("sample/system.sh"),
        include_str!("sample/software.sh"),
        include_str!("sample/disk.sh"),
    ]
    .concat();
    for (name, file, script) in
        [(Name::Server, "server.qcow2", SERVER), (Name::Machine, "machine.qcow2", machine.as_str())]
    {
        if arguments.name.is_some_and(|only| only != name) {
            continue;
        }
        let work = Work::new(&format!("sample-{file}"), false)?;
        work.bash(script)?;
        std::fs::copy(work.path(file), out.join(file))?;
        visible(&out, &format!("ls -l {file}"))?;
    }
    Ok(())
}

const SERVER: &str = r#"
export SOURCE_DATE_EPOCH=1767225600
truncate -s 1G disk
sgdisk -a 2048 \
  -n 1:0:+32M -t 1:ef00 -c 1:EFI \
  -n 2:0:+64M -t 2:8300 -c 2:boot \
  -n 3:0:0 -t 3:8e00 -c 3:lvm disk >/dev/null
offset() { echo $(( $(sgdisk -i "$1" disk | awk '/First sector/ { print $3 }') * 512 )); }

# LVM metadata by its own tools; the kernel need not know the device mapper.
loop=$(losetup -f --show -o "$(offset 3)" --sizelimit $((1024*1024*1024 - $(offset 3) - 1024*1024)) disk)
trap 'losetup -d $loop 2>/dev/null || true' EXIT
export LVM_SUPPRESS_FD_WARNINGS=1
config="devices { filter=[\"a|^$loop\$|\", \"r|.*|\"] use_devicesfile=0 dir=\"/dev\" scan=[\"/dev\"] } backup { backup=0 archive=0 } global { locking_dir=\"$PWD\" event_activation=0 }"
pvcreate -q --config "$config" "$loop" >/dev/null
vgcreate -q --config "$config" server "$loop" >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 256M -n root server >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 320M -n var server >/dev/null
start() { pvs --config "$config" --noheadings --nosuffix --units b --segments -o lv_name,seg_start_pe,pe_start,vg_extent_size,pvseg_start "$loop" | awk -v n="$1" '$1 == n { printf "%d\n", $3 + $5 * $4 }'; }
root_at=$(( $(offset 3) + $(start root) )); var_at=$(( $(offset 3) + $(start var) ))
losetup -d "$loop"; trap - EXIT

mkdir -p root/etc root/boot/efi root/var root/usr/bin root/usr/lib root/root root/home/operator root/tmp root/proc root/sys root/dev root/run
cat > root/usr/lib/os-release <<'X'
PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
X
ln -s ../usr/lib/os-release root/etc/os-release
echo server > root/etc/hostname
cat > root/etc/fstab <<'X'
/dev/mapper/server-root /         ext4 errors=remount-ro 0 1
/dev/mapper/server-var  /var      xfs  defaults          0 2
UUID=5ab0f00d-0000-4000-8000-000000000002 /boot ext4 defaults 0 2
UUID=5AB0-F00D          /boot/efi vfat umask=0077        0 1
X
printf 'root:x:0:0:root:/root:/bin/bash\noperator:x:1000:1000::/home/operator:/bin/bash\n' > root/etc/passwd
printf '#!/bin/sh\necho backup\n' > root/usr/bin/backup; chmod 755 root/usr/bin/backup
printf 'export EDITOR=vi\n' > root/home/operator/.profile
chown -R 1000:1000 root/home/operator; chmod 1777 root/tmp; chmod 700 root/root
mke2fs -q -t ext4 -L root -U 5ab0f00d-0000-4000-8000-000000000001 -E root_owner=0:0,hash_seed=5ab0f00d-0000-4000-8000-00000000000a,lazy_itable_init=1 -d root root.img 256M
dd if=root.img of=disk bs=1M seek=$root_at oflag=seek_bytes conv=notrunc,sparse status=none

mkdir -p boot/grub boot/efi
printf 'set timeout=5\nmenuentry "Debian" { linux /vmlinuz-6.1.0-28-amd64 root=/dev/mapper/server-root }\n' > boot/grub/grub.cfg
head -c 20000 /dev/zero | tr '\0' 'k' > boot/vmlinuz-6.1.0-28-amd64
mke2fs -q -t ext4 -L boot -U 5ab0f00d-0000-4000-8000-000000000002 -E hash_seed=5ab0f00d-0000-4000-8000-00000000000b,lazy_itable_init=1 -d boot boot.img 64M
dd if=boot.img of=disk bs=1M seek=$(offset 2) oflag=seek_bytes conv=notrunc,sparse status=none

truncate -s 32M efi.img
mkfs.fat -F 16 -n EFI -i 5AB0F00D efi.img >/dev/null
mmd -i efi.img ::/EFI ::/EFI/debian
printf 'not a boot loader\n' > shim; mcopy -i efi.img shim ::/EFI/debian/shimx64.efi
dd if=efi.img of=disk bs=1M seek=$(offset 1) oflag=seek_bytes conv=notrunc,sparse status=none

truncate -s 320M var.img
mkfs.xfs -q -L var -m uuid=5ab0f00d-0000-4000-8000-000000000003 var.img
mkdir mnt; mount -o loop var.img mnt
mkdir -p mnt/lib/dpkg mnt/log mnt/backups
for package in bash:5.2.15-2+b7 coreutils:9.1-1 dpkg:1.21.22 libc6:2.36-9+deb12u9 openssh-server:1:9.2p1-2+deb12u3 openssl:3.0.15-1~deb12u1 systemd:252.31-1~deb12u1 zlib1g:1:1.2.13.dfsg-1; do
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nMaintainer: Debian\nDescription: a package\n\n' "${package%%:*}" "${package#*:}"
done > mnt/lib/dpkg/status
printf 'started\n' > mnt/log/messages
truncate -s 4M mnt/backups/sparse.img
umount mnt
dd if=var.img of=disk bs=1M seek=$var_at oflag=seek_bytes conv=notrunc,sparse status=none
qemu-img convert -c -O qcow2 -o compression_type=zstd disk server.qcow2
"#;
