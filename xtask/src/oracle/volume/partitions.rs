//! Partition tables, made by sfdisk, sgdisk, parted and the formatting tools.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use fathom_block::{Location, Opener};
use fathom_volume::{Content, Discovery, Disk, Keys, Layer};

use super::super::{Case, Work};
use super::check_refused;

/// Makes `disk.img` with a script, and compares its table with `partx` and, where the sectors have
/// 512 bytes, with `sfdisk`.
fn table(name: &str, sector_size: u32, script: &'static str) -> Case {
    Case::new(format!("volume/{name}"), move |work: &Work| {
        work.bash(script)?;
        check_table(work, sector_size)
    })
}

/// Makes `disk.img` with a script: nothing on it may be taken for a partition.
fn whole(name: &str, script: &'static str) -> Case {
    Case::new(format!("volume/{name}"), move |work: &Work| {
        work.bash(script)?;
        let discovery = discover(work, None)?;
        match &discovery.volumes[..] {
            [disk] if disk.content == Content::Unknown && discovery.problems.is_empty() => Ok(()),
            [disk] => bail!("content {:?}, problems {:?}", disk.content, discovery.problems),
            more => bail!("{} volumes: {:?}", more.len(), more[1].layer),
        }
    })
}

/// Makes `disk.img` with a script: it is recognised by this name and refused.
fn recognised(name: &str, expected: &'static str, script: &'static str) -> Case {
    Case::new(format!("volume/{name}"), move |work: &Work| {
        work.bash(script)?;
        let discovery = discover(work, None)?;
        let disk = super::volume(&discovery, "disk0")?;
        match &disk.content {
            Content::Recognised { name, .. } if *name == expected => check_refused(disk, &[name]),
            other => bail!("{other:?} instead of {expected}"),
        }
    })
}

fn discover(work: &Work, sector_size: Option<u32>) -> Result<Discovery> {
    let disks = Opener::new().open(&Location::Path(work.path("disk.img")))?;
    let disk = disks.into_iter().next().context("no disk")?;
    let reader = Arc::clone(&disk.reader);
    Ok(fathom_volume::discover(&[Disk { name: disk.name, reader, sector_size }], &Keys::default()))
}

/// What is compared of one partition: start, size, type, name, PARTUUID, bootable.
type Row = (u64, u64, String, String, String, bool);

fn check_table(work: &Work, sector_size: u32) -> Result<()> {
    let stated = (sector_size != 512).then_some(sector_size);
    let discovery = discover(work, stated)?;
    let mut ours = BTreeMap::new();
    for volume in &discovery.volumes {
        if let Layer::Partition { number, start, kind, name, uuid, bootable, .. } = &volume.layer {
            let row: Row = (
                *start,
                volume.size,
                kind.clone(),
                name.clone().unwrap_or_default(),
                uuid.clone().unwrap_or_default(),
                *bootable,
            );
            ours.insert(*number, row);
        }
    }
    compare("partx", &partx(work, sector_size)?, &ours)?;
    if sector_size == 512 {
        let theirs = sfdisk(work)?;
        let ours = ours.iter().map(|(number, row)| (*number, (row.0, row.1))).collect();
        compare("sfdisk", &theirs, &ours)?;
    }
    Ok(())
}

fn compare<T: PartialEq + std::fmt::Debug>(
    tool: &str,
    theirs: &BTreeMap<u32, T>,
    ours: &BTreeMap<u32, T>,
) -> Result<()> {
    let mut difference = String::new();
    for number in theirs.keys().chain(ours.keys()).collect::<std::collections::BTreeSet<_>>() {
        let (theirs, ours) = (theirs.get(number), ours.get(number));
        if theirs != ours {
            let _ =
                writeln!(difference, "  {number}: {tool} says {theirs:?}\n     we say {ours:?}");
        }
    }
    match difference.is_empty() {
        true => Ok(()),
        false => bail!("the tables differ:\n{difference}"),
    }
}

fn partx(work: &Work, sector_size: u32) -> Result<BTreeMap<u32, Row>> {
    let columns = "NR,START,SECTORS,TYPE,UUID,FLAGS,SCHEME,NAME";
    let text = work.bash(&format!("partx -P -S {sector_size} -o {columns} disk.img"))?;
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let field = |name: &str| -> Result<&str> {
            let (_, rest) = line.split_once(&format!("{name}=\"")).context("partx field")?;
            let end = if name == "NAME" { rest.rfind('"') } else { rest.find('"') };
            rest.get(..end.context("partx quote")?).context("partx field")
        };
        let flags = u64::from_str_radix(field("FLAGS")?.trim_start_matches("0x"), 16)?;
        let bootable = if field("SCHEME")? == "dos" { flags == 0x80 } else { flags & 4 != 0 };
        // `partx` always counts in 512 bytes.
        let bytes = |name: &str| -> Result<u64> { Ok(field(name)?.parse::<u64>()? * 512) };
        let kind = field("TYPE")?.to_lowercase();
        let (name, uuid) = (unescaped(field("NAME")?), field("UUID")?.to_owned());
        let row = (bytes("START")?, bytes("SECTORS")?, kind, name, uuid, bootable);
        rows.insert(field("NR")?.parse()?, row);
    }
    Ok(rows)
}

/// `partx` spells what is not ASCII as `\\x` and two digits.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits =
            after.strip_prefix(b"x").and_then(|digits| std::str::from_utf8(digits.get(..2)?).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn sfdisk(work: &Work) -> Result<BTreeMap<u32, (u64, u64)>> {
    let text = work.bash("sfdisk -d disk.img 2>/dev/null")?;
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("disk.img")) {
        let (device, rest) = line.split_once(" : ").context("sfdisk line")?;
        let number = device.trim_start_matches("disk.img").trim().parse()?;
        let field = |name: &str| -> Result<u64> {
            let (_, rest) = rest.split_once(&format!("{name}=")).context("sfdisk field")?;
            Ok(rest.trim_start().split(',').next().context("sfdisk value")?.trim().parse()?)
        };
        rows.insert(number, (field("start")? * 512, field("size")? * 512));
    }
    Ok(rows)
}

/// A table with this disk cut short: what lies past the end is listed with a problem, the rest read.
fn truncated(name: &str, script: &'static str, beyond: &'static [u32]) -> Case {
    Case::new(format!("volume/{name}"), move |work: &Work| {
        work.bash(script)?;
        let discovery = discover(work, None)?;
        let mut seen = Vec::new();
        for volume in &discovery.volumes {
            let Layer::Partition { number, .. } = &volume.layer else {
                continue;
            };
            if beyond.contains(number) {
                check_refused(volume, &["truncated"])?;
                seen.push(*number);
            } else if let Some(problem) = &volume.problem {
                bail!("partition {number}: {problem}");
            }
        }
        if seen != beyond {
            bail!("{seen:?} are told to be truncated, {beyond:?} are");
        }
        Ok(())
    })
}

/// A table, then damage: the same partitions must be found, with a problem.
fn damaged(name: &str, sector_size: u32, damage: &'static str) -> Case {
    Case::new(format!("volume/{name}"), move |work: &Work| {
        work.bash(&format!(
            "{GPT}\nsector={sector_size}\nlast=$(( $(stat -c %s disk.img) - sector ))\n"
        ))?;
        if sector_size != 512 {
            work.bash(GPT_4KN)?;
        }
        let before = partx(work, sector_size)?;
        work.bash(&format!("sector={sector_size}\n{damage}"))?;
        let discovery = discover(work, None)?;
        let found = discovery.volumes.iter().filter(|volume| volume.problem.is_none());
        let found = found.filter(|volume| matches!(volume.layer, Layer::Partition { .. })).count();
        if found != before.len() || found == 0 {
            bail!("{found} of {} partitions: {:?}", before.len(), discovery.problems);
        }
        match discovery.problems.is_empty() {
            true => bail!("the damage is not told"),
            false => Ok(()),
        }
    })
}

const GPT: &str = r#"
truncate -s 64M disk.img
sfdisk -q disk.img <<'END'
label: gpt
label-id: 11111111-2222-3333-4444-555555555555
start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="EFI system"
start=10240, size=8192, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=01234567-89AB-CDEF-0123-456789ABCDEF, name="räksmörgås 日本"
start=40960, size=1, type=21686148-6449-6E6F-744E-656564454649, attrs="LegacyBIOSBootable"
start=20480, size=20480, type=E6D6D379-F507-44C2-A23C-238F2A3DF928
END
"#;

const GPT_4KN: &str = r#"
rm -f disk.img; truncate -s 64M disk.img
loop=$(losetup -f --show -b 4096 disk.img); trap 'losetup -d "$loop"' EXIT
sfdisk -q "$loop" <<'END'
label: gpt
start=256, size=1024, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name="one"
start=1280, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name="two"
END
"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        table(
            "mbr-primary",
            512,
            r#"truncate -s 64M disk.img
sfdisk -q disk.img <<'END'
label: dos
label-id: 0xdeadbeef
start=2048, size=2048, type=83, bootable
start=4096, size=2048, type=7
start=63, size=100, type=ef
start=8192, type=8e
END"#,
        ),
        table(
            "mbr-gaps",
            512,
            r#"truncate -s 64M disk.img
sfdisk -q disk.img <<'END'
label: dos
label-id: 0x00000001
disk.img2 : start=2048, size=2048, type=83
disk.img4 : start=8192, size=100, type=fd
END"#,
        ),
        table(
            "mbr-no-signature",
            512,
            r#"truncate -s 64M disk.img
printf 'label: dos\nstart=2048, size=2048, type=83\n' | sfdisk -q disk.img
printf '\0\0\0\0' | dd of=disk.img bs=1 seek=440 conv=notrunc status=none"#,
        ),
        table(
            "mbr-logical",
            512,
            r#"truncate -s 96M disk.img
{ echo label: dos; echo start=2048, size=1000, type=83; echo start=4096, type=f
for i in $(seq 1 40); do echo "start=$((4096 + 4096 * i + i % 7)), size=$((i * 40)), type=$((80 + i % 4))"; done; } | sfdisk -q disk.img"#,
        ),
        table(
            "mbr-logical-holes",
            512,
            r#"truncate -s 64M disk.img
parted -s disk.img mklabel msdos mkpart primary ext4 1MiB 3MiB mkpart extended 4MiB 60MiB \
  mkpart logical ext4 30MiB 40MiB mkpart logical linux-swap 10MiB 20MiB mkpart logical ext4 50MiB 55MiB mkpart logical fat32 5MiB 9MiB
parted -s disk.img rm 6"#,
        ),
        table(
            "mbr-4kn",
            4096,
            r#"truncate -s 64M disk.img
loop=$(losetup -f --show -b 4096 disk.img); trap 'losetup -d "$loop"' EXIT
sfdisk -q "$loop" <<'END'
label: dos
start=256, size=1024, type=83
start=2048, size=8192, type=5
start=2304, size=1000, type=82
start=4096, size=1000, type=8e
END"#,
        ),
        table("gpt-sfdisk", 512, GPT),
        table("gpt-4kn", 4096, GPT_4KN),
        table(
            "gpt-sgdisk-256-entries",
            512,
            r#"truncate -s 300M disk.img
{ echo label: gpt; echo table-length: 256
for i in $(seq 1 2 199) $(seq 240 256); do echo "disk.img$i : start=$((2048 * i)), size=$((i * 7)), name=\"part $i\""; done; } | sfdisk -q disk.img
sgdisk -A 7:set:2 -A 9:set:60 disk.img > /dev/null"#,
        ),
        table(
            "gpt-parted",
            512,
            "truncate -s 64M disk.img
parted -s disk.img mklabel gpt mkpart one ext4 1MiB 10MiB mkpart two fat32 10MiB 20MiB set 2 esp on mkpart three 30MiB 100% set 3 lvm on disk_set pmbr_boot on",
        ),
        table(
            "gpt-hybrid",
            512,
            "truncate -s 64M disk.img
sgdisk -n 1:0:+1M -t 1:ef02 -n 2:0:+10M -t 2:0700 -n 3:0:0 disk.img > /dev/null
sgdisk -h 2:3 disk.img > /dev/null",
        ),
        table("gpt-empty", 512, "truncate -s 8M disk.img; echo 'label: gpt' | sfdisk -q disk.img"),
        table("mbr-empty", 512, "truncate -s 8M disk.img; echo 'label: dos' | sfdisk -q disk.img"),
        truncated(
            "mbr-truncated",
            "truncate -s 64M disk.img
printf 'label: dos\\nstart=2048,size=2048\\nstart=4096,size=8192\\nstart=40960,size=100\\n' | sfdisk -q disk.img
truncate -s 4M disk.img",
            &[2, 3],
        ),
        truncated(
            "gpt-truncated",
            "truncate -s 64M disk.img
sgdisk -n 1:0:+1M -n 2:0:+10M -n 3:0:0 disk.img > /dev/null; truncate -s 8M disk.img",
            &[2, 3],
        ),
    ];
    for (name, damage) in [
        ("header", "printf X | dd of=disk.img bs=1 seek=$((sector + 60)) conv=notrunc status=none"),
        (
            "entries",
            "printf X | dd of=disk.img bs=1 seek=$((2 * sector + 40)) conv=notrunc status=none",
        ),
        ("wiped", "dd if=/dev/zero of=disk.img bs=$sector seek=1 count=4 conv=notrunc status=none"),
        ("unprotected", "dd if=/dev/zero of=disk.img bs=512 count=1 conv=notrunc status=none"),
    ] {
        cases.push(damaged(&format!("gpt-damaged-{name}"), 512, damage));
        cases.push(damaged(&format!("gpt-4kn-damaged-{name}"), 4096, damage));
    }
    for (tool, script) in [
        ("ext4", "mkfs.ext4 -q disk.img"),
        ("xfs", "truncate -s 320M disk.img; mkfs.xfs -q disk.img"),
        ("btrfs", "truncate -s 128M disk.img; mkfs.btrfs -q disk.img"),
        ("fat12", "truncate -s 2M disk.img; mkfs.vfat -F 12 disk.img > /dev/null"),
        ("fat16", "mkfs.vfat -F 16 disk.img > /dev/null"),
        ("fat32", "mkfs.vfat -F 32 disk.img > /dev/null"),
        ("fat32-mbr", "mkfs.vfat -F 32 --mbr=y disk.img > /dev/null"),
        ("ntfs", "mkfs.ntfs -q -F disk.img > /dev/null 2>&1"),
        ("swap", "mkswap disk.img > /dev/null"),
        (
            "ext4-boot",
            "mkfs.ext4 -q disk.img; printf '\\x55\\xaa' | dd of=disk.img bs=1 seek=510 conv=notrunc status=none",
        ),
        (
            "btrfs-boot",
            "truncate -s 128M disk.img; mkfs.btrfs -q disk.img; printf '\\x55\\xaa' | dd of=disk.img bs=1 seek=510 conv=notrunc status=none",
        ),
        ("zeros", ""),
    ] {
        let script: &'static str = Box::leak(format!("truncate -s 64M disk.img; {script}").into());
        cases.push(whole(&format!("whole-{tool}"), script));
    }
    for (name, label, expected) in [
        ("mac", "mac", "Apple partition map"),
        ("bsd", "bsd", "BSD disklabel"),
        ("sun", "sun", "Sun disk label"),
        ("amiga", "amiga", "Amiga partition table"),
        ("sgi", "dvh", "SGI disk label"),
    ] {
        let script = format!("truncate -s 64M disk.img; parted -s disk.img mklabel {label}");
        cases.push(recognised(&format!("label-{name}"), expected, Box::leak(script.into())));
    }
    cases
}
