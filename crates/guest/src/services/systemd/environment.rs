//! The variables that a unit hands to what it starts: those that systemd hands to everything, over them
//! what stands in the unit, and over that what its files set. Of several the last counts.

use std::collections::HashMap;

use fathom_report::Evidence;

use super::command;
use super::unit::Unit;
use crate::files::{Files, Read};
use crate::network::layered_for;
use crate::sections;

/// The folders that are empty until the system runs.
const MADE_LATER: [&str; 5] = ["/run/", "/var/run/", "/tmp/", "/dev/", "/proc/"];

/// Variables that systemd sets by itself for some of what it starts.
const MADE_BY_SYSTEMD: [&str; 30] = [
    "CACHE_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "HOME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LANGUAGE",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LOGNAME",
    "LOGS_DIRECTORY",
    "MAINPID",
    "MANAGERPID",
    "NOTIFY_SOCKET",
    "PATH",
    "PIDFILE",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "RUNTIME_DIRECTORY",
    "SERVICE_RESULT",
    "SHELL",
    "STATE_DIRECTORY",
    "SYSTEMD_EXEC_PID",
    "TERM",
    "USER",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "XDG_RUNTIME_DIR",
];

/// A value and where it stands; an error says why it is not known.
pub(crate) type Variable = Result<(String, String), String>;

/// The variables.
#[derive(Default)]
pub(crate) struct Environment {
    variables: HashMap<String, Variable>,
    /// Why there may be others, or others may have other values.
    unknown: Option<String>,
}

impl Environment {
    /// Those of the unit whose files these are, what changes it behind it. An error says why it could
    /// not be looked.
    pub(crate) fn of(files: &Files<'_>, places: &[Evidence], hides: &str) -> Result<Self, String> {
        let mut unit = Unit::default();
        for place in places {
            match files.text(&place.0, hides) {
                Read::There(text) => unit.read(&text),
                Read::Absent => {}
                Read::Unread(why) => return Err(why),
            }
        }
        let mut environment = Self::default();
        environment.defaults(files, hides)?;
        let place = places.first().map_or("", |place| place.0.as_str());
        for name in unit.passed_environment.iter().flat_map(|line| command::words(line)) {
            let why = format!("{place}: what systemd hands on as {name} is known when it runs");
            environment.variables.insert(name, Err(why));
        }
        environment.set(&unit.environment, place);
        for file in &unit.environment_files {
            environment.file(files, file, place, hides)?;
        }
        for word in unit.unset_environment.iter().flat_map(|line| command::words(line)) {
            let name = word.split('=').next().unwrap_or_default();
            let is_meant = match (environment.variables.get(name), word.split_once('=')) {
                (Some(Ok((value, _))), Some((_, meant))) => value == meant,
                (variable, None) => variable.is_some(),
                _ => false,
            };
            if is_meant {
                environment.variables.remove(name);
            }
        }
        Ok(environment)
    }

    /// Adds what systemd hands to everything that it starts.
    fn defaults(&mut self, files: &Files<'_>, hides: &str) -> Result<(), String> {
        let folders =
            ["/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd"];
        let ((main, parts), why) = files.watched(|| {
            let main = layered_for(files, &folders, hides, |name| name == "system.conf");
            let parts = folders.map(|folder| format!("{folder}/system.conf.d"));
            (main, layered_for(files, &parts, hides, |name| name.ends_with(".conf")))
        });
        if let Some(why) = why {
            return Err(why);
        }
        for path in main.into_values().chain(parts.into_values()) {
            let text = match files.text(&path, hides) {
                Read::There(text) => text,
                Read::Absent => continue,
                Read::Unread(why) => return Err(why),
            };
            for one in sections::assignments(&text) {
                match (one.section.as_str(), one.name.as_str(), one.value.as_str()) {
                    ("Manager", "DefaultEnvironment", "") => self.variables.clear(),
                    ("Manager", "DefaultEnvironment", line) => {
                        self.set(&[line.to_owned()], &path);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Adds what lines at `place` set.
    fn set(&mut self, lines: &[String], place: &str) {
        for word in lines.iter().flat_map(|line| command::words(line)) {
            let Some((name, value)) = word.split_once('=') else { continue };
            let value = command::without_specifiers(value)
                .map(|value| (value, place.to_owned()))
                .ok_or_else(|| format!("{place}: what {name} is is known when it runs"));
            self.variables.insert(name.to_owned(), value);
        }
    }

    /// Adds what a file sets. It may be missing where a sign before its name says so.
    fn file(
        &mut self,
        files: &Files<'_>,
        named: &str,
        unit: &str,
        hides: &str,
    ) -> Result<(), String> {
        let (path, may_be_missing) = match named.strip_prefix('-') {
            Some(path) => (path, true),
            None => (named, false),
        };
        let path = command::without_specifiers(path)
            .ok_or_else(|| format!("{unit}: the name of the file {path} is known when it runs"))?;
        if path.contains(['*', '?', '[']) {
            self.unknown.get_or_insert(format!("{unit}: {path} may be several files"));
            return Ok(());
        }
        match files.text(&path, hides) {
            Read::There(text) => {
                let found = assignments(&text).into_iter();
                self.variables.extend(found.map(|(name, value)| (name, Ok((value, path.clone())))));
            }
            Read::Absent if MADE_LATER.iter().any(|folder| path.starts_with(folder)) => {
                self.unknown.get_or_insert(format!("{path} is made when the system runs"));
            }
            Read::Absent if may_be_missing => {}
            Read::Absent => {
                return Err(format!(
                    "{unit}: it does not start without {path}, which is not there"
                ));
            }
            Read::Unread(why) => return Err(why),
        }
        Ok(())
    }

    /// The value of the variable and where it stands, if it is set; an error says why that is not
    /// known.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&(String, String)>, String> {
        if let Some(why) = &self.unknown {
            return Err(why.clone());
        }
        match self.variables.get(name) {
            Some(Ok(known)) => Ok(Some(known)),
            Some(Err(why)) => Err(why.clone()),
            None if MADE_BY_SYSTEMD.contains(&name) || name.starts_with("LC_") => {
                Err(format!("systemd sets {name} when it starts something"))
            }
            None => Ok(None),
        }
    }
}

/// Where in a file of variables a character stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeName,
    Comment,
    Name,
    BeforeValue,
    Value,
    Quoted(char),
}

/// What a file of variables sets, as systemd reads it: a value goes to the end of its line, quotes
/// count only where it begins with them, and a comment takes a line.
fn assignments(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut name, mut value) = (String::new(), String::new());
    // How much of the value is kept though it may be blanks.
    let mut kept = 0;
    let mut state = State::BeforeName;
    let mut letters = text.chars().chain(['\n']);
    while let Some(letter) = letters.next() {
        let ends = letter == '\n' || letter == '\r';
        match state {
            State::BeforeName if letter == '#' || letter == ';' => state = State::Comment,
            State::BeforeName if letter.is_whitespace() => {}
            State::BeforeName => {
                name = letter.to_string();
                value.clear();
                kept = 0;
                state = State::Name;
            }
            State::Comment if letter == '\\' => {
                letters.next();
            }
            State::Comment | State::Name if ends => state = State::BeforeName,
            State::Comment => {}
            State::Name if letter == '=' => state = State::BeforeValue,
            State::Name => name.push(letter),
            State::BeforeValue | State::Value if ends => {
                value.truncate(kept.max(value.trim_end().len()));
                let is_name = |name: &str| {
                    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                    name.bytes().all(plain) && !name.starts_with(|it: char| it.is_ascii_digit())
                };
                let trimmed = name.trim_end();
                if !trimmed.is_empty() && is_name(trimmed) {
                    found.push((trimmed.to_owned(), std::mem::take(&mut value)));
                }
                state = State::BeforeName;
            }
            State::BeforeValue if letter == '"' || letter == '\'' => state = State::Quoted(letter),
            State::BeforeValue if letter.is_whitespace() => {}
            State::BeforeValue | State::Value if letter == '\\' => {
                state = State::Value;
                if let Some(next) = letters.next().filter(|next| *next != '\n') {
                    value.push(next);
                    kept = value.len();
                }
            }
            State::BeforeValue | State::Value => {
                state = State::Value;
                value.push(letter);
            }
            State::Quoted(quote) if letter == quote => {
                state = State::BeforeValue;
                kept = value.len();
            }
            State::Quoted('"') if letter == '\\' => match letters.next() {
                Some('\n') | None => {}
                Some(next) if "\"\\`$".contains(next) => value.push(next),
                Some(next) => value.extend(['\\', next]),
            },
            State::Quoted(_) => value.push(letter),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn what_systemd_hands_to_everything_counts_least() {
        let unit = b"[Service]\nEnvironment=B=unit\nEnvironmentFile=/etc/f\n\
            PassEnvironment=E F\nEnvironment=F=set\nUnsetEnvironment=G H=no I=i\n";
        let tree = memory::tree(&[
            ("/u", unit),
            ("/etc/f", b"C=file\n"),
            (
                "/etc/systemd/system.conf",
                b"[Manager]\nDefaultEnvironment=A=all B=all C=all \"D=a b\" G=g H=h I=i\n",
            ),
            ("/usr/lib/systemd/system.conf", b"[Manager]\nDefaultEnvironment=A=never\n"),
            ("/etc/systemd/system.conf.d/x.conf", b"[Manager]\nDefaultEnvironment=D=part\n"),
        ]);
        let environment = Environment::of(&Files::new(&tree), &["/u".into()], "x").unwrap();
        let value = |name: &str| environment.get(name).map(|it| it.map(|(value, _)| &**value));
        for (name, expected) in [
            ("A", Some("all")),
            ("B", Some("unit")),
            ("C", Some("file")),
            ("D", Some("part")),
            ("F", Some("set")),
            ("G", None),
            ("H", Some("h")),
            ("I", None),
            ("J", None),
        ] {
            assert_eq!(value(name), Ok(expected), "{name}");
        }
        for name in ["E", "PATH", "LC_ALL"] {
            assert!(value(name).is_err(), "{name}");
        }
    }

    #[test]
    fn values_go_to_the_end_of_their_line() {
        for (text, expected) in [
            ("A=-o PermitRootLogin=yes  \n", "-o PermitRootLogin=yes"),
            ("A='-o \"PermitRootLogin yes\"'\n", "-o \"PermitRootLogin yes\""),
            ("A=\"a \\\"b\\\" \\$c \\d\"", "a \"b\" $c \\d"),
            ("A=a \"b\" # c", "a \"b\" # c"),
            ("A=a\\\nb", "ab"),
            ("A='a ' # no", "a # no"),
            (" A = x", "x"),
            ("A=", ""),
        ] {
            assert_eq!(assignments(text), [("A".to_owned(), expected.to_owned())], "{text}");
        }
        let none = "# A=1\n;A=2\nexport A=3\n1A=4\nnothing\n# joined \\\nA=5\n";
        assert!(assignments(none).is_empty(), "{:?}", assignments(none));
    }
}
