//! The homes of people, who may have an engine of containers, or applications, of their own there.

use fathom_block::Error;

use crate::files::{Files, Read};
use crate::lines::at_most;

/// The first number of an account that is a person's.
const FIRST_PERSON: u32 = 1000;

/// In how many homes is looked.
const MAX_HOMES: usize = 1000;

/// A person's home.
pub(crate) struct Home {
    pub(crate) user: String,
    pub(crate) id: Option<u32>,
    pub(crate) path: String,
}

/// The homes that `/etc/passwd` names, and what else is in `/home`: accounts may be on a server. What
/// cannot be read is noted, and hides what `hides` says.
pub(crate) fn of(files: &Files<'_>, hides: &str) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    if let Read::There(text) = files.text("/etc/passwd", hides) {
        homes.extend(text.lines().filter_map(home));
    }
    for (name, _) in files.children("/home", hides).there().unwrap_or_default() {
        let path = format!("/home/{name}");
        if homes.iter().all(|home| home.path != path) {
            homes.push(Home { user: name, id: None, path });
        }
    }
    at_most(homes, MAX_HOMES, |why| files.note(&Error::unsupported("/home", why), "/home", hides))
}

fn home(line: &str) -> Option<Home> {
    let mut fields = line.split(':');
    let user = fields.next()?.to_owned();
    let id: u32 = fields.nth(1)?.parse().ok()?;
    let path = fields.nth(2)?.trim_end_matches('/').to_owned();
    let is_person = id >= FIRST_PERSON && path.starts_with('/');
    is_person.then_some(Home { user, id: Some(id), path })
}
