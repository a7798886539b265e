//! From the members that were found to a readable array.

use std::sync::Arc;

use fathom_block::{Error, ReadAt, Result, Window};

use super::geometry::Geometry;
use super::reader::{ArrayReader, Device};
use super::standing::{Standing, newest, standings};
use super::superblock::{Level, Superblock};
use crate::volume::VolumeId;

/// How many missing members are told of one by one.
const MAX_TOLD: usize = 4;

/// A member that was found.
pub(super) struct Member {
    pub(super) volume: VolumeId,
    pub(super) reader: Arc<dyn ReadAt>,
    pub(super) superblock: Superblock,
}

/// An array, readable or not.
pub(crate) struct AssembledArray {
    /// What to call its volume: `md0`, `md/data`.
    pub(crate) id: String,
    pub(crate) uuid: String,
    /// The name in its superblock, led by the host that made it.
    pub(crate) name: Option<String>,
    /// The number of its device, where the superblock has one.
    pub(crate) minor: Option<u32>,
    pub(crate) level: String,
    /// The version of the superblock.
    pub(crate) metadata: &'static str,
    pub(crate) devices: u32,
    /// How many of these are missing, or may not be read.
    pub(crate) missing: u32,
    pub(crate) size: u64,
    /// What it lies on.
    pub(crate) parents: Vec<VolumeId>,
    /// Everything that was found of it, and what each is there.
    pub(crate) members: Vec<(VolumeId, String)>,
    pub(crate) reader: Option<Arc<dyn ReadAt>>,
    /// Why there is no reader; otherwise what should be known of it.
    pub(crate) problems: Vec<Error>,
}

/// Whether a member was found for every role that the newest of them knows.
pub(super) fn is_complete(members: &[Member]) -> bool {
    newest(members).is_some_and(|newest| {
        let chosen = choose(members, newest, &standings(members, newest));
        chosen.iter().all(Option::is_some)
    })
}

/// Puts an array together. There is none without any member.
pub(super) fn assemble(members: &[Member]) -> Option<AssembledArray> {
    let newest = newest(members);
    let described = &newest.or(members.first())?.superblock;
    let mut array = AssembledArray {
        id: id_of(described),
        uuid: described.uuid.clone(),
        name: described.name.clone(),
        minor: described.minor,
        level: described.shape.level.to_string(),
        metadata: described.version,
        devices: described.shape.devices,
        missing: described.shape.devices,
        size: 0,
        parents: Vec::new(),
        members: members.iter().map(|one| (one.volume.clone(), own_role(one))).collect(),
        reader: None,
        problems: Vec::new(),
    };
    let Some(newest) = newest else {
        let why = "only spares of it are on the disks given; give the others too";
        array.problems.push(Error::not_found(title(described), why));
        return Some(array);
    };
    let mut assembly = Assembly::new(members, newest);
    array.missing = assembly.missing().count() as u32;
    match assembly.open() {
        Ok(reader) => {
            array.size = reader.len();
            array.reader = Some(Arc::new(reader));
            array.problems = assembly.notes();
        }
        Err(error) => {
            array.size = assembly.size;
            array.problems.push(error);
        }
    }
    array.members = assembly.roles();
    let used = assembly.chosen.iter().flatten();
    array.parents = used.map(|index| members[*index].volume.clone()).collect();
    Some(array)
}

fn own_role(member: &Member) -> String {
    member.superblock.own_role().to_string()
}

/// An array in messages.
fn title(superblock: &Superblock) -> String {
    format!("md array {} ({})", id_of(superblock), superblock.uuid)
}

/// What to call the volume: as the device would be called, where that is plain.
fn id_of(superblock: &Superblock) -> String {
    if let Some(minor) = superblock.minor {
        return format!("md{minor}");
    }
    let name = superblock.name.as_deref().unwrap_or_default();
    let name = name.split_once(':').map_or(name, |(_, name)| name);
    let plain = |c: char| c.is_ascii_alphanumeric() || "+_.-".contains(c);
    match name.parse::<u32>() {
        Ok(number) if number.to_string() == name => format!("md{number}"),
        _ if !name.is_empty() && name.chars().all(plain) => format!("md/{name}"),
        _ => format!("md/{}", superblock.uuid.get(..8).unwrap_or_default()),
    }
}

/// The member to read for each role. The one that is to take another's place is only taken where
/// that is not there.
fn choose(members: &[Member], newest: &Member, standings: &[Standing]) -> Vec<Option<usize>> {
    let mut chosen: Vec<Option<usize>> = vec![None; newest.superblock.shape.devices as usize];
    for (index, standing) in standings.iter().enumerate() {
        let Standing::Current(slot) = standing else { continue };
        let Some(entry) = chosen.get_mut(*slot) else { continue };
        if entry.is_none_or(|before| members[before].superblock.replacement) {
            *entry = Some(index);
        }
    }
    chosen
}

struct Assembly<'a> {
    members: &'a [Member],
    newest: &'a Superblock,
    standings: Vec<Standing>,
    chosen: Vec<Option<usize>>,
    /// How large the array is, as far as that can be told.
    size: u64,
    /// What is wrong with members that are used, or are not for that.
    damaged: Vec<Error>,
}

impl<'a> Assembly<'a> {
    fn new(members: &'a [Member], newest: &'a Member) -> Self {
        let standings = standings(members, newest);
        let chosen = choose(members, newest, &standings);
        let newest = &newest.superblock;
        Self { members, newest, standings, chosen, size: 0, damaged: Vec::new() }
    }

    /// The roles that no member is read for.
    fn missing(&self) -> impl Iterator<Item = usize> {
        self.chosen.iter().enumerate().filter(|(_, index)| index.is_none()).map(|(slot, _)| slot)
    }

    fn open(&mut self) -> Result<ArrayReader> {
        let geometry = Geometry::of_shape(&self.newest.shape)?;
        self.size = geometry.as_ref().map_or(0, Geometry::length);
        self.refuse()?;
        let geometry = match geometry {
            Some(geometry) => {
                self.drop_short(geometry.used());
                geometry
            }
            None => {
                self.check_ends();
                let lengths = self.lengths().ok_or_else(|| self.incomplete())?;
                Geometry::of_members(&self.newest.shape, &lengths)?
            }
        };
        self.size = geometry.length();
        let there: Vec<bool> = self.chosen.iter().map(Option::is_some).collect();
        if !geometry.is_complete(&there) {
            return Err(self.incomplete());
        }
        let device = |index: &Option<usize>| index.map(|index| device(&self.members[index]));
        let devices = self.chosen.iter().map(device).collect();
        Ok(ArrayReader { name: title(self.newest), geometry, devices })
    }

    /// What cannot be read, whoever is there.
    fn refuse(&self) -> Result<()> {
        let state = self.newest.state;
        if state.reshaping {
            let why = "it is being reshaped: some of it lies as before, the rest as it will be; \
                       let the machine finish that first";
            return Err(Error::unsupported(title(self.newest), why));
        }
        if state.journal {
            let why = "it has a journal, which may hold what was written last and is not read";
            return Err(Error::unsupported(title(self.newest), why));
        }
        let apart = |standing: &Standing| *standing == Standing::Apart(0);
        if self.newest.shape.level.is_redundant() && self.standings.iter().any(apart) {
            let why = "its members were used apart from each other, and it cannot be told which \
                       of them are the newer; give only those that are meant";
            return Err(Error::corrupt(title(self.newest), 0, why));
        }
        Ok(())
    }

    /// Leaves out members that have less than so many bytes of data: as good as missing, since the
    /// kernel would not take them either.
    fn drop_short(&mut self, used: u64) {
        for entry in &mut self.chosen {
            let Some(member) = entry.map(|index| &self.members[index]) else { continue };
            let data = &member.superblock.data;
            let promised = data.end - data.start;
            let there = member.reader.len().saturating_sub(data.start).min(promised);
            if there < used {
                let what = format!("member {} of {}", member.volume, title(self.newest));
                let end = data.start.saturating_add(used);
                self.damaged.push(Error::truncated(what, member.reader.len(), end));
                *entry = None;
            }
        }
    }

    /// Notes which members end before their data does.
    fn check_ends(&mut self) {
        for index in self.chosen.iter().flatten() {
            let member = &self.members[*index];
            let end = member.superblock.data.end;
            if member.reader.len() < end {
                let what = format!("member {} of {}", member.volume, title(self.newest));
                self.damaged.push(Error::truncated(what, member.reader.len(), end));
            }
        }
    }

    /// How much data every member has; `None` if one is missing.
    fn lengths(&self) -> Option<Vec<u64>> {
        let length = |index: &Option<usize>| {
            let data = &self.members[(*index)?].superblock.data;
            Some(data.end - data.start)
        };
        self.chosen.iter().map(length).collect()
    }

    /// What every member turned out to be.
    fn roles(&self) -> Vec<(VolumeId, String)> {
        let role = |(member, standing): (&Member, &Standing)| {
            let role = match standing {
                Standing::Current(slot) => format!("device {slot}"),
                Standing::Unused => own_role(member),
                Standing::Stale(_) | Standing::Apart(_) => "out of date".to_owned(),
                Standing::Rebuilding => "being rebuilt".to_owned(),
                Standing::Different => "of another shape".to_owned(),
                Standing::Duplicate(_) => "found twice".to_owned(),
            };
            (member.volume.clone(), role)
        };
        self.members.iter().zip(&self.standings).map(role).collect()
    }

    /// The error that too many members are missing.
    fn incomplete(&self) -> Error {
        if let Some(damaged) = self.damaged.first() {
            return damaged.clone();
        }
        let missing: Vec<String> =
            self.missing().take(MAX_TOLD).map(|slot| slot.to_string()).collect();
        let (count, devices) = (self.missing().count(), self.newest.shape.devices);
        let mut why = format!(
            "{count} of its {devices} members are on none of the disks given (device {}); \
             give the disks that they are on too",
            missing.join(", ")
        );
        for (_, reason) in self.not_used().take(MAX_TOLD) {
            why.push_str("; ");
            why.push_str(&reason);
        }
        Error::not_found(title(self.newest), why)
    }

    /// Why members that were found are not read.
    fn not_used(&self) -> impl Iterator<Item = (&Standing, String)> {
        let both = self.members.iter().zip(&self.standings);
        both.filter_map(|(member, standing)| {
            let why = match standing {
                Standing::Current(_) | Standing::Unused => return None,
                Standing::Stale(behind) => {
                    format!("is out of date by {behind} events and not read")
                }
                Standing::Apart(behind) => format!(
                    "was used apart from the others and is behind by {behind} events; it is not read"
                ),
                Standing::Rebuilding => "has not yet got all that it should hold; it is not read".into(),
                Standing::Different => "describes another array than the newest member".into(),
                Standing::Duplicate(first) => {
                    let first = &self.members[*first].volume;
                    format!("is the same member as {first}, which is used")
                }
            };
            Some((standing, format!("{} {why}", member.volume)))
        })
    }

    /// What should be known of an array that is read.
    fn notes(&self) -> Vec<Error> {
        let title = title(self.newest);
        let mut notes = self.damaged.clone();
        notes.extend(self.dirty());
        notes.extend(self.not_used().take(MAX_TOLD).map(|(standing, why)| match standing {
            // That goes on by itself when the machine does.
            Standing::Rebuilding => Error::unsupported(title.clone(), why),
            _ => Error::corrupt(title.clone(), 0, why),
        }));
        let missing: Vec<String> =
            self.missing().take(MAX_TOLD).map(|slot| slot.to_string()).collect();
        if !missing.is_empty() {
            let how = match self.newest.shape.level.has_parity() {
                true => "computed from the others",
                false => "read from another",
            };
            let why = format!("no member is read for it; what it held is {how}");
            notes.push(Error::not_found(format!("{title}: device {}", missing.join(", ")), why));
        }
        notes
    }

    /// What is to be said of an array that was not at rest.
    fn dirty(&self) -> Option<Error> {
        let level = self.newest.shape.level;
        if !self.newest.state.dirty || !level.is_redundant() {
            return None;
        }
        let why = match level {
            Level::Raid1 | Level::Raid10 => {
                "it was in use or still being made, so that its copies may differ where it was \
                 last written; the first is read, and nothing is resynchronised"
            }
            _ if self.missing().next().is_some() => {
                "it was in use while a member was missing, so that what is computed may be wrong \
                 where it was last written"
            }
            _ => {
                "it was in use or still being made, so that its parity may be wrong where it was \
                 last written; the data itself is read, and nothing is resynchronised"
            }
        };
        Some(Error::unsupported(title(self.newest), why))
    }
}

/// The member as the reader wants it.
fn device(member: &Member) -> Device {
    let data = &member.superblock.data;
    let window = Window::clipped(member.reader.clone(), data.start, data.end - data.start);
    Device { data: Arc::new(window), bad: member.superblock.bad.clone() }
}
