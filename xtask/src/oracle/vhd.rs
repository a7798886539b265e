//! What VHD, VHDX, VDI and OVA must read.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use fathom_block::{Location, Opener};

use super::container::{compare, open, pattern, refused, same, same_but};
use super::{Case, Work};

/// Sizes that are whole blocks, that are not, and that are hardly anything.
const SIZES: [u64; 3] = [64 << 20, (33 << 20) + 512, 65537 * 512];

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("vhd/dynamic", |work| vhd(work, "dynamic")),
        Case::new("vhd/fixed", |work| vhd(work, "fixed")),
        Case::new("vhd/creators", vhd_creators),
        Case::new("vhd/large", vhd_large),
        Case::new("vhd/footers", vhd_footers),
        Case::new("vhd/refused", vhd_refused),
        Case::new("vhdx/dynamic", |work| vhdx(work, "dynamic")),
        Case::new("vhdx/fixed", |work| vhdx(work, "fixed")),
        Case::new("vhdx/many-chunks", vhdx_many_chunks),
        Case::new("vhdx/log", vhdx_log),
        Case::new("vhdx/copies", vhdx_copies),
        Case::new("vdi/dynamic", |work| vdi(work, "off")),
        Case::new("vdi/fixed", |work| vdi(work, "on")),
        Case::new("vdi/refused", vdi_refused),
        Case::new("ova/archives", ova_archives),
        Case::new("ova/description", ova_description),
        Case::new("ova/chunks", ova_chunks),
        Case::new("ova/without-description", ova_without_description),
        Case::new("ova/partly-readable", ova_partly_readable),
    ]
}

/// What libvhdi reads must be `raw`.
fn libvhdi(work: &Work, image: &str, raw: &str) -> Result<()> {
    work.bash(&format!(
        r#"/usr/bin/python3 - <<'EOF'
import pyvhdi
disk = pyvhdi.file(); disk.open("{image}")
with open("{raw}", "rb") as raw:
    while True:
        wanted = raw.read(1 << 20)
        if not wanted: break
        assert disk.read_buffer(len(wanted)) == wanted, raw.tell()
EOF"#
    ))?;
    Ok(())
}

fn vhd(work: &Work, subformat: &str) -> Result<()> {
    for size in SIZES {
        pattern(work, "raw", size)?;
        for force_size in ["on", "off"] {
            work.bash(&format!(
                "rm -f disk.vhd; qemu-img convert -f raw -O vpc \
                   -o subformat={subformat},force_size={force_size} raw disk.vhd
                 qemu-img convert -f vpc -O raw disk.vhd again
                 cmp -n {size} raw again"
            ))?;
            same(work, "disk.vhd", "again")?;
            libvhdi(work, "disk.vhd", "raw")?;
        }
    }
    Ok(())
}

/// Which size counts depends on the program that made the disk.
fn vhd_creators(work: &Work) -> Result<()> {
    pattern(work, "raw", (40 << 20) + 512)?;
    work.bash("qemu-img convert -f raw -O vpc raw made.vhd")?;
    let made = fs::read(work.path("made.vhd"))?;
    for creator in
        [b"vpc ", b"vs  ", b"qemu", b"qem2", b"win ", b"d2v ", b"tap\0", b"CTXS", b"wa\0\0"]
    {
        let mut image = made.clone();
        for at in [0, image.len() - 512] {
            let footer = &mut image[at..at + 512];
            footer[28..32].copy_from_slice(creator);
            mend_vhd(footer, 64);
        }
        fs::write(work.path("disk.vhd"), image)?;
        work.bash("qemu-img convert -f vpc -O raw disk.vhd again")?;
        same(work, "disk.vhd", "again").with_context(|| creator.escape_ascii().to_string())?;
    }
    Ok(())
}

/// More than cylinders, heads and sectors can spell.
fn vhd_large(work: &Work) -> Result<()> {
    pattern(work, "raw", 200 << 30)?;
    work.bash("qemu-img convert -f raw -O vpc raw disk.vhd")?;
    let length = open(work, "disk.vhd")?.reader.len();
    work.bash(&format!("truncate -s {length} raw"))?;
    same(work, "disk.vhd", "raw")
}

fn vhd_footers(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash("qemu-img convert -f raw -O vpc -o force_size=on raw disk.vhd")?;
    let healthy = fs::read(work.path("disk.vhd"))?;
    for at in [30, healthy.len() - 400] {
        let mut image = healthy.clone();
        image[at] ^= 0x55;
        fs::write(work.path("damaged.vhd"), image)?;
        same_but(work, "damaged.vhd", "raw", "checksum")?;
    }
    fs::write(work.path("cut.vhd"), &healthy[..healthy.len() - 512])?;
    same_but(work, "cut.vhd", "raw", "does not begin with conectix")
}

fn vhd_refused(work: &Work) -> Result<()> {
    work.bash("qemu-img create -q -f vpc disk.vhd 10M")?;
    let healthy = fs::read(work.path("disk.vhd"))?;
    let mut image = healthy.clone();
    for at in [0, image.len() - 512] {
        image[at + 63] = 4;
        mend_vhd(&mut image[at..at + 512], 64);
    }
    fs::write(work.path("disk.vhd"), image)?;
    refused(work, "disk.vhd", "differencing")?;
    let mut image = healthy;
    image[512 + 40] ^= 1;
    fs::write(work.path("disk.vhd"), image)?;
    refused(work, "disk.vhd", "checksum")
}

fn vhdx(work: &Work, subformat: &str) -> Result<()> {
    for size in SIZES {
        pattern(work, "raw", size)?;
        for block_size in ["1M", "32M"] {
            work.bash(&format!(
                "rm -f disk.vhdx; qemu-img convert -f raw -O vhdx \
                   -o subformat={subformat},block_size={block_size} raw disk.vhdx
                 qemu-img convert -f vhdx -O raw disk.vhdx again; cmp again raw"
            ))?;
            same(work, "disk.vhdx", "raw")?;
            ensure!(open(work, "disk.vhdx")?.sector_size == Some(512));
        }
    }
    // libvhdi cannot read a disk that does not end with a sector bitmap's worth of blocks; whole
    // mebibytes suffice.
    pattern(work, "raw", 64 << 20)?;
    work.bash(&format!(
        "rm -f disk.vhdx; qemu-img convert -f raw -O vhdx -o subformat={subformat} raw disk.vhdx"
    ))?;
    libvhdi(work, "disk.vhdx", "raw")
}

/// With blocks of 256 MiB a chunk has 16: the bitmaps' entries stand between those of blocks.
fn vhdx_many_chunks(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 30)?;
    work.bash("qemu-img convert -f raw -O vhdx -o block_size=256M raw disk.vhdx")?;
    same(work, "disk.vhdx", "raw")
}

/// The block table and the metadata are only in the log. qemu replays it too, as long as it does
/// not wrap around: then it takes the part at the ring's beginning for the whole.
fn vhdx_log(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash("qemu-img convert -f raw -O vhdx -o block_size=1M raw disk.vhdx")?;
    let healthy = fs::read(work.path("disk.vhdx"))?;
    for (start, of_qemu) in [(128 << 10, true), ((1 << 20) - 8192, false)] {
        fs::write(work.path("disk.vhdx"), logged(&healthy, start).context("no block table")?)?;
        if of_qemu {
            work.bash(
                "cp disk.vhdx mended.vhdx; qemu-img check -q -r all mended.vhdx
                 qemu-img convert -f vhdx -O raw mended.vhdx again; cmp again raw",
            )?;
        }
        same(work, "disk.vhdx", "raw")?;
        let detail = &open(work, "disk.vhdx")?.layers[0].detail;
        ensure!(detail.contains("3 log entries replayed"), "{detail}");
    }
    // A log that says it is in use and has nothing.
    let mut image = healthy.clone();
    let log = log_offset(&image);
    image[log..log + (1 << 20)].fill(0);
    for header in [64 << 10, 128 << 10] {
        image[header + 48..header + 64].fill(0x11);
        mend_vhdx(&mut image[header..header + 4096]);
    }
    fs::write(work.path("empty.vhdx"), &image)?;
    same_but(work, "empty.vhdx", "raw", "it has not one entry")?;
    // One that has lost the first entry of its sequence, and all of the older one.
    let mut lost = logged(&healthy, 128 << 10).context("no block table")?;
    lost[log + (64 << 10)..][..(64 << 10) + 4096].fill(0);
    fs::write(work.path("lost.vhdx"), lost)?;
    refused(work, "lost.vhdx", "no sequence that could be replayed")?;
    // A file that was cut after it was logged.
    let cut = logged(&healthy, 0).context("no block table")?;
    fs::write(work.path("cut.vhdx"), &cut[..cut.len() - (1 << 20)])?;
    refused(work, "cut.vhdx", "truncated")
}

fn vhdx_copies(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash("qemu-img convert -f raw -O vhdx raw disk.vhdx")?;
    let healthy = fs::read(work.path("disk.vhdx"))?;
    for at in [(64 << 10) + 100, (128 << 10) + 100, (192 << 10) + 100] {
        let mut image = healthy.clone();
        image[at] ^= 1;
        fs::write(work.path("damaged.vhdx"), image)?;
        same_but(work, "damaged.vhdx", "raw", "checksum")?;
    }
    let mut image = healthy;
    (image[(192 << 10) + 100], image[(256 << 10) + 100]) = (1, 1);
    fs::write(work.path("damaged.vhdx"), image)?;
    refused(work, "damaged.vhdx", "region table")
}

fn vdi(work: &Work, fixed: &str) -> Result<()> {
    for size in SIZES {
        pattern(work, "raw", size)?;
        work.bash(&format!(
            "rm -f disk.vdi; qemu-img convert -f raw -O vdi -o static={fixed} raw disk.vdi
             qemu-img convert -f vdi -O raw disk.vdi again; cmp again raw"
        ))?;
        same(work, "disk.vdi", "raw")?;
    }
    Ok(())
}

fn vdi_refused(work: &Work) -> Result<()> {
    work.bash("qemu-img create -q -f vdi disk.vdi 10M")?;
    let healthy = fs::read(work.path("disk.vdi"))?;
    for (at, byte, why) in [(0x4C, 4, "differencing"), (0x4C, 3, "undo"), (0x1A8, 1, "link")] {
        let mut image = healthy.clone();
        image[at] = byte;
        fs::write(work.path("odd.vdi"), image)?;
        refused(work, "odd.vdi", why)?;
    }
    Ok(())
}

/// Two disks, `one.vmdk` of `raw-one` and `two.vmdk` of `raw-two`, and `machine.ovf` that lists the
/// second first.
fn machine(work: &Work) -> Result<()> {
    pattern(work, "raw-one", (33 << 20) + 512)?;
    pattern(work, "raw-two", 25 << 20)?;
    work.bash(
        r#"qemu-img convert -f raw -O vmdk -o subformat=streamOptimized raw-one one.vmdk
qemu-img convert -f raw -O vmdk raw-two two.vmdk
cat > machine.ovf <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References>
    <File ovf:href="one.vmdk" ovf:id="file1" ovf:size="$(stat -c %s one.vmdk)"/>
    <File ovf:href="nvram" ovf:id="file3" ovf:size="5"/>
    <File ovf:href="two.vmdk" ovf:id="file2" ovf:size="$(stat -c %s two.vmdk)"/>
  </References>
  <DiskSection>
    <Info>Virtual disk information</Info>
    <Disk ovf:capacity="25" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="vmdisk2" ovf:fileRef="file2" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#sparse"/>
    <Disk ovf:capacity="34603520" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
    <Disk ovf:capacity="2" ovf:capacityAllocationUnits="byte * 2^40" ovf:diskId="vmdisk3"/>
  </DiskSection>
</Envelope>
EOF
sha256sum machine.ovf one.vmdk two.vmdk | sed 's/\(.*\)  \(.*\)/SHA256(\2)= \1/' > machine.mf; echo nvram > nvram"#,
    )?;
    Ok(())
}

/// Wants the two disks of the machine, and the empty one, in the order of the description.
fn both(work: &Work, image: &str) -> Result<()> {
    let disks = Opener::new().open(&Location::Path(work.path(image)))?;
    let names: Vec<_> = disks.iter().map(|disk| disk.name.as_str()).collect();
    let wanted = ["two.vmdk", "one.vmdk", "vmdisk3"];
    ensure!(names == wanted, "{names:?}");
    for (disk, raw) in disks.iter().zip(["raw-two", "raw-one"]) {
        ensure!(disk.problems.is_empty(), "{:?}", disk.problems);
        compare(&*disk.reader, &work.path(raw)).with_context(|| format!("{image}: {raw}"))?;
    }
    ensure!(disks[2].reader.len() == 2 << 40 && disks[2].reader.next_data(0).is_none());
    Ok(())
}

fn ova_archives(work: &Work) -> Result<()> {
    machine(work)?;
    for format in ["ustar", "gnu", "oldgnu", "pax", "posix"] {
        work.bash(&format!(
            "tar --format={format} -cf machine.ova machine.ovf machine.mf one.vmdk two.vmdk nvram"
        ))?;
        both(work, "machine.ova")?;
    }
    work.bash("tar --format=gnu -cf machine.ova ./one.vmdk ./two.vmdk ./machine.ovf")?;
    both(work, "machine.ova")?;
    // Names that no header has room for, in folders of their own.
    for (format, length, deep) in [("gnu", 250, 2), ("pax", 250, 2), ("ustar", 75, 2)] {
        let folders = vec!["n".repeat(length); deep].join("/");
        work.bash(&format!(
            "rm -rf nn*; mkdir -p {folders}; cp one.vmdk two.vmdk machine.ovf {folders}
             tar --format={format} -cf machine.ova {folders}"
        ))?;
        both(work, "machine.ova")?;
    }
    Ok(())
}

/// The description beside its disks; names with spaces and as addresses; names that lead out.
fn ova_description(work: &Work) -> Result<()> {
    machine(work)?;
    both(work, "machine.ovf")?;
    work.bash(
        "mkdir out; sed 's/two.vmdk/..\\/two.vmdk/' machine.ovf > out/machine.ovf; cp one.vmdk out
         mkdir in; cp one.vmdk in; mv two.vmdk 'in/the two.vmdk'
         sed 's/two.vmdk/the%20two.vmdk/' machine.ovf > in/machine.ovf
         cd out; cp ../in/*two.vmdk ../two.vmdk; tar -cPf ../out.ova machine.ovf one.vmdk ../two.vmdk",
    )?;
    let encoded = Opener::new().open(&Location::Path(work.path("in/machine.ovf")))?;
    ensure!(encoded.len() == 3 && encoded[0].name == "the%20two.vmdk");
    compare(&*encoded[0].reader, &work.path("raw-two"))?;
    let outside = Opener::new().open(&Location::Path(work.path("out/machine.ovf")))?;
    let problem = outside[0].problems[0].to_string();
    ensure!(outside.len() == 2 && problem.contains("../two.vmdk"), "{problem}");
    // In an archive a name is only a name.
    let archived = Opener::new().open(&Location::Path(work.path("out.ova")))?;
    compare(&*archived[0].reader, &work.path("raw-two"))
}

fn ova_chunks(work: &Work) -> Result<()> {
    machine(work)?;
    work.bash(
        r#"split -b 1000000 -d -a 9 two.vmdk two.vmdk.; ls two.vmdk.000000001
sed -i 's/ovf:href="two.vmdk"/& ovf:chunkSize="1000000"/' machine.ovf; mv two.vmdk gone
tar -cf machine.ova machine.ovf one.vmdk two.vmdk.0*"#,
    )?;
    both(work, "machine.ova")?;
    both(work, "machine.ovf")?;
    work.bash("rm two.vmdk.000000001; tar -cf short.ova machine.ovf one.vmdk two.vmdk.0*")?;
    let disks = Opener::new().open(&Location::Path(work.path("short.ova")))?;
    let problem = disks[0].problems[0].to_string();
    ensure!(disks.len() == 2 && problem.contains("two.vmdk.000000001"), "{problem}");
    Ok(())
}

fn ova_without_description(work: &Work) -> Result<()> {
    machine(work)?;
    work.bash(
        "qemu-img convert -f raw -O vpc -o force_size=on raw-two three
         head -c 5000 /dev/urandom > noise; cp raw-one four.img
         tar -cf machine.ova machine.mf one.vmdk two.vmdk noise three four.img; tar -cf none.ova noise",
    )?;
    let disks = Opener::new().open(&Location::Path(work.path("machine.ova")))?;
    ensure!(disks.len() == 4 && disks[0].problems.len() == 1, "{:?}", disks[0].problems);
    for (disk, raw) in disks.iter().zip(["raw-one", "raw-two", "raw-two", "raw-one"]) {
        compare(&*disk.reader, &work.path(raw)).with_context(|| disk.name.clone())?;
    }
    refused(work, "none.ova", "no member that looks like a disk")
}

/// One disk compressed, missing, cut or sparse: the other is read, and says what is not.
fn ova_partly_readable(work: &Work) -> Result<()> {
    machine(work)?;
    work.bash(
        r#"cp machine.ovf plain.ovf; pack() { tar -cf "$@"; }
sed -i 's/ovf:href="two.vmdk"/& ovf:compression="gzip"/' machine.ovf; pack gzip.ova machine.ovf one.vmdk two.vmdk
cp plain.ovf machine.ovf; pack missing.ova machine.ovf one.vmdk
pack cut.ova machine.ovf one.vmdk two.vmdk; truncate -s -3M cut.ova
truncate -s 30M hole.vmdk; cat hole.vmdk >> two.vmdk; cp --sparse=always two.vmdk two; mv two two.vmdk
cp --sparse=never one.vmdk one; mv one one.vmdk; pack sparse.ova --sparse machine.ovf one.vmdk two.vmdk; pack paxsparse.ova --format=pax --sparse machine.ovf one.vmdk two.vmdk"#,
    )?;
    for (image, why) in [
        ("gzip.ova", "compressed with gzip"),
        ("missing.ova", "no such member"),
        ("cut.ova", "truncated"),
        ("sparse.ova", "sparse"),
        ("paxsparse.ova", "sparse"),
    ] {
        let disks = Opener::new().open(&Location::Path(work.path(image)))?;
        let texts: Vec<_> = disks[0].problems.iter().map(ToString::to_string).collect();
        ensure!(disks[0].name == "one.vmdk" && disks.len() == 2, "{image}: {}", disks[0].name);
        ensure!(texts.iter().any(|text| text.contains(why)), "{image}: {texts:?}");
        compare(&*disks[0].reader, &work.path("raw-one")).with_context(|| image.to_owned())?;
    }
    Ok(())
}

/// Makes the checksum at `at` of a VHD's footer or header right.
pub(crate) fn mend_vhd(structure: &mut [u8], at: usize) {
    structure[at..at + 4].fill(0);
    let sum: u32 = structure.iter().map(|byte| u32::from(*byte)).sum();
    structure[at..at + 4].copy_from_slice(&(!sum).to_be_bytes());
}

/// Makes the checksum of a VHDX's header, region table or log entry right.
pub(crate) fn mend_vhdx(structure: &mut [u8]) {
    structure[4..8].fill(0);
    let crc = crc32c::crc32c(structure);
    structure[4..8].copy_from_slice(&crc.to_le_bytes());
}

fn number(image: &[u8], at: usize) -> usize {
    image[at..at + 8].try_into().map_or(0, u64::from_le_bytes) as usize
}

/// Where a VHDX has its log.
pub(crate) fn log_offset(image: &[u8]) -> usize {
    number(image, (64 << 10) + 72)
}

/// One change that a log entry describes.
enum Change {
    Write(usize, Vec<u8>),
    Zero(usize, usize),
}

/// A log entry with its checksum.
fn log_entry(sequence: u64, tail: usize, file: usize, changes: &[Change]) -> Vec<u8> {
    let mut entry = vec![0; 4096];
    entry[..4].copy_from_slice(b"loge");
    entry[12..16].copy_from_slice(&(tail as u32).to_le_bytes());
    entry[16..24].copy_from_slice(&sequence.to_le_bytes());
    entry[24..28].copy_from_slice(&(changes.len() as u32).to_le_bytes());
    entry[32..48].fill(0x11);
    entry[48..56].copy_from_slice(&(file as u64).to_le_bytes());
    entry[56..64].copy_from_slice(&(file as u64).to_le_bytes());
    for (index, change) in changes.iter().enumerate() {
        let at = 64 + index * 32;
        let target = match change {
            Change::Write(target, bytes) => {
                entry[at..at + 4].copy_from_slice(b"desc");
                entry[at + 4..at + 8].copy_from_slice(&bytes[4092..]);
                entry[at + 8..at + 16].copy_from_slice(&bytes[..8]);
                let mut data = bytes.clone();
                data[..4].copy_from_slice(b"data");
                data[4..8].copy_from_slice(&((sequence >> 32) as u32).to_le_bytes());
                data[4092..].copy_from_slice(&(sequence as u32).to_le_bytes());
                entry.extend(data);
                target
            }
            Change::Zero(target, length) => {
                entry[at..at + 4].copy_from_slice(b"zero");
                entry[at + 8..at + 16].copy_from_slice(&(*length as u64).to_le_bytes());
                target
            }
        };
        entry[at + 16..at + 24].copy_from_slice(&(*target as u64).to_le_bytes());
        entry[at + 24..at + 32].copy_from_slice(&sequence.to_le_bytes());
    }
    let length = entry.len() as u32;
    entry[8..12].copy_from_slice(&length.to_le_bytes());
    mend_vhdx(&mut entry);
    entry
}

/// The same VHDX, with the block table and the metadata nowhere but in its log: in three entries
/// from `start` on, beside older ones that must not be replayed.
pub(crate) fn logged(healthy: &[u8], start: usize) -> Option<Vec<u8>> {
    let mut image = healthy.to_vec();
    let entries = (0..4).map(|index| (192 << 10) + 16 + index * 32);
    let region = |first: [u8; 4]| {
        entries.clone().find(|at| image[*at..*at + 4] == first).map(|at| number(&image, at + 16))
    };
    let table = region([0x66, 0x77, 0xC2, 0x2D])?;
    let metadata = region([0x06, 0xA2, 0x7C, 0x8B])?;
    let items = metadata + (64 << 10);
    let sector = |at: usize| healthy[at..at + 4096].to_vec();
    let (log, size, file) = (log_offset(&image), 1 << 20, image.len());
    image[log..log + size].fill(0);
    let tail = start;
    let noise = || vec![0xAB; 4096];
    let entries = [
        (tail, 10, vec![Change::Write(table, noise()), Change::Write(metadata, sector(metadata))]),
        (start + 12288, 11, vec![Change::Zero(table, 4096), Change::Zero(items, 4096)]),
        (
            start + 16384,
            12,
            vec![Change::Write(items, sector(items)), Change::Write(table, sector(table))],
        ),
    ];
    let older = [
        (65536, 2, vec![Change::Write(metadata, noise())]),
        (65536 + 8192, 3, vec![Change::Write(table, noise())]),
    ];
    let both =
        entries.iter().map(|entry| (entry, tail)).chain(older.iter().map(|entry| (entry, 65536)));
    for ((at, sequence, changes), tail) in both {
        for (index, bytes) in log_entry(*sequence, tail, file, changes).chunks(4096).enumerate() {
            let at = log + (at + index * 4096) % size;
            image[at..at + 4096].copy_from_slice(bytes);
        }
    }
    for place in [table, metadata, items] {
        image[place..place + 4096].fill(0xCD);
    }
    for header in [64 << 10, 128 << 10] {
        image[header + 48..header + 64].fill(0x11);
        mend_vhdx(&mut image[header..header + 4096]);
    }
    Some(image)
}
