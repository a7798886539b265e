//! Saying what a machine is and runs, beside those who do the same.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::measure::{Program, alternate};
use crate::inspector;
use crate::shell::{bash, cache};
use crate::tools;

/// What dissect comes in.
const PEERS: &[&str] = &["python3-venv"];

/// How many machines the folder holds.
const MACHINES: usize = 200;

/// Images of a Debian with some five hundred packages.
pub(super) struct Server {
    folder: PathBuf,
}

impl Server {
    /// Makes the images, unless they are there from before.
    pub(super) fn make() -> Result<Self> {
        let folder = cache()?.join("bench-server");
        std::fs::create_dir_all(&folder)?;
        if !folder.join("done").exists() {
            println!("making a server");
            bash(&folder, SCRIPT)?;
        }
        if !folder.join("machines/done").exists() {
            bash(&folder, &MACHINES_SCRIPT.replace("@COUNT@", &MACHINES.to_string()))?;
        }
        Ok(Self { folder })
    }

    pub(super) fn image(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(super) fn description(&self) -> Result<String> {
        Ok(bash(&self.folder, "cat done")?.trim().to_owned())
    }
}

const SCRIPT: &str = r#"
rm -rf root part.tar mnt *.raw *.qcow2
mmdebstrap --quiet --mode=root --variant=standard \
  --include=apache2,build-essential,certbot,cloud-init,default-jre-headless,fail2ban,git,golang-go,grub-pc,linux-headers-cloud-amd64,linux-image-cloud-amd64,lvm2,mariadb-server,nginx,nodejs,openssh-server,php-fpm,postgresql,python3-pip,qemu-guest-agent,redis-server,ruby,systemd-sysv,ufw,unattended-upgrades,xfsprogs,zstd \
  bookworm part.tar > log 2>&1 || { cat log >&2; false; }
truncate -s 6G disk
sgdisk -a 2048 -n 1:0:+64M -t 1:ef00 -n 2:0:0 -t 2:8e00 disk >/dev/null
at=$(( $(sgdisk -i 2 disk | awk '/First sector/ { print $3 }') * 512 ))
loop=$(losetup -f --show -o $at --sizelimit $((6*1024*1024*1024 - at - 1024*1024)) disk)
config="devices { filter=[\"a|^$loop\$|\", \"r|.*|\"] use_devicesfile=0 } backup { backup=0 archive=0 } global { locking_dir=\"$PWD\" event_activation=0 }"
pvcreate -q --config "$config" $loop >/dev/null; vgcreate -q --config "$config" guest $loop >/dev/null
lvcreate -q --config "$config" --driverloaded n -an -Zn -Wn -L 5G -n root guest >/dev/null
losetup -d $loop
loop=$(losetup -f --show -o $((at + 1024*1024)) --sizelimit $((5<<30)) disk)
mkfs.ext4 -q $loop; mkdir mnt; mount $loop mnt
tar -xpf part.tar -C mnt --numeric-owner; rm part.tar
echo '/dev/mapper/guest-root / ext4 defaults 0 1' > mnt/etc/fstab; echo server > mnt/etc/hostname
packages=$(dpkg-query --admindir=mnt/var/lib/dpkg -W | wc -l)
files=$(find mnt -xdev -type f | wc -l); bytes=$(du -sm mnt | cut -f1)
umount mnt; losetup -d $loop
# The root by itself, for the kernel, which need not know LVM; its initial filesystem packed as it is
# where there is no zstd.
dd if=disk of=root.raw bs=1M skip=$((at / 1048576 + 1)) count=5120 conv=sparse status=none
qemu-img convert -O qcow2 disk server.qcow2; rm disk
mount -o loop root.raw mnt
cp mnt/boot/initrd.img-* initrd
zstd -dcq < initrd | gzip > mnt/boot/"$(basename mnt/boot/initrd.img-*)"
umount mnt
echo "Debian 12, $packages packages, $files files, $bytes MiB on 6 GiB, GPT, LVM, ext4, qcow2" > done
"#;

/// A folder of machines, each an overlay of its own over one of four bases. Each has been used since:
/// it has files of its own.
const MACHINES_SCRIPT: &str = r#"
rm -rf machines; mkdir machines
for base in 0 1 2 3; do cp --sparse=always --reflink=auto server.qcow2 machines/base$base.img; done
for n in $(seq 0 $((@COUNT@ - 1))); do
  name=$(printf 'machines/vm%03d.qcow2' "$n")
  qemu-img create -q -f qcow2 -F qcow2 -b "base$((n % 4)).img" "$name"
  qemu-io -f qcow2 -c "write -q -P $((n % 255 + 1)) $((5500 + n % 300))M 64k" "$name" > /dev/null
done
touch machines/done
"#;

/// The section of the page.
pub(super) fn section(fathom: &Path, runs: usize) -> Result<String> {
    let server = Server::make()?;
    let mut text = format!(
        "## What a machine is and runs\n\nThe guest: {}. Images are in the page cache unless the row \
         says otherwise.\n\n",
        server.description()?
    );
    alone(fathom, &server, runs, &mut text)?;
    beside(fathom, &server, runs, &mut text)?;
    folder(fathom, &server, &mut text)?;
    Ok(text)
}

/// By itself: on one core, without what was read before, and with every file looked at.
fn alone(fathom: &Path, server: &Server, runs: usize, text: &mut String) -> Result<()> {
    text.push_str(
        "`fathom inspect --json IMAGE`. Goals: 60 ms and 64 MiB on one core, at most 1 % of the \
         image read; with `--deep` 2 s on two cores.\n\n\
         | what | median | least | memory | bytes read | share of the image |\n|---|---|---|---|---|---|\n",
    );
    let (image, gzip) = (server.image("server.qcow2"), server.image("root.raw"));
    let size = std::fs::metadata(&image)?.len();
    let fathom = fathom.display();
    for (name, command, runs) in [
        ("one core", format!("taskset -c 0 {fathom} inspect --json {image}"), runs * 4),
        ("all cores", format!("{fathom} inspect --json {image}"), runs * 4),
        ("all cores, --deep", format!("{fathom} inspect --json --deep {image}"), runs * 4),
        (
            "all cores, initial filesystem packed with gzip",
            format!("{fathom} inspect --json {gzip}"),
            runs * 4,
        ),
    ] {
        let program = Program::new(&command);
        let seconds = program.time(runs)?;
        let bytes = bytes_read(&format!("{command} --io"))?;
        let _ = writeln!(
            text,
            "| {name} | {:.1} ms | {:.1} ms | {:.1} MiB | {:.2} MiB | {:.2} % |",
            seconds.median * 1e3,
            seconds.least * 1e3,
            program.memory()? as f64 / 1024.0,
            bytes as f64 / f64::from(1 << 20),
            bytes as f64 * 100.0 / size as f64,
        );
    }
    let cold = Program::script(format!(
        "sync; dd of={image} oflag=nocache conv=notrunc,fdatasync count=0 status=none; \
         {fathom} inspect --json {image} > /dev/null"
    ));
    let seconds = cold.time(runs)?;
    let _ = writeln!(
        text,
        "| all cores, image not in the page cache | {:.1} ms | {:.1} ms | | | |\n",
        seconds.median * 1e3,
        seconds.least * 1e3
    );
    unpacking(server, runs, text)
}

/// What nobody can do without who is to say which drivers the initial filesystem has.
fn unpacking(server: &Server, runs: usize, text: &mut String) -> Result<()> {
    let initrd = server.image("initrd");
    let packed = std::fs::metadata(&initrd)?.len();
    let unpacked = bash(Path::new("/"), &format!("zstd -dcq < {initrd} | wc -c"))?;
    let alone = Program::new(&format!("taskset -c 0 zstd --single-thread -tq {initrd}"));
    let seconds = alone.time(runs * 4)?;
    let _ = writeln!(
        text,
        "Most of that is the initial filesystem that starts, which alone tells what drivers are there \
         before the root is: {:.1} MiB that unpack to {:.1} MiB. `zstd --single-thread -tq` on that \
         file alone takes {:.1} ms of one core.\n",
        packed as f64 / f64::from(1 << 20),
        unpacked.trim().parse::<f64>()? / f64::from(1 << 20),
        seconds.median * 1e3
    );
    Ok(())
}

/// Bytes that the command says it read.
fn bytes_read(command: &str) -> Result<u64> {
    let said = bash(Path::new("/"), &format!("{command} 2>&1 >/dev/null | grep '^fathom: read'"))?;
    let number = said.split_whitespace().find_map(|word| word.parse().ok());
    number.context("inspect --io did not say what it read")
}

/// Beside those who tell the same; the packages that each lists must be the same.
fn beside(fathom: &Path, server: &Server, runs: usize, text: &mut String) -> Result<()> {
    tools::install_packages(PEERS)?;
    tools::install_packages(inspector::TOOLS)?;
    let requirements = crate::shell::project().join("xtask/src/bench/dissect.txt");
    let python = tools::python_with(&requirements)?;
    let target_query = python.with_file_name("target-query");
    let (image, raw) = (server.image("server.qcow2"), server.image("root.raw"));
    let out = server.folder.display();
    let ours = format!("{} inspect --json {image}", fathom.display());
    let names = "jq -r '.systems[0].packages.items[] | select(.kind == \"deb\") | .name' | sort";
    bash(Path::new("/"), &format!("{ours} | {names} > {out}/ours"))?;
    text.push_str(
        "Beside others, in turn. virt-inspector starts a Linux under emulation here: where it may use \
         the processor's virtualisation its own documentation speaks of 6 to 11 s. The loop mount \
         needs root and a kernel that trusts the image, and tells the packages only.\n\n\
         | who | theirs | fathom | ratio | packages |\n|---|---|---|---|---|\n",
    );
    let mount = format!("{out}/mnt");
    for (name, command, list, runs) in [
        (
            "loop mount and `dpkg-query` (raw root, no LVM)",
            format!(
                "mount -o loop,ro,noload {raw} {mount}; \
                 dpkg-query --admindir={mount}/var/lib/dpkg -W -f '${{Package}}\\n'; umount {mount}"
            ),
            "sort".to_owned(),
            runs * 2,
        ),
        (
            "dissect: `target-query -f os,version,hostname,dpkg.status`",
            format!("{} -q {image} -f os,version,hostname,dpkg.status -j", target_query.display()),
            "jq -r 'select(.name != null and .version != null) | .name' | sort".to_owned(),
            runs.min(3),
        ),
        (
            "`virt-inspector` (emulated)",
            format!(
                "LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg virt-inspector --no-icon -a {image}"
            ),
            "sed -n 's|.*<name>\\(.*\\)</name>.*|\\1|p' | tail -n +2 | sort".to_owned(),
            1,
        ),
    ] {
        let listed = bash(
            Path::new("/"),
            &format!("({command}) 2>/dev/null | {list} > {out}/theirs; wc -l < {out}/theirs"),
        )?;
        let same = bash(Path::new("/"), &format!("cmp {out}/ours {out}/theirs")).is_ok();
        let theirs = Program::script(command);
        let (theirs, mine) = alternate(&theirs, &Program::new(&ours), runs)?;
        let _ = writeln!(
            text,
            "| {name} | {:.3} s | {:.3} s | {:.1} | {}{} |",
            theirs.median,
            mine.median,
            theirs.median / mine.median,
            listed.trim(),
            if same { ", the same as ours" } else { ", not the same as ours" },
        );
    }
    text.push('\n');
    Ok(())
}

/// A folder of machines.
fn folder(fathom: &Path, server: &Server, text: &mut String) -> Result<()> {
    let command = format!(
        "cd {}/machines && {} inspect --json --jobs 2 *.qcow2 > /dev/null",
        server.folder.display(),
        fathom.display()
    );
    let count = bash(&server.folder, "ls machines/*.qcow2 | wc -l")?;
    ensure!(count.trim() == MACHINES.to_string(), "there are {} machines", count.trim());
    let seconds = Program::script(command).time(3)?;
    let _ = writeln!(
        text,
        "A folder of {MACHINES} machines, overlays over four bases, `fathom inspect --json --jobs 2 \
         *.qcow2`: {:.2} s, {:.0} machines a second. Goal: 50. Clones share their initial filesystem, \
         which is unpacked for the first two of a kind and known by its SHA-256 for the others; where \
         every machine has one of its own, each takes as long as one alone.\n",
        seconds.median,
        MACHINES as f64 / seconds.median
    );
    Ok(())
}
