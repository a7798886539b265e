//! What the system is and starts with.

use fathom_report::{EndOfLife, Fact, System};

use super::{Said, counted_with};
use crate::text::harmless;

/// The lines of the section.
pub(super) fn lines(system: &System) -> Vec<(&'static str, Said)> {
    let identity = &system.identity;
    let text = |fact: &Fact<String>| Said::fact(fact, Clone::clone);
    let known: Vec<&str> = [&identity.distribution, &identity.version, &identity.codename]
        .iter()
        .filter_map(|fact| fact.value().map(String::as_str))
        .collect();
    let name = match known.is_empty() {
        true => text(&identity.distribution),
        false => Said::plain(harmless(&known.join(" "))),
    };
    let mut lines = vec![("system", name), ("release", text(&identity.build))];
    // Most systems know no editions, and that is nothing to be said.
    if !matches!(identity.edition, Fact::Absent { .. }) {
        lines.push(("edition", text(&identity.edition)));
    }
    lines.extend([
        ("end of life", Said::fact(&identity.end_of_life, end_of_life)),
        ("architecture", Said::fact(&identity.architecture, |it| it.0.clone())),
        ("host name", text(&identity.hostname)),
        ("machine id", text(&identity.machine_id)),
        ("time zone", text(&identity.time_zone)),
        ("language", text(&identity.locale)),
        ("installed", text(&identity.installed)),
    ]);
    lines
}

fn end_of_life(end: &EndOfLife) -> String {
    match &end.extended {
        Some(extended) => format!("{}, extended until {extended}", end.support),
        None => end.support.clone(),
    }
}

/// How many kernels there are, and which one starts.
pub(super) fn kernels(system: &System) -> Said {
    let boot = &system.boot;
    let starts = match &boot.default {
        Fact::Known { value, .. } => {
            let name = value.version.as_deref().or(value.title.as_deref());
            match name.or(value.image.as_deref()) {
                Some(name) => format!("{} starts", harmless(name)),
                None => format!("{} starts it", harmless(&value.loader)),
            }
        }
        Fact::Absent { .. } => "nothing says which one starts".to_owned(),
        Fact::Unknown { reason } => format!("which one starts is unknown: {}", harmless(reason)),
    };
    counted_with(&boot.kernels, ("kernel", "kernels"), &starts)
}
