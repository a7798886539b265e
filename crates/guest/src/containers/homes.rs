//! People who may have an engine of their own: it keeps its files in their homes.

use super::HIDES;
use super::source::Source;
use crate::files::Read;

/// The first number of an account that is a person's.
const FIRST_PERSON: u32 = 1000;

/// In how many homes is looked.
const MAX_HOMES: usize = 1000;

/// A person's home.
pub(super) struct Home {
    pub(super) user: String,
    pub(super) id: Option<u32>,
    pub(super) path: String,
}

/// The homes that `/etc/passwd` names, and what else is in `/home`: accounts may be on a server.
pub(super) fn of(source: &Source<'_, '_>) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    if let Read::There(text) = source.files.text("/etc/passwd", HIDES) {
        homes.extend(text.lines().filter_map(home));
    }
    for name in source.names("/home", |_| true) {
        let path = format!("/home/{name}");
        if homes.iter().all(|home| home.path != path) {
            homes.push(Home { user: name, id: None, path });
        }
    }
    if homes.len() > MAX_HOMES {
        source.too_many("/home");
        homes.truncate(MAX_HOMES);
    }
    homes
}

fn home(line: &str) -> Option<Home> {
    let mut fields = line.split(':');
    let user = fields.next()?.to_owned();
    let id: u32 = fields.nth(1)?.parse().ok()?;
    let path = fields.nth(2)?.trim_end_matches('/').to_owned();
    let is_person = id >= FIRST_PERSON && path.starts_with('/');
    is_person.then_some(Home { user, id: Some(id), path })
}
