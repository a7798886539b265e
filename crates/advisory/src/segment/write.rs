//! Making a file.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use fathom_report::finding::{Severity, State};
use fathom_version::Scheme;

use super::layout::{
    Advisory, Block, CHUNK, Ended, Exploited, HAS_EXPLOIT, HAS_UNFIXED, HEADER, INCLUSIVE,
    IS_RECORD, MAGIC, Mention, NONE, Name, Namespace, RANSOMWARE, Record, Replaced, Row, Score,
    Section, VERSION, Vector, Version, hash, name_hash,
};
use super::pool::{Full, Pool};
use super::texts::{BLOCK, Texts};
use super::{About, End, SCHEMES, SEVERITIES, STATES, Subject, place};
use crate::cve::Cve;
use crate::day::Day;
use crate::error::{Error, Result};

/// How hard texts are compressed: what is read once in a while may take its time to write, but a
/// whole database is to be made in a minute.
const LEVEL: i32 = 6;

/// What is published about one flaw or several.
#[derive(Clone, Debug, Default)]
pub struct NewAdvisory<'a> {
    /// Its name, as `DSA-5863-1`.
    pub name: &'a str,
    /// The flaws.
    pub cves: &'a [Cve],
    /// Which kinds of weaknesses these are: numbers of CWE.
    pub weaknesses: &'a [u16],
    /// Its other names, but for CVEs.
    pub aliases: &'a [String],
    /// How bad it is, computed.
    pub vectors: &'a [NewVector],
    /// How bad the provider says it is.
    pub severity: Option<Severity>,
    /// When it was published.
    pub published: Day,
    /// When it was last changed.
    pub modified: Day,
    /// Whether a way to exploit it is published.
    pub has_exploit: bool,
    /// What it says.
    pub texts: Texts,
}

/// A CVSS vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVector {
    /// The vector, as `CVSS:3.1/AV:N/…`; one of version 2 without anything before `AV`.
    pub text: String,
    /// Whether the provider made it, or whoever gave out the number of the CVE.
    pub is_own: bool,
    /// 2, 3 or 4.
    pub version: u8,
    /// Ten times the base score.
    pub score: u8,
}

/// An advisory that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvisoryId(u32);

/// Which versions of what an advisory is about, and what it says of them.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The ecosystem, as OSV calls it: `Debian:12`.
    pub namespace: &'a str,
    /// Whose versions these are.
    pub scheme: Scheme,
    /// What the names of this ecosystem are of.
    pub subject: Subject,
    /// The package.
    pub name: &'a str,
    /// The first version; none for all from the beginning.
    pub lower: Option<&'a str>,
    /// Where they end; none for all to come.
    pub upper: Option<Upper<'a>>,
    /// What is to be said of them.
    pub state: State,
    /// How bad it is in this package, where that was said.
    pub severity: Option<Severity>,
    /// What it holds for alone: a module's stream, a variant, an update.
    pub qualifier: Option<&'a str>,
}

/// Where versions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upper<'a> {
    /// Before this one.
    Before(&'a str),
    /// With this one.
    With(&'a str),
}

/// Why something was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl From<Full> for Refused {
    fn from(Full: Full) -> Self {
        Self("a text is too long, or there is too much of it all".to_owned())
    }
}

/// Makes a file. Whatever happens before [`Writer::finish`], nothing stands at its path.
pub struct Writer {
    about: About,
    pool: Pool,
    /// By name; the texts of namespaces.
    namespaces: HashMap<String, (u32, Namespace)>,
    /// Names, each with the number of its namespace.
    names: Vec<(u32, Name)>,
    names_known: HashMap<(u32, u32), u32>,
    /// Rows, each with the number of its name.
    rows: Vec<(u32, Row)>,
    versions: Vec<Version>,
    versions_known: HashMap<(u8, u64), u32>,
    qualifiers: Vec<u32>,
    advisories: Vec<Advisory>,
    lists: Vec<u32>,
    vectors: Vec<Vector>,
    mentions: Vec<Mention>,
    scores: Vec<Score>,
    exploited: Vec<Exploited>,
    replaced: Vec<Replaced>,
    ends: Vec<Ended>,
    blocks: Vec<Block>,
    block: Vec<u8>,
    block_start: u32,
    compressor: zstd::bulk::Compressor<'static>,
    file: Unfinished,
}

impl Writer {
    /// Begins a file that will stand at `path`.
    pub fn create(path: &Path, about: About) -> Result<Self> {
        let file = Unfinished::create(path)?;
        let compressor = zstd::bulk::Compressor::new(LEVEL)
            .map_err(Error::io(path, "cannot begin to compress"))?;
        Ok(Self {
            about,
            pool: Pool::default(),
            namespaces: HashMap::new(),
            names: Vec::new(),
            names_known: HashMap::new(),
            rows: Vec::new(),
            versions: Vec::new(),
            versions_known: HashMap::new(),
            qualifiers: Vec::new(),
            advisories: Vec::new(),
            lists: Vec::new(),
            vectors: Vec::new(),
            mentions: Vec::new(),
            scores: Vec::new(),
            exploited: Vec::new(),
            replaced: Vec::new(),
            ends: Vec::new(),
            blocks: Vec::new(),
            block: Vec::new(),
            block_start: 0,
            compressor,
            file,
        })
    }

    /// What is said about the file in the file.
    pub fn about(&mut self) -> &mut About {
        &mut self.about
    }

    /// What would be said about the file if this were all: a statement that was made twice counts
    /// twice yet.
    pub fn counted(&self) -> About {
        About {
            advisories: self.advisories.len() as u64,
            statements: self.rows.len() as u64,
            names: self.names.len() as u64,
            ..self.about.clone()
        }
    }

    /// Adds an advisory.
    pub fn advisory(
        &mut self,
        new: &NewAdvisory<'_>,
    ) -> Result<std::result::Result<AdvisoryId, Refused>> {
        let record = match self.advisory_record(new) {
            Ok(record) => record,
            Err(refused) => return Ok(Err(refused)),
        };
        let id = self.advisories.len() as u32;
        self.advisories.push(record);
        self.mentions.extend(new.cves.iter().map(|cve| Mention { cve: cve.0, advisory: id }));
        new.texts.encode(&mut self.block);
        if self.block.len() >= BLOCK {
            self.end_block()?;
        }
        Ok(Ok(AdvisoryId(id)))
    }

    fn advisory_record(&mut self, new: &NewAdvisory<'_>) -> std::result::Result<Advisory, Refused> {
        let too_many = |what: &str| Refused(format!("{} has too many {what}", new.name));
        let is_record = matches!(new.cves, [cve] if new.name.ends_with(&cve.to_string()));
        let record = Advisory {
            text: self.pool.text(new.name)?,
            list: self.lists.len() as u32,
            vectors: self.vectors.len() as u32,
            cves: new.cves.len().try_into().map_err(|_| too_many("CVEs"))?,
            weaknesses: new.weaknesses.len().try_into().map_err(|_| too_many("weaknesses"))?,
            aliases: new.aliases.len().try_into().map_err(|_| too_many("other names"))?,
            vector_count: new.vectors.len().try_into().map_err(|_| too_many("vectors"))?,
            severity: severity_code(new.severity),
            published: new.published.0,
            modified: new.modified.0,
            flags: if new.has_exploit { HAS_EXPLOIT } else { 0 }
                | if is_record { IS_RECORD } else { 0 },
        };
        let aliases: Vec<_> = new
            .aliases
            .iter()
            .map(|it| self.pool.text(it))
            .collect::<std::result::Result<_, _>>()?;
        let vectors: Vec<_> = new
            .vectors
            .iter()
            .map(|vector| {
                Ok(Vector {
                    text: self.pool.text(&vector.text)?,
                    source: u8::from(!vector.is_own),
                    version: vector.version,
                    score: vector.score,
                    unused: 0,
                })
            })
            .collect::<std::result::Result<_, Full>>()?;
        self.lists.extend(new.cves.iter().map(|cve| cve.0));
        self.lists.extend(new.weaknesses.iter().map(|it| u32::from(*it)));
        self.lists.extend(aliases);
        self.vectors.extend(vectors);
        Ok(record)
    }

    /// Adds a statement of an advisory.
    pub fn statement(
        &mut self,
        id: AdvisoryId,
        new: &Statement<'_>,
    ) -> std::result::Result<(), Refused> {
        let upper = match new.upper {
            None => NONE,
            Some(Upper::Before(version) | Upper::With(version)) => {
                self.version(new.scheme, version)?
            }
        };
        let lower = match new.lower {
            None => NONE,
            Some(version) => self.version(new.scheme, version)?,
        };
        let inclusive = if matches!(new.upper, Some(Upper::With(_))) { INCLUSIVE } else { 0 };
        let row = Row {
            advisory: id.0,
            upper,
            lower,
            state: place(&STATES, &new.state),
            flags: severity_code(new.severity) | inclusive,
            qualifier: self.qualifier(new.qualifier)?,
        };
        let name = self.name(new)?;
        self.rows.push((name, row));
        Ok(())
    }

    fn name(&mut self, new: &Statement<'_>) -> std::result::Result<u32, Refused> {
        let namespace = self.namespace(new)?;
        let text = self.pool.text(new.name)?;
        let next = self.names.len() as u32;
        let name = *self.names_known.entry((namespace, text)).or_insert(next);
        if name == next {
            self.names
                .push((namespace, Name { hash: name_hash(new.name), text, rows: 0, count: 0 }));
        }
        Ok(name)
    }

    fn namespace(&mut self, new: &Statement<'_>) -> std::result::Result<u32, Refused> {
        let scheme = place(&SCHEMES, &new.scheme);
        let subject = new.subject as u8;
        if let Some((number, known)) = self.namespaces.get(new.namespace) {
            return match (known.scheme, known.subject) == (scheme, subject) {
                true => Ok(*number),
                false => Err(Refused(format!("{} has two kinds of names", new.namespace))),
            };
        }
        let number = self.namespaces.len() as u32;
        let text = self.pool.text(new.namespace)?;
        let namespace = Namespace { text, names: 0, scheme, subject, flags: 0 };
        self.namespaces.insert(new.namespace.to_owned(), (number, namespace));
        Ok(number)
    }

    fn version(&mut self, scheme: Scheme, version: &str) -> std::result::Result<u32, Refused> {
        let known = (place(&SCHEMES, &scheme), hash(version));
        if let Some(&number) = self.versions_known.get(&known)
            && let Some(known) = self.versions.get(number as usize)
            && self.pool.bytes.get(known.text()) == Some(version.as_bytes())
        {
            return Ok(number);
        }
        let key =
            scheme.key(version).ok_or_else(|| Refused(format!("{version:?} is no version")))?;
        let record = Version {
            length: version.len().try_into().map_err(|_| Full)?,
            key: key.len().try_into().map_err(|_| Full)?,
            text: self.pool.raw(&[version.as_bytes(), &key])?,
        };
        let number = self.versions.len() as u32;
        self.versions.push(record);
        self.versions_known.insert(known, number);
        Ok(number)
    }

    fn qualifier(&mut self, qualifier: Option<&str>) -> std::result::Result<u16, Refused> {
        let Some(qualifier) = qualifier else { return Ok(0) };
        let text = self.pool.text(qualifier)?;
        let at = self.qualifiers.iter().position(|it| *it == text).unwrap_or_else(|| {
            self.qualifiers.push(text);
            self.qualifiers.len() - 1
        });
        u16::try_from(at + 1).map_err(|_| Refused("there are too many qualifiers".to_owned()))
    }

    /// Adds how likely a CVE is exploited, and how many of all are less likely: each from 0 to 1.
    pub fn score(&mut self, cve: Cve, likelihood: f64, percentile: f64) {
        let scaled = |it: f64| (it.clamp(0.0, 1.0) * 100_000.0).round() as u32;
        let (likelihood, percentile) = (scaled(likelihood), scaled(percentile));
        self.scores.push(Score {
            cve: cve.0,
            likelihood: likelihood as u16,
            percentile: percentile as u16,
            above: (likelihood >> 16 | percentile >> 16 << 1) as u8,
        });
    }

    /// Adds that a CVE is known to be exploited.
    pub fn exploited(&mut self, cve: Cve, added: Day, due: Day, by_ransomware: bool) {
        let ransomware = if by_ransomware { RANSOMWARE } else { 0 };
        let due = due.0.min(!RANSOMWARE) | ransomware;
        self.exploited.push(Exploited { cve: cve.0, added: added.0, due });
    }

    /// Adds that one update replaces another.
    pub fn replaced(&mut self, old: u32, new: u32) {
        self.replaced.push(Replaced { old, new });
    }

    /// Adds until when a release of a distribution is mended.
    pub fn ends(
        &mut self,
        distribution: &str,
        version: &str,
        end: End,
    ) -> std::result::Result<(), Refused> {
        self.ends.push(Ended {
            distribution: self.pool.text(distribution)?,
            version: self.pool.text(version)?,
            support: end.support.0,
            extended: end.extended.0,
        });
        Ok(())
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.advisories.is_empty()
            && self.scores.is_empty()
            && self.exploited.is_empty()
            && self.ends.is_empty()
    }

    fn end_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let failed = |error| Error::io(&self.file.path, "cannot compress texts")(error);
        let packed = self.compressor.compress(&self.block).map_err(failed)?;
        let offset = self.file.written - HEADER as u64;
        self.blocks.push(Block { offset, length: packed.len() as u32, advisory: self.block_start });
        self.file.add(&packed)?;
        self.block.clear();
        self.block_start = self.advisories.len() as u32;
        Ok(())
    }

    /// Completes the file, and puts it in its place.
    pub fn finish(mut self) -> Result<About> {
        self.end_block()?;
        let cold = self.file.written - HEADER as u64;
        self.settle();
        self.about = self.counted();
        let rows = self.shared_rows();
        let about = serde_json::to_vec(&self.about).map_err(|error| {
            Error::io(&self.file.path, "cannot describe it")(io::Error::other(error))
        })?;
        let remaining = self.remaining();
        let flagged = |(number, namespace): &(u32, Namespace)| Namespace {
            flags: if remaining.contains(number) { HAS_UNFIXED } else { 0 },
            ..*namespace
        };
        let mut namespaces: Vec<_> = self.namespaces.values().map(flagged).collect();
        namespaces.sort_unstable_by_key(|it| it.names);
        let names: Vec<_> = self.names.iter().map(|(_, name)| *name).collect();
        let mut directory = Vec::with_capacity(HEADER);
        directory.extend(MAGIC);
        directory.extend(VERSION.to_le_bytes());
        directory.extend((Section::ALL.len() as u32).to_le_bytes());
        for section in Section::ALL {
            let bytes = match section {
                Section::About => about.clone(),
                Section::Namespaces => encoded(&namespaces),
                Section::Names => encoded(&names),
                Section::Rows => encoded(&rows),
                Section::Versions => encoded(&self.versions),
                Section::Qualifiers => encoded(&self.qualifiers),
                Section::Advisories => encoded(&self.advisories),
                Section::Lists => encoded(&self.lists),
                Section::Vectors => encoded(&self.vectors),
                Section::Mentions => encoded(&self.mentions),
                Section::Scores => encoded(&self.scores),
                Section::Exploited => encoded(&self.exploited),
                Section::Replaced => encoded(&self.replaced),
                Section::Ends => encoded(&self.ends),
                Section::Pool => std::mem::take(&mut self.pool.bytes),
                Section::Blocks => encoded(&self.blocks),
                Section::Cold => {
                    directory.extend((HEADER as u64).to_le_bytes());
                    directory.extend(cold.to_le_bytes());
                    continue;
                }
                Section::Sums => {
                    let sums = self.file.sums();
                    directory.extend(self.file.written.to_le_bytes());
                    directory.extend((sums.len() as u64).to_le_bytes());
                    let mut front = crc32fast::Hasher::new();
                    front.update(&directory);
                    front.update(&sums);
                    directory.extend(front.finalize().to_le_bytes());
                    self.file.put(&sums)?;
                    continue;
                }
            };
            directory.extend(self.file.written.to_le_bytes());
            directory.extend((bytes.len() as u64).to_le_bytes());
            self.file.add(&bytes)?;
        }
        self.file.finish(&directory)?;
        Ok(self.about)
    }

    /// Puts everything into the order in which it is looked for.
    fn settle(&mut self) {
        // Namespaces by their texts, and by them the names, and by these the rows.
        let mut namespaces: Vec<_> = self.namespaces.iter_mut().collect();
        namespaces.sort_unstable_by(|one, other| one.0.cmp(other.0));
        let mut rank = vec![0; namespaces.len()];
        for (place, (_, (number, _))) in namespaces.iter().enumerate() {
            rank[*number as usize] = place as u32;
        }
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_unstable_by_key(|name| {
            let (namespace, name) = self.names[*name as usize];
            (rank[namespace as usize], name.hash, name.text)
        });
        let mut place = vec![0; order.len()];
        for (at, name) in order.iter().enumerate() {
            place[*name as usize] = at as u32;
        }
        for (name, _) in &mut self.rows {
            *name = place[*name as usize];
        }
        self.rows.sort_unstable_by_key(|(name, row)| {
            (*name, row.advisory, row.upper, row.lower, row.qualifier, row.state, row.flags)
        });
        self.rows.dedup();
        let names: Vec<_> = order.iter().map(|name| self.names[*name as usize]).collect();
        let mut name = 0;
        for (at, (_, (_, namespace))) in namespaces.iter_mut().enumerate() {
            namespace.names = name as u32;
            while names.get(name).is_some_and(|(of, _)| rank[*of as usize] == at as u32) {
                name += 1;
            }
        }
        self.names = names;
        self.mentions.sort_unstable_by_key(|it| (it.cve, it.advisory));
        self.mentions.dedup();
        self.scores.sort_unstable_by_key(|it| it.cve);
        self.scores.dedup_by_key(|it| it.cve);
        self.exploited.sort_unstable_by_key(|it| it.cve);
        self.exploited.dedup_by_key(|it| it.cve);
        self.replaced.sort_unstable_by_key(|it| (it.old, it.new));
        self.replaced.dedup();
    }

    /// The namespaces whose statements tell what remains: records of single flaws, or whatever is not
    /// just an announcement of what was mended. A release that is over keeps its announcements, of
    /// which some say that there will be no mend; that is no knowledge of all the others.
    fn remaining(&self) -> HashSet<u32> {
        #[derive(Default)]
        struct Counted {
            rows: usize,
            open: usize,
            records: usize,
        }
        let states = [State::NotAffected, State::Fixed].map(|state| place(&STATES, &state));
        let mut counted: HashMap<u32, Counted> = HashMap::new();
        for (name, row) in &self.rows {
            let counted = counted.entry(self.names[*name as usize].0).or_default();
            counted.rows += 1;
            counted.open += usize::from(row.upper == NONE && !states.contains(&row.state));
            let advisory = self.advisories.get(row.advisory as usize);
            let is_record = advisory.is_some_and(|it| it.flags & IS_RECORD != 0);
            counted.records += usize::from(is_record);
        }
        let tells = |it: &Counted| {
            let is_of_announcements = it.records > 0 && it.records * 2 < it.rows;
            it.open > 0 && it.open * 100 >= it.rows && !is_of_announcements
        };
        counted.into_iter().filter(|(_, it)| tells(it)).map(|(number, _)| number).collect()
    }

    /// The rows, those of names of which the same is said once.
    fn shared_rows(&mut self) -> Vec<Row> {
        let all: Vec<Row> = self.rows.iter().map(|(_, row)| *row).collect();
        let mut shared: HashMap<&[Row], u32> = HashMap::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut start = 0;
        for (at, (_, name)) in self.names.iter_mut().enumerate() {
            let own = self.rows[start..].iter().take_while(|(of, _)| *of == at as u32).count();
            let own = &all[start..start + own];
            start += own.len();
            name.count = own.len() as u32;
            name.rows = *shared.entry(own).or_insert(rows.len() as u32);
            if name.rows as usize == rows.len() {
                rows.extend(own);
            }
        }
        rows
    }
}

fn severity_code(severity: Option<Severity>) -> u8 {
    severity.map_or(0, |severity| place(&SEVERITIES, &severity) + 1)
}

fn encoded<R: Record>(records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.len() * R::SIZE);
    records.iter().for_each(|record| record.encode(&mut bytes));
    bytes
}

/// A file beside the path that it will have; removed again if it is not finished.
struct Unfinished {
    path: PathBuf,
    beside: PathBuf,
    file: io::BufWriter<File>,
    written: u64,
    /// The checksums of what was written behind the front, and that of the last chunk so far.
    sums: Vec<u8>,
    sum: crc32fast::Hasher,
    is_finished: bool,
}

impl Unfinished {
    fn create(path: &Path) -> Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let file = File::create(&beside).map_err(Error::io(&beside, "cannot be made"))?;
        let file = io::BufWriter::with_capacity(1 << 18, file);
        let path = path.to_owned();
        let (sums, sum) = (Vec::new(), crc32fast::Hasher::new());
        let mut unfinished = Self { path, beside, file, written: 0, sums, sum, is_finished: false };
        unfinished.put(&[0; HEADER])?;
        Ok(unfinished)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io(&self.beside, "cannot be written"))?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Adds what has checksums.
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        let mut begun = (self.written as usize - HEADER) % CHUNK;
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at((CHUNK - begun).min(rest.len()));
            self.sum.update(chunk);
            if begun + chunk.len() == CHUNK {
                self.end_sum();
            }
            (rest, begun) = (behind, 0);
        }
        self.put(bytes)
    }

    fn end_sum(&mut self) {
        let sum = std::mem::take(&mut self.sum).finalize();
        self.sums.extend(sum.to_le_bytes());
    }

    /// All checksums, the last that of what is less than a chunk.
    fn sums(&mut self) -> Vec<u8> {
        if !(self.written as usize - HEADER).is_multiple_of(CHUNK) {
            self.end_sum();
        }
        std::mem::take(&mut self.sums)
    }

    /// Writes the front, and gives the file its name once all of it is on the disk.
    fn finish(&mut self, front: &[u8]) -> Result<()> {
        let mut finish = || {
            self.file.seek(io::SeekFrom::Start(0))?;
            self.file.write_all(front)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        let failed = Error::io(&self.beside, "cannot be written");
        finish().map_err(failed)?;
        fs::rename(&self.beside, &self.path)
            .map_err(Error::io(&self.path, "cannot be replaced"))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left behind is in nobody's way, and is removed by the next who builds.
            drop(fs::remove_file(&self.beside));
        }
    }
}
