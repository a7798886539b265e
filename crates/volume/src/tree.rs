//! The tree, as a person reads it.

use std::fmt::Write;

use crate::volume::{Discovery, Volume, VolumeId};

/// Draws the volumes as a tree. `describe` says what to print of each one behind its id.
pub fn render(discovery: &Discovery, describe: &dyn Fn(&Volume) -> String) -> String {
    let mut text = String::new();
    for volume in &discovery.volumes {
        if volume.parents.is_empty() {
            let _ = writeln!(text, "{}  {}", volume.id, describe(volume));
            branch(discovery, &volume.id, "", describe, &mut text);
        }
    }
    text
}

/// A volume that lies on several others is drawn beneath the first of them.
fn branch(
    discovery: &Discovery,
    parent: &VolumeId,
    indent: &str,
    describe: &dyn Fn(&Volume) -> String,
    text: &mut String,
) {
    let children: Vec<_> =
        discovery.volumes.iter().filter(|volume| volume.parents.first() == Some(parent)).collect();
    for (index, child) in children.iter().enumerate() {
        let last = index + 1 == children.len();
        let (knee, next) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(text, "{indent}{knee}{}  {}", child.id, describe(child));
        branch(discovery, &child.id, &format!("{indent}{next}"), describe, text);
    }
}
