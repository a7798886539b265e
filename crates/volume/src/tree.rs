//! The tree, as a person reads it.

use std::collections::HashMap;
use std::fmt::Write;

use crate::volume::{Discovery, Volume, VolumeId};

/// Draws the volumes as a tree. `describe` says what to print of each one behind its id.
///
/// A volume that lies on several others is drawn beneath the first of them, with the names of the
/// others; one that lies on nothing that was found stands at the top.
pub fn render(discovery: &Discovery, describe: &dyn Fn(&Volume) -> String) -> String {
    let mut children: HashMap<Option<&VolumeId>, Vec<&Volume>> = HashMap::new();
    for volume in &discovery.volumes {
        children.entry(volume.parents.first()).or_default().push(volume);
    }
    let mut text = String::new();
    // What is still to be drawn, the next one last: the volume, what is drawn before its siblings,
    // and whether it is the last of them.
    let mut open: Vec<(&Volume, String, bool)> = Vec::new();
    let roots = children.remove(&None).unwrap_or_default();
    open.extend(roots.into_iter().rev().map(|volume| (volume, String::new(), true)));
    while let Some((volume, indent, last)) = open.pop() {
        let top = volume.parents.is_empty();
        let (knee, next) = match (top, last) {
            (true, _) => ("", ""),
            (false, true) => ("└─ ", "   "),
            (false, false) => ("├─ ", "│  "),
        };
        let _ = write!(text, "{indent}{knee}{}  {}", volume.id, describe(volume));
        if let [_, others @ ..] = &volume.parents[..] {
            let others: Vec<&str> = others.iter().map(VolumeId::as_str).collect();
            if !others.is_empty() {
                let _ = write!(text, "  (also on {})", others.join(", "));
            }
        }
        text.push('\n');
        // Taking the children away makes sure that nothing is ever drawn twice.
        let children = children.remove(&Some(&volume.id)).unwrap_or_default();
        let indent = indent + next;
        for (index, child) in children.into_iter().rev().enumerate() {
            open.push((child, indent.clone(), index == 0));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Content, Layer};

    fn volume(id: &str, parents: &[&str]) -> Volume {
        Volume {
            id: VolumeId::new(id),
            parents: parents.iter().map(|parent| VolumeId::new(*parent)).collect(),
            layer: Layer::Disk { name: id.into(), sector_size: 512 },
            content: Content::Unknown,
            size: 0,
            reader: None,
            problem: None,
        }
    }

    #[test]
    fn the_tree_is_drawn_once_and_in_order() {
        let volumes = vec![
            volume("disk0", &[]),
            volume("disk1", &[]),
            volume("disk0/p1", &["disk0"]),
            volume("disk0/p2", &["disk0"]),
            volume("vg0/root", &["disk0/p1", "disk1"]),
            volume("vg0/swap", &["disk0/p1"]),
        ];
        let drawn =
            render(&Discovery { volumes, problems: Vec::new() }, &|volume| volume.size.to_string());
        let expected = "\
disk0  0
├─ disk0/p1  0
│  ├─ vg0/root  0  (also on disk1)
│  └─ vg0/swap  0
└─ disk0/p2  0
disk1  0
";
        assert_eq!(drawn, expected);
    }
}
