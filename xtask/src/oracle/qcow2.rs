//! What qcow2 must read: every combination of options that qemu-img has, filled by qemu-img and
//! qemu-io in every pattern of clusters, compared with what `qemu-img convert` makes of it.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail, ensure};
use fathom_block::export::{Target, export};
use fathom_block::source::FileSource;
use fathom_block::{Disk, ErrorKind, Location, Opener, ReadAt};

use super::Case;
use super::work::Work;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in ["512", "1k", "4k", "16k", "64k", "256k", "2M"] {
        cases.push(Case::new(format!("qcow2/v2-{size}"), move |work| matrix(work, "0.10", size)));
        cases.push(Case::new(format!("qcow2/v3-{size}"), move |work| matrix(work, "1.1", size)));
    }
    for size in ["16k", "64k", "2M"] {
        let name = format!("qcow2/extended-l2-{size}");
        cases.push(Case::new(name, move |work| subclusters(work, size)));
    }
    cases.push(Case::new("qcow2/preallocation", preallocation));
    cases.push(Case::new("qcow2/refcount-bits", refcount_bits));
    cases.push(Case::new("qcow2/data-file", data_file));
    cases.push(Case::new("qcow2/chain-formats", chain_formats));
    cases.push(Case::new("qcow2/chain-of-sizes", chain_of_sizes));
    cases.push(Case::new("qcow2/chain-mixed", chain_mixed));
    cases.push(Case::new("qcow2/chain-of-120", chain_of_120));
    cases.push(Case::new("qcow2/snapshots", snapshots));
    cases.push(Case::new("qcow2/snapshots-v2", snapshots_v2));
    cases.push(Case::new("qcow2/dirty-and-corrupt", dirty_and_corrupt));
    cases.push(Case::new("qcow2/encrypted", encrypted));
    cases.push(Case::new("qcow2/sparse-giant", sparse_giant));
    cases.push(Case::new("qcow2/written", written));
    cases
}

/// A disk of about 6 MiB, no multiple of any cluster size above one sector: noise, text that
/// compresses well, zeros, and short stretches of each.
const SOURCE: &str = r#"
noise() { openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv "$(printf '%032x' "$2")" -in /dev/zero 2>/dev/null | head -c "$1" || true; }
text() { yes "line $2 of a text that compresses well" | head -c "$1" || true; }
source_disk() {
  { noise 700000 1; head -c 900000 /dev/zero; text 1500000 2; noise 513 3; head -c 65536 /dev/zero
    for i in $(seq 1 40); do noise 3000 $i; head -c 5000 /dev/zero; text 9000 $i; done
    head -c 1500000 /dev/zero; text 400000 4; noise 250000 5; } > "$1"
  truncate -s $((6 * 1048576 + 5 * 512)) "$1"
}
"#;

/// Writes over an image in all the ways that change how a cluster is stored: parts of clusters,
/// runs of them, zeros with and without their clusters given up, and the last sector.
const WRITES: &str = r#"
scribble() {
  qemu-io -c 'write -P 0x11 4096 1536' -c 'write -P 0x22 1000448 512' -c 'write -P 0x33 131072 262144' \
    -c 'write -z 65536 65536' -c 'write -z -u 2097152 131072' -c 'write -z 3000320 9728' \
    -c 'discard 1572864 262144' -c 'write -P 0x44 4194304 2048' -c 'write -P 0x55 4200448 512' \
    -c 'write -P 0x66 5242880 1000448' -c 'write -P 0x77 6293504 512' "$1" > /dev/null
}
"#;

fn script(work: &Work, script: &str) -> Result<String> {
    work.bash(&format!("{SOURCE}{WRITES}{script}"))
}

fn open(work: &Work, image: &str, snapshot: Option<&str>) -> fathom_block::Result<Disk> {
    let location = Location::Path(work.path(image));
    let opener = Opener::new().snapshot(snapshot.map(str::to_owned));
    Ok(opener.open(&location)?.swap_remove(0))
}

/// Our bytes of `image` are those of the file `raw`, however they are asked for, and nothing that
/// we call a hole is data.
fn same(work: &Work, image: &str, raw: &str) -> Result<()> {
    let disk = open(work, image, None)?;
    same_bytes(&*disk.reader, &work.path(raw)).context(format!("{image} is not {raw}"))?;
    let map = work.bash(&format!("qemu-img map --output=json '{image}'"))?;
    same_holes(&*disk.reader, &map).context(format!("the holes of {image}"))
}

/// `qemu-img convert` makes the raw file to compare with.
fn same_as_converted(work: &Work, image: &str) -> Result<()> {
    work.bash(&format!("qemu-img convert -O raw '{image}' converted.raw"))?;
    same(work, image, "converted.raw")
}

fn same_bytes(reader: &dyn ReadAt, raw: &PathBuf) -> Result<()> {
    let raw = fs::read(raw)?;
    ensure!(reader.len() == raw.len() as u64, "{} bytes instead of {}", reader.len(), raw.len());
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (random >> 33) as usize % below.max(1)
    };
    // Small reads first, while nothing is cached; then everything at once, in pieces, and together.
    let mut reads: Vec<Range<usize>> = (0..200)
        .map(|_| {
            let start = next(raw.len());
            start..(start + 1 + next(9000)).min(raw.len())
        })
        .collect();
    reads.push(0..raw.len());
    reads.extend((0..raw.len()).step_by(100_000).map(|at| at..(at + 100_000).min(raw.len())));
    let mut buf = vec![0xa5; raw.len()];
    for range in &reads {
        let buf = &mut buf[range.clone()];
        reader.read_at(range.start as u64, buf)?;
        differs(&raw[range.clone()], buf, range.start)?;
        buf.fill(0xa5);
    }
    let mut buffers: Vec<(u64, Vec<u8>)> =
        reads.iter().map(|range| (range.start as u64, vec![0xa5; range.len()])).collect();
    let mut many: Vec<(u64, &mut [u8])> =
        buffers.iter_mut().map(|(offset, buf)| (*offset, buf.as_mut_slice())).collect();
    reader.read_many(&mut many)?;
    for (offset, buf) in &buffers {
        let start = *offset as usize;
        differs(&raw[start..start + buf.len()], buf, start)?;
    }
    let mut at = 0;
    while let Some(data) = reader.next_data(at as u64) {
        ensure!(data.start >= at as u64 && data.end > data.start, "{data:?} after {at}");
        let hole = &raw[at..data.start as usize];
        ensure!(hole.iter().all(|byte| *byte == 0), "data in the hole before {data:?}");
        at = data.end as usize;
    }
    ensure!(raw[at..].iter().all(|byte| *byte == 0), "data in the hole at {at}");
    Ok(())
}

fn differs(expected: &[u8], got: &[u8], start: usize) -> Result<()> {
    match expected.iter().zip(got).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => bail!(
            "byte {} of the read at {start} (+{}) is {:#04x}, not {:#04x}",
            start + at,
            got.len(),
            got[at],
            expected[at]
        ),
    }
}

/// What qemu-img knows to be zeros we know too. That we never call data a hole is seen from the
/// bytes.
fn same_holes(reader: &dyn ReadAt, map: &str) -> Result<()> {
    let mut ours = Vec::new();
    let mut at = 0;
    while let Some(data) = reader.next_data(at) {
        at = data.end;
        join(&mut ours, data);
    }
    let mut theirs = Vec::new();
    for entry in map.split('{').skip(1) {
        if field(entry, "zero")? == "false" {
            let start: u64 = field(entry, "start")?.parse()?;
            let length: u64 = field(entry, "length")?.parse()?;
            join(&mut theirs, start..start + length);
        }
    }
    // We also look for holes in the file beneath; qemu does where that seems worth it.
    let known = |data: &Range<u64>| {
        theirs.iter().any(|range| range.start <= data.start && data.end <= range.end)
    };
    ensure!(ours.iter().all(known), "our data is {ours:?}\nqemu's is {theirs:?}");
    Ok(())
}

fn join(ranges: &mut Vec<Range<u64>>, next: Range<u64>) {
    match ranges.last_mut() {
        Some(last) if last.end == next.start => last.end = next.end,
        _ => ranges.push(next),
    }
}

/// The value of `name` in one flat object of JSON.
fn field<'a>(object: &'a str, name: &str) -> Result<&'a str> {
    let key = format!("\"{name}\":");
    let (_, value) = object.split_once(&key).with_context(|| format!("no {name} in {object}"))?;
    Ok(value.split([',', '}']).next().unwrap_or(value).trim())
}

fn refused(work: &Work, image: &str, snapshot: Option<&str>, kind: ErrorKind) -> Result<()> {
    match open(work, image, snapshot) {
        Ok(_) => bail!("{image} was opened, though it is {kind:?}"),
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => bail!("{image} is {kind:?}, but we say: {error}"),
    }
}

/// Plain, compressed, and compressed then written over, for one version and cluster size.
fn matrix(work: &Work, compat: &str, size: &str) -> Result<()> {
    let kinds: &[&str] = if compat == "1.1" { &["zlib", "zstd"] } else { &["zlib"] };
    script(work, "source_disk source.raw; truncate -s 6293504 empty.raw")?;
    for kind in kinds {
        let zstd = if *kind == "zstd" { ",compression_type=zstd" } else { "" };
        let options = format!("compat={compat},cluster_size={size}{zstd}");
        script(
            work,
            &format!(
                "rm -f *.qcow2
                qemu-img create -q -f qcow2 -o {options} written.qcow2 6294016; scribble written.qcow2
                qemu-img convert -O qcow2 -o {options} source.raw plain.qcow2
                qemu-img convert -O qcow2 -o {options} -S 0 source.raw full.qcow2
                qemu-img convert -c -O qcow2 -o {options} source.raw packed.qcow2
                cp packed.qcow2 mixed.qcow2; scribble mixed.qcow2
                qemu-img create -q -f qcow2 -o {options} nothing.qcow2 0
                qemu-img create -q -f qcow2 -o {options} hole.qcow2 3G"
            ),
        )?;
        for image in ["plain", "full", "packed"] {
            same(work, &format!("{image}.qcow2"), "source.raw")?;
        }
        for image in ["written", "mixed", "nothing"] {
            same_as_converted(work, &format!("{image}.qcow2"))?;
        }
        let hole = open(work, "hole.qcow2", None)?;
        ensure!(hole.reader.len() == 3 << 30 && hole.reader.next_data(0).is_none());
    }
    Ok(())
}

fn subclusters(work: &Work, size: &str) -> Result<()> {
    script(work, "source_disk source.raw")?;
    for kind in ["zlib", "zstd"] {
        let options = format!("extended_l2=on,cluster_size={size},compression_type={kind}");
        script(
            work,
            &format!(
                "rm -f *.qcow2
                qemu-img create -q -f qcow2 -o {options} written.qcow2 6294016; scribble written.qcow2
                qemu-img convert -O qcow2 -o {options} source.raw plain.qcow2
                qemu-img convert -c -O qcow2 -o {options} source.raw packed.qcow2
                cp packed.qcow2 mixed.qcow2; scribble mixed.qcow2
                qemu-img create -q -f qcow2 -F qcow2 -b packed.qcow2 -o {options} over.qcow2 8M
                scribble over.qcow2
                for at in $(seq 0 2048 100000); do
                  printf -- '-c\nwrite -P %d %d 512\n' $((at % 251 + 1)) $((at * 3 / 512 * 512)); done |
                  xargs -d '\\n' qemu-io over.qcow2 > /dev/null
                qemu-img create -q -f qcow2 -o {options},preallocation=metadata metadata.qcow2 6294016
                scribble metadata.qcow2"
            ),
        )?;
        same(work, "plain.qcow2", "source.raw")?;
        same(work, "packed.qcow2", "source.raw")?;
        for image in ["written", "mixed", "over", "metadata"] {
            same_as_converted(work, &format!("{image}.qcow2"))?;
        }
    }
    Ok(())
}

fn preallocation(work: &Work) -> Result<()> {
    script(work, "source_disk source.raw")?;
    for mode in ["off", "metadata", "falloc", "full"] {
        for options in ["cluster_size=64k", "cluster_size=4k,lazy_refcounts=on"] {
            script(
                work,
                &format!(
                    "rm -f *.qcow2
                    qemu-img create -q -f qcow2 -o {options},preallocation={mode} empty.qcow2 6294016
                    cp empty.qcow2 written.qcow2; scribble written.qcow2
                    qemu-img convert -O qcow2 -o {options},preallocation={mode} source.raw full.qcow2"
                ),
            )?;
            for image in ["empty.qcow2", "written.qcow2", "full.qcow2"] {
                same_as_converted(work, image)?;
            }
        }
    }
    Ok(())
}

fn refcount_bits(work: &Work) -> Result<()> {
    script(work, "source_disk source.raw")?;
    for bits in [1, 2, 4, 8, 16, 32, 64] {
        script(
            work,
            &format!("qemu-img convert -O qcow2 -o refcount_bits={bits} source.raw image.qcow2"),
        )?;
        same(work, "image.qcow2", "source.raw")?;
    }
    Ok(())
}

fn data_file(work: &Work) -> Result<()> {
    script(work, "source_disk source.raw")?;
    for raw in ["off", "on"] {
        for extra in ["", ",cluster_size=4k", ",extended_l2=on", ",preallocation=metadata"] {
            script(
                work,
                &format!(
                    "rm -f *.qcow2 *.data
                    qemu-img create -q -f qcow2 -o data_file=written.data,data_file_raw={raw}{extra} written.qcow2 6294016
                    scribble written.qcow2
                    qemu-img create -q -f qcow2 -o data_file=full.data,data_file_raw={raw}{extra} full.qcow2 6294016
                    qemu-img convert -n -O qcow2 source.raw full.qcow2"
                ),
            )?;
            same(work, "full.qcow2", "source.raw")?;
            same_as_converted(work, "written.qcow2")?;
        }
    }
    work.bash("rm written.data")?;
    refused(work, "written.qcow2", None, ErrorKind::NotFound)?;
    work.bash("mkdir sub; mv written.qcow2 sub; echo hello > written.data; cd sub; qemu-img amend -o data_file=../written.data written.qcow2 2>/dev/null ||
        python3 - <<'EOP'
import re
image = bytearray(open('written.qcow2', 'rb').read())
at = image.index(b'DATA\\0\\0\\0\\x0cwritten.data')
image[at + 8:at + 20] = b'../../passwd'
open('written.qcow2', 'wb').write(image)
EOP")?;
    refused(work, "sub/written.qcow2", None, ErrorKind::Refused)
}

/// The declared format wins, and a guest's own qcow2 header on a raw disk is only bytes.
fn chain_formats(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        qemu-img convert -O qcow2 source.raw base.qcow2
        cp source.raw disguised.raw; dd if=base.qcow2 of=disguised.raw conv=notrunc bs=64k count=4 status=none
        qemu-img create -q -f qcow2 -F raw -b disguised.raw declared.qcow2; scribble declared.qcow2
        qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 over.qcow2; scribble over.qcow2
        qemu-img create -q -f qcow2 -F raw -b base.qcow2 bytes.qcow2
        qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 undeclared.qcow2
        python3 - <<'EOP'
image = bytearray(open('undeclared.qcow2', 'rb').read())
at = image.index(b'\\xe2\\x79\\x2a\\xca')
image[at:at + 4] = b'\\x11\\x11\\x11\\x11'
open('undeclared.qcow2', 'wb').write(image)
EOP
        qemu-img create -q -u -f qcow2 -F qcow2 -b 'json:{\"driver\":\"null-co\"}' json.qcow2 1M
        qemu-img create -q -u -f qcow2 -F raw -b nbd://localhost/x nbd.qcow2 1M
        qemu-img create -q -u -f qcow2 -F raw -b /etc/passwd absolute.qcow2 1M
        qemu-img create -q -u -f qcow2 -F raw -b ../passwd above.qcow2 1M
        qemu-img create -q -u -f qcow2 -F host_device -b base.qcow2 device.qcow2 1M
        qemu-img create -q -u -f qcow2 -F qed -b base.qcow2 qed.qcow2 1M
        qemu-img create -q -u -f qcow2 -F raw -b missing.raw missing.qcow2 1M
        qemu-img create -q -u -f qcow2 -F qcow2 -b itself.qcow2 circle.qcow2 1M; mv circle.qcow2 itself.qcow2",
    )?;
    same_as_converted(work, "declared.qcow2")?;
    same_as_converted(work, "over.qcow2")?;
    same_as_converted(work, "bytes.qcow2")?;
    same(work, "undeclared.qcow2", "source.raw")?;
    for name in ["json", "nbd", "absolute", "above", "device"] {
        refused(work, &format!("{name}.qcow2"), None, ErrorKind::Refused)?;
    }
    refused(work, "qed.qcow2", None, ErrorKind::Unsupported)?;
    refused(work, "missing.qcow2", None, ErrorKind::NotFound)?;
    refused(work, "itself.qcow2", None, ErrorKind::Unsupported)
}

/// Backing files shorter and longer than what lies over them, and none a multiple of a cluster.
fn chain_of_sizes(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        head -c 3333333 source.raw > short.raw
        qemu-img convert -O qcow2 source.raw long.qcow2
        qemu-img create -q -f qcow2 -F raw -b short.raw over-short.qcow2 6294016; scribble over-short.qcow2
        qemu-img create -q -f qcow2 -F raw -b short.raw -o cluster_size=2M big-cluster.qcow2 6294016; scribble big-cluster.qcow2
        qemu-img create -q -f qcow2 -F raw -b short.raw -o extended_l2=on sub.qcow2 6294016; scribble sub.qcow2
        qemu-img create -q -f qcow2 -F qcow2 -b long.qcow2 cut.qcow2 1000448
        qemu-img create -q -f qcow2 -F qcow2 -b cut.qcow2 grown.qcow2 6294016
        cp grown.qcow2 grown-written.qcow2; scribble grown-written.qcow2
        qemu-img create -q -f qcow2 -F qcow2 -b grown.qcow2 top.qcow2 12M",
    )?;
    for name in ["over-short", "big-cluster", "sub", "cut", "grown", "grown-written", "top"] {
        same_as_converted(work, &format!("{name}.qcow2"))?;
    }
    Ok(())
}

/// Twelve layers of every kind, each written to a little.
fn chain_mixed(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        qemu-img convert -c -O qcow2 -o cluster_size=16k source.raw layer0.qcow2
        options=(cluster_size=512 cluster_size=2M extended_l2=on compression_type=zstd compat=0.10
                 cluster_size=4k,lazy_refcounts=on cluster_size=64k extended_l2=on,cluster_size=16k
                 cluster_size=1k refcount_bits=1 cluster_size=32k)
        n=0
        for option in ${options[@]}; do
          qemu-img create -q -f qcow2 -F qcow2 -b layer$n.qcow2 -o $option layer$((n + 1)).qcow2
          n=$((n + 1))
          for i in 1 2 3 4 5 6 7 8; do
            printf -- '-c\\nwrite -P %d %d %d\\n' $((n * 9 + i)) $(((n * 7919 * i * 31 % 12000) * 512)) $((i * n * 512))
          done | xargs -d '\\n' qemu-io -c \"write -z $((n * 300000 / 512 * 512)) 70144\" layer$n.qcow2 > /dev/null
          qemu-io -c \"write -c -P 200 $((n * 2 * 262144)) 262144\" layer$n.qcow2 > /dev/null || true
        done",
    )?;
    for n in 1..=11 {
        same_as_converted(work, &format!("layer{n}.qcow2"))?;
    }
    Ok(())
}

fn chain_of_120(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        qemu-img convert -O qcow2 source.raw l0.qcow2
        for n in $(seq 1 119); do
          qemu-img create -q -u -f qcow2 -F qcow2 -b l$((n - 1)).qcow2 l$n.qcow2 6294016
        done
        for n in 1 7 40 80 119; do qemu-io -c \"write -P $n $((n * 40960)) 50176\" l$n.qcow2 > /dev/null; done",
    )?;
    same_as_converted(work, "l119.qcow2")
}

fn snapshot_is(work: &Work, wanted: &str, raw: &str) -> Result<()> {
    let disk = open(work, "image.qcow2", Some(wanted))?;
    same_bytes(&*disk.reader, &work.path(raw)).context(format!("snapshot {wanted} is not {raw}"))
}

/// Each snapshot is what the image was when it was taken, its size included.
fn snapshots(work: &Work) -> Result<()> {
    for options in ["cluster_size=64k", "extended_l2=on", "cluster_size=512"] {
        script(
            work,
            &format!(
                "source_disk source.raw; rm -f *.qcow2
                qemu-img convert -O qcow2 -o {options} source.raw image.qcow2
                qemu-img snapshot -c first image.qcow2; cp source.raw first.raw
                scribble image.qcow2; qemu-img convert -O raw image.qcow2 second.raw
                qemu-img snapshot -c 'the second' image.qcow2
                qemu-img resize -q image.qcow2 9M; qemu-io -c 'write -P 9 8388608 4096' image.qcow2 > /dev/null
                qemu-img convert -O raw image.qcow2 third.raw; qemu-img snapshot -c 7 image.qcow2
                qemu-img resize -q image.qcow2 12M
                qemu-io -c 'write -P 1 0 12582912' image.qcow2 > /dev/null"
            ),
        )?;
        same_as_converted(work, "image.qcow2")?;
        for (wanted, raw) in [
            ("first", "first.raw"),
            ("1", "first.raw"),
            ("the second", "second.raw"),
            ("2", "second.raw"),
            ("7", "third.raw"),
            ("3", "third.raw"),
        ] {
            snapshot_is(work, wanted, raw)?;
        }
        let disk = open(work, "image.qcow2", None)?;
        let sizes: Vec<u64> = disk.snapshots.iter().map(|snapshot| snapshot.virtual_size).collect();
        ensure!(sizes == [6_294_016, 6_294_016, 9 << 20], "{sizes:?}");
    }
    refused(work, "image.qcow2", Some("absent"), ErrorKind::NotFound)?;
    refused(work, "first.raw", Some("first"), ErrorKind::NotFound)
}

fn snapshots_v2(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        qemu-img create -q -f qcow2 -F raw -b source.raw -o compat=0.10 image.qcow2
        qemu-img snapshot -c before image.qcow2
        scribble image.qcow2; qemu-img convert -O raw image.qcow2 after.raw
        qemu-img snapshot -c after image.qcow2
        qemu-io -c 'write -P 1 0 1048576' image.qcow2 > /dev/null",
    )?;
    snapshot_is(work, "before", "source.raw")?;
    snapshot_is(work, "after", "after.raw")?;
    same_as_converted(work, "image.qcow2")
}

/// A crash with lazy reference counts leaves the dirty bit; what was flushed is there.
fn dirty_and_corrupt(work: &Work) -> Result<()> {
    script(
        work,
        "source_disk source.raw
        qemu-img convert -O qcow2 -o lazy_refcounts=on source.raw dirty.qcow2
        qemu-io -c 'write -P 9 1000448 500224' -c flush -c abort dirty.qcow2 > /dev/null 2>&1 || true
        qemu-img convert -O qcow2 source.raw corrupt.qcow2
        printf '\\002' | dd of=corrupt.qcow2 bs=1 seek=79 conv=notrunc status=none",
    )?;
    same_as_converted(work, "dirty.qcow2")?;
    same_as_converted(work, "corrupt.qcow2")?;
    for image in ["dirty.qcow2", "corrupt.qcow2"] {
        let problems = open(work, image, None)?.problems;
        ensure!(problems.len() == 1, "{image}: {problems:?}");
    }
    Ok(())
}

fn encrypted(work: &Work) -> Result<()> {
    work.bash(
        "for attempt in {1..60}; do [ $attempt -lt 5 ] || sleep 0.3; qemu-img create -q -f qcow2 --object secret,id=s,data=secret -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10 luks.qcow2 8M && break; done
        qemu-img create -q -f qcow2 --object secret,id=s,data=secret -o encrypt.format=aes,encrypt.key-secret=s aes.qcow2 8M
        qemu-img create -q -u -f qcow2 -F qcow2 -b luks.qcow2 over.qcow2 8M
        qemu-img create -q -u -f qcow2 -F luks -b luks.qcow2 luks-format.qcow2 8M",
    )?;
    for image in ["luks.qcow2", "aes.qcow2", "over.qcow2", "luks-format.qcow2"] {
        refused(work, image, None, ErrorKind::Encrypted)?;
    }
    Ok(())
}

/// As large as each cluster size allows: nothing may be sized by it, and holes are quick to pass.
fn sparse_giant(work: &Work) -> Result<()> {
    for (cluster, size) in [("2M", 1_u64 << 60), ("64k", 1 << 50), ("512", 128 << 30)] {
        work.bash(&format!(
            "rm -f giant.qcow2; qemu-img create -q -f qcow2 -o cluster_size={cluster} giant.qcow2 {size}
            qemu-io -c 'write -P 5 {} 4096' giant.qcow2 > /dev/null",
            size - (1 << 30)
        ))?;
        let disk = open(work, "giant.qcow2", None)?;
        ensure!(disk.reader.len() == size);
        let mut at = 0;
        let mut calls = 0;
        let mut bytes = 0;
        while let Some(data) = disk.reader.next_data(at) {
            at = data.end;
            calls += 1;
            bytes += data.end - data.start;
            ensure!(calls < 100_000, "{calls} calls to pass one hole");
        }
        ensure!(bytes < 1 << 30, "{bytes} bytes of a hole are called data");
        let mut buf = [0; 4096];
        disk.reader.read_at(size - (1 << 30), &mut buf)?;
        ensure!(buf == [5; 4096]);
    }
    Ok(())
}

/// What we write is to qemu what we were given: also where that is no whole number of sectors,
/// which qemu counts as if zeros followed.
fn written(work: &Work) -> Result<()> {
    script(work, "source_disk whole.raw")?;
    for cut in ["0", "1", "511", "5 * 65536 + 77", "1000000"] {
        work.bash(&format!(
            "cp whole.raw source.raw; truncate -s $(($(stat -c %s source.raw) - ({cut}))) source.raw"
        ))?;
        let source = FileSource::open(&work.path("source.raw"))?;
        let image = fs::File::create(work.path("written.qcow2"))?;
        export(&source, &image, Target::Qcow2, &|_| true)
            .map_err(|error| anyhow!("{cut}: {error:?}"))?;
        work.bash(
            "qemu-img check -q written.qcow2
             qemu-img compare -q -f raw -F qcow2 source.raw written.qcow2
             size() { qemu-img info --output=json -f $1 $2 | grep -o '\"virtual-size\": [0-9]*' | tail -1; }
             [ \"$(size raw source.raw)\" = \"$(size qcow2 written.qcow2)\" ]",
        )
        .with_context(|| format!("{cut} bytes less"))?;
    }
    Ok(())
}
