//! Who may become another: the rules of sudo, line by line, with the files that they include.

use std::collections::HashSet;

use fathom_report::Listing;

use crate::files::{Files, Read};

const SUDOERS: &str = "/etc/sudoers";
const HIDES: &str = "rules of sudo";

/// How deep sudo follows includes, and how many files there are with sense.
const MAX_DEPTH: usize = 128;
const MAX_FILES: usize = 1024;

/// The rules in the order in which sudo reads them.
pub(super) fn rules(files: &Files<'_>) -> Listing<String> {
    let mut search =
        Search { files, rules: Listing::complete(Vec::new(), Vec::new()), seen: HashSet::new() };
    search.file(SUDOERS, 0);
    let mut rules = search.rules;
    if rules.evidence.is_empty() && rules.reason.is_none() {
        rules.reason = Some(format!("there is no {SUDOERS}"));
        rules.evidence.push(SUDOERS.into());
    }
    rules
}

struct Search<'a> {
    files: &'a Files<'a>,
    rules: Listing<String>,
    seen: HashSet<String>,
}

impl Search<'_> {
    fn file(&mut self, path: &str, depth: usize) {
        if depth > MAX_DEPTH || self.seen.len() >= MAX_FILES {
            self.rules.hide(format!("{path}: sudo's files include each other too deep"));
            return;
        }
        if !self.seen.insert(path.to_owned()) {
            return;
        }
        let text = match self.files.text(path, HIDES) {
            Read::There(text) => text,
            Read::Absent => return,
            Read::Unread(why) => return self.rules.hide(why),
        };
        self.rules.evidence.push(path.into());
        let mut joined = String::new();
        for line in text.lines() {
            joined.push_str(line);
            if joined.ends_with('\\') {
                joined.pop();
                continue;
            }
            let line = std::mem::take(&mut joined);
            self.line(line.trim(), path, depth);
        }
    }

    fn line(&mut self, line: &str, path: &str, depth: usize) {
        let include = |name: &str| {
            let rest = line.strip_prefix('@').or_else(|| line.strip_prefix('#'))?;
            let rest = rest.strip_prefix(name)?;
            rest.starts_with([' ', '\t']).then(|| rest.trim().trim_matches('"').to_owned())
        };
        if let Some(folder) = include("includedir") {
            let folder = beside(path, &folder);
            match self.files.children(&folder, HIDES) {
                // sudo passes over names with a dot, which editors and dpkg leave, and over backups.
                Read::There(children) => children
                    .iter()
                    .filter(|(name, _)| !name.contains('.') && !name.ends_with('~'))
                    .for_each(|(name, _)| self.file(&format!("{folder}/{name}"), depth + 1)),
                Read::Absent => {}
                Read::Unread(why) => self.rules.hide(why),
            }
        } else if let Some(file) = include("include") {
            self.file(&beside(path, &file), depth + 1);
        } else if !line.is_empty() && !line.starts_with('#') {
            let words: Vec<_> = line.split_whitespace().collect();
            self.rules.items.push(words.join(" "));
        }
    }
}

/// A path as a file at `path` means it.
fn beside(path: &str, named: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if named.starts_with('/') { named.to_owned() } else { format!("{folder}/{named}") }
}
