//! Volume groups, made by LVM's own tools on loop devices. There is no device-mapper, so what the
//! volumes hold is cut to pieces by what `lvs` says of their places, and put there.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context as _, Result, bail};
use fathom_volume::{Content, Discovery};

use super::super::{Case, Work};
use super::{check_bytes, check_refused, volume};

/// Everything LVM needs to leave the machine alone: a configuration, a lock and a `/dev` of its own.
/// `attach N` makes the disks `disk0.img` to `diskN-1.img` known to it, `pv N` is the name of one.
pub(crate) const PRELUDE: &str = r#"
export LVM_SYSTEM_DIR=$PWD/lvm LVM_SUPPRESS_FD_WARNINGS=1
mkdir -p lvm dev
cat > lvm/lvm.conf <<END
devices { dir="$PWD/dev" scan=["$PWD/dev"] use_devicesfile=0 obtain_device_list_from_udev=0 external_device_info_source="none" multipath_component_detection=0 md_component_detection=0 hints="none" }
activation { udev_sync=0 udev_rules=0 monitoring=0 }
global { locking_type=1 locking_dir="$PWD/lvm/lock" use_lvmpolld=0 event_activation=0 }
backup { backup=0 archive=0 }
END
trap 'for loop in dev/*; do losetup -d "$(readlink "$loop")" || true; done; rm -rf dev' EXIT
attach() { for i in $(seq 0 $(($1 - 1))); do [ -e disk$i.img ] || truncate -s ${2:-32M} disk$i.img; loop=$(losetup -f --show disk$i.img); ln -s "$loop" dev/disk$i; done; }
pv() { echo "$PWD/dev/disk$1"; }
group() { { for i in $(seq 0 $(($1 - 1))); do pvcreate -q "${@:2}" "$(pv $i)"; done; vgcreate -q -s 256k vg0 $(for i in $(seq 0 $(($1 - 1))); do pv $i; done); } > log 2>&1 || { cat log; false; }; }
lv() { lvcreate -q --driverloaded n -an -Zn -Wn -y "$@" >> log 2>&1 || { cat log; false; }; }
restore() { vgcfgrestore -q --driverloaded n -f "$1" vg0 >> log 2>&1 || { cat log; false; }; }
backup() { vgcfgbackup -q --driverloaded n -f "$1" vg0 >> log 2>&1; }
# One line for each segment: volume, type, start, size, stripe size, places.
places() { lvs -q --driverloaded n --noheadings --separator ' ' --units b --nosuffix -o lv_name,segtype,seg_start,seg_size,stripesize,devices vg0 2>> log > places; pvs -q --noheadings --units b --nosuffix -o pe_start $(pv 0) > start 2>> log; }
"#;

/// Makes a group by a script, and fills its volumes.
fn group(name: &str, disks: usize, script: &'static str) -> Case {
    with(name, disks, script, |_, _| Ok(()))
}

/// The same, with more to see to afterwards.
fn with(
    name: &str,
    disks: usize,
    script: &'static str,
    check: impl Fn(&Work, &Discovery) -> Result<()> + Send + Sync + 'static,
) -> Case {
    Case::new(format!("volume/lvm-{name}"), move |work: &Work| {
        work.bash(&format!("{PRELUDE}\n{script}\nplaces\n"))?;
        let volumes = fill(work)?;
        let discovery = discover(work, disks)?;
        if !discovery.problems.is_empty() {
            bail!("problems: {:?}", discovery.problems);
        }
        for name in &volumes {
            check_bytes(
                work,
                volume(&discovery, &format!("vg0/{name}"))?,
                &format!("{name}.data"),
            )?;
        }
        if volumes.is_empty() {
            bail!("there is no volume");
        }
        check(work, &discovery)
    })
}

fn discover(work: &Work, disks: usize) -> Result<Discovery> {
    let images: Vec<String> = (0..disks).map(|index| format!("disk{index}.img")).collect();
    work.discover(&images.iter().map(String::as_str).collect::<Vec<_>>(), &[])
}

/// The size of an extent of all groups here.
const EXTENT: u64 = 256 << 10;

/// Puts `NAME.data`, made here of noise or by the script, onto the disks as `lvs` says. Gives back
/// the names.
fn fill(work: &Work) -> Result<Vec<String>> {
    let start: u64 = std::fs::read_to_string(work.path("start"))?.trim().parse()?;
    let mut names: Vec<String> = Vec::new();
    let places = std::fs::read_to_string(work.path("places"))?;
    for line in places.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, from, size, stripe, devices] = fields[..] else {
            bail!("lvs: {line}");
        };
        let (from, size): (u64, u64) = (from.parse()?, size.parse()?);
        let file = work.path(&format!("{name}.data"));
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
            if !file.exists() {
                noise(work, name, places_size(&places, name)?)?;
            }
        }
        let data = std::fs::read(&file)?;
        let data =
            data.get(from as usize..(from + size) as usize).context("the data is too short")?;
        let mut legs = Vec::new();
        for device in devices.split(',') {
            let (device, extent) = device.split_once('(').context("lvs device")?;
            let disk = device.rsplit('/').next().context("lvs device")?;
            let extent: u64 = extent.trim_end_matches(')').parse()?;
            let disk = OpenOptions::new().write(true).open(work.path(&format!("{disk}.img")))?;
            legs.push((disk, start + extent * EXTENT));
        }
        let stripe = if legs.len() > 1 { stripe.parse::<usize>()? } else { data.len() };
        for (index, piece) in data.chunks(stripe).enumerate() {
            let (disk, at) = &legs[index % legs.len()];
            disk.write_all_at(piece, at + (index / legs.len() * stripe) as u64)?;
        }
    }
    Ok(names)
}

/// How many bytes the volume has, by all its segments.
fn places_size(places: &str, name: &str) -> Result<u64> {
    let mut size = 0;
    for line in places.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.first() == Some(&name) {
            size += fields.get(3).context("lvs size")?.parse::<u64>()?;
        }
    }
    Ok(size)
}

/// Bytes that are the same on every run and different for every volume.
fn noise(work: &Work, name: &str, size: u64) -> Result<()> {
    let key = name.bytes().fold(String::new(), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    });
    work.bash(&format!(
        "openssl enc -aes-128-ctr -K {key:0<32.32} -iv 0 -in /dev/zero 2>/dev/null | head -c {size} > {name}.data || true"
    ))?;
    Ok(())
}

/// A group whose metadata is edited before LVM itself writes it, and what its volumes then say.
fn edited(
    name: &str,
    script: &'static str,
    check: impl Fn(&Work, &Discovery) -> Result<()> + Send + Sync + 'static,
) -> Case {
    Case::new(format!("volume/lvm-{name}"), move |work: &Work| {
        work.bash(&format!("{PRELUDE}\n{script}\n"))?;
        check(work, &discover(work, 2)?)
    })
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        group("linear", 1, "attach 1; group 1; lv -n root -l 40 vg0; lv -n home -l 20 vg0"),
        with(
            "ext4-in-pieces",
            2,
            r#"
attach 2; group 2
lv -n root -l 20 vg0 "$(pv 1)"; lv -n gap -l 3 vg0 "$(pv 1)"
for i in 0 1 0; do lvextend -q --driverloaded n -y -l +15 vg0/root "$(pv $i)" >> log 2>&1; lv -n "gap$RANDOM$i" -l 1 vg0 "$(pv $i)"; done
mkdir tree; for i in $(seq 1 200); do seq 1 $((i * 37)) > tree/file$i; done
truncate -s $((65 * 262144)) root.data; mkfs.ext4 -q -d tree root.data
"#,
            |_, discovery| {
                let root = volume(discovery, "vg0/root")?;
                match root.parents.len() {
                    2 => Ok(()),
                    count => bail!("{count} parents"),
                }
            },
        ),
        group(
            "striped",
            3,
            r#"
attach 3; group 3
lv -n two -i 2 -I 4k -l 20 vg0; lv -n three -i 3 -I 64k -l 30 vg0; lv -n large -i 2 -I 256k -l 10 vg0
lvextend -q --driverloaded n -y -l +12 -i 3 -I 16k vg0/two >> log 2>&1; lvextend -q --driverloaded n -y -l +5 -i 1 vg0/three >> log 2>&1
"#,
        ),
        group("two-metadata-areas", 2, "attach 2; group 2 --pvmetadatacopies 2; lv -n a -l 10 vg0; lv -n b -i 2 -l 10 vg0"),
        group("label-in-sector-3", 1, "attach 1; group 1 --labelsector 3; lv -n a -l 10 vg0"),
        group("label-in-sector-0", 1, "attach 1; group 1 --labelsector 0; lv -n a -l 10 vg0"),
        group(
            "metadata-on-one-disk",
            2,
            "attach 2; { pvcreate -q \"$(pv 0)\"; pvcreate -q --pvmetadatacopies 0 \"$(pv 1)\"; vgcreate -q -s 256k vg0 \"$(pv 0)\" \"$(pv 1)\"; } > log 2>&1
lv -n a -l 10 vg0 \"$(pv 1)\"; lv -n b -l 10 vg0 \"$(pv 0)\"",
        ),
        group("aligned", 1, "attach 1; group 1 --dataalignment 4m --metadatasize 64k; lv -n a -l 10 vg0"),
        group(
            "metadata-wrapped",
            1,
            "attach 1; group 1 --metadatasize 48k; lv -n a -l 10 vg0; lv -n b -l 3 vg0
for i in $(seq 1 40); do lvrename -q --driverloaded n vg0/b vg0/c >> log 2>&1; lvrename -q --driverloaded n vg0/c vg0/b >> log 2>&1; done",
        ),
        Case::new("volume/lvm-missing-disk", |work: &Work| {
            work.bash(&format!(
                "{PRELUDE}\nattach 2; group 2; lv -n here -l 10 vg0 \"$(pv 0)\"; lv -n gone -l 10 vg0 \"$(pv 1)\"
lv -n both -i 2 -l 10 vg0; places; pvs -q --noheadings -o pv_uuid \"$(pv 1)\" > uuid 2>> log"
            ))?;
            fill(work)?;
            let discovery = discover(work, 1)?;
            check_bytes(work, volume(&discovery, "vg0/here")?, "here.data")?;
            let uuid = std::fs::read_to_string(work.path("uuid"))?;
            check_refused(volume(&discovery, "vg0/gone")?, &[uuid.trim()])?;
            check_refused(volume(&discovery, "vg0/both")?, &[uuid.trim()])
        }),
        Case::new("volume/lvm-torn", |work: &Work| {
            work.bash(&format!("{PRELUDE}\nattach 1; group 1 --pvmetadatacopies 2; lv -n a -l 10 vg0; places"))?;
            fill(work)?;
            // The first copy's text, wherever in its ring it lies.
            work.bash("dd if=/dev/zero of=disk0.img bs=512 seek=9 count=2000 conv=notrunc status=none")?;
            let discovery = discover(work, 1)?;
            if discovery.problems.is_empty() {
                bail!("the damage is not told");
            }
            check_bytes(work, volume(&discovery, "vg0/a")?, "a.data")
        }),
        Case::new("volume/lvm-on-partitions", |work: &Work| {
            work.bash(&format!(
                "{PRELUDE}
attach 2; group 2; lv -n a -l 10 vg0; lv -n b -i 2 -l 10 vg0; places"
            ))?;
            fill(work)?;
            work.bash(
                "for i in 0 1; do mv disk$i.img inner$i.img; truncate -s 40M disk$i.img
printf 'label: gpt\\nstart=2048, size=100\\nstart=4096, size=65536, type=E6D6D379-F507-44C2-A23C-238F2A3DF928\\n' | sfdisk -q disk$i.img
dd if=inner$i.img of=disk$i.img bs=1M seek=2 conv=notrunc status=none; done",
            )?;
            let discovery = discover(work, 2)?;
            check_bytes(work, volume(&discovery, "vg0/a")?, "a.data")?;
            check_bytes(work, volume(&discovery, "/dev/mapper/vg0-b")?, "b.data")?;
            match &volume(&discovery, "disk1/p2")?.content {
                Content::PhysicalVolume { group: Some(group), .. } if group == "vg0" => Ok(()),
                other => bail!("{other:?}"),
            }
        }),
        Case::new("volume/lvm-group-of-groups", |work: &Work| {
            // A volume of one group is the disk of another.
            work.bash(&format!("{PRELUDE}\nattach 1 16M; group 1; lv -n inner -l 10 vg0; places"))?;
            fill(work)?;
            work.bash("mv disk0.img outer.data; mv inner.data inner.saved")?;
            work.bash(&format!(
                "{PRELUDE}\nattach 1 32M; group 1; vgrename -q --driverloaded n vg0 vg1 >> log 2>&1
lvcreate -q --driverloaded n -an -Zn -Wn -y -n outer -l 64 vg1 >> log 2>&1
lvs -q --driverloaded n --noheadings --separator ' ' --units b --nosuffix -o lv_name,segtype,seg_start,seg_size,stripesize,devices vg1 2>> log > places
pvs -q --noheadings --units b --nosuffix -o pe_start $(pv 0) > start 2>> log"
            ))?;
            fill(work)?;
            let discovery = discover(work, 1)?;
            check_bytes(work, volume(&discovery, "vg0/inner")?, "inner.saved")
        }),
        edited(
            "mirrors",
            r#"
attach 2; group 2
for i in 0 1; do for n in leg meta; do lv -n old_$n$i -l 8 vg0 "$(pv $i)"; lv -n new_$n$i -l 8 vg0 "$(pv $i)"; done; done
backup plain; places
# Makes mirrors of them: LVM itself checks and writes what comes out.
python3 - <<'END'
import re
text = open('plain').read()
text = re.sub(r'\b(old|new)_leg(\d)\b', lambda m: ('old_mimage_' if m[1] == 'old' else 'new_rimage_') + m[2], text)
text = re.sub(r'\bnew_meta(\d)\b', r'new_rmeta_\1', text)
hide = lambda m: m[0].replace(', "VISIBLE"', '')
text = re.sub(r'(old_mimage|new_rimage|new_rmeta)_\d \{[^}]*status = \[[^\]]*\]', hide, text)
def volume(name, n, segment):
    return '''\n\t\t%s {\n\t\t\tid = "%s"\n\t\t\tstatus = ["READ", "WRITE", "VISIBLE"]\n\t\t\tflags = []\n\t\t\tcreation_time = 1\n\t\t\tcreation_host = "test"\n\t\t\tsegment_count = 1\n\t\t\tsegment1 {\n\t\t\t\tstart_extent = 0\n\t\t\t\textent_count = 8\n\t\t\t\t%s\n\t\t\t}\n\t\t}\n''' % (name, 'aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaa%d' % n, segment)
new = volume('old', 1, 'type = "mirror"\n\t\t\t\tmirror_count = 2\n\t\t\t\tregion_size = 512\n\t\t\t\tmirrors = [\n"old_mimage_0", 0,\n"old_mimage_1", 0\n]')
new += volume('new', 2, 'type = "raid1"\n\t\t\t\tdevice_count = 2\n\t\t\t\tregion_size = 512\n\t\t\t\traids = [\n"new_rmeta_0", "new_rimage_0",\n"new_rmeta_1", "new_rimage_1"\n]')
text = text.replace('logical_volumes {', 'logical_volumes {' + new, 1)
open('mirrors', 'w').write(text)
END
# Metadata images of one extent would do; eight are simpler. Nothing may stand in them.
restore mirrors
lvs -q --driverloaded n -a vg0 >> log 2>&1
"#,
            |work, _| {
                fill(work)?;
                // As if the mirror had never been started: no superblocks.
                work.bash("head -c 2097152 /dev/zero > new_meta0.data; cp new_meta0.data new_meta1.data")?;
                fill(work)?;
                let discovery = discover(work, 2)?;
                check_bytes(work, volume(&discovery, "vg0/old")?, "old_leg0.data")?;
                let new = volume(&discovery, "vg0/new")?;
                check_refused(new, &["never started"])?;
                let mut bytes = vec![0; new.size as usize];
                new.reader.as_ref().context("no reader")?.read_at(0, &mut bytes)?;
                if bytes != std::fs::read(work.path("new_leg0.data"))? {
                    bail!("new is not its first leg");
                }
                let hidden = discovery.volumes.iter().find(|volume| volume.id.as_str().contains("image"));
                hidden.map_or(Ok(()), |hidden| bail!("{} is listed", hidden.id))
            },
        ),
        edited(
            "refused",
            r#"
attach 2; group 2
lv -n origin -l 4 vg0; lv -n store -l 4 vg0; lv -n pool_data -l 4 vg0; lv -n pool_meta -l 4 vg0
backup plain
python3 - <<'END'
import re
text = re.sub(r'pool_(data|meta)\b', r'pool_t\1', open('plain').read())
text = re.sub(r'(pool_t(data|meta)) \{[^}]*status = \[[^\]]*\]', lambda m: m[0].replace(', "VISIBLE"', ''), text)
def volume(name, n, status, segment):
    return '''\n\t\t%s {\n\t\t\tid = "%s"\n\t\t\tstatus = [%s]\n\t\t\tflags = []\n\t\t\tcreation_time = 1\n\t\t\tcreation_host = "test"\n\t\t\tsegment_count = 1\n\t\t\tsegment1 {\n\t\t\t\tstart_extent = 0\n\t\t\t\textent_count = 4\n\t\t\t\t%s\n\t\t\t}\n\t\t}\n''' % (name, 'aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaa%d' % n, status, segment)
seen = '"READ", "WRITE", "VISIBLE"'
new = volume('snapshot0', 1, '"READ", "WRITE"', 'type = "snapshot"\nchunk_size = 8\norigin = "origin"\ncow_store = "store"')
new += volume('pool', 2, seen, 'type = "thin-pool"\nmetadata = "pool_tmeta"\npool = "pool_tdata"\ntransaction_id = 0\nchunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1')
new += volume('thin', 3, seen, 'type = "thin"\nthin_pool = "pool"\ntransaction_id = 0\ndevice_id = 1')
text = text.replace('logical_volumes {', 'logical_volumes {' + new, 1)
open('edited', 'w').write(text)
END
vgcfgrestore -q --force --driverloaded n -f edited vg0 >> log 2>&1 || { cat log; false; }
"#,
            |_, discovery| {
                check_refused(volume(discovery, "vg0/store")?, &["snapshot"])?;
                check_refused(volume(discovery, "vg0/pool")?, &["thin-pool"])?;
                check_refused(volume(discovery, "vg0/thin")?, &["thin"])?;
                match &volume(discovery, "vg0/origin")?.problem {
                    None => Ok(()),
                    Some(problem) => bail!("{problem}"),
                }
            },
        ),
    ]
}
