//! What a child may read, and what it is answered when it asks.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use fathom_block::source::{FileSource, HttpOptions};
use fathom_block::{Error, Location, Opener, ReadAt};
use fathom_confine::Canceller;

use super::checksum::{Checksum, Verified};
use super::failure::{Code, Failure, Phase, Refusal};
use super::inspect::Progress;
use super::request::Image;
use super::roots::{Opened, Roots};
use super::verifications::Verifications;
use super::wire::{Answer, Kind, MAX_RANGES, MAX_READ, Place, Refused, Source};

/// The most sources that one child may have.
const MAX_SOURCES: usize = 200;

/// The sources of one child.
pub(crate) struct Session<'a> {
    roots: &'a Roots,
    images: &'a [Image],
    verifications: &'a Verifications,
    sources: Vec<Served>,
    /// Counts what is fetched from servers.
    fetched: Vec<Opener>,
    /// Something that had a checksum has it no more.
    changed: Arc<AtomicBool>,
    until: Instant,
    canceller: &'a Canceller,
    progress: &'a mut dyn FnMut(Progress),
}

struct Served {
    /// Which of the images that were asked for it is, or is a part of.
    image: usize,
    opened: Opened,
    length: u64,
    /// What is read for the child; none where it has a descriptor of its own.
    reader: Option<Arc<dyn ReadAt>>,
}

impl Served {
    fn name(&self) -> String {
        match &self.opened {
            Opened::Local(local) => local.path.display().to_string(),
            Opened::Remote(url) => Location::Url(url.clone()).to_string(),
            Opened::Object(object) => object.address.clone(),
        }
    }
}

/// Why a pass over all bytes ended.
enum Stopped {
    Read(Error),
    Failed(Failure),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}

impl<'a> Session<'a> {
    /// Opens the images, and compares them with their checksums. Nothing in them is looked at.
    pub(crate) fn open(
        images: &'a [Image],
        roots: &'a Roots,
        verifications: &'a Verifications,
        until: Instant,
        canceller: &'a Canceller,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, Failure> {
        let mut session = Self {
            roots,
            images,
            verifications,
            sources: Vec::new(),
            fetched: Vec::new(),
            changed: Arc::default(),
            until,
            canceller,
            progress,
        };
        for (index, image) in images.iter().enumerate() {
            session.tell(Phase::Opening, index as u64, Some(images.len() as u64));
            let refused = |refusal| Failure::refused(refusal, Phase::Opening);
            let expected =
                image.checksum.as_deref().map(Checksum::parse).transpose().map_err(refused)?;
            let opened = roots.open(&image.source).map_err(refused)?;
            session.add(index, opened, expected)?;
        }
        Ok(session)
    }

    pub(crate) fn images(&self) -> &'a [Image] {
        self.images
    }

    /// Where something was fetched from, what that cost.
    pub(crate) fn fetched(&self) -> fathom_block::Spent {
        let mut sum = fathom_block::Spent::default();
        for opener in &self.fetched {
            let spent = opener.meter().spent();
            sum.bytes += spent.bytes;
            sum.requests += spent.requests;
            sum.rounds += spent.rounds;
        }
        sum
    }

    pub(crate) fn tell(&mut self, phase: Phase, done: u64, total: Option<u64>) {
        (self.progress)(Progress { phase, done, total });
    }

    /// The failure that a change after the comparison is, whatever the child makes of it.
    pub(crate) fn check_unchanged(&self, phase: Phase) -> Result<(), Failure> {
        match self.changed.load(Ordering::SeqCst) {
            false => Ok(()),
            true => {
                let why = "an image has changed since its checksum was compared";
                Err(Failure::new(Code::ChecksumMismatch, phase, why))
            }
        }
    }

    /// The checksum of an image's bytes, as they lie there.
    pub(crate) fn hash(&mut self, index: usize) -> Result<Checksum, Failure> {
        let reader = self.reader(index)?;
        let total = reader.len();
        let mut done = 0;
        super::checksum::digest(&*reader, &mut |count| {
            done += count;
            self.step(Phase::Hashing, done, total)
        })
        .map_err(|stopped| stopped_at(stopped, Phase::Hashing))
    }

    /// What the child is told of a source, and the descriptor where it gets one.
    pub(crate) fn source(&self, id: usize) -> Option<(Source, Option<BorrowedFd<'_>>)> {
        let served = self.sources.get(id)?;
        let descriptor = match &served.opened {
            Opened::Local(local) if served.reader.is_none() => Some(local.file.as_fd()),
            _ => None,
        };
        let place = match &served.opened {
            Opened::Local(local) => Place::Path(local.path.display().to_string()),
            // What may be secret in it the child needs not know.
            Opened::Remote(_) | Opened::Object(_) => Place::Url(served.name()),
        };
        let id = u32::try_from(id).ok()?;
        let length = served.length;
        Some((Source { id, place, length, descriptor: descriptor.is_some() }, descriptor))
    }

    /// The answer to an image that wants to open something. A checksum that does not fit ends it all.
    pub(crate) fn admit(
        &mut self,
        from: u32,
        asked: &str,
        role: &str,
    ) -> Result<(Answer, Option<usize>), Failure> {
        let shown = |text: &str, most| text.chars().take(most).collect::<String>();
        let what = format!("{} {:?}", shown(role, 40), shown(asked, 200));
        let refuse =
            |kind, why: String| Ok((Answer::Refused(Refused::new(kind, what.as_str(), why)), None));
        let Some(served) = self.sources.get(from as usize) else {
            return refuse(Kind::Refused, "it is asked for by nothing that was opened".to_owned());
        };
        if self.sources.len() >= MAX_SOURCES {
            return refuse(Kind::Unsupported, format!("more than {MAX_SOURCES} files are opened"));
        }
        let index = served.image;
        let expected = match self.expected(index, asked) {
            Ok(expected) => expected,
            Err(refusal) => return refuse(Kind::Refused, refusal.message),
        };
        match self.roots.admit(&served.opened, asked, role) {
            Ok(opened) => {
                let id = self.add(index, opened, expected)?;
                match self.source(id) {
                    Some((source, _)) => Ok((Answer::Source(source), Some(id))),
                    None => refuse(Kind::Refused, "it is not there any more".to_owned()),
                }
            }
            Err(refusal) => {
                let kind = match refusal.code {
                    Code::NotFound => Kind::NotFound,
                    Code::ReadFailed => Kind::Io,
                    _ => Kind::Refused,
                };
                refuse(kind, refusal.message)
            }
        }
    }

    /// The checksum that something must have which an image asks for.
    fn expected(&self, image: usize, asked: &str) -> Result<Option<Checksum>, Refusal> {
        let Some(image) = self.images.get(image).filter(|image| image.checksum.is_some()) else {
            return Ok(None);
        };
        let name = asked.rsplit('/').next().unwrap_or(asked);
        let given = image.backing_checksums.get(asked).or(image.backing_checksums.get(name));
        match given {
            Some(text) => Checksum::parse(text).map(Some),
            None => {
                let why = "the image has a checksum, which says nothing of this file; give its own in \
                           backing_checksums";
                Err(Refusal::new(Code::ReferenceRefused, why))
            }
        }
    }

    /// Bytes for the child.
    pub(crate) fn read(&self, id: u32, ranges: &[(u64, u32)]) -> Result<Vec<u8>, Refused> {
        let invalid = |why: &str| Refused::new(Kind::Invalid, "read", why);
        let served = self.sources.get(id as usize);
        let Some((served, reader)) =
            served.and_then(|served| served.reader.as_ref().map(|reader| (served, reader)))
        else {
            return Err(invalid("of nothing that is read for it"));
        };
        let total: u64 = ranges.iter().map(|(_, length)| u64::from(*length)).sum();
        if ranges.len() > MAX_RANGES || total > MAX_READ as u64 {
            return Err(invalid("of more than is sent at once"));
        }
        // A nought leads what could be read.
        let mut bytes = vec![0; 1 + total as usize];
        let mut rest = &mut bytes[1..];
        let mut reads = Vec::with_capacity(ranges.len());
        for (offset, length) in ranges {
            let (now, later) = rest.split_at_mut(*length as usize);
            reads.push((*offset, now));
            rest = later;
        }
        match reader.read_many(&mut reads) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(Refused::of(&error, &served.name())),
        }
    }

    /// Takes in something that was opened, after it was compared with the checksum it must have.
    fn add(
        &mut self,
        image: usize,
        opened: Opened,
        expected: Option<Checksum>,
    ) -> Result<usize, Failure> {
        let length = match &opened {
            Opened::Local(local) => local.length,
            Opened::Remote(_) | Opened::Object(_) => 0,
        };
        self.sources.push(Served { image, opened, length, reader: None });
        let id = self.sources.len() - 1;
        let remote = !matches!(self.sources[id].opened, Opened::Local(_));
        if remote || expected.is_some() {
            let reader = self.reader(id)?;
            let reader = match expected {
                Some(expected) => self.verified(reader, id, expected)?,
                None => reader,
            };
            let served = &mut self.sources[id];
            served.length = reader.len();
            served.reader = Some(reader);
        }
        Ok(id)
    }

    /// The bytes of a source as they lie there.
    fn reader(&mut self, id: usize) -> Result<Arc<dyn ReadAt>, Failure> {
        let served = &self.sources[id];
        let phase = Phase::Opening;
        if let Some(reader) = &served.reader {
            return Ok(Arc::clone(reader));
        }
        match &served.opened {
            Opened::Local(local) => {
                let file = local.file.try_clone().map_err(|error| {
                    Failure::new(Code::ReadFailed, phase, format!("{}: {error}", served.name()))
                })?;
                let source = FileSource::of_length(file, served.name(), local.length);
                Ok(Arc::new(source))
            }
            Opened::Remote(url) => {
                let options = self.roots.https_of().options(url);
                let url = url.clone();
                self.fetch(url, options)
            }
            Opened::Object(object) => {
                let (url, options) = (object.url.clone(), object.options());
                self.fetch(url, options)
            }
        }
    }

    /// The bytes that a server has.
    fn fetch(&mut self, url: String, options: HttpOptions) -> Result<Arc<dyn ReadAt>, Failure> {
        let phase = Phase::Opening;
        let opener = Opener::new().http(options);
        let reader = opener.bytes(&Location::Url(url)).map_err(|error| {
            let failure = Failure::read(&error, phase);
            let code = match failure.code {
                Code::NotFound => Code::ImageNotFound,
                // That is where its name leads, or a redirect.
                Code::ReferenceRefused => Code::PathRefused,
                code => code,
            };
            Failure::new(code, phase, failure.message)
        })?;
        self.fetched.push(opener);
        Ok(reader)
    }

    fn verified(
        &mut self,
        reader: Arc<dyn ReadAt>,
        id: usize,
        expected: Checksum,
    ) -> Result<Arc<dyn ReadAt>, Failure> {
        let phase = Phase::Verifying;
        let name = self.sources[id].name();
        let (total, changed) = (reader.len(), Arc::clone(&self.changed));
        let mut done = 0;
        let (reader, found) = Verified::read(reader, name.clone(), changed, &mut |count| {
            done += count;
            self.step(phase, done, total)
        })
        .map_err(|stopped| stopped_at(stopped, phase))?;
        self.verifications.note(found == expected);
        if found != expected {
            let why = format!(
                "{name}: its checksum is {found}, not {expected}; nothing in it was looked at"
            );
            return Err(Failure::new(Code::ChecksumMismatch, phase, why));
        }
        Ok(Arc::new(reader))
    }

    /// A step of a long pass: tells of it, and ends it where it must end.
    fn step(&mut self, phase: Phase, done: u64, total: u64) -> Result<(), Stopped> {
        self.tell(phase, done, Some(total));
        if self.canceller.is_cancelled() {
            return Err(Stopped::Failed(Failure::new(Code::Cancelled, phase, "cancelled")));
        }
        if Instant::now() >= self.until {
            let why = "it takes longer than it may to read all of the image";
            return Err(Stopped::Failed(Failure::new(Code::Timeout, phase, why)));
        }
        Ok(())
    }
}

fn stopped_at(stopped: Stopped, phase: Phase) -> Failure {
    match stopped {
        Stopped::Read(error) => Failure::read(&error, phase),
        Stopped::Failed(failure) => failure,
    }
}
