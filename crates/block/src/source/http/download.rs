//! A whole file of a web server, fetched into one of this machine.
//!
//! Beside the file stands what the server said of its version. What is there in that version is not
//! fetched again, and what was fetched in part is continued, if the server knows ranges and still has
//! that version; otherwise it is fetched anew. A file has its name only when all of it is there.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::Body;
use ureq::http::Response;

use super::HttpOptions;
use super::agent::Agents;
use super::answer::{ContentRange, Version, text};
use super::client::{Again, Client, Failure, LEAST_SPEED};
use crate::error::{Error, Result};
use crate::meter::Meter;

/// The most bytes that are fetched: no server fills a disk by never ending.
const MOST: u64 = 64 << 30;

/// How much is taken from the connection at once.
const PIECE: usize = 256 << 10;

/// The most bytes that a note of a version has.
const NOTE: u64 = 16 << 10;

/// What came of fetching a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// How many bytes came.
    pub fetched: u64,
    /// Whether the file is another than it was.
    pub is_new: bool,
}

/// Fetches what is at `url` into the file `to`. `told` hears how many bytes of how many are there.
pub fn download(
    url: &str,
    options: &HttpOptions,
    to: &Path,
    told: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Downloaded> {
    let agents = Arc::new(Agents::new(options.clone()));
    let client = Client::new(url, agents, Arc::new(Meter::default()))?;
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let (whole, part) = (Noted::of(to.to_owned()), Noted::of(part.into()));
    let mut download = Download { client: &client, whole, part, fetched: 0, is_new: true };
    client.patiently(|| download.attempt(url, told))?;
    Ok(Downloaded { fetched: download.fetched, is_new: download.is_new })
}

/// A file, and the note of which version it is.
struct Noted {
    file: PathBuf,
    note: PathBuf,
}

impl Noted {
    fn of(file: PathBuf) -> Self {
        let mut note = file.as_os_str().to_owned();
        note.push(".version");
        Self { note: note.into(), file }
    }

    /// The version that is there; nothing if that is of another address, or the note makes no sense.
    fn version(&self, url: &str) -> Option<Version> {
        let mut note = String::new();
        File::open(&self.note).ok()?.take(NOTE).read_to_string(&mut note).ok()?;
        let mut lines = note.lines();
        let is_of = lines.next() == Some(url);
        let length = lines.next()?.parse().ok()?;
        let mut tag = || lines.next().filter(|line| !line.is_empty()).map(str::to_owned);
        is_of.then(|| Version { length, etag: tag(), modified: tag() })
    }

    fn remember(&self, url: &str, version: &Version) -> io::Result<()> {
        let tag = |tag: &Option<String>| tag.clone().unwrap_or_default();
        let (etag, modified) = (tag(&version.etag), tag(&version.modified));
        fs::write(&self.note, format!("{url}\n{}\n{etag}\n{modified}\n", version.length))
    }

    fn forget(&self) {
        // What is left behind is fetched anew.
        drop(fs::remove_file(&self.note));
        drop(fs::remove_file(&self.file));
    }
}

struct Download<'c> {
    client: &'c Client,
    whole: Noted,
    part: Noted,
    fetched: u64,
    is_new: bool,
}

impl Download<'_> {
    fn failed(&self, error: io::Error) -> Failure {
        Error::io(self.part.file.display().to_string(), error).into()
    }

    fn attempt(
        &mut self,
        url: &str,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> std::result::Result<(), Failure> {
        let there = fs::metadata(&self.part.file).map_or(0, |it| it.len());
        let begun = self.part.version(url).filter(|it| there > 0 && there < it.length);
        let old = self.whole.version(url).filter(|_| self.whole.file.is_file());
        let mut headers = vec![("Accept-Encoding", "identity".to_owned())];
        // Without a name for the version, what follows may be of another.
        if let Some(tag) = begun.as_ref().and_then(Version::if_range) {
            headers.push(("Range", format!("bytes={there}-")));
            headers.push(("If-Range", tag.to_owned()));
        } else if let Some(tag) = old.as_ref().and_then(|it| it.etag.clone()) {
            headers.push(("If-None-Match", tag));
        } else if let Some(modified) = old.as_ref().and_then(|it| it.modified.clone()) {
            headers.push(("If-Modified-Since", modified));
        }
        let is_asked_for_rest = headers.iter().any(|(name, _)| *name == "Range");
        let response = self.client.follow(&headers, None)?;
        match response.status().as_u16() {
            304 if old.is_some() && !is_asked_for_rest => {
                self.is_new = false;
                self.part.forget();
                Ok(())
            }
            200 => {
                let said = text(response.headers(), "content-length");
                let length = said.and_then(|it| it.parse().ok());
                let version = Version::of(response.headers(), length.unwrap_or(0));
                self.part.remember(url, &version).map_err(|error| self.failed(error))?;
                self.receive(response, 0, length, told)
            }
            206 if is_asked_for_rest => {
                let said = text(response.headers(), "content-range").unwrap_or_default();
                let range = ContentRange::parse(said);
                let total = range.and_then(|it| it.total).or(begun.as_ref().map(|it| it.length));
                let fits = range.is_some_and(|it| it.start == there);
                let version = Version::of(response.headers(), total.unwrap_or(0));
                if !fits || begun.is_none_or(|begun| begun.difference(&version).is_some()) {
                    // What is there is of no use; the next try begins anew.
                    self.part.forget();
                    let error = self.client.misbehaves("what it sends is not what was asked for");
                    return Err(Failure { error, again: Again::Later, came: false });
                }
                self.receive(response, there, total, told)
            }
            416 if is_asked_for_rest => {
                self.part.forget();
                let error = self.client.misbehaves("it has become shorter");
                Err(Failure { error, again: Again::Later, came: false })
            }
            status => Err(self.client.refusal(status, response.headers())),
        }
    }

    /// Takes the body, behind what is there.
    fn receive(
        &mut self,
        response: Response<Body>,
        start: u64,
        length: Option<u64>,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> std::result::Result<(), Failure> {
        let encoding = text(response.headers(), "content-encoding").unwrap_or("identity");
        if encoding != "identity" {
            let why = format!("it encodes the file as {encoding:?}");
            return Err(self.client.misbehaves(&why).into());
        }
        let opened = File::options()
            .create(true)
            .write(true)
            .truncate(start == 0)
            .append(start > 0)
            .open(&self.part.file);
        let mut out = opened.map_err(|error| self.failed(error))?;
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; PIECE];
        let (mut at, began) = (start, Instant::now());
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => {
                    return Err(Failure { came: at > start, ..self.client.failed(error.into()) });
                }
            };
            out.write_all(&buffer[..count]).map_err(|error| self.failed(error))?;
            at += count as u64;
            self.fetched += count as u64;
            self.client.meter().received(count as u64);
            told(at, length);
            if at > length.unwrap_or(MOST) {
                // It cannot be told which of it is the file.
                self.part.forget();
                let why = format!("it sends more than {} bytes", length.unwrap_or(MOST));
                return Err(self.client.misbehaves(&why).into());
            }
            let allowed = Duration::from_secs(60 + (at - start) / LEAST_SPEED);
            if began.elapsed() > allowed {
                let error = self.client.misbehaves("it is slower than 16 KiB a second");
                return Err(Failure { error, again: Again::Later, came: true });
            }
        }
        if length.is_some_and(|length| at < length) {
            let why = format!("the connection ended after {at} of {} bytes", length.unwrap_or(0));
            let error = self.client.misbehaves(&why);
            return Err(Failure { error, again: Again::Later, came: at > start });
        }
        let finish = || {
            out.sync_all()?;
            // An old file with a new note would be taken for the new one.
            drop(fs::remove_file(&self.whole.note));
            fs::rename(&self.part.file, &self.whole.file)?;
            fs::rename(&self.part.note, &self.whole.note)
        };
        finish().map_err(|error| self.failed(error))
    }
}
