//! What the daemon of autofs mounts when somebody looks at it.

use fathom_block::{Error, ErrorKind, Result};
use fathom_filesystem::{FileType, Tree};

use crate::fstab::Line;
use crate::text;

const MASTER: &str = "/etc/auto.master";
const FOLDER: &str = "/etc/auto.master.d";

/// The kind of such a mount: what is mounted in the end, only who holds the map knows.
pub(crate) const KIND: &str = "autofs";

/// The longest map that is read, and the most places that maps have with sense.
const MAX_MAP: usize = 1 << 20;
const MAX_PLACES: usize = 10_000;

/// A line for every place beneath which it mounts, and where it says so.
pub(crate) fn lines(tree: &Tree) -> Result<Vec<(String, Line)>> {
    let mut maps = vec![MASTER.to_owned()];
    match tree.read_dir(FOLDER.as_bytes()) {
        Ok(entries) => maps.extend(
            entries
                .iter()
                .map(|entry| String::from_utf8_lossy(&entry.name))
                .filter(|name| name.ends_with(".autofs"))
                .map(|name| format!("{FOLDER}/{name}")),
        ),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut lines = Vec::new();
    for path in maps {
        let Some(text) = read(tree, &path)? else { continue };
        for words in entries(&text) {
            let [place, map, options @ ..] = &words[..] else { continue };
            let options = options.iter().map(|word| word.trim_start_matches('-').to_owned());
            let options: Vec<String> = options.collect();
            let mut add = |place: &str, what: &str, path: &str| {
                if lines.len() >= MAX_PLACES {
                    let why = format!("more than {MAX_PLACES} places are mounted");
                    return Err(Error::unsupported(path, why));
                }
                let line = Line {
                    device: what.to_owned(),
                    path: place.trim_end_matches('/').to_owned(),
                    kind: KIND.to_owned(),
                    options: options.clone(),
                };
                lines.push((path.to_owned(), line));
                Ok(())
            };
            if place != "/-" {
                if place.starts_with('/') {
                    add(place, map, &path)?;
                }
                continue;
            }
            // The places of a direct map stand in it.
            let map = map.strip_prefix("file:").unwrap_or(map);
            let Some(text) = map.starts_with('/').then(|| read(tree, map)).transpose()?.flatten()
            else {
                let why = format!("the places that {map} has are not known");
                return Err(Error::unsupported(path, why));
            };
            for words in entries(&text) {
                if let [place, .., what] = &words[..]
                    && place.starts_with('/')
                {
                    add(place, what, map)?;
                }
            }
        }
    }
    Ok(lines)
}

/// The text of a map; nothing where there is none, or where it is a program, which nobody runs here.
fn read(tree: &Tree, path: &str) -> Result<Option<String>> {
    match tree.metadata(path.as_bytes()) {
        Ok(metadata) if metadata.file_type == FileType::File && metadata.mode & 0o111 == 0 => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    text::whole(path, tree.read(path.as_bytes(), MAX_MAP)?).map(Some)
}

/// The words of each entry; a backslash at the end of a line joins the next.
fn entries(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.starts_with(['#', '+']));
    let words = lines.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    words.filter(|words| !words.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn places_of_maps() {
        let tree = memory::tree(&[
            (MASTER, b"# comment\n/home /etc/auto.home --timeout=60\n/- file:/etc/auto.direct\n+auto.master\n"),
            ("/etc/auto.direct", b"/srv/a -ro \\\n nas:/a\n"),
            ("/etc/auto.master.d/x.autofs", b"/x yp:auto.x\n"),
            ("/etc/auto.master.d/y", b"/y yp:auto.y\n"),
        ]);
        let shown: Vec<_> = lines(&tree)
            .unwrap()
            .into_iter()
            .map(|(path, line)| format!("{path} {} {}", line.path, line.device))
            .collect();
        let expected = [
            "/etc/auto.master /home /etc/auto.home",
            "/etc/auto.direct /srv/a nas:/a",
            "/etc/auto.master.d/x.autofs /x yp:auto.x",
        ];
        assert_eq!(shown, expected);
        let hidden = memory::tree(&[(MASTER, b"/- ldap:auto.direct\n")]);
        assert!(lines(&hidden).is_err());
        assert!(lines(&memory::tree(&[])).unwrap().is_empty());
    }
}
