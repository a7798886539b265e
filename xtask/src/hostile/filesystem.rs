//! Filesystems: cycles, loops in trees and maps, names that no file may have, sizes that no disk
//! has, and a directory of a million.

use super::Case;
use super::probe::ask;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = ext();
    cases.extend(others());
    cases
}

const CYCLE: &str = "contains itself, or is in two places";

fn ext() -> Vec<Case> {
    vec![
        Case::new(
            "ext/cycle",
            r#"
from filesystem import *
make("cycle"); debugfs("cycle", ["mkdir a", "mkdir a/b", "mkdir a/b/c"])
at = block("cycle", "/a/b/c") * 1024; b = bytearray(read("cycle", at, 1024))
struct.pack_into("<IHBB", b, 12, number("cycle", "/a/b"), 12, 2, 2)
for place, length, inode, name in ((24, 16, number("cycle", "/a"), b"loop"), (40, 16, number("cycle", "/a/b/c"), b"self"), (56, 968, 2, b"root")):
    struct.pack_into("<IHBB", b, place, inode, length, 4, 2); b[place + 8:place + 12] = name
patch("cycle", at, bytes(b)); os.mkdir("out")
"#,
            [
                ask("find cycle").fails(9, CYCLE).shows("/a/b/c/self"),
                ask("ls -R cycle").fails(9, CYCLE),
                ask("tree cycle").fails(9, CYCLE).shows("root/"),
                ask("tree --json cycle").fails(9, CYCLE),
                ask("hash -r cycle /").fails(9, CYCLE),
                ask("cp -r cycle / out").fails(9, CYCLE),
                ask("ls cycle /a/b/c/loop/b/c/root/a").shows("b\n"),
            ],
        ),
        Case::new(
            "ext/links",
            r#"
from filesystem import *
open("end", "w").write("the end\n")
make("links"); debugfs("links", ["symlink a b", "symlink b a", "symlink self self", "write end l41", "symlink long " + "x/../" * 199]
    + [f"symlink l{i} l{i + 1}" for i in range(41)])
"#,
            [
                ask("cat links /a").fails(2, "more than 40 symbolic links"),
                ask("cat links /self").fails(2, "more than 40 symbolic links"),
                ask("cat links /l0").fails(2, "more than 40 symbolic links"),
                ask("cat links /l1").shows("the end\n"),
                ask("cat links /long").code([3]),
                ask("ls -l links").shows("self -> self"),
            ],
        ),
        Case::new(
            "ext/extents",
            r#"
from filesystem import *
def grow(path):
    patch(path, inode_at(path, "f") + 4, struct.pack("<I", 100000)); patch(path, inode_at(path, "f") + 32, struct.pack("<I", 0x80000))
node = lambda block, to: struct.pack("<IIHH", block, to, 0, 0)
make("loop"); debugfs("loop", ["write /dev/null f"]); grow("loop")
i_block("loop", "f", extent_header(1, 4, 1) + node(0, 5000) + bytes(36))
patch("loop", 5000 * 1024, extent_header(1, 84, 1) + node(0, 5000))
make("wide"); debugfs("wide", ["write /dev/null f"]); grow("wide")
i_block("wide", "f", extent_header(4, 4, 5) + b"".join(node(i * 1000000000, 5000) for i in range(4)))
for depth in range(5):
    patch("wide", (5000 + depth) * 1024, extent_header(84, 84, 4 - depth) + b"".join(
        node(i * 84 ** (4 - depth), 5001 + depth) if depth < 4 else struct.pack("<IHHI", i, 1, 0, 6000 + i) for i in range(84)))
"#,
            [
                ask("stat loop /f"),
                ask("cat loop /f").fails(5, "eh_depth is 1, not 0"),
                ask("cat wide /f").fails(5, "ext extent tree"),
                ask("hash -r wide /").fails(9, "ext extent tree"),
            ],
        ),
        Case::new(
            "ext/names",
            r#"
from filesystem import *
open("text", "w").write("text\n")
make("names"); names = ["n%02d" % i + "x" * 9 for i in range(8)]
debugfs("names", ["write text " + name for name in names] + ["mkdir d", "write text d/inner00000", "write text " + "y" * 255, "mkdir evil1", "write text evil1/escaped"])
for name, new in zip(names, [b"..", b".", b"a/b", b"../../esc", b"a\nb\x1b[31mc", b"\xff\xfe\x80", b"/abs", b"nul\0in"]): rename("names", "/", name, new)
rename("names", "/d", "inner00000", b"../esc"); rename("names", "/", "evil1", b"..")
make("empty"); debugfs("empty", ["write text name"]); rename("empty", "/", "name", b"")
os.makedirs("box/out/in")
"#,
            [
                ask("ls names").fails(9, r#"a file is called "a/b""#).shows("a\\nb\\u{1b}[31mc"),
                ask("ls -l names").fails(9, "a file is called").shows("\\xff\\xfe\\x80"),
                ask("find names").fails(9, r#"a file is called "../esc""#),
                ask("cp -r names / box/out/in").fails(9, "a file is called"),
                ask("ls empty").fails(9, r#"a file is called """#).shows("lost+found"),
            ],
        )
        .after(r#"[ "$(ls -A box) $(ls -A box/out)" = "out in" ]; [ -z "$(find . -name '*esc*')" ]"#),
        Case::new(
            "ext/attributes",
            r#"
from filesystem import *
open("long", "w").write("v" * 300)
make("attributes"); debugfs("attributes", ["write long f", "ea_set -f long f user.a", "ea_set -f long f user.b"])
at = struct.unpack_from("<I", read("attributes", inode_at("attributes", "f") + 104, 4))[0] * 1024
b = bytearray(read("attributes", at, 1024)); assert b[:4] == b"\x00\x00\x02\xea"
second = 32 + 20
struct.pack_into("<H", b, second + 2, struct.unpack_from("<H", b, 32 + 2)[0] + 4)
patch("attributes", at, bytes(b)); copy("attributes", "outside")
struct.pack_into("<HII", b, second + 2, 0xFFF0, 0, 0xFFFFFFFF); patch("outside", at, bytes(b))
"#,
            [
                ask("stat attributes /f").code([0, 5, 9]),
                ask("stat outside /f").code([5, 9]),
            ],
        ),
        Case::new(
            "ext/million",
            r#"
from filesystem import *
make("million", "4G", "-b 4096 -N 1100000 -O ^has_journal,^metadata_csum -E lazy_itable_init=1,nodiscard")
run("""mkdir mnt; mount -o loop,noatime million mnt; trap 'umount mnt' EXIT; mkdir mnt/d; python3 -c '
import os
d = os.open("mnt/d", 0)
for i in range(1000000): os.mknod("entry-%07d" % i, 0o100644, dir_fd=d)'""")
"#,
            [
                ask("stat million /d/entry-0999999").shows("file"),
                ask("cat million /d/entry-5").code([3]),
                ask("ls million /d").shows("entry-0000001\n"),
                ask("find million --name entry-*77777").shows("/d/entry-0977777\n"),
            ],
        ),
    ]
}

fn others() -> Vec<Case> {
    vec![
        Case::new(
            "sparse",
            r#"
from filesystem import *
fresh("xfs", "320M"); run("mkfs.xfs -q xfs")
fresh("ext", "64M"); run("mke2fs -q -F -t ext4 -b 4096 ext")
fresh("btrfs", "128M"); run("mkfs.btrfs -q btrfs")
for kind, size in (("xfs", (1 << 63) - 1), ("ext", (1 << 44) - 4096), ("btrfs", (1 << 63) - 1)):
    mounted(kind, f"truncate -s {size} most; truncate -s 1T hole")
os.mkdir("out")
"#,
            [
                ask("stat xfs /most").shows("9223372036854775807 bytes"),
                ask("stat btrfs /most").shows("9223372036854775807 bytes"),
                ask("stat ext /most").shows("17592186040320 bytes"),
                ask("cp xfs /hole out/xfs"),
                ask("cp btrfs /hole out/btrfs"),
                ask("cp ext /hole out/ext"),
                // More than a file of this machine may have.
                ask("cp xfs /most out/most").fails(10, "out/most"),
            ],
        )
        .after("for kind in xfs ext btrfs; do [ \"$(stat -c '%s %b' out/$kind)\" = '1099511627776 0' ]; done; [ ! -e out/most ]"),
        Case::new(
            "xfs/loops",
            r#"
from filesystem import *
fresh("x", "320M"); run("mkfs.xfs -q x")
mounted("x", "mkdir -p a/b; xfs_io -f -c 'truncate 100m' f; for i in $(seq 1 2 3000); do echo pwrite $((i * 4096)) 4096; done | xfs_io f > /dev/null; stat -c %i a f > ../inodes")
a, f = open("inodes").read().split()
pointer = re.search(r"1:(\d+)", run(f"xfs_db -c 'inode {f}' -c 'p u3.bmbt.ptrs' x"))[1]
for name, commands in (("cycle", f"-c 'inode {a}' -c 'write -d u3.sfdir3.list[0].inumber.i4 {a}'"),
        ("level", f"-c 'fsblock {pointer}' -c 'type bmapbtd' -c 'write -d level 1'"),
        ("sibling", f"-c 'fsblock {pointer}' -c 'type bmapbtd' -c 'write -d rightsib {pointer}'")):
    copy("x", name); run(f"xfs_db -x {commands} {name}")
"#,
            [
                ask("find cycle").fails(9, CYCLE),
                ask("cat level /f").fails(5, "its level is 1 of 0"),
                // Siblings are not followed: the tree is walked from its root.
                ask("hash sibling /f").code([0, 5]),
            ],
        ),
        Case::new(
            "btrfs/loops",
            r#"
from filesystem import *
def change(source, name, what):
    copy(source, name); btrfs(name, what)
def leaves(wanted, apply):
    def change(owner, level, block):
        found = owner == 5 and level == 0 and [item for item in items(block) if wanted(block, item)]
        for item in found or []: apply(block, item)
        return bool(found)
    return change
fresh("b", "128M"); run("mkfs.btrfs -q b"); mounted("b", "mkdir -p a/b; sync")
change("b", "cycle", leaves(lambda block, item: item[1] in (84, 96) and block[item[3] + 30:item[3] + item[4]] == b"b",
    lambda block, item: struct.pack_into("<Q", block, item[3], item[0])))
fresh("packed", "128M"); run("mkfs.btrfs -q packed")
run("mkdir -p mnt; mount -o loop,compress-force=zlib packed mnt; yes text | head -c 200000 > mnt/f || true; umount mnt")
for name, size in (("claims", 1 << 60), ("bomb", 1 << 30)):
    change("packed", name, leaves(lambda block, item: item[1] == 108 and block[item[3] + 16],
        lambda block, item: struct.pack_into("<Q", block, item[3] + 8, size)))
fresh("n", "128M"); run("mkfs.btrfs -q n"); mounted("n", "mkdir d; for i in $(seq 1 1500); do : > d/a-name-$i; done; sync")
def loop(owner, level, block):
    if owner != 5 or level != 1: return False
    block[101 + 17:101 + 25] = block[48:56]; block[101 + 25:101 + 33] = block[80:88]
    return True
change("n", "loop", loop)
"#,
            [
                ask("find cycle").fails(9, CYCLE),
                ask("cat claims /f").fails(5, "packed bytes that unpack to"),
                ask("cat bomb /f").fails(5, "packed bytes that unpack to"),
                ask("find loop").fails(5, "level 0 is wanted"),
            ],
        ),
        Case::new(
            "ntfs/loops",
            r#"
from filesystem import *
fresh("n", "32M"); run("mkntfs -q -F n")
run("""mkdir -p mnt; ntfs-3g n mnt; trap 'umount mnt' EXIT; mkdir -p mnt/small/within mnt/large mnt/packed
for i in $(seq 1 400); do : > mnt/large/name-$i; done
setfattr -h -n system.ntfs_attrib_be -v 0x00000800 mnt/packed; yes text | head -c 200000 > mnt/packed/f || true""")
whole = bytearray(open("n", "rb").read())
# Entries of an index lead to the directory that they are in.
cycle = bytearray(whole); name = "within".encode("utf-16-le"); at = -1; changed = 0
while (at := cycle.find(name, at + 1)) >= 0:
    entry = at - 0x42 - 0x10
    if struct.unpack_from("<H", cycle, entry + 10)[0] == 0x42 + 12 and struct.unpack_from("<H", cycle, entry + 8)[0] < 200:
        cycle[entry:entry + 8] = cycle[entry + 16:entry + 24]; changed += 1
assert changed; open("cycle", "wb").write(cycle)
# The last entry of every block of an index leads to a node beneath: the block itself.
loop = bytearray(whole); changed = 0
for at in range(0, len(loop), 4096):
    if loop[at:at + 4] == b"INDX" and not loop[at + 36]:
        header = at + 24; entry = header + struct.unpack_from("<I", loop, header)[0]
        while not loop[entry + 12] & 2: entry += struct.unpack_from("<H", loop, entry + 8)[0]
        if (entry - at) % 512 > 480 or entry + 24 - at > 4096: continue
        struct.pack_into("<HHI", loop, entry + 8, 24, 0, 3); loop[entry + 16:entry + 24] = loop[at + 16:at + 24]
        struct.pack_into("<I", loop, header + 4, entry + 24 - header); loop[at + 36] = 1; changed += 1
assert changed; open("loop", "wb").write(loop)
# What is packed becomes one byte and then copies of it without end.
bomb = bytearray(whole); at = -1; changed = 0
while (at := bomb.find(b"text\n", at + 1)) >= 0:
    start = at - 3
    if start % 512 == 0 and bomb[start + 1] & 0xF0 == 0xB0:
        bomb[start:start + 2] = struct.pack("<H", 0xBFFF); bomb[start + 2:start + 4096] = (b"\xfex" + b"\xff\x0f" * 7 + b"\xff" + b"\xff\x0f" * 8) * 120 + bytes(4094 - 120 * 33); changed += 1
assert changed; open("bomb", "wb").write(bomb)
"#,
            [
                ask("find cycle").fails(9, CYCLE),
                // A list is read block by block, whatever leads where.
                ask("ls loop /large").shows("name-399"),
                ask("stat loop /large/name-399").shows("file"),
                ask("cat loop /large/name-x").code([3, 5]),
                ask("cat bomb /packed/f").code([5]),
            ],
        ),
        Case::new(
            "fat/loops",
            r#"
from filesystem import *
run("seq 1 5000 > text")
for kind, size in ((16, "16M"), (32, "64M")):
    path = f"fat{kind}"; fresh(path, size)
    run(f"mkfs.fat -F {kind} -s 1 {path}; mmd -i {path} ::/A ::/A/B; mcopy -i {path} text ::/A/LOOP; mcopy -i {path} text ::/A/B/F")
    head = read(path, 0, 512)
    reserved, fats, root = *struct.unpack_from("<HB", head, 14), struct.unpack_from("<H", head, 17)[0]
    sectors = struct.unpack_from("<H", head, 22)[0] or struct.unpack_from("<I", head, 36)[0]
    whole = read(path, 0, 1 << 23); entry = whole.index(b"LOOP       "); first, = struct.unpack_from("<H", whole, entry + 26)
    for index in range(fats):
        patch(path, (reserved + index * sectors) * 512 + (first + 3) * kind // 8, first.to_bytes(kind // 8, "little"))
    patch(path, entry + 28, struct.pack("<I", 0xFFFFFFF))
    patch(path, whole.index(b"B          \x10") + 26, whole[(at := whole.index(b"A          \x10") + 26):at + 2])
"#,
            [
                ask("find fat16").fails(9, "has the same clusters"),
                ask("hash fat16 /A/LOOP").fails(9, "the chain of clusters goes round"),
                ask("find fat32").fails(9, "has the same clusters"),
                ask("cat fat32 /A/LOOP").fails(5, "the chain of clusters goes round"),
            ],
        ),
    ]
}
