//! Looking things up in a file.

use std::fs::File;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fathom_map::Map;
use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use super::layout::{
    self, Block, Bytes, HAS_EXPLOIT, HAS_UNFIXED, HEADER, INCLUSIVE, IS_RECORD, MAGIC, Mention,
    NONE, Name, RANSOMWARE, Record, Replaced, SEVERITY, Score, Section, VERSION, name_hash,
};
use super::texts::{MAX_BLOCK, Texts};
use super::{About, SCHEMES, SEVERITIES, STATES, Subject, pool};
use crate::cve::Cve;
use crate::day::Day;
use crate::error::{Error, Result};

/// The statements of one provider.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    held: Held,
    sections: [Range<usize>; Section::ALL.len()],
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
        Self::of(path, Held::Mapped(map))
    }

    /// Opens bytes that have been read already, as if the file of this name held them.
    pub fn of_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        Self::of(path, Held::Owned(bytes))
    }

    fn of(path: &Path, held: Held) -> Result<Self> {
        let map = held.bytes();
        let corrupt = |why: &str| Error::corrupt(path, why);
        let mut front = Bytes(map.get(..HEADER).ok_or_else(|| corrupt("is cut"))?);
        if front.0.get(..MAGIC.len()) != Some(&MAGIC) {
            return Err(corrupt("is no segment of a database"));
        }
        front.u64();
        let (version, sections) = (front.u32(), front.u32());
        if version != VERSION || sections as usize != Section::ALL.len() {
            let why = format!("is of version {version}; this program reads {VERSION}");
            return Err(Error::unsupported(path, why));
        }
        let mut ranges = [const { 0..0 }; Section::ALL.len()];
        for range in &mut ranges {
            let (start, length) = (front.u64() as usize, front.u64() as usize);
            let end = start.checked_add(length).filter(|end| *end <= map.len());
            *range = start..end.ok_or_else(|| corrupt("has a table that ends behind its end"))?;
        }
        let about = map.get(ranges[Section::About as usize].clone()).unwrap_or_default();
        let about = serde_json::from_slice(about)
            .map_err(|error| Error::corrupt(path, format!("does not say what it is: {error}")))?;
        Ok(Self { path: path.to_owned(), sections: ranges, about, held })
    }

    /// What the file says about itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// How many bytes of the file are looked at to find things, and how many only to show them.
    pub fn sizes(&self) -> (u64, u64) {
        let cold = self.bytes(Section::Cold).len() as u64;
        (self.held.bytes().len() as u64 - cold, cold)
    }

    /// The ecosystems, by their names.
    pub fn namespaces(&self) -> Result<Vec<Namespace<'_>>> {
        let table = self.table::<layout::Namespace>(Section::Namespaces);
        let names = self.table::<Name>(Section::Names).len();
        (0..table.len())
            .map(|index| {
                let record = self.record(&table, index)?;
                let end = table.get(index + 1).map_or(names, |next| next.names);
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
        let mut at = names.first_of(namespace.names.clone(), |it| it.hash >= wanted);
        while at < namespace.names.end {
            let record = self.record(&names, at)?;
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
        (name.rows..end).map(|index| self.row(&self.record(&table, index)?)).collect()
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
                    Some(self.text(self.record(&table, index.into())?)?)
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
        let record = self.record(&self.table::<layout::Version>(Section::Versions), index)?;
        let pool = self.bytes(Section::Pool);
        let version = || Some(Version { text: record.text(pool)?, key: record.key(pool)? });
        version().map(Some).ok_or_else(|| self.damaged("a version"))
    }

    /// Everything that some statement holds for alone.
    pub fn qualifiers(&self) -> Result<Vec<&str>> {
        let table = self.table::<u32>(Section::Qualifiers);
        (0..table.len()).map(|index| self.text(self.record(&table, index)?)).collect()
    }

    /// All names of the ecosystem, each with what is said of it.
    pub fn all(
        &self,
        namespace: &Namespace<'_>,
    ) -> impl Iterator<Item = Result<(&str, Vec<Row<'_>>)>> {
        let names = self.table::<Name>(Section::Names);
        namespace.names.clone().map(move |at| {
            let record = self.record(&names, at)?;
            let rows = self.rows_of(&record)?;
            Ok((self.text(record.text)?, rows))
        })
    }

    /// Which flaws the advisory at this place is about, and its name.
    pub fn flaws(&self, index: u32) -> Result<Flaws<'_>> {
        let record = self.record(&self.table::<layout::Advisory>(Section::Advisories), index)?;
        let lists = self.table::<u32>(Section::Lists);
        let end = record.list.saturating_add(record.cves.into());
        let cves = (record.list..end).map(|index| Ok(Cve(self.record(&lists, index)?)));
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
        self.text(self.record(&table, index)?.text)
    }

    /// The advisory at this place.
    pub fn advisory(&self, index: u32) -> Result<Advisory<'_>> {
        let table = self.table::<layout::Advisory>(Section::Advisories);
        let record = self.record(&table, index)?;
        let lists = self.table::<u32>(Section::Lists);
        let mut at = record.list;
        let mut list = |count: u16| -> Result<Vec<u32>> {
            let start = at;
            at = at.saturating_add(count.into());
            (start..at).map(|index| self.record(&lists, index)).collect()
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
                    let vector = self.record(&vectors, index)?;
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
    pub fn mentions(&self, cve: Cve) -> Vec<u32> {
        let table = self.table::<Mention>(Section::Mentions);
        let first = table.first_of(0..table.len(), |it| it.cve >= cve.0);
        let mentions = (first..table.len()).map_while(|index| table.get(index));
        mentions.take_while(|it| it.cve == cve.0).map(|it| it.advisory).collect()
    }

    /// The long texts of the advisory at this place.
    pub fn texts(&self, advisory: u32) -> Result<Texts> {
        self.texts_by(advisory, &mut Unpacked::default())
    }

    /// The same, by the block that was unpacked last if they are in that.
    pub fn texts_by<'s>(&'s self, advisory: u32, unpacked: &mut Unpacked<'s>) -> Result<Texts> {
        let blocks = self.table::<Block>(Section::Blocks);
        let damaged = || self.damaged("the texts of an advisory");
        let behind = blocks.first_of(0..blocks.len(), |it| it.advisory > advisory);
        let block = behind.checked_sub(1).and_then(|at| blocks.get(at)).ok_or_else(damaged)?;
        let start = block.offset as usize;
        let end = start.checked_add(block.length as usize).ok_or_else(damaged)?;
        let packed = self.bytes(Section::Cold).get(start..end).ok_or_else(damaged)?;
        if !unpacked.of.is_some_and(|of| std::ptr::eq(of, packed)) {
            // What fails to be unpacked leaves nothing that could be taken for another block.
            unpacked.of = None;
            unpacked.bytes = zstd::bulk::decompress(packed, MAX_BLOCK).map_err(|_| damaged())?;
            unpacked.of = Some(packed);
        }
        Texts::decode(&unpacked.bytes, advisory - block.advisory).ok_or_else(damaged)
    }

    /// How likely the CVE is exploited, where that was estimated.
    pub fn likelihood(&self, cve: Cve) -> Option<Likelihood> {
        let record = self.table::<Score>(Section::Scores).find(cve.0, |it| it.cve)?;
        let scaled = |it: u16| f64::from(it) / f64::from(u16::MAX);
        Some(Likelihood {
            likelihood: scaled(record.likelihood),
            percentile: scaled(record.percentile),
        })
    }

    /// Until when the release of this version is mended, where that is known: `12` is the release of
    /// 12.5, and where there is one of 12.5 itself, that is.
    pub fn end_of(&self, distribution: &str, version: &str) -> Result<Option<End>> {
        let table = self.table::<layout::Ended>(Section::Ends);
        let mut found: Option<(usize, End)> = None;
        for index in 0..table.len() {
            let record = self.record(&table, index)?;
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
    pub fn exploited(&self, cve: Cve) -> Option<Exploited> {
        let table = self.table::<layout::Exploited>(Section::Exploited);
        let record = table.find(cve.0, |it| it.cve)?;
        Some(Exploited {
            added: Day(record.added),
            due: Day(record.due & !RANSOMWARE),
            by_ransomware: record.due & RANSOMWARE != 0,
        })
    }

    /// The updates that replace this one.
    pub fn replacements(&self, update: u32) -> Vec<u32> {
        let table = self.table::<Replaced>(Section::Replaced);
        let first = table.first_of(0..table.len(), |it| it.old >= update);
        let replaced = (first..table.len()).map_while(|index| table.get(index));
        replaced.take_while(|it| it.old == update).map(|it| it.new).collect()
    }

    fn bytes(&self, section: Section) -> &[u8] {
        // Checked when the file was opened.
        self.held.bytes().get(self.sections[section as usize].clone()).unwrap_or_default()
    }

    fn table<R: Record>(&self, section: Section) -> Table<'_, R> {
        Table { bytes: self.bytes(section), kind: PhantomData }
    }

    fn record<R: Record>(&self, table: &Table<'_, R>, index: u32) -> Result<R> {
        table.get(index).ok_or_else(|| self.damaged("a record"))
    }

    fn text(&self, offset: u32) -> Result<&str> {
        pool::at(self.bytes(Section::Pool), offset).ok_or_else(|| self.damaged("a text"))
    }

    fn damaged(&self, what: &str) -> Error {
        Error::corrupt(&self.path, format!("is damaged: it refers to {what} that is not there"))
    }
}

fn severity(code: u8) -> Option<Severity> {
    SEVERITIES.get(usize::from(code.checked_sub(1)?)).copied()
}

/// Records of one size.
struct Table<'s, R> {
    bytes: &'s [u8],
    kind: PhantomData<R>,
}

impl<R: Record> Table<'_, R> {
    fn len(&self) -> u32 {
        u32::try_from(self.bytes.len() / R::SIZE).unwrap_or(u32::MAX)
    }

    fn get(&self, index: u32) -> Option<R> {
        let start = (index as usize).checked_mul(R::SIZE)?;
        Some(R::decode(Bytes(self.bytes.get(start..start.checked_add(R::SIZE)?)?)))
    }

    /// The first of the records in the range that is `late`, where those that are stand behind those
    /// that are not; the end of the range if there is none.
    fn first_of(&self, range: Range<u32>, late: impl Fn(&R) -> bool) -> u32 {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle).is_some_and(|it| !late(&it)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }

    fn find(&self, wanted: u32, key: impl Fn(&R) -> u32) -> Option<R> {
        let at = self.first_of(0..self.len(), |it| key(it) >= wanted);
        self.get(at).filter(|it| key(it) == wanted)
    }
}
