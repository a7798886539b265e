//! Looking things up in a file.

use std::fs::File;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fathom_map::Map;
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use super::layout::{
    self, Block, Bytes, DIRECTORY, HAS_EXPLOIT, HAS_UNFIXED, HEADER, INCLUSIVE, IS_RECORD, MAGIC,
    Mention, NONE, Name, RANSOMWARE, Record, Replaced, SEVERITY, Score, Section, VERSION,
    name_hash,
};
use super::sums::Sums;
use super::texts::{MAX_BLOCK, Texts};
use super::{About, SCHEMES, SEVERITIES, STATES, Subject};
use crate::cve::Cve;
use crate::day::Day;
use crate::error::{Error, Result};

/// The statements of one provider.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    held: Held,
    sections: [Range<usize>; Section::ALL.len()],
    sums: Sums,
    about: About,
}

/// The bytes of a file.
#[derive(Debug)]
enum Held {
    Mapped(Map),
    Owned(Vec<u8>),
}

impl Held {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

/// Names of one ecosystem.
#[derive(Clone, Debug)]
pub struct Namespace<'s> {
    /// Its name, as `Debian:12`.
    pub name: &'s str,
    /// Whose versions these are.
    pub scheme: Scheme,
    /// What the names are of.
    pub subject: Subject,
    /// Whether it is said which flaws remain; otherwise, only what was mended is known.
    pub has_unfixed: bool,
    names: Range<u32>,
}

/// One statement: this advisory is about these versions.
#[derive(Clone, Copy, Debug)]
pub struct Row<'s> {
    /// The advisory.
    pub advisory: u32,
    /// Where the versions begin; none for all from the first.
    pub lower: Option<Version<'s>>,
    /// Where they end; none for all to come.
    pub upper: Option<Version<'s>>,
    /// Whether `upper` is itself one of them.
    pub is_inclusive: bool,
    /// What is to be said of them.
    pub state: State,
    /// How bad it is in this package, where that was said.
    pub severity: Option<Severity>,
    /// What it holds for alone.
    pub qualifier: Option<&'s str>,
}

impl Row<'_> {
    /// Whether it is about the version with this key.
    pub fn is_about(&self, key: &[u8]) -> bool {
        let after = self.lower.is_none_or(|lower| key >= lower.key);
        after
            && self.upper.is_none_or(|upper| match self.is_inclusive {
                true => key <= upper.key,
                false => key < upper.key,
            })
    }
}

/// A version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version<'s> {
    /// As it is written.
    pub text: &'s str,
    /// Its key, by the order of its ecosystem.
    pub key: &'s [u8],
}

/// Which flaws an advisory is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaws<'s> {
    /// The name of the advisory.
    pub name: &'s str,
    /// The flaws.
    pub cves: Vec<Cve>,
    /// Whether it is about one flaw, which it is named by.
    pub is_record: bool,
    /// When the advisory was last changed.
    pub modified: Day,
}

/// What is published about one flaw or several.
#[derive(Clone, Debug)]
pub struct Advisory<'s> {
    /// Its name.
    pub name: &'s str,
    /// The flaws.
    pub cves: Vec<Cve>,
    /// Numbers of CWE.
    pub weaknesses: Vec<u16>,
    /// Its other names, but for CVEs.
    pub aliases: Vec<&'s str>,
    /// How bad it is, computed.
    pub vectors: Vec<Vector<'s>>,
    /// How bad the provider says it is.
    pub severity: Option<Severity>,
    /// When it was published.
    pub published: Day,
    /// When it was last changed.
    pub modified: Day,
    /// Whether a way to exploit it is published.
    pub has_exploit: bool,
}

/// A CVSS vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vector<'s> {
    /// The vector.
    pub text: &'s str,
    /// Whether the provider made it, or whoever gave out the number of the CVE.
    pub is_own: bool,
    /// 2, 3 or 4.
    pub version: u8,
    /// Ten times the base score.
    pub score: u8,
}

/// The block of texts that was unpacked last.
#[derive(Debug, Default)]
pub struct Unpacked<'s> {
    /// The packed block.
    of: Option<&'s [u8]>,
    bytes: Vec<u8>,
}

/// How likely a CVE is exploited within a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likelihood {
    /// From 0 to 1.
    pub likelihood: f64,
    /// How many of all are less likely, from 0 to 1.
    pub percentile: f64,
}

/// That a CVE is known to be exploited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exploited {
    /// When that became known.
    pub added: Day,
    /// Until when it must be mended, for those whom that binds.
    pub due: Day,
    /// Whether campaigns of ransomware use it.
    pub by_ransomware: bool,
}

/// Until when a release of a distribution is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The last day on which everybody gets mends; unknown where it is over, and nobody says since when.
    pub support: Day,
    /// The last day on which those who pay or ask get them; unknown where nobody does.
    pub extended: Day,
}

impl End {
    /// The last day on which anybody gets mends.
    pub fn last(self) -> Day {
        self.support.max(self.extended)
    }
}

impl Segment {
    /// Opens a file. What is looked at is its front and what it says about itself.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path, "cannot be opened"))?;
        let map = Map::of(&file).map_err(Error::io(path, "cannot be mapped"))?;
        Self::of(path, Held::Mapped(map), Sums::of)
    }

    /// Opens bytes that have been read already, as if the file of this name held them.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        Self::of(path, Held::Owned(bytes), Sums::of)
    }

    /// The same without a look at checksums, for those who try what a reader does of whose file an enemy
    /// made these too.
    pub fn of_unchecked_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        Self::of(path, Held::Owned(bytes), |_| Sums::unchecked())
    }

    fn of(path: &Path, held: Held, sums: impl Fn(usize) -> Sums) -> Result<Self> {
        let map = held.bytes();
        let corrupt = |why: &str| Error::corrupt(path, why);
        let mut front = Bytes(map.get(..HEADER).ok_or_else(|| corrupt("is cut"))?);
        if front.0.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(corrupt("is no segment of a database"));
        }
        front.u64();
        let (version, sections) = (front.u32(), front.u32());
        if version != VERSION {
            let why = format!(
                "is of version {version}, and this program reads {VERSION}: build or update the \
                 database anew"
            );
            return Err(Error::unsupported(path, why));
        }
        if sections as usize != Section::ALL.len() {
            return Err(corrupt("has another number of tables than its version"));
        }
        let mut ranges = [const { 0..0 }; Section::ALL.len()];
        for range in &mut ranges {
            let (start, length) = (front.u64() as usize, front.u64() as usize);
            let end = start.checked_add(length).filter(|end| *end <= map.len());
            *range = start..end.ok_or_else(|| corrupt("is cut: a table ends behind its end"))?;
        }
        let checksums = ranges[Section::Sums as usize].clone();
        let tables = HEADER..checksums.start;
        let others = ranges.iter().take(Section::Sums as usize);
        if others.into_iter().any(|it| it.start < tables.start || it.end > tables.end) {
            return Err(corrupt("has a table where none can be"));
        }
        let sums = sums(tables.len());
        let fronts = [map.get(..DIRECTORY), map.get(checksums.clone())];
        if checksums.end != map.len() || !sums.is_front(fronts, checksums.len(), front.u32()) {
            return Err(corrupt("is damaged: its front is not what was written"));
        }
        let mut segment =
            Self { path: path.to_owned(), sections: ranges, sums, about: About::default(), held };
        let about = segment.part(Section::About);
        segment.about = serde_json::from_slice(about.all()?)
            .map_err(|error| Error::corrupt(path, format!("does not say what it is: {error}")))?;
        Ok(segment)
    }

    /// Compares all of it with its checksums.
    pub fn check(&self) -> Result<()> {
        let end = self.sections[Section::Sums as usize].start;
        self.slice(HEADER..end).map(drop)
    }

    /// What the file says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many bytes of the file are looked at to find things, and how many only to show them.
    pub fn sizes(&self) -> (u64, u64) {
        let cold = self.part(Section::Cold).range.len() as u64;
        (self.held.bytes().len() as u64 - cold, cold)
    }

    /// The ecosystems, by their names.
    pub fn namespaces(&self) -> Result<Vec<Namespace<'_>>> {
        let table = self.table::<layout::Namespace>(Section::Namespaces);
        let names = self.table::<Name>(Section::Names).len();
        (0..table.len())
            .map(|index| {
                let record = table.get(index)?;
                let end = match index + 1 < table.len() {
                    true => table.get(index + 1)?.names,
                    false => names,
                };
                let scheme = SCHEMES.get(usize::from(record.scheme));
                Ok(Namespace {
                    name: self.text(record.text)?,
                    scheme: *scheme.ok_or_else(|| self.damaged("an order of versions"))?,
                    subject: if record.subject == 0 { Subject::Installed } else { Subject::Source },
                    has_unfixed: record.flags & HAS_UNFIXED != 0,
                    names: record.names..end,
                })
            })
            .collect()
    }

    /// What is said of a package of the ecosystem.
    pub fn rows(&self, namespace: &Namespace<'_>, name: &str) -> Result<Vec<Row<'_>>> {
        let names = self.table::<Name>(Section::Names);
        let wanted = name_hash(name);
        let mut at = names.first_of(namespace.names.clone(), |it| it.hash >= wanted)?;
        while at < namespace.names.end {
            let record = names.get(at)?;
            if record.hash != wanted {
                break;
            }
            if self.text(record.text)? == name {
                return self.rows_of(&record);
            }
            at += 1;
        }
        Ok(Vec::new())
    }

    fn rows_of(&self, name: &Name) -> Result<Vec<Row<'_>>> {
        let table = self.table::<layout::Row>(Section::Rows);
        let end = name.rows.checked_add(name.count).filter(|end| *end <= table.len());
        let end = end.ok_or_else(|| self.damaged("a statement"))?;
        (name.rows..end).map(|index| self.row(&table.get(index)?)).collect()
    }

    fn row(&self, row: &layout::Row) -> Result<Row<'_>> {
        let state = STATES.get(usize::from(row.state));
        Ok(Row {
            advisory: row.advisory,
            lower: self.version(row.lower)?,
            upper: self.version(row.upper)?,
            is_inclusive: row.flags & INCLUSIVE != 0,
            state: *state.ok_or_else(|| self.damaged("a state"))?,
            severity: severity(row.flags & SEVERITY),
            qualifier: match row.qualifier.checked_sub(1) {
                None => None,
                Some(index) => {
                    let table = self.table::<u32>(Section::Qualifiers);
                    Some(self.text(table.get(index.into())?)?)
                }
            },
        })
    }

    /// How many rows the file has: fewer than statements, where the same is said of several names.
    #[cfg(test)]
    pub(super) fn rows_kept(&self) -> u32 {
        self.table::<layout::Row>(Section::Rows).len()
    }

    fn version(&self, index: u32) -> Result<Option<Version<'_>>> {
        if index == NONE {
            return Ok(None);
        }
        let record = self.table::<layout::Version>(Section::Versions).get(index)?;
        let pool = self.part(Section::Pool);
        let text = std::str::from_utf8(pool.get(record.text())?);
        let text = text.map_err(|_| self.damaged("a version"))?;
        Ok(Some(Version { text, key: pool.get(record.key())? }))
    }

    /// Everything that some statement holds for alone.
    pub fn qualifiers(&self) -> Result<Vec<&str>> {
        let table = self.table::<u32>(Section::Qualifiers);
        (0..table.len()).map(|index| self.text(table.get(index)?)).collect()
    }

    /// All names of the ecosystem, each with what is said of it.
    pub fn all(
        &self,
        namespace: &Namespace<'_>,
    ) -> impl Iterator<Item = Result<(&str, Vec<Row<'_>>)>> {
        let names = self.table::<Name>(Section::Names);
        namespace.names.clone().map(move |at| {
            let record = names.get(at)?;
            let rows = self.rows_of(&record)?;
            Ok((self.text(record.text)?, rows))
        })
    }

    /// Which flaws the advisory at this place is about, and its name.
    pub fn flaws(&self, index: u32) -> Result<Flaws<'_>> {
        let record = self.table::<layout::Advisory>(Section::Advisories).get(index)?;
        let lists = self.table::<u32>(Section::Lists);
        let end = record.list.saturating_add(record.cves.into());
        let cves = (record.list..end).map(|index| Ok(Cve(lists.get(index)?)));
        Ok(Flaws {
            name: self.text(record.text)?,
            cves: cves.collect::<Result<_>>()?,
            is_record: record.flags & IS_RECORD != 0,
            modified: Day(record.modified),
        })
    }

    /// The name of the advisory at this place.
    pub fn name(&self, index: u32) -> Result<&str> {
        let table = self.table::<layout::Advisory>(Section::Advisories);
        self.text(table.get(index)?.text)
    }

    /// The advisory at this place.
    pub fn advisory(&self, index: u32) -> Result<Advisory<'_>> {
        let table = self.table::<layout::Advisory>(Section::Advisories);
        let record = table.get(index)?;
        let lists = self.table::<u32>(Section::Lists);
        let mut at = record.list;
        let mut list = |count: u16| -> Result<Vec<u32>> {
            let start = at;
            at = at.saturating_add(count.into());
            (start..at).map(|index| lists.get(index)).collect()
        };
        let cves = list(record.cves)?.into_iter().map(Cve).collect();
        let weaknesses = list(record.weaknesses.into())?;
        let aliases = list(record.aliases.into())?;
        let vectors = self.table::<layout::Vector>(Section::Vectors);
        let vector_end = record.vectors.saturating_add(record.vector_count.into());
        Ok(Advisory {
            name: self.text(record.text)?,
            cves,
            weaknesses: weaknesses.into_iter().filter_map(|it| it.try_into().ok()).collect(),
            aliases: aliases.into_iter().map(|it| self.text(it)).collect::<Result<_>>()?,
            vectors: (record.vectors..vector_end)
                .map(|index| {
                    let vector = vectors.get(index)?;
                    Ok(Vector {
                        text: self.text(vector.text)?,
                        is_own: vector.source == 0,
                        version: vector.version,
                        score: vector.score,
                    })
                })
                .collect::<Result<_>>()?,
            severity: severity(record.severity),
            published: Day(record.published),
            modified: Day(record.modified),
            has_exploit: record.flags & HAS_EXPLOIT != 0,
        })
    }

    /// The advisories that are about the CVE.
    pub fn mentions(&self, cve: Cve) -> Result<Vec<u32>> {
        let table = self.table::<Mention>(Section::Mentions);
        let mentions = table.all_from(|it| it.cve >= cve.0, |it| it.cve == cve.0)?;
        Ok(mentions.into_iter().map(|it| it.advisory).collect())
    }

    /// The long texts of the advisory at this place.
    pub fn texts(&self, advisory: u32) -> Result<Texts> {
        self.texts_by(advisory, &mut Unpacked::default())
    }

    /// The same, by the block that was unpacked last if they are in that.
    pub fn texts_by<'s>(&'s self, advisory: u32, unpacked: &mut Unpacked<'s>) -> Result<Texts> {
        let blocks = self.table::<Block>(Section::Blocks);
        let damaged = || self.damaged("the texts of an advisory");
        let behind = blocks.first_of(0..blocks.len(), |it| it.advisory > advisory)?;
        let block = blocks.get(behind.checked_sub(1).ok_or_else(damaged)?)?;
        let start = block.offset as usize;
        let end = start.checked_add(block.length as usize).ok_or_else(damaged)?;
        let packed = self.part(Section::Cold).get(start..end)?;
        if !unpacked.of.is_some_and(|of| std::ptr::eq(of, packed)) {
            // What fails to be unpacked leaves nothing that could be taken for another block.
            unpacked.of = None;
            unpacked.bytes = zstd::bulk::decompress(packed, MAX_BLOCK).map_err(|_| damaged())?;
            unpacked.of = Some(packed);
        }
        Texts::decode(&unpacked.bytes, advisory - block.advisory).ok_or_else(damaged)
    }

    /// How likely the CVE is exploited, where that was estimated.
    pub fn likelihood(&self, cve: Cve) -> Result<Option<Likelihood>> {
        let record = self.table::<Score>(Section::Scores).find(cve.0, |it| it.cve)?;
        let scaled = |low: u16, above: u8| {
            f64::from(u32::from(low) | u32::from(above & 1) << 16) / 100_000.0
        };
        Ok(record.map(|it| Likelihood {
            likelihood: scaled(it.likelihood, it.above),
            percentile: scaled(it.percentile, it.above >> 1),
        }))
    }

    /// Until when the release of this version is mended, where that is known: `12` is the release of
    /// 12.5, and where there is one of 12.5 itself, that is.
    pub fn end_of(&self, distribution: &str, version: &str) -> Result<Option<End>> {
        let table = self.table::<layout::Ended>(Section::Ends);
        let mut found: Option<(usize, End)> = None;
        for index in 0..table.len() {
            let record = table.get(index)?;
            let release = self.text(record.version)?;
            let rest = version.strip_prefix(release);
            let is_it = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                && self.text(record.distribution)? == distribution;
            if is_it && found.is_none_or(|(length, _)| length < release.len()) {
                let (support, extended) = (Day(record.support), Day(record.extended));
                found = Some((release.len(), End { support, extended }));
            }
        }
        Ok(found.map(|(_, end)| end))
    }

    /// That the CVE is known to be exploited, where it is.
    pub fn exploited(&self, cve: Cve) -> Result<Option<Exploited>> {
        let table = self.table::<layout::Exploited>(Section::Exploited);
        Ok(table.find(cve.0, |it| it.cve)?.map(|record| Exploited {
            added: Day(record.added),
            due: Day(record.due & !RANSOMWARE),
            by_ransomware: record.due & RANSOMWARE != 0,
        }))
    }

    /// The updates that replace this one.
    pub fn replacements(&self, update: u32) -> Result<Vec<u32>> {
        let table = self.table::<Replaced>(Section::Replaced);
        let replaced = table.all_from(|it| it.old >= update, |it| it.old == update)?;
        Ok(replaced.into_iter().map(|it| it.new).collect())
    }

    fn part(&self, section: Section) -> Part<'_> {
        Part { segment: self, range: self.sections[section as usize].clone() }
    }

    /// What stands at this place of the file, if it is what was written there.
    fn slice(&self, range: Range<usize>) -> Result<&[u8]> {
        let bytes = self.held.bytes();
        let sums = bytes.get(self.sections[Section::Sums as usize].clone()).unwrap_or_default();
        if !self.sums.agree(bytes, range.clone(), sums) {
            let why = "is damaged: it is not what was written; build or update it anew";
            return Err(Error::corrupt(&self.path, why));
        }
        bytes.get(range).ok_or_else(|| self.damaged("a place"))
    }

    fn table<R: Record>(&self, section: Section) -> Table<'_, R> {
        Table { part: self.part(section), kind: PhantomData }
    }

    fn text(&self, offset: u32) -> Result<&str> {
        let pool = self.part(Section::Pool);
        let start = (offset as usize).saturating_add(2);
        let length = Bytes(pool.get(offset as usize..start)?).u16();
        let text = pool.get(start..start.saturating_add(length.into()))?;
        std::str::from_utf8(text).map_err(|_| self.damaged("a text"))
    }

    fn damaged(&self, what: &str) -> Error {
        Error::corrupt(&self.path, format!("is damaged: it refers to {what} that is not there"))
    }
}

fn severity(code: u8) -> Option<Severity> {
    SEVERITIES.get(usize::from(code.checked_sub(1)?)).copied()
}

/// A table, or all texts.
struct Part<'s> {
    segment: &'s Segment,
    range: Range<usize>,
}

impl<'s> Part<'s> {
    fn all(&self) -> Result<&'s [u8]> {
        self.segment.slice(self.range.clone())
    }

    /// What stands at these places of it.
    fn get(&self, range: Range<usize>) -> Result<&'s [u8]> {
        let start = self.range.start.saturating_add(range.start);
        let end = self.range.start.saturating_add(range.end);
        match start <= end && end <= self.range.end {
            true => self.segment.slice(start..end),
            false => Err(self.segment.damaged("something")),
        }
    }
}

/// Records of one size.
struct Table<'s, R> {
    part: Part<'s>,
    kind: PhantomData<R>,
}

impl<R: Record> Table<'_, R> {
    fn len(&self) -> u32 {
        u32::try_from(self.part.range.len() / R::SIZE).unwrap_or(u32::MAX)
    }

    fn get(&self, index: u32) -> Result<R> {
        let start = (index as usize).saturating_mul(R::SIZE);
        Ok(R::decode(Bytes(self.part.get(start..start.saturating_add(R::SIZE))?)))
    }

    /// The first of the records in the range that is `late`, where those that are stand behind those
    /// that are not; the end of the range if there is none.
    fn first_of(&self, range: Range<u32>, late: impl Fn(&R) -> bool) -> Result<u32> {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = low + (high - low) / 2;
            match late(&self.get(middle)?) {
                false => low = middle + 1,
                true => high = middle,
            }
        }
        Ok(low)
    }

    /// The records that are `wanted`, which stand beside each other, before all others that are `late`.
    fn all_from(&self, late: impl Fn(&R) -> bool, wanted: impl Fn(&R) -> bool) -> Result<Vec<R>> {
        let first = self.first_of(0..self.len(), late)?;
        let mut found = Vec::new();
        for index in first..self.len() {
            let record = self.get(index)?;
            if !wanted(&record) {
                break;
            }
            found.push(record);
        }
        Ok(found)
    }

    fn find(&self, wanted: u32, key: impl Fn(&R) -> u32) -> Result<Option<R>> {
        let at = self.first_of(0..self.len(), |it| key(it) >= wanted)?;
        let found = (at < self.len()).then(|| self.get(at)).transpose()?;
        Ok(found.filter(|it| key(it) == wanted))
    }
}
