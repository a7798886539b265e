//! What ext must read: every feature that mke2fs can switch on, and every state that a machine can
//! be stopped in, compared with the kernel; where the kernel refuses, with what mke2fs was given.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::FileExt as _;

use anyhow::{Context, Result, bail};
use fathom_block::{ErrorKind, Location, Opener};
use fathom_filesystem::{FileType, Health, Timestamp, Tree};

use super::fixture::{self, Abilities};
use super::manifest::Ignore;
use super::{Case, Manifest, Work};

/// What a filesystem is made and mounted with.
#[derive(Clone, Copy)]
struct Made {
    name: &'static str,
    size: &'static str,
    mke2fs: &'static str,
    mount: &'static str,
}

const fn made(name: &'static str, mke2fs: &'static str) -> Made {
    Made { name, size: "96M", mke2fs, mount: "" }
}

/// Filesystems that the kernel mounts.
const MATRIX: &[Made] = &[
    made("ext2", "-t ext2"),
    made("ext2-1k", "-t ext2 -b 1024"),
    made("ext2-revision-0", "-t ext2 -r 0 -b 1024 -O none"),
    made("ext2-plain", "-t ext2 -O none,ext_attr -I 128"),
    made("ext2-hurd", "-t ext2 -o hurd"),
    made("ext3", "-t ext3"),
    made("ext3-1k-no-index", "-t ext3 -b 1024 -O ^dir_index"),
    made("ext4", "-t ext4"),
    made("ext4-1k", "-t ext4 -b 1024"),
    made("ext4-2k", "-t ext4 -b 2048"),
    made("ext4-no-journal", "-t ext4 -O ^has_journal"),
    made("ext4-no-extents", "-t ext4 -O ^extent,^64bit"),
    made("ext4-32bit", "-t ext4 -O ^64bit,^metadata_csum"),
    made("ext4-inode-128", "-t ext4 -I 128"),
    made("ext4-inode-512", "-t ext4 -I 512"),
    made("ext4-inode-1024", "-t ext4 -b 1024 -I 1024"),
    made("ext4-uninit-bg", "-t ext4 -O ^metadata_csum,uninit_bg"),
    made("ext4-uninit-bg-32bit", "-t ext4 -O ^metadata_csum,uninit_bg,^64bit"),
    made("ext4-no-csum", "-t ext4 -O ^metadata_csum,^uninit_bg"),
    made("ext4-csum-seed", "-t ext4 -O metadata_csum_seed -U 01234567-89ab-cdef-0123-456789abcdef"),
    made("ext4-meta-bg", "-t ext4 -O meta_bg,^resize_inode -b 1024 -g 1024"),
    made("ext4-meta-bg-4k", "-t ext4 -O meta_bg,^resize_inode,^sparse_super -b 4096 -g 256"),
    made("ext4-no-flex-bg", "-t ext4 -O ^flex_bg"),
    made("ext4-sparse-super2", "-t ext4 -O sparse_super2,^resize_inode"),
    made("ext4-bigalloc", "-t ext4 -O bigalloc -C 16384"),
    made("ext4-bigalloc-1k", "-t ext4 -O bigalloc -b 1024 -C 8192"),
    made("ext4-inline-data", "-t ext4 -O inline_data"),
    made("ext4-inline-data-1k-i", "-t ext4 -O inline_data -I 1024"),
    made("ext4-inline-data-128", "-t ext4 -O inline_data -I 256 -b 1024"),
    made("ext4-ea-inode", "-t ext4 -O ea_inode"),
    made("ext4-large-dir", "-t ext4 -O large_dir -b 1024"),
    made("ext4-mmp", "-t ext4 -O mmp"),
    made("ext4-no-filetype", "-t ext4 -O ^filetype"),
    made("ext4-no-huge-file", "-t ext4 -O ^huge_file,^dir_nlink,^extra_isize"),
    made("ext4-orphan-file", "-t ext4 -O orphan_file"),
    made("ext4-verity-stable", "-t ext4 -O verity,stable_inodes"),
    made("ext4-encrypt", "-t ext4 -O encrypt"),
    made("ext4-fast-commit", "-t ext4 -O fast_commit"),
    made("ext4-tea", "-t ext4 -E hash_seed=01234567-89ab-cdef-0123-456789abcdef"),
    made(
        "ext4-everything",
        "-t ext4 -b 1024 -O inline_data,ea_inode,large_dir,mmp,metadata_csum_seed,\
         orphan_file,stable_inodes,sparse_super2,^resize_inode,fast_commit",
    ),
];

/// Filesystems that the kernel of the test machine does not mount.
const UNMOUNTABLE: &[Made] = &[
    made("ext4-8k", "-t ext4 -b 8192"),
    made("ext4-16k", "-t ext4 -b 16384"),
    made("ext4-32k-bigalloc", "-t ext4 -b 32768 -O bigalloc -C 131072"),
    made("ext4-64k", "-t ext4 -b 65536"),
    made("ext4-64k-ext2", "-t ext2 -b 65536"),
    made("ext4-quota", "-t ext4 -O quota,project"),
    made("ext4-casefold", "-t ext4 -O casefold -E encoding=utf8"),
];

/// Filesystems that a machine is stopped with.
const DIRTY: &[Made] = &[
    Made { name: "ext3", size: "96M", mke2fs: "-t ext3 -J size=4", mount: "" },
    Made { name: "ext3-1k", size: "96M", mke2fs: "-t ext3 -b 1024 -J size=2", mount: "" },
    Made { name: "ext4", size: "96M", mke2fs: "-t ext4 -J size=4", mount: "" },
    Made { name: "ext4-1k", size: "96M", mke2fs: "-t ext4 -b 1024 -J size=1", mount: "" },
    Made { name: "large-journal", size: "128M", mke2fs: "-t ext4 -J size=32", mount: "" },
    Made { name: "data-journal", size: "96M", mke2fs: "-t ext4 -J size=8", mount: "data=journal" },
    Made {
        name: "data-journal-1k",
        size: "96M",
        mke2fs: "-t ext3 -b 1024 -J size=4",
        mount: "data=journal",
    },
    Made { name: "writeback", size: "96M", mke2fs: "-t ext4 -J size=4", mount: "data=writeback" },
    Made {
        name: "async-commit",
        size: "96M",
        mke2fs: "-t ext4 -J size=4",
        mount: "data=writeback,journal_async_commit",
    },
    Made {
        name: "async-commit-no-csum",
        size: "96M",
        mke2fs: "-t ext4 -O ^metadata_csum,^64bit -J size=4",
        mount: "data=writeback,journal_async_commit",
    },
    Made {
        name: "journal-checksum",
        size: "96M",
        mke2fs: "-t ext4 -O ^metadata_csum -J size=4",
        mount: "journal_checksum",
    },
    Made { name: "32bit", size: "96M", mke2fs: "-t ext4 -O ^64bit -J size=4", mount: "" },
    Made {
        name: "no-csum",
        size: "96M",
        mke2fs: "-t ext4 -O ^64bit,^metadata_csum -J size=4",
        mount: "",
    },
    Made {
        name: "no-extents",
        size: "96M",
        mke2fs: "-t ext4 -O ^extent,^64bit -b 1024 -J size=2",
        mount: "",
    },
    Made {
        name: "inline-ea-orphan",
        size: "96M",
        mke2fs: "-t ext4 -O inline_data,ea_inode,orphan_file,large_dir -J size=4",
        mount: "",
    },
    Made {
        name: "bigalloc-csum-seed",
        size: "96M",
        mke2fs: "-t ext4 -O bigalloc,metadata_csum_seed -J size=4",
        mount: "",
    },
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for made in MATRIX {
        cases.push(Case::new(format!("ext/clean/{}", made.name), |work| clean(work, made)));
    }
    for made in UNMOUNTABLE {
        cases.push(Case::new(format!("ext/unmountable/{}", made.name), |w| unmountable(w, made)));
    }
    for made in DIRTY {
        cases.push(Case::new(format!("ext/dirty/{}", made.name), |work| dirty(work, made)));
    }
    for made in DIRTY.iter().filter(|made| !made.mke2fs.contains("size=32")) {
        cases.push(Case::new(format!("ext/wrapped/{}", made.name), |work| wrapped(work, made)));
    }
    cases.push(Case::new("ext/large-directory", large_directory));
    cases.push(Case::new("ext/hashes", hashes));
    cases.push(Case::new("ext/fragmented", fragmented));
    cases.push(Case::new("ext/large-values", large_values));
    cases.push(Case::new("ext/encrypted", encrypted));
    cases.push(Case::new("ext/external-journal", external_journal));
    cases.push(Case::new("ext/rescued", rescued));
    cases.push(Case::new("ext/refused", refused));
    for seed in 0..6 {
        cases.push(Case::new(format!("ext/fast-commit/{seed}"), move |w| fast_commit(w, seed)));
    }
    cases
}

impl Made {
    /// Makes the filesystem and mounts it at `mnt`.
    fn mount(&self, work: &Work) -> Result<()> {
        let Self { size, mke2fs, mount, .. } = self;
        // The blocks that all larger filesystems have; mke2fs would take 1 KiB for small ones.
        let blocks = if mke2fs.contains("-b ") { "" } else { "-b 4096" };
        let mount = if mount.is_empty() { "rw" } else { mount };
        work.bash(&format!(
            "truncate -s {size} image; mke2fs -q -F -L 'label {size}' {blocks} {mke2fs} image 2>&1; \
             mkdir -p mnt; mount -o loop,{mount} image mnt"
        ))?;
        Ok(())
    }
}

/// What the filesystem can hold.
fn abilities(made: &Made) -> Abilities {
    let mut abilities = Abilities::LINUX;
    if made.mke2fs.contains("-O none ") || made.mke2fs.ends_with("-O none") {
        abilities.xattrs = false;
    }
    if made.mke2fs.contains("hurd") {
        abilities.xattrs = false;
    }
    abilities
}

/// Fails unless we show what the kernel shows, through listings and through lookups.
fn check(theirs: &Manifest, tree: &Tree, ignore: Ignore) -> Result<()> {
    let problems = tree.problems();
    if !problems.is_empty() {
        bail!("problems: {problems:?}");
    }
    let ours = Manifest::from_tree(tree)?;
    theirs.check(&ours, ignore)?;
    for (path, entry) in &ours.0 {
        let found = tree.resolve(path, false)?;
        if found.node.inode != entry.inode {
            bail!("{}: a lookup finds {:?}", path.escape_ascii(), found.node);
        }
        let absent = [path.as_slice(), b"~"].concat();
        if !ours.0.contains_key(&absent) && tree.resolve(&absent, false).is_ok() {
            bail!("{}: a lookup finds what is not there", absent.escape_ascii());
        }
    }
    Ok(())
}

/// Fails unless the filesystem says it was left like this.
fn check_health(tree: &Tree, wanted: Health) -> Result<()> {
    match tree.mounts()[0].filesystem.info().health {
        health if health == wanted => Ok(()),
        health => bail!("its health is {health}, not {wanted}"),
    }
}

fn clean(work: &Work, made: &Made) -> Result<()> {
    made.mount(work)?;
    fixture::populate(&work.path("mnt"), abilities(made))?;
    work.bash(
        "sync -f mnt; umount mnt; mount -o loop,ro image mnt
         dumpe2fs -h image 2>/dev/null > dump; blkid -p -o value -s UUID image > uuid",
    )?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    work.bash("umount mnt")?;
    let tree = work.tree("image")?;
    check(&theirs, &tree, Ignore::default())?;
    check_health(&tree, Health::Clean)?;
    let info = tree.mounts()[0].filesystem.info();
    let uuid = std::fs::read_to_string(work.path("uuid"))?;
    if info.uuid.as_deref() != Some(uuid.trim()) || info.label.as_deref() != Some("label 96M") {
        bail!("it is called {:?} and {:?}", info.uuid, info.label);
    }
    let dump = std::fs::read_to_string(work.path("dump"))?;
    let field = |name: &str| {
        dump.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim()))
    };
    let free: u64 = field("Free blocks").context("no free blocks")?.parse()?;
    if info.free != Some(free * u64::from(info.block_size)) {
        bail!("{:?} bytes are free; dumpe2fs has {free} blocks", info.free);
    }
    let theirs: BTreeSet<_> = field("Filesystem features")
        .context("no features")?
        .split_whitespace()
        .filter(|name| *name != "(none)")
        .collect();
    let ours: BTreeSet<_> = info.features.iter().map(String::as_str).collect();
    if ours != theirs {
        bail!("features {ours:?}; dumpe2fs has {theirs:?}");
    }
    Ok(())
}

/// Compares what mke2fs was given with what we read, where the kernel cannot be asked.
fn unmountable(work: &Work, made: &Made) -> Result<()> {
    work.bash("mkdir given")?;
    let abilities = Abilities { large_directory: 600, ..Abilities::LINUX };
    fixture::populate(&work.path("given"), abilities)?;
    if !made.mke2fs.contains("-b ") {
        // mke2fs finds no room for it in a block of 4 KiB.
        work.bash("setfattr -x user.large given/one-byte")?;
    }
    work.bash(&format!(
        "truncate -s 192M image; mke2fs -q -F -d given {} image 2>&1; rm -f given/socket
         dumpe2fs -h image | head -50",
        made.mke2fs
    ))?;
    let mut theirs = Manifest::from_kernel(&work.path("given"))?;
    for entry in theirs.0.values_mut() {
        // mke2fs writes whole seconds, of which it keeps 32 bits.
        entry.modified = Timestamp::new(i64::from(entry.modified.seconds as i32), 0);
    }
    let tree = work.tree("image")?;
    let mut ours = Manifest::from_tree(&tree)?;
    ours.0.retain(|path, _| path != b"socket" && !path.starts_with(b"lost+found"));
    let ignore = Ignore {
        links: true,
        changed: true,
        created: true,
        inode: true,
        allocated: true,
        directory_size: true,
        directory_times: true,
        ..Ignore::default()
    };
    theirs.check(&ours, ignore)
}

/// A busy day: many small transactions, names that come, move and go, blocks that are freed and
/// used again for other things.
const CHURN: &str = r#"
import os, random, shutil, sys
os.chdir("mnt")
rounds, random.seed = int(sys.argv[1]), random.seed(int(sys.argv[2]))
some = random.randrange
def write(path, size):
    with open(path, "wb") as file: file.write(random.randbytes(size))
def flush():
    top = os.open(".", os.O_RDONLY); os.fsync(top); os.close(top)
for round in range(rounds):
    d = "work-%d" % some(4); os.makedirs(d, exist_ok=True)
    for _ in range(40): write("%s/file-%d" % (d, some(60)), some(9000))
    sub = "%s/sub-%d" % (d, round); os.mkdir(sub)
    for i in range(80): write("%s/name-with-some-length-%d" % (sub, i), some(30))
    # A block that starts like one of the journal's own.
    with open(sub + "/magic", "wb") as file: file.write(bytes.fromhex("c03b399800000001") * 2000)
    for _ in range(30):
        name = "%s/file-%d" % (d, some(60))
        if os.path.exists(name): os.unlink(name)
    for i in range(10):
        name = "%s/file-%d" % (d, i)
        if os.path.exists(name): os.rename(name, "%s/moved-%d" % (sub, i))
    for i in range(10, 20):
        name = "%s/file-%d" % (d, i)
        if os.path.exists(name): os.truncate(name, some(20000))
    os.symlink("target-%d" % round, "%s/link-%d" % (d, round))
    try: os.setxattr(d, "user.round", b"%d" % some(1 << 30))
    except OSError: pass
    old = "%s/sub-%d" % (d, round - 2)
    for old in [name for name in os.listdir(".") for name in ["%s/sub-%d" % (name, round - 3)] if os.path.exists(name)]:
        shutil.rmtree(old)
    if some(2) == 0: flush()
"#;

/// Stops the machine in the middle and lets the kernel replay the journal of a copy.
fn dirty(work: &Work, made: &Made) -> Result<()> {
    std::fs::write(work.path("churn.py"), CHURN)?;
    let mut revoked = 0;
    for (round, rounds) in [(0, 3), (1, 12), (2, 60)] {
        made.mount(work)?;
        if round == 1 {
            let few = Abilities { large_directory: 500, large_file: 1 << 20, ..abilities(made) };
            fixture::populate(&work.path("mnt"), few)?;
        }
        work.bash(&format!("python3 churn.py {rounds} {round}"))?;
        // With a last commit, as a snapshot of the running machine sees it, and without one. The
        // copy is made at once: an unmount would still carry blocks to their places.
        work.bash(match round {
            0 => "xfs_io -x -c 'shutdown -f' mnt",
            1 => "python3 -c 'import os; os.fsync(os.open(\"mnt\", os.O_RDONLY))'",
            _ => "xfs_io -x -c shutdown mnt",
        })?;
        work.bash("cp --sparse=always image snapshot; umount mnt; mv snapshot image")?;
        revoked += scramble(work)?;
        compare_replay(work, Ignore::default())?;
    }
    // Where the data is in the journal too, freed blocks are not revoked.
    match revoked {
        0 if !made.mount.contains("data=journal") => bail!("no block was ever revoked"),
        _ => Ok(()),
    }
}

/// Stops the machine when the log goes round the end of the journal.
fn wrapped(work: &Work, made: &Made) -> Result<()> {
    std::fs::write(work.path("churn.py"), CHURN)?;
    made.mount(work)?;
    for attempt in 0..200 {
        work.bash(&format!(
            "python3 churn.py 5 {attempt}; rm -rf mnt/work-*/sub-* mnt/work-*/link-*; cp --sparse=always image snapshot"
        ))?;
        let log = work.bash("debugfs -c -R 'logdump -a' snapshot 2> /dev/null")?;
        let blocks: Vec<u64> = log
            .lines()
            .filter(|line| line.contains("(descriptor block)"))
            .filter_map(|line| number(line, "at block "))
            .collect();
        if blocks.windows(2).any(|pair| pair[0] > pair[1]) {
            work.bash("umount mnt; mv snapshot image")?;
            scramble(work)?;
            return compare_replay(work, Ignore::default());
        }
    }
    bail!("the log never went round")
}

/// The number that follows `after`.
fn number(text: &str, after: &str) -> Option<u64> {
    let rest = text.split_once(after)?.1;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// Destroys every block of the image that the journal holds a copy of, so that nothing but a replay
/// can bring it back; left alone are those that lead to the journal, and those whose copies are
/// revoked. Returns how many of the latter there were.
fn scramble(work: &Work) -> Result<usize> {
    let log = work.bash("debugfs -c -R 'logdump -a' image 2> /dev/null")?;
    let journal = work.bash("debugfs -c -R 'imap <8>' image 2> /dev/null")?;
    let block_size: u64 = work
        .bash("dumpe2fs -h image 2> /dev/null | awk '/^Block size/ { print $3 }'")?
        .trim()
        .parse()?;
    let journal = number(&journal, "located at block ").context("where is inode 8")?;
    let mut committed = BTreeSet::new();
    let (mut copies, mut revocations) = (BTreeMap::new(), BTreeMap::new());
    let mut sequence = 0;
    for line in log.lines() {
        if let Some(dumped) = number(line, "block, sequence ") {
            sequence = dumped;
        } else if let Some(block) = number(line, "  Revoke FS block ") {
            revocations.insert(block, sequence);
        } else if let Some(block) = number(line, "  FS block ") {
            copies.insert(block, sequence);
        } else if line.contains("type 2 (commit block)") {
            committed.extend(number(line, "expected sequence "));
        }
    }
    copies.retain(|_, sequence| committed.contains(sequence));
    let all = copies.len();
    copies.retain(|block, sequence| revocations.get(block).is_none_or(|by| by < sequence));
    let image = std::fs::OpenOptions::new().write(true).open(work.path("image"))?;
    let mut scrambled = 0;
    for block in copies.keys().filter(|block| **block > 2 && **block != journal) {
        image.write_all_at(&vec![0xA5; block_size as usize], block * block_size)?;
        scrambled += 1;
    }
    match scrambled {
        0 => bail!("the journal holds nothing:\n{log}"),
        _ => Ok(all - copies.len()),
    }
}

/// Compares what we read of a dirty image with what the kernel shows of a copy that it replays.
fn compare_replay(work: &Work, ignore: Ignore) -> Result<()> {
    work.bash(
        "dumpe2fs -h image 2>/dev/null | grep -q needs_recovery
         cp --sparse=always image copy; mount -o loop copy mnt",
    )?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    work.bash("umount mnt")?;
    if !ignore.changed {
        // What the kernel makes of fast commits does not always please e2fsck.
        work.bash("e2fsck -fn copy > check 2>&1 || { cat check; exit 1; }")?;
    }
    let tree = work.tree("image")?;
    check_health(&tree, Health::Replayed)?;
    check(&theirs, &tree, ignore)
}

/// Fast commits: single files are made durable between transactions.
fn fast_commit(work: &Work, seed: u64) -> Result<()> {
    let made = Made {
        name: "fast-commit",
        size: "96M",
        mke2fs: match seed % 3 {
            0 => "-t ext4 -O fast_commit -J size=8",
            1 => "-t ext4 -O fast_commit,inline_data -J size=8",
            _ => "-t ext4 -O fast_commit -b 1024 -J size=4",
        },
        mount: "commit=300",
    };
    made.mount(work)?;
    work.bash(&format!(
        r#"
cd mnt; RANDOM={seed}
mkdir -p a b; for i in $(seq 1 40); do head -c $((RANDOM % 40000)) /dev/urandom > a/old-$i; done
sync -f .
for i in $(seq 1 25); do
  head -c $((RANDOM % 60000)) /dev/urandom > a/new-$i; sync a/new-$i
  case $((RANDOM % 9)) in
    0) rm -f a/old-$i; sync a/new-$i ;;
    1) mv a/old-$i b/moved-$i; sync b/moved-$i ;;
    2) ln a/new-$i b/hard-$i; sync b/hard-$i ;;
    3) truncate -s $((RANDOM % 30000)) a/old-$i; sync a/old-$i ;;
    4) fallocate -l 100000 a/new-$i; sync a/new-$i ;;
    5) mkdir -p b/dir-$i; echo inner > b/dir-$i/file; sync b/dir-$i/file ;;
    6) ln -s somewhere/$i b/link-$i; echo x >> a/new-$i; sync a/new-$i ;;
    7) dd if=/dev/urandom of=a/old-$i bs=1000 seek=30 count=20 conv=notrunc status=none; sync a/old-$i ;;
    8) fallocate -p -o 4096 -l 8192 a/old-$i; chmod 640 a/old-$i; sync a/old-$i ;;
  esac
done
cat /proc/fs/ext4/$(basename $(findmnt -no SOURCE .))/fc_info > ../fc_info || true
cd ..; xfs_io -x -c shutdown mnt; cp --sparse=always image snapshot; umount mnt; mv snapshot image
"#
    ))?;
    // The kernel's replay makes directories anew, with a link too few and perhaps of another size,
    // and does not always count blocks; what was promised is what the fast commits say.
    let ignore = Ignore {
        changed: true,
        directory_times: true,
        directory_size: true,
        allocated: true,
        directory_links: true,
        ..Ignore::default()
    };
    compare_replay(work, ignore)
}

/// An index of three levels, and names that all begin alike.
fn large_directory(work: &Work) -> Result<()> {
    let made = Made {
        name: "large",
        size: "256M",
        mke2fs: "-t ext4 -b 1024 -O large_dir -N 64",
        mount: "",
    };
    made.mount(work)?;
    work.bash(
        "cd mnt; mkdir d; : > d/0
         python3 -c 'import os
for i in range(1, 60000): os.link(\"d/0\", \"d/%d-%s\" % (i, \"x\" * 200))'
         cd ..; umount mnt; debugfs -R 'htree /d' image 2>/dev/null | head -20 > htree
         grep -q 'Indirect levels: 2' htree; mount -o loop,ro image mnt",
    )?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    check(&theirs, &work.tree("image")?, Ignore::default())?;
    // One name is found without reading all of them.
    let opener = Opener::new();
    let disk = opener.open(&Location::Path(work.path("image")))?.remove(0);
    let tree = Tree::new(fathom_filesystem::open(disk.reader)?);
    tree.resolve(format!("/d/777-{}", "x".repeat(200)).as_bytes(), false)?;
    match opener.meter().spent().bytes {
        spent if spent < 1 << 20 => Ok(()),
        spent => bail!("looking up one name read {spent} bytes"),
    }
}

/// All hashes, of signed and of unsigned bytes.
fn hashes(work: &Work) -> Result<()> {
    for hash in ["legacy", "half_md4", "tea"] {
        for flag in ["signed_directory_hash", "unsigned_directory_hash"] {
            let made = Made { name: "hash", size: "64M", mke2fs: "-t ext3 -b 1024", mount: "" };
            made.mount(work)?;
            work.bash(&format!(
                "umount mnt; tune2fs -E hash_alg={hash} image > /dev/null
                 debugfs -w -R 'ssv flags {}' image 2>/dev/null; mount -o loop image mnt",
                if flag.starts_with("un") { 2 } else { 1 }
            ))?;
            work.bash(
                r#"cd mnt; mkdir d; cd d; for i in $(seq 1 400); do : > $'\xc3\xa9\xff'"$i-é-日本語"; : > "plain-$i"; done
                   cd ../..; umount mnt; mount -o loop,ro image mnt"#,
            )?;
            let theirs = Manifest::from_kernel(&work.path("mnt"))?;
            let tree = work.tree("image")?;
            check(&theirs, &tree, Ignore::default())?;
            work.bash("umount mnt")?;
        }
    }
    Ok(())
}

/// Extent trees and block maps of several levels, with unwritten parts and parts behind the end.
fn fragmented(work: &Work) -> Result<()> {
    for mke2fs in ["-t ext4 -b 1024", "-t ext3 -b 1024", "-t ext4"] {
        let made = Made { name: "fragmented", size: "128M", mke2fs, mount: "" };
        made.mount(work)?;
        work.bash(
            r#"cd mnt
python3 -c '
import os
a, b = os.open("a", os.O_CREAT | os.O_WRONLY), os.open("b", os.O_CREAT | os.O_WRONLY)
for i in range(12000):
    os.pwrite(a, b"%08d" % i * 128, i * 2048)
    if i % 3 == 0: os.pwrite(b, b"%08d" % i * 64, i * 70000)
os.fsync(a); os.fsync(b)
'
truncate -s 16G far; echo end >> far
if fallocate -l 3M reserved; then
  echo middle | dd of=reserved bs=1 seek=1000000 conv=notrunc status=none
  fallocate -n -l 5M reserved; fallocate -p -o 8192 -l 20000 reserved
fi
echo short > behind; fallocate -n -l 1M behind || true
cd ..; sync -f mnt; umount mnt; mount -o loop,ro image mnt"#,
        )?;
        // Four gibibytes of zeros need not be read by the oracle's hash on both sides.
        let tree = work.tree("image")?;
        let file = tree.open(b"/far")?;
        let mut tail = [0; 4];
        file.read_at(file.len() - 4, &mut tail)?;
        let data = file.next_data(0).context("far has no data")?;
        if &tail != b"end\n" || data.end != file.len() || data.start % 1024 != 0 {
            bail!("the end of far is {tail:?}, its data {data:?}");
        }
        work.bash("umount mnt; mount -o loop image mnt; rm mnt/far; umount mnt; mount -o loop,ro image mnt")?;
        let theirs = Manifest::from_kernel(&work.path("mnt"))?;
        check(&theirs, &work.tree("image")?, Ignore::default())?;
        work.bash("umount mnt")?;
    }
    Ok(())
}

/// Attributes whose values have inodes of their own.
fn large_values(work: &Work) -> Result<()> {
    let made = made("large-values", "-t ext4 -O ea_inode,inline_data -I 256");
    made.mount(work)?;
    work.bash(
        r#"cd mnt; python3 -c '
import os
for size in (1, 100, 1000, 3000, 4000, 5000, 30000, 65536):
    open("f%d" % size, "w").close()
    os.setxattr("f%d" % size, "user.value", bytes(i * 7 % 251 for i in range(size)))
    os.setxattr("f%d" % size, "user.other", b"same" * (size // 8))
    os.setxattr("f%d" % size, "trusted.t\xc3\xa9", b"x" * min(size, 9000))
'
ln -s f1 link; setfattr -h -n trusted.link -v on-a-link link; mkdir d; setfattr -n user.d -v "$(printf 'd%.0s' $(seq 1 9000))" d
ln -s "$(printf 'l%.0s' $(seq 1 50))" link-50; setfattr -h -n trusted.big -v "$(printf 'd%.0s' $(seq 1 9000))" link-50
cd ..; umount mnt; mount -o loop,ro image mnt"#,
    )?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    check(&theirs, &work.tree("image")?, Ignore::default())
}

/// A filesystem with an encrypted directory: all else is read, and nothing encrypted is served.
fn encrypted(work: &Work) -> Result<()> {
    made("encrypted", "-t ext4 -O encrypt").mount(work)?;
    // FS_IOC_ADD_ENCRYPTION_KEY and FS_IOC_SET_ENCRYPTION_POLICY, version 2, AES-256.
    work.bash(
        r#"cd mnt; echo plain > plain; mkdir secret
python3 -c '
import fcntl, os, struct
root, secret = os.open(".", os.O_RDONLY), os.open("secret", os.O_RDONLY)
add = bytearray(struct.pack("<II32sII32s", 2, 0, b"", 64, 0, b"") + b"K" * 64)
fcntl.ioctl(root, 0xC0506617, add)
policy = struct.pack("<BBBB4x", 2, 1, 4, 2) + bytes(add[8:24])
fcntl.ioctl(secret, 0x800C6613, policy)
'
echo hidden > secret/file; mkdir secret/inner; ln -s target secret/link; seq 1 2000 > secret/long
cd ..; umount mnt"#,
    )?;
    let tree = work.tree("image")?;
    if tree.read(b"/plain", 100)? != b"plain\n" {
        bail!("the plain file is wrong");
    }
    let entries = tree.read_dir(b"/secret")?;
    if entries.len() != 4 {
        bail!("{} names are listed in the encrypted directory", entries.len());
    }
    for entry in entries {
        let path = [b"/secret/".as_slice(), &entry.name].concat();
        let found = tree.resolve(&path, false)?;
        if found.node != entry.node {
            bail!("{} is looked up as another", path.escape_ascii());
        }
        let outcome = match found.metadata()?.file_type {
            FileType::File => found.open().map(|_| ()),
            FileType::Symlink => found.read_link().map(|_| ()),
            _ => continue,
        };
        match outcome {
            Err(error) if error.kind() == ErrorKind::Encrypted => {}
            other => bail!("{}: {other:?}", path.escape_ascii()),
        }
    }
    Ok(())
}

/// A journal on another device: readable as long as there is nothing in it.
fn external_journal(work: &Work) -> Result<()> {
    let outcome = (|| -> Result<()> {
        work.bash(
            r#"truncate -s 16M log; mke2fs -q -F -O journal_dev -b 4096 log
losetup -f --show log > loop; truncate -s 64M image; mke2fs -q -F -t ext4 -b 4096 -J device=$(cat loop) image
mkdir mnt; mount -o loop image mnt; echo text > mnt/file; umount mnt"#,
        )?;
        if work.tree("image")?.read(b"/file", 100)? != b"text\n" {
            bail!("the file is wrong");
        }
        match work.tree("log").map(|_| ()) {
            Err(error) if format!("{error:?}").contains("journal of another") => {}
            other => bail!("the journal itself: {other:?}"),
        }
        work.bash("mount -o loop image mnt; echo more > mnt/more; sync -f mnt; xfs_io -x -c 'shutdown -f' mnt; umount mnt")?;
        match work.tree("image").map(|_| ()) {
            Err(error) if format!("{error:?}").contains("journal on another device") => Ok(()),
            other => bail!("with a dirty journal: {other:?}"),
        }
    })();
    work.bash("[ ! -s loop ] || losetup -d $(cat loop)")?;
    outcome
}

/// Damaged superblocks and descriptors, of which there are copies.
fn rescued(work: &Work) -> Result<()> {
    for mke2fs in ["-t ext4", "-t ext4 -b 1024", "-t ext4 -b 1024 -O meta_bg,^resize_inode -g 1024"]
    {
        // Larger than one group, so that there is a copy.
        let made = Made { name: "rescued", size: "200M", mke2fs, mount: "" };
        made.mount(work)?;
        let few = Abilities { large_directory: 300, large_file: 1 << 20, ..Abilities::LINUX };
        fixture::populate(&work.path("mnt"), few)?;
        work.bash("umount mnt; mount -o loop,ro image mnt")?;
        let theirs = Manifest::from_kernel(&work.path("mnt"))?;
        work.bash("umount mnt; cp --sparse=always image healthy")?;
        let damages = [
            // All of it, its checksum, a number in it, the first descriptor.
            "dd if=/dev/zero of=image bs=1024 seek=1 count=1 conv=notrunc status=none",
            "printf XXXX | dd of=image bs=1 seek=2044 conv=notrunc status=none",
            "printf XXXX | dd of=image bs=1 seek=1048 conv=notrunc status=none",
            "bs=$(dumpe2fs -h image 2>/dev/null | awk '/^Block size/ {print $3}')
             at=$(( bs == 1024 ? 2048 : bs )); [ -z \"$(dumpe2fs image 2>/dev/null | grep -m1 meta_bg)\" ] || at=2048
             printf XXXX | dd of=image bs=1 seek=$((at + 8)) conv=notrunc status=none",
        ];
        for (index, damage) in damages.iter().enumerate() {
            if index != 1 && index != 3 && mke2fs.contains("-g ") {
                // Nothing is left that says where the groups start.
                continue;
            }
            work.bash(&format!("cp --sparse=always healthy image; {damage}"))?;
            let tree = work.tree("image").context(*damage)?;
            let ours = Manifest::from_tree(&tree).context(*damage)?;
            theirs.check(&ours, Ignore::default()).context(*damage)?;
            if tree.problems().is_empty() {
                bail!("nothing is said of: {damage}");
            }
        }
    }
    Ok(())
}

/// What is not known is refused by name.
fn refused(work: &Work) -> Result<()> {
    let features = [(0x1, "compression"), (0x1000, "dirdata"), (0x4000_0000, "bit 30")];
    for (bit, name) in features {
        work.bash(&format!(
            "rm -f image; truncate -s 8M image; mke2fs -q -F -t ext4 -O ^metadata_csum image
             debugfs -w -R 'ssv feature_incompat {:#x}' image 2>/dev/null",
            0x2C2 | bit
        ))?;
        match work.tree("image") {
            Err(error) if format!("{error:?}").contains(name) => {}
            other => bail!("{name}: {:?}", other.map(|_| ())),
        }
    }
    Ok(())
}
