//! Btrfs as `mkfs.btrfs` makes it and the kernel fills it: every checksum, compression, profile and
//! node size, subvolumes and snapshots, and logs that were never replayed.

mod churn;

use anyhow::{Context as _, Result, ensure};
use fathom_filesystem::Health;

use super::fixture::{self, Abilities};
use super::manifest::Ignore;
use super::{Case, Manifest, Work};
use crate::shell;

/// What a case adds to the common files, as a script that runs in the mounted root.
const EXTENTS: &str = r#"
mkdir extents; cd extents
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
text() { yes "$2 some text that compresses, but not to nothing $(noise 40 "$2" | base64 -w0)" | head -c "$1" || true; }
# Holes, explicit and not; space that was never written; reflinks into the middle of extents.
text 1000000 1 > text; noise 1000000 2 > noise; sync
cp --reflink=always text copied
xfs_io -c 'fpunch 8192 40960' -c 'fpunch 300000 5000' text
xfs_io -c 'fzero 65536 10000' noise
xfs_io -f -c 'falloc 0 500000' -c 'pwrite -S 0x41 100000 3000' allocated
xfs_io -f -c 'falloc -k 0 500000' -c 'pwrite -S 0x42 0 3000' allocated-beyond
for at in 0 4096 131072 262144; do xfs_io -f -c "reflink copied $at $((at * 2)) 4096" pieces; done
xfs_io -c 'reflink copied 12288 0 20480' -c 'truncate 777777' pieces
# Inline bytes, also with extents behind them.
text 100 3 > inline; text 2000 4 > inline-compressed
text 1500 5 > inline-grown; sync; truncate -s 9000 inline-grown; sync
noise 3000 6 | dd of=inline-grown bs=1 seek=12288 conv=notrunc status=none
: > truncated; text 200000 7 > truncated; sync; truncate -s 70001 truncated
# Many small extents.
for i in $(seq 60 -1 1); do noise 5000 "$i" | dd of=shuffled bs=4096 seek=$((i * 2)) conv=notrunc status=none; sync shuffled; done
# Without checksums.
: > nocow; chattr +C nocow; noise 300000 8 >> nocow
: > never-packed; chattr +m never-packed 2>/dev/null || true; text 300000 9 >> never-packed
# More links than one item holds, where that can be.
: > linked; for i in $(seq 1 300); do ln linked "link-$i-$(printf 'x%.0s' $(seq 1 100))" 2>/dev/null || break; done
"#;

/// Subvolumes within subvolumes, snapshots of them, and one that is gone.
const SUBVOLUMES: &str = r#"
btrfs -q subvolume create @ ; btrfs -q subvolume create @home; mkdir sub; btrfs -q subvolume create sub/inner
echo root > @/file; echo home > @home/file; cp -a etc @/etc; btrfs -q subvolume create @/nested; echo nested > @/nested/file
btrfs -q subvolume create @/nested/deeper; echo deeper > @/nested/deeper/file; chown 12:34 @/nested
sync
btrfs -q subvolume snapshot @ snapshot; btrfs -q subvolume snapshot -r @ snapshot-ro
echo changed > @/file; echo only-here > snapshot/only; rm snapshot/etc/os-release
btrfs -q subvolume create gone; echo x > gone/x; btrfs -q subvolume delete -c gone
# A snapshot that has taken the place of what it came from.
btrfs -q subvolume snapshot @home @home-new; mv @home @home-old; mv @home-new @home; echo new > @home/file
"#;

/// Makes an image, fills it, and compares.
fn made(work: &Work, size: &str, mkfs: &str, mount: &str, more: &str) -> Result<()> {
    work.bash(&format!(
        "truncate -s {size} disk; mkfs.btrfs -q -f {mkfs} disk; mkdir -p mnt; \
         mount -o loop,{mount} disk mnt"
    ))?;
    // One large directory is enough for all cases.
    let abilities = match mount {
        "rw" => Abilities::LINUX,
        _ => Abilities { large_directory: 200, ..Abilities::LINUX },
    };
    fixture::populate(&work.path("mnt"), abilities)?;
    work.bash(&format!("cd mnt\n{more}"))?;
    unmount(work)?;
    compare(work, "disk", "ro", Ignore::default()).map(|_| ())
}

/// Unmounts. A program that another case is just starting may hold our files for a moment.
fn unmount(work: &Work) -> Result<()> {
    work.bash(
        "for try in 1 2 3 4 5 6 7 8 9; do umount mnt 2> /dev/null && exit; sleep 0.2; done; umount mnt",
    )
    .map(|_| ())
}

/// Compares what the kernel shows of an image, mounted with `options`, with what we do.
fn compare(work: &Work, image: &str, options: &str, ignore: Ignore) -> Result<Manifest> {
    work.bash(&format!("mkdir -p mnt; mount -o loop,{options} {image} mnt"))?;
    let mut theirs = Manifest::from_kernel(&work.path("mnt"))?;
    unmount(work)?;
    let tree = work.tree(image)?;
    let mut ours = Manifest::from_tree(&tree)?;
    same_placeholders(&mut theirs, &mut ours)?;
    theirs.check(&ours, ignore)?;
    let problems = tree.problems();
    ensure!(problems.is_empty(), "there are problems: {problems:?}");
    Ok(ours)
}

/// The kernel gives the directories in the place of absent subvolumes the time of day.
fn same_placeholders(theirs: &mut Manifest, ours: &mut Manifest) -> Result<()> {
    for (path, entry) in &mut ours.0 {
        if entry.inode == 2 {
            let theirs = theirs.0.get(path).context("the kernel has no such directory")?;
            entry.modified = theirs.modified;
            entry.changed = theirs.changed;
            entry.created = theirs.created;
        }
    }
    Ok(())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, size: &'static str, mkfs: &'static str, mount: &'static str| {
        cases.push(Case::new(format!("btrfs/{name}"), move |work| {
            made(work, size, mkfs, mount, EXTENTS)
        }));
    };
    add("default", "256M", "", "rw");
    add("zlib", "256M", "", "compress-force=zlib");
    add("lzo", "256M", "", "compress-force=lzo");
    add("zstd", "256M", "", "compress-force=zstd");
    add("zstd-15-autodefrag", "256M", "", "compress=zstd:15,autodefrag");
    add("xxhash-dup", "256M", "--csum xxhash -m dup -d dup", "compress-force=zstd");
    add("sha256-single", "256M", "--csum sha256 -m single -d single", "compress=lzo");
    add("blake2", "256M", "--csum blake2", "compress=zlib");
    add("mixed", "200M", "--mixed", "compress-force=lzo");
    add("mixed-dup", "300M", "--mixed -m dup -d dup --csum sha256", "rw");
    add("node-4k", "256M", "-n 4k", "compress=zlib");
    add("node-8k", "256M", "-n 8k", "rw");
    add("node-32k", "256M", "-n 32k", "rw");
    add("node-64k", "256M", "-n 64k", "compress=zstd");
    add("no-inline", "256M", "", "max_inline=0");
    add("large-inline", "256M", "", "max_inline=4095,compress-force=zlib");
    add("nodatacow", "256M", "", "nodatacow");
    add("nodatasum", "256M", "", "nodatasum");
    add("explicit-holes", "256M", "-O ^no-holes,^extref", "compress=lzo");
    add("old-features", "256M", "-O ^no-holes,^skinny-metadata -R ^free-space-tree", "rw");
    add("quota", "256M", "-R quota", "rw");
    cases.push(Case::new("btrfs/label-uuid", |work| {
        let uuid = "01234567-89ab-cdef-0123-456789abcdef";
        work.bash(&format!("truncate -s 128M disk; mkfs.btrfs -q -L 'a label' -U {uuid} disk"))?;
        let tree = work.tree("disk")?;
        let info = tree.mounts()[0].filesystem.info();
        ensure!(info.label.as_deref() == Some("a label"), "{info:?}");
        ensure!(info.uuid.as_deref() == Some(uuid), "{info:?}");
        work.bash("btrfstune -f -M 11111111-2222-3333-4444-555555555555 disk")?;
        compare(work, "disk", "ro", Ignore::default())?;
        let info = work.tree("disk")?.mounts()[0].filesystem.info();
        ensure!(info.uuid.as_deref() == Some("11111111-2222-3333-4444-555555555555"), "{info:?}");
        Ok(())
    }));
    cases.push(Case::new("btrfs/subvolumes", subvolumes));
    cases.push(Case::new("btrfs/mirrors", mirrors));
    cases.push(Case::new("btrfs/devices", devices));
    cases.push(Case::new("btrfs/leftovers", leftovers));
    for (name, options, script) in LOGS {
        cases.push(Case::new(format!("btrfs/log-{name}"), move |work| {
            logged(work, "", options, |mounted| {
                shell::bash(mounted, &format!("{LOG_START}{script}")).map(|_| ())
            })
        }));
    }
    for seed in 1..=RANDOM_LOGS {
        cases.push(Case::new(format!("btrfs/log-random-{seed:02}"), move |work| {
            let mkfs = ["", "-O ^no-holes", "-n 4k --csum xxhash", "-O ^extref"];
            let mount = ["rw", "compress-force=zstd", "compress=lzo", "nodatacow", "max_inline=0"];
            let (mkfs, mount) = (mkfs[seed as usize % 4], mount[seed as usize % 5]);
            logged(work, mkfs, mount, |mounted| churn::run(mounted, seed))
        }));
    }
    cases
}

/// How many random workloads are tried.
const RANDOM_LOGS: u64 = 40;

/// What every log starts from: files that are committed.
const LOG_START: &str = r#"
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
fsync() { for path in "$@"; do xfs_io -c fsync "$path"; done; }
mkdir dir dir/sub other; for i in $(seq 1 30); do echo "$i" > "dir/$i"; done
noise 500000 1 > file; noise 500000 2 > second; echo inline > inline; echo linked > linked; ln linked dir/link
setfattr -n user.kept -v 1 file; setfattr -n user.lost -v 2 file; setfattr -n user.changed -v 3 file
sync
"#;

/// What is fsynced: the name, the options of the mount, and the script.
const LOGS: &[(&str, &str, &str)] = &[
    ("new-file", "rw", "noise 300000 9 > new; fsync new; echo small > dir/new; fsync dir/new"),
    (
        "overwrite",
        "rw",
        "noise 20000 9 | dd of=file bs=4096 seek=10 conv=notrunc status=none; fsync file\n\
         noise 9000 8 >> second; fsync second; noise 100 7 >> inline; fsync inline",
    ),
    (
        "compressed",
        "compress-force=zlib",
        "yes text | head -c 400000 > packed || true; fsync packed; \
         (yes other | head -c 50000 || true) | dd of=packed bs=4096 seek=20 conv=notrunc status=none; fsync packed",
    ),
    (
        "truncate",
        "rw",
        "truncate -s 100001 file; fsync file; truncate -s 700000 second; fsync second",
    ),
    (
        "holes",
        "rw",
        "xfs_io -c 'fpunch 40960 81920' -c fsync file; xfs_io -c 'falloc 600000 100000' -c fsync second; \
         xfs_io -f -c 'falloc -k 0 200000' -c 'pwrite 0 5000' -c fsync keep",
    ),
    (
        "attributes",
        "rw",
        "setfattr -x user.lost file; setfattr -n user.changed -v new file; setfattr -n user.new -v 1 file; \
         chmod 600 file; chown 5:6 file; touch -d '2001-02-03 04:05:06.7' file; fsync file",
    ),
    (
        "hard-link",
        "rw",
        "ln file other/link; ln inline inline-2; fsync file inline; rm dir/link; fsync linked",
    ),
    (
        "rename",
        "rw",
        "mv file renamed; fsync renamed; mv dir/1 other/one; fsync other/one; mv second inline; fsync inline",
    ),
    (
        "unlink-directory",
        "rw",
        "rm dir/3 dir/5 dir/30; mv dir/7 dir/seven; echo x > dir/added; fsync dir",
    ),
    (
        "replace",
        "rw",
        "echo new > dir/9.new; fsync dir/9.new; mv dir/9.new dir/9; fsync dir/9; rm dir/10; mkdir dir/10; fsync dir",
    ),
    (
        "new-directory",
        "rw",
        "mkdir -p new/inner; echo x > new/inner/file; ln -s ../file new/inner/link; fsync new/inner/file new; mkfifo new/pipe; fsync new",
    ),
    (
        "reflink",
        "rw",
        "cp --reflink=always file copy; fsync copy; xfs_io -c 'reflink second 4096 8192 40960' -c fsync file",
    ),
    (
        "no-checksums",
        "nodatasum",
        "noise 100000 5 > new; fsync new; noise 9000 6 | dd of=file conv=notrunc status=none; fsync file",
    ),
    (
        "subvolumes",
        "compress=lzo",
        "btrfs -q subvolume create sub; echo before > sub/file; sync; \
         echo after > sub/file; echo new > sub/new; fsync sub/file sub/new; echo top > top; fsync top",
    ),
    ("nothing-new", "rw", "fsync file; echo unsynced > lost; noise 5000 3 >> second"),
];

/// Makes an image whose log was not merged: a mounted filesystem is copied after `change`. What we
/// show of it is compared with what the kernel shows once it has merged the log.
fn logged(
    work: &Work,
    mkfs: &str,
    mount: &str,
    change: impl Fn(&std::path::Path) -> Result<()>,
) -> Result<()> {
    work.bash(&format!(
        "truncate -s 128M disk; mkfs.btrfs -q -f {mkfs} disk; mkdir mnt; \
         mount -o loop,commit=3000,{mount} disk mnt"
    ))?;
    change(&work.path("mnt"))?;
    work.bash("cp --sparse=always disk copy")?;
    unmount(work)?;
    let super_block = work.bash(
        "cp --sparse=always copy theirs; \
         btrfs inspect-internal dump-super copy | awk '$1 == \"log_root\" { print $2 }'",
    )?;
    let has_log = super_block.trim() != "0";
    work.bash("mount -o loop theirs mnt")?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    unmount(work)?;
    let tree = work.tree("copy")?;
    let filesystem = &tree.mounts()[0].filesystem;
    ensure!(filesystem.problems().is_empty(), "there are problems: {:?}", filesystem.problems());
    let wanted = if has_log { Health::Replayed } else { Health::Clean };
    let health = filesystem.info().health;
    ensure!(health == wanted, "health is {health}, it should be {wanted}");
    // The kernel gives directories and inodes that a merge takes names from the time of day.
    let ignore = Ignore { changed: true, directory_times: true, ..Ignore::default() };
    theirs.check(&Manifest::from_tree(&tree)?, ignore)
}

/// Every subvolume as the root, compared with `mount -o subvolid=`.
fn subvolumes(work: &Work) -> Result<()> {
    work.bash(
        "truncate -s 256M disk; mkfs.btrfs -q disk; mkdir mnt; mount -o loop,compress=zstd disk mnt",
    )?;
    let small = Abilities { large_directory: 50, large_file: 1 << 20, ..Abilities::LINUX };
    fixture::populate(&work.path("mnt"), small)?;
    work.bash(&format!(
        "cd mnt\n{SUBVOLUMES}\nbtrfs subvolume set-default \"$(btrfs subvolume list . | awk '$NF == \"@\" \
         {{ print $2 }}')\" ."
    ))?;
    let listed = work.bash("btrfs subvolume list mnt")?;
    unmount(work)?;
    compare(work, "disk", "ro", Ignore::default())?;
    let filesystem = work.tree("disk")?.mounts()[0].filesystem.clone();
    let subvolumes = filesystem.subvolumes()?;
    ensure!(subvolumes.len() == listed.lines().count() + 1, "{listed}{subvolumes:#?}");
    for subvolume in &subvolumes {
        let path = subvolume.path.as_deref().context("it has no path")?;
        let shown = String::from_utf8_lossy(path).into_owned();
        let is_listed = listed.lines().any(|line| {
            line.starts_with(&format!("ID {} ", subvolume.id))
                && line.ends_with(&format!(" path {shown}"))
        });
        ensure!(is_listed || subvolume.id == 5, "{shown}: {listed}");
        ensure!(subvolume.is_default == (shown == "@"), "{shown}: default");
        ensure!(subvolume.read_only == (shown == "snapshot-ro"), "{shown}: read-only");
        work.bash(&format!("mount -o loop,ro,subvol='/{shown}' disk mnt"))?;
        let mut theirs = Manifest::from_kernel(&work.path("mnt"))?;
        unmount(work)?;
        let ours = filesystem.open_subvolume(subvolume.id)?;
        let mut ours = Manifest::from_tree(&fathom_filesystem::Tree::new(ours))?;
        same_placeholders(&mut theirs, &mut ours)?;
        theirs.check(&ours, Ignore::default()).context(shown)?;
    }
    Ok(())
}

/// Damage that the second copies make up for: of the superblock, of all metadata, of data.
fn mirrors(work: &Work) -> Result<()> {
    work.bash(
        "truncate -s 256M disk; mkfs.btrfs -q -m dup -d dup disk; mkdir mnt; mount -o loop disk mnt",
    )?;
    let small = Abilities { large_directory: 300, large_file: 1 << 20, ..Abilities::LINUX };
    fixture::populate(&work.path("mnt"), small)?;
    unmount(work)?;
    work.bash("mount -o loop,ro disk mnt")?;
    let theirs = Manifest::from_kernel(&work.path("mnt"))?;
    unmount(work)?;
    // Every chunk's first stripe is overwritten, and so is the first superblock.
    work.bash(
        r#"cp --sparse=always disk hurt
        btrfs inspect-internal dump-tree -t chunk disk |
            awk '/length [0-9]+ owner/ { bytes = $2 } /stripe 0 devid/ { print $NF, bytes }' > stripes
        while read -r offset length; do
            dd if=/dev/urandom of=hurt bs=65536 seek=$((offset / 65536)) count=$((length / 65536)) conv=notrunc status=none
        done < stripes
        dd if=/dev/zero of=hurt bs=4096 seek=16 count=1 conv=notrunc status=none
        dd if=disk of=hurt bs=4096 skip=16384 seek=16384 count=1 conv=notrunc status=none"#,
    )?;
    let tree = work.tree("hurt")?;
    theirs.check(&Manifest::from_tree(&tree)?, Ignore::default())?;
    let problems = tree.problems();
    ensure!(problems.len() > 3, "only {problems:?}");
    Ok(())
}

/// Of several devices: what is whole on the one that is there is read, and the rest refused.
fn devices(work: &Work) -> Result<()> {
    for (profile, read) in [("raid1", true), ("raid0", false), ("raid10", false)] {
        let script = format!(
            "rm -f disk-*; for i in 1 2 3 4; do truncate -s 200M disk-$i; losetup -f --show disk-$i >> loops; done\n\
             mkdir -p mnt; count=4; [ {profile} = raid1 ] && count=2\n\
             mkfs.btrfs -q -f -m {profile} -d {profile} $(head -n $count loops); \
             btrfs device scan -q $(cat loops) || true; mount $(head -1 loops) mnt; \
             for i in $(seq 100); do head -c 20000 /dev/urandom > mnt/$i; done; umount mnt"
        );
        let made = work.bash(&script);
        let detached = work
            .bash("xargs -n 1 losetup -d < loops; rm loops; btrfs device scan -q --forget || true");
        made?;
        detached?;
        if read {
            work.bash("mount -o loop,ro,degraded disk-1 mnt")?;
            let theirs = Manifest::from_kernel(&work.path("mnt"))?;
            unmount(work)?;
            work.bash("btrfs device scan -q --forget || true")?;
            let tree = work.tree("disk-1")?;
            theirs.check(&Manifest::from_tree(&tree)?, Ignore::default()).context(profile)?;
            ensure!(tree.problems().len() == 1, "{profile}: {:?}", tree.problems());
        } else {
            let error = work.tree("disk-1").err().with_context(|| format!("{profile} was read"))?;
            let text = format!("{error:?}").to_lowercase();
            ensure!(text.contains("unsupported") && text.contains(profile), "{profile}: {text}");
        }
    }
    Ok(())
}

/// What was made over something else is called by its own name.
fn leftovers(work: &Work) -> Result<()> {
    let made = [
        ("mkfs.btrfs -q -f", "btrfs"),
        ("mkfs.ext4 -q -F", "ext"),
        ("mkfs.ext4 -q -F -b 1024", "ext"),
        ("mkfs.xfs -q -f", "xfs"),
        ("mkfs.vfat -F 32", "fat"),
        ("mkfs.minix", "minix"),
        ("mkswap", "swap"),
    ];
    for (over, _) in made {
        for (script, name) in made {
            work.bash(&format!("rm -f disk; truncate -s 320M disk; {over} disk; {script} disk"))?;
            let opened = fathom_block::Opener::new()
                .open(&fathom_block::Location::Path(work.path("disk")))?;
            let disk = opened.into_iter().next().context("the image has no disk")?;
            let blkid = work.bash("blkid -p -o value -s TYPE disk || true")?;
            match fathom_filesystem::detect(&disk.reader) {
                Ok(kind) => {
                    let kind = kind.map_or("nothing", fathom_filesystem::Kind::name);
                    ensure!(kind == name, "{script} over {over} is taken for {kind}");
                }
                // Where both are whole, blkid does not decide either.
                Err(error) => ensure!(blkid.trim().is_empty(), "{script} over {over}: {error}"),
            }
        }
    }
    Ok(())
}
