//! What a file says of a version.

use fathom_report::Fact;

use super::HIDES;
use super::known::States;
use super::places::Place;
use crate::files::{Files, Read};
use crate::lines::Lines;
use crate::shell::assignments;

/// How much of a file is looked at for the text before a version.
const MAX_SEARCHED: usize = 8 << 20;

/// The longest version there is.
const MAX_VERSION: usize = 100;

/// The version of what lies at the place.
pub(super) fn of(files: &Files<'_>, states: States, place: &Place) -> Fact<String> {
    let path = |file: &str| match file {
        "" => place.file.clone(),
        file => format!("{}/{file}", place.home),
    };
    let (path, read) = match states {
        States::Nothing => return Fact::unknown("nothing in its place states its version"),
        States::Name => {
            let is_version = |name: &String| name.starts_with(|first: char| first.is_ascii_digit());
            let name = Read::There(place.matched.clone().filter(is_version));
            (place.file.clone(), name)
        }
        States::Line(file) => {
            let path = path(file);
            let line = |text: String| text.lines().next().map(|line| line.trim().to_owned());
            (path.clone(), files.text(&path, HIDES).map(line))
        }
        States::Variable(file, name) => {
            let path = path(file);
            let value = |text: String| assignments(&text).remove(name);
            (path.clone(), files.text(&path, HIDES).map(value))
        }
        States::Macros(file, names) => {
            let path = path(file);
            (path.clone(), files.text(&path, HIDES).map(|text| macros(&text, names)))
        }
        States::After(file, text) => {
            let path = path(file);
            (path.clone(), after(files, &path, text))
        }
    };
    match read {
        Read::There(Some(version)) if is_version(&version) => Fact::known(version, path),
        Read::There(_) => Fact::unknown(format!("{path} does not state its version")),
        Read::Absent => Fact::unknown(format!("{path}, which would state its version, is missing")),
        Read::Unread(why) => Fact::unknown(why),
    }
}

/// Versions have a digit, and are words.
fn is_version(version: &str) -> bool {
    version.len() <= MAX_VERSION
        && version.bytes().any(|byte| byte.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The word behind the text in the file.
pub(super) fn after(files: &Files<'_>, path: &str, text: &str) -> Read<Option<String>> {
    let mut lines = match files.open(path, HIDES) {
        Read::There(reader) => Lines::new(reader),
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    let mut searched = 0;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => String::from_utf8_lossy(line),
            Ok(None) => return Read::There(None),
            Err(error) => {
                files.note(&error, path, HIDES);
                return Read::Unread(error.to_string());
            }
        };
        if let Some((_, rest)) = line.split_once(text) {
            let word = rest.split(|next: char| next.is_whitespace() || "\"'<>,;".contains(next));
            return Read::There(word.map(str::to_owned).next());
        }
        searched += line.len() + 1;
        if searched > MAX_SEARCHED {
            return Read::There(None);
        }
    }
}

/// The values of macros of C, with dots between them.
fn macros(text: &str, names: &[&str]) -> Option<String> {
    let value = |name: &&str| {
        text.lines().find_map(|line| {
            let mut words = line.strip_prefix("#define")?.split_whitespace();
            let value = (words.next() == Some(*name)).then(|| words.next()).flatten()?;
            Some(value.trim_matches('"').to_owned())
        })
    };
    let values: Option<Vec<String>> = names.iter().map(value).collect();
    Some(values?.join("."))
}
