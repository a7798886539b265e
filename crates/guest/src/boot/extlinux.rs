//! extlinux and syslinux: labels in a small file.

use fathom_report::{Evidence, Fact};

use super::HIDES;
use super::entry::Entry;
use super::ground::{Ground, Located};
use crate::files::Read;

const LOADER: &str = "extlinux";

/// Where its settings lie.
const SETTINGS: [&str; 9] = [
    "/boot/extlinux/extlinux.conf",
    "/boot/extlinux.conf",
    "/extlinux/extlinux.conf",
    "/extlinux.conf",
    "/boot/syslinux/syslinux.cfg",
    "/boot/syslinux.cfg",
    "/syslinux/syslinux.cfg",
    "/syslinux.cfg",
    "/boot/syslinux/extlinux.conf",
];

/// The most labels that are believed.
const MAX_LABELS: usize = 1000;

/// The most other files that are read for one.
const MAX_INCLUDES: usize = 32;

#[derive(Clone, Default)]
struct Label {
    name: String,
    title: Option<String>,
    kernel: Option<String>,
    initrd: Vec<String>,
    append: Option<String>,
}

#[derive(Default)]
struct Menu {
    default: Option<String>,
    on_timeout: Option<String>,
    menu_default: Option<String>,
    append: Option<String>,
    labels: Vec<Label>,
}

/// Its settings, where there are any.
pub(super) fn settings(ground: &Ground<'_>) -> Option<&'static str> {
    SETTINGS.into_iter().find(|path| ground.files.exists(path, HIDES))
}

/// What it starts when nobody chooses.
pub(super) fn default(ground: &Ground<'_>, path: &str) -> Fact<Entry> {
    let text = match ground.files.text(path, HIDES) {
        Read::There(text) => text,
        Read::Absent => return Fact::absent([path]),
        Read::Unread(why) => return Fact::unknown(why),
    };
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut evidence: Vec<Evidence> = vec![path.into()];
    let mut menu = Menu::default();
    let mut includes = Vec::new();
    menu.add(&text, &mut includes);
    if includes.len() > MAX_INCLUDES {
        return Fact::unknown(format!("{path} includes more than {MAX_INCLUDES} files"));
    }
    for include in &includes {
        let path = locate(ground, folder, include);
        match path {
            Located::Here(path) => match ground.files.text(&path, HIDES) {
                Read::There(text) => {
                    menu.add(&text, &mut Vec::new());
                    evidence.push(path.into());
                }
                Read::Absent => {}
                Read::Unread(why) => return Fact::unknown(why),
            },
            _ => {
                return Fact::unknown(format!(
                    "{include}, which {evidence:?} includes, is not found"
                ));
            }
        }
    }
    let find = |name: &str| {
        let name = name.split_whitespace().next().unwrap_or_default();
        menu.labels.iter().find(|label| label.name == name)
    };
    // A menu is a program of its own; where it runs, its own default counts.
    let is_program = |name: &str| name.ends_with(".c32");
    let typed = menu.default.as_deref().filter(|name| !is_program(name));
    let chosen = menu.on_timeout.as_deref().and_then(find);
    let chosen = chosen.or_else(|| menu.menu_default.as_deref().and_then(find));
    let chosen = chosen.or_else(|| typed.and_then(find)).or_else(|| menu.labels.first());
    let Some(label) = chosen else {
        return match typed {
            Some(command) => Fact::unknown(format!("its default {command:?} is no label")),
            None => Fact::absent(evidence),
        };
    };
    Fact::Known { value: entry(ground, folder, label, &menu), evidence }
}

fn entry(ground: &Ground<'_>, folder: &str, label: &Label, menu: &Menu) -> Entry {
    let append = label.append.clone().or_else(|| menu.append.clone());
    // A dash asks for none, not even those for all labels.
    let append = append.filter(|append| append != "-");
    let mut arguments = Vec::new();
    let mut initrd = label.initrd.clone();
    for word in append.iter().flat_map(|append| append.split_whitespace()) {
        match word.strip_prefix("initrd=") {
            Some(files) if label.initrd.is_empty() => {
                initrd.extend(files.split(',').map(str::to_owned));
            }
            Some(_) => {}
            None => arguments.push(word),
        }
    }
    Entry {
        loader: LOADER,
        title: label.title.clone().or_else(|| Some(label.name.clone())),
        image: label.kernel.as_deref().map(|path| locate(ground, folder, path)),
        initramfs: initrd.iter().map(|path| locate(ground, folder, path)).collect(),
        arguments: append.is_some().then(|| arguments.join(" ")),
    }
}

/// A path is counted from the folder of the settings unless it begins at the top.
fn locate(ground: &Ground<'_>, folder: &str, path: &str) -> Located {
    if path.starts_with('/') {
        return ground.locate(None, path);
    }
    let here = format!("{folder}/{path}");
    match ground.files.exists(&here, HIDES) {
        true => Located::Here(here),
        false => Located::Elsewhere(here),
    }
}

impl Menu {
    fn add(&mut self, text: &str, includes: &mut Vec<String>) {
        for line in text.lines().map(str::trim) {
            let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
            let value = value.trim();
            let key = key.to_ascii_lowercase();
            match key.as_str() {
                "label" if self.labels.len() < MAX_LABELS => {
                    let name = value.split_whitespace().next().unwrap_or_default().to_owned();
                    self.labels.push(Label { name, ..Label::default() });
                }
                "default" => self.default = Some(value.to_owned()),
                "ontimeout" => self.on_timeout = Some(value.to_owned()),
                "include" => includes.push(value.to_owned()),
                "menu" => self.menu(value, includes),
                "append" => match self.labels.last_mut() {
                    Some(label) => label.append = Some(value.to_owned()),
                    None => self.append = Some(value.to_owned()),
                },
                "kernel" | "linux" | "boot" | "com32" => {
                    if let Some(label) = self.labels.last_mut() {
                        label.kernel = Some(value.to_owned());
                    }
                }
                "initrd" => {
                    if let Some(label) = self.labels.last_mut() {
                        label.initrd = value.split(',').map(str::to_owned).collect();
                    }
                }
                _ => {}
            }
        }
    }

    fn menu(&mut self, rest: &str, includes: &mut Vec<String>) {
        let (key, value) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        match key.to_ascii_lowercase().as_str() {
            "label" => {
                if let Some(label) = self.labels.last_mut() {
                    // The caret marks the key that chooses it.
                    label.title = Some(value.trim().replace('^', ""));
                }
            }
            "default" => self.menu_default = self.labels.last().map(|label| label.name.clone()),
            "include" => includes.push(value.trim().to_owned()),
            _ => {}
        }
    }
}
