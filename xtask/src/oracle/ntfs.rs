//! NTFS as ntfs-3g makes it and shows it.
//!
//! The kernel of the test machine has no NTFS, so the reference is ntfs-3g, mounted through FUSE.
//! Owners and modes are not compared: NTFS has none, and the two sides make up different ones.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use fathom_block::{ErrorKind, Location, Opener, ReadAt};
use fathom_filesystem::ntfs::Ntfs;
use fathom_filesystem::{FileType, Filesystem, Health, Timestamp, Tree};

use super::fixture::{self, Abilities};
use super::manifest::{self, Ignore};
use super::{Case, Manifest, Work};

const ABILITIES: Abilities = Abilities {
    unix: false,
    symlinks: true,
    hard_links: true,
    xattrs: false,
    odd_names: false,
    large_directory: 3000,
    large_file: 8 << 20,
};

/// What ntfs-3g cannot say, or says of its own accord.
const IGNORE: Ignore = Ignore {
    owner_and_mode: true,
    links: false,
    changed: false,
    created: true,
    inode: false,
    allocated: false,
    directory_size: true,
    xattrs: false,
    directory_times: false,
    directory_links: false,
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for cluster in [512, 1024, 2048, 4096, 8192, 65536, 131_072, 2_097_152] {
        cases.push(Case::new(format!("ntfs/cluster-{cluster}"), move |work| {
            let options = format!("-c {cluster}");
            make(work, if cluster > 65536 { "3G" } else { "256M" }, &options)?;
            // The index blocks of a directory take a whole cluster each.
            let large_directory = if cluster > 65536 { 300 } else { 3000 };
            fill(work, "", |at| fixture::populate(at, Abilities { large_directory, ..ABILITIES }))?;
            compare(work, "")
        }));
    }
    cases.push(Case::new("ntfs/sectors-4096", |work| {
        make(work, "256M", "-s 4096 -c 4096")?;
        fill(work, "", |at| fixture::populate(at, ABILITIES))?;
        compare(work, "")
    }));
    cases.push(Case::new("ntfs/names", |work| {
        make(work, "64M", "")?;
        script(work, "", NAMES)?;
        names(work)?;
        lookups(work)
    }));
    cases.push(Case::new("ntfs/streams", |work| {
        make(work, "64M", "")?;
        script(work, "", STREAMS)?;
        compare(work, "")?;
        streams(work)
    }));
    for cluster in [512, 1024, 4096] {
        cases.push(Case::new(format!("ntfs/compressed-{cluster}"), move |work| {
            make(work, "128M", &format!("-c {cluster}"))?;
            script(work, "compression", COMPRESSED)?;
            compare(work, "compression")
        }));
    }
    cases.push(Case::new("ntfs/compressed-tree", |work| {
        make(work, "256M", "-c 4096")?;
        fill(work, "compression", |at| {
            // What is made in a compressed directory is compressed.
            crate::shell::bash(at, "setfattr -h -n system.ntfs_attrib_be -v 0x00000800 .")?;
            fixture::populate(at, ABILITIES)
        })?;
        compare(work, "compression")
    }));
    cases.push(Case::new("ntfs/fragmented", |work| {
        make(work, "64M", "-c 512")?;
        script(work, "", FRAGMENTED)?;
        compare(work, "")
    }));
    cases.push(Case::new("ntfs/fragmented-table", |work| {
        make(work, "48M", "-c 512")?;
        script(work, "", FRAGMENTED_TABLE)?;
        let list = work.bash("ntfsinfo -fi 0 image | grep 'ATTRIBUTE_LIST'");
        ensure!(list.is_ok(), "the table has no attribute list: the case tests nothing");
        compare(work, "")
    }));
    cases.push(Case::new("ntfs/large-directories", |work| {
        make(work, "256M", "")?;
        script(work, "", LARGE_DIRECTORIES)?;
        let list = work.bash("ntfsinfo -fF /listed image | grep -c 'ATTRIBUTE_LIST'");
        ensure!(list.is_ok(), "the directory has no attribute list: the case tests nothing");
        compare(work, "")?;
        lookups(work)
    }));
    cases.push(Case::new("ntfs/wsl-special-files", |work| {
        make(work, "64M", "")?;
        script(work, "special_files=wsl", SPECIAL)?;
        compare(work, "special_files=wsl")
    }));
    cases.push(Case::new("ntfs/interix-special-files", |work| {
        make(work, "64M", "")?;
        script(work, "", SPECIAL)?;
        work.bash("mkdir -p mount; ntfs-3g image mount; rm mount/pipe")?;
        unmount(work)?;
        compare(work, "")
    }));
    cases.push(Case::new("ntfs/reparse-points", |work| {
        make(work, "64M", "")?;
        script(work, "", &reparse_points())?;
        reparse(work)
    }));
    cases.push(Case::new("ntfs/system-files", |work| {
        make(work, "64M", "-L 'Ünïcode label'")?;
        script(work, "", "mkdir a; echo b > a/b")?;
        system_files(work)
    }));
    cases.push(Case::new("ntfs/damaged-boot-and-table", |work| {
        make(work, "64M", "")?;
        fill(work, "", |at| fixture::populate(at, Abilities { large_file: 1 << 20, ..ABILITIES }))?;
        damaged(work)
    }));
    cases.push(Case::new("ntfs/dirty", |work| {
        make(work, "64M", "")?;
        fill(work, "", |at| fixture::populate(at, Abilities { large_file: 1 << 20, ..ABILITIES }))?;
        dirty(work)
    }));
    cases.push(Case::new("ntfs/copied-while-mounted", |work| {
        make(work, "64M", "")?;
        let mount = "mkdir -p mount; ntfs-3g -o streams_interface=xattr image mount";
        work.bash(mount)?;
        fixture::populate(&work.path("mount"), Abilities { large_file: 1 << 20, ..ABILITIES })?;
        work.bash("sync -f mount; cp --sparse=always image copy")?;
        unmount(work)?;
        work.bash("mv copy image")?;
        compare(work, "")
    }));
    cases.push(Case::new("ntfs/windows-times", |work| {
        make(work, "32M", "")?;
        script(work, "", TIMES)?;
        compare(work, "")
    }));
    cases
}

const NAMES: &str = r#"
: > 'ünïcode-日本語'; : > 'emoji-😀'; : > ' leading'; : > 'trailing '; : > 'trailing.'; : > '-rf'; : > 'a:b' ; : > 'a*b?'
: > 'Case'; : > 'case'; : > 'CASE'; : > 'Straße'; : > 'STRASSE'; : > "quote'\"<>|"; : > 'back\slash'
for length in 1 50 100 200 254 255; do : > "$(printf "%${length}s" | tr ' ' x)"; : > "$(printf "%${length}s" | sed 's/ /ß/g' | head -c 510)" || true; done
mkdir dos; for i in $(seq 1 50); do echo $i > "dos/A long name number $i"; setfattr -n system.ntfs_dos_name -v "LONGNA~$i" "dos/A long name number $i" || true; done
mkdir 'Mixed Case Directory'; echo x > 'Mixed Case Directory/File.TXT'
mkdir links; echo linked > links/0; for i in $(seq 1 400); do ln links/0 "links/a rather long name for a hard link, so that a record is soon full $i"; done
"#;

const STREAMS: &str = r#"
echo main > file; setfattr -n user.small -v value file; setfattr -n user.empty file
setfattr -n user.binary -v 0x00ff0a0d00 file; setfattr -n 'user.ünïcode 😀' -v x file
setfattr -n user.Zone.Identifier -v '[ZoneTransfer]' file
head -c 45000 /dev/urandom | base64 -w0 > big; setfattr -n user.large -v "$(cat big)" file
mkdir directory; setfattr -n user.of-directory -v yes directory
: > many; for i in $(seq 1 200); do setfattr -n "user.stream number $i" -v "value $i" many; done
"#;

const COMPRESSED: &str = r#"
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
mkdir c; setfattr -h -n system.ntfs_attrib_be -v 0x00000800 c; cd c
: > empty; echo tiny > tiny
for size in 100 511 4095 4096 4097 8191 8192 8193 16384 65535 65536 65537 131073 1000001; do
  yes "a line that compresses well, $size" | head -c $size > text-$size || true
  noise $size $size > noise-$size
  head -c $size /dev/zero > zeros-$size
done
# Units of every kind beside each other.
{ yes abc | head -c 70000; noise 70000 1; head -c 200000 /dev/zero; noise 1000 2; yes def | head -c 70000; head -c 5000 /dev/zero; } > mixed || true
cat /usr/share/common-licenses/* | head -c 1500000 > licences || true
cat /bin/bash > program
truncate -s 3M sparse; noise 5000 3 | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
for i in $(seq 1 40); do yes "appended $i" | head -c $((i * 997)) >> appended || true; done
for i in $(seq 1 30); do yes "patch $i" | head -c 3000 | dd of=mixed bs=1 seek=$((i * 7919)) conv=notrunc status=none || true; done
setfattr -n user.stream -v "$(head -c 50000 /dev/zero | tr '\0' s)" tiny
"#;

const FRAGMENTED: &str = r#"
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
# Fill the volume with small files, remove every other one, and write large files into the gaps.
mkdir fill; noise 8000000 1 | (cd fill && split -b 2048 -a 4 -d)
noise 60000000 1 > rest 2>/dev/null || true
(cd fill; seq -f 'x%04g' 0 2 3905 | xargs rm)
noise 2000000 2 > scattered; noise 1500000 3 > scattered-too
rm rest
truncate -s 30M comb; for i in $(seq 1 150); do noise 600 $i | dd of=comb bs=1 seek=$((i * 196608)) conv=notrunc status=none; done
"#;

const FRAGMENTED_TABLE: &str = r#"
# Leave the table nothing to grow into but the gaps between small files.
mkdir d; for i in $(seq 1 1500); do printf '%1200s' x > d/block-$i; done
head -c 60000000 /dev/zero > rest 2>/dev/null || true
(cd d; seq -f 'block-%g' 1 2 1500 | xargs rm)
mkdir late; for i in $(seq 1 1600); do : > late/$i 2>/dev/null || break; done
rm rest; for i in $(seq 1 100); do echo $i > later-$i; done
"#;

const LARGE_DIRECTORIES: &str = r#"
mkdir many; (cd many; for i in $(seq 1 6200); do : > "entry $i $(printf 'n%.0s' $(seq 1 $((i % 60))))"; done)
# Streams take the room of the directory's own record, and move its index root out of it.
mkdir listed; for i in $(seq 1 20); do setfattr -n "user.a stream with a long name, number $i" -v "some value" listed; done
(cd listed; for i in $(seq 1 3000); do : > "Entry-$i"; done; seq -f 'Entry-%g' 1 3 3000 | xargs rm)
mkdir shrunk; (cd shrunk; for i in $(seq 1 500); do : > $i; done; rm *; : > last)
"#;

const SPECIAL: &str = r#"
mkdir d; ln -s d/x relative; ln -s /d/y absolute; ln -s ../../out out; ln -s "$(printf 'a%.0s' $(seq 1 500))" long; ln -s 'ünïcode/😀' unicode
mkfifo pipe; mknod char c 1 3; mknod block b 8 17; mknod large c 300 70000
"#;

const TIMES: &str = r#"
touch -d '1601-01-01 00:00:00 UTC' first; touch -d '1601-01-01 00:00:00.0000001 UTC' next
touch -d '1969-12-31 23:59:59.9999999 UTC' before; touch -d '1970-01-01 UTC' epoch
touch -d '2038-01-19 03:14:08.25 UTC' after; touch -d '2500-06-07 08:09:10.123456789 UTC' far
"#;

/// Makes the image.
fn make(work: &Work, size: &str, options: &str) -> Result<()> {
    work.bash(&format!("truncate -s {size} image; mkfs.ntfs -FQq {options} image >/dev/null"))?;
    Ok(())
}

/// Mounts the image for writing and fills it.
fn fill(work: &Work, options: &str, fill: impl Fn(&Path) -> Result<()>) -> Result<()> {
    mount(work, "image", options)?;
    let outcome = fill(&work.path("mount"));
    unmount(work)?;
    outcome
}

fn script(work: &Work, options: &str, script: &str) -> Result<()> {
    fill(work, options, |at| crate::shell::bash(at, script).map(drop))
}

fn mount(work: &Work, image: &str, options: &str) -> Result<()> {
    let comma = if options.is_empty() { "" } else { "," };
    let mount = format!("ntfs-3g -o streams_interface=xattr{comma}{options} {image} mount");
    work.bash(&format!("mkdir -p mount; {mount}"))?;
    Ok(())
}

/// FUSE lets go of files a moment after they are closed.
fn unmount(work: &Work) -> Result<()> {
    work.bash(
        "for i in $(seq 50); do umount mount 2>/dev/null && exit; sleep 0.1; done; umount mount",
    )?;
    Ok(())
}

fn ntfs(work: &Work, image: &str) -> Result<Ntfs> {
    let disks = Opener::new().open(&Location::Path(work.path(image)))?;
    Ok(Ntfs::open(disks.into_iter().next().context("the image has no disk")?.reader)?)
}

/// What ntfs-3g shows, with the DOS attributes, which it does not list.
fn theirs(work: &Work, image: &str, options: &str) -> Result<Manifest> {
    mount(work, image, &format!("ro{}{options}", if options.is_empty() { "" } else { "," }))?;
    let root = work.path("mount");
    let manifest = Manifest::from_kernel(&root).map(|mut manifest| {
        for (path, entry) in &mut manifest.0 {
            let path = root.join(std::ffi::OsStr::from_bytes(path));
            for name in ["system.ntfs_attrib", "system.ntfs_reparse_data", "system.ntfs_ea"] {
                let mut value = vec![0; 64 << 10];
                if let Ok(length) = rustix::fs::lgetxattr(&path, name, &mut value[..]) {
                    value.truncate(length);
                    entry.xattrs.insert(name.into(), value);
                }
            }
        }
        manifest
    });
    unmount(work)?;
    manifest
}

/// What we show, with the times that ntfs-3g would show: it cuts fractions of a second before 1970
/// in the wrong direction, and the kernel drops what is then negative.
fn ours(tree: &Tree) -> Result<Manifest> {
    let mut manifest = Manifest::from_tree(tree)?;
    for entry in manifest.0.values_mut() {
        let time = &mut entry.modified;
        if time.seconds < 0 && time.nanos > 0 {
            *time = Timestamp::new(time.seconds + 1, 0);
        }
    }
    Ok(manifest)
}

/// Compares the image with what ntfs-3g shows of it, and the bulk scan with our own walk.
fn compare(work: &Work, options: &str) -> Result<()> {
    let theirs = theirs(work, "image", options)?;
    let tree = work.tree("image")?;
    ensure!(theirs.len() > 1, "the image is empty");
    ensure!(tree.problems().is_empty(), "problems: {:?}", tree.problems());
    theirs.check(&ours(&tree)?, IGNORE)?;
    let root = &tree.mounts()[0].filesystem;
    let info = root.info();
    ensure!(info.health == Health::Clean, "health is {}", info.health);
    let free = work.bash("ntfsinfo -fm image | awk '/Free Clusters/ { print $3 }'")?;
    let ours = info.free.context("free is not known")? / u64::from(info.block_size);
    ensure!(free.trim() == ours.to_string(), "{ours} clusters are free, ntfsinfo says {free}");
    scan(work, &tree)
}

/// The bulk scan must find the files of the walk with the same names, sizes and times.
fn scan(work: &Work, tree: &Tree) -> Result<()> {
    let ntfs = ntfs(work, "image")?;
    let mut scanned = BTreeMap::new();
    for file in ntfs.scan() {
        let file = file?;
        scanned.insert(file.node, file);
    }
    let mut walked = BTreeMap::<_, BTreeSet<Vec<u8>>>::new();
    for step in tree.walk(b"/")? {
        let (node, metadata) = (step.found.node, step.metadata?);
        let file = scanned.get(&node).with_context(|| format!("{node:?} is not scanned"))?;
        let size = if metadata.file_type == FileType::Symlink { file.size } else { metadata.size };
        ensure!(
            (file.size, file.modified, file.allocated)
                == (size, metadata.modified, metadata.allocated),
            "{file:?} is not {metadata:?}"
        );
        if let Some(at) = step.path.iter().rposition(|byte| *byte == b'/') {
            walked.entry(node).or_default().insert(step.path[at + 1..].to_vec());
        }
    }
    for (node, names) in &walked {
        let file = &scanned[node];
        let listed: BTreeSet<_> =
            file.names.iter().filter(|name| !name.is_dos).map(|name| name.name.clone()).collect();
        let root = *node == ntfs.root();
        ensure!(root || names == &listed, "{node:?} is called {names:?}, scanned {listed:?}");
    }
    let users = scanned.values().filter(|file| {
        let extend = |name: &fathom_filesystem::ntfs::ScannedName| name.parent.inode == 11;
        file.node.inode >= 16 && !file.names.iter().any(extend) && !file.names.is_empty()
    });
    let users = users.count() + 1;
    ensure!(users == walked.len(), "{users} files are scanned, {} walked", walked.len());
    Ok(())
}

/// ntfs-3g counts names that are only there for DOS as links. Neither Linux nor we do.
fn names(work: &Work) -> Result<()> {
    let tree = work.tree("image")?;
    theirs(work, "image", "")?.check(&ours(&tree)?, Ignore { links: true, ..IGNORE })?;
    for (path, links) in [(&b"/dos/A long name number 7"[..], 1), (b"/links/0", 401)] {
        let found = tree.metadata(path)?.links;
        ensure!(found == links, "{} has {found} links", path.escape_ascii());
    }
    let (long, dos) = (tree.resolve(b"/dos/A long name number 7", false)?, b"/dos/longna~7");
    ensure!(tree.resolve(dos, false)?.node == long.node, "the DOS name leads elsewhere");
    scan(work, &tree)
}

/// Every name is found as it is, in capitals and in small letters.
fn lookups(work: &Work) -> Result<()> {
    let tree = work.tree("image")?;
    for step in tree.walk(b"/")? {
        let metadata = step.metadata?;
        let exact = tree.resolve(&step.path, false)?;
        ensure!(exact.node == step.found.node, "{} is another", step.path.escape_ascii());
        let folded = tree.resolve(&step.path.to_ascii_uppercase(), false)?;
        let same = folded.metadata()?.file_type == metadata.file_type;
        ensure!(same, "{} leads elsewhere in capitals", step.path.escape_ascii());
        let absent = [step.path.as_slice(), b"-absent"].concat();
        ensure!(tree.resolve(&absent, false).is_err(), "{} exists", absent.escape_ascii());
    }
    Ok(())
}

/// Streams that are too long for an attribute are opened by name.
fn streams(work: &Work) -> Result<()> {
    work.bash(
        "mkdir -p mount; ntfs-3g -o streams_interface=windows image mount
         seq 1 100000 > mount/file:long; sha256sum < mount/file:long | cut -d' ' -f1 > sum",
    )?;
    unmount(work)?;
    let ntfs = ntfs(work, "image")?;
    let file = ntfs.lookup(ntfs.root(), b"file")?.context("no file")?;
    let names: Vec<_> = ntfs.streams(file)?.into_iter().map(|stream| stream.name).collect();
    ensure!(names.contains(&b"long".to_vec()), "streams are {names:?}");
    let listed = ntfs.xattrs(file)?.iter().any(|xattr| xattr.name == b"user.long");
    ensure!(!listed, "a stream of more than 64 KiB is an attribute");
    let stream = ntfs.open_stream(file, b"long")?.context("no stream")?;
    let sum = std::fs::read_to_string(work.path("sum"))?;
    ensure!(manifest::hash_reader(&*stream)? == sum.trim(), "the stream's bytes differ");
    ensure!(ntfs.open_stream(file, b"none")?.is_none(), "a stream that is not there opens");
    Ok(())
}

/// A reparse point in its form on disk, in hexadecimal.
fn reparse_hex(tag: u32, data: &[u8]) -> String {
    let mut bytes = tag.to_le_bytes().to_vec();
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn link_data(symlink: Option<u32>, target: &str) -> Vec<u8> {
    let name: Vec<u8> = target.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let length = (name.len() as u16).to_le_bytes();
    let mut data = [[0, 0], length, length, length].concat();
    data.extend(symlink.map(u32::to_le_bytes).into_iter().flatten());
    data.extend(&name);
    data.extend(&name);
    data
}

fn reparse_points() -> String {
    let mut script = String::from("mkdir target; echo x > target/file; mkdir real\n");
    let set = |script: &mut String, make: &str, name: &str, tag: u32, data: &[u8]| {
        let hex = reparse_hex(tag, data);
        let _ = writeln!(
            script,
            "{make} {name}; setfattr -h -n system.ntfs_reparse_data -v {hex} {name}"
        );
    };
    set(&mut script, "touch", "relative", 0xA000_000C, &link_data(Some(1), r"target\file"));
    set(&mut script, "touch", "absolute", 0xA000_000C, &link_data(Some(0), r"\??\C:\target\file"));
    set(&mut script, "mkdir", "junction", 0xA000_0003, &link_data(None, r"\??\C:\target"));
    set(&mut script, "mkdir", "other-drive", 0xA000_0003, &link_data(None, r"\??\D:\target\"));
    set(
        &mut script,
        "cp target/file",
        "wof",
        0x8000_0017,
        &[1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    );
    set(&mut script, "touch", "dedup", 0x8000_0013, &[1, 2, 3, 4]);
    set(&mut script, "touch", "cloud", 0x9000_601A, &[1, 2, 3, 4]);
    script
}

/// Reparse points that ntfs-3g cannot follow are checked one by one.
fn reparse(work: &Work) -> Result<()> {
    let tree = work.tree("image")?;
    for (path, target) in [
        (&b"/relative"[..], &b"target/file"[..]),
        (b"/absolute", b"/target/file"),
        (b"/junction", b"/target"),
        (b"/other-drive", b"/D:/target"),
    ] {
        let found = tree.read_link(path)?;
        ensure!(found == target, "{} -> {}", path.escape_ascii(), found.escape_ascii());
    }
    ensure!(tree.read(b"/junction/file", 10)? == b"x\n", "the junction is not followed");
    ensure!(tree.read(b"/absolute", 10)? == b"x\n", "the link is not followed");
    let kind = |path: &[u8]| tree.symlink_metadata(path).map(|metadata| metadata.file_type);
    ensure!(kind(b"/wof")? == FileType::File && kind(b"/dedup")? == FileType::Other);
    for (path, word) in [(&b"/wof"[..], "WOF"), (b"/dedup", "dedup"), (b"/cloud", "cloud")] {
        let found = tree.resolve(path, false)?;
        let Err(error) = found.open() else { bail!("{} opens", path.escape_ascii()) };
        ensure!(
            error.kind() == ErrorKind::Unsupported && error.to_string().contains(word),
            "{error}"
        );
    }
    // What they are made of is the same on both sides.
    let theirs = theirs(work, "image", "")?;
    for (path, entry) in &theirs.0 {
        let ours = tree.resolve(path, false)?.xattrs()?;
        let ours: BTreeMap<_, _> =
            ours.into_iter().map(|xattr| (xattr.name, xattr.value)).collect();
        let shown = path.escape_ascii();
        ensure!(entry.xattrs == ours, "{shown}: {:?}, we say {ours:?}", entry.xattrs);
    }
    Ok(())
}

/// The files that NTFS keeps for itself, byte by byte with ntfscat.
fn system_files(work: &Work) -> Result<()> {
    let ntfs = ntfs(work, "image")?;
    let info = ntfs.info();
    ensure!(info.label.as_deref() == Some("Ünïcode label"), "the label is {:?}", info.label);
    let blkid = work.bash("blkid -p -o value -s UUID image")?;
    ensure!(info.uuid.as_deref() == Some(blkid.trim()), "{:?} is not {blkid}", info.uuid);
    for (number, name) in
        ["$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", ".", "$Bitmap", "$Boot"]
            .iter()
            .enumerate()
    {
        // ntfscat undoes the fixups of the table.
        if matches!(*name, "$MFT" | "$MFTMirr" | "." | "$Volume") {
            continue;
        }
        let node =
            ntfs.lookup(ntfs.root(), name.as_bytes())?.with_context(|| format!("no {name}"))?;
        ensure!(node.inode == number as u64, "{name} is record {}", node.inode);
        let sum =
            work.bash(&format!("ntfscat -f -i {number} image | sha256sum | cut -d' ' -f1"))?;
        let ours = manifest::hash_reader(&*Filesystem::open(&ntfs, node)?)?;
        ensure!(ours == sum.trim(), "{name} differs");
    }
    let upcase = ntfs.lookup(ntfs.root(), b"$upcase")?.context("no $UpCase")?;
    ensure!(Filesystem::open(&ntfs, upcase)?.len() == 128 << 10, "$UpCase is short");
    Ok(())
}

/// With the boot sector and the first records of the table gone, the copies suffice.
fn damaged(work: &Work) -> Result<()> {
    let theirs = theirs(work, "image", "")?;
    work.bash(
        "mft=$(od -An -tu8 -j48 -N8 image | tr -d ' ')
         dd if=/dev/urandom of=image bs=512 count=1 conv=notrunc status=none
         dd if=/dev/urandom of=image bs=4096 seek=$mft count=1 conv=notrunc status=none",
    )?;
    let tree = work.tree("image")?;
    let problems: Vec<String> = tree.problems().iter().map(ToString::to_string).collect();
    ensure!(
        problems.iter().any(|problem| problem.contains("the copy at the volume's end")),
        "{problems:?}"
    );
    ensure!(problems.iter().any(|problem| problem.contains("$MFTMirr")), "{problems:?}");
    theirs.check(&ours(&tree)?, IGNORE)
}

/// What was left dirty is shown, and told to be dirty.
fn dirty(work: &Work) -> Result<()> {
    let theirs = theirs(work, "image", "")?;
    // The flag of $VOLUME_INFORMATION; ntfsfix -d clears it, so it is set by hand.
    let volume = std::fs::read(work.path("image"))?;
    let lcn = u64::from_le_bytes(volume[48..56].try_into()?) as usize;
    let record = lcn * 4096 + 3 * 1024;
    let mut at =
        record + usize::from(u16::from_le_bytes(volume[record + 20..record + 22].try_into()?));
    while volume[at] != 0x70 {
        at += u32::from_le_bytes(volume[at + 4..at + 8].try_into()?) as usize;
    }
    let flags = at + 24 + 10;
    for (name, patches) in [
        ("marked dirty", vec![(flags, vec![1])]),
        ("was not closed", restart_pages(&volume)?),
        ("hibernated", vec![]),
    ] {
        let mut copy = volume.clone();
        for (at, bytes) in patches {
            copy[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        std::fs::write(work.path("dirty"), &copy)?;
        if name == "hibernated" {
            work.bash("mkdir -p mount; ntfs-3g dirty mount; printf hibr > mount/hiberfil.sys")?;
            unmount(work)?;
        }
        let tree = work.tree("dirty")?;
        let problems: Vec<String> = tree.problems().iter().map(ToString::to_string).collect();
        ensure!(problems.len() == 1 && problems[0].contains(name), "{name}: {problems:?}");
        let health = tree.mounts()[0].filesystem.info().health;
        ensure!(health == Health::Dirty, "{name}: health is {health}");
        if name != "hibernated" {
            theirs.check(&ours(&tree)?, IGNORE)?;
        }
    }
    Ok(())
}

/// Restart pages of a log that a client has open.
fn restart_pages(volume: &[u8]) -> Result<Vec<(usize, Vec<u8>)>> {
    let lcn = u64::from_le_bytes(volume[48..56].try_into()?) as usize;
    let record = lcn * 4096 + 2 * 1024;
    let mut at =
        record + usize::from(u16::from_le_bytes(volume[record + 20..record + 22].try_into()?));
    while volume[at] != 0x80 {
        at += u32::from_le_bytes(volume[at + 4..at + 8].try_into()?) as usize;
    }
    let pairs = at + usize::from(u16::from_le_bytes(volume[at + 32..at + 34].try_into()?));
    let (count, delta) = (usize::from(volume[pairs] & 15), usize::from(volume[pairs] >> 4));
    let place = volume[pairs + 1 + count..][..delta]
        .iter()
        .rev()
        .fold(0usize, |place, byte| place << 8 | usize::from(*byte));
    let mut page = vec![0; 4096];
    page[..4].copy_from_slice(b"RSTR");
    for (at, value) in [(4, 30u16), (6, 9), (17, 16), (21, 16), (24, 64), (26, 1), (28, 1), (30, 7)]
    {
        page[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    for stride in 0..8 {
        page[stride * 512 + 510] = 7;
    }
    Ok(vec![(place * 4096, page.clone()), (place * 4096 + 4096, page)])
}
