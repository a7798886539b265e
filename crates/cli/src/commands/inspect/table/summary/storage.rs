//! What the disks are made of, and how full they are.

use std::io::{self, Write};

use fathom_document::view::percent;
use fathom_report::{Report, System};
use unicode_width::UnicodeWidthStr as _;

use super::{Said, counted};
use crate::terminal::{Paint, Style};
use crate::text::{harmless, size};

/// How wide a bar is.
const BAR: usize = 10;

/// From how many percent on a filesystem is nearly full.
const NEARLY_FULL: u8 = 90;

/// How many mounts there are.
pub(super) fn mounts(system: &System) -> Said {
    counted(&system.mounts, ("in fstab", "in fstab"))
}

/// A bar that is as full as the filesystem.
fn bar(percent: u8) -> String {
    let full = (usize::from(percent) * BAR).div_ceil(100).min(BAR);
    format!("{}{}", "█".repeat(full), "░".repeat(BAR - full))
}

/// What the disks are made of. A narrow terminal goes without bars, a narrower one without health.
pub(super) fn volumes(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let volumes = &report.storage.volumes;
    let widest =
        |of: &dyn Fn(&fathom_report::Volume) -> usize| volumes.iter().map(of).max().unwrap_or(0);
    let names = widest(&|it| harmless(&it.id).width());
    let sizes = widest(&|it| size(it.size).len());
    let contents = widest(&|it| harmless(&it.content).width());
    let width = style.width.unwrap_or(usize::MAX);
    let base = 2 + names + 2 + sizes + 2 + contents;
    let (bars, health) = (base + 30 <= width, base + 16 <= width);
    for volume in volumes {
        let (name, content) = (harmless(&volume.id), harmless(&volume.content));
        let mut line = format!(
            "  {name}{:1$}  {2:>sizes$}  {content}",
            "",
            names - name.width(),
            size(volume.size)
        );
        let used = volume.used.and_then(|used| percent(used, volume.size));
        // Where even that is too wide, what follows is not aligned.
        let fill = if base + 6 <= width { contents - content.width() } else { 0 };
        if let Some(percent) = used {
            line.extend(std::iter::repeat_n(' ', fill));
            let shown = match bars {
                true => format!("  {} {percent:>3}%", bar(percent)),
                false => format!("  {percent:>3}%"),
            };
            let full = percent >= NEARLY_FULL;
            line.push_str(&if full { style.paint(Paint::Critical, &shown) } else { shown });
        }
        let state = match (&volume.health, volume.encrypted) {
            (Some(health), _) => harmless(health),
            (None, true) => "encrypted".to_owned(),
            (None, false) => String::new(),
        };
        // What is damaged is said however narrow it is.
        let grave = !matches!(state.as_str(), "" | "clean" | "replayed");
        if !state.is_empty() && (health || grave) {
            if used.is_none() {
                line.extend(std::iter::repeat_n(' ', fill + if bars { BAR + 7 } else { 6 }));
            }
            let state = if grave { style.paint(Paint::Warning, &state) } else { state };
            line.push_str("  ");
            line.push_str(&state);
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
