//! A second opinion on LVM and LUKS from a kernel that maps them, which that of the test machine
//! need not be able to. A small Debian is started under emulation, with a kernel that is unpacked
//! beside it and installed nowhere. It makes volumes on disks that it is given, fills and reads
//! them, and every path it read is compared with what we read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use fathom_block::{Location, Opener};
use fathom_filesystem::Tree;
use fathom_volume::{Discovery, Disk, Key, Keys};

use crate::oracle::{Abilities, Ignore, Manifest, Work, populate};
use crate::{shell, tools};

/// What the appliance runs.
const GUEST: &str = include_str!("guest.sh");

/// What is put into it.
const PACKAGES: &str = "cryptsetup-bin,e2fsprogs,kmod,lvm2,xfsprogs";

/// What makes it, and what it runs in.
const TOOLS: &[&str] = &["cpio", "debootstrap", "qemu-system-x86"];

/// The disks that it fills.
const DISKS: [&str; 6] = ["luks", "luks-4k", "pv0", "pv1", "pv2", "pv3"];

/// The volumes: what it calls them, what we call them, and a key that opens what they lie in.
const VOLUMES: [(&str, &str, &str); 10] = [
    ("luks", "disk0/luks", "the first one"),
    ("luks", "disk0/luks", "the second one"),
    ("luks", "disk0/luks", "the third one"),
    ("luks-4k", "disk1/luks", "the second one"),
    ("linear", "vg0/linear", ""),
    ("striped", "vg0/striped", ""),
    ("raid1", "vg0/raid1", ""),
    ("mirror", "vg0/mirror", ""),
    ("degraded", "vg0/degraded", ""),
    ("crypt", "vg0/crypt/luks", "the first one"),
];

/// How long it may take.
const DEADLINE: &str = "30m";

/// What to keep.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Keep the disks and the console, to look at them.
    #[arg(long)]
    keep: bool,
}

/// Runs the appliance and compares.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "the appliance is an x86-64 machine");
    ensure!(rustix::process::geteuid().is_root(), "debootstrap must run as root");
    tools::setup()?;
    tools::install_packages(TOOLS)?;
    let kept = prepare()?;
    let work = Work::new("appliance", arguments.keep)?;
    start(&work, &kept)?;
    let mut failed = 0;
    for (name, id, key) in VOLUMES {
        let outcome = compare(&work, name, id, key);
        let shown = if key.is_empty() { id.to_owned() } else { format!("{id} by {key:?}") };
        match outcome {
            Ok(paths) => println!("ok    {shown:<40} {paths} paths"),
            Err(error) => {
                println!("WRONG {shown:<40} {error:#}");
                failed += 1;
            }
        }
    }
    println!("appliance: {} passed, {failed} failed", VOLUMES.len() - failed);
    if failed > 0 { bail!("{failed} volumes differ") } else { Ok(()) }
}

/// Makes the appliance's root and its kernel, where that has not been done yet.
fn prepare() -> Result<PathBuf> {
    let kept = shell::cache()?.join("appliance");
    fs::create_dir_all(&kept)?;
    if kept.join("initrd").exists() {
        return Ok(kept);
    }
    println!("making the appliance");
    shell::bash(
        &kept,
        &format!(
            r#"rm -rf root kernel *.deb; . /etc/os-release
            debootstrap --variant=minbase --include={PACKAGES} "$VERSION_CODENAME" root > debootstrap.log
            image=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p' | head -1)
            apt-get download -q "$image" 2> /dev/null
            dpkg -x "$image"_*.deb kernel
            cp kernel/boot/vmlinuz-* vmlinuz
            version=$(ls kernel/lib/modules); modules=kernel/lib/modules/$version
            to=root/lib/modules/$version; mkdir -p "$to"
            cp "$modules"/modules.* "$to"
            (cd "$modules"; cp -r --parents kernel/{{drivers/md,drivers/virtio,drivers/block/virtio_blk.ko,fs/xfs,crypto,lib,arch}} "$OLDPWD/$to")
            chroot root depmod "$version"
            rm -rf root/usr/share/{{doc,locale,man,info,i18n}} root/var/{{cache,lib/apt}}
            (cd root; find . | cpio --quiet -o -H newc) > initrd.part; mv initrd.part initrd
            rm -rf root kernel *.deb"#
        ),
    )?;
    Ok(kept)
}

/// Lets the appliance do its work.
fn start(work: &Work, kept: &Path) -> Result<()> {
    fs::create_dir_all(work.path("fixture"))?;
    let abilities = Abilities { large_directory: 400, large_file: 1 << 20, ..Abilities::LINUX };
    populate(&work.path("fixture"), abilities)?;
    fs::create_dir_all(work.path("overlay"))?;
    fs::write(work.path("overlay/init"), GUEST)?;
    let mut names: Vec<&str> = VOLUMES.iter().map(|(name, ..)| *name).collect();
    names.dedup();
    let mut script = format!(
        "chmod +x overlay/init; (cd overlay; find . | cpio --quiet -o -H newc) > overlay.cpio
         cat {kept}/initrd overlay.cpio > initrd
         tar --format=posix --xattrs --xattrs-include='*' --numeric-owner --sparse -C fixture -cf fixture.img . 2> /dev/null
         rm -r fixture\n",
        kept = kept.display()
    );
    let mut disks = String::new();
    let mut disk = |name: &str, file: &str| {
        disks.push_str(&format!(
            " -drive if=none,id={id},format=raw,cache=unsafe,file={file} \
             -device virtio-blk-pci,drive={id},serial={name}",
            id = file.replace('.', "-")
        ));
    };
    disk("fixture", "fixture.img");
    for name in DISKS {
        let size = if name.starts_with("pv") { "1G" } else { "96M" };
        script.push_str(&format!("truncate -s {size} {name}.img\n"));
        disk(name, &format!("{name}.img"));
    }
    for name in &names {
        script.push_str(&format!("truncate -s 64M {name}.tar\n"));
        disk(&format!("{name}.tar"), &format!("{name}.tar"));
    }
    println!("running the appliance: it is emulated, and takes minutes");
    work.bash(&script)?;
    let ran = work.bash(&format!(
        "timeout {DEADLINE} qemu-system-x86_64 -M pc -cpu max -accel tcg,thread=multi -smp 1 -m 2G \
         -nodefaults -no-reboot -display none -serial file:console \
         -kernel {}/vmlinuz -initrd initrd -append 'console=ttyS0 quiet panic=-1'{disks}",
        kept.display()
    ));
    let console = fs::read_to_string(work.path("console")).unwrap_or_default();
    if ran.is_ok() && console.contains("appliance: done") {
        return Ok(());
    }
    let said: Vec<&str> = console.lines().rev().take(30).collect();
    let said: Vec<&str> = said.into_iter().rev().collect();
    ran.with_context(|| said.join("\n"))?;
    bail!("the appliance did not come to its end:\n{}", said.join("\n"))
}

/// Compares a volume with what the appliance read of it; says how many paths there are.
fn compare(work: &Work, name: &str, id: &str, key: &str) -> Result<usize> {
    work.bash(&format!(
        "mkdir -p told/{name}; [ -e told/{name}/etc ] || \
         tar --xattrs --xattrs-include='*' --numeric-owner -C told/{name} -xf {name}.tar"
    ))?;
    let theirs = Manifest::from_kernel(&work.path(&format!("told/{name}")))?;
    let discovery = discover(work, key)?;
    let volume = discovery.find(id).with_context(|| {
        let all: Vec<_> = discovery.volumes.iter().map(|volume| volume.id.as_str()).collect();
        format!("it is not among {all:?}")
    })?;
    let reader = match (&volume.reader, &volume.problem) {
        (Some(reader), None) => reader.clone(),
        (_, problem) => bail!("it is not read: {problem:?}"),
    };
    let tree = Tree::new(fathom_filesystem::open(reader)?);
    let problems = tree.problems();
    ensure!(problems.is_empty(), "problems: {problems:?}");
    let mut ours = Manifest::from_tree(&tree)?;
    // An archive holds no sockets.
    ours.0.retain(|_, entry| entry.file_type != fathom_filesystem::FileType::Socket);
    // What an archive does not say, or a copy of one has anew.
    let ignore = Ignore {
        changed: true,
        created: true,
        inode: true,
        allocated: true,
        directory_size: true,
        directory_links: true,
        ..Ignore::default()
    };
    theirs.check(&ours, ignore)?;
    Ok(theirs.len())
}

fn discover(work: &Work, key: &str) -> Result<Discovery> {
    let mut disks = Vec::new();
    for (index, name) in DISKS.iter().enumerate() {
        let location = Location::Path(work.path(&format!("{name}.img")));
        for disk in Opener::new().open(&location)? {
            let (reader, sector_size) = (disk.reader, disk.sector_size);
            disks.push(Disk { name: format!("disk{index}"), reader, sector_size });
        }
    }
    let keys = Some(key).filter(|key| !key.is_empty());
    let keys = keys.map(|key| Key::new(None, key.as_bytes().to_vec()));
    Ok(fathom_volume::discover(&disks, &Keys::new(keys.into_iter().collect())))
}
