//! Everything mkfs.xfs can make, compared with the kernel.
//!
//! The kernel mounts version 5 only. Version 4 images are filled by `mkfs.xfs -p` from a protofile
//! and compared with the folder that it was made from.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use fathom_filesystem::Health;

use super::fixture::{Abilities, populate};
use super::manifest::Ignore;
use super::{Case, Manifest, Work};

/// `mkfs.xfs`, told that this is a test: then it makes small filesystems and small logs too.
const MKFS: &str = "TEST_DIR=. TEST_DEV=. QA_CHECK_FS=. mkfs.xfs -q -f";

/// The options of `mkfs.xfs` that make a difference to a reader, each by the name of its case.
const MATRIX: &[(&str, &str)] = &[
    ("default", ""),
    ("block-1k", "-b size=1024"),
    ("block-2k", "-b size=2048"),
    ("block-8k", "-b size=8192"),
    ("block-16k", "-b size=16384"),
    ("block-64k", "-b size=65536"),
    ("sector-4k", "-s size=4096"),
    ("sector-32k", "-s size=32768 -b size=32768"),
    ("directory-8k", "-n size=8192"),
    ("directory-64k", "-n size=65536"),
    ("directory-64k-block-1k", "-b size=1024 -n size=65536"),
    ("inode-1k", "-i size=1024"),
    ("inode-2k", "-i size=2048"),
    ("no-reflink", "-m reflink=0,rmapbt=0"),
    ("rmapbt", "-m rmapbt=1"),
    ("no-bigtime", "-m bigtime=0"),
    ("no-finobt", "-m finobt=0,inobtcount=0,rmapbt=0,reflink=0"),
    ("no-sparse", "-i sparse=0"),
    ("nrext64", "-i nrext64=1"),
    ("nrext64-block-1k", "-b size=1024 -i nrext64=1"),
    ("many-groups", "-d agcount=16"),
    ("stripe", "-d su=64k,sw=4"),
];

/// What the shared fixture lacks: files in many pieces, directories of every form, attributes of
/// every form, shared and unwritten extents. `$reflink` tells whether extents can be shared.
const MORE: &str = r#"
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
# Every other block: extent lists in the inode, and trees of one and more levels.
comb() { perl -e 'open F, ">", $ARGV[0]; for ($i = 0; $i < $ARGV[1]; $i++) { sysseek F, $i * 2 * $ARGV[2], 0; syswrite F, pack("N", $i) x ($ARGV[2] / 4) }' "$1" "$2" "$3"; }
# Attributes by the system call: many at once. 188 is setxattr.
cat > ../xattr.pl <<'PERL'
sub put { my ($file, $name, $value) = @_; my $n = $name; my $length = length $value; syscall(188, $file, $n, $value, $length, 0) == 0 or die "$name: $!" } 1;
PERL
put() { perl -e 'require "../../xattr.pl"; my $file = "" . $ARGV[0]; my $n = $ARGV[1]; '"$3" "$1" "$2"; }
mkdir pieces; bs=$(stat -fc %S .)
for n in 2 9 10 19 20 21 60 250 $most; do comb pieces/comb-$n $n $bs; done
comb pieces/comb-deep $deep $bs
# Directories: from the inode through one block and one leaf to many leaves.
mkdir forms
for n in 1 2 3 8 20 40 90 200 400 900 2500; do mkdir forms/$n; (cd forms/$n; seq -f "name-of-file-%g" 1 $n | xargs touch); done
mkdir forms/huge; (cd forms/huge; seq -f "a-rather-long-name-so-that-blocks-fill-sooner-%06g" 1 $huge | xargs touch)
mkdir forms/holes; (cd forms/holes; seq -f "f%g" 1 3000 | xargs touch; seq -f "f%g" 100 2700 | xargs rm)
mkdir forms/emptied; (cd forms/emptied; seq -f "f%g" 1 3000 | xargs touch; seq -f "f%g" 1 3000 | xargs rm)
mkdir forms/shrunk; (cd forms/shrunk; seq -f "f%g" 1 300 | xargs touch; seq -f "f%g" 3 300 | xargs rm)
# Attributes: in the inode, in a leaf, in many leaves, values in blocks of their own.
mkdir attributes; cd attributes
for n in 1 5 30 300; do : > n-$n; put n-$n $n 'for (1..$n) { put($file, "user.name-$_", "v" x ($_ % 90)) }'; done
for size in 100 255 256 1000 2000 3000 4000 5000 9000 30000 65536; do : > v-$size; put v-$size $size 'put($file, "user.big", join("", map { chr(33 + ($_ * 7) % 90) } 1..$n))'; done
: > both; put both 40 'for (1..$n) { put($file, "user.b$_", "w" x ($_ * 400)) }'
: > removed; for i in $(seq 1 30); do setfattr -n user.gone-$i -v "$(printf 'g%.0s' $(seq 1 100))" removed; done; for i in $(seq 1 29); do setfattr -x user.gone-$i removed; done
: > acl; for i in $(seq 1000 1030); do setfacl -m u:$i:rw acl; done; mkdir acl-dir; setfacl -d -m g:99:rx acl-dir
ln -s somewhere link; setfattr -h -n trusted.on-link -v yes link
mkdir dir-with; for i in $(seq 1 40); do setfattr -n user.d$i -v $i dir-with; done; touch dir-with/a dir-with/b
cd ..
# Unwritten extents, before and beyond the end, and one in the middle of what is written.
noise 100000 5 > unwritten; xfs_io -c 'falloc 200k 1m' unwritten; xfs_io -c 'falloc -k 4m 1m' unwritten
noise 300000 6 > zeroed; xfs_io -c 'fzero 64k 64k' zeroed; xfs_io -c 'fpunch 130k 66k' zeroed
noise 300000 7 > collapsed; xfs_io -c 'fcollapse 64k 64k' -c 'finsert 64k 128k' collapsed || true
ln -s "$(printf 's%.0s' $(seq 1 1023))" link-1023
for n in 300 337 400 449 450 512 900; do ln -s "$(printf 'x%.0s' $(seq 1 $n))" link-at-$n; done
mknod dev-max c 511 262143
touch -d '1901-12-13 20:45:52 UTC' oldest; touch -d '2486-07-02 20:20:24.999999999 UTC' newest || true
truncate -s 8E huge-hole 2>/dev/null || truncate -s 4T huge-hole; truncate -s 1M huge-hole
if [ "$reflink" = 1 ]; then
  noise 1000000 8 > shared-a; cp --reflink=always shared-a shared-b; noise 5000 9 | dd of=shared-b bs=1 seek=300000 conv=notrunc status=none
  cp --reflink=always pieces/comb-$most shared-comb; noise 4096 10 | dd of=shared-comb conv=notrunc status=none
fi
"#;

/// A random walk through what can be done to files, the same for the same seed: `perl walk.pl
/// SEED STEPS`, in the folder that it happens in.
const WALK: &str = r#"
use strict; use warnings; use Fcntl; use POSIX ();
my ($seed, $steps) = @ARGV; srand($seed);
sub pick { my $n = shift; int(rand($n)) }
sub one { my $list = shift; @$list ? $list->[pick(scalar @$list)] : undef }
my (@files, @dirs) = ((), (".")); @dirs = (".");
my $serial = 0;
sub name { $serial++; "n$seed-$serial" . "x" x pick(pick(4) ? 20 : 180) }
sub setxattr { my ($p, $n, $v) = @_; my $l = length $v; my $path = "$p"; syscall(188, $path, $n, $v, $l, 0) }
sub removexattr { my ($p, $n) = @_; my $path = "$p"; syscall(197, $path, $n) }
for my $step (1 .. $steps) {
  my $what = pick(100);
  if ($what < 25 || @files < 5) {
    my $p = one(\@dirs) . "/" . name(); next if length $p > 900;
    open(my $f, ">", $p) or next; push @files, $p;
    syswrite $f, chr(65 + pick(26)) x pick(pick(3) ? 2000 : 60000) if pick(3);
    fsync_($f) if pick(20) == 0;
  } elsif ($what < 30) {
    my $p = one(\@dirs) . "/" . name(); next if length $p > 700; mkdir($p) and push @dirs, $p;
  } elsif ($what < 40) {
    my $i = pick(scalar @files); my ($from, $to) = ($files[$i], one(\@dirs) . "/" . name());
    rename($from, $to) and $files[$i] = $to;
  } elsif ($what < 43) {
    my ($a, $b) = (pick(scalar @files), pick(scalar @files)); next if $a == $b;
    if (rename($files[$a], $files[$b])) { splice @files, $a, 1 }
  } elsif ($what < 55) {
    my $i = pick(scalar @files); unlink($files[$i]); splice @files, $i, 1;
  } elsif ($what < 58 && @dirs > 4) {
    my $i = 1 + pick(@dirs - 1); rmdir($dirs[$i]) and splice @dirs, $i, 1;
  } elsif ($what < 66) {
    my $p = one(\@files); truncate($p, pick(pick(2) ? 3000 : 200000));
  } elsif ($what < 74) {
    my $p = one(\@files); open(my $f, "+<", $p) or next;
    for (1 .. 1 + pick(6)) { sysseek $f, 4096 * pick(60), 0; syswrite $f, chr(97 + pick(26)) x (1 + pick(5000)) }
    fsync_($f) if pick(8) == 0;
  } elsif ($what < 82) {
    my $p = pick(4) ? one(\@files) : one(\@dirs);
    my $n = "user.a" . pick(40); setxattr($p, $n, chr(48 + pick(10)) x pick(pick(4) ? 60 : pick(4) ? 900 : 9000));
  } elsif ($what < 85) {
    my $p = one(\@files); removexattr($p, "user.a" . pick(40));
  } elsif ($what < 88) {
    my $p = one(\@dirs) . "/" . name(); symlink("t" x (1 + pick(pick(2) ? 100 : 1000)), $p) and push @files, $p;
  } elsif ($what < 91) {
    my $p = one(\@dirs) . "/" . name(); link(one(\@files), $p) and push @files, $p;
  } elsif ($what < 94) {
    my $p = one(\@files); chmod(pick(0777) | 0400, $p) unless -l $p; utime(pick(2**31), pick(2**31), $p) unless -l $p; 
  } elsif ($what < 97) {
    my ($from, $to) = (one(\@files), one(\@dirs) . "/" . name());
    next if -l $from; open(my $in, "<", $from) or next; open(my $out, ">", $to) or next; push @files, $to;
    ioctl($out, 0x40049409, fileno($in) + 0);
  } elsif ($what < 98) {
    my $p = one(\@dirs) . "/" . name(); syscall(133, "$p", 0020644, (pick(200) << 8) | pick(200)) == 0 and push @files, $p;
  } elsif ($what < 99) {
    my $d = one(\@dirs); for (1 .. pick(200)) { my $p = "$d/" . name(); last if length $p > 900; open(my $f, ">", $p) or last; push @files, $p }
  } elsif (pick(6) == 0) {
    syscall(162);
  } else {
    my $p = one(\@files); next if -l $p; open(my $f, "+<", $p) or next;
    syscall(285, fileno($f), (0, 1, 3, 16)[pick(4)], 4096 * pick(20), 4096 * (1 + pick(40)));
  }
}
sub fsync_ { my $f = shift; syscall(74, fileno($f)) }
"#;

/// Filesystems that are shut down in use: the options of `mkfs.xfs` and those of `mount`.
const DIRTY: &[(&str, &str, &str)] = &[
    ("default", "", ""),
    ("small-log", "-m rmapbt=0,reflink=0 -l size=4m", ""),
    ("large-records", "", "logbsize=256k"),
    ("block-1k", "-b size=1024 -l size=8m", "logbsize=32k"),
    ("directory-16k", "-n size=16384 -m rmapbt=1", "logbsize=64k"),
    ("no-bigtime", "-m bigtime=0,reflink=0 -i sparse=0,size=1024", ""),
    ("nrext64", "-i nrext64=1 -m rmapbt=1", "logbsize=128k"),
    ("stripe-log", "-l su=32k -b size=4096", "logbsize=32k"),
    ("sector-4k", "-s size=4096 -b size=16384 -n size=65536", ""),
];

/// Things that are rare in a log: the options of `mkfs.xfs`, and what is done to `mnt` before the
/// shutdown.
const SPECIAL: &[(&str, &str, &str)] = &[
    (
        "dirty-grown",
        "-d size=256m",
        "perl ../walk.pl 1 500; xfs_growfs . > /dev/null; perl ../walk.pl 2 2000",
    ),
    (
        "dirty-defragmented",
        "-b size=1024 -m reflink=0",
        "perl -e 'for $n (1 .. 4) { open $f[$n], q(>), qq(f$n) } for (0 .. 3000) { for $n (1 .. 4) { \
         sysseek $f[$n], $_ * 1024, 0; syswrite $f[$n], chr(65 + $_ % 26) x 1024; \
         $_ % 50 or syscall 74, fileno $f[$n] } }'; sync; xfs_fsr f1 f2 f3 f4 > /dev/null",
    ),
    (
        "dirty-copied-on-write",
        "",
        "head -c 3000000 /dev/urandom > a; cp --reflink=always a b; sync; for i in $(seq 1 60); do \
         printf changed | dd of=b bs=1 seek=$((i * 40000)) conv=notrunc,fsync status=none; done",
    ),
    (
        "dirty-inodes-freed",
        "-l size=16m",
        "for r in 1 2 3; do mkdir d; (cd d; seq 1 3000 | xargs touch); sync; rm -r d; sync; \
         head -c 20000000 /dev/urandom > data$r; sync; done; mkdir d; (cd d; seq 1 500 | xargs touch)",
    ),
];

/// Files whose extents were exchanged and are in trees before and after. Linux refuses its own log
/// then: `xfs_recover_inode_owner_change` has the inode verified before its checksum is made anew
/// (EFSCORRUPTED, seen up to 6.18). What is right is what was there before the shutdown.
const EXCHANGED: &[(&str, &str)] = &[
    ("dirty-defragmented-sparse", ""),
    ("dirty-defragmented-sparse-1k", "-b size=1024 -m rmapbt=0"),
];

/// How many walks each of them gets.
const SEEDS: u64 = 4;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, options) in MATRIX {
        cases.push(Case::new(format!("xfs/{name}"), move |work| clean(work, options)));
    }
    for (name, options) in PROTOTYPE {
        cases.push(Case::new(format!("xfs/{name}"), move |work| prototype(work, options)));
    }
    for (name, make, mount) in DIRTY {
        for seed in 1..=SEEDS {
            let name = format!("xfs/dirty-{name}-{seed}");
            cases.push(Case::new(name, move |work| dirty(work, make, mount, seed)));
        }
    }
    for (name, before, during) in SPECIAL {
        cases.push(Case::new(format!("xfs/{name}"), move |work| special(work, before, during)));
    }
    for (name, make) in EXCHANGED {
        cases.push(Case::new(format!("xfs/{name}"), move |work| exchanged(work, make)));
    }
    for (name, make) in [("intents-1", "-m rmapbt=1"), ("intents-2", "-m rmapbt=1 -b size=1024")] {
        cases.push(Case::new(format!("xfs/{name}"), move |work| intents(work, make)));
    }
    for seed in 1..=6 {
        cases.push(Case::new(format!("xfs/race-{seed}"), move |work| race(work, seed)));
    }
    for (name, make, mount) in &DIRTY[..6] {
        for seed in 1..=4 {
            let name = format!("xfs/torn-{name}-{seed}");
            cases.push(Case::new(name, move |work| torn(work, make, mount, seed)));
        }
    }
    cases
}

/// A filesystem that was shut down after something rare.
fn special(work: &Work, make: &str, during: &str) -> Result<()> {
    fs::write(work.path("walk.pl"), WALK)?;
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt; mount -o loop image mnt; \
         mkdir -p mnt/forms/huge; cd mnt; {during}; xfs_io -x -c 'shutdown -f' .; cd ..; umount mnt; \
         cp --sparse=always image recovered; mount -o loop recovered mnt"
    ))?;
    compare(work, "image", Health::Replayed)
}

/// A filesystem that was shut down after files with holes were defragmented.
fn exchanged(work: &Work, make: &str) -> Result<()> {
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt; mount -o loop image mnt; \
         mkdir -p mnt/forms/huge; cd mnt; \
         perl -e 'for $n (1 .. 4) {{ open F, \">\", \"f$n\"; for (0 .. 300 * $n) {{ \
         sysseek F, $_ * 8192, 0; syswrite F, chr(65 + $_ % 26) x (1 + $_ % 4096); \
         $_ % 40 or syscall 74, fileno F }} }}'; sync; xfs_fsr f1 f2 f3 f4 > /dev/null; sync"
    ))?;
    let live = Manifest::from_kernel(&work.path("mnt"))?;
    work.bash("xfs_io -x -c 'shutdown -f' mnt; umount mnt; cp --sparse=always image recovered")?;
    match work.bash("mount -o loop recovered mnt") {
        Ok(_) => live.check(&Manifest::from_kernel(&work.path("mnt"))?, Ignore::default())?,
        Err(_) => work.note("compared with what was there before the shutdown: Linux refuses it"),
    }
    compare_with(work, &live, "image", Health::Replayed)
}

/// Shut down while four walks are under way, clones of files in many pieces among what they do.
fn race(work: &Work, seed: u64) -> Result<()> {
    fs::write(work.path("walk.pl"), WALK)?;
    let make = ["-l size=8m", "-b size=1024 -m rmapbt=1", "-n size=8192 -i nrext64=1"];
    let make = make[(seed % 3) as usize];
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt; mount -o loop image mnt; \
         mkdir -p mnt/forms/huge; for n in 1 2 3 4; do mkdir mnt/w$n; \
         (cd mnt/w$n; exec perl ../../walk.pl $((10 * {seed} + n)) 100000 2> /dev/null) & done; \
         (cd mnt; perl -e 'open F, \">\", \"comb\"; for (0 .. 2000) {{ \
         sysseek F, $_ * 8192, 0; syswrite F, chr(65 + $_ % 26) x 4096 }}'; \
         while cp --reflink=always comb copy-$((i += 1)); do :; done) 2> /dev/null & \
         sleep 0.$((3 + {seed})); xfs_io -x -c 'shutdown' mnt || true; wait; umount mnt; \
         cp --sparse=always image recovered; mount -o loop recovered mnt"
    ))?;
    compare(work, "image", Health::Replayed)
}

/// How often a case tries to make something that can be compared.
const ATTEMPTS: u64 = 3;

/// The most often that [`intents`] tries, since it is by chance where the log ends.
const CHANCES: usize = 20;

/// Shut down while extents are exchanged and shared, and the log written all the time: it ends in
/// the middle of such a chain, which the mount finishes.
fn intents(work: &Work, make: &str) -> Result<()> {
    for chance in 0..CHANCES {
        work.bash(&format!(
            r#"rm -f image recovered; truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt
            mount -o loop image mnt; cd mnt; mkdir -p forms/huge
            for n in 1 2 3 4; do perl -e 'open F, ">", $ARGV[0]; for (0 .. 500 * $ARGV[1]) {{
              sysseek F, $_ * 8192, 0; syswrite F, chr(65 + $_ % 26) x 4096;
              $_ % 40 or syscall 74, fileno F }}' s$n $n; done; sync
            (while xfs_fsr s1 s2 s3 s4 && [ -e s1 ]; do :; done > /dev/null 2>&1) &
            (while cp --reflink=always s2 copy-$((i += 1)) && [ $i -lt 9 ]; do :; done 2> /dev/null) &
            perl -e 'open F, ">", "f"; while (syswrite F, "x") {{ syscall(74, fileno F) == 0 or last }}' &
            sleep 0.$((2 + {chance} % 6)); xfs_io -x -c shutdown . || true; wait; cd ..; umount mnt
            cp --sparse=always image recovered"#
        ))?;
        // What has no line that says that it is done.
        let left = work.bash(
            "xfs_logprint -t image 2> /dev/null | awk '/^BU[ID]:/ { kind = $1 } \
             match($0, /id: ?0x[0-9a-f]+/) && kind { id = substr($0, RSTART); \
             if (kind == \"BUI:\") left[id] = 1; else delete left[id]; kind = \"\" } \
             END { n = 0; for (id in left) n++; print n }'",
        )?;
        if left.trim() != "0" {
            work.bash("mount -o loop recovered mnt")?;
            return compare(work, "image", Health::Replayed);
        }
    }
    work.note(format!("nothing to compare: no log of {CHANCES} ended in the middle of a change"));
    Ok(())
}

/// Writes to the log that were under way when the machine stopped: some of the last sectors are
/// still what they were before.
fn torn(work: &Work, make: &str, options: &str, seed: u64) -> Result<()> {
    fs::write(work.path("walk.pl"), WALK)?;
    for attempt in 0..ATTEMPTS {
        tear(work, make, options, seed + 10 * attempt)?;
        match Manifest::from_kernel(&work.path("mnt")) {
            Ok(_) => return compare(work, "image", Health::Replayed),
            // A record that what was written back since depends on has gone after all: the kernel
            // cannot read its own result.
            Err(error) => work.note(format!("nothing to compare with: {error:#}")),
        }
        work.bash("umount mnt; rm image recovered before")?;
    }
    bail!("the kernel could not read its own result in {ATTEMPTS} attempts")
}

/// Makes `image`, whose log is torn, and mounts what the kernel makes of it on `mnt`.
fn tear(work: &Work, make: &str, options: &str, seed: u64) -> Result<()> {
    let options = if options.is_empty() { String::new() } else { format!(",{options}") };
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt; \
         mount -o loop{options} image mnt; mkdir -p mnt/forms/huge; cd mnt; \
         perl ../walk.pl {seed} 3000; sync; cp --sparse=always ../image ../before; \
         perl ../walk.pl 1{seed} 1500; xfs_io -x -c 'shutdown -f' .; cd ..; umount mnt"
    ))?;
    let state = work.bash(
        "xfs_logprint -t image > logprint 2>/dev/null || true; head -20 logprint; rm logprint",
    )?;
    let number = |name: &str| -> Result<u64> {
        let words = state.split_once(name).context("xfs_logprint says nothing")?.1;
        Ok(words.split_whitespace().next().context("no number")?.parse()?)
    };
    let (start, length, head) = (number("daddr: ")?, number("length: ")?, number("head: ")?);
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |most: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % most
    };
    let mut script = String::new();
    for _ in 0..1 + below(4) {
        // No further back than what can be under way at once: beyond, a disk would have lied.
        let back = 1 + below(24);
        let count = 1 + below(8).min(back - 1);
        for sector in head + length - back..head + length - back + count {
            let at = start + sector % length;
            script.push_str(&if seed % 2 == 1 {
                format!("dd if=before of=image bs=512 skip={at} seek={at} count=1 $quietly\n")
            } else {
                // The first word, and with it the cycle, got there; the rest did not.
                format!("printf torn | dd of=image bs=1 seek={} $quietly\n", at * 512 + 100)
            });
        }
    }
    let script = format!("quietly='conv=notrunc status=none'\n{script}");
    work.bash(&format!("{script}cp --sparse=always image recovered; mount -o loop recovered mnt"))?;
    Ok(())
}

/// A filesystem that was shut down in use: half of them with the log flushed at the end.
fn dirty(work: &Work, make: &str, options: &str, seed: u64) -> Result<()> {
    fs::write(work.path("walk.pl"), WALK)?;
    let options = if options.is_empty() { String::new() } else { format!(",{options}") };
    let flush = if seed.is_multiple_of(2) { "-f" } else { "" };
    let steps = 3000 * seed;
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {make} image; mkdir -p mnt; \
         mount -o loop{options} image mnt; mkdir mnt/forms; mkdir mnt/forms/huge; cd mnt; \
         perl ../walk.pl {seed} {steps}; xfs_io -x -c 'shutdown {flush}' .; cd ..; umount mnt; \
         cp --sparse=always image recovered; mount -o loop recovered mnt"
    ))?;
    compare(work, "image", Health::Replayed)
}

/// Filesystems that the kernel of the test machine does not mount.
const PROTOTYPE: &[(&str, &str)] = &[
    ("v4", "-m crc=0"),
    ("v4-block-512", "-m crc=0 -b size=512"),
    ("v4-block-1k-ftype", "-m crc=0 -b size=1024 -n ftype=1"),
    ("v4-no-ftype", "-m crc=0 -n ftype=0"),
    ("v4-block-64k", "-m crc=0 -b size=65536"),
    ("v4-directory-64k", "-m crc=0 -n size=65536 -i size=512"),
    ("v4-attr1-no-lazy-count", "-m crc=0 -i attr=1,projid32bit=0 -l lazy-count=0,version=1"),
    ("v4-ascii-ci", "-m crc=0 -n version=ci"),
    ("ascii-ci", "-n version=ci"),
    ("prototype", ""),
];

/// Writes what the folder `top` holds the way `mkfs.xfs -p` reads it.
const LIST: &str = r#"
use strict; use warnings; use Cwd;
my $top = getcwd() . "/top";
sub perms { my $m = shift; ($m & 04000 ? "u" : "-") . ($m & 02000 ? "g" : "-") . sprintf("%03o", $m & 0777) }
sub entry { my ($path, $name, $depth) = @_;
  my @s = lstat $path; my $lead = "  " x $depth . ($depth ? "$name " : "");
  my $who = perms($s[2]) . " $s[4] $s[5]";
  if (-l _) { print $lead, "l$who ", readlink($path), "\n" }
  elsif (-d _) {
    print $lead, "d$who\n"; opendir(my $d, $path) or die;
    entry("$path/$_", $_, $depth + 1) for sort grep { !/^\.\.?$/ && !/\s/ } readdir $d;
    print "  " x ($depth + 1), "\$\n" }
  elsif (-f _) { print $lead, "-$who $path\n" }
  elsif (-p _) { print $lead, "p$who\n" }
  elsif (-c _ || -b _) { print $lead, (-c _ ? "c" : "b"), "$who ", $s[6] >> 8 & 0xfff, " ", ($s[6] & 0xff | $s[6] >> 12 & 0xfff00), "\n" }
}
print "/dev/null\n0 0\n"; entry($top, "", 0);
"#;

/// A filesystem that `mkfs.xfs` itself fills from a folder, compared with that folder. `xfs_db`
/// sets attributes.
fn prototype(work: &Work, options: &str) -> Result<()> {
    fs::write(work.path("list.pl"), LIST)?;
    work.bash(
        r#"mkdir top; cd top; mkdir forms empty attributes
        printf 'text' > small; : > nothing; head -c 300000 /dev/urandom > large; chmod 4751 large
        head -c 4096 /dev/urandom > block; chown 7:70000 block
        ln -s small link; ln -s "$(printf 't%.0s' $(seq 1 300))" link-300
        mknod char c 300 7000; mknod block-device b 8 1; mkfifo pipe
        for n in 1 3 8 40 200 900; do mkdir forms/$n; (cd forms/$n; seq -f "Name-of-File-%g" 1 $n | xargs touch); done
        mkdir forms/huge; (cd forms/huge; seq -f "a-rather-long-name-so-that-blocks-fill-sooner-%06g" 1 3000 | xargs touch)
        touch attributes/few attributes/many attributes/long"#,
    )?;
    work.bash(&format!(
        "perl list.pl > list; truncate -s 256M image; {MKFS} {options} -p list image"
    ))?;
    let tree = work.tree("image")?;
    let mut wanted: Vec<(&str, String, usize)> = vec![("few", "one".into(), 5)];
    wanted.extend((1..150).map(|index| ("many", format!("name-{index}"), index)));
    // The first must be short: xfs_db 6.1 crashes on version 4 otherwise.
    wanted.extend([6, 600, 3000, 20000, 65000].map(|size| ("long", format!("size-{size}"), size)));
    if options.contains("attr=1") {
        // xfs_db 6.1 crashes on these.
        wanted.clear();
    }
    let mut commands = String::new();
    for (file, name, size) in &wanted {
        let path = format!("/attributes/{file}");
        let inode = tree.resolve(path.as_bytes(), true)?.node.inode;
        commands.push_str(&format!("{inode} {size} {name}\n"));
    }
    fs::write(work.path("commands"), commands)?;
    // xfs_db 6.1 crashes when it sets many in one go.
    work.bash(
        "while read -r inode size name; do \
         xfs_db -x -c \"inode $inode\" -c \"attr_set -v $size $name\" image > /dev/null; \
         done < commands",
    )?;
    let tree = work.tree("image")?;
    ensure!(tree.problems().is_empty(), "problems: {:?}", tree.problems());
    let mut ours = Manifest::from_tree(&tree)?;
    for (file, name, size) in &wanted {
        let path = format!("attributes/{file}");
        let entry = ours.0.get_mut(path.as_bytes()).context("no file")?;
        let value = entry.xattrs.remove(format!("trusted.{name}").as_bytes());
        let value = value.or_else(|| entry.xattrs.remove(format!("user.{name}").as_bytes()));
        let value = value.with_context(|| format!("{path}: no attribute {name}"))?;
        ensure!(value == vec![b'v'; *size], "{path}: the value of {name}");
    }
    let ignore = Ignore {
        links: true,
        changed: true,
        created: true,
        inode: true,
        allocated: true,
        directory_size: true,
        ..Ignore::default()
    };
    let mut folder = Manifest::from_kernel(&work.path("top"))?;
    for entry in folder.0.values_mut().chain(ours.0.values_mut()) {
        // mkfs.xfs gives everything the time at which it runs.
        entry.modified = fathom_filesystem::Timestamp::default();
    }
    folder.check(&ours, ignore)?;
    for path in ours.0.keys() {
        let found = tree.resolve(path, false).with_context(|| path.escape_ascii().to_string())?;
        ensure!(found.node.inode == ours.0[path].inode, "{} by name", path.escape_ascii());
        if options.contains("version=ci") && path.starts_with(b"forms/900/") {
            let other = [&b"forms/900/"[..], &path[10..].to_ascii_uppercase()].concat();
            let found = tree.resolve(&other, false).context("another case")?;
            ensure!(found.node.inode == ours.0[path].inode, "{} by case", path.escape_ascii());
        }
    }
    ensure!(!tree.exists(b"forms/huge/no such name")?, "a name that is not there is found");
    Ok(())
}

/// Makes an image, mounts it on `mnt` and fills it with the fixture and with [`MORE`].
fn fill(work: &Work, options: &str) -> Result<()> {
    work.bash(&format!(
        "truncate -s 512M image; {MKFS} {options} image; mkdir -p mnt; \
         mount -o loop image mnt"
    ))?;
    let abilities = Abilities { large_directory: 1500, large_file: 4 << 20, ..Abilities::LINUX };
    populate(&work.path("mnt"), abilities)?;
    let reflink = !options.contains("reflink=0");
    let block_size = options.split("-b size=").nth(1).and_then(|size| size.split(' ').next());
    let block_size = block_size.map_or(Ok(4096), str::parse::<u32>)?;
    let small = block_size == 1024;
    work.bash(&format!(
        "cd mnt; reflink={} most={} deep={} huge={}\n{MORE}",
        u8::from(reflink),
        if block_size > 16384 { 300 } else { 700 },
        if small { 12000 } else { (24 << 20) / block_size },
        if small { 9000 } else { 6000 },
    ))?;
    Ok(())
}

/// A filesystem that was unmounted in order.
fn clean(work: &Work, options: &str) -> Result<()> {
    fill(work, options)?;
    work.bash("umount mnt; mount -o loop,ro image mnt")?;
    compare(work, "image", Health::Clean)
}

/// Compares the image with what is mounted on `mnt`.
fn compare(work: &Work, image: &str, health: Health) -> Result<()> {
    compare_with(work, &Manifest::from_kernel(&work.path("mnt"))?, image, health)
}

/// Compares the image with what the kernel saw in it.
fn compare_with(work: &Work, kernel: &Manifest, image: &str, health: Health) -> Result<()> {
    let tree = work.tree(image)?;
    let problems = tree.problems();
    ensure!(problems.is_empty(), "problems: {problems:?}");
    let found = tree.mounts().first().context("nothing is mounted")?.filesystem.info();
    ensure!(found.health == health, "its health is {}", found.health);
    kernel.check(&Manifest::from_tree(&tree)?, Ignore::default())?;
    // What the listing shows must be found by name too, through the index.
    for path in kernel.0.keys() {
        let found = tree.resolve(path, false).with_context(|| path.escape_ascii().to_string())?;
        ensure!(found.node.inode == kernel.0[path].inode, "{} by name", path.escape_ascii());
    }
    ensure!(!tree.exists(b"forms/huge/no such name")?, "a name that is not there is found");
    let _ = fs::remove_file(work.path("scratch"));
    Ok(())
}
