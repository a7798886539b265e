//! The database of dpkg: one text, or in images without a shell a folder of texts.
//!
//! Changes that dpkg has not yet merged lie beside the text as numbered files, each of which
//! replaces what the text says of its packages.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result};
use fathom_report::{Listing, Package, PackageKind};

use super::HIDES;
use super::collection::Collection;
use super::package::split_epoch;
use crate::files::{Files, Read};
use crate::lines::Lines;

const STATUS: &str = "/var/lib/dpkg/status";
const UPDATES: &str = "/var/lib/dpkg/updates";
const STATUS_FOLDER: &str = "/var/lib/dpkg/status.d";
/// The text as it was before the last change.
const STATUS_OLD: &str = "/var/lib/dpkg/status-old";

/// Where the list of the files of each package lies.
const LISTS: &str = "/var/lib/dpkg/info";

pub(crate) fn read(files: &Files<'_>) -> Option<Listing<Package>> {
    let packages = Collection::new(files, "dpkg");
    let mut database = Database { packages, changes: BTreeMap::new(), named: HashSet::new() };
    database.folder(files, UPDATES, is_update, |database, stanza, path| {
        if let Some(key) = stanza.key() {
            database.changes.insert(key, stanza.package(path));
        }
        ControlFlow::Continue(())
    });
    match files.open(STATUS, HIDES) {
        Read::There(reader) => {
            database.packages.at(STATUS);
            database.stanzas(STATUS, reader, |database, stanza, path| {
                match stanza.key().filter(|key| !database.changes.contains_key(key)) {
                    Some(_) => database.add(stanza.package(path)),
                    None => ControlFlow::Continue(()),
                }
            });
            database.compare_with_lists(files);
        }
        Read::Absent => database.look_for_traces(files),
        Read::Unread(why) => database.packages.unread(why),
    }
    let changes = std::mem::take(&mut database.changes);
    for change in changes.into_values() {
        if database.add(change).is_break() {
            break;
        }
    }
    database.folder(files, STATUS_FOLDER, is_status, |database, stanza, path| {
        database.add(stanza.package(path))
    });
    database.packages.finish()
}

/// dpkg names the changes by a number.
fn is_update(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Beside each text may lie its checksums.
fn is_status(name: &str) -> bool {
    !name.ends_with(".md5sums")
}

/// A package by its name and architecture.
type Key = (String, Option<String>);

/// What was read so far.
struct Database<'a, 'b> {
    packages: Collection<'a, 'b>,
    /// What replaces what the text says; nothing where a package was taken away.
    changes: BTreeMap<Key, Option<Package>>,
    /// What the paragraphs so far are about: names, and names with an architecture behind a colon.
    named: HashSet<String>,
}

impl Database<'_, '_> {
    /// Hands every paragraph of those files in the folder that `wanted` names to `each`.
    fn folder(
        &mut self,
        files: &Files<'_>,
        folder: &str,
        wanted: fn(&str) -> bool,
        each: impl Fn(&mut Self, Stanza, &str) -> ControlFlow<()>,
    ) {
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.packages.unread(why),
        };
        for (name, _) in children.iter().filter(|(name, _)| wanted(name)) {
            let path = format!("{folder}/{name}");
            match files.open(&path, HIDES) {
                Read::There(reader) => {
                    self.packages.at(&path);
                    let paragraphs = self.stanzas(&path, reader, &each);
                    if paragraphs == 0 {
                        let error = Error::corrupt("text", 0, "it holds no paragraph");
                        let _ = self.packages.problem(error, &path);
                    }
                }
                Read::Absent => {}
                Read::Unread(why) => self.packages.unread(why),
            }
        }
    }

    /// Hands every paragraph of the file to `each`, and says how many there are.
    fn stanzas(
        &mut self,
        path: &str,
        reader: Arc<dyn ReadAt>,
        each: impl Fn(&mut Self, Stanza, &str) -> ControlFlow<()>,
    ) -> usize {
        let mut paragraphs = 0;
        let mut lines = Lines::new(reader);
        let is_status = path == STATUS;
        loop {
            let mut stanza = Stanza::default();
            // What was read before an error counts.
            let outcome = stanza.read(&mut lines);
            let any = stanza.any;
            if any {
                paragraphs += 1;
                self.named.extend(stanza.names());
                if let Some(why) = stanza.wrong(is_status) {
                    let error = Error::corrupt("paragraph", lines.at(), why);
                    let _ = self.packages.problem(error, path);
                }
                // One of which a part was lost may have been joined with the next.
                if stanza.strange.is_none() && each(self, stanza, path).is_break() {
                    return paragraphs;
                }
            }
            match outcome {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let _ = self.packages.problem(error, path);
                    return paragraphs;
                }
            }
        }
        if is_status && !lines.is_ended() {
            let why = "it ends in the middle of a line";
            let _ = self.packages.problem(Error::corrupt("text", lines.at(), why), path);
        }
        paragraphs
    }

    /// A package whose files are listed has a paragraph, installed or only half removed: dpkg takes
    /// the list away together with the last of it. So a list without a paragraph shows that the
    /// paragraph was lost.
    fn compare_with_lists(&mut self, files: &Files<'_>) {
        let lists = lists(files);
        let mut lost = lists.iter().filter(|name| !self.named.contains(*name));
        let Some(first) = lost.next() else { return };
        let why = match lost.count() {
            0 => format!("it does not name {first}, whose files {LISTS} lists"),
            more => {
                format!("it does not name {first} and {more} others, whose files {LISTS} lists")
            }
        };
        let _ = self.packages.problem(Error::corrupt("text", 0, why), STATUS);
    }

    /// Where the text is not there, lists of the files of packages and an older text show that it was.
    fn look_for_traces(&mut self, files: &Files<'_>) {
        let lists = lists(files).len();
        let why = if lists > 0 {
            format!("it is not there, but {LISTS} lists the files of {lists} packages")
        } else if files.exists(STATUS_OLD, HIDES) {
            format!("it is not there, but {STATUS_OLD} is")
        } else {
            return;
        };
        let _ = self.packages.problem(Error::corrupt("text", 0, why), STATUS);
    }

    fn add(&mut self, package: Option<Package>) -> ControlFlow<()> {
        package.map_or(ControlFlow::Continue(()), |package| self.packages.add(package))
    }
}

/// Of which packages there are lists of their files, as the lists are called.
fn lists(files: &Files<'_>) -> Vec<String> {
    let children = files.children(LISTS, HIDES).there().unwrap_or_default();
    children
        .into_iter()
        .filter_map(|(name, _)| Some(name.strip_suffix(".list")?.to_owned()))
        .collect()
}

/// `glibc (2.36-9)` as its two parts.
fn split_source(source: &str) -> (String, Option<String>) {
    match source.split_once(" (") {
        Some((name, version)) => {
            (name.trim().to_owned(), Some(version.trim_end().trim_end_matches(')').to_owned()))
        }
        None => (source.trim().to_owned(), None),
    }
}

/// What is wanted of one paragraph.
#[derive(Default)]
struct Stanza {
    /// Whether there was a line.
    any: bool,
    /// What the first line is that cannot belong to a paragraph.
    strange: Option<&'static str>,
    package: Option<String>,
    status: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    source: Option<String>,
    maintainer: Option<String>,
    origin: Option<String>,
    installed_size: Option<String>,
}

impl Stanza {
    fn key(&self) -> Option<Key> {
        Some((self.package.clone()?, self.architecture.clone()))
    }

    /// What the list of its files may be called: only where a package of several architectures can
    /// be installed side by side is the architecture part of the name.
    fn names(&self) -> impl Iterator<Item = String> {
        let plain = self.package.clone();
        let whole = plain.iter().zip(&self.architecture).map(|(name, it)| format!("{name}:{it}"));
        let whole: Vec<String> = whole.collect();
        plain.into_iter().chain(whole)
    }

    /// The package that this is, unless it is one that is not there.
    fn package(self, path: &str) -> Option<Package> {
        let mut words = self.status.as_deref().unwrap_or_default().split_whitespace();
        // What is wanted of it, whether that needs mending, and how far it came.
        let (wish, state) = (words.next(), words.nth(1));
        if state == Some("not-installed") {
            return None;
        }
        let state = match (wish, state) {
            // Nobody may change it, so that it gets no updates.
            (Some("hold"), Some("installed")) => Some("hold"),
            (_, state) => state.filter(|state| *state != "installed"),
        };
        let (epoch, version) = split_epoch(self.version.as_deref()?);
        let (source, source_version) = self.source.as_deref().map(split_source).unzip();
        let size = self.installed_size.and_then(|size| size.parse::<u64>().ok()?.checked_mul(1024));
        Some(Package {
            epoch,
            state: state.map(str::to_owned),
            source,
            source_version: source_version.flatten(),
            architecture: self.architecture,
            vendor: self.maintainer,
            origin: self.origin,
            size,
            ..Package::bare(PackageKind::Deb, self.package?, version.to_owned(), path)
        })
    }

    /// Why the paragraph is not as dpkg writes it. Only in the one text every paragraph has a state.
    fn wrong(&self, is_status: bool) -> Option<String> {
        if let Some(strange) = self.strange {
            return Some(strange.to_owned());
        }
        let status = self.status.as_deref();
        let is_there = status.and_then(|it| it.split_whitespace().nth(2)) != Some("not-installed");
        let missing = match (&self.package, status, &self.version) {
            (None, ..) => "Package",
            (_, None, _) if is_status => "Status",
            (_, _, None) if is_there => "Version",
            _ => return None,
        };
        let name = self.package.as_deref().map(|name| format!(" of {name}")).unwrap_or_default();
        Some(format!("the paragraph{name} has no field {missing}"))
    }

    /// Reads the next paragraph; `false` at the end of the file.
    fn read(&mut self, lines: &mut Lines) -> Result<bool> {
        while let Some(line) = self.next(lines)? {
            if line.iter().all(u8::is_ascii_whitespace) {
                if self.any {
                    self.torn(lines);
                    return Ok(true);
                }
                continue;
            }
            // dpkg fills files with comments before it writes them.
            if line.starts_with(b"#") {
                continue;
            }
            self.torn(lines);
            self.any = true;
            self.line(&line, lines.is_cut());
        }
        self.torn(lines);
        Ok(false)
    }

    /// The next line; where none can be read, the paragraph may go on.
    fn next(&mut self, lines: &mut Lines) -> Result<Option<Vec<u8>>> {
        let line = lines.next().map(|line| line.map(<[u8]>::to_vec));
        if line.is_err() {
            self.torn(lines);
        }
        line
    }

    /// Remembers if something was lost right before what was read last.
    fn torn(&mut self, lines: &Lines) {
        if self.any && lines.is_torn() {
            self.strange.get_or_insert("a part of the paragraph was lost");
        }
    }

    fn line(&mut self, line: &[u8], is_cut: bool) {
        // It goes on from the one above.
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            self.strange.get_or_insert("a line has no colon");
            return;
        };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            self.strange.get_or_insert("a line has no name of a field before its colon");
            return;
        }
        let field = match name.len() {
            6 if name.eq_ignore_ascii_case(b"status") => &mut self.status,
            6 if name.eq_ignore_ascii_case(b"source") => &mut self.source,
            6 if name.eq_ignore_ascii_case(b"origin") => &mut self.origin,
            7 if name.eq_ignore_ascii_case(b"package") => &mut self.package,
            7 if name.eq_ignore_ascii_case(b"version") => &mut self.version,
            10 if name.eq_ignore_ascii_case(b"maintainer") => &mut self.maintainer,
            12 if name.eq_ignore_ascii_case(b"architecture") => &mut self.architecture,
            14 if name.eq_ignore_ascii_case(b"installed-size") => &mut self.installed_size,
            _ => return,
        };
        if is_cut {
            self.strange.get_or_insert("a field is longer than is read");
        }
        let value = String::from_utf8_lossy(value);
        let value = value.trim();
        if value.contains(|letter: char| letter.is_control() && letter != '\t') {
            self.strange.get_or_insert("a field holds control characters");
        }
        if field.is_some() {
            self.strange.get_or_insert("a field stands there twice");
        }
        *field = (!value.is_empty()).then(|| value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use fathom_report::{Coverage, ProblemKind};

    use super::*;
    use crate::memory::tree;

    fn stanza(name: &str) -> String {
        format!("Package: {name}\nStatus: install ok installed\nVersion: 1\nDescription: x\n y\n\n")
    }

    /// What is listed, whether it is all, and the problems.
    fn listed(status: &[u8], others: &[(&str, &[u8])]) -> (Vec<String>, Coverage, usize) {
        let found = [&[(STATUS, status)], others].concat();
        let tree = tree(&found);
        let files = Files::new(&tree);
        let listing = read(&files).unwrap();
        let names = listing.items.into_iter().map(|package| package.name).collect();
        let problems = files.into_problems();
        for problem in &problems {
            assert_eq!(problem.kind, ProblemKind::Corrupt, "{problem:?}");
            assert!(problem.message.contains(STATUS), "{problem:?}");
        }
        (names, listing.coverage, problems.len())
    }

    #[test]
    fn what_was_lost_leaves_the_list_partial() {
        let text: String = ["a", "b", "c", "d"].map(stanza).concat();
        assert_eq!(listed(text.as_bytes(), &[]).1, Coverage::Complete);
        // Whatever is overwritten, no record is told that was joined from two.
        for junk in [&[0; 90][..], &b"\xf0\n\xe1".repeat(30)] {
            for start in 1..text.len() - junk.len() {
                let mut damaged = text.clone().into_bytes();
                damaged[start..start + junk.len()].copy_from_slice(junk);
                let (names, coverage, problems) = listed(&damaged, &[]);
                assert_eq!(coverage, Coverage::Partial, "{start}: {names:?}");
                assert!(problems > 0 && !names.is_empty() && names.len() < 4, "{start}: {names:?}");
            }
        }
        for cut in ["Package: e\nStat", "Package: e\nStatus: install ok installed\n", "x"] {
            let (names, coverage, _) = listed(format!("{text}{cut}").as_bytes(), &[]);
            assert_eq!((names.len() >= 4, coverage), (true, Coverage::Partial), "{cut}");
        }
        assert_eq!(listed(&[0; 5000], &[]), (Vec::new(), Coverage::Partial, 1));
    }

    #[test]
    fn a_list_without_a_paragraph_shows_that_it_was_lost() {
        assert_eq!(listed(b"", &[]).1, Coverage::Complete);
        let list: (&str, &[u8]) = ("/var/lib/dpkg/info/a.list", b"/.\n");
        let second: (&str, &[u8]) = ("/var/lib/dpkg/info/b:i386.list", b"/.\n");
        let other: (&str, &[u8]) = ("/var/lib/dpkg/info/x.md5sums", b"");
        assert_eq!(listed(b"", &[list]), (Vec::new(), Coverage::Partial, 1));
        let a = stanza("a");
        assert_eq!(listed(a.as_bytes(), &[list, other]).1, Coverage::Complete);
        assert_eq!(listed(a.as_bytes(), &[list, second]), (vec!["a".into()], Coverage::Partial, 1));
        let b = |architecture: &str| {
            let b =
                stanza("b").replace("Version", &format!("Architecture: {architecture}\nVersion"));
            listed(format!("{a}{b}").as_bytes(), &[list, second]).1
        };
        assert_eq!((b("i386"), b("amd64")), (Coverage::Complete, Coverage::Partial));
        // What was removed but for its configuration keeps its list.
        let removed = a.replace("install ok installed", "deinstall ok config-files");
        assert_eq!(listed(removed.as_bytes(), &[list]).1, Coverage::Complete);
    }

    #[test]
    fn a_text_that_is_gone_leaves_traces() {
        let single: (&str, &[u8]) = ("/var/lib/dpkg/status.d/b", b"Package: b\nVersion: 1\n");
        for trace in ["/var/lib/dpkg/info/a.list", "/var/lib/dpkg/status-old"] {
            let tree = tree(&[(trace, b"/.\n")]);
            let files = Files::new(&tree);
            let listing = read(&files).unwrap();
            assert_eq!(listing.coverage, Coverage::Unknown, "{trace}");
            assert!(listing.reason.unwrap().contains(STATUS), "{trace}");
            assert_eq!(files.into_problems().len(), 1);
            let tree = crate::memory::tree(&[(trace, b"/.\n"), single]);
            assert_eq!(read(&Files::new(&tree)).unwrap().coverage, Coverage::Partial, "{trace}");
        }
        let tree = tree(&[single]);
        assert_eq!(read(&Files::new(&tree)).unwrap().coverage, Coverage::Complete);
        let tree = crate::memory::tree(&[("/var/lib/dpkg/info/format", b"1\n")]);
        assert!(read(&Files::new(&tree)).is_none());
    }

    #[test]
    fn what_nobody_may_change_is_held() {
        let state = |status: &str| {
            let text = stanza("a").replace("install ok installed", status);
            let tree = tree(&[(STATUS, text.as_bytes())]);
            read(&Files::new(&tree)).unwrap().items[0].state.clone()
        };
        assert_eq!(state("install ok installed"), None);
        assert_eq!(state("hold ok installed").as_deref(), Some("hold"));
        assert_eq!(state("hold ok half-configured").as_deref(), Some("half-configured"));
        assert_eq!(state("deinstall ok config-files").as_deref(), Some("config-files"));
    }

    #[test]
    fn a_text_of_one_package_that_is_empty_was_lost() {
        let single: (&str, &[u8]) = ("/var/lib/dpkg/status.d/b", b"Package: b\nVersion: 1\n");
        let empty: (&str, &[u8]) = ("/var/lib/dpkg/status.d/c", b"");
        let sums: (&str, &[u8]) = ("/var/lib/dpkg/status.d/b.md5sums", b"");
        for (found, coverage) in
            [(&[single, sums][..], Coverage::Complete), (&[single, empty], Coverage::Partial)]
        {
            let tree = tree(found);
            let listing = read(&Files::new(&tree)).unwrap();
            assert_eq!((listing.items.len(), listing.coverage), (1, coverage));
        }
    }

    #[test]
    fn what_is_not_installed_needs_no_version() {
        let text = "Package: a\nStatus: deinstall ok not-installed\nPriority: optional\n\n";
        assert_eq!(listed(text.as_bytes(), &[]), (Vec::new(), Coverage::Complete, 0));
        let long = format!(
            "Package: {}\nStatus: install ok installed\nVersion: 1\n\n",
            "a".repeat(600_000)
        );
        assert_eq!(listed(long.as_bytes(), &[]), (Vec::new(), Coverage::Partial, 1));
    }
}
