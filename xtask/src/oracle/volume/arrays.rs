//! Arrays of md. The kernel of the test machine has no md, so these were made by one that has, of
//! `cargo xtask appliance`, and kept; here mdadm says what their superblocks say.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use fathom_volume::Layer;

use super::super::{Case, Work};
use super::{bytes, volume};
use crate::shell;

/// How large the chunks of the pattern are that the arrays are filled with.
const CHUNK: usize = 4096;

/// An array, small enough to be kept.
pub(crate) struct Small {
    /// What it is found as.
    pub(crate) id: String,
    pub(crate) members: Vec<Vec<u8>>,
}

pub(super) fn cases() -> Vec<Case> {
    vec![Case::new("volume/md", |work: &Work| {
        for array in small(work)? {
            check(work, &array).with_context(|| array.id.clone())?;
        }
        Ok(())
    })]
}

/// The arrays that are kept for the tests of `volume`.
pub(crate) fn small(work: &Work) -> Result<Vec<Small>> {
    let from = shell::project().join("crates/volume/tests/arrays");
    work.bash(&format!("zstd -q -d -f --long=27 {}/members.zst -o members", from.display()))?;
    let members = fs::read(work.path("members"))?;
    let mut rest = members.as_slice();
    let mut arrays = Vec::new();
    for line in fs::read_to_string(from.join("list.txt"))?.lines() {
        let mut words = line.split(' ');
        let id = words.next().context("an empty line")?.to_owned();
        let mut members = Vec::new();
        for sectors in words.skip(1) {
            let length = sectors.parse::<usize>()? * 512;
            let (member, after) = rest.split_at_checked(length).context("members are missing")?;
            members.push(member.to_vec());
            rest = after;
        }
        arrays.push(Small { id, members });
    }
    Ok(arrays)
}

fn check(work: &Work, array: &Small) -> Result<()> {
    let names: Vec<String> =
        (0..array.members.len()).map(|index| format!("member{index}")).collect();
    for (name, member) in names.iter().zip(&array.members) {
        fs::write(work.path(name), member)?;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let discovery = work.discover(&names, &[])?;
    let found = volume(&discovery, &array.id)?;
    for (number, chunk) in bytes(found)?.chunks(CHUNK).enumerate() {
        let head = chunk.len().min(8);
        let fill = (number * 37 + 11) as u8;
        let is_right = chunk[..head] == number.to_le_bytes()[..head]
            && chunk[head..].iter().all(|byte| *byte == fill);
        ensure!(is_right, "chunk {number} is another");
    }
    names.iter().try_for_each(|name| examine(work, name, &found.layer))
}

/// Compares what mdadm says of a member with what we say of its array.
pub(crate) fn examine(work: &Work, member: &str, layer: &Layer) -> Result<()> {
    let said = work.bash(&format!("mdadm --examine --export {member}"))?;
    let said =
        |name: &str| said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let Layer::Array { level, uuid, name, metadata, devices, .. } = layer else {
        bail!("it is no array");
    };
    let same = |what: &str, ours: &str| {
        let theirs = said(what).unwrap_or_default();
        ensure!(theirs == ours, "{what}: {ours:?}, by mdadm {theirs:?}");
        Ok(())
    };
    same("MD_LEVEL", level)?;
    same("MD_UUID", uuid)?;
    same("MD_DEVICES", &devices.to_string())?;
    let version =
        work.bash(&format!("mdadm --examine {member} | awk '$1 == \"Version\" {{ print $3 }}'"))?;
    let version = version.trim();
    ensure!(
        version.trim_end_matches(".00") == *metadata,
        "version: {metadata:?}, by mdadm {version:?}"
    );
    name.as_ref().map_or(Ok(()), |name| same("MD_NAME", name))
}
