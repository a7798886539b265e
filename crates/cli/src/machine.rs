//! From what was typed to a machine: its disks opened, its volumes discovered, its filesystems
//! found.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::BufRead as _;
use std::sync::Arc;

use fathom_block::source::{HttpOptions, Secret};
use fathom_block::{Disk, Error, Format, Location, Opener, Siblings, Spent};
use fathom_filesystem::{Filesystem, Kind, Tree};
use fathom_volume::{Content, Discovery, Key, Keys, Volume, VolumeId};

use crate::args::{KeyOptions, On, Source};
use crate::exit::{self, Failure};
use crate::namespace;

/// One machine, as far as its disks tell.
pub(crate) struct Machine {
    /// The machine's disks in order.
    pub(crate) disks: Vec<Disk>,
    /// The volumes on them.
    pub(crate) discovery: Discovery,
    opener: Opener,
    /// Whether to say on standard error, at the end, what the reading cost.
    say_spent: bool,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.say_spent {
            exit::say(&self.spent_line());
        }
    }
}

/// What lies on a volume that no other volume lies on.
pub(crate) enum Holds {
    /// A filesystem that can be read.
    Filesystem(Arc<dyn Filesystem>),
    /// A filesystem that is recognised but cannot be read.
    Unreadable(Kind, Error),
    /// Nothing that is recognised.
    Nothing,
    /// It could not be looked.
    Unknown(Error),
}

impl Machine {
    /// Opens the disks and finds what is on them.
    pub(crate) fn open(source: &Source) -> Result<Self, Failure> {
        let format = source.image_format.as_deref().map(parse_format).transpose()?;
        let opener = Opener::new()
            .gate(Siblings::with_allowed(source.allow_path.iter().cloned()))
            .format(format)
            .snapshot(source.snapshot.clone())
            .http(http(&source.http)?);
        let mut disks = Vec::new();
        for image in std::iter::once(&source.image).chain(&source.disks) {
            check_scheme(image)?;
            disks.extend(opener.open(&Location::parse(image))?);
        }
        let named: Vec<_> = disks
            .iter()
            .map(|disk| fathom_volume::Disk {
                name: disk.name.clone(),
                reader: disk.reader.clone(),
                sector_size: disk.sector_size,
            })
            .collect();
        let discovery = fathom_volume::discover(&named, &keys(&source.keys)?);
        Ok(Self { disks, discovery, opener, say_spent: source.io })
    }

    /// How much reading it has cost so far.
    pub(crate) fn spent(&self) -> Spent {
        self.opener.meter().spent()
    }

    /// The same in words.
    pub(crate) fn spent_line(&self) -> String {
        let Spent { bytes, requests, rounds } = self.spent();
        format!("read {bytes} bytes in {requests} requests, {rounds} round trips")
    }

    /// Leaves it to the caller to say what the reading cost.
    pub(crate) fn silence(&mut self) {
        self.say_spent = false;
    }

    /// What lies on the volume.
    pub(crate) fn holds(&self, volume: &Volume) -> Holds {
        let reader = match (&volume.reader, &volume.problem) {
            (Some(reader), _) => reader,
            (None, Some(problem)) => return Holds::Unknown(problem.clone()),
            (None, None) => return Holds::Nothing,
        };
        match fathom_filesystem::detect(reader) {
            Ok(None) => Holds::Nothing,
            Ok(Some(kind)) => match fathom_filesystem::open(reader.clone()) {
                Ok(filesystem) => Holds::Filesystem(filesystem),
                Err(error) => Holds::Unreadable(kind, error),
            },
            Err(error) => Holds::Unknown(error),
        }
    }

    /// The volumes that a filesystem may lie on, each with what lies there.
    pub(crate) fn contents(&self) -> Vec<(&Volume, Holds)> {
        let volumes = &self.discovery.volumes;
        let parents: HashSet<&VolumeId> =
            volumes.iter().flat_map(|volume| &volume.parents).collect();
        volumes
            .iter()
            .filter(|volume| volume.content == Content::Unknown && !parents.contains(&volume.id))
            .map(|volume| (volume, self.holds(volume)))
            .collect()
    }

    /// The volume that the user named.
    pub(crate) fn volume(&self, name: &str) -> Result<&Volume, Failure> {
        self.discovery.find(name).ok_or_else(|| {
            let known: Vec<_> =
                self.discovery.volumes.iter().map(|volume| volume.id.as_str()).collect();
            Error::not_found(
                format!("volume {name:?}"),
                format!("there are {}; `fathom disk info` shows them", known.join(", ")),
            )
            .into()
        })
    }

    /// The files of the machine: of one volume if the user chose one, of all that its fstab mounts
    /// otherwise. What is wrong without stopping us is said on standard error.
    pub(crate) fn tree(&self, on: &On) -> Result<Tree, Failure> {
        let tree = match &on.volume {
            Some(chosen) => self.chosen(chosen)?,
            None => namespace::assemble(self)?,
        };
        for disk in &self.disks {
            disk.problems.iter().for_each(exit::warn);
        }
        self.discovery.problems.iter().for_each(exit::warn);
        for mount in tree.mounts() {
            // One that cannot be read at all says so at every path beneath it.
            let filesystem = &mount.filesystem;
            if filesystem.metadata(filesystem.root()).is_ok() {
                filesystem.problems().iter().for_each(exit::warn);
            }
        }
        Ok(tree)
    }

    /// The files on the volume that the user named, and of the subvolume behind a colon.
    fn chosen(&self, chosen: &str) -> Result<Tree, Failure> {
        let (name, subvolume) = match chosen.split_once(':') {
            Some((name, subvolume)) => (name, Some(subvolume)),
            None => (chosen, None),
        };
        let volume = self.volume(name)?;
        // Half of a mirror may look like a filesystem; what it is a part of was not looked at.
        if let Content::Recognised { name: what, .. } = &volume.content {
            let why = "it is recognised, but what lies on it is not read";
            return Err(Error::unsupported(format!("{name}: {what}"), why).into());
        }
        let filesystem = match self.holds(volume) {
            Holds::Filesystem(filesystem) => filesystem,
            Holds::Unreadable(_, error) | Holds::Unknown(error) => {
                return Err(of_volume(&error, &volume.id).into());
            }
            Holds::Nothing => {
                return Err(Error::not_found(
                    format!("filesystem on {name}"),
                    match &volume.content {
                        Content::Unknown => "nothing on this volume is recognised",
                        _ => "other volumes lie on it; choose one of them",
                    },
                )
                .into());
            }
        };
        match subvolume {
            Some(subvolume) => Ok(Tree::new(open_subvolume(&filesystem, subvolume)?)),
            None => Ok(Tree::new(filesystem)),
        }
    }
}

/// The filesystem seen from one of its subvolumes, named by its path or its number.
pub(crate) fn open_subvolume(
    filesystem: &Arc<dyn Filesystem>,
    name: &str,
) -> Result<Arc<dyn Filesystem>, Error> {
    let subvolumes = filesystem.subvolumes()?;
    let wanted = name.trim_matches('/');
    let found = subvolumes.iter().find(|subvolume| {
        subvolume.path.as_deref() == Some(wanted.as_bytes()) || wanted.parse() == Ok(subvolume.id)
    });
    match found {
        Some(subvolume) => filesystem.open_subvolume(subvolume.id),
        None => {
            let known = subvolumes.iter().filter_map(|subvolume| subvolume.path.as_deref());
            let known = known.filter(|path| !path.is_empty());
            let known: Vec<_> =
                known.take(20).map(|path| String::from_utf8_lossy(path).into_owned()).collect();
            Err(Error::not_found(
                format!("subvolume {name:?}"),
                format!("there are {}", known.join(", ")),
            ))
        }
    }
}

/// Refuses an address of a kind that is not fetched, which would else be taken for a file's name.
fn check_scheme(image: &OsString) -> Result<(), Failure> {
    let text = image.to_string_lossy();
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        None | Some("http" | "https") => Ok(()),
        Some(scheme) if scheme.is_empty() || !scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Ok(())
        }
        Some(scheme) => Err(Failure::Usage(format!(
            "{scheme}:// is not read; images are files, block devices, http:// and https:// addresses"
        ))),
    }
}

/// The error, led by the volume that it is about unless it is already.
pub(crate) fn of_volume(error: &Error, id: &VolumeId) -> Error {
    let shown = error.to_string();
    let subject = shown.split_once(": ").map_or("", |(_, subject)| subject);
    if subject.starts_with(id.as_str()) { error.clone() } else { error.clone().within(id) }
}

/// How to fetch remote images.
fn http(options: &crate::args::HttpOptions) -> Result<HttpOptions, Failure> {
    let mut http = HttpOptions::new().ca_file(options.ca_file.clone()).insecure(options.insecure);
    if options.insecure {
        exit::say("warning: --insecure: the server's certificate is not verified");
    }
    if let Some(name) = &options.http_auth_env {
        let value = std::env::var(name)
            .map_err(|_| Failure::Usage(format!("--http-auth-env {name}: it is not set")))?;
        http = http.authorization(Secret::new(value));
    }
    Ok(http)
}

fn parse_format(name: &str) -> Result<Format, Failure> {
    Format::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
        Failure::Usage(format!("--image-format {name:?} is none of {}", known.join(", ")))
    })
}

/// Splits `[VOLUME=]REST`. A value that names no volume may hold `=` itself, so the part before it
/// counts as a name only where it looks like an id or a UUID.
fn split(value: &str) -> (Option<String>, &str) {
    match value.split_once('=') {
        Some((volume, rest)) if is_volume_name(volume) => (Some(volume.to_owned()), rest),
        _ => (None, value),
    }
}

fn is_volume_name(name: &str) -> bool {
    let disk = name
        .strip_prefix("disk")
        .is_some_and(|rest| rest.split('/').next().is_some_and(|n| n.parse::<u32>().is_ok()));
    let uuid = name.len() == 36
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && name.matches('-').count() == 4;
    disk || uuid || (name.contains('/') && !name.starts_with(['.', '/']))
}

/// Collects the secrets that the user gave.
fn keys(options: &KeyOptions) -> Result<Keys, Failure> {
    let mut keys = Vec::new();
    for value in &options.keys {
        let (volume, secret) = split(value);
        keys.push(Key::new(volume, secret.as_bytes().to_vec()));
    }
    for value in &options.key_envs {
        let (volume, name) = split(value);
        let secret = std::env::var_os(name)
            .ok_or_else(|| Failure::Usage(format!("--key-env {name}: it is not set")))?;
        keys.push(Key::new(volume, secret.into_encoded_bytes()));
    }
    for value in &options.key_files {
        let (volume, path) = split(value);
        keys.push(Key::new(volume, read_key(path)?));
    }
    Ok(Keys::new(keys))
}

/// The largest key file, as in cryptsetup.
const MAX_KEY_FILE: u64 = 8 << 20;

fn read_key(path: &str) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    if path == "-" {
        let mut line = Vec::new();
        std::io::stdin()
            .lock()
            .take(MAX_KEY_FILE)
            .read_until(b'\n', &mut line)
            .map_err(Failure::host("standard input"))?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        return Ok(line);
    }
    let file = std::fs::File::open(path).map_err(Failure::host(format!("key file {path}")))?;
    let mut secret = Vec::new();
    file.take(MAX_KEY_FILE + 1)
        .read_to_end(&mut secret)
        .map_err(Failure::host(format!("key file {path}")))?;
    if secret.len() as u64 > MAX_KEY_FILE {
        return Err(Failure::Usage(format!("key file {path} has more than {MAX_KEY_FILE} bytes")));
    }
    Ok(secret)
}

/// The bytes of a path that was typed.
pub(crate) fn guest_path(path: &OsString) -> &[u8] {
    path.as_encoded_bytes()
}
