//! Where the storage is.

use fathom_block::Error;
use fathom_report::Containers;

use super::super::settings::{Setting, setting};
use super::super::source::Source;
use super::super::{HIDES, Root, hide, present};
use crate::files::Read;
use crate::homes::Home;

/// Where root's is, unless the configuration says otherwise.
const ROOT: &str = "/var/lib/containers/storage";

/// The configuration: the administrator's, or where there is none the distribution's.
const CONFIGURATION: [&str; 2] =
    ["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"];

/// The configuration of a person.
const OF_PERSON: &str = ".config/containers/storage.conf";

/// The folders that are there. One that it was moved from may still hold some.
pub(super) fn roots(source: &Source<'_, '_>, homes: &[Home], all: &mut Containers) -> Vec<Root> {
    let mut candidates: Vec<(String, Option<String>)> = Vec::new();
    let mut rootless = None;
    for path in CONFIGURATION {
        if let Some(text) = text(source, all, path) {
            let places = places(source, all, path, &text);
            candidates.extend(places.into_iter().map(|place| (place, None)));
            rootless = value(source, all, path, &text, "storage", "rootless_storage_path");
            break;
        }
    }
    candidates.push((ROOT.to_owned(), None));
    for home in homes {
        let path = format!("{}/{OF_PERSON}", home.path);
        let mut own = Vec::new();
        if let Some(text) = text(source, all, &path) {
            own = places(source, all, &path, &text);
        }
        own.extend(rootless.clone().into_iter().flatten());
        own.push("$HOME/.local/share/containers/storage".to_owned());
        let of_home = own.iter().filter_map(|place| expanded(place, home));
        candidates.extend(of_home.map(|place| (place, Some(home.user.clone()))));
    }
    candidates.retain(|(place, _)| place.starts_with('/'));
    present(source, all, candidates)
}

fn text(source: &Source<'_, '_>, all: &mut Containers, path: &str) -> Option<String> {
    match source.files.text(path, HIDES) {
        Read::There(text) => Some(text),
        Read::Absent => None,
        Read::Unread(why) => {
            hide(all, &why);
            None
        }
    }
}

/// The places that a configuration names.
fn places(source: &Source<'_, '_>, all: &mut Containers, path: &str, text: &str) -> Vec<String> {
    let settings = [
        ("storage", "graphroot"),
        ("storage", "imagestore"),
        ("storage.options", "additionalimagestores"),
        ("storage.options", "imagestore"),
    ];
    let values = settings.map(|(section, name)| value(source, all, path, text, section, name));
    values.into_iter().flatten().flatten().filter(|place| !place.is_empty()).collect()
}

fn value(
    source: &Source<'_, '_>,
    all: &mut Containers,
    path: &str,
    text: &str,
    section: &str,
    name: &str,
) -> Option<Vec<String>> {
    match setting(text, section, name) {
        Setting::Unset => None,
        Setting::Set(values) => Some(values),
        Setting::Other => {
            let why = format!("{name} is not set in a way that is understood");
            if let Read::Unread(why) =
                source.wrong::<()>(Error::unsupported("storage.conf", why), path)
            {
                hide(all, &why);
            }
            None
        }
    }
}

/// A place with the variables of a person in it; nothing where one is not known.
fn expanded(place: &str, home: &Home) -> Option<String> {
    let id = home.id.map(|id| id.to_string());
    let mut expanded = place.replace("$HOME", &home.path).replace("$USER", &home.user);
    if expanded.contains("$UID") {
        expanded = expanded.replace("$UID", &id?);
    }
    Some(expanded)
}
