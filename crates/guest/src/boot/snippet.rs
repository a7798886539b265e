//! Entries of the Boot Loader Specification: one small file each.

use std::cmp::Ordering;

use fathom_block::Error;
use fathom_version::{rpm_part, uapi};

use super::HIDES;
use crate::files::{Files, Read};

/// The most entries that are read.
const MAX_ENTRIES: usize = 1000;

/// A file of the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snippet {
    /// Its name.
    pub(super) file: String,
    /// Its name with the ending, without the counters of tries.
    pub(super) id: String,
    /// How often it may still be tried; nothing where that is not counted.
    pub(super) tries_left: Option<u32>,
    pub(super) tries_done: u32,
    fields: Vec<(String, String)>,
}

impl Snippet {
    /// The last value of the field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// Every value of the field.
    pub(super) fn all<'s>(&'s self, name: &str) -> impl DoubleEndedIterator<Item = &'s str> {
        let fields = self.fields.iter().filter(move |(key, _)| key == name);
        fields.map(|(_, value)| value.as_str()).collect::<Vec<_>>().into_iter()
    }

    /// An entry that is told by other means.
    pub(super) fn made(file: &str, fields: Vec<(String, String)>) -> Self {
        let (id, tries_left, tries_done) = counted(file);
        Self { file: file.to_owned(), id, tries_left, tries_done, fields }
    }

    fn parse(file: &str, text: &str) -> Self {
        let mut fields = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some((key, value)) = line.split_once([' ', '\t']) {
                fields.push((key.to_owned(), value.trim().to_owned()));
            }
        }
        Self::made(file, fields)
    }
}

/// The entries in a folder; and the folder where there is one. What could not be read is noted. Where
/// one of them could not be, or there are too many, which of them counts is not known.
pub(super) fn read(files: &Files<'_>, folder: &str) -> Read<Vec<Snippet>> {
    let children = match files.children(folder, HIDES) {
        Read::There(children) => children,
        Read::Absent => return Read::Absent,
        Read::Unread(why) => return Read::Unread(why),
    };
    let names = children.iter().map(|(name, _)| name);
    let names: Vec<_> = names.filter(|name| name.ends_with(".conf") && name.len() > 5).collect();
    if names.len() > MAX_ENTRIES {
        let error = Error::unsupported(folder, format!("it has more than {MAX_ENTRIES} entries"));
        files.note(&error, folder, HIDES);
        return Read::Unread(error.to_string());
    }
    let mut snippets = Vec::new();
    for name in names {
        match files.text(&format!("{folder}/{name}"), HIDES) {
            Read::There(text) => snippets.push(Snippet::parse(name, &text)),
            Read::Absent => {}
            Read::Unread(why) => return Read::Unread(why),
        }
    }
    Read::There(snippets)
}

/// A name without `+LEFT` or `+LEFT-DONE` before its ending, and these numbers.
fn counted(file: &str) -> (String, Option<u32>, u32) {
    let plain = || (file.to_owned(), None, 0);
    let Some((stem, ending)) = file.rsplit_once('.') else { return plain() };
    let Some((name, counters)) = stem.rsplit_once('+') else { return plain() };
    let (left, done) = counters.split_once('-').unwrap_or((counters, "0"));
    match (left.parse(), done.parse()) {
        (Ok(left), Ok(done)) => (format!("{name}.{ending}"), Some(left), done),
        _ => plain(),
    }
}

/// The order of GRUB's `blscfg`: newer names first, each taken for name, version and release of a
/// package.
pub(super) fn grub_order(one: &Snippet, other: &Snippet) -> Ordering {
    let parts = |id: &str| {
        let id = id.strip_suffix(".conf").unwrap_or(id).to_owned();
        let mut parts = id.rsplitn(3, '-').map(str::to_owned);
        let (release, version) = (parts.next(), parts.next());
        let name = parts.next();
        match (name, version, release) {
            (None, None, Some(only)) => [only, String::new(), String::new()],
            (name, version, release) => [name, version, release].map(Option::unwrap_or_default),
        }
    };
    let (one, other) = (parts(&one.id), parts(&other.id));
    let orders = one.iter().zip(&other).map(|(one, other)| rpm_part(other, one));
    orders.fold(Ordering::Equal, Ordering::then)
}

/// The order of systemd-boot.
pub(super) fn systemd_order(one: &Snippet, other: &Snippet) -> Ordering {
    let exhausted = |it: &Snippet| it.tries_left == Some(0);
    let by_key = match (one.get("sort-key"), other.get("sort-key")) {
        (Some(ours), Some(theirs)) => ours
            .cmp(theirs)
            .then_with(|| one.get("machine-id").cmp(&other.get("machine-id")))
            .then_with(|| {
                let [ours, theirs] = [one, other].map(|it| it.get("version").unwrap_or_default());
                uapi(theirs, ours)
            }),
        (ours, theirs) => ours.is_none().cmp(&theirs.is_none()),
    };
    exhausted(one)
        .cmp(&exhausted(other))
        .then(by_key)
        .then_with(|| uapi(&other.id.to_lowercase(), &one.id.to_lowercase()))
        .then_with(|| match (one.tries_left, other.tries_left) {
            (Some(ours), Some(theirs)) => {
                theirs.cmp(&ours).then(one.tries_done.cmp(&other.tries_done))
            }
            _ => Ordering::Equal,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, fields: &str) -> Snippet {
        Snippet::parse(name, fields)
    }

    #[test]
    fn lines_and_counters() {
        let it = named(
            "fedora-6.5+3-1.conf",
            "# no\ntitle  Fedora Linux\nversion 6.5\ninitrd /a\ninitrd /b\noptions a\n\tbad\n",
        );
        assert_eq!((it.id.as_str(), it.tries_left, it.tries_done), ("fedora-6.5.conf", Some(3), 1));
        assert_eq!(it.get("title"), Some("Fedora Linux"));
        assert_eq!(it.all("initrd").collect::<Vec<_>>(), ["/a", "/b"]);
        assert_eq!(it.get("linux"), None);
        for name in ["plain.conf", "a+b.conf", "a+1-x.conf", "+.conf"] {
            assert_eq!(named(name, "").tries_left, None, "{name}");
        }
    }

    #[test]
    fn grub_puts_the_newest_name_first() {
        let mut ids = [
            "0123-5.14.0-70.el9.x86_64.conf",
            "0123-5.14.0-427.el9.x86_64.conf",
            "0123-0-rescue.conf",
            "0123-5.9.1-1.el9.x86_64.conf",
        ]
        .map(|name| named(name, ""));
        ids.sort_by(grub_order);
        let ids: Vec<_> = ids.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "0123-5.14.0-427.el9.x86_64.conf",
                "0123-5.14.0-70.el9.x86_64.conf",
                "0123-5.9.1-1.el9.x86_64.conf",
                "0123-0-rescue.conf",
            ]
        );
    }

    #[test]
    fn systemd_puts_keys_and_then_versions_first() {
        let mut entries = [
            named("z-old.conf", "version 9"),
            named("a+0.conf", "sort-key a\nversion 99"),
            named("b.conf", "sort-key debian\nversion 6.1.9"),
            named("c.conf", "sort-key debian\nversion 6.1.10"),
            named("d.conf", "sort-key arch\nversion 1"),
        ];
        entries.sort_by(systemd_order);
        let ids: Vec<_> = entries.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["d.conf", "c.conf", "b.conf", "z-old.conf", "a.conf"]);
    }
}
