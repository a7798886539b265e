//! Who may become another: the rules of sudo, line by line, with the files that they include.

use std::collections::HashSet;

mod entry;
mod program;
mod token;

use fathom_block::Error;
use fathom_filesystem::FileType;
use fathom_report::{Listing, Package};

pub(crate) use self::entry::{Entry, parse};
use self::program::Program;
pub(crate) use self::program::release;
use super::elsewhere;
use crate::files::{Files, Read};
use crate::identity;
use crate::text::Records;

const HIDES: &str = "rules of sudo";

/// How deep sudo follows includes, and how many files there are with sense.
const MAX_DEPTH: usize = 128;
const MAX_FILES: usize = 1024;

/// No machine has as many lines.
const MAX_LINES: usize = 100_000;

/// How many lines that sudo does not understand are told.
const MAX_MISTAKES: usize = 16;

/// Who may write to a file: the group it belongs to, and everybody.
const GROUP_MAY_WRITE: u32 = 0o020;
const ALL_MAY_WRITE: u32 = 0o002;

/// The rules in the order in which sudo reads them.
pub(super) fn rules(files: &Files<'_>, packages: &Listing<Package>) -> Listing<String> {
    let rules = Listing::complete(Vec::new(), Vec::new());
    let program = Program::of(files, packages);
    let sudoers = program.sudoers.clone();
    let main = sudoers.first().map_or("", String::as_str);
    let of_program = program.others.clone();
    let mut search = Search {
        files,
        program,
        rules,
        seen: HashSet::new(),
        is_repeated: false,
        lines: 0,
        mistakes: 0,
    };
    let others = elsewhere::sudoers(files);
    if others.as_ref().is_none_or(|others| others.with_files) {
        let is_there = |path: &&String| !matches!(files.found(path, HIDES), Read::Absent);
        search.file(sudoers.iter().find(is_there).map_or(main, String::as_str), 0);
    }
    let mut rules = search.rules;
    if search.mistakes > MAX_MISTAKES {
        let more = search.mistakes - MAX_MISTAKES;
        rules.hide(format!("{more} more lines that sudo does not understand"));
    }
    if search.lines > MAX_LINES {
        rules.hide(format!("there are more than {MAX_LINES} lines; the rest is left out"));
    }
    if let Some(others) = others {
        rules.hide(others.why);
    }
    if rules.evidence.is_empty() && rules.reason.is_none() {
        rules.reason = Some(format!("there is no {main}"));
        rules.evidence.push(main.into());
    }
    if let Some(why) = of_program {
        rules.hide(why);
    }
    rules
}

/// Before, files were included by `#` alone.
const INCLUDES_SINCE: [u32; 3] = [1, 9, 1];

/// What a line includes.
#[derive(Debug, PartialEq, Eq)]
enum Include {
    File(String),
    Folder(String),
}

struct Search<'a> {
    files: &'a Files<'a>,
    program: Program,
    rules: Listing<String>,
    seen: HashSet<String>,
    /// Whether a file was included twice.
    is_repeated: bool,
    lines: usize,
    mistakes: usize,
}

impl Search<'_> {
    fn file(&mut self, path: &str, depth: usize) {
        if depth > MAX_DEPTH || self.seen.len() >= MAX_FILES {
            self.rules.hide(format!("{path}: sudo's files include each other too deep"));
            return;
        }
        if !self.seen.insert(path.to_owned()) {
            if !std::mem::replace(&mut self.is_repeated, true) {
                self.rules.note(format!("{path} is included again; rules count again there"));
            }
            return;
        }
        let Records { text, damage } = match self.files.records(path, HIDES) {
            Read::There(records) => records,
            Read::Absent => return,
            Read::Unread(why) => return self.rules.hide(why),
        };
        self.rules.evidence.push(path.into());
        damage.iter().for_each(|why| self.rules.hide(why.to_string()));
        if let Some(why) = self.ignored(path) {
            self.rules.hide(format!("{path}: sudo does not read it, since {why}"));
            return;
        }
        let mut joined = String::new();
        let mut first = None;
        let mut is_quoted = false;
        for (number, line) in (1_usize..).zip(text.lines()) {
            first.get_or_insert(number);
            joined.push_str(line);
            let is_comment = ends_in_comment(line, &mut is_quoted);
            if line.ends_with('\\') && !is_comment {
                joined.pop();
                joined.push(' ');
                continue;
            }
            let line = std::mem::take(&mut joined);
            is_quoted = false;
            self.line(&line, first.take().unwrap_or(number), path, depth);
        }
        // Of such a file sudo takes nothing, and of one that includes it nothing that follows.
        if let Some(number) = first.filter(|_| !joined.trim().is_empty()) {
            self.mistake(
                path,
                number,
                "the file ends before the line does, and nothing else holds",
            );
        }
    }

    /// Why sudo passes over the file: others than root may write to it.
    fn ignored(&self, path: &str) -> Option<String> {
        let metadata = self.files.found(path, HIDES).there()?.metadata().ok()?;
        if metadata.uid != 0 {
            return Some(format!("it belongs to the account {} and not to root", metadata.uid));
        }
        if metadata.mode & ALL_MAY_WRITE != 0 {
            return Some("everybody may write to it".to_owned());
        }
        let by_group = metadata.mode & GROUP_MAY_WRITE != 0 && metadata.gid != 0;
        by_group.then(|| format!("the group {} may write to it", metadata.gid))
    }

    fn line(&mut self, line: &str, number: usize, path: &str, depth: usize) {
        let included = include(line);
        let newest = match included {
            Some(_) if line.starts_with('#') => None,
            Some(_) => Some(INCLUDES_SINCE),
            None => self.program.is_old().then(|| token::since(line)),
        };
        if let Some(since) = newest.filter(|since| self.program.is_before(*since)) {
            let [one, two, three] = since;
            let why = format!("it holds what sudo knows from {one}.{two}.{three} on");
            return self.mistake(path, number, &why);
        }
        match included {
            Some(Include::Folder(folder)) => {
                if let Some(folder) = self.named(&folder, path) {
                    self.folder(&folder, depth);
                }
            }
            Some(Include::File(file)) => {
                if let Some(file) = self.named(&file, path) {
                    self.file(&file, depth + 1);
                }
            }
            None => match entry::parse(line) {
                Ok(Some((_, end))) => {
                    self.lines += 1;
                    if self.lines <= MAX_LINES {
                        self.rules.items.push(shown(line.get(..end).unwrap_or(line)));
                    }
                }
                Ok(None) => {}
                Err(why) => self.mistake(path, number, &why),
            },
        }
    }

    /// A line that sudo does not understand, and goes on without.
    fn mistake(&mut self, path: &str, number: usize, why: &str) {
        if self.mistakes < MAX_MISTAKES {
            let why = format!("line {number}, {}: {why}", self.program.on_mistakes());
            let error = Error::invalid(path, why);
            self.files.note(&error, path, HIDES);
            self.rules.hide(error.to_string());
        }
        self.mistakes += 1;
    }

    fn folder(&mut self, folder: &str, depth: usize) {
        let children = match self.files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.rules.hide(why),
        };
        if let Some(why) = self.ignored(folder) {
            self.rules.hide(format!("{folder}: sudo does not read it, since {why}"));
            return;
        }
        for (name, found) in children {
            // sudo passes over names with a dot, which editors and dpkg leave, and over backups.
            let is_one = !name.is_empty() && !name.contains('.') && !name.ends_with('~');
            // A folder in it is none of its files.
            let is_folder = found.metadata().is_ok_and(|it| it.file_type == FileType::Directory);
            if is_one && !is_folder {
                self.file(&format!("{folder}/{name}"), depth + 1);
            }
        }
    }

    /// The path as a file at `path` means it, with the name of the machine in it.
    fn named(&mut self, named: &str, path: &str) -> Option<String> {
        let named = match named.contains("%h") {
            true => {
                let host = identity::hostname(self.files);
                let Some(host) = host.value().map(|host| short(host)) else {
                    let why = "it is included by the name of the machine, which is not known";
                    self.rules.hide(format!("{path}: {named}: {why}"));
                    return None;
                };
                named.replace("%h", host)
            }
            false => named.to_owned(),
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Some(if named.starts_with('/') { named } else { format!("{folder}/{named}") })
    }
}

/// The name of a machine without its domain.
fn short(host: &str) -> &str {
    host.split('.').next().unwrap_or_default()
}

/// What the line includes, if it does. The name ends at the first blank that is neither quoted nor
/// escaped.
fn include(line: &str) -> Option<Include> {
    // What begins with `#` is a comment where blanks come before it.
    let rest = line.strip_prefix('#').or_else(|| line.trim_start().strip_prefix('@'))?;
    let (is_folder, rest) = match rest.strip_prefix("includedir") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("include")?),
    };
    let name = rest.starts_with([' ', '\t']).then(|| rest.trim_start())?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => unescaped(name),
    };
    let name = if name.len() > 1 { name.trim_end_matches('/').to_owned() } else { name };
    Some(if is_folder { Include::Folder(name) } else { Include::File(name) })
}

/// The first word, in which a backslash keeps the character behind it.
fn unescaped(text: &str) -> String {
    let mut word = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => word.extend(letters.next()),
            ' ' | '\t' => break,
            _ => word.push(letter),
        }
    }
    word
}

/// Whether the line ends in a comment, which no backslash continues. Whether it begins between quotes
/// is given, and whether it ends so is kept.
fn ends_in_comment(line: &str, is_quoted: &mut bool) -> bool {
    let mut is_kept = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if !is_kept => *is_quoted = !*is_quoted,
            '#' if !is_kept && !*is_quoted && token::is_comment(&line[at..]) => return true,
            _ => {}
        }
        is_kept = letter == '\\' && !is_kept;
    }
    false
}

/// The line with one blank where there are several, but between quotes.
fn shown(line: &str) -> String {
    let mut shown = String::new();
    let (mut is_quoted, mut is_kept) = (false, false);
    for letter in line.trim().chars() {
        let is_blank = letter.is_whitespace() && !is_quoted && !is_kept;
        match is_blank {
            true if shown.ends_with(' ') => {}
            true => shown.push(' '),
            false => shown.push(letter),
        }
        is_quoted ^= letter == '"' && !is_kept;
        is_kept = letter == '\\' && !is_kept;
    }
    shown
}

#[cfg(test)]
mod tests {
    use fathom_report::Coverage;

    use super::*;
    use crate::memory;

    const SUDOERS: &str = "/etc/sudoers";

    fn rules(files: &Files<'_>) -> Listing<String> {
        super::rules(files, &Listing::complete(Vec::new(), Vec::new()))
    }

    fn rules_of_release(files: &[(&str, &[u8])], version: &str) -> Listing<String> {
        let package = serde_json::json!({
            "kind": "rpm", "name": "sudo", "version": version, "evidence": "/var/lib/rpm",
        });
        let package = serde_json::from_value(package).unwrap();
        let packages = Listing::complete(vec![package], Vec::new());
        super::rules(&Files::new(&memory::tree(files)), &packages)
    }

    #[test]
    fn old_releases_take_no_rules_for_a_line_that_they_do_not_understand() {
        for (line, version, expected) in [
            ("frank ALL=(ALL) no : =", "1.8.29", Some("takes none of its rules")),
            ("frank ALL=(ALL) no : =", "1.9.5p2", Some("passes over")),
            ("@includedir /etc/x", "1.8.29", Some("from 1.9.1 on")),
            ("@includedir /etc/x", "1.9.5p2", None),
            ("#includedir /etc/x", "1.8.29", None),
            ("a ALL=CWD=/x /bin/ls", "1.8.29", Some("from 1.9.3 on")),
            ("a ALL=INTERCEPT: /bin/ls", "1.9.5p2", Some("from 1.9.8 on")),
            ("a ALL=^/bin/.*$", "1.9.5p2", Some("from 1.9.10 on")),
            ("a ALL=/bin/ls ^a.*$", "1.9.5p2", None),
            ("a ALL=^/bin/.*$", "1.9.13p3", None),
        ] {
            let text = format!("root ALL=ALL\n{line}\n");
            let found = rules_of_release(&[(SUDOERS, text.as_bytes())], version);
            let said = found.reason.unwrap_or_default();
            assert_eq!(said.is_empty(), expected.is_none(), "{line} {version}: {said}");
            assert!(said.contains(expected.unwrap_or_default()), "{line} {version}: {said}");
        }
    }

    #[test]
    fn which_files_are_read_depends_on_the_program() {
        let own: (&str, &[u8]) = (SUDOERS, b"own ALL=ALL\n");
        let suse: (&str, &[u8]) = ("/usr/etc/sudoers", b"suse ALL=ALL\n");
        let rust: (&str, &[u8]) = ("/etc/sudoers-rs", b"rust ALL=ALL\n");
        let link: (&str, &[u8]) = ("/usr/bin/sudo -> /usr/lib/cargo/bin/sudo", b"");
        let other: (&str, &[u8]) = ("/etc/sudoers.other", b"other ALL=ALL\n");
        let plugin = b"Plugin sudoers_policy sudoers.so sudoers_file=/etc/sudoers.other # x\n";
        let conf: (&str, &[u8]) = ("/etc/sudo.conf", plugin);
        let foreign: (&str, &[u8]) = ("/etc/sudo.conf", b"Plugin my_policy my.so\n");
        let program: (&str, &[u8]) = ("/usr/lib/cargo/bin/sudo*", b"");
        for (files, expected, coverage) in [
            (&[own, suse, rust][..], "own", Coverage::Complete),
            (&[suse], "suse", Coverage::Complete),
            (&[own, rust, link, program], "rust", Coverage::Partial),
            (&[own, link, program], "own", Coverage::Partial),
            (&[own, conf, other], "other", Coverage::Complete),
            (&[own, foreign], "own", Coverage::Partial),
        ] {
            let found = rules(&Files::new(&memory::tree(files)));
            assert_eq!(found.items, [format!("{expected} ALL=ALL")]);
            assert_eq!(found.coverage, coverage, "{expected}");
        }
    }

    #[test]
    fn a_file_that_is_included_twice_is_told_once() {
        let sudoers = b"@include /etc/a\nroot ALL=ALL\n@include /etc/a\n";
        let tree = memory::tree(&[(SUDOERS, sudoers), ("/etc/a", b"a ALL=ALL\n")]);
        let found = rules(&Files::new(&tree));
        assert_eq!((found.items.len(), found.coverage), (2, Coverage::Complete));
        assert!(found.reason.unwrap().contains("/etc/a is included again"));
    }

    #[test]
    fn lines_that_include() {
        for (line, expected) in [
            ("@include /etc/a", Some(Include::File("/etc/a".into()))),
            ("#include /etc/a b", Some(Include::File("/etc/a".into()))),
            (r"@include /etc/my\ sudo", Some(Include::File("/etc/my sudo".into()))),
            ("@include \"/etc/my sudo\"", Some(Include::File("/etc/my sudo".into()))),
            (r"@includedir /etc/sudoers\ d", Some(Include::Folder("/etc/sudoers d".into()))),
            ("#includedir\t/etc/sudoers.d/", Some(Include::Folder("/etc/sudoers.d".into()))),
            (" @include /etc/a", Some(Include::File("/etc/a".into()))),
            (" #include /etc/a", None),
            ("# include /etc/a", None),
            ("#included", None),
        ] {
            assert_eq!(include(line), expected, "{line}");
        }
    }

    #[test]
    fn rules_of_all_files() {
        let sudoers: &[u8] = b"#2005 ALL=(ALL) NOPASSWD: ALL\n# 2020-01-01 a=b\n# no\n\
            @include /etc/sudoers.%h\n#include /etc/h_%h\n@include /etc/my\\ sudo\n\
            @includedir /etc/sudoers\\ d\nroot ALL = \\\n  (ALL) ALL\n";
        let tree = memory::tree(&[
            ("/etc/hostname", b"box.example.org\n"),
            (SUDOERS, sudoers),
            ("/etc/sudoers.box", b"a ALL=ALL\n"),
            ("/etc/h_box", b"b ALL=ALL\n"),
            ("/etc/my sudo", b"c ALL=ALL\n"),
            ("/etc/sudoers d/x", b"d ALL=ALL\n"),
            ("/etc/sudoers d/x.bak", b"never ALL=ALL\n"),
        ]);
        let found = rules(&Files::new(&tree));
        assert_eq!(found.coverage, Coverage::Complete);
        let expected = [
            "#2005 ALL=(ALL) NOPASSWD: ALL",
            "a ALL=ALL",
            "b ALL=ALL",
            "c ALL=ALL",
            "d ALL=ALL",
            "root ALL = (ALL) ALL",
        ];
        assert_eq!(found.items, expected);
        let nameless = memory::tree(&[(SUDOERS, b"@include /etc/sudoers.%h\nx ALL=ALL\n")]);
        let found = rules(&Files::new(&nameless));
        assert_eq!((found.coverage, found.items.len()), (Coverage::Partial, 1));
    }

    #[test]
    fn files_that_others_may_write_are_not_read() {
        for (suffix, coverage, count) in [
            ("", Coverage::Complete, 2),
            ("*w", Coverage::Partial, 1),
            ("*o", Coverage::Partial, 1),
            ("d*w/", Coverage::Partial, 1),
            ("d*o/", Coverage::Partial, 1),
        ] {
            let path = match suffix.strip_suffix('/').and_then(|end| end.strip_prefix('d')) {
                Some(end) => format!("/etc/sudoers.d{end}/x"),
                None => format!("/etc/sudoers.d/x{suffix}"),
            };
            let tree = memory::tree(&[
                (SUDOERS, b"@includedir /etc/sudoers.d\nroot ALL=ALL\n"),
                (&path, b"x ALL=ALL\n"),
            ]);
            let found = rules(&Files::new(&tree));
            assert_eq!((found.coverage, found.items.len()), (coverage, count), "{suffix}");
        }
    }

    #[test]
    fn lines_that_sudo_passes_over_are_no_rules() {
        let sudoers: &[u8] = b"root ALL=ALL\n\nfrank ALL=(ALL) \\\n this is no rule : =\n\
            gina ALL=(ALL) NOPASSWD: sha224:abcd /bin/ls\n# to be \\\nbob ALL=ALL # was NOPASSWD:\n\
            Defaults  logfile = \"/var/log/sudo  log\"\n";
        let tree = memory::tree(&[(SUDOERS, sudoers)]);
        let files = Files::new(&tree);
        let found = rules(&files);
        let expected = ["root ALL=ALL", "bob ALL=ALL", "Defaults logfile = \"/var/log/sudo  log\""];
        assert_eq!(found.items, expected);
        assert_eq!(found.coverage, Coverage::Partial);
        let reason = found.reason.unwrap();
        assert!(reason.contains("/etc/sudoers: line 3,"), "{reason}");
        assert!(reason.contains("/etc/sudoers: line 5,"), "{reason}");
        assert_eq!(files.into_problems().len(), 2);
    }

    #[test]
    fn a_line_that_goes_on_behind_the_end_spoils_the_others() {
        for (end, coverage) in [
            ("bob ALL=ALL \\", Coverage::Partial),
            ("bob ALL=ALL \\\n", Coverage::Partial),
            ("\\\n", Coverage::Complete),
            ("# bob \\\n", Coverage::Complete),
        ] {
            let text = format!("root ALL=ALL\n{end}");
            let tree = memory::tree(&[(SUDOERS, text.as_bytes())]);
            let found = rules(&Files::new(&tree));
            assert_eq!((found.items.len(), found.coverage), (1, coverage), "{end:?}");
        }
    }

    #[test]
    fn rules_of_a_server_are_not_those_of_the_files() {
        for (switch, coverage, count) in [
            (&b"sudoers: files\n"[..], Coverage::Complete, 1),
            (b"sudoers: files sss ldap\n", Coverage::Partial, 1),
            (b"sudoers: sss\n", Coverage::Partial, 0),
        ] {
            let tree =
                memory::tree(&[(SUDOERS, b"root ALL=ALL\n"), ("/etc/nsswitch.conf", switch)]);
            let found = rules(&Files::new(&tree));
            assert_eq!((found.coverage, found.items.len()), (coverage, count));
        }
    }
}
