//! What the disks are made of, and how full they are.

use std::io::{self, Write};

use fathom_document::view::percent;
use fathom_report::{Report, System};
use unicode_width::UnicodeWidthStr as _;

use super::super::layout::wrap;
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
    if base + 6 > width {
        return narrow(report, (names, sizes, width), style, out);
    }
    for volume in volumes {
        let (name, content) = (harmless(&volume.id), harmless(&volume.content));
        let mut line = format!(
            "  {name}{:1$}  {2:>sizes$}  {content}",
            "",
            names - name.width(),
            size(volume.size)
        );
        let used = volume.used.and_then(|used| percent(used, volume.size));
        let fill = contents - content.width();
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

/// The same where it does not fit: what is long stands last, and goes on below.
fn narrow(
    report: &Report,
    (names, sizes, width): (usize, usize, usize),
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for volume in &report.storage.volumes {
        let name = harmless(&volume.id);
        let used = volume.used.and_then(|used| percent(used, volume.size));
        let shown = used.map_or("    ".to_owned(), |percent| format!("{percent:>3}%"));
        let mut content = harmless(&volume.content);
        match volume.health.as_deref() {
            Some("clean" | "replayed") => {}
            Some(health) => content.push_str(&format!(", {}", harmless(health))),
            None if volume.encrypted => content.push_str(", encrypted"),
            None => {}
        }
        let lead = 2 + names + 2 + sizes + 2 + 4 + 2;
        let room = width.saturating_sub(lead).max(12);
        let mut head =
            format!("  {name}{:1$}  {2:>sizes$}  ", "", names - name.width(), size(volume.size));
        let full = used.is_some_and(|percent| percent >= NEARLY_FULL);
        head.push_str(&if full { style.paint(Paint::Critical, &shown) } else { shown });
        for (number, line) in wrap(&content, room).iter().enumerate() {
            let head = if number == 0 { head.clone() } else { " ".repeat(lead - 2) };
            writeln!(out, "{}", format!("{head}  {line}").trim_end())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fathom_report::{Listing, Storage};

    use super::*;

    #[test]
    fn rows_stay_in_columns_on_a_narrow_terminal() {
        let volume = |id: &str, content: &str, used: Option<u64>| {
            let document = serde_json::json!({"id": id, "parents": [], "size": 1 << 30, "used": used,
                "layer": "partition", "content": content, "encrypted": false});
            serde_json::from_value(document).unwrap()
        };
        let long = "LVM physical volume of a_group_with_a_rather_long_name_indeed";
        let volumes =
            vec![volume("disk0/p1", long, None), volume("disk0/p2", "ext4", Some(1 << 29))];
        let report = Report {
            schema: String::new(),
            generator: String::new(),
            disks: Vec::new(),
            systems: Vec::new(),
            storage: Storage { volumes },
            concerns: Listing::complete(Vec::new(), Vec::new()),
            undecided: Vec::new(),
            profiles: Vec::new(),
            problems: Vec::new(),
        };
        let mut out = Vec::new();
        super::volumes(&report, Style { width: Some(60), colour: false }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.width() <= 60), "{text}");
        let column = lines.first().and_then(|line| line.find("LVM"));
        assert_eq!(column, lines.last().and_then(|line| line.find("ext4")), "{text}");
    }
}
