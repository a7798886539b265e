//! From what was typed to a machine: its disks opened, its volumes discovered, its filesystems
//! found.

use std::ffi::OsString;
use std::io::BufRead as _;
use std::sync::Arc;

use fathom_block::source::{HttpOptions, Secret};
use fathom_block::{Disk, Error, Format, Location, Opener, ReadAt, Siblings, Spent};
use fathom_filesystem::Tree;
use fathom_guest::{Holds, SubvolumeName, of_volume, open_subvolume};
use fathom_volume::{Content, Discovery, Key, Keys, Volume};

use crate::args::{KeyOptions, On, Reading, Source};
use crate::exit::{self, Failure};
use crate::files::Files;

/// One machine, as far as its disks tell.
pub(crate) struct Machine {
    /// The machine's disks in order.
    pub(crate) disks: Vec<Disk>,
    /// The volumes on them.
    pub(crate) discovery: Discovery,
    /// Which of the images that were given each disk is from: an archive holds several.
    pub(crate) origins: Vec<usize>,
    opener: Opener,
    /// Whether to say on standard error, at the end, what the reading cost.
    say_spent: bool,
    /// What leads that, where there are several machines.
    called: Option<String>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if self.say_spent {
            let of = self.called.as_ref().map_or(String::new(), |name| format!("{name}: "));
            exit::say(&format!("{of}{}", self.spent_line()));
        }
    }
}

impl Machine {
    /// Opens the disks and finds what is on them.
    pub(crate) fn open(source: &Source) -> Result<Self, Failure> {
        Self::of(&source.image, &source.reading)
    }

    /// The same of a machine of which `image` is the first disk.
    pub(crate) fn of(image: &OsString, reading: &Reading) -> Result<Self, Failure> {
        let format = reading.image_format.as_deref().map(parse_format).transpose()?;
        let opener = Opener::new()
            .gate(Siblings::with_allowed(reading.allow_path.iter().cloned()))
            .format(format)
            .snapshot(reading.snapshot.clone())
            .http(http(&reading.http)?);
        let mut disks = Vec::new();
        let mut origins = Vec::new();
        for (index, image) in std::iter::once(image).chain(&reading.disks).enumerate() {
            check_scheme(image)?;
            disks.extend(opener.open(&Location::parse(image))?);
            origins.resize(disks.len(), index);
        }
        let named: Vec<_> = disks
            .iter()
            .map(|disk| fathom_volume::Disk {
                name: disk.name.clone(),
                reader: disk.reader.clone(),
                sector_size: disk.sector_size,
            })
            .collect();
        let discovery = fathom_volume::discover(&named, &keys(&reading.keys)?);
        check_bindings(&reading.keys, &discovery)?;
        Ok(Self { disks, discovery, origins, opener, say_spent: reading.io, called: None })
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

    /// Leads what is said of it by a name.
    pub(crate) fn call(&mut self, name: &str) {
        self.called = Some(name.to_owned());
    }

    /// Leaves it to the caller to say what the reading cost.
    pub(crate) fn silence(&mut self) {
        self.say_spent = false;
    }

    /// The volumes that a filesystem may lie on, each with what lies there.
    pub(crate) fn contents(&self) -> Vec<(&Volume, Holds)> {
        fathom_guest::contents(&self.discovery)
    }

    /// The volume that the user named: as discovery knows it, or by the UUID of its filesystem.
    pub(crate) fn volume(&self, name: &str) -> Result<&Volume, Failure> {
        let by_filesystem = || {
            let holds = |holds: &Holds| match holds {
                Holds::Filesystem(filesystem) => {
                    filesystem.info().uuid.is_some_and(|uuid| uuid.eq_ignore_ascii_case(name))
                }
                _ => false,
            };
            let mut found = self.contents().into_iter().filter(|(_, one)| holds(one));
            found.next().filter(|_| found.next().is_none()).map(|(volume, _)| volume)
        };
        let is_uuid = name.len() >= 9 && name.contains('-') && !name.contains('/');
        let found = self.discovery.find(name);
        found.or_else(|| is_uuid.then(by_filesystem).flatten()).ok_or_else(|| {
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
    pub(crate) fn files(&self, on: &On) -> Result<Files, Failure> {
        let tree = match &on.volume {
            Some(chosen) => Files::whole(self.chosen(chosen)?),
            None => {
                let mut problems = Vec::new();
                let assembled = fathom_guest::assemble(&self.discovery, &mut problems);
                exit::warn_once(&problems);
                let assembled = assembled?;
                Files::lacking(assembled.tree, assembled.unmounted)
            }
        };
        exit::warn_once(self.disks.iter().flat_map(|disk| &disk.problems));
        exit::warn_once(&self.discovery.problems);
        for mount in tree.mounts() {
            // One that cannot be read at all says so at every path beneath it.
            let filesystem = &mount.filesystem;
            // A bind mount shows a part of what is mounted elsewhere already.
            let whole = mount.root == filesystem.root();
            if whole && filesystem.metadata(mount.root).is_ok() {
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
        if let Content::ArrayMember { array, .. } = &volume.content {
            let what = format!("filesystem on {name}");
            let why = match array {
                Some(array) => format!("it is a member of {array}; choose that"),
                None => "it is a member of an array that could not be put together".to_owned(),
            };
            return Err(Error::not_found(what, why).into());
        }
        let filesystem = match fathom_guest::holds(volume) {
            Holds::Filesystem(filesystem) => filesystem,
            Holds::Unreadable(_, error) | Holds::Unknown(error) => {
                return Err(of_volume(&error, &volume.id).into());
            }
            Holds::Nothing => {
                return Err(Error::not_found(
                    format!("filesystem on {name}"),
                    match &volume.content {
                        Content::Unknown => "nothing on this volume is recognised",
                        Content::PhysicalVolume { group: None, .. } => {
                            "it is a physical volume of LVM that no volume group uses"
                        }
                        _ => "other volumes lie on it; choose one of them",
                    },
                )
                .into());
            }
        };
        match subvolume {
            Some(subvolume) => {
                let name = SubvolumeName::Typed(subvolume.to_owned());
                Ok(Tree::new(open_subvolume(&filesystem, &name)?))
            }
            None => Ok(Tree::new(filesystem)),
        }
    }
}

/// The bytes of an image as they lie in its file or behind its address. Nothing in them is looked
/// at.
pub(crate) fn bytes(image: &OsString, reading: &Reading) -> Result<Arc<dyn ReadAt>, Failure> {
    check_scheme(image)?;
    let opener = Opener::new().format(Some(Format::Raw)).http(http(&reading.http)?);
    let disks = opener.open(&Location::parse(image))?;
    match disks.into_iter().next() {
        Some(disk) => Ok(disk.reader),
        None => Err(Error::not_found(Location::parse(image).to_string(), "it is empty").into()),
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

/// How to fetch remote images.
pub(crate) fn http(options: &crate::args::HttpOptions) -> Result<HttpOptions, Failure> {
    let mut http = HttpOptions::new().ca_file(options.ca_file.clone()).insecure(options.insecure);
    if options.insecure {
        exit::say("warning: --insecure: the server's certificate is not verified");
    }
    if let Some(name) = &options.http_auth_env {
        let value = variable(name, "--http-auth-env")?.into_string().map_err(|_| {
            Failure::Usage(format!("--http-auth-env {name}: its value is no text in UTF-8"))
        })?;
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

/// `[VOLUME=]REST`, taken apart.
struct Bound<'a> {
    volume: Option<&'a str>,
    rest: &'a str,
    /// The part before the `=` may be a volume's name, or belong to the rest.
    unsure: bool,
}

/// Takes `[VOLUME=]REST` apart. A value that names no volume may hold `=` itself, so the part before
/// it counts as a name only where it looks like one.
fn split(value: &str) -> Bound<'_> {
    match value.split_once('=') {
        Some((volume, rest)) if is_volume_name(volume) => {
            Bound { volume: Some(volume), rest, unsure: false }
        }
        // `vg0/root=word` is a binding; `c2/VjcmV0+Q==` is a word.
        Some((volume, rest)) if volume.contains('/') && !volume.starts_with(['.', '/']) => {
            Bound { volume: Some(volume), rest, unsure: true }
        }
        _ => Bound { volume: None, rest: value, unsure: false },
    }
}

/// Refuses keys for volumes that are not there: a slip of the pen would else read as a wrong key.
fn check_bindings(options: &KeyOptions, discovery: &Discovery) -> Result<(), Failure> {
    let values = options.keys.iter().chain(&options.key_envs).chain(&options.key_files);
    for value in values {
        let bound = split(value);
        if let (Some(volume), false) = (bound.volume, bound.unsure)
            && !discovery.volumes.iter().any(|one| is_called(one, volume))
        {
            return Err(Failure::Usage(format!(
                "a key is given for {volume}, but there is no such volume; `fathom disk info` shows \
                 those that are"
            )));
        }
    }
    Ok(())
}

/// Whether the volume goes by the name, or holds a LUKS header that does.
fn is_called(volume: &Volume, name: &str) -> bool {
    let luks =
        matches!(&volume.content, Content::Luks { uuid, .. } if uuid.eq_ignore_ascii_case(name));
    luks || volume.goes_by(name)
}

fn is_volume_name(name: &str) -> bool {
    let disk = name
        .strip_prefix("disk")
        .is_some_and(|rest| rest.split('/').next().is_some_and(|n| n.parse::<u32>().is_ok()));
    let uuid = name.len() == 36
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && name.matches('-').count() == 4;
    disk || uuid
}

/// Collects the secrets that the user gave.
fn keys(options: &KeyOptions) -> Result<Keys, Failure> {
    let mut keys = Vec::new();
    let mut add = |volume: Option<&str>, secret: Vec<u8>| {
        keys.push(Key::new(volume.map(str::to_owned), secret));
    };
    for value in &options.keys {
        let bound = split(value);
        add(bound.volume, bound.rest.as_bytes().to_vec());
        if bound.unsure {
            add(None, value.as_bytes().to_vec());
        }
    }
    for value in &options.key_envs {
        let Bound { volume, rest: name, .. } = split(value);
        let secret = variable(name, "--key-env")?;
        add(volume, secret.into_encoded_bytes());
    }
    for value in &options.key_files {
        let bound = split(value);
        // A file of the whole name is meant, if there is one.
        if bound.unsure && std::path::Path::new(value).exists() {
            add(None, read_key(value)?);
        } else {
            add(bound.volume, read_key(bound.rest)?);
        }
    }
    Ok(Keys::new(keys))
}

/// The value of an environment variable that an option names.
fn variable(name: &str, option: &str) -> Result<OsString, Failure> {
    std::env::var_os(name).ok_or_else(|| {
        let why = format!("{option} names it, but it is not set");
        Error::not_found(format!("environment variable {name}"), why).into()
    })
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
    let file = std::fs::File::open(path).map_err(Failure::reading(format!("key file {path}")))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_is_bound_to() {
        for (value, volume, rest, unsure) in [
            ("word", None, "word", false),
            ("disk0/p3=a=b", Some("disk0/p3"), "a=b", false),
            ("vg0/root=word", Some("vg0/root"), "word", true),
            ("ab/cd+Q==", Some("ab/cd+Q"), "=", true),
            ("pass=word", None, "pass=word", false),
            ("./a=b.key", None, "./a=b.key", false),
            (
                "11111111-1111-1111-1111-111111111111=x",
                Some("11111111-1111-1111-1111-111111111111"),
                "x",
                false,
            ),
        ] {
            let bound = split(value);
            assert_eq!((bound.volume, bound.rest, bound.unsure), (volume, rest, unsure), "{value}");
        }
    }
}
