//! Where a machine's root is and what it mounts: the layouts of distributions, several systems on one
//! disk, deployments of ostree, and what systemd mounts by itself.

use anyhow::{Context as _, Result, ensure};
use fathom_guest::Options;
use fathom_guest::report::{Fact, System};

use super::{Case, Work};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("boot/layout-btrfs", btrfs),
        Case::new("boot/layout-several", several),
        Case::new("boot/layout-ostree", ostree),
        Case::new("boot/layout-by-path", by_path),
        Case::new("boot/layout-discoverable", discoverable),
    ]
}

fn systems(work: &Work, images: &[&str]) -> Result<Vec<System>> {
    let inspection = fathom_guest::inspect(&work.discover(images, &[])?, &Options::default());
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    Ok(inspection.systems)
}

/// Host name and packages: the one lies in `/etc`, the others in `/var`.
fn shown(system: &System) -> String {
    let host = match &system.identity.hostname {
        Fact::Known { value, .. } => value.as_str(),
        _ => "?",
    };
    let packages: Vec<_> = system.packages.items.iter().map(|it| it.name.as_str()).collect();
    format!("{host}: {}", packages.join(" "))
}

/// Says in `/etc` and `/var` of a folder what it is.
const FILL: &str = r#"
etc() { mkdir -p "$1/etc" "$1/usr" "$1/var"; echo ID=debian > "$1/etc/os-release"; echo "$2" > "$1/etc/hostname"; }
var() { mkdir -p "$1/lib/dpkg"; printf 'Package: %s\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n' "$2" > "$1/lib/dpkg/status"; }
"#;

/// The subvolumes of four distributions, with snapshots beside them, as the kernel makes them.
fn btrfs(work: &Work) -> Result<()> {
    for (name, make) in [
        (
            "fedora",
            "btrfs -q subvolume create m/root; btrfs -q subvolume create m/home; etc m/root fedora; var m/root/var in-root
             echo \"UUID=$uuid / btrfs subvol=root 0 0\" > m/root/etc/fstab
             echo \"UUID=$uuid /home btrfs subvol=home 0 0\" >> m/root/etc/fstab; mkdir m/root/home
             btrfs -q subvolume snapshot m/root m/root-snapshot",
        ),
        (
            "ubuntu",
            "btrfs -q subvolume create m/@; btrfs -q subvolume create m/@home; etc m/@ ubuntu; var m/@/var in-root
             echo \"UUID=$uuid / btrfs defaults,subvol=@ 0 1\" > m/@/etc/fstab
             mkdir -p m/timeshift-btrfs/snapshots/1; btrfs -q subvolume snapshot m/@ m/timeshift-btrfs/snapshots/1/@",
        ),
        (
            "debian",
            "btrfs -q subvolume create m/@rootfs; etc m/@rootfs debian; var m/@rootfs/var in-root
             echo \"UUID=$uuid / btrfs defaults,subvol=@rootfs 0 0\" > m/@rootfs/etc/fstab",
        ),
        (
            "opensuse",
            "btrfs -q subvolume create m/@; btrfs -q subvolume create m/@/var; btrfs -q subvolume create m/@/.snapshots
             mkdir m/@/.snapshots/1 m/@/.snapshots/2; root=m/@/.snapshots/1/snapshot
             btrfs -q subvolume create $root; etc $root opensuse; var m/@/var in-var
             echo \"UUID=$uuid / btrfs defaults 0 0\" > $root/etc/fstab
             echo \"UUID=$uuid /var btrfs subvol=/@/var 0 0\" >> $root/etc/fstab
             echo \"UUID=$uuid /.snapshots btrfs subvol=/@/.snapshots 0 0\" >> $root/etc/fstab; mkdir $root/.snapshots
             btrfs -q subvolume snapshot -r $root m/@/.snapshots/2/snapshot
             btrfs subvolume set-default $(btrfs inspect-internal rootid $root) m",
        ),
        (
            "other",
            "btrfs -q subvolume create m/active; etc m/active other; var m/active/var in-root
             btrfs -q subvolume snapshot m/active m/before",
        ),
    ] {
        work.bash(&format!(
            "{FILL} rm -f image; truncate -s 200M image; mkfs.btrfs -q image; uuid=$(blkid -o value -s UUID image)
             mkdir -p m; mount -o loop image m; {make}
             umount m"
        ))?;
        let systems = systems(work, &["image"])?;
        let package = if name == "opensuse" { "in-var" } else { "in-root" };
        let shown: Vec<_> = systems.iter().map(shown).collect();
        ensure!(shown == [format!("{name}: {package}")], "{name}: {shown:?}");
        ensure!(systems[0].problems.is_empty(), "{name}: {:?}", systems[0].problems);
    }
    Ok(())
}

/// Two Linux and a Windows on one disk, and a `/var` that belongs to one of them.
fn several(work: &Work) -> Result<()> {
    work.bash(&format!(
        r#"{FILL}
truncate -s 400M disk
sgdisk -n 1:0:+64M -n 2:0:+64M -n 3:0:+64M -n 4:0:0 -t 4:0700 disk > /dev/null
put() {{ dd if=$2 of=disk bs=512 seek=$(sgdisk -i $1 disk | awk '/First sector/ {{ print $3 }}') conv=notrunc status=none; }}
etc one first; var one/var own; printf 'LABEL=one / ext4\n' > one/etc/fstab
etc two second; printf 'LABEL=two / ext4\nPARTUUID=%s /var ext4\n' $(sgdisk -i 3 disk | awk '/unique/ {{ print tolower($4) }}') > two/etc/fstab
var three separate
for it in one two three; do mke2fs -q -t ext4 -L $it -d $it $it.img 64M; done
put 1 one.img; put 2 two.img; put 3 three.img
truncate -s 150M win.img; mkntfs -q -F win.img
mkdir -p mnt; mount -t ntfs-3g -o loop win.img mnt 2>/dev/null || ntfs-3g win.img mnt
mkdir -p mnt/Windows/System32/config; echo x > mnt/Windows/System32/ntoskrnl.exe; umount mnt
put 4 win.img"#
    ))?;
    let systems = systems(work, &["disk"])?;
    let roots: Vec<_> = systems.iter().map(|it| it.root.as_str()).collect();
    ensure!(roots == ["disk0/p1", "disk0/p2", "disk0/p4"], "{roots:?}");
    let linux: Vec<_> = systems[..2].iter().map(shown).collect();
    ensure!(linux == ["first: own", "second: separate"], "{linux:?}");
    let volumes = systems[1].mounts.items.iter().map(|it| it.volume.as_deref());
    let volumes: Vec<_> = volumes.collect();
    ensure!(volumes == [Some("disk0/p2"), Some("disk0/p3")], "{volumes:?}");
    Ok(())
}

/// Two deployments that ostree made, `/boot` in its place or on a partition of its own.
fn ostree(work: &Work) -> Result<()> {
    work.bash(&format!(
        r#"{FILL}
truncate -s 200M image; mkfs.ext4 -q -O ^metadata_csum_seed image; mkdir -p m; mount -o loop image m
ostree admin init-fs m 2>&1; ostree admin os-init fathom --sysroot=m 2>&1
commit() {{
  rm -rf tree; mkdir -p tree/usr/etc tree/usr/lib/modules/$1 tree/usr/share tree/{{proc,sys,dev,run,sysroot,var,boot,tmp}}
  ln -s var/home tree/home; ln -s sysroot/ostree tree/ostree
  printf 'ID=fedora\nPRETTY_NAME=Release %s\n' $1 > tree/usr/lib/os-release; ln -s ../usr/lib/os-release tree/usr/etc/os-release
  echo host-$1 > tree/usr/etc/hostname; echo kernel-$1 > tree/usr/lib/modules/$1/vmlinuz; echo initramfs-$1 > tree/usr/lib/modules/$1/initramfs.img
  ostree --repo=m/ostree/repo commit -b os tree --owner-uid=0 --owner-gid=0 > /dev/null
  ostree admin deploy --sysroot=m --os=fathom os --karg=root=LABEL=x 2>&1
}}
commit 6.1.0; commit 6.2.0
var m/ostree/deploy/fathom/var kept-in-var
ostree admin status --sysroot=m > status 2>&1 || true
umount m"#
    ))?;
    let systems = systems(work, &["image"])?;
    let [system] = systems.as_slice() else {
        anyhow::bail!("{} systems", systems.len());
    };
    ensure!(shown(system) == "host-6.2.0: kept-in-var", "{}", shown(system));
    ensure!(system.problems.is_empty(), "{:?}", system.problems);
    ensure!(system.root.starts_with("disk0:/ostree/deploy/fathom/deploy/"), "{}", system.root);
    let first = work.bash("grep -o 'fathom [0-9a-f]*\\.[0-9]' status | head -1")?;
    let deployed = first.trim().strip_prefix("fathom ").context("ostree lists none")?;
    ensure!(system.root.ends_with(deployed), "ostree starts {deployed}, we say {}", system.root);
    let mut kernels: Vec<_> =
        system.boot.kernels.items.iter().map(|it| it.version.as_str()).collect();
    kernels.sort_unstable();
    ensure!(kernels.contains(&"6.2.0"), "{kernels:?}");
    Ok(())
}

/// Names by the place of the hardware mean what they say only where there is but one disk.
fn by_path(work: &Work) -> Result<()> {
    let one = |second: &str| {
        format!(
            r#"{FILL}
rm -rf one disk; etc one host; var one/var own; mkdir -p one/srv
printf '/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0-part1 / ext4\n{second}' > one/etc/fstab
truncate -s 100M disk; echo 'start=2048, type=83' | sfdisk -q disk
mke2fs -q -t ext4 -d one one.img 64M; dd if=one.img of=disk bs=512 seek=2048 conv=notrunc status=none"#
        )
    };
    work.bash(&one(""))?;
    let alone = systems(work, &["disk"])?;
    ensure!(
        alone[0].mounts.items[0].volume.as_deref() == Some("disk0/p1"),
        "{:?}",
        alone[0].mounts
    );
    ensure!(alone[0].problems.is_empty(), "{:?}", alone[0].problems);
    work.bash(&one("/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0-part1 /srv ext4\\n"))?;
    let two = systems(work, &["disk"])?;
    let volumes: Vec<_> = two[0].mounts.items.iter().map(|it| it.volume.as_deref()).collect();
    ensure!(volumes == [None, None], "{volumes:?}");
    let hidden = two[0].problems.iter().any(|it| it.message.contains("place in the machine"));
    ensure!(hidden, "{:?}", two[0].problems);
    Ok(())
}

/// Partitions of the types of the specification, and no fstab.
fn discoverable(work: &Work) -> Result<()> {
    work.bash(&format!(
        r#"{FILL}
truncate -s 400M disk
sgdisk -n 1:0:+64M -t 1:ef00 -n 2:0:+64M -t 2:8304 -n 3:0:+64M -t 3:8310 -n 4:0:+64M -t 4:8302 disk > /dev/null
put() {{ dd if=$2 of=disk bs=512 seek=$(sgdisk -i $1 disk | awk '/First sector/ {{ print $3 }}') conv=notrunc status=none; }}
etc root host; mkdir -p root/home root/efi root/usr/lib/systemd/system-generators
cp /usr/lib/systemd/system-generators/systemd-gpt-auto-generator root/usr/lib/systemd/system-generators/
var var separate; mkdir -p home/joe
mke2fs -q -t ext4 -d root root.img 64M; mke2fs -q -t ext4 -d var var.img 64M; mke2fs -q -t ext4 -d home home.img 64M
rm -f home/.x; put 2 root.img; put 3 var.img; put 4 home.img
mkfs.vfat -C esp.img 65536 > /dev/null; put 1 esp.img"#
    ))?;
    let systems = systems(work, &["disk"])?;
    let shown: Vec<_> = systems.iter().map(shown).collect();
    ensure!(shown == ["host: separate"], "{shown:?} {:?}", systems[0].problems);
    let mut paths: Vec<_> = systems[0].mounts.items.iter().map(|it| it.path.as_str()).collect();
    paths.sort_unstable();
    ensure!(paths == ["/efi", "/home", "/var"], "{paths:?}");
    Ok(())
}
