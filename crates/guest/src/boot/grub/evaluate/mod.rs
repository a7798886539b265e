//! Runs as much of a script of GRUB as says what is in its menu.
//!
//! Nothing is carried out: commands that draw, load modules or wait do nothing, and those that ask the
//! machine have no answer. Where a condition has none, both ways are gone, and what they set or add to
//! the menu is not sure.

mod files;

use std::collections::HashMap;
use std::rc::Rc;

use super::condition;
use super::script::{Script, Statement};
use super::word::{Part, Word};
use crate::boot::ground::{Ground, Located};
use crate::boot::snippet::Snippet;

/// The most commands that are run; a menu of hundreds of entries takes some thousand.
const MAX_STEPS: usize = 200_000;

/// The most files that one script leads to.
const MAX_SOURCES: usize = 32;

/// How deep functions and files may call each other.
const MAX_DEPTH: usize = 24;

/// The longest text a variable holds.
const MAX_VALUE: usize = 64 << 10;

/// The most entries of a menu.
const MAX_ENTRIES: usize = 10_000;

/// A text, or why it is not known.
pub(super) type Value = Result<String, String>;

/// What the filesystem is called in the variables, where it is known which one.
pub(super) const BY_UUID: &str = "fs-uuid:";

/// What a path of the system itself begins with in the variables.
const OWN: &str = "(system)";

/// An entry of the menu.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) title: Value,
    pub(super) id: Option<Value>,
    pub(super) what: What,
    /// Why it may not be in the menu.
    pub(super) unsure: Option<String>,
}

#[derive(Clone)]
pub(super) enum What {
    Entry(Script),
    Submenu(Script),
    Snippet(Rc<Snippet>),
    /// A part of the menu that could not be read.
    Hidden,
}

/// What is to be started.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    /// The kernel, and how the filesystem is called that it lies on.
    pub(super) image: Option<Value>,
    pub(super) arguments: Option<Value>,
    pub(super) initramfs: Vec<Value>,
    /// A hypervisor that is started before it.
    pub(super) hypervisor: bool,
    /// Why it may be something else.
    pub(super) unsure: Option<String>,
}

pub(super) struct Evaluator<'g> {
    pub(super) ground: &'g Ground<'g>,
    variables: HashMap<String, Value>,
    /// Why variables that are not set may be.
    hidden: Option<String>,
    functions: HashMap<String, Script>,
    pub(super) menu: Vec<Item>,
    pub(super) start: Start,
    /// The files that were read.
    pub(super) evidence: Vec<String>,
    /// Why what is run now may not be.
    unsure: Option<String>,
    /// What is run now may be run again.
    looping: bool,
    steps: usize,
    depth: usize,
    sources: usize,
    /// Nothing further is run.
    pub(super) stopped: bool,
}

/// Whether a variable is one of those that a function is called with.
fn is_parameter(name: &str) -> bool {
    matches!(name, "@" | "*" | "#") || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// A word with its variables filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Filled {
    pub(super) text: String,
    /// Why a part of it is missing.
    pub(super) unknown: Option<String>,
}

impl Filled {
    pub(super) fn value(&self) -> Value {
        self.unknown.clone().map_or_else(|| Ok(self.text.clone()), Err)
    }
}

impl<'g> Evaluator<'g> {
    /// One that has read nothing yet. `platform` is what starts the machine, where that is sure.
    pub(super) fn new(ground: &'g Ground<'g>, platform: Value) -> Self {
        let mut variables: HashMap<String, Value> = HashMap::new();
        for feature in [
            "feature_200_final",
            "feature_all_video_module",
            "feature_chainloader_bpb",
            "feature_default_font_path",
            "feature_menuentry_id",
            "feature_menuentry_options",
            "feature_nativedisk_cmd",
            "feature_ntldr",
            "feature_platform_search_hint",
            "feature_timeout_style",
        ] {
            variables.insert(feature.to_owned(), Ok("y".to_owned()));
        }
        variables.insert("grub_platform".to_owned(), platform);
        for unknown in ["grub_cpu", "lockdown", "shim_lock", "secureboot"] {
            let why = format!("${unknown} depends on the machine");
            variables.insert(unknown.to_owned(), Err(why));
        }
        Self {
            ground,
            variables,
            hidden: None,
            functions: HashMap::new(),
            menu: Vec::new(),
            start: Start::default(),
            evidence: Vec::new(),
            unsure: None,
            looping: false,
            steps: 0,
            depth: 0,
            sources: 0,
            stopped: false,
        }
    }

    /// Runs the settings in this file.
    pub(super) fn run_file(&mut self, script: &Located) -> Result<(), String> {
        let (device, path) = match script {
            Located::Here(path) | Located::Elsewhere(path) => (OWN.to_owned(), path),
            Located::Area(area, path) => {
                let uuid = self.ground.uuid(*area).unwrap_or_default();
                (format!("({BY_UUID}{uuid})"), path)
            }
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for name in ["prefix", "config_directory"] {
            self.variables.insert(name.to_owned(), Ok(format!("{device}{folder}")));
        }
        self.source(script).map(|_| ())
    }

    pub(super) fn get(&self, name: &str) -> Value {
        match (self.variables.get(name), &self.hidden) {
            (Some(value), _) => value.clone(),
            (None, Some(why)) => Err(why.clone()),
            (None, None) => Ok(String::new()),
        }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        let value = match &self.unsure {
            // What it is in the next round is not known even where it is the same now.
            Some(why) if self.looping || self.get(name) != value => Err(why.clone()),
            _ => value,
        };
        let value = value.and_then(|text| match text.len() {
            0..=MAX_VALUE => Ok(text),
            _ => Err(format!("${name} is longer than {MAX_VALUE} bytes")),
        });
        if self.variables.len() < MAX_ENTRIES || self.variables.contains_key(name) {
            self.variables.insert(name.to_owned(), value);
        } else {
            self.hidden = Some(format!("there are more than {MAX_ENTRIES} variables"));
        }
    }

    /// Runs the commands; whether the last one succeeds, where that is known.
    pub(super) fn run(&mut self, script: &Script) -> Option<bool> {
        let mut status = Some(true);
        for statement in script.iter() {
            self.steps += 1;
            if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
                if !self.stopped {
                    self.hide("it runs on and on".to_owned());
                }
                self.stopped = true;
            }
            if self.stopped {
                return None;
            }
            status = self.statement(statement);
        }
        status
    }

    fn statement(&mut self, statement: &Statement) -> Option<bool> {
        match statement {
            Statement::Command { words, block } => {
                let status = self.command(words, block.as_ref());
                let shown = status.map(|status| if status { "0" } else { "1" }.to_owned());
                self.set("?", shown.ok_or_else(|| "a command depends on the machine".to_owned()));
                status
            }
            Statement::If { branches, otherwise } => self.branches(branches, otherwise.as_ref()),
            Statement::Loop { variable, body } => {
                const WHY: &str = "it stands in a loop";
                let before = std::mem::replace(&mut self.looping, true);
                self.perhaps(WHY, |this| {
                    if let Some(variable) = variable {
                        this.set(variable, Err(WHY.to_owned()));
                    }
                    this.run(body)
                });
                self.looping = before;
                None
            }
            Statement::Function { name, body } => {
                self.functions.insert(name.clone(), Rc::clone(body));
                Some(true)
            }
        }
    }

    /// Runs what may not be run.
    fn perhaps<T>(&mut self, why: &str, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.unsure.clone();
        self.unsure.get_or_insert_with(|| why.to_owned());
        let result = run(self);
        self.unsure = before;
        result
    }

    fn branches(
        &mut self,
        branches: &[(Script, Script)],
        otherwise: Option<&Script>,
    ) -> Option<bool> {
        const WHY: &str = "it depends on the machine whether it is run";
        let mut unsure = false;
        for (condition, body) in branches {
            let holds = self.run(condition);
            if self.stopped {
                return None;
            }
            match (holds, unsure) {
                (Some(false), _) => {}
                (Some(true), false) => return self.run(body),
                (Some(true), true) => {
                    self.perhaps(WHY, |this| this.run(body));
                    return None;
                }
                (None, _) => {
                    unsure = true;
                    self.perhaps(WHY, |this| this.run(body));
                }
            }
        }
        match (otherwise, unsure) {
            (Some(body), false) => self.run(body),
            (Some(body), true) => {
                self.perhaps(WHY, |this| this.run(body));
                None
            }
            (None, false) => Some(true),
            (None, true) => None,
        }
    }

    /// Fills in the variables.
    fn fill(&self, words: &[Word]) -> Vec<Filled> {
        let mut filled = Vec::new();
        for word in words {
            let mut now = Filled::default();
            // Whether there is a word even if there is nothing in it.
            let mut is_word = false;
            for part in &word.0 {
                match part {
                    Part::Text { text, quoted } => {
                        is_word |= *quoted || !text.is_empty();
                        now.text.push_str(text);
                    }
                    Part::Variable { name, quoted: true } => {
                        is_word = true;
                        self.fill_in(&mut now, self.get(name));
                    }
                    Part::Variable { name, quoted: false } => match self.get(name) {
                        Ok(text) => {
                            let mut pieces = text.split([' ', '\t', '\n']).peekable();
                            while let Some(piece) = pieces.next() {
                                is_word |= !piece.is_empty();
                                self.fill_in(&mut now, Ok(piece.to_owned()));
                                if pieces.peek().is_some() && is_word {
                                    filled.push(std::mem::take(&mut now));
                                    is_word = false;
                                }
                            }
                        }
                        unknown => {
                            is_word = true;
                            self.fill_in(&mut now, unknown);
                        }
                    },
                }
            }
            if is_word {
                filled.push(now);
            }
        }
        filled
    }

    fn fill_in(&self, word: &mut Filled, value: Value) {
        match value {
            Ok(text) if word.text.len() + text.len() <= MAX_VALUE => word.text.push_str(&text),
            Ok(_) => word.unknown = Some(format!("a word is longer than {MAX_VALUE} bytes")),
            Err(why) => {
                word.unknown.get_or_insert(why);
            }
        }
    }

    fn command(&mut self, words: &[Word], block: Option<&Script>) -> Option<bool> {
        let words = self.fill(words);
        let (name, rest) = words.split_first()?;
        if name.unknown.is_some() {
            return None;
        }
        // An assignment without `set`.
        if let Some((variable, value)) = name.text.split_once('=')
            && !variable.is_empty()
            && variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.set(variable, Ok(value.to_owned()));
            return Some(true);
        }
        match name.text.as_str() {
            "set" => {
                for word in rest {
                    if let Some((variable, value)) = word.text.split_once('=') {
                        let value = word.unknown.clone().map_or_else(|| Ok(value.to_owned()), Err);
                        self.set(variable, value);
                    }
                }
                Some(true)
            }
            "unset" => {
                rest.iter().for_each(|word| match (&self.unsure, &self.hidden) {
                    (None, None) => drop(self.variables.remove(&word.text)),
                    _ => self.set(&word.text, Ok(String::new())),
                });
                Some(true)
            }
            "[" | "test" => {
                let operands = match (name.text.as_str(), rest.split_last()) {
                    ("[", Some((last, operands))) if last.text == "]" => operands,
                    ("[", _) => return None,
                    _ => rest,
                };
                condition::holds(self, operands)
            }
            "true" | "export" | "insmod" | "rmmod" | "echo" | "terminal_input" | "serial"
            | "terminal_output" | "play" | "clear" | "save_env" | "sleep" | "password"
            | "password_pbkdf2" | "gettext" | "load_video_done" | "boot" | "return" => Some(true),
            // Nobody holds a key.
            "false" | "keystatus" => Some(false),
            "menuentry" | "submenu" => self.entry(name.text == "submenu", rest, block),
            "blscfg" => self.blscfg(),
            "load_env" => self.load_env(rest),
            "source" | "." => self.source_word(rest.first()?),
            "configfile" => {
                // It is a menu of its own, and takes the place of this one.
                self.menu.clear();
                let status = self.source_word(rest.first()?);
                self.stopped |= self.unsure.is_none();
                status
            }
            "search" | "search.fs_uuid" | "search.fs_label" | "search.file" | "search.fs_file" => {
                self.search(&name.text, rest)
            }
            "probe" | "regexp" | "read" | "smbios" => {
                for word in rest {
                    let set = word.text.strip_prefix("--set=").or(Some(&word.text));
                    if let Some(variable) = set.map(|set| set.rsplit(':').next().unwrap_or(set)) {
                        let why = format!("{} asks the machine", name.text);
                        self.set(variable, Err(why));
                    }
                }
                None
            }
            "linux" | "linux16" | "linuxefi" | "initrd" | "initrd16" | "initrdefi"
            | "chainloader" | "multiboot" | "multiboot2" | "module" | "module2"
            | "xen_hypervisor" | "xen_module" => {
                self.load(&name.text, rest);
                Some(true)
            }
            "eval" | "legacy_configfile" | "extract_legacy_entries_source" | "exit" | "normal" => {
                self.hide(format!("{} is not run here", name.text));
                None
            }
            function => {
                let body = Rc::clone(self.functions.get(function)?);
                let before = self.parameters(rest);
                self.depth += 1;
                let status = self.run(&body);
                self.depth -= 1;
                self.variables.retain(|name, _| !is_parameter(name));
                self.variables.extend(before);
                status
            }
        }
    }

    /// Sets `$1` and its like for a function; gives back what they were.
    fn parameters(&mut self, words: &[Filled]) -> Vec<(String, Value)> {
        let before = self.variables.extract_if(|name, _| is_parameter(name)).collect();
        for (number, word) in (1..).zip(words) {
            self.variables.insert(number.to_string(), word.value());
        }
        let all: Result<Vec<String>, String> = words.iter().map(Filled::value).collect();
        for name in ["@", "*"] {
            self.variables.insert(name.to_owned(), all.clone().map(|words| words.join(" ")));
        }
        self.variables.insert("#".to_owned(), Ok(words.len().to_string()));
        before
    }

    /// Something of the script is not known, so there may be more in the menu and in variables.
    fn hide(&mut self, why: String) {
        self.add(Item {
            title: Err(why.clone()),
            id: None,
            what: What::Hidden,
            unsure: Some(why.clone()),
        });
        self.hidden.get_or_insert(why);
    }

    fn add(&mut self, item: Item) {
        match self.menu.len() {
            0..MAX_ENTRIES => self.menu.push(item),
            _ => self.stopped = true,
        }
    }

    fn entry(
        &mut self,
        is_submenu: bool,
        words: &[Filled],
        block: Option<&Script>,
    ) -> Option<bool> {
        let (mut title, mut id) = (None, None);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "--id" => id = words.next().map(Filled::value),
                "--class" | "--users" | "--hotkey" | "--source" => drop(words.next()),
                text if text.starts_with("--id=") => {
                    id = Some(word.value().map(|text| text["--id=".len()..].to_owned()));
                }
                text if text.starts_with("--") => {}
                _ if title.is_none() => title = Some(word.value()),
                _ => {}
            }
        }
        let body = Rc::clone(block?);
        self.add(Item {
            title: title?,
            id,
            what: if is_submenu { What::Submenu(body) } else { What::Entry(body) },
            unsure: self.unsure.clone(),
        });
        Some(true)
    }
}
