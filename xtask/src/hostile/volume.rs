//! Partition tables, LVM and LUKS: loops, nesting, and counts that no disk could hold.

use super::Case;
use super::probe::ask;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "partitions/loops",
            r#"
from volume import *
mbr("self", [(5, 2048, 20000)]); mbr("self", [(0x83, 63, 100), (5, 0, 20000)], at=2048 * 512)
mbr("back", [(5, 2048, 20000)]); mbr("back", [(0x83, 63, 100), (5, 200, 200)], at=2048 * 512)
mbr("back", [(0x83, 63, 100), (5, 0, 200)], at=2248 * 512)
mbr("long", [(5, 2048, 30000)])
for i in range(3000): mbr("long", [(0x83, 1, 1), (5, i + 1, 2)], at=(2048 + i) * 512)
gpt("many", 0xFFFFFFFF); gpt("wide", 0xFFFFFFFF, 0x80000000)
"#,
            [
                ask("disk info self").fails(9, "comes back to this record"),
                ask("disk info back").fails(9, "comes back to this record"),
                ask("disk info long").fails(9, "more than 256 logical partitions"),
                ask("disk info many").fails(9, "GPT entries"),
                ask("disk info wide").fails(9, "GPT entries"),
            ],
        ),
        Case::new(
            "lvm/loops",
            r#"
from volume import *
def striped(name): return 'type="striped"\nstripe_count=1\nstripes=["%s",0]' % name
pv("good", vg(lv("a", striped("pv0"))))
pv("self", vg(lv("a", striped("a"))))
pv("pair", vg(lv("a", striped("b")) + lv("b", striped("a"))))
pv("chain", vg("".join(lv("l%d" % i, striped("l%d" % (i + 1))) for i in range(2000)) + lv("l2000", striped("pv0"))))
pv("nested", b"vg { " * 100000 + b"\0")
pv("arrays", b"a = " + b"[" * 200000 + b"\0")
pv("claims", vg(""), offset=(1 << 20) - 100, size=(1 << 64) - 1)
pv("circle", b"x" * 100, offset=(1 << 20) - 100, size=(1 << 20) - 512)
"#,
            [
                ask("disk info good").shows("vg/a  4.0 MiB, linear"),
                ask("disk info self").fails(9, "lies on itself"),
                ask("disk info pair").fails(9, "lies on itself"),
                ask("disk info chain").code([0, 9]).shows("vg/l2000"),
                ask("disk info nested").fails(9, "sections nest deeper than 16"),
                ask("disk info arrays").fails(9, "LVM metadata"),
                ask("disk info claims").fails(9, "the text claims"),
                ask("disk info circle").fails(9, "LVM metadata"),
            ],
        ),
        Case::new(
            "luks/costs",
            r#"
from volume import *
luks2("memory", header(4 << 20)); luks2("much", header(900 << 10, time=1))
luks2("time", header(1 << 10, time=1 << 31)); luks2("threads", header(32, cpus=1 << 30))
luks2("nested", b'{"keyslots":' + b'{"a":' * 10000 + b"1" + b"}" * 10001); luks2("arrays", b"[" * 12000)
"#,
            [
                ask("disk info memory").shows("LUKS2"),
                ask("disk info memory --key x").fails(0, "wants 4294967296 bytes of memory"),
                ask("ls memory --key x").fails(6, "wants 4294967296 bytes of memory"),
                ask("ls much --key x").fails(6, "cannot be had"),
                ask("ls time --key x").fails(6, "rounds of work"),
                ask("ls threads --key x").code([5, 6]),
                ask("disk info nested").fails(9, "recursion limit"),
                ask("disk info arrays").fails(9, "recursion limit"),
            ],
        ),
    ]
}
