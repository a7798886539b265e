//! Which feeds are meant by what was typed to `fathom db build`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use fathom_block::Location;
use fathom_feed::provider::{PROVIDERS, Provider};
use fathom_profile::distance;

use crate::exit::Failure;

/// A feed, and where it is.
pub(super) struct Feed {
    pub(super) provider: &'static Provider,
    pub(super) place: Place,
}

/// Where a feed is.
pub(super) enum Place {
    File(PathBuf),
    Address(String),
}

/// The feeds that were named, and those in folders that were.
pub(super) fn feeds(named: &[OsString]) -> Result<Vec<Feed>, Failure> {
    let mut feeds = Vec::new();
    for word in named {
        add(word, &mut feeds)?;
    }
    feeds.sort_by_key(|feed| feed.provider.name);
    let is_twice = |pair: &&[Feed]| pair.iter().all(|it| it.provider.name == pair[0].provider.name);
    if let Some([one, ..]) = feeds.windows(2).find(is_twice) {
        let why = format!("there are two feeds of {}: name one of them", one.provider.name);
        return Err(Failure::Usage(why));
    }
    Ok(feeds)
}

/// Adds what one word means.
fn add(word: &OsStr, feeds: &mut Vec<Feed>) -> Result<(), Failure> {
    let (provider, place) = named_before(word)?;
    if let Some(address) = place.to_str().filter(|it| is_address(it)) {
        let file = file_of(address);
        let provider = provider.or_else(|| Provider::of(Path::new(file)));
        let shown = Location::Url(address.to_owned()).to_string();
        let provider = provider.ok_or_else(|| unknown(&shown, file))?;
        feeds.push(Feed { provider, place: Place::Address(address.to_owned()) });
        return Ok(());
    }
    let path = Path::new(place);
    let shown = path.display().to_string();
    let metadata = fs::metadata(path).map_err(Failure::reading(shown.clone()))?;
    if metadata.is_dir() {
        return add_all(path, feeds);
    }
    // A pipe would be waited for, and cannot be read twice.
    if !metadata.is_file() {
        return Err(Failure::Usage(format!("{shown} is neither a file nor a folder")));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let provider = provider.or_else(|| Provider::of(path)).ok_or_else(|| unknown(&shown, &name))?;
    feeds.push(Feed { provider, place: Place::File(path.to_owned()) });
    Ok(())
}

/// Adds the feeds in a folder.
fn add_all(folder: &Path, feeds: &mut Vec<Feed>) -> Result<(), Failure> {
    let shown = folder.display().to_string();
    let before = feeds.len();
    for entry in fs::read_dir(folder).map_err(Failure::reading(shown.clone()))? {
        let path = entry.map_err(Failure::reading(shown.clone()))?.path();
        let provider = Provider::of(&path).filter(|_| !path.is_dir());
        feeds.extend(provider.map(|provider| Feed { provider, place: Place::File(path) }));
    }
    match feeds.len() == before {
        true => Err(Failure::Usage(format!("{shown} holds no feed by its name; {}", known()))),
        false => Ok(()),
    }
}

/// The feed that is named before a place, as in `debian-osv=https://…/all.zip`.
fn named_before(word: &OsStr) -> Result<(Option<&'static Provider>, &OsStr), Failure> {
    let parted = word.to_str().filter(|it| !is_address(it)).and_then(|it| it.split_once('='));
    let Some((name, place)) = parted else { return Ok((None, word)) };
    match PROVIDERS.iter().find(|provider| provider.feed == name) {
        Some(provider) => Ok((Some(provider), OsStr::new(place))),
        // Files may have such names too.
        None if fs::symlink_metadata(word).is_ok() || name.contains('/') => Ok((None, word)),
        None => Err(unknown(name, name)),
    }
}

fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// The name of the file that an address ends with.
fn file_of(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    path.rsplit('/').next().unwrap_or(path)
}

fn unknown(shown: &str, name: &str) -> Failure {
    let name = name.split('.').next().unwrap_or(name);
    let meant = nearest(name).map_or_else(String::new, |it| format!(" (is it {it}?)"));
    Failure::Usage(format!("{shown} is no feed by its name{meant}; {}", known()))
}

fn known() -> String {
    let names: Vec<_> = PROVIDERS.iter().map(|it| it.feed).collect();
    format!("there are {}", names.join(", "))
}

/// The feed whose name begins with this, or is almost this.
fn nearest(name: &str) -> Option<&'static str> {
    let begun = PROVIDERS.iter().find(|it| name.len() > 2 && it.feed.starts_with(name));
    if let Some(begun) = begun {
        return Some(begun.feed);
    }
    let by_distance = PROVIDERS.iter().map(|it| (distance(name, it.feed), it.feed));
    let (distance, feed) = by_distance.min()?;
    (distance * 3 <= feed.len().max(6)).then_some(feed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        for (typed, meant) in [
            ("debain-osv", Some("debian-osv")),
            ("kevv", Some("kev")),
            ("redhat-cve", Some("redhat-cve-api")),
            ("epss-scores", Some("epss_scores")),
            ("something", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed), meant, "{typed}");
        }
    }

    #[test]
    fn what_is_no_name_of_a_feed_is_said() {
        let why = |word: &str| match feeds(&[word.into()]) {
            Err(failure) => failure.why().unwrap_or_default(),
            Ok(_) => String::new(),
        };
        let said = why("debain-osv=https://user:word@host/all.zip?token=1");
        assert!(
            said.starts_with("debain-osv is no feed by its name (is it debian-osv?)"),
            "{said}"
        );
        let said = why("https://user:word@host/files/thing.zip?token=1");
        assert!(said.starts_with("https://host/files/thing.zip is no feed"), "{said}");
        assert!(why("foo=none/kev.json").starts_with("foo is no feed by its name; there are"));
        assert!(why("kev=/dev/null").contains("neither a file nor a folder"));
    }
}
