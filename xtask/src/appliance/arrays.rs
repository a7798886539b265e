//! md: arrays of every level and layout, whole, with members missing, and in every state in which the
//! power may fail.
//!
//! The members of all arrays lie in partitions of the same few disks, so that leaving a disk out
//! takes a member from each of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use fathom_block::{ErrorKind, ReadAt as _};
use fathom_volume::{Discovery, Volume};

use super::{Job, Manifest, Outcome, Work, compare, discover, find, start};
use crate::shell;

/// The disks of members.
const MEMBERS: [&str; 5] = ["member0", "member1", "member2", "member3", "member4"];

/// The disks of arrays that lie on whole disks.
const WHOLE: [&str; 4] = ["whole-0", "whole-1", "whole-old-0", "whole-old-1"];

/// How many mebibytes a partition has, and how many are there for what is told of an array.
const SIZE: u64 = 12;
const TOLD: u64 = 6;

/// How large the chunks of the pattern are that arrays without a filesystem are filled with.
const CHUNK: usize = 4096;

/// An array.
struct Array {
    name: &'static str,
    devices: usize,
    /// What mdadm is told.
    options: &'static str,
    is: Is,
}

/// What an array is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    /// A level or a layout, that can do without so many members, whichever they are. It is made once
    /// more without a filesystem, small, for the tests of `volume`.
    Plain(usize),
    /// It holds something that is found under this name.
    Under(&'static str),
    /// It is read, and something is said of it.
    Noted(&'static str),
    /// It is not read, and this is said.
    Refused(&'static str),
}

const fn array(name: &'static str, devices: usize, options: &'static str, is: Is) -> Array {
    Array { name, devices, options, is }
}

const ARRAYS: &[Array] = &[
    array("mirror-090", 2, "--level=1 --metadata=0.90", Is::Plain(1)),
    array("mirror-10", 2, "--level=1 --metadata=1.0", Is::Plain(1)),
    array("mirror-11", 3, "--level=1 --metadata=1.1 --bitmap=internal", Is::Plain(2)),
    array("mirror-12", 2, "--level=1", Is::Plain(1)),
    array("linear", 3, "--level=linear", Is::Plain(0)),
    array("linear-090", 2, "--level=linear --metadata=0.90", Is::Plain(0)),
    array("stripes", 3, "--level=0 --chunk=64", Is::Plain(0)),
    array("zones-original", 5, "--level=0 --layout=original --chunk=4", Is::Plain(0)),
    array("zones-alternate", 5, "--level=0 --layout=alternate --chunk=4", Is::Plain(0)),
    array("raid4", 4, "--level=4 --chunk=4", Is::Plain(1)),
    array("raid5-la", 3, "--level=5 --chunk=4 --layout=la --metadata=0.90", Is::Plain(1)),
    array("raid5-ra", 3, "--level=5 --chunk=4 --layout=ra --metadata=1.0", Is::Plain(1)),
    array("raid5-ls", 4, "--level=5 --chunk=64 --layout=ls", Is::Plain(1)),
    array("raid5-rs", 5, "--level=5 --chunk=4 --layout=rs --metadata=1.1", Is::Plain(1)),
    array("raid5-pf", 3, "--level=5 --chunk=4 --layout=parity-first", Is::Plain(1)),
    array("raid5-pl", 3, "--level=5 --chunk=4 --layout=parity-last", Is::Plain(1)),
    array("raid6-la", 5, "--level=6 --chunk=4 --layout=left-asymmetric", Is::Plain(2)),
    array("raid6-ra", 5, "--level=6 --chunk=4 --layout=right-asymmetric", Is::Plain(2)),
    array("raid6-ls", 5, "--level=6 --chunk=64 --layout=left-symmetric", Is::Plain(2)),
    array("raid6-rs", 4, "--level=6 --chunk=4 --layout=right-symmetric", Is::Plain(2)),
    array("raid6-pf", 5, "--level=6 --chunk=4 --layout=parity-first", Is::Plain(2)),
    array("raid6-pl", 5, "--level=6 --chunk=4 --layout=parity-last", Is::Plain(2)),
    array("raid6-zr", 5, "--level=6 --chunk=4 --layout=ddf-zero-restart", Is::Plain(2)),
    array("raid6-nr", 5, "--level=6 --chunk=4 --layout=ddf-N-restart", Is::Plain(2)),
    array("raid6-nc", 5, "--level=6 --chunk=4 --layout=ddf-N-continue", Is::Plain(2)),
    array("raid6-la6", 5, "--level=6 --chunk=4 --layout=left-asymmetric-6", Is::Plain(2)),
    array("raid6-ra6", 5, "--level=6 --chunk=4 --layout=right-asymmetric-6", Is::Plain(2)),
    array("raid6-ls6", 5, "--level=6 --chunk=4 --layout=left-symmetric-6", Is::Plain(2)),
    array("raid6-rs6", 5, "--level=6 --chunk=4 --layout=right-symmetric-6", Is::Plain(2)),
    array("raid6-pf6", 5, "--level=6 --chunk=4 --layout=parity-first-6", Is::Plain(2)),
    array("raid10-n2", 4, "--level=10 --chunk=64 --layout=n2", Is::Plain(1)),
    array("raid10-n2-odd", 5, "--level=10 --chunk=4 --layout=n2", Is::Plain(1)),
    array("raid10-n3", 5, "--level=10 --chunk=4 --layout=n3 --metadata=0.90", Is::Plain(2)),
    array("raid10-f2", 4, "--level=10 --chunk=4 --layout=f2", Is::Plain(1)),
    array("raid10-f2-odd", 3, "--level=10 --chunk=4 --layout=f2", Is::Plain(1)),
    array("raid10-f3", 5, "--level=10 --chunk=4 --layout=f3", Is::Plain(2)),
    array("raid10-o2", 4, "--level=10 --chunk=4 --layout=o2", Is::Plain(1)),
    array("raid10-o2-odd", 3, "--level=10 --chunk=4 --layout=o2", Is::Plain(1)),
    array("raid10-o3", 5, "--level=10 --chunk=4 --layout=o3", Is::Plain(2)),
    // What mdadm cannot make and the kernel reads: near and far at once, and far copies that stay
    // within groups of members, in the two ways that there are.
    array("patched-n2f2", 5, "256 --level=10 --chunk=4 --layout=n2", Is::Plain(0)),
    array("patched-n2o2", 4, "65792 --level=10 --chunk=4 --layout=n2", Is::Plain(0)),
    array("patched-f2-first", 5, "131072 --level=10 --chunk=4 --layout=f2", Is::Plain(0)),
    array("patched-f2-second", 5, "262144 --level=10 --chunk=4 --layout=f2", Is::Plain(0)),
    array("patched-o2-second", 5, "262144 --level=10 --chunk=4 --layout=o2", Is::Plain(0)),
    array("raid5-ppl", 3, "--level=5 --consistency-policy=ppl", Is::Under("md/raid5-ppl")),
    array("parted", 2, "--level=1", Is::Under("md/parted/p2")),
    array("lvm", 3, "--level=5 --chunk=64", Is::Under("vgmd/inner")),
    array("luks", 4, "--level=10 --chunk=64", Is::Under("md/luks/luks")),
    array("whole", 0, "--level=1", Is::Under("md/whole/p2")),
    array("whole-old", 0, "--level=1 --metadata=1.0", Is::Under("md/whole-old/p2")),
    array("spare", 3, "--level=5 --chunk=64 --spare-devices=1", Is::Under("md/spare")),
    array("bad-1", 2, "--level=1", Is::Under("md/bad-1")),
    array("bad-5", 3, "--level=5 --chunk=64", Is::Under("md/bad-5")),
    array("stale-1", 2, "--level=1", Is::Noted("is out of date by")),
    array("stale-5", 4, "--level=5 --chunk=64", Is::Noted("is out of date by")),
    array("stale-6", 5, "--level=6 --chunk=64", Is::Noted("is out of date by")),
    array("dirty-1", 2, "--level=1", Is::Noted("in use or still being made")),
    array("rebuild-1", 2, "--level=1", Is::Noted("has not yet got all")),
    array("rebuild-5", 3, "--level=5 --chunk=64", Is::Noted("has not yet got all")),
    array("replace-5", 3, "--level=5 --chunk=64", Is::Noted("has not yet got all")),
    array("reshape-5", 3, "--level=5 --chunk=64", Is::Refused("being reshaped")),
    array("journal-5", 3, "--level=5 --chunk=64", Is::Refused("it has a journal")),
];

impl Array {
    /// What we call it, when it lies in the partitions with this number.
    fn id(&self, part: usize) -> String {
        match self.is {
            Is::Under(id) => id.to_owned(),
            _ => volume(self.name, self.options, part),
        }
    }
}

/// What we call the array of that name.
fn volume(name: &str, options: &str, part: usize) -> String {
    match options.contains("0.90") {
        true => format!("md{}", part + 10),
        false => format!("md/{name}"),
    }
}

/// The arrays that are made once more.
fn tiny() -> impl Iterator<Item = (usize, &'static Array)> {
    let plain = ARRAYS.iter().filter(|array| matches!(array.is, Is::Plain(_)));
    plain.enumerate().map(|(index, array)| (ARRAYS.len() + 1 + index, array))
}

/// How large the partition of an array is on a disk, in sectors.
fn sectors(name: &str, disk: usize, large: bool) -> u64 {
    let (unit, base) = if large { (2048, SIZE * 2048) } else { (64, 1024) };
    // An odd number of chunks, so that the layouts of zones differ.
    let more = [0, 0, 0, 3 * unit + 8, 7 * unit];
    match name.contains("zones") || name.contains("linear") {
        true => base + more[disk] + 8,
        false => base,
    }
}

/// Has the arrays made, and compares each with what the appliance read of it.
pub(super) fn run(work: &Work, kept: &Path, bless: bool) -> Result<Vec<Outcome>> {
    let disks = make_disks(work)?;
    let script = include_str!("arrays.sh").to_owned();
    let files = vec![("arrays", list())];
    start(work, kept, &Job { script, files, disks, fixture })?;
    let told = told(work)?;
    let mut outcomes = whole(work, &told)?;
    for first in 0..MEMBERS.len() {
        outcomes.push(without(work, &told, &[first])?);
        for second in first + 1..MEMBERS.len() {
            outcomes.push(without(work, &told, &[first, second])?);
        }
    }
    outcomes.extend(examined(work)?);
    outcomes.extend(patterns(work, bless)?);
    Ok(outcomes)
}

/// What filesystems are filled with: there are many arrays to fill, and what a filesystem can hold
/// is tried elsewhere.
fn fixture(directory: &Path) -> Result<()> {
    let script = "mkdir -p etc many; echo 'ID=fathom' > etc/os-release; ln -s os-release etc/link
        for i in $(seq 30); do echo $i > many/file-$i; done; chmod 600 many/file-7
        openssl rand 300000 > large; truncate -s 500000 hole; ln large again";
    shell::bash(directory, script).map(drop)
}

/// What the appliance is to make.
fn list() -> String {
    let large = ARRAYS.iter().enumerate().map(|(index, array)| {
        let (part, place) = (index + 1, index as u64 * TOLD);
        format!("{part} {} {} {place} {}\n", array.name, array.devices, array.options)
    });
    let tiny = tiny().map(|(part, array)| {
        format!("{part} tiny-{} {} 0 {}\n", array.name, array.devices, array.options)
    });
    // The small ones first: they take less time.
    tiny.chain(large).collect()
}

/// Makes the disks, with a partition for every array.
fn make_disks(work: &Work) -> Result<Vec<(String, String)>> {
    let mut script = String::from("disk() { sfdisk -q \"$1\"; }\n");
    for (index, name) in MEMBERS.iter().enumerate() {
        let large = ARRAYS.iter().map(|array| sectors(array.name, index, true));
        let tiny = tiny().map(|(_, array)| sectors(array.name, index, false));
        let lines: String = large.chain(tiny).map(|size| format!("size={size}\\n")).collect();
        let size = (ARRAYS.len() as u64 * (SIZE + 9)) + 200;
        script.push_str(&format!(
            "truncate -s {size}M {name}.img; printf 'label: gpt\\n{lines}' | disk {name}.img\n"
        ));
    }
    for name in WHOLE {
        script.push_str(&format!("truncate -s 40M {name}.img\n"));
    }
    let size = ARRAYS.len() as u64 * TOLD;
    script.push_str(&format!("truncate -s {size}M told.img\n"));
    work.bash(&script)?;
    fs::write(work.path("pattern.img"), pattern(8 << 20))?;
    let names = MEMBERS.iter().chain(&WHOLE).chain(&["told", "pattern"]);
    Ok(names.map(|name| ((*name).to_owned(), format!("{name}.img"))).collect())
}

/// What an array without a filesystem is filled with: every chunk starts with its number, and is
/// filled with a byte of that.
fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    for (number, chunk) in bytes.chunks_mut(CHUNK).enumerate() {
        chunk.fill((number * 37 + 11) as u8);
        let head = chunk.len().min(8);
        chunk[..head].copy_from_slice(&number.to_le_bytes()[..head]);
    }
    bytes
}

/// What the kernel read of the arrays, by their names. One that was not made is not among them.
fn told(work: &Work) -> Result<BTreeMap<&'static str, Manifest>> {
    let mut told = BTreeMap::new();
    for (index, array) in ARRAYS.iter().enumerate() {
        let (name, place) = (array.name, index as u64 * TOLD);
        let unpacked = work.bash(&format!(
            "mkdir -p told/{name}; dd if=told.img bs=1M skip={place} count={TOLD} status=none | \
             tar --xattrs --xattrs-include='*' --numeric-owner -C told/{name} -xf - 2> /dev/null"
        ));
        if unpacked.is_ok() {
            told.insert(name, Manifest::from_kernel(&work.path(&format!("told/{name}")))?);
        }
    }
    told.retain(|_, manifest| manifest.len() > 1);
    Ok(told)
}

/// Compares every array while all disks are there.
fn whole(work: &Work, told: &BTreeMap<&str, Manifest>) -> Result<Vec<Outcome>> {
    let disks: Vec<&str> = MEMBERS.into_iter().chain(WHOLE).collect();
    let discovery = discover(work, &disks, "secret")?;
    let outcome = |(index, array): (usize, &Array)| {
        let id = array.id(index + 1);
        let outcome = as_expected(&discovery, &id, array, told.get(array.name));
        (id, outcome)
    };
    Ok(ARRAYS.iter().enumerate().map(outcome).collect())
}

fn as_expected(
    discovery: &Discovery,
    id: &str,
    array: &Array,
    told: Option<&Manifest>,
) -> Result<usize> {
    let volume = find(discovery, id)?;
    let problem = volume.problem.as_ref().map(ToString::to_string).unwrap_or_default();
    match array.is {
        Is::Plain(_) | Is::Under(_) => ensure!(problem.is_empty(), "it has a problem: {problem}"),
        Is::Noted(note) => {
            let others = discovery.problems.iter().map(ToString::to_string);
            let said = others.chain([problem]).any(|it| it.contains(id) && it.contains(note));
            ensure!(said, "{note:?} is not said of it: {:?}", discovery.problems);
        }
        Is::Refused(why) => {
            ensure!(
                problem.contains(why) && volume.reader.is_none(),
                "it is not refused: {problem}"
            );
            return Ok(0);
        }
    }
    compare(volume, told.context("nothing was told of it")?)
}

/// Compares every array while some disks are not there: those that can do without them are read as
/// before, of the others it is said what is missing.
fn without(work: &Work, told: &BTreeMap<&str, Manifest>, left_out: &[usize]) -> Result<Outcome> {
    let there = (0..MEMBERS.len()).filter(|index| !left_out.contains(index));
    let disks: Vec<&str> = there.map(|index| MEMBERS[index]).collect();
    let discovery = discover(work, &disks, "")?;
    let mut compared = 0;
    let mut check = || -> Result<usize> {
        for (index, array) in ARRAYS.iter().enumerate() {
            let Is::Plain(spare) = array.is else { continue };
            let missing = left_out.iter().filter(|disk| **disk < array.devices).count();
            if missing == array.devices {
                continue;
            }
            let volume = find(&discovery, &array.id(index + 1))?;
            let enough = (missing <= spare).then_some(spare);
            compared += still_read(volume, enough, told.get(array.name))
                .with_context(|| format!("{} without {left_out:?}", array.name))?;
        }
        Ok(compared)
    };
    let outcome = check();
    Ok((format!("all that is left without {left_out:?}"), outcome))
}

/// Compares an array that lacks members. `enough` says that it must be readable.
fn still_read(volume: &Volume, enough: Option<usize>, told: Option<&Manifest>) -> Result<usize> {
    if enough.is_some() || volume.reader.is_some() {
        return compare(volume, told.context("nothing was told of it")?);
    }
    match volume.problem.as_ref().map(|problem| problem.kind()) {
        Some(ErrorKind::NotFound) => Ok(0),
        kind => bail!("it should be said that members are missing, not {kind:?}"),
    }
}

/// Asks mdadm what the superblocks say, and compares that with what we say.
fn examined(work: &Work) -> Result<Vec<Outcome>> {
    let discovery = discover(work, &MEMBERS, "")?;
    let table = work.bash("sfdisk -l -o START,SECTORS -q member0.img | tail -n +2")?;
    let mut outcomes = Vec::new();
    for (index, line) in table.lines().enumerate().take(ARRAYS.len()) {
        let array = &ARRAYS[index];
        if array.devices == 0 {
            continue;
        }
        let id = volume(array.name, array.options, index + 1);
        outcomes.push((format!("mdadm of {id}"), examine(work, &discovery, &id, line)));
    }
    Ok(outcomes)
}

fn examine(work: &Work, discovery: &Discovery, id: &str, place: &str) -> Result<usize> {
    let (start, sectors) = place.trim().split_once(' ').context("no place")?;
    let sectors = sectors.trim();
    work.bash(&format!(
        "dd if=member0.img of=one bs=512 skip={start} count={sectors} status=none"
    ))?;
    crate::oracle::volume::arrays::examine(work, "one", &find(discovery, id)?.layer)?;
    Ok(1)
}
/// Compares the small arrays with the pattern, and keeps them for the tests of `volume`.
fn patterns(work: &Work, bless: bool) -> Result<Vec<Outcome>> {
    let discovery = discover(work, &MEMBERS, "")?;
    let outcome = |(part, array): (usize, &Array)| {
        let id = volume(&format!("tiny-{}", array.name), array.options, part);
        (id.clone(), is_pattern(&discovery, &id))
    };
    let outcomes = tiny().map(outcome).collect();
    if bless {
        keep(work)?;
    }
    Ok(outcomes)
}

fn is_pattern(discovery: &Discovery, id: &str) -> Result<usize> {
    let volume = find(discovery, id)?;
    let (Some(reader), None) = (&volume.reader, &volume.problem) else {
        bail!("it is not read: {:?}", volume.problem);
    };
    let mut bytes = vec![0; reader.len() as usize];
    reader.read_at(0, &mut bytes)?;
    let expected = pattern(bytes.len());
    match bytes.iter().zip(&expected).position(|(one, other)| one != other) {
        Some(at) => bail!("it differs at byte {at}"),
        None => Ok(bytes.len() / CHUNK),
    }
}

/// Writes the members of the small arrays one behind the other, with a list of what they are.
fn keep(work: &Work) -> Result<()> {
    let to = shell::project().join("crates/volume/tests/arrays");
    fs::create_dir_all(&to)?;
    let mut list = String::new();
    let mut script = String::from("rm -f members\n");
    for (part, array) in tiny() {
        let Is::Plain(spare) = array.is else { continue };
        let id = volume(&format!("tiny-{}", array.name), array.options, part);
        let sizes = (0..array.devices).map(|disk| sectors(array.name, disk, false).to_string());
        let sizes: Vec<String> = sizes.collect();
        list.push_str(&format!("{id} {spare} {}\n", sizes.join(" ")));
        for disk in 0..array.devices {
            script.push_str(&format!(
                "start=$(sfdisk -l -o START -q member{disk}.img | tail -n +2 | sed -n {part}p)
                 dd if=member{disk}.img bs=512 skip=$start count={} status=none >> members\n",
                sectors(array.name, disk, false)
            ));
        }
    }
    script.push_str(&format!(
        "zstd -q -f --ultra -22 --long=27 members -o {}/members.zst",
        to.display()
    ));
    work.bash(&script)?;
    fs::write(to.join("list.txt"), list)?;
    Ok(())
}
