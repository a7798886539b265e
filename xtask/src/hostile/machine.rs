//! What the guest mounts where: everything that its fstab says and the disks do not keep. Nothing
//! of it may read as an empty directory.

use super::Case;
use super::probe::ask;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "machine/locked",
            LOCKED,
            [
                ask("ls root --disk locked /home").fails(6, "LUKS1"),
                ask("find root --disk locked --name FILE").fails(9, "LUKS1"),
                ask("hash -r root --disk locked /home").fails(6, "LUKS1"),
                ask("ls root --disk locked").fails(9, "/home").shows("home"),
                ask("ls root --disk locked --key word /home").shows("FILE"),
                ask("ls mapped --disk locked /home").fails(6, "LUKS1"),
                ask("ls mapped --disk locked --key word /home /home2 /home3").shows("FILE"),
                ask("disk info root --disk locked --key disk7=word").fails(2, "disk7"),
                ask("ls locked").fails(6, "LUKS1"),
            ],
        ),
        Case::new(
            "machine/missing",
            MISSING,
            [
                ask("ls root /home").fails(3, "--disk"),
                ask("ls root").fails(9, "/home").shows("home"),
                ask("ls root --disk cut /home").fails(3, "--disk"),
                ask("ls root /remote").fails(4, "nfs4"),
                ask("ls twice --disk one --disk two /home").fails(3, "several volumes"),
                ask("ls bound /home").fails(3, "--disk"),
                ask("ls -R bound").fails(9, "/home"),
                ask("ls long /home").fails(3, "--disk"),
                ask("ls byname --disk later /data").fails(4, "disk1/p1"),
                ask("ls byname --disk blank /data").fails(4, "disk1/p1"),
                ask("disk info later"),
            ],
        ),
        Case::new(
            "machine/names",
            r#"
from machine import *
ext("inner", {"FILE": "here\n", "home/joe/LETTER": "dear\n"}, options="-L 'my disk' -U 66666666-1111-1111-1111-111111111111")
partitioned("whole", "inner")
places = {"whole": "/dev/sdb", "label": "LABEL=my\\040disk", "udev": "/dev/disk/by-label/my\\x20disk", "tag": "UUID=66666666-1111-1111-1111-111111111111"}
root("root", "".join(f"{device} /{name}/ ext4 defaults,nofail\n" for name, device in places.items()), {f"{name}/": "" for name in places})
root("parts", "/dev/vdb1 /a ext4 nofail\nPARTLABEL=data /b ext4\n/dev/disk/by-partlabel/data /c ext4\n", {"a/": "", "b/": "", "c/": ""})
root("beneath", "/dev/sdb /srv/x ext4 defaults\nLABEL=other /srv/ ext4 defaults\n", {"srv/x/": ""})
ext("outer", {"x/": "", "OUTER": "here\n"}, options="-L other")
root("bound", "/dev/sdb /data ext4 defaults\n/data/home /home none bind 0 0\n/home/joe /joe none rbind\nLABEL=other /later ext4 noauto,x-systemd.automount\nLABEL=nobody /never ext4 noauto\n",
     {"data/": "", "home/": "", "joe/": "", "later/": "", "never/": ""})
root("early", "/data/home /home none bind 0 0\n/dev/sdb /data ext4 defaults\n", {"data/home/STALE": "", "home/": ""})
root("again", "/dev/sdb /data ext4 defaults\n/ /jail none rbind 0 0\n/ /jail2 none rbind 0 0\n", {"data/": "", "jail/": "", "jail2/": ""})
root("linked", "/dev/sdb /data/vol ext4 defaults\nLABEL=other /mine ext4 defaults\n", {"data/vol/": "", "mine": ("data/vol/home/joe",)})
"#,
            [
                ask("ls root --disk inner /whole").shows("FILE"),
                ask("ls root --disk inner /label").shows("FILE"),
                ask("ls root --disk inner /udev").shows("FILE"),
                ask("ls root --disk inner /tag").shows("FILE"),
                ask("ls parts --disk whole /a").shows("FILE"),
                ask("ls parts --disk whole /b").shows("FILE"),
                ask("ls parts --disk whole /c").shows("FILE"),
                ask("ls beneath --disk inner --disk outer /srv/x").shows("FILE"),
                ask("ls beneath --disk inner --disk outer /srv").shows("OUTER"),
                ask("cat bound --disk inner --disk outer /home/joe/LETTER").shows("dear"),
                ask("cat bound --disk inner --disk outer /joe/LETTER").shows("dear"),
                ask("ls bound --disk inner --disk outer /later").shows("OUTER"),
                ask("ls -R bound --disk inner --disk outer /never").shows("never"),
                ask("find bound --disk inner --disk outer --name LETTER").shows("/joe/LETTER"),
                ask("ls early --disk inner /home").shows("joe"),
                ask("cat again --disk inner /jail/data/FILE").shows("here"),
                ask("ls -R again --disk inner /").shows("/jail2/jail/data:"),
                ask("ls linked --disk inner --disk outer /data/vol/home/joe").shows("OUTER"),
                ask("ls inner --volume 66666666-1111-1111-1111-111111111111").shows("FILE"),
            ],
        ),
        Case::new(
            "machine/units",
            r#"
from machine import *
status = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n"
ext("var", {"lib/dpkg/status": status, "lib/dpkg/info/bash.list": "/bin/bash\n"}, options="-U 66666666-1111-1111-1111-111111111111")
unit = "[Mount]\nWhat=/dev/disk/by-uuid/66666666-1111-1111-1111-111111111111\nWhere=/var\nType=ext4\n"
system = {"var/": "", "usr/lib/systemd/system/x.service": "", "etc/systemd/system/local-fs.target.wants/var.mount": ("../../../x",)}
root("etc", "", {**system, "etc/systemd/system/var.mount": unit})
root("local", "", {**system, "usr/local/lib/systemd/system/var.mount": unit})
root("torn", "\0" * 60 + "\n", {"var/": ""})
"#,
            [
                ask("inspect etc --disk var --section packages").shows("bash"),
                ask("inspect local --disk var --section packages").shows("bash"),
                ask("inspect local --section packages").fails(9, "/var").shows("not complete"),
                ask("inspect torn --disk var --section packages").fails(9, "fstab").shows("not complete"),
            ],
        ),
        Case::new(
            "machine/copies",
            r#"
from machine import *
ext("cut", {"big": "y" * 6000000}, size="24M"); run("truncate -s 5M cut")
ext("linked", {"a/x": "twice", "b/": "", "slow": ("x" * 100,)})
run("debugfs -w -R 'ln a/x b/x' linked 2>/dev/null; debugfs -w -R 'sif /a/x links_count 2' linked 2>/dev/null; debugfs -w -R 'sif /slow block[5] 0x7fffffff' linked 2>/dev/null")
ext("several", {"a/x": "first", "b/x": "second", "c/": ""})
run("debugfs -w -R 'ln a/x c/y' several 2>/dev/null; debugfs -w -R 'sif /a/x links_count 2' several 2>/dev/null")
os.makedirs("into")
ext("data", {"FILE": "x"}); partitioned("part", "data", size="200M"); run("truncate -s 12M part")
os.makedirs("out"); open("out/big", "w").write("precious"); open("out/x", "w").write("old")
open("odd", "wb").write(bytes(1 << 20) + b"odd")
"#,
            [
                ask("cp cut --volume disk0 /big out --force").code([5]),
                ask("cp linked --force /a/x /b/x out").code([9]),
                ask("cp several --force /a/x /b/x /c/y into").fails(9, "two go by that name"),
                ask("ls -l linked").fails(9, "slow").shows("(cannot be read)"),
                ask("find linked --json --name slow").fails(9, "slow").shows("problem"),
                ask("tree linked").fails(9, "slow"),
                ask("disk convert part --volume disk0/p1 part.raw").fails(9, "disk0/p1"),
                ask("disk info cut").code([9]),
                ask("disk convert odd odd.qcow2"),
            ],
        )
        .after(
            "[ \"$(cat out/big)\" = precious ]; [ \"$(cat out/x)\" = twice ]; \
             [ \"$(cat into/x into/y)\" = firstfirst ]; \
             [ -z \"$(find out -name '*.part')\" ]",
        ),
    ]
}

const LOCKED: &str = r#"
from machine import *
ext("inner", {"FILE": "here\n"}, options="-U 66666666-1111-1111-1111-111111111111")
luks("locked", "inner"); os.remove("inner")
uuid = subprocess.run(["cryptsetup", "luksUUID", "locked"], capture_output=True, text=True, check=True).stdout.strip()
root("root", "UUID=66666666-1111-1111-1111-111111111111 /home ext4 defaults,nofail 0 2\n", {"home/": ""})
root("mapped", "/dev/mapper/secret /home ext4 defaults\n/dev/mapper/luks-%s /home2 ext4 defaults\n/dev/mapper/whole /home3 ext4 nofail\n" % uuid,
     {"home/": "", "home2/": "", "home3/": "", "etc/crypttab": "secret UUID=%s none luks\nwhole /dev/sdb none\n" % uuid})
"#;

const MISSING: &str = r#"
from machine import *
fstab = "UUID=66666666-1111-1111-1111-111111111111 /home ext4 defaults,nofail 0 2\n"
root("root", fstab + "server:/x /remote nfs4 _netdev\n", {"home/": "", "remote/": ""})
root("twice", fstab, {"home/": ""})
for name in ("one", "two"): ext(name, {"FILE": name}, options="-U 66666666-1111-1111-1111-111111111111")
ext("cut", {"FILE": "x"}); ext("data", {"FILE": "x"}, options="-O ^metadata_csum")
partitioned("later", "data", tail="printf '\\x80' | dd of=later bs=1 seek=$((1048576 + 1024 + 99)) conv=notrunc status=none")
open("zeros", "wb").write(bytes(1 << 20)); partitioned("blank", "zeros")
root("bound", "LABEL=data /data ext4 nofail\n/data/home /home none bind\n", {"data/": "", "home/": ""})
root("long", "\x23 nothing\n" * 50000 + fstab, {"home/STALE": ""})
root("byname", "PARTLABEL=data /data ext4 nofail\n", {"data/": ""})
"#;
