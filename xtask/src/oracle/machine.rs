//! A real Debian as its own installer's tools make it, on disks laid out as people lay them out. What
//! we say of it is what the owning tools say of the same files.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use fathom_guest::Options;
use fathom_guest::report::{PackageKind, PasswordState, ServiceKind, System};
use sha2::{Digest as _, Sha256};

use super::guest::same;
use super::{Case, Work};
use crate::shell;

pub(super) fn cases() -> Vec<Case> {
    LAYOUTS
        .map(|(name, layout, keys)| {
            Case::new(format!("machine/debian-{name}"), move |work| compare(work, layout, keys))
        })
        .into()
}

/// A way to lay out the disk: its name, the script that makes `image` with what the function `fill`
/// puts into `mnt`, and the passphrases.
pub(crate) type Layout = (&'static str, &'static str, &'static [&'static str]);

/// How people lay them out.
pub(crate) const LAYOUTS: [Layout; 3] =
    [("lvm", LVM, &[]), ("btrfs", BTRFS, &[]), ("luks", LUKS, &["secret"])];

/// The root directory of the machine, in the cache: it is made once for each way of making it.
pub(crate) fn debian() -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let version: String =
        Sha256::digest(MAKE).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let folder = shell::cache()?.join(format!("debian-{version}"));
    if !folder.join("done").exists() {
        println!("making a Debian");
        std::fs::create_dir_all(&folder)?;
        shell::bash(&folder, MAKE)?;
    }
    Ok(folder.join("root"))
}

/// A server with the usual services, accounts and settings. Manuals are left out.
const MAKE: &str = r#"
rm -rf root part.tar
mmdebstrap --quiet --mode=root --variant=important \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include=apparmor,auditd,btrfs-progs,chrony,cloud-init,cryptsetup-initramfs,fail2ban,grub-pc,initramfs-tools,linux-image-cloud-amd64,lvm2,netplan.io,nginx-light,openssh-server,postgresql,python3-requests,qemu-guest-agent,sudo,systemd-sysv,ufw,unattended-upgrades,xfsprogs \
  --customize-hook='printf "db7.example.org\n" > "$1/etc/hostname"
    ln -sf /usr/share/zoneinfo/Europe/Vienna "$1/etc/localtime"
    printf "LANG=de_AT.UTF-8\n" > "$1/etc/default/locale"
    chroot "$1" useradd -m -s /bin/bash -c "Joe of operations" -G sudo joe
    printf "joe:secret\n" | chroot "$1" chpasswd
    chroot "$1" useradd -r -s /usr/sbin/nologin backup-agent
    chroot "$1" passwd -q -l backup-agent
    chroot "$1" systemctl -q mask apt-daily.timer
    chroot "$1" systemctl -q disable nginx
    chroot "$1" systemctl -q enable fstrim.timer
    chroot "$1" systemd-machine-id-setup >/dev/null 2>&1' \
  bookworm part.tar > log 2>&1 || { cat log >&2; false; }
mkdir root; tar -xpf part.tar -C root --numeric-owner --xattrs --xattrs-include='*'; rm part.tar
touch done
"#;

/// GPT, an ESP, and a volume group with ext4 for the root and XFS for `/var`; as qcow2.
const LVM: &str = r#"
truncate -s 4G disk
sgdisk -n 1:0:+64M -t 1:ef00 -n 2:0:0 -t 2:8e00 disk >/dev/null
at=$(( $(sgdisk -i 2 disk | awk '/First sector/ { print $3 }') * 512 ))
loop=$(losetup -f --show -o $at --sizelimit $((4*1024*1024*1024 - at - 1024*1024)) disk)
config="devices { filter=[\"a|^$loop\$|\", \"r|.*|\"] use_devicesfile=0 } backup { backup=0 archive=0 } global { locking_dir=\"$PWD\" event_activation=0 }"
pvcreate -q --config "$config" $loop >/dev/null; vgcreate -q --config "$config" guest $loop >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 2G -n root guest >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 1G -n var guest >/dev/null
losetup -d $loop
root=$(losetup -f --show -o $((at + 1024*1024)) --sizelimit $((2<<30)) disk)
var=$(losetup -f --show -o $((at + 1024*1024 + (2<<30))) --sizelimit $((1<<30)) disk)
esp=$(losetup -f --show -o $((2048*512)) --sizelimit $((64<<20)) disk)
mkfs.vfat -i ABCD1234 $esp >/dev/null; mkfs.ext4 -q $root; mkfs.xfs -q $var
mkdir mnt; mount $root mnt; mkdir -p mnt/var mnt/boot/efi; mount $var mnt/var
mmd -i $esp ::/EFI ::/EFI/BOOT; mcopy -i $esp /bin/true ::/EFI/BOOT/BOOTX64.EFI
fill
cat > mnt/etc/fstab <<S
/dev/mapper/guest-root / ext4 errors=remount-ro 0 1
UUID=$(blkid -o value -s UUID $var) /var xfs defaults,nodev 0 2
UUID=ABCD-1234 /boot/efi vfat umask=0077 0 1
/dev/guest/swap none swap sw 0 0
tmpfs /tmp tmpfs nosuid,nodev 0 0
S
cp mnt/etc/fstab fstab
umount mnt/var mnt; losetup -d $root $var $esp
qemu-img convert -O qcow2 disk image; rm disk
"#;

/// MBR, and Btrfs with a subvolume for the root and one for `/home`, as Ubuntu names them; as VMDK.
const BTRFS: &str = r#"
truncate -s 4G disk; echo '2048,,L' | sfdisk -q disk
loop=$(losetup -f --show -o $((1<<20)) disk); mkfs.btrfs -q $loop; mkdir mnt; mount $loop mnt
btrfs -q subvolume create mnt/@; btrfs -q subvolume create mnt/@home; umount mnt
mount -o subvol=@,compress=zstd $loop mnt; mkdir mnt/home; mount -o subvol=@home $loop mnt/home
fill
uuid=$(blkid -o value -s UUID $loop)
printf 'UUID=%s / btrfs defaults,subvol=@ 0 1\nUUID=%s /home btrfs defaults,subvol=@home 0 2\n' $uuid $uuid > mnt/etc/fstab
cp mnt/etc/fstab fstab
umount mnt/home mnt; losetup -d $loop
qemu-img convert -O vmdk -o subformat=streamOptimized disk image; rm disk
"#;

/// XFS on the whole of a disk that is encrypted, by another hand than cryptsetup's.
const LUKS: &str = r#"
truncate -s 3G clear; mkfs.xfs -q clear; mkdir mnt; mount -o loop clear mnt
fill
echo 'LABEL=none / xfs defaults 0 1' > mnt/etc/fstab; cp mnt/etc/fstab fstab
umount mnt
for attempt in {1..60}; do
  [ $attempt -lt 5 ] || sleep 0.3
  qemu-img convert -f raw -O luks --object secret,id=s,data=secret -o key-secret=s,iter-time=10 clear image 2> log && break
done
rm clear
"#;

fn compare(work: &Work, layout: &str, keys: &[&str]) -> Result<()> {
    let root = debian()?;
    let root = root.display();
    work.bash(&format!("fill() {{ cp -a {root}/. mnt/; }}\n{layout}"))?;
    let inspection = fathom_guest::inspect(&work.discover(&["image"], keys)?, &Options::default());
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let [system] = &inspection.systems[..] else {
        anyhow::bail!("{} systems were found", inspection.systems.len());
    };
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    let said = |script: &str| work.bash(&script.replace("ROOT", &root.to_string()));
    same(&said(PACKAGES)?, &packages(system)).context("packages")?;
    same(&said(IDENTITY)?, &identity(system)).context("identity")?;
    same(&said(UNITS)?, &units(system)).context("units")?;
    same(&said(ACCOUNTS)?, &accounts(system)).context("accounts")?;
    same(&said(GROUPS)?, &groups(system)).context("groups")?;
    same(&said(KERNELS)?, &kernels(system)).context("kernels")?;
    same(&said(MOUNTS)?, &mounts(system)).context("mounts")
}

const PACKAGES: &str = r"dpkg-query --admindir=ROOT/var/lib/dpkg -W -f '${Package} ${Version} ${Architecture} ${source:Package} ${source:Version} ${db:Status-Status}\n'";

fn packages(system: &System) -> Vec<String> {
    let of_system = system.packages.items.iter().filter(|one| one.kind == PackageKind::Deb);
    of_system
        .map(|one| {
            let version = one.full_version();
            format!(
                "{} {version} {} {} {} {}",
                one.name,
                one.architecture.as_deref().unwrap_or_default(),
                one.source.as_ref().unwrap_or(&one.name),
                one.source_version.as_ref().unwrap_or(&version),
                one.state.as_deref().unwrap_or("installed"),
            )
        })
        .collect()
}

const IDENTITY: &str = r#". ROOT/etc/os-release; printf '%s\n' "$ID" "$VERSION_ID" "$VERSION_CODENAME" "$PRETTY_NAME"
printf '%s\n' x86_64 db7.example.org Europe/Vienna de_AT.UTF-8 "$(cat ROOT/etc/machine-id)""#;

fn identity(system: &System) -> Vec<String> {
    let identity = &system.identity;
    let architecture = identity.architecture.clone().map(|it| it.0);
    [
        &identity.distribution,
        &identity.version,
        &identity.codename,
        &identity.name,
        &architecture,
        &identity.hostname,
        &identity.time_zone,
        &identity.locale,
        &identity.machine_id,
    ]
    .map(|fact| fact.value().cloned().unwrap_or_default())
    .into()
}

const UNITS: &str = r"systemctl --root=ROOT list-unit-files --no-legend --no-pager 2>/dev/null | awk '{ print $1, $2 }' \
    | grep -E '\.(service|timer|socket|path|mount|automount|swap) '";

fn units(system: &System) -> Vec<String> {
    let units = system.services.items.iter().filter(|service| {
        use ServiceKind::{Service, Socket, Timer, Unit};
        matches!(service.kind, Service | Timer | Socket | Unit)
    });
    let state = |service: &fathom_guest::report::Service| {
        service
            .enabled
            .value()
            .map_or("bad".to_owned(), |state| format!("{state:?}").to_lowercase())
    };
    units.map(|service| format!("{} {}", service.name, state(service))).collect()
}

const ACCOUNTS: &str = "passwd --root ROOT -S -a | awk '{ print $1, $2, $3 }' | sort > states
    cut -d: -f1,3,4,6,7 ROOT/etc/passwd | sort > accounts
    join -t ' ' <(tr ':' ' ' < accounts | sort) states";

fn accounts(system: &System) -> Vec<String> {
    let accounts = system.users.accounts.items.iter();
    accounts
        .map(|user| {
            let state = match user.password.value() {
                Some(PasswordState::Set) => "P",
                Some(PasswordState::Empty) => "NP",
                Some(PasswordState::Locked) => "L",
                None => "?",
            };
            format!(
                "{} {} {} {} {} {state} {}",
                user.name,
                user.id,
                user.group.as_deref().unwrap_or_default(),
                user.home.as_deref().unwrap_or_default(),
                user.shell.as_deref().unwrap_or_default(),
                user.password_changed.as_deref().unwrap_or("never"),
            )
        })
        .collect()
}

const GROUPS: &str = "cut -d: -f1,3,4 ROOT/etc/group";

fn groups(system: &System) -> Vec<String> {
    let groups = system.users.groups.items.iter();
    groups.map(|group| format!("{}:{}:{}", group.name, group.id, group.members.join(","))).collect()
}

const KERNELS: &str = "ls ROOT/lib/modules";

fn kernels(system: &System) -> Vec<String> {
    system.boot.kernels.items.iter().map(|kernel| kernel.version.clone()).collect()
}

const MOUNTS: &str = "findmnt --fstab -F fstab -n -l -o SOURCE,TARGET,FSTYPE,OPTIONS | awk '{ print $1, $2, $3, $4 }'";

fn mounts(system: &System) -> Vec<String> {
    let mounts = system.mounts.items.iter().map(|mount| {
        format!("{} {} {} {}", mount.device, mount.path, mount.kind, mount.options.join(","))
    });
    let swaps = system.swap.items.iter().map(|swap| format!("{} none swap sw", swap.device));
    mounts.chain(swaps).collect()
}
