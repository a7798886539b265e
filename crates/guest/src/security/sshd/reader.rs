//! The files of sshd's configuration, line by line, and what includes what.

use std::collections::HashSet;

use super::super::glob;
use super::keyword::{self, Keyword, Kind};
use super::release::Release;
use super::started::Given;
use super::value::values;
use super::words::{condition, line, words};
use crate::files::{Files, Read};

/// How deep sshd follows includes.
const MAX_DEPTH: usize = 16;

/// How many files and lines there are with sense.
const MAX_FILES: usize = 1024;
const MAX_LINES: usize = 100_000;

/// How many mistakes are told.
const MAX_MISTAKES: usize = 64;

/// Something that is set.
#[derive(Clone, Debug)]
pub(super) struct Set {
    /// The keyword; nothing where it is not known.
    pub(super) keyword: Option<&'static Keyword>,
    /// Its name.
    pub(super) name: String,
    /// What it is set to, line by line of what sshd shows.
    pub(super) values: Vec<String>,
    /// Where.
    pub(super) place: String,
    /// The condition, of which that which always holds is empty; nothing outside of conditions.
    pub(super) condition: Option<String>,
    /// Which of the conditions in their order it is.
    pub(super) block: usize,
}

/// What the files say.
pub(super) struct Reader<'a> {
    files: &'a Files<'a>,
    release: Option<&'a Release>,
    /// In the order of the lines.
    pub(super) sets: Vec<Set>,
    /// The files in the order in which they were read.
    pub(super) places: Vec<String>,
    /// What sshd would refuse.
    pub(super) mistakes: Vec<String>,
    /// The names of subsystems, and the conditions under which each is set.
    subsystems: HashSet<(String, Option<String>)>,
    /// Whether the ports of the files do not count, since it is given others.
    ports_are_given: bool,
    lines: usize,
    blocks: usize,
}

/// Where in the conditions a line stands.
#[derive(Clone, Default)]
struct Context {
    condition: Option<String>,
    block: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a Files<'a>, release: Option<&'a Release>) -> Self {
        Self {
            files,
            release,
            sets: Vec::new(),
            places: Vec::new(),
            mistakes: Vec::new(),
            subsystems: HashSet::new(),
            ports_are_given: false,
            lines: 0,
            blocks: 0,
        }
    }

    /// Reads the file and what it includes. `false` if it is not there; an error says why it could not
    /// all be read, so that nothing that was read is certain.
    pub(super) fn file(&mut self, path: &str) -> Result<bool, String> {
        self.included(path, &mut Context::default(), 0)
    }

    /// What is given to the program when it is started.
    pub(super) fn given(&mut self, options: &[(Given, String)]) {
        for (option, place) in options {
            let text = match option {
                Given::Line(text) => text.clone(),
                Given::Port(port) => format!("Port {port}"),
            };
            if let Some(line) = line(&text) {
                let is_port = matches!(option, Given::Port(_));
                if line.keyword != "port" || is_port || !self.ports_are_given {
                    let ours = std::mem::take(&mut self.ports_are_given);
                    self.set(&line.keyword, line.rest, place, &Context::default());
                    self.ports_are_given = ours || is_port;
                }
            }
        }
    }

    fn included(&mut self, path: &str, at: &mut Context, depth: usize) -> Result<bool, String> {
        if depth > MAX_DEPTH {
            return Err(format!("{path}: files include each other more than {MAX_DEPTH} deep"));
        }
        if self.places.len() >= MAX_FILES {
            return Err(format!("{path}: more than {MAX_FILES} files are included"));
        }
        let text = match self.files.text(path, super::HIDES) {
            Read::There(text) => text,
            Read::Absent => return Ok(false),
            Read::Unread(why) => return Err(why),
        };
        self.places.push(path.to_owned());
        // What a file sets a condition on ends with the file.
        let outer = at.condition.clone();
        for text in text.lines() {
            self.lines += 1;
            if self.lines > MAX_LINES {
                return Err(format!("{path}: the configuration has more than {MAX_LINES} lines"));
            }
            let Some(line) = line(text) else { continue };
            match line.keyword.as_str() {
                "include" => self.include(line.rest, path, at, depth)?,
                "match" => match condition(line.rest) {
                    Some(inner) => {
                        self.blocks += 1;
                        let both = [outer.clone().unwrap_or_default(), inner];
                        let both = both.iter().filter(|part| !part.is_empty());
                        let both: Vec<&str> = both.map(String::as_str).collect();
                        *at = Context { condition: Some(both.join(" ")), block: self.blocks };
                    }
                    None => {
                        self.mistake(format!("{path}: Match {}: it is no condition", line.rest));
                        // Nothing is known of when the lines that follow hold.
                        return Err(format!("{path}: a condition cannot be understood"));
                    }
                },
                name => self.set(name, line.rest, path, at),
            }
        }
        Ok(true)
    }

    fn include(
        &mut self,
        rest: &str,
        path: &str,
        at: &Context,
        depth: usize,
    ) -> Result<(), String> {
        for pattern in words(rest).ok_or_else(|| format!("{path}: a quote is not closed"))? {
            // Where the program was built to look for its own files.
            let pattern = match pattern.starts_with('/') {
                true => pattern,
                false => format!("/etc/ssh/{pattern}"),
            };
            for included in glob::expand(self.files, &pattern, super::HIDES)? {
                self.included(&included, &mut at.clone(), depth + 1)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, rest: &str, path: &str, at: &Context) {
        let keyword = keyword::find(name, self.release.is_some_and(Release::has_challenge));
        let outcome = match keyword {
            Some(keyword) => values(keyword, rest),
            None => words(rest)
                .map(|words| vec![words.join(" ")])
                .ok_or_else(|| "a quote is not closed".to_owned()),
        };
        let values = match outcome {
            Ok(values) => values,
            Err(why) => return self.mistake(format!("{path}: {name}: {why}")),
        };
        match (keyword, self.release) {
            (None, _) => self.mistake(format!("{path}: {name} is no keyword that is known")),
            (Some(keyword), Some(release)) if !release.has(keyword.name) => {
                return self
                    .mistake(format!("{path}: {name} is no keyword of {}", release.version));
            }
            _ => {}
        }
        if self.ports_are_given && keyword.is_some_and(|keyword| keyword.name == "port") {
            return;
        }
        let conditional = at.condition.as_deref().is_some_and(|condition| !condition.is_empty());
        let many = self.release.is_none_or(Release::has_many_subsystems);
        if keyword.is_some_and(|keyword| keyword.kind == Kind::Subsystem) {
            let named = values.first().and_then(|value| value.split(' ').next());
            let named = (named.unwrap_or_default().to_owned(), at.condition.clone());
            if !self.subsystems.insert(named) {
                if !many {
                    self.mistake(format!("{path}: {name} {rest}: there is one of this name"));
                }
                return;
            }
        }
        let may =
            |keyword: &Keyword| keyword.conditional || keyword.kind == Kind::Subsystem && many;
        if conditional && keyword.is_some_and(|keyword| !may(keyword)) {
            return self.mistake(format!("{path}: {name} may not stand under a condition"));
        }
        self.sets.push(Set {
            keyword,
            name: keyword.map_or(name, |keyword| keyword.name).to_owned(),
            values,
            place: path.to_owned(),
            condition: at.condition.clone(),
            block: at.block,
        });
    }

    fn mistake(&mut self, what: String) {
        if self.mistakes.len() < MAX_MISTAKES {
            self.mistakes.push(what);
        }
    }
}
