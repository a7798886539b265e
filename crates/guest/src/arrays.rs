//! What a system calls the arrays of its software RAID.
//!
//! mdadm gives an array the name that `mdadm.conf` has for it, and else the one in its superblock,
//! if that was written by the same host. An array that has neither gets a number when it is found,
//! from 127 down: which one is only sure where it is the only such array. Where it is not sure, an
//! array has no name here, and what is mounted by that is told as missing.

use fathom_block::Result;
use fathom_filesystem::Tree;
use fathom_volume::{Discovery, Layer, Volume};

use crate::root::records_of;

/// Where the names stand: of Debian and its kin, and of all others.
const CONFIGURATIONS: [&str; 2] = ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"];

/// The first number that mdadm gives to an array that has none.
const FIRST_FREE: u32 = 127;

/// The text of the file, empty where there is none. Where some of it was lost, it is not sure.
fn text_of(tree: &Tree, path: &str) -> Result<String> {
    match records_of(tree, path)? {
        None => Ok(String::new()),
        Some(records) => records.damage.map_or(Ok(records.text), Err),
    }
}

/// What a system says of its arrays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrays {
    listed: Vec<Listed>,
    /// The host whose arrays are called by the names in their superblocks; `None` where all are.
    home: Option<String>,
    /// What it says could not be read, so that no name is sure.
    unread: bool,
}

/// A line of `mdadm.conf` that says which array a device is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    /// The name beneath `/dev`: `md0`, `md/data`.
    device: Option<String>,
    uuid: Option<String>,
    name: Option<String>,
    minor: Option<u32>,
}

/// An array of the machine, as its superblock names it.
struct Array<'v> {
    uuid: &'v str,
    name: Option<&'v str>,
    minor: Option<u32>,
}

/// Whether the device is an array, or a partition of one.
pub(crate) fn is_array(device: &str) -> bool {
    if device.starts_with("/dev/disk/by-id/md-") || device.starts_with("/dev/md/") {
        return true;
    }
    device
        .strip_prefix("/dev/md")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

impl Arrays {
    /// What the system says whose root the tree is.
    pub(crate) fn of(tree: &Tree) -> Self {
        Self::read(tree).unwrap_or(Self { unread: true, ..Self::default() })
    }

    fn read(tree: &Tree) -> Result<Self> {
        let mut text = String::new();
        for path in CONFIGURATIONS {
            text.push_str(&text_of(tree, path)?);
            text.push('\n');
        }
        let host = text_of(tree, "/etc/hostname")?;
        let mut host = host.lines().map(str::trim);
        let host = host.find(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self::parse(&text, host.unwrap_or("localhost")))
    }

    fn parse(text: &str, host: &str) -> Self {
        let mut arrays = Self { home: Some(host.to_owned()), ..Self::default() };
        for words in lines(text) {
            let Some((keyword, words)) = words.split_first() else { continue };
            let is = |full: &str| {
                let prefix = full.get(..keyword.len());
                keyword.len() >= 3 && prefix.is_some_and(|it| it.eq_ignore_ascii_case(keyword))
            };
            if is("ARRAY") {
                arrays.listed.push(Listed::parse(words));
            } else if is("HOMEHOST") {
                match words.first().map(String::as_str) {
                    Some("<ignore>") => arrays.home = None,
                    None | Some("<system>") => {}
                    Some(named) => arrays.home = Some(named.to_owned()),
                }
            }
        }
        arrays
    }

    /// Whether the volume is the array, or the partition of one, that `device` names.
    pub(crate) fn is_named(&self, discovery: &Discovery, volume: &Volume, device: &str) -> bool {
        if let Some(array) = Array::of(volume) {
            return self.names(discovery, &array).iter().any(|name| name == device);
        }
        let Layer::Partition { number, .. } = &volume.layer else { return false };
        let parent = volume.parents.first();
        let parent = parent.and_then(|id| discovery.volumes.iter().find(|one| one.id == *id));
        let Some(array) = parent.and_then(Array::of) else { return false };
        let names = self.names(discovery, &array);
        names.iter().any(|name| device == partition(name, *number))
    }

    /// All names of an array under `/dev` that are sure.
    fn names(&self, discovery: &Discovery, array: &Array<'_>) -> Vec<String> {
        let mut names = vec![format!("/dev/disk/by-id/md-uuid-{}", array.uuid)];
        names.extend(array.name.map(|name| format!("/dev/disk/by-id/md-name-{name}")));
        if self.unread {
            return names;
        }
        let mut listed = self.listed.iter().filter(|listed| listed.is(array)).peekable();
        if listed.peek().is_none() {
            names.extend(self.own_name(array).map(|name| format!("/dev/md/{name}")));
        }
        names.extend(listed.filter_map(|listed| Some(format!("/dev/{}", listed.device.as_ref()?))));
        let number = self.number(array).or_else(|| self.free_number(discovery, array));
        if let Some(number) = number {
            names.push(format!("/dev/md{number}"));
            names.push(format!("/dev/md/{number}"));
        }
        names
    }

    /// The name in the superblock, if it was written by this host, or for any.
    fn own_name<'v>(&self, array: &Array<'v>) -> Option<&'v str> {
        let name = array.name?;
        match (name.split_once(':'), &self.home) {
            (Some(("any", name)), _) => Some(name),
            (Some((host, name)), Some(home)) => (host == home).then_some(name),
            (Some((_, name)), None) => Some(name),
            (None, home) => home.is_none().then_some(name),
        }
    }

    /// The number that is always the array's.
    fn number(&self, array: &Array<'_>) -> Option<u32> {
        let mut listed = self.listed.iter().filter(|listed| listed.is(array)).peekable();
        if listed.peek().is_some() {
            return listed.find_map(Listed::number);
        }
        let own = array.minor.or_else(|| numeric(self.own_name(array)?))?;
        // Another array has it by `mdadm.conf`.
        let taken = self.listed.iter().any(|listed| listed.number() == Some(own));
        (!taken).then_some(own)
    }

    /// The number that the array gets for want of one, if it is the only one that does.
    fn free_number(&self, discovery: &Discovery, array: &Array<'_>) -> Option<u32> {
        let mut all = discovery.volumes.iter().filter_map(Array::of);
        let other = all.any(|other| {
            let number = self.number(&other);
            other.uuid != array.uuid && number.is_none_or(|number| number == FIRST_FREE)
        });
        (!other && self.listed.iter().all(|listed| listed.is(array))).then_some(FIRST_FREE)
    }
}

impl<'v> Array<'v> {
    fn of(volume: &'v Volume) -> Option<Self> {
        match &volume.layer {
            Layer::Array { uuid, name, minor, .. } => {
                Some(Self { uuid, name: name.as_deref(), minor: *minor })
            }
            _ => None,
        }
    }
}

impl Listed {
    /// The words behind `ARRAY`: a device, and what identifies the array.
    fn parse(words: &[String]) -> Self {
        let device = words.iter().find(|word| !word.contains('=') && *word != "<ignore>");
        let value = |key: &str| {
            words.iter().find_map(|word| {
                let (name, value) = word.split_once('=')?;
                name.eq_ignore_ascii_case(key).then_some(value)
            })
        };
        Self {
            device: device.map(|device| beneath_dev(device)),
            uuid: value("uuid").map(digits),
            name: value("name").map(str::to_owned),
            minor: value("super-minor").and_then(|minor| minor.parse().ok()),
        }
    }

    /// Whether it identifies the array, by all that it says.
    fn is(&self, array: &Array<'_>) -> bool {
        let says = self.uuid.is_some() || self.name.is_some() || self.minor.is_some();
        says && self.uuid.as_ref().is_none_or(|uuid| *uuid == digits(array.uuid))
            && self.name.as_deref().is_none_or(|name| array.name == Some(name))
            && self.minor.is_none_or(|minor| array.minor == Some(minor))
    }

    fn number(&self) -> Option<u32> {
        let device = self.device.as_ref()?;
        numeric(device.strip_prefix("md/").or_else(|| device.strip_prefix("md"))?)
    }
}

/// The name of a device beneath `/dev`. One without a slash is a name of its own.
fn beneath_dev(device: &str) -> String {
    match device.strip_prefix("/dev/") {
        Some(name) => name.to_owned(),
        None if is_array(&format!("/dev/{device}")) => device.to_owned(),
        None => format!("md/{device}"),
    }
}

/// What a partition of the device is called.
fn partition(device: &str, number: u32) -> String {
    let infix = match device {
        _ if device.starts_with("/dev/disk/") => "-part",
        _ if device.ends_with(|c: char| c.is_ascii_digit()) => "p",
        _ => "",
    };
    format!("{device}{infix}{number}")
}

/// A number that is written as Linux writes it.
fn numeric(text: &str) -> Option<u32> {
    text.parse::<u32>().ok().filter(|number| number.to_string() == text)
}

/// The digits of a UUID, whatever stands between them.
fn digits(uuid: &str) -> String {
    uuid.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
}

/// The lines of a configuration of mdadm as words. One that starts with a space goes on with the
/// line before.
fn lines(text: &str) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for line in text.lines() {
        let words = line.split_whitespace().take_while(|word| !word.starts_with('#'));
        let words = words.map(|word| word.replace(['"', '\''], ""));
        match lines.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(last) => last.extend(words),
            None => lines.push(words.collect()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use fathom_volume::{Content, Table, VolumeId};

    fn volume(id: &str, parent: Option<&str>, layer: Layer) -> Volume {
        Volume {
            id: VolumeId::new(id),
            parents: parent.into_iter().map(VolumeId::new).collect(),
            layer,
            content: Content::Unknown,
            size: 0,
            reader: None,
            problem: None,
        }
    }

    fn array(id: &str, uuid: char, name: Option<&str>, minor: Option<u32>) -> Volume {
        let group = uuid.to_string().repeat(8);
        let layer = Layer::Array {
            level: "raid1".into(),
            uuid: [group.as_str(); 4].join(":"),
            name: name.map(str::to_owned),
            minor,
            metadata: "1.2",
            devices: 2,
            missing: 0,
        };
        volume(id, None, layer)
    }

    fn second_partition(parent: &str) -> Volume {
        let layer = Layer::Partition {
            table: Table::Gpt,
            number: 2,
            start: 0,
            kind: String::new(),
            kind_name: None,
            name: None,
            uuid: None,
            bootable: false,
        };
        volume(&format!("{parent}/p2"), Some(parent), layer)
    }

    /// Which of these volumes go by the name on a host called `web1` with this configuration.
    fn named(volumes: &[Volume], configuration: &str, device: &str) -> Vec<String> {
        let arrays = Arrays::parse(configuration, "web1");
        let discovery = Discovery { volumes: volumes.to_vec(), problems: Vec::new() };
        let named = volumes.iter().filter(|one| arrays.is_named(&discovery, one, device));
        named.map(|one| one.id.to_string()).collect()
    }

    #[test]
    fn names_in_superblocks() {
        let volumes = [
            array("md0", 'a', Some("web1:0"), None),
            array("md/data", 'b', Some("web1:data"), None),
            array("md5", 'c', None, Some(5)),
            second_partition("md/data"),
            second_partition("md5"),
        ];
        for (device, id) in [
            ("/dev/md0", "md0"),
            ("/dev/md/0", "md0"),
            ("/dev/md5", "md5"),
            ("/dev/md5p2", "md5/p2"),
            ("/dev/md/data", "md/data"),
            ("/dev/md/data2", "md/data/p2"),
            // The only one without a number.
            ("/dev/md127", "md/data"),
            ("/dev/md127p2", "md/data/p2"),
            ("/dev/disk/by-id/md-name-web1:data", "md/data"),
            ("/dev/disk/by-id/md-name-web1:data-part2", "md/data/p2"),
            ("/dev/disk/by-id/md-uuid-aaaaaaaa:aaaaaaaa:aaaaaaaa:aaaaaaaa", "md0"),
        ] {
            assert_eq!(named(&volumes, "", device), [id], "{device}");
        }
        for device in ["/dev/md1", "/dev/md126", "/dev/md/web1:data", "/dev/md", "/dev/md0p2"] {
            assert!(named(&volumes, "", device).is_empty(), "{device}");
        }
    }

    #[test]
    fn only_what_is_sure() {
        let foreign = [
            array("md0", 'a', Some("other:0"), None),
            array("md/data", 'b', Some("other:data"), None),
        ];
        for device in ["/dev/md0", "/dev/md/data", "/dev/md127", "/dev/md126"] {
            assert!(named(&foreign, "", device).is_empty(), "{device}");
        }
        assert_eq!(named(&foreign, "HOMEHOST <ignore>", "/dev/md0"), ["md0"]);
        assert_eq!(named(&foreign, "homehost other", "/dev/md/data"), ["md/data"]);
        assert_eq!(named(&foreign[1..], "", "/dev/md127"), ["md/data"]);
        let listed = "ARRAY /dev/md0 UUID=dddddddd:dddddddd:dddddddd:dddddddd";
        assert!(named(&foreign[1..], listed, "/dev/md127").is_empty(), "one is not given");
        let any = [array("md0", 'a', Some("any:0"), None)];
        assert_eq!(named(&any, "", "/dev/md0"), ["md0"]);
    }

    #[test]
    fn names_in_the_configuration() {
        let volumes = [
            array("md0", 'a', Some("web1:0"), None),
            array("md1", 'b', Some("old:1"), None),
            array("md7", 'c', None, Some(7)),
        ];
        let configuration = "\
# mdadm.conf
ARRAY /dev/md0 metadata=1.2
   UUID=BBBBBBBB:bbbbbbbb:bbbbbbbb:bbbbbbbb # the second
ARR /dev/md/old super-minor=7
array <ignore> UUID=aaaaaaaa:aaaaaaaa:aaaaaaaa:aaaaaaaa";
        let of = |device: &str| named(&volumes, configuration, device);
        assert_eq!(of("/dev/md0"), ["md1"]);
        assert_eq!(of("/dev/md/0"), ["md1"]);
        assert_eq!(of("/dev/md/old"), ["md7"]);
        for device in ["/dev/md1", "/dev/md7", "/dev/md127"] {
            assert!(of(device).is_empty(), "{device}");
        }
        // Where only one array is called by a number, the other cannot be.
        let listed = "ARRAY /dev/md0 UUID=dddddddd:dddddddd:dddddddd:dddddddd";
        assert!(named(&volumes, listed, "/dev/md0").is_empty());
        assert_eq!(named(&volumes, "ARRAY data name=web1:0", "/dev/md/data"), ["md0"]);
        assert!(named(&volumes, "ARRAY data devices=/dev/sda1", "/dev/md/data").is_empty());
    }

    #[test]
    fn nothing_is_sure_that_could_not_be_read() {
        let arrays = Arrays { unread: true, ..Arrays::default() };
        let volumes = vec![array("md5", 'a', Some("x"), Some(5))];
        let discovery = Discovery { volumes, problems: Vec::new() };
        let is = |device: &str| arrays.is_named(&discovery, &discovery.volumes[0], device);
        assert!(!is("/dev/md5"));
        assert!(is("/dev/disk/by-id/md-name-x"));
    }

    #[test]
    fn devices_of_arrays() {
        for device in ["/dev/md0", "/dev/md127p1", "/dev/md/x", "/dev/disk/by-id/md-uuid-1"] {
            assert!(is_array(device), "{device}");
        }
        for device in ["/dev/mdx", "/dev/mapper/md0", "/dev/sda", "/dev/disk/by-id/dm-name-md0"] {
            assert!(!is_array(device), "{device}");
        }
    }
}
