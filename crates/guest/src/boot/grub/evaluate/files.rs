//! The commands of a script that lead to files: other scripts, saved variables, what is started.

use std::rc::Rc;

use super::{BY_UUID, Evaluator, Filled, Item, MAX_SOURCES, OWN, What};
use crate::boot::HIDES;
use crate::boot::ground::Located;
use crate::boot::grub::script::parse;
use crate::boot::grub::{environment, snippets};
use crate::files::Read;

impl Evaluator<'_> {
    pub(super) fn blscfg(&mut self) -> Option<bool> {
        match snippets(self.ground) {
            Read::There((folder, snippets)) => {
                self.evidence.push(folder);
                for snippet in snippets {
                    let id = snippet.id.strip_suffix(".conf").unwrap_or(&snippet.id).to_owned();
                    self.add(Item {
                        title: Ok(snippet.get("title").unwrap_or(&id).to_owned()),
                        id: Some(Ok(id)),
                        what: What::Snippet(Rc::new(snippet)),
                        unsure: self.unsure.clone(),
                    });
                }
                Some(true)
            }
            Read::Absent => Some(false),
            Read::Unread(why) => {
                self.hide(why);
                None
            }
        }
    }

    pub(super) fn load_env(&mut self, words: &[Filled]) -> Option<bool> {
        let mut words = words.iter();
        let mut file = self.get("prefix").map(|prefix| format!("{prefix}/grubenv"));
        let mut wanted = Vec::new();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "--file" | "-f" => file = words.next().map_or(Ok(String::new()), Filled::value),
                text if text.starts_with("--file=") => {
                    file = word.value().map(|text| text["--file=".len()..].to_owned());
                }
                text if text.starts_with('-') => {}
                text => wanted.push(text),
            }
        }
        let file = file.and_then(|path| self.locate(&path));
        match file.and_then(|located| self.text(&located)) {
            Ok(Some(text)) => {
                let variables = environment::variables(&text);
                for (name, value) in variables.into_iter().flatten() {
                    if wanted.is_empty() || wanted.contains(&name.as_str()) {
                        self.set(&name, Ok(value));
                    }
                }
                Some(true)
            }
            Ok(None) => Some(false),
            Err(why) => {
                self.hidden.get_or_insert(why);
                None
            }
        }
    }

    pub(super) fn source_word(&mut self, word: &Filled) -> Option<bool> {
        let located = word.value().and_then(|path| self.locate(&path));
        match located.and_then(|located| self.source(&located)) {
            Ok(status) => status,
            Err(why) => {
                self.hide(why);
                None
            }
        }
    }

    /// Runs another file. It is no failure that it is not there.
    pub(super) fn source(&mut self, located: &Located) -> Result<Option<bool>, String> {
        let shown = located.shown(self.ground);
        if self.sources >= MAX_SOURCES {
            return Err(format!("more than {MAX_SOURCES} files lead to {shown}"));
        }
        self.sources += 1;
        let Some(text) = self.text(located)? else {
            return Ok(Some(false));
        };
        let script = parse(&text).map_err(|why| format!("{shown} cannot be understood: {why}"))?;
        self.depth += 1;
        let status = self.run(&script);
        self.depth -= 1;
        Ok(status)
    }

    fn text(&mut self, located: &Located) -> Result<Option<String>, String> {
        let (files, path) = match located {
            Located::Here(path) => (self.ground.files, path),
            Located::Area(area, path) => (self.ground.areas[*area].files, path),
            Located::Elsewhere(path) if path.starts_with("(UUID=") => {
                return Err(format!("{path} is on no disk that was given"));
            }
            Located::Elsewhere(_) => return Ok(None),
        };
        match files.text(path, HIDES) {
            Read::There(text) => {
                self.evidence.push(located.shown(self.ground));
                Ok(Some(text))
            }
            Read::Absent => Ok(None),
            Read::Unread(why) => Err(why),
        }
    }

    /// The file that a path means: on the device that it names, or else on that in `root`.
    pub(in crate::boot::grub) fn locate(&self, path: &str) -> Result<Located, String> {
        if let Some(own) = path.strip_prefix(OWN) {
            let is_there = self.ground.files.exists(own, HIDES);
            let own = own.to_owned();
            return Ok(if is_there { Located::Here(own) } else { Located::Elsewhere(own) });
        }
        let (device, path) = match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((device, path)) => (device.to_owned(), path),
            None => (self.get("root")?, path),
        };
        if !path.starts_with('/') {
            return Err(format!("{path:?} is no file, but a place on a disk"));
        }
        if device.is_empty() {
            return Ok(self.ground.locate(None, path));
        }
        if let Some(uuid) = device.strip_prefix(BY_UUID) {
            return Ok(self.ground.locate(Some(uuid), path));
        }
        match self.ground.device(&device) {
            Some(uuid) => Ok(self.ground.locate(Some(&uuid), path)),
            None => Ok(self.ground.locate(None, path)),
        }
    }

    /// The same, of what may be no file: a place on a disk is told as it is written.
    pub(in crate::boot::grub) fn locate_or_keep(&self, path: &str) -> Result<Located, String> {
        let inside = path.rsplit(')').next().unwrap_or(path);
        match inside.starts_with('/') {
            true => self.locate(path),
            false => Ok(Located::Elsewhere(path.to_owned())),
        }
    }

    pub(super) fn search(&mut self, name: &str, words: &[Filled]) -> Option<bool> {
        let mut by = match name {
            "search" => None,
            "search.fs_uuid" => Some("uuid"),
            "search.fs_label" => Some("label"),
            _ => Some("file"),
        };
        let (mut wanted, mut variable) = (None, (by.is_some()).then(|| "root".to_owned()));
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.text.as_str() {
                "--fs-uuid" | "-u" => by = Some("uuid"),
                "--label" | "--fs-label" | "-l" => by = Some("label"),
                "--file" | "-f" => by = Some("file"),
                "--set" | "-s" => variable = Some("root".to_owned()),
                "--hint" => drop(words.next()),
                text if text.starts_with("--set=") => {
                    variable = Some(text["--set=".len()..].to_owned());
                }
                text if text.starts_with('-') => {}
                _ if wanted.is_none() => wanted = Some(word.value()),
                text if name != "search" => variable = Some(text.to_owned()),
                _ => {}
            }
        }
        let found = wanted?.and_then(|wanted| match by {
            Some("uuid") => Ok(wanted),
            Some("label") => self
                .ground
                .labelled(&wanted)
                .ok_or_else(|| format!("no single filesystem has the label {wanted}")),
            _ => match self.ground.locate(None, &wanted) {
                Located::Here(_) => Ok(String::new()),
                _ => Err(format!("{wanted} is searched for on all disks")),
            },
        });
        let status = found.is_ok().then_some(true);
        if let Some(variable) = variable {
            let value = found.map(|uuid| match uuid.as_str() {
                "" => uuid,
                uuid => format!("{BY_UUID}{uuid}"),
            });
            self.set(&variable, value);
        }
        status
    }

    pub(super) fn load(&mut self, command: &str, words: &[Filled]) {
        if let Some(why) = &self.unsure {
            self.start.unsure.get_or_insert(why.clone());
        }
        let files = words.iter().filter(|word| !word.text.starts_with("--"));
        let mut files = files.map(|word| {
            let path = word.value()?;
            Ok(self.on_device(&path))
        });
        match command {
            "initrd" | "initrd16" | "initrdefi" => {
                self.start.initramfs = files.collect();
            }
            "module" | "module2" | "xen_module" if self.start.image.is_some() => {
                let more: Vec<_> = files.take(1).collect();
                self.start.initramfs.extend(more);
            }
            "multiboot" | "multiboot2" | "xen_hypervisor" => self.start.hypervisor = true,
            "module" | "module2" | "xen_module" if !self.start.hypervisor => {}
            _ => {
                self.start.image = files.next();
                let arguments = words.iter().filter(|word| !word.text.is_empty());
                let rest: Result<Vec<String>, String> = arguments
                    .skip_while(|word| word.text.starts_with("--"))
                    .skip(1)
                    .map(Filled::value)
                    .collect();
                self.start.arguments = Some(rest.map(|words| words.join(" ")));
            }
        }
    }

    /// The path with the device that it is on now; `root` may be set anew behind it.
    fn on_device(&self, path: &str) -> String {
        if path.starts_with('(') {
            return path.to_owned();
        }
        match self.get("root") {
            Ok(root) if !root.is_empty() => format!("({root}){path}"),
            _ => path.to_owned(),
        }
    }
}
