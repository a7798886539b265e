//! A second opinion on LVM, LUKS and md from a kernel that maps them, which that of the test machine
//! need not be able to. A small Debian is started under emulation, with a kernel that is unpacked
//! beside it and installed nowhere. It makes volumes on disks that it is given, fills and reads
//! them, and every path it read is compared with what we read.

mod arrays;
mod volumes;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use fathom_block::{Location, Opener};
use fathom_filesystem::Tree;
use fathom_volume::{Discovery, Disk, Key, Keys, Volume};

use crate::oracle::{Ignore, Manifest, Work};
use crate::{shell, tools};

/// What everything that the appliance runs begins with.
const PRELUDE: &str = include_str!("prelude.sh");

/// What is put into it.
const PACKAGES: &str = "cryptsetup-bin,e2fsprogs,fdisk,kmod,lvm2,mdadm,xfsprogs";

/// What makes it, and what it runs in.
const TOOLS: &[&str] = &["cpio", "debootstrap", "fdisk", "mdadm", "qemu-system-x86"];

/// How long it may take.
const DEADLINE: &str = "30m";

/// What to do, and what to keep.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this part: `volumes` (LUKS and LVM) or `arrays` (md).
    #[arg(long)]
    only: Option<String>,
    /// Keep the disks and the console, to look at them.
    #[arg(long)]
    keep: bool,
    /// Write the small arrays that the tests of `volume` read anew.
    #[arg(long)]
    bless: bool,
}

/// What one run of the appliance does.
struct Job {
    /// What it runs, behind the prelude.
    script: String,
    /// Other files for it: path and text.
    files: Vec<(&'static str, String)>,
    /// Its disks: what they are called in it and their images, which must be there.
    disks: Vec<(String, String)>,
    /// Makes what it fills filesystems with.
    fixture: fn(&Path) -> Result<()>,
}

/// How a comparison went: what was compared, and what came of it.
type Outcome = (String, Result<usize>);

/// Runs the appliance and compares.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "the appliance is an x86-64 machine");
    ensure!(rustix::process::geteuid().is_root(), "debootstrap must run as root");
    tools::setup()?;
    tools::install_packages(TOOLS)?;
    let kept = prepare()?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    let wanted = |part: &str| arguments.only.as_deref().is_none_or(|only| only == part);
    if wanted("volumes") {
        let work = Work::new("appliance-volumes", arguments.keep)?;
        outcomes.extend(volumes::run(&work, &kept)?);
    }
    if wanted("arrays") {
        let work = Work::new("appliance-arrays", arguments.keep)?;
        outcomes.extend(arrays::run(&work, &kept, arguments.bless)?);
    }
    let mut failed = 0;
    for (shown, outcome) in &outcomes {
        match outcome {
            Ok(paths) => println!("ok    {shown:<60} {paths} paths"),
            Err(error) => {
                println!("WRONG {shown:<60} {error:#}");
                failed += 1;
            }
        }
    }
    println!("appliance: {} passed, {failed} failed", outcomes.len() - failed);
    if failed > 0 { bail!("{failed} comparisons differ") } else { Ok(()) }
}

/// Makes the appliance's root and its kernel, where that has not been done yet.
fn prepare() -> Result<PathBuf> {
    let kept = shell::cache()?.join("appliance");
    fs::create_dir_all(&kept)?;
    let made_of = fs::read_to_string(kept.join("packages")).unwrap_or_default();
    if kept.join("initrd").exists() && made_of == PACKAGES {
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
            rm -rf root kernel *.deb; printf %s {PACKAGES} > packages"#
        ),
    )?;
    Ok(kept)
}

/// Lets the appliance do its work.
fn start(work: &Work, kept: &Path, job: &Job) -> Result<()> {
    fs::create_dir_all(work.path("fixture"))?;
    (job.fixture)(&work.path("fixture"))?;
    fs::create_dir_all(work.path("overlay"))?;
    fs::write(work.path("overlay/init"), format!("{PRELUDE}{}", job.script))?;
    for (path, text) in &job.files {
        fs::write(work.path(&format!("overlay/{path}")), text)?;
    }
    work.bash(&format!(
        "chmod +x overlay/init; (cd overlay; find . | cpio --quiet -o -H newc) > overlay.cpio
         cat {kept}/initrd overlay.cpio > initrd
         tar --format=posix --xattrs --xattrs-include='*' --numeric-owner --sparse -C fixture -cf fixture.img . 2> /dev/null
         rm -r fixture",
        kept = kept.display()
    ))?;
    let mut disks = String::new();
    let fixture = [("fixture".to_owned(), "fixture.img".to_owned())];
    for (name, file) in fixture.iter().chain(&job.disks) {
        disks.push_str(&format!(
            " -drive if=none,id={id},format=raw,cache=unsafe,discard=unmap,detect-zeroes=unmap,file={file} \
             -device virtio-blk-pci,drive={id},serial={name}",
            id = file.replace('.', "-")
        ));
    }
    println!("running the appliance: it is emulated, and takes minutes");
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

/// Compares a volume with what the kernel reads of its filesystem; says how many paths there are.
fn compare(volume: &Volume, theirs: &Manifest) -> Result<usize> {
    let reader = match (&volume.reader, &volume.problem) {
        (Some(reader), _) => reader.clone(),
        (None, problem) => bail!("it is not read: {problem:?}"),
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

/// Finds what lies on the disks of these names, with a key where there is one.
fn discover(work: &Work, names: &[&str], key: &str) -> Result<Discovery> {
    let mut disks = Vec::new();
    for name in names {
        let location = Location::Path(work.path(&format!("{name}.img")));
        for disk in Opener::new().open(&location)? {
            let (reader, sector_size) = (disk.reader, disk.sector_size);
            disks.push(Disk { name: (*name).to_owned(), reader, sector_size });
        }
    }
    let keys = Some(key).filter(|key| !key.is_empty());
    let keys = keys.map(|key| Key::new(None, key.as_bytes().to_vec()));
    Ok(fathom_volume::discover(&disks, &Keys::new(keys.into_iter().collect())))
}

/// The volume called `id`.
fn find<'a>(discovery: &'a Discovery, id: &str) -> Result<&'a Volume> {
    discovery.find(id).with_context(|| {
        let all: Vec<_> = discovery.volumes.iter().map(|volume| volume.id.as_str()).collect();
        format!("it is not among {all:?}")
    })
}
