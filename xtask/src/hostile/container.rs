//! Containers: bombs, chains and numbers out of all proportion.

use super::Case;
use super::probe::ask;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "qcow2/bombs",
            r#"
from container import *
bomb = bytes(64 << 20)
qcow2("zlib", 1 << 20, [(0, deflate(bomb), 200)])
qcow2("zstd", 1 << 20, [(0, zstd(bomb), 20)], compression=1)
qcow2("window", 1 << 20, [(0, b"\x28\xb5\x2f\xfd\x00\xff\x02\xff\xff" + b"x" * 100, 2)], compression=1)
qcow2("claims", 1 << 20, [(0, b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 60) + b"\x02\xff\x7f" + b"x" * 100, 2)], compression=1)
"#,
            [
                // What is behind the cluster's end is not looked at, as in qemu.
                ask("disk convert zlib zlib.raw"),
                ask("disk convert zstd zstd.raw").fails(5, "zstd: compressed cluster at byte 262144"),
                ask("disk convert window window.raw").fails(5, "too much memory"),
                ask("disk convert claims claims.raw").fails(5, "claims: compressed cluster"),
            ],
        ),
        Case::new(
            "qcow2/chains",
            r#"
from container import *
qcow2("self", 1 << 20, backing="self", backing_format="qcow2")
qcow2("a", 1 << 20, backing="b", backing_format="qcow2")
qcow2("b", 1 << 20, backing="a", backing_format="qcow2")
for i in range(1000): qcow2(f"{i}", 1 << 20, backing=f"{i + 1}", backing_format="qcow2", bits=9)
qcow2("1000", 1 << 20, bits=9)
for i in range(100): qcow2(f"good{i}", 1 << 20, backing=f"good{i + 1}", backing_format="qcow2", bits=9)
qcow2("good100", 1 << 20, [(0, b"\xff" * 20, 0)], bits=9)
"#,
            [
                ask("disk info self").fails(4, "goes in a circle"),
                ask("ls a").fails(4, "goes in a circle"),
                ask("disk info 0").fails(4, "\"128\" of 127: the chain is longer than 128 images"),
                ask("disk info good1").code([9]).shows("rests on good99"),
                ask("disk convert good0 out.raw").fails(5, "fathom: corrupt: good100: compressed"),
            ],
        ),
        Case::new(
            "qcow2/size",
            r#"
from container import *
qcow2("huge", (1 << 63) - 512, bits=21)
qcow2("large", 1 << 50, bits=21)
"#,
            [
                ask("disk info huge").fails(5, "L1 table"),
                ask("disk info large").shows("1.0 PiB"),
            ],
        ),
        Case::new(
            "vmdk/descriptors",
            r#"
head = '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=%s\ncreateType="custom"\n'
open("million.vmdk", "w").write(head % "ffffffff" + "RW 1 ZERO\n" * 1000000)
open("many.vmdk", "w").write(head % "ffffffff" + "RW 1 ZERO\n" * 90000)
open("self.vmdk", "w").write(head % "fffffffe" + 'parentFileNameHint="self.vmdk"\nRW 8 ZERO\n')
open("size.vmdk", "w").write(head % "ffffffff" + "RW 18446744073709551615 ZERO\n" * 2)
"#,
            [
                // Longer than any description: what starts like one is a disk.
                ask("disk info million.vmdk").fails(9, "no VMDK header").shows("raw"),
                ask("disk info million.vmdk --image-format vmdk").fails(4, "longer than 1 MiB"),
                ask("disk info many.vmdk").fails(4, "more than 4096 extents"),
                ask("disk info self.vmdk").fails(4, "goes in a circle"),
                ask("disk info size.vmdk").code([4, 5]),
            ],
        ),
        Case::new(
            "vmdk/grains",
            r#"
from container import *
import subprocess
open("raw", "wb").write(b"text" * 65536)
subprocess.run("qemu-img convert -f raw -O vmdk -o subformat=streamOptimized raw good.vmdk", shell=True, check=True)
image = bytearray(open("good.vmdk", "rb").read())
at = 128 * 512
assert image[at:at + 8] == bytes(8) and image[at + 12] == 0x78
bomb = zlib.compress(bytes(300 << 10))
image[at + 12:at + 12 + len(bomb)] = bomb
image[at + 8:at + 12] = struct.pack("<I", len(bomb))
open("bomb.vmdk", "wb").write(image)
image[at + 8:at + 12] = struct.pack("<I", 0xFFFFFFFF)
open("claims.vmdk", "wb").write(image)
"#,
            [
                ask("disk convert good.vmdk good.raw"),
                ask("disk convert bomb.vmdk bomb.raw").code([0, 5]),
                ask("disk convert claims.vmdk claims.raw").fails(5, "claims.vmdk"),
            ],
        ),
        Case::new(
            "ova/members",
            r#"
from container import *
with open("million.ova", "wb") as f:
    f.write(tar("a.ovf", 0))
    for i in range(1000000): f.write(tar("m%d" % i, 0))
    f.write(bytes(1024))
open("large.ova", "wb").write(tar("a.ovf", 1 << 63) + bytes(1024))
open("disk.ova", "wb").write(tar("a.ovf", 0) + tar("disk.vmdk", (1 << 63) - 1) + bytes(1024))
open("pax.ova", "wb").write(tar("a.ovf", 0) + tar("n", 1 << 40, b"x") + bytes(1024))
open("long.ova", "wb").write(tar("a.ovf", 0) + tar("n", 1 << 40, b"L") + bytes(1024))
"#,
            [
                ask("disk info million.ova").fails(4, "more than 16384 members"),
                ask("disk info large.ova").fails(5, "member \"a.ovf\""),
                ask("disk info disk.ova").fails(5, "disk.ova"),
                ask("disk info pax.ova").fails(5, "pax header"),
                ask("disk info long.ova").fails(5, "long name"),
            ],
        ),
        Case::new(
            "files/kinds",
            r#"
import os, subprocess
os.mkfifo("fifo"); os.mkdir("directory"); open("empty", "w")
open("tiny", "w").write("x"); os.symlink("loop", "loop")
with open("shrinks", "wb") as f:
    for i in range(400): f.write(b"disk" * 262144)
subprocess.Popen("exec >/dev/null 2>&1; while [ ! -e shrunk ]; do sleep 0.01; done; truncate -s 1M shrinks", shell=True, start_new_session=True)
"#,
            [
                ask("disk info fifo").fails(2, "neither a file nor a block device"),
                ask("ls directory").fails(2, "it is a directory"),
                ask("disk info /dev/zero").fails(2, "/dev/zero"),
                ask("ls empty").code([3]),
                ask("ls tiny").fails(3, "nothing on these disks is recognised"),
                ask("ls loop").fails(10, "loop"),
                ask("disk convert shrinks shrunk").code([0, 10]),
            ],
        )
        .after("[ ! -s empty ]"),
        Case::new(
            "files/foreign",
            r#"
import subprocess
open("disk", "wb").write(b"disk" * 300000)
subprocess.run("gzip -k disk; xz -k disk; zstd -q disk; bzip2 -k disk", shell=True, check=True)
import zipfile; zipfile.ZipFile("disk.zip", "w").write("disk")
subprocess.run("qemu-img create -q -f qed disk.qed 1M; qemu-img create -q -f parallels disk.hdd 1M; qemu-img create -q -f qcow disk.qcow 1M", shell=True, check=True)
"#,
            [
                ask("disk info disk.gz").fails(4, "gzip-compressed file: unpack it first"),
                ask("disk info disk.xz").fails(4, "xz-compressed"),
                ask("disk info disk.zst").fails(4, "zstd-compressed"),
                ask("disk info disk.bz2").fails(4, "bzip2-compressed"),
                ask("disk info disk.zip").fails(4, "zip archive"),
                ask("disk info disk.qed").fails(4, "QED"),
                ask("disk info disk.hdd").fails(4, "Parallels"),
                ask("disk info disk.qcow").fails(4, "qcow version 1"),
                ask("disk info disk.gz --image-format raw").shows("raw"),
            ],
        ),
    ]
}
