//! What a system starts with, as the loaders themselves choose it and the makers of initial filesystems
//! list it.

mod layouts;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use fathom_guest::Options;
use fathom_guest::report::{Coverage, DriverPlace, Fact, System};

use super::{Case, Work};
use crate::shell;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("boot/grub-mkconfig", mkconfig),
        Case::new("boot/grub-menus", menus),
        Case::new("boot/systemd-boot", systemd_boot),
        Case::new("boot/initramfs-dracut", dracut),
    ];
    for packed in ["zstd", "gzip", "xz", "lz4", "lzop", "lzma"] {
        let name = format!("boot/initramfs-{packed}");
        cases.push(Case::new(name, move |work: &Work| initramfs(work, packed)));
    }
    cases.extend(layouts::cases());
    cases
}

/// The only system on the images.
fn system(work: &Work, images: &[&str], options: &Options) -> Result<System> {
    let inspection = fathom_guest::inspect(&work.discover(images, &[])?, options);
    ensure!(inspection.problems.is_empty(), "problems: {:?}", inspection.problems);
    let mut systems = inspection.systems.into_iter();
    let system = systems.next().context("no system was found")?;
    ensure!(systems.next().is_none(), "more than one system was found");
    Ok(system)
}

/// An ext4 of the folder `root`.
fn image(work: &Work) -> Result<()> {
    work.bash(
        "rm -f image; size=$(( $(du -sm root | cut -f1) * 3 / 2 + 32 ))
         mke2fs -q -t ext4 -d root image ${size}M 2>&1",
    )?;
    Ok(())
}

/// A kernel of Debian with its modules, unpacked in the cache and installed nowhere.
fn kernel() -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = shell::cache()?.join("kernel");
    if !kept.join("done").exists() {
        std::fs::create_dir_all(&kept)?;
        shell::bash(
            &kept,
            "rm -rf *; image=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -1)
             apt-get download -q \"$image\" 2> /dev/null
             dpkg -x \"$image\"_*.deb .; rm *.deb
             depmod -b . $(ls lib/modules); ls lib/modules > done",
        )?;
    }
    Ok(kept)
}

/// Runs GRUB itself on the folder of settings and says which entries it starts, one a line, and the
/// kernel's line. What it would start is told instead.
const EMULATE: &str = r#"
emulate() {
  mkdir -p run; cp -r "$1/." run/
  { printf 'function linux { echo "LINUX $@"; exit; }\nfunction initrd { true; }\nfunction chainloader { true; }\n'
    sed 's/terminal_output gfxterm/true/' run/grub.cfg; printf '\nset timeout=0\n'; } > run/new; mv run/new run/grub.cfg
  timeout 60 grub-emu -d $PWD/run -r host < /dev/null 2>/dev/null | tr '\r\033' '\n\n' \
    | sed -nE "s/.*Booting .([^']*)'.*/\1/p; s/^(.*)?LINUX /LINUX /p" || true
  rm -r run
}
"#;

/// A menu as Debian makes it: each choice that can be saved, as GRUB takes it.
fn mkconfig(work: &Work) -> Result<()> {
    let kernel = kernel()?;
    work.bash(&MKCONFIG.replace("@KERNEL@", &kernel.display().to_string()))?;
    let uuid = work.bash("blkid -o value -s UUID image")?;
    let (uuid, other) = (uuid.trim(), "6.1.0-9-cloud-amd64");
    for choice in [
        "0".to_owned(),
        "1>2".to_owned(),
        "1>0".to_owned(),
        "nothing like it".to_owned(),
        format!("gnulinux-advanced-{uuid}>gnulinux-{other}-advanced-{uuid}"),
        format!("Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux {other}"),
        format!("gnulinux-advanced-{uuid}>gnulinux-{other}-recovery-{uuid}"),
    ] {
        let chosen = work.bash(&format!(
            "{EMULATE}
             mkdir -p mnt; mount -o loop image mnt
             grub-editenv mnt/boot/grub/grubenv create
             grub-editenv mnt/boot/grub/grubenv set \"saved_entry={choice}\"
             cp -r mnt/boot/grub grub; umount mnt; emulate grub; rm -r grub"
        ))?;
        let system = system(work, &["image"], &Options::default())?;
        same_choice(&chosen, &system).with_context(|| format!("saved_entry={choice}"))?;
        let kernels: BTreeSet<_> =
            system.boot.kernels.items.iter().map(|one| one.version.clone()).collect();
        ensure!(kernels.len() == 2 && kernels.contains(other), "kernels: {kernels:?}");
        let Fact::Known { value, .. } = &system.boot.default else { anyhow::bail!("not known") };
        let version = value.version.clone().context("the kernel is none of them")?;
        ensure!(value.image == Some(format!("/boot/vmlinuz-{version}")), "{value:?}");
        ensure!(value.initramfs == [format!("/boot/initrd.img-{version}")], "{value:?}");
    }
    Ok(())
}

/// What GRUB told is what we say.
fn same_choice(told: &str, system: &System) -> Result<()> {
    let booted = told.lines().rfind(|line| !line.starts_with("LINUX "));
    let line = told.lines().find_map(|line| line.strip_prefix("LINUX "));
    let booted = booted.with_context(|| format!("GRUB starts nothing: {told:?}"))?;
    let Fact::Known { value, .. } = &system.boot.default else {
        anyhow::bail!("GRUB starts {booted:?}, we say {:?}", system.boot.default);
    };
    ensure!(value.title.as_deref() == Some(booted), "GRUB starts {booted:?}, we say {value:?}");
    let arguments = line.and_then(|line| line.split_once(' ')).map(|(_, rest)| rest.trim());
    let ours = value.arguments.as_deref().unwrap_or_default();
    // What is printed is folded at the edge of the screen.
    if let Some(arguments) = arguments {
        ensure!(ours.starts_with(arguments), "GRUB says {arguments:?}, we say {ours:?}");
    }
    Ok(())
}

const MKCONFIG: &str = r#"
truncate -s 160M image; mkfs.ext4 -q image
cat > chroot.sh <<'S'
set -euo pipefail
# grub-mkconfig leaves out roots on loop devices, so it gets another name.
loop=$(losetup -f --show image); node=/dev/fathom-oracle-$$
trap 'rm -f $node; losetup -d $loop' EXIT
mknod $node b 7 ${loop#/dev/loop}; mkdir -p inside; mount $node inside; cd inside
mkdir -p usr proc sys dev boot/grub etc/default tmp var/lib run
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
cp -a /etc/grub.d etc/; cp -L /etc/os-release etc/; cp /etc/passwd /etc/group etc/
printf 'GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=quiet\nGRUB_CMDLINE_LINUX=a=b\n' > etc/default/grub
version=$(ls @KERNEL@/lib/modules); other=6.1.0-9-cloud-amd64
cp @KERNEL@/boot/vmlinuz-$version boot/
# The same kernel under another release, as long as the first.
python3 - boot/vmlinuz-$version boot/vmlinuz-$other $version $other <<'P'
import sys
there, here, old, new = sys.argv[1:]
pad = len(old) - len(new)
bytes = open(there, 'rb').read()
open(here, 'wb').write(bytes.replace(old.encode() + b' ', new.encode() + b' ' * (pad + 1)))
P
for one in $version $other; do : > boot/initrd.img-$one; cp @KERNEL@/boot/config-$version boot/config-$one; done
for name in usr proc sys dev; do mount --rbind /$name $name; done
chroot . grub-mkconfig -o /boot/grub/grub.cfg 2>&1
chroot . grub-script-check /boot/grub/grub.cfg
S
unshare -m bash chroot.sh
"#;

/// Menus that are bent in every way that still is one.
fn menus(work: &Work) -> Result<()> {
    let entries = r#"
menuentry 'First one' --class x --id first { linux /boot/vmlinuz-1 a="b c" $extra; }
submenu "Second > ${name}" --id second {
  set extra=inner
  menuentry 'Inner one' --id=in1 { linux /boot/vmlinuz-1 "$extra" d; }
  submenu 'Deeper' { menuentry Deepest --id deepest { set x=1; if [ $x -eq 1 -a -n "$x" ]; then linux /boot/vmlinuz-1 deepest; fi; } }
}
function helper { set extra="$1-x"; }
menuentry third\ one { helper param; linux /boot/vmlinuz-1 $extra; }
menuentry "dup" --id dup { linux /boot/vmlinuz-1 dup1; }
menuentry "dup" --id dup2 { linux /boot/vmlinuz-1 dup2; }
"#;
    for (index, head) in [
        "",
        "set default=1",
        "set default='2'",
        "set default=\"second>deepest\"",
        "set default=second\\>Deeper",
        "set default='1>1>0'",
        "default=third\\ one",
        "set default='dup'",
        "set default=dup2",
        "set default='Second >> named>in1'",
        "set default=99",
        "if [ 1 = 2 ]; then set default=1; elif [ ab != ab ]; then set default=2; else set default=3; fi",
        "if [ -f /no/such ]; then set default=1; fi",
        "if test -z \"$none\" -a ! -n \"$none\"; then set default=2; fi",
        "if [ ( 1 -lt 2 ) -a 3 -ge 3 ]; then set default=3; fi",
        "function pick { default=$1; }\npick 4",
        "set a=second; set b=in1; set default=\"$a>${b}\"",
        "if true; false; then set default=1; fi",
        "set extra='two words'; set default=first",
        "load_env; set default=$saved_entry",
    ]
    .into_iter()
    .enumerate()
    {
        let script = format!("set name=named\n{head}\n{entries}");
        std::fs::write(work.path("script"), script)?;
        let told = work.bash(&format!(
            "{EMULATE}
             rm -rf root; mkdir -p root/boot/grub root/etc; cp script root/boot/grub/grub.cfg
             grub-script-check root/boot/grub/grub.cfg
             grub-editenv root/boot/grub/grubenv set saved_entry=dup2 'other=a b'
             echo ID=x > root/etc/os-release; echo x > root/boot/vmlinuz-1; emulate root/boot/grub"
        ))?;
        image(work)?;
        let system = system(work, &["image"], &Options::default())?;
        same_choice(&told, &system).with_context(|| format!("menu {index}: {head}"))?;
    }
    Ok(())
}

/// Entries of the Boot Loader Specification, in the order and with the default of `bootctl`.
fn systemd_boot(work: &Work) -> Result<()> {
    work.bash(
        r#"
truncate -s 200M disk
sgdisk -n 1:0:+64M -t 1:ef00 -n 2:0:0 -t 2:8304 disk > /dev/null
start() { sgdisk -i $1 disk | awk '/First sector/ { print $3 }'; }
mkdir -p root/etc root/efi; echo ID=x > root/etc/os-release; : > root/etc/fstab
mke2fs -q -t ext4 -d root root.img 64M
dd if=root.img of=disk bs=512 seek=$(start 2) conv=notrunc status=none"#,
    )?;
    let id = "0123456789abcdef0123456789abcdef";
    let entry = |name: &str, fields: &str| {
        format!(
            "printf 'linux /vmlinuz-1\\noptions ro {name}\\n{fields}' > mnt/loader/entries/{name}.conf\n"
        )
    };
    let all = [
        entry("debian-6.1.9", "title D\\nversion 6.1.9\\nsort-key debian\\n"),
        entry("debian-6.1.10", "title D\\nversion 6.1.10\\nsort-key debian\\n"),
        entry("debian-6.1.10-b", &format!("version 6.1.10\\nsort-key debian\\nmachine-id {id}\\n")),
        entry("arch", "title A\\nversion 1\\nsort-key arch\\n"),
        entry("arch-2+3-1", "title A\\nversion 2\\nsort-key arch\\n"),
        entry("aged+0-3", "title worn out\\nversion 99\\nsort-key aaa\\n"),
        entry("old-5.10~rc1", "title O\\n"),
        entry("old-5.10", "title O\\n"),
        entry("old-5.9", "title O\\n"),
        entry("upper", "title U\\nversion 7\\n"),
    ]
    .concat();
    for (settings, keep) in [
        ("", "*"),
        ("default debian-*\\n", "*"),
        ("timeout 3\\ndefault old-5.9.conf\\n", "*"),
        ("default nothing-*\\n", "*"),
        ("default ?rch-[0-9]*\\n", "*"),
        ("", "{old,upper,aged}*"),
        ("", "{aged,upper}*"),
        ("", "old*"),
    ] {
        let told = work.bash(&format!(
            r#"
# The test machine's kernel need not know FAT; bootctl takes any filesystem for one.
mkdir -p mnt; mount -t tmpfs none mnt
mkdir -p mnt/loader/entries mnt/EFI/systemd mnt/EFI/BOOT; printf '{settings}' > mnt/loader/loader.conf
echo x > mnt/vmlinuz-1; cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi mnt/EFI/systemd/
cp mnt/EFI/systemd/systemd-bootx64.efi mnt/EFI/BOOT/BOOTX64.EFI
{all}
cd mnt/loader/entries; mkdir ../kept; mv {keep} ../kept/; rm -f *; mv ../kept/* .; rmdir ../kept; cd ../../..
SYSTEMD_RELAX_ESP_CHECKS=1 bootctl --esp-path=$PWD/mnt list 2> err || cat err >&2
rm -f esp.img; mkfs.vfat -C -n ESP esp.img 65536 > /dev/null; mcopy -s -i esp.img mnt/* ::; umount mnt
dd if=esp.img of=disk bs=512 seek=$(sgdisk -i 1 disk | awk '/First sector/ {{ print $3 }}') conv=notrunc status=none"#
        ))?;
        let system = system(work, &["disk"], &Options::default())?;
        let boot = &system.boot;
        ensure!(boot.kernels.coverage == Coverage::Complete, "{:?}", boot.kernels);
        let Fact::Known { value, .. } = &boot.default else { anyhow::bail!("{:?}", boot.default) };
        let ours = value.arguments.clone().unwrap_or_default();
        let ours = ours.strip_prefix("ro ").context("no arguments")?;
        let theirs = default_of(&told).with_context(|| told.clone())?;
        let theirs = theirs.strip_suffix(".conf").unwrap_or(&theirs).to_lowercase();
        let ours = ours.to_lowercase();
        ensure!(
            ours.split('+').next() == theirs.split('+').next(),
            "{settings} {keep}: bootctl starts {theirs}, we say {ours}"
        );
    }
    Ok(())
}

/// The entry that `bootctl` marks; where it marks none, the first.
fn default_of(told: &str) -> Option<String> {
    let (mut marked, mut first) = (false, None);
    for line in told.lines().map(str::trim) {
        if line.starts_with("title:") {
            marked = line.contains("(default)");
        } else if let Some(id) = line.strip_prefix("id:") {
            let id = id.trim().to_owned();
            if marked {
                return Some(id);
            }
            first.get_or_insert(id);
        }
    }
    first
}

/// The modules in an initial filesystem of Debian, as its own tools list them.
fn initramfs(work: &Work, packed: &str) -> Result<()> {
    let kernel = kernel()?;
    work.bash(&format!(
        r#"
version=$(cat {kernel}/done)
cp -r /etc/initramfs-tools conf
sed -i 's/^COMPRESS=.*/COMPRESS={packed}/; s/^MODULES=.*/MODULES=most/' conf/initramfs.conf
mkdir -p root/boot root/etc root/lib; echo ID=debian > root/etc/os-release
cp {kernel}/boot/* root/boot/
cat > make.sh <<S
mkdir -p /lib/modules /boot; mount --bind {kernel}/lib/modules /lib/modules
# It looks into the kernel's configuration for what that can unpack.
mount --bind {kernel}/boot /boot
mkinitramfs -d conf -o packed $version
S
unshare -m bash -euo pipefail make.sh 2>&1
# Microcode comes first, in an archive that is not packed.
mkdir -p early/kernel/x86/microcode; echo x > early/kernel/x86/microcode/GenuineIntel.bin
(cd early; find . | cpio --quiet -o -H newc) > early.cpio; truncate -s %512 early.cpio
cat early.cpio packed > root/boot/initrd.img-$version
cp -a {kernel}/lib/modules root/lib/"#,
        kernel = kernel.display()
    ))?;
    compare_modules(work, "lsinitramfs root/boot/initrd.img-*")
}

/// The same of dracut, with modules that are packed themselves.
fn dracut(work: &Work) -> Result<()> {
    let kernel = kernel()?;
    work.bash(&format!(
        r#"
version=$(cat {kernel}/done)
mkdir -p root/boot root/etc root/lib; echo ID=fedora > root/etc/os-release
cp {kernel}/boot/vmlinuz-* root/boot/
cp -a {kernel}/lib/modules root/lib/
find root/lib/modules -name '*.ko' -path '*drivers*' \( -name '*virtio*' -o -name 'xen*' \) -exec xz -q {{}} +
depmod -b root $version
dracut -q -N --no-early-microcode --zstd --kmoddir $PWD/root/lib/modules/$version \
  --add-drivers 'virtio_blk virtio_scsi hv_storvsc xen-blkfront' \
  root/boot/initramfs-$version.img $version 2>&1 || dracut -N --zstd --kmoddir $PWD/root/lib/modules/$version -f root/boot/initramfs-$version.img $version"#,
        kernel = kernel.display()
    ))?;
    compare_modules(work, "lsinitrd root/boot/initramfs-*.img | awk '{ print $NF }'")
}

/// The drivers that we say are early are those that the tool lists.
fn compare_modules(work: &Work, list: &str) -> Result<()> {
    image(work)?;
    let theirs = work.bash(&format!(
        "{list} | grep -E 'lib/modules/.*\\.ko(\\.xz|\\.zst|\\.gz)?$' | sed 's,.*/,,; s,\\.ko.*,,; s,-,_,g' | sort -u"
    ))?;
    let theirs: BTreeSet<&str> = theirs.lines().collect();
    ensure!(theirs.len() > 20, "the tool lists {} modules", theirs.len());
    let options = Options { deep: true, ..Options::default() };
    let system = system(work, &["image"], &options)?;
    ensure!(system.problems.is_empty(), "problems: {:?}", system.problems);
    let drivers = &system.boot.drivers;
    ensure!(drivers.coverage == Coverage::Complete, "{drivers:?}");
    ensure!(drivers.items.iter().any(|it| it.place == DriverPlace::Early), "{drivers:?}");
    let built_in =
        work.bash("cat root/lib/modules/*/modules.builtin | sed 's,.*/,,; s,\\.ko.*,,; s,-,_,g'")?;
    let built_in: BTreeSet<&str> = built_in.lines().collect();
    for driver in &drivers.items {
        let name = driver.name.as_str();
        let expected = match (built_in.contains(name), theirs.contains(name)) {
            (true, _) => DriverPlace::BuiltIn,
            (false, true) => DriverPlace::Early,
            (false, false) => DriverPlace::Installed,
        };
        ensure!(driver.place == expected, "{name} is {expected:?}, we say {:?}", driver.place);
    }
    let ours: BTreeSet<&str> = drivers.items.iter().map(|it| it.name.as_str()).collect();
    for name in ["virtio_blk", "virtio_scsi", "virtio_net", "hv_storvsc", "xen_blkfront"] {
        let is_theirs = built_in.contains(name) || theirs.contains(name);
        ensure!(!is_theirs || ours.contains(name), "{name} is missing");
    }
    Ok(())
}
