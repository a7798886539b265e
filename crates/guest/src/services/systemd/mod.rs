//! Units of systemd, as `systemctl --root` sees them.
//!
//! A unit is a file in one of several folders, of which the first that has the name counts. Files
//! called `NAME.d/*.conf` in any of them change it. Whether it is enabled is decided by symbolic
//! links of its name in folders called `*.wants` and `*.requires`, and of its aliases.

pub(crate) mod command;
mod environment;
mod state;
mod unit;
mod user;

use std::collections::{BTreeMap, HashSet};

use fathom_filesystem::FileType;
use fathom_report::{Enabled, Evidence, Fact, Listing, Service, ServiceKind};

pub(crate) use self::environment::Environment;
use self::state::Links;
use self::unit::Unit;
pub(super) use self::user::units as units_of_accounts;
use super::HIDES;
use crate::files::{Files, Read};

/// The folders, the first counting most.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// How many links lead from one name to another.
const MAX_ALIASES: usize = 16;

/// A file in one of the folders.
#[derive(Clone)]
enum File {
    Regular {
        path: String,
    },
    /// A link to another name in the folders, or to a file elsewhere.
    Link {
        path: String,
        target: String,
    },
}

impl File {
    fn path(&self) -> &str {
        match self {
            Self::Regular { path } | Self::Link { path, .. } => path,
        }
    }
}

/// What the folders hold.
struct Folders {
    /// By name, the file that counts.
    files: BTreeMap<String, File>,
    /// For each folder the links that enable units.
    links: Vec<Links>,
    /// By the name of the folder without `.d`, the files in it by name, those that count.
    drop_ins: BTreeMap<String, BTreeMap<String, String>>,
    places: Vec<Evidence>,
    hidden: Option<String>,
    /// Why links of the administrator may be missing, without which nobody can tell what is not
    /// enabled.
    unread: Option<String>,
}

/// Every unit that starts something.
pub(super) fn units(files: &Files<'_>) -> Listing<Service> {
    let folders = Folders::read(files, &FOLDERS);
    let mut listing = Listing::complete(Vec::new(), folders.places.clone());
    if let Some(why) = &folders.hidden {
        listing.hide(why.clone());
    }
    for name in folders.files.keys() {
        if let Some(kind) = kind(name) {
            listing.items.push(folders.service(files, name, kind));
        }
    }
    listing
}

fn kind(name: &str) -> Option<ServiceKind> {
    Some(match name.rsplit_once('.')?.1 {
        "service" => ServiceKind::Service,
        "timer" => ServiceKind::Timer,
        "socket" => ServiceKind::Socket,
        "path" | "mount" | "automount" | "swap" => ServiceKind::Unit,
        _ => return None,
    })
}

impl Folders {
    /// What the folders hold, the first of which counts most and is that of the administrator.
    fn read(files: &Files<'_>, places: &[&str]) -> Self {
        let mut folders = Self {
            files: BTreeMap::new(),
            links: Vec::new(),
            drop_ins: BTreeMap::new(),
            places: Vec::new(),
            hidden: None,
            unread: None,
        };
        let mut seen = HashSet::new();
        for (index, folder) in places.iter().enumerate() {
            let ((), why) = files.watched(|| match files.found(folder, HIDES) {
                // /lib is mostly another name of /usr/lib.
                Read::There(found) if !seen.insert(found.place()) => {}
                Read::There(_) => folders.folder(files, folder),
                Read::Absent => {}
                Read::Unread(why) => folders.hide(why),
            });
            if index == 0 {
                folders.unread = why;
                // The first links are those of the administrator, who may have none.
                folders.links.resize_with(1, Links::default);
            }
        }
        folders
    }

    fn hide(&mut self, why: String) {
        self.hidden.get_or_insert(why);
    }

    fn folder(&mut self, files: &Files<'_>, folder: &str) {
        self.places.push(folder.into());
        let children = match files.children(folder, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.hide(why),
        };
        let mut links = Links::default();
        for (name, found) in children {
            let path = format!("{folder}/{name}");
            let file_type = match found.metadata() {
                Ok(metadata) => metadata.file_type,
                Err(error) => {
                    files.note(&error, &path, HIDES);
                    self.hide(error.to_string());
                    continue;
                }
            };
            match file_type {
                FileType::Directory => self.beneath(files, &path, &name, &mut links),
                FileType::Symlink => match files.link(&path, HIDES) {
                    Read::There(target) => {
                        links.aliases.push((name.clone(), target.clone()));
                        self.files.entry(name).or_insert(File::Link { path, target });
                    }
                    Read::Absent => {}
                    Read::Unread(why) => self.hide(why),
                },
                FileType::File => {
                    self.files.entry(name).or_insert(File::Regular { path });
                }
                _ => {}
            }
        }
        self.links.push(links);
    }

    /// A folder in one of the folders.
    fn beneath(&mut self, files: &Files<'_>, path: &str, name: &str, links: &mut Links) {
        let enables = name.ends_with(".wants") || name.ends_with(".requires");
        let changes = name.strip_suffix(".d");
        if !enables && changes.is_none() {
            return;
        }
        let children = match files.children(path, HIDES) {
            Read::There(children) => children,
            Read::Absent => return,
            Read::Unread(why) => return self.hide(why),
        };
        for (file, _) in children {
            if enables {
                links.wanted.insert(file);
            } else if let Some(unit) = changes.filter(|_| file.ends_with(".conf")) {
                let of_unit = self.drop_ins.entry(unit.to_owned()).or_default();
                of_unit.entry(file.clone()).or_insert(format!("{path}/{file}"));
            }
        }
    }

    /// The file that the name leads to in the end: its name, and where it lies.
    fn resolve(&self, name: &str) -> Option<(String, Target)> {
        let mut name = name.to_owned();
        for _ in 0..MAX_ALIASES {
            let file = match self.files.get(&name) {
                Some(file) => file,
                // An instance is made of its template.
                None => self.files.get(&template(&name)?)?,
            };
            match file {
                File::Regular { path } => return Some((name, Target::File(path.clone()))),
                File::Link { target, .. } if target == "/dev/null" => {
                    return Some((name, Target::Nothing));
                }
                File::Link { path, target } => {
                    let last = target.rsplit('/').next().unwrap_or(target);
                    if last == name {
                        return Some((name, Target::File(path.clone())));
                    }
                    name = last.to_owned();
                }
            }
        }
        None
    }

    fn service(&self, files: &Files<'_>, name: &str, kind: ServiceKind) -> Service {
        let mut evidence: Vec<Evidence> =
            self.files.get(name).map(|file| file.path().into()).into_iter().collect();
        let mut unit = Unit::default();
        let enabled = match self.resolve(name) {
            None => Fact::unknown("it leads to no unit"),
            Some((_, Target::Nothing)) => Fact::known(Enabled::Masked, evidence_of(&evidence)),
            Some((own, Target::File(path))) => {
                match self.load(files, &own, &path, &mut unit, &mut evidence) {
                    Err(why) => Fact::unknown(why),
                    Ok(()) => {
                        let state = state::of(name, &own, &unit, &self.links);
                        match &self.unread {
                            // It may be enabled all the same.
                            Some(why) if !matches!(state, Enabled::Enabled | Enabled::Masked) => {
                                Fact::unknown(why.clone())
                            }
                            _ => Fact::known(state, evidence_of(&evidence)),
                        }
                    }
                }
            }
        };
        Service {
            kind,
            name: name.to_owned(),
            enabled,
            description: unit.description,
            commands: unit.commands,
            further_commands: unit.further_commands,
            user: unit.user,
            triggers: unit.triggers,
            start: None,
            evidence,
        }
    }

    /// Reads the unit and what changes it.
    fn load(
        &self,
        files: &Files<'_>,
        name: &str,
        path: &str,
        unit: &mut Unit,
        evidence: &mut Vec<Evidence>,
    ) -> Result<(), String> {
        let text = match files.text(path, HIDES) {
            Read::There(text) => text,
            Read::Absent => return Err(format!("{path} leads nowhere")),
            Read::Unread(why) => return Err(why),
        };
        unit.masked = text.is_empty();
        unit.read(&text);
        if evidence.iter().all(|place| place.0 != path) {
            evidence.push(path.into());
        }
        for file in self.changes(name) {
            match files.text(&file, HIDES) {
                Read::There(text) => {
                    unit.read(&text);
                    evidence.push(file.into());
                }
                Read::Absent => {}
                Read::Unread(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// The files that change a unit, in their order: those of its kind, of the beginnings of its name
    /// (`a-.service.d` of `a-b.service`), of its template and its own, sorted by their names.
    fn changes(&self, name: &str) -> Vec<String> {
        let Some((stem, kind)) = name.rsplit_once('.') else { return Vec::new() };
        let mut units = vec![kind.to_owned()];
        let dashes = stem.match_indices('-').map(|(at, _)| format!("{}.{kind}", &stem[..=at]));
        units.extend(dashes);
        units.extend(template(name));
        units.push(name.to_owned());
        let mut changes: BTreeMap<&str, &str> = BTreeMap::new();
        // What is closer to the unit counts more where two files have one name.
        for unit in &units {
            let of_unit = self.drop_ins.get(unit).into_iter().flatten();
            changes.extend(of_unit.map(|(file, path)| (file.as_str(), path.as_str())));
        }
        changes.into_values().map(str::to_owned).collect()
    }
}

fn evidence_of(evidence: &[Evidence]) -> Evidence {
    evidence.first().cloned().unwrap_or_else(|| FOLDERS[0].into())
}

/// What a name leads to.
enum Target {
    File(String),
    Nothing,
}

/// `getty@.service` of `getty@tty1.service`.
fn template(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fathom_block::Error;
    use fathom_filesystem::Unavailable;

    use super::*;
    use crate::memory;

    #[test]
    fn what_hides_links_leaves_states_unknown() {
        let unit: &[u8] = b"[Service]\nExecStart=/x\n[Install]\nWantedBy=multi-user.target\n";
        let files: &[(&str, &[u8])] = &[
            ("/usr/lib/systemd/system/a.service", unit),
            ("/usr/lib/systemd/system/b.service", unit),
            ("/usr/lib/systemd/system/x.target.wants/b.service", b""),
            ("/etc/systemd/system/x.target.wants/a.service", b""),
            ("/etc/systemd/system/y.target.wants/c.service", b""),
            ("/etc/systemd/system/off.service -> /dev/null", b""),
        ];
        let states = |hidden: Option<&str>| {
            let mut tree = memory::tree(files);
            if let Some(path) = hidden {
                let why = Error::corrupt("directory", 0, "its checksum is wrong");
                tree.mount(path.as_bytes(), Arc::new(Unavailable::new(None, why))).unwrap();
            }
            let units = units(&Files::new(&tree));
            let state = |one: &Service| one.enabled.value().map(|state| format!("{state:?}"));
            let states = units.items.iter().map(|one| state(one).unwrap_or("?".to_owned()));
            (units.coverage, states.collect::<Vec<_>>().join(" "))
        };
        use fathom_report::Coverage::{Complete, Partial};
        assert_eq!(states(None), (Complete, "Enabled Disabled Masked".to_owned()));
        let wants = states(Some("/etc/systemd/system/y.target.wants"));
        assert_eq!(wants, (Partial, "Enabled ? Masked".to_owned()));
        assert_eq!(states(Some("/etc/systemd/system")), (Partial, "? ?".to_owned()));
    }
}
