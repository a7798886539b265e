//! What the system is there for.

use fathom_report::{Coverage, System};

use super::{NAMED, Said, counted, counted_with};
use crate::text::harmless;

/// The applications, with their versions.
pub(super) fn applications(system: &System) -> Said {
    let applications = &system.applications;
    let mut shown: Vec<String> = applications
        .items
        .iter()
        .take(2 * NAMED)
        .map(|one| match one.version.value() {
            Some(version) => harmless(&format!("{} {version}", one.name)),
            None => harmless(&one.name),
        })
        .collect();
    if let Some(rest) = applications.items.len().checked_sub(2 * NAMED + 1) {
        shown.push(format!("{} more", rest + 1));
    }
    counted_with(applications, ("application", "applications"), &shown.join(", "))
}

/// How many containers and images there are.
pub(super) fn containers(system: &System) -> Said {
    let (containers, images) = (&system.containers.containers, &system.containers.images);
    let said = counted(containers, ("container", "containers"));
    let quiet = containers.coverage == Coverage::Complete && images.coverage == Coverage::Complete;
    if quiet && images.items.is_empty() {
        return said;
    }
    let images = counted(images, ("image", "images"));
    let paint = said.paint.or(images.paint);
    if said.text == images.text {
        return said;
    }
    let lead = if images.text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "images: " };
    Said { text: format!("{}; {lead}{}", said.text, images.text), paint }
}
