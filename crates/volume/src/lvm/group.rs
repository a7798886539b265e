//! A volume group, as its metadata describes it.

use std::collections::BTreeMap;

use fathom_block::{Error, Result};

use super::config::{self, Section, Value};

/// LVM counts everything in sectors of 512 bytes, whatever the disk has.
const SECTOR: u64 = 512;

/// A volume group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    /// Grows with every change: the highest wins.
    pub(super) seqno: u64,
    /// In bytes.
    pub(super) extent_size: u64,
    pub(super) physical: BTreeMap<String, Physical>,
    pub(super) logical: BTreeMap<String, Logical>,
}

/// A physical volume of the group.
#[derive(Debug)]
pub(super) struct Physical {
    pub(super) uuid: String,
    /// Where its first extent starts, in bytes.
    pub(super) pe_start: u64,
    /// How many extents it has.
    pub(super) pe_count: u64,
    /// LVM once lost it, so what it holds may be old.
    pub(super) missing: bool,
}

/// A logical volume.
#[derive(Debug)]
pub(super) struct Logical {
    pub(super) uuid: String,
    /// Meant for users; the others are parts of these.
    pub(super) visible: bool,
    /// A part of a mirror that is being rebuilt.
    pub(super) rebuild: bool,
    /// A status that is not known here.
    pub(super) strange_status: Option<String>,
    pub(super) segments: Vec<Segment>,
}

/// A stretch of a logical volume.
#[derive(Debug)]
pub(super) struct Segment {
    /// In extents of the logical volume.
    pub(super) start: u64,
    pub(super) extents: u64,
    /// The type's name, as the metadata spells it.
    pub(super) kind: String,
    pub(super) mapping: Mapping,
}

/// Where the bytes of a segment are.
#[derive(Debug)]
pub(super) enum Mapping {
    /// On one area, or in turns on several.
    Striped { stripe_size: u64, areas: Vec<Area> },
    /// On every area.
    Mirror { legs: Vec<Area> },
    /// On every image, each with metadata of its own: the pairs of both.
    Raid1 { legs: Vec<(String, String)> },
    /// Nowhere: all are zero.
    Zero,
    /// Hidden, only says what the other volumes are to each other.
    Snapshot { origin: Option<String>, store: Option<String>, merging: bool },
    /// Not read here. These are the names that it mentions.
    Other { mentions: Vec<String> },
}

/// A place: on a physical volume or on another logical one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Area {
    /// The name of either.
    pub(super) on: String,
    /// In extents.
    pub(super) extent: u64,
}

/// Parses the text of a group, read at the byte offset `base`.
pub(super) fn parse(text: &[u8], base: u64) -> Result<Group> {
    let top = config::parse(text, base)?;
    let corrupt = |why: String| Error::corrupt("LVM metadata", base, why);
    // One section is the group; what stands beside it says who wrote it.
    let mut sections = top.sections();
    let (Some((name, group)), None) = (sections.next(), sections.next()) else {
        return Err(corrupt("there is not one group in it".into()));
    };
    check_name(name).map_err(&corrupt)?;
    let needed = |value: Option<u64>, what: &str| {
        value.ok_or_else(|| corrupt(format!("group {name} has no {what}")))
    };
    if let Some(format) = group.text("format").filter(|format| *format != "lvm2") {
        return Err(Error::unsupported("LVM metadata", format!("its format is {format:?}")));
    }
    let extent_size = needed(group.number("extent_size"), "extent_size")?;
    let extent_size = extent_size
        .checked_mul(SECTOR)
        .filter(|size| *size > 0)
        .ok_or_else(|| corrupt(format!("extents of {extent_size} sectors")))?;
    let id = group.text("id").ok_or_else(|| corrupt(format!("group {name} has no id")))?;
    let each =
        |section: &'static str| group.section(section).into_iter().flat_map(Section::sections);
    let mut physical = BTreeMap::new();
    for (name, section) in each("physical_volumes") {
        let one = parse_physical(section).map_err(|why| corrupt(format!("{name}: {why}")))?;
        physical.insert(name.to_owned(), one);
    }
    let mut logical = BTreeMap::new();
    for (name, section) in each("logical_volumes") {
        check_name(name).map_err(&corrupt)?;
        let one = parse_logical(section).map_err(|why| corrupt(format!("{name}: {why}")))?;
        logical.insert(name.to_owned(), one);
    }
    Ok(Group {
        id: id.to_owned(),
        name: name.to_owned(),
        seqno: needed(group.number("seqno"), "seqno")?,
        extent_size,
        physical,
        logical,
    })
}

/// LVM admits few characters, none of which could harm a terminal or a path.
fn check_name(name: &str) -> std::result::Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+_.-".contains(c);
    if name.is_empty() || name.len() > 128 || matches!(name, "." | "..") || !name.chars().all(plain)
    {
        return Err(format!("{name:?} is not a name"));
    }
    Ok(())
}

type Parsed<T> = std::result::Result<T, String>;

fn number(section: &Section, name: &str) -> Parsed<u64> {
    section.number(name).ok_or_else(|| format!("there is no {name}"))
}

fn parse_physical(section: &Section) -> Parsed<Physical> {
    let pe_start = number(section, "pe_start")?;
    Ok(Physical {
        uuid: section.text("id").ok_or("there is no id")?.to_owned(),
        pe_start: pe_start.checked_mul(SECTOR).ok_or("its extents start past any disk")?,
        pe_count: number(section, "pe_count")?,
        missing: section.texts("flags").contains(&"MISSING")
            || section.texts("status").contains(&"MISSING"),
    })
}

fn parse_logical(section: &Section) -> Parsed<Logical> {
    let status = section.texts("status");
    // Flags in `status` are those that a reader has to know; `flags` may be ignored.
    const KNOWN: [&str; 15] = [
        "READ",
        "WRITE",
        "VISIBLE",
        "FIXED_MINOR",
        "PVMOVE",
        "LOCKED",
        "NOTSYNCED",
        "REBUILD",
        "ACTIVATION_SKIP",
        "NOSCAN",
        "TEMPORARY",
        "WRITEMOSTLY",
        "ERROR_WHEN_FULL",
        "METADATA_FORMAT",
        "MIRRORED",
    ];
    let strange = status.iter().find(|flag| !KNOWN.contains(flag)).map(|flag| (*flag).to_owned());
    let mut segments = Vec::new();
    for (name, segment) in section.sections() {
        if !name.starts_with("segment") {
            continue;
        }
        segments.push(parse_segment(segment).map_err(|why| format!("{name}: {why}"))?);
    }
    segments.sort_by_key(|segment| segment.start);
    let mut end = 0_u64;
    for segment in &segments {
        if segment.start != end || segment.extents == 0 {
            return Err(format!("the segments do not join at extent {end}"));
        }
        end = end.checked_add(segment.extents).ok_or("it is larger than any disk")?;
    }
    if segments.is_empty() {
        return Err("there are no segments".into());
    }
    let count = number(section, "segment_count")?;
    if count != segments.len() as u64 {
        return Err(format!("{count} segments are promised, {} are there", segments.len()));
    }
    Ok(Logical {
        uuid: section.text("id").unwrap_or_default().to_owned(),
        visible: status.contains(&"VISIBLE"),
        rebuild: status.contains(&"REBUILD"),
        strange_status: strange,
        segments,
    })
}

fn parse_segment(section: &Section) -> Parsed<Segment> {
    let kind = section.text("type").ok_or("there is no type")?;
    let extents = number(section, "extent_count")?;
    let mapping = match kind {
        "striped" | "linear" => {
            let areas = areas(section, "stripes")?;
            let stripe_size = section.number("stripe_size").unwrap_or(0);
            let stripe_size = stripe_size.checked_mul(SECTOR).ok_or("the stripes are too large")?;
            let count = areas.len() as u64;
            if section.number("stripe_count").is_some_and(|promised| promised != count) {
                return Err(format!("it does not have {count} stripes"));
            }
            if count > 1 && (stripe_size == 0 || !extents.is_multiple_of(count)) {
                return Err(format!("{extents} extents in {count} stripes of {stripe_size} bytes"));
            }
            Mapping::Striped { stripe_size, areas }
        }
        "mirror" => Mapping::Mirror { legs: areas(section, "mirrors")? },
        "raid1" => {
            let names = section.texts("raids");
            let pairs = names.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
            let legs: Vec<_> = pairs.collect();
            if legs.is_empty() || !names.len().is_multiple_of(2) {
                return Err("its images are not listed in pairs".into());
            }
            Mapping::Raid1 { legs }
        }
        "zero" => Mapping::Zero,
        "snapshot" => {
            let name = |name: &str| section.text(name).map(str::to_owned);
            Mapping::Snapshot {
                origin: name("origin"),
                store: name("cow_store").or_else(|| name("merging_store")),
                merging: section.text("merging_store").is_some(),
            }
        }
        _ => {
            let texts = section.all_texts().filter(|(name, _)| *name != "type");
            let listed = section.all_lists().flatten().filter_map(Value::text);
            let mentions = texts.map(|(_, text)| text).chain(listed).map(str::to_owned).collect();
            Mapping::Other { mentions }
        }
    };
    Ok(Segment { start: number(section, "start_extent")?, extents, kind: kind.to_owned(), mapping })
}

/// A list of names, each followed by an extent.
fn areas(section: &Section, name: &str) -> Parsed<Vec<Area>> {
    let list = section.list(name).ok_or_else(|| format!("there are no {name}"))?;
    let pairs = list.chunks_exact(2);
    if list.is_empty() || !pairs.remainder().is_empty() {
        return Err(format!("the {name} are not pairs"));
    }
    pairs
        .map(|pair| match (pair[0].text(), pair[1].number()) {
            (Some(on), Some(extent)) => Ok(Area { on: on.to_owned(), extent }),
            _ => Err(format!("the {name} are not names and extents")),
        })
        .collect()
}

impl Logical {
    /// How many extents it has. They were added up once already.
    pub(super) fn extents(&self) -> u64 {
        self.segments.last().map_or(0, |last| last.start + last.extents)
    }

    /// The kinds of its segments, each once: `linear`, `striped, mirror`.
    pub(super) fn kinds(&self) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for segment in &self.segments {
            let kind = match &segment.mapping {
                Mapping::Striped { areas, .. } if areas.len() == 1 => "linear",
                _ => &segment.kind,
            };
            if !kinds.contains(&kind) && kinds.len() < 8 {
                kinds.push(kind);
            }
        }
        kinds.join(", ")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A group with these logical volumes on two physical ones.
    pub(in super::super) fn text(seqno: u64, logical: &str) -> String {
        format!(
            "vg0 {{ id = \"group-id\" seqno = {seqno} format = \"lvm2\" extent_size = 8
               status = [\"READ\"]
               physical_volumes {{
                 pv0 {{ id = \"{}\" pe_start = 2048 pe_count = 100 flags = [] }}
                 pv1 {{ id = \"{}\" pe_start = 2048 pe_count = 100 flags = [] }}
               }}
               logical_volumes {{ {logical} }}
             }} contents = \"Text Format Volume Group\" version = 1",
            "0".repeat(6) + "-0000-0000-0000-0000-0000-" + &"0".repeat(6),
            "1".repeat(6) + "-1111-1111-1111-1111-1111-" + &"1".repeat(6),
        )
    }

    /// A visible volume with these segments.
    pub(in super::super) fn volume(name: &str, segments: &[&str]) -> String {
        let mut text = format!(
            "{name} {{ id = \"id-{name}\" status = [\"READ\", \"WRITE\", \"VISIBLE\"] segment_count = {} ",
            segments.len()
        );
        for (index, segment) in segments.iter().enumerate() {
            text += &format!("segment{} {{ {segment} }} ", index + 1);
        }
        text + "}"
    }

    fn parsed(logical: &str) -> Result<Group> {
        parse(text(7, logical).as_bytes(), 0)
    }

    const LINEAR: &str = "start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 1 stripes = [\"pv0\", 3]";

    #[test]
    fn a_group_is_read() {
        let second = "start_extent = 2 extent_count = 4 type = \"striped\" stripe_count = 2 stripe_size = 8 stripes = [\"pv0\", 5, \"pv1\", 0]";
        let group = parsed(&volume("root", &[LINEAR, second])).unwrap();
        assert_eq!((group.name.as_str(), group.seqno, group.extent_size), ("vg0", 7, 4096));
        assert_eq!(group.physical["pv1"].pe_start, 1 << 20);
        let root = &group.logical["root"];
        assert!(root.visible);
        assert_eq!(root.extents(), 6);
        assert_eq!(root.kinds(), "linear, striped");
    }

    #[test]
    fn contradictions_are_corrupt() {
        let segment = |text: &str| parsed(&volume("lv", &[text])).map(drop);
        assert!(segment(LINEAR).is_ok());
        for text in [
            "extent_count = 2 type = \"striped\" stripes = [\"pv0\", 3]",
            "start_extent = 1 extent_count = 2 type = \"striped\" stripes = [\"pv0\", 3]",
            "start_extent = 0 extent_count = 0 type = \"striped\" stripes = [\"pv0\", 3]",
            "start_extent = 0 extent_count = 2 stripes = [\"pv0\", 3]",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv0\"]",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripes = [3, \"pv0\"]",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripes = []",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 2 stripes = [\"pv0\", 3]",
            "start_extent = 0 extent_count = 3 type = \"striped\" stripe_size = 8 stripes = [\"pv0\", 3, \"pv1\", 0]",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripes = [\"pv0\", 3, \"pv1\", 0]",
            "start_extent = 0 extent_count = 2 type = \"raid1\" raids = [\"a\"]",
            "start_extent = 0 extent_count = 2 type = \"striped\" stripe_size = 9223372036854775807 stripes = [\"pv0\", 3]",
        ] {
            assert!(segment(text).is_err(), "{text}");
        }
        assert!(parsed(&volume("lv", &[])).is_err());
        assert!(parsed(&volume("\"../etc\"", &[LINEAR])).is_err());
        assert!(parsed(&volume("\"\\u001b\"", &[LINEAR])).is_err());
        assert!(parse(b"a { } b { }", 0).is_err());
        assert!(parse(b"a { id = \"x\" seqno = 1 extent_size = 0 }", 0).is_err());
        assert!(parse(b"a { id = \"x\" seqno = 1 extent_size = 8 format = \"lvm1\" }", 0).is_err());
    }

    #[test]
    fn what_is_not_read_keeps_its_names() {
        let thin =
            "start_extent = 0 extent_count = 2 type = \"thin\" thin_pool = \"pool\" device_id = 1";
        let group = parsed(&volume("lv", &[thin])).unwrap();
        let Mapping::Other { mentions } = &group.logical["lv"].segments[0].mapping else {
            panic!("{group:?}");
        };
        assert_eq!(mentions, &["pool"]);
        assert_eq!(group.logical["lv"].kinds(), "thin");
    }
}
