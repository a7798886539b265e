//! What vmdk must read: every subformat that qemu-img writes, and by hand what it does not.

use std::fs;

use anyhow::{Result, ensure};

use super::container::{open, pattern, refused, same, same_but};
use super::{Case, Work};

/// Sizes that are whole grains, that are not, and that are hardly anything.
const SIZES: [u64; 4] = [64 << 20, (33 << 20) + 512, 65537 * 512, 25 << 20];

const SUBFORMATS: [&str; 5] = [
    "monolithicSparse",
    "monolithicFlat",
    "twoGbMaxExtentSparse",
    "twoGbMaxExtentFlat",
    "streamOptimized",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for subformat in SUBFORMATS {
        cases.push(Case::new(format!("vmdk/{subformat}"), move |work| sizes(work, subformat)));
    }
    cases.extend([
        Case::new("vmdk/options", options),
        Case::new("vmdk/zeroed-grains", zeroed_grains),
        Case::new("vmdk/split-over-2g-sparse", |work| split(work, "twoGbMaxExtentSparse")),
        Case::new("vmdk/split-over-2g-flat", |work| split(work, "twoGbMaxExtentFlat")),
        Case::new("vmdk/chain", chain),
        Case::new("vmdk/chain-of-split-disks", chain_of_split_disks),
        Case::new("vmdk/chain-broken", chain_broken),
        Case::new("vmdk/redundant-directory", redundant_directory),
        Case::new("vmdk/unclean-shutdown", unclean_shutdown),
        Case::new("vmdk/esxi-flat", esxi_flat),
        Case::new("vmdk/custom-extents", custom_extents),
        Case::new("vmdk/stream-with-footer", stream_with_footer),
        Case::new("vmdk/refused", refusals),
    ]);
    cases
}

fn sizes(work: &Work, subformat: &str) -> Result<()> {
    for size in SIZES {
        pattern(work, "raw", size)?;
        work.bash(&format!(
            "rm -f *.vmdk; qemu-img convert -f raw -O vmdk -o subformat={subformat} raw disk.vmdk
             qemu-img convert -f vmdk -O raw disk.vmdk again; cmp raw again"
        ))?;
        same(work, "disk.vmdk", "raw")?;
        let detail = &open(work, "disk.vmdk")?.layers[0].detail;
        ensure!(detail.starts_with(subformat), "{detail}");
        // Another independent reader of the format must agree that the image says this.
        work.bash(
            r#"/usr/bin/python3 - <<'EOF'
import pyvmdk
disk = pyvmdk.handle(); disk.open("disk.vmdk"); disk.open_extent_data_files()
with open("raw", "rb") as raw:
    while True:
        wanted = raw.read(1 << 20)
        assert disk.read_buffer(1 << 20) == wanted, raw.tell()
        if not wanted: break
EOF"#,
        )?;
    }
    Ok(())
}

fn options(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    for options in [
        "compat6=on",
        "hwversion=11,toolsversion=12352",
        "adapter_type=lsilogic",
        "adapter_type=legacyESX,subformat=streamOptimized",
        "zeroed_grain=on",
    ] {
        work.bash(&format!(
            "rm -f *.vmdk; qemu-img convert -f raw -O vmdk -o {options} raw 'a disk.vmdk'"
        ))?;
        same(work, "a disk.vmdk", "raw")?;
    }
    Ok(())
}

/// Zeros over a parent's data, by a table entry of 1.
fn zeroed_grains(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash(
        "qemu-img convert -f raw -O vmdk raw base.vmdk
         qemu-img create -q -f vmdk -o zeroed_grain=on -b base.vmdk -F vmdk top.vmdk
         qemu-io -f vmdk -c 'write -z 0 1M' -c 'write -z 20M 128k' -c 'write -P 7 1M 100k' \
           -c 'write -z 1088k 64k' top.vmdk
         qemu-img convert -f vmdk -O raw top.vmdk wanted",
    )?;
    same(work, "top.vmdk", "wanted")
}

fn split(work: &Work, subformat: &str) -> Result<()> {
    let size = (4 << 30) + (600 << 20) + 512_u64;
    pattern(work, "raw", size)?;
    work.bash(&format!(
        "for at in 2147483648 2147418112 4294967296 4294901760; do
           printf 'over the border' | dd of=raw oflag=seek_bytes conv=notrunc seek=$((at - 7)) status=none
         done
         qemu-img convert -f raw -O vmdk -o subformat={subformat} raw disk.vmdk; ls *.vmdk"
    ))?;
    same(work, "disk.vmdk", "raw")
}

fn chain(work: &Work) -> Result<()> {
    for subformat in ["monolithicSparse", "streamOptimized", "monolithicFlat"] {
        pattern(work, "raw", (40 << 20) + 512)?;
        work.bash(&format!(
            "rm -f *.vmdk; qemu-img convert -f raw -O vmdk -o subformat={subformat} raw base.vmdk
             qemu-img create -q -f vmdk -b base.vmdk -F vmdk middle.vmdk
             qemu-io -f vmdk -c 'write -P 1 100k 1M' -c 'write -P 2 30M 5' middle.vmdk
             qemu-img create -q -f vmdk -b middle.vmdk -F vmdk top.vmdk 60M
             qemu-io -f vmdk -c 'write -P 3 512k 1M' -c 'write -P 4 41942528 1k' \
               -c 'write -P 5 50M 70k' top.vmdk
             qemu-img convert -f vmdk -O raw top.vmdk wanted"
        ))?;
        same(work, "top.vmdk", "wanted")?;
        let layers = open(work, "top.vmdk")?.layers;
        ensure!(layers.len() == 3, "{layers:?}");
    }
    Ok(())
}

fn chain_of_split_disks(work: &Work) -> Result<()> {
    pattern(work, "raw", 5 << 30)?;
    work.bash(
        "qemu-img convert -f raw -O vmdk -o subformat=twoGbMaxExtentFlat raw base.vmdk
         qemu-img create -q -f vmdk -o subformat=twoGbMaxExtentSparse -b base.vmdk -F vmdk top.vmdk
         qemu-io -f vmdk -c 'write -P 3 2147000000 1M' -c 'write -P 4 4294967000 300' \
           -c 'write -P 5 5368000000 600k' top.vmdk
         qemu-img convert -f vmdk -O raw top.vmdk wanted",
    )?;
    same(work, "top.vmdk", "wanted")
}

/// A parent that was written since, that is missing, that is elsewhere.
fn chain_broken(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash(
        "qemu-img convert -f raw -O vmdk raw base.vmdk
         qemu-img create -q -f vmdk -b base.vmdk -F vmdk top.vmdk
         qemu-io -f vmdk -c 'write -P 1 0 1M' top.vmdk
         qemu-io -f vmdk -c 'write -P 2 5M 1M' base.vmdk
         ! qemu-img convert -f vmdk -O raw top.vmdk wanted 2>/dev/null",
    )?;
    refused(work, "top.vmdk", "the parent was changed since")?;
    work.bash("rm base.vmdk")?;
    refused(work, "top.vmdk", "not found")?;
    work.bash(
        "sed -i 's/\"base.vmdk\"/\"..\\/b.vmdk\"/' top.vmdk; grep -aq '\\.\\./b.vmdk' top.vmdk",
    )?;
    refused(work, "top.vmdk", "../b.vmdk")
}

/// The first copy of the directory zeroed, pointing beyond the end, and gone altogether.
fn redundant_directory(work: &Work) -> Result<()> {
    pattern(work, "raw", 300 << 20)?;
    work.bash("qemu-img convert -f raw -O vmdk raw disk.vmdk")?;
    let healthy = fs::read(work.path("disk.vmdk"))?;
    let at = |field: usize| {
        let bytes: [u8; 8] = healthy[field..field + 8].try_into().unwrap_or_default();
        u64::from_le_bytes(bytes) as usize * 512
    };
    let (redundant, directory) = (at(48), at(56));
    ensure!(redundant != 0 && directory != 0 && redundant != directory);
    for damage in [vec![0; 40], vec![0xFF; 40], vec![0x77; 3]] {
        let mut image = healthy.clone();
        image[directory..directory + damage.len()].copy_from_slice(&damage);
        fs::write(work.path("damaged.vmdk"), image)?;
        same_but(work, "damaged.vmdk", "raw", "the redundant directory has all of them")?;
    }
    let mut image = healthy.clone();
    image[56..64].copy_from_slice(&(1_u64 << 40).to_le_bytes());
    fs::write(work.path("damaged.vmdk"), image)?;
    same_but(work, "damaged.vmdk", "raw", "pass the image's end")
}

fn unclean_shutdown(work: &Work) -> Result<()> {
    pattern(work, "raw", 40 << 20)?;
    work.bash(
        "qemu-img convert -f raw -O vmdk raw disk.vmdk
         printf '\\001' | dd of=disk.vmdk bs=1 seek=72 conv=notrunc status=none",
    )?;
    same_but(work, "disk.vmdk", "raw", "uncleanShutdown")
}

fn esxi_flat(work: &Work) -> Result<()> {
    pattern(work, "disk-flat.vmdk", 40 << 20)?;
    work.bash(
        r#"cat > disk.vmdk <<EOF
# Disk DescriptorFile
version=3
encoding="UTF-8"
CID=93c9d4a1
parentCID=ffffffff
createType="vmfs"

# Extent description
RW $((40 << 11)) VMFS "disk-flat.vmdk"

# Change Tracking File
changeTrackPath="disk-ctk.vmdk"

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.geometry.cylinders = "5"
ddb.thinProvisioned = "1"
ddb.uuid = "60 00 C2 9a 49 dc 34 8d-a4 2e 8f 3c 8e 1c 9e 9e"
EOF
qemu-img convert -f vmdk -O raw disk.vmdk again; cmp again disk-flat.vmdk
truncate -s 39M short-flat.vmdk; sed 's/disk-flat/short-flat/' disk.vmdk > short.vmdk
sed 's/disk-flat/missing-flat/' disk.vmdk > missing.vmdk"#,
    )?;
    same(work, "disk.vmdk", "disk-flat.vmdk")?;
    refused(work, "short.vmdk", "short-flat.vmdk")?;
    refused(work, "missing.vmdk", "missing-flat.vmdk")
}

/// Extents of all kinds in one disk, one file twice, at offsets.
fn custom_extents(work: &Work) -> Result<()> {
    pattern(work, "raw", 32 << 20)?;
    work.bash(
        r#"
head -c 8M raw > a.bin; { head -c 4096 /dev/urandom; tail -c 8M raw; } > b.bin
dd if=raw of=middle bs=1M skip=8 count=8 status=none
qemu-img convert -f raw -O vmdk middle sparse.vmdk
cat > disk.vmdk <<EOF
# Disk DescriptorFile
version=1
CID=00000001
parentCID=ffffffff
createType="custom"
RW 8192 FLAT "a.bin" 0
RDONLY 8192 FLAT "a.bin" 8192
RW 16384 SPARSE "sparse.vmdk"
RW 16384 ZERO
RW 16384 FLAT "b.bin" 8
EOF
{ head -c 16M raw; head -c 8M /dev/zero; tail -c 8M raw; } > wanted"#,
    )?;
    same(work, "disk.vmdk", "wanted")
}

/// What VMware and OVF Tool write and qemu does not: the directory at the end, a footer, a marker
/// before each table.
fn stream_with_footer(work: &Work) -> Result<()> {
    for size in [40_u64 << 20, (33 << 20) + 512] {
        pattern(work, "raw", size)?;
        work.bash(
            r#"/usr/bin/python3 - <<'EOF'
import struct, zlib
raw = open("raw", "rb").read()
capacity, grain = len(raw) // 512, 128
out = open("disk.vmdk", "wb")
def header(gd):
    return struct.pack("<4sIIQQQQIQQQB4sH433x", b"KDMV", 3, 0x30001, capacity, grain, 1, 20, 512, 0, gd, 128, 0, b"\n \r\n", 1)
def pad():
    out.write(bytes(-out.tell() % 512))
def marker(sectors, kind):
    out.write(struct.pack("<QII496x", sectors, 0, kind))
text = f'# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="streamOptimized"\nRDONLY {capacity} SPARSE "other-name.vmdk"\n'
out.write(header(2**64 - 1)); out.write(text.encode().ljust(20 * 512, b"\0")); out.seek(128 * 512)
grains = -(-capacity // grain)
tables = []
for first in range(0, grains, 512):
    table = [0] * 512
    for index in range(first, min(first + 512, grains)):
        data = raw[index * 65536:(index + 1) * 65536].ljust(65536, b"\0")
        if data.strip(b"\0"):
            table[index - first] = out.tell() // 512
            data = zlib.compress(data, 1)
            out.write(struct.pack("<QI", index * grain, len(data)) + data); pad()
    if any(table):
        marker(4, 1); tables.append(out.tell() // 512); out.write(struct.pack("<512I", *table))
    else:
        tables.append(0)
marker(1, 2); gd = out.tell() // 512
out.write(struct.pack(f"<{len(tables)}I", *tables)); pad()
marker(1, 3); out.write(header(gd)); marker(0, 0)
EOF
qemu-img convert -f vmdk -O raw disk.vmdk again; cmp raw again
head -c $(($(stat -c %s disk.vmdk) - 512)) disk.vmdk > cut.vmdk"#,
        )?;
        same(work, "disk.vmdk", "raw")?;
        refused(work, "cut.vmdk", "the stream is not complete")?;
    }
    Ok(())
}

fn refusals(work: &Work) -> Result<()> {
    work.bash(
        r#"
descriptor() { printf '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="%s"\n%s\n' "$1" "$2"; }
descriptor vmfsSparse 'RW 8 VMFSSPARSE "x-delta.vmdk"' > cowd.vmdk
descriptor seSparse 'RW 8 SESPARSE "x-sesparse.vmdk"' > sesparse.vmdk
descriptor vmfsRawDeviceMap 'RW 8 VMFSRDM "x-rdm.vmdk"' > rdm.vmdk
descriptor fullDevice 'RW 8 FLAT "/dev/sda" 0' > device.vmdk
descriptor custom 'RW 8 FLAT "/etc/passwd" 0' > absolute.vmdk
descriptor custom 'RW 8 FLAT "../../etc/passwd" 0' > dots.vmdk
descriptor custom 'RW 8 FLAT "json:{}" 0' > json.vmdk
descriptor monolithicFlat 'ddb.encryption.x = "1"' > locked.vmdk
printf 'COWD%01000d' 0 > delta.vmdk
printf '\xbe\xba\xfe\xca\0\0\0\0%01000d' 0 > se.vmdk"#,
    )?;
    for (image, why) in [
        ("cowd.vmdk", "vmfsSparse"),
        ("sesparse.vmdk", "seSparse"),
        ("rdm.vmdk", "physical device"),
        ("device.vmdk", "physical device"),
        ("absolute.vmdk", "/etc/passwd"),
        ("dots.vmdk", "../../etc/passwd"),
        ("json.vmdk", "json:"),
        ("locked.vmdk", "encrypted"),
        ("delta.vmdk", "COWD"),
        ("se.vmdk", "seSparse"),
    ] {
        refused(work, image, why)?;
    }
    Ok(())
}
