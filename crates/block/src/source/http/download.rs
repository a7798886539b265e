//! A whole file of a web server, fetched into one of this machine.
//!
//! Beside the file stands what the server said of its version. What is there in that version is not
//! fetched again, and what was fetched in part is continued, if the server knows ranges and still has
//! that version; otherwise it is fetched anew. A file has its name only when all of it is there.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use ureq::Body;
use ureq::http::Response;

use super::HttpOptions;
use super::agent::Agents;
use super::answer::{ContentRange, Version, text};
use super::client::{Again, Client, Failure};
use super::web::beyond;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::meter::Meter;

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

/// Fetches what is at `url`, and has at most so many bytes, into the file `to`. `told` hears how many
/// bytes of how many are there.
pub fn download(
    url: &str,
    options: &HttpOptions,
    to: &Path,
    most: u64,
    told: &mut dyn FnMut(u64, Option<u64>),
) -> Result<Downloaded> {
    let agents = Arc::new(Agents::new(options.clone()));
    let client = Client::new(url, agents, Arc::new(Meter::default()))?;
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let (whole, part) = (Noted::of(to.to_owned()), Noted::of(part.into()));
    let mut download = Download { client: &client, whole, part, most, fetched: 0, is_new: true };
    let name = name(url);
    client.patiently(|| download.attempt(&name, told))?;
    Ok(Downloaded { fetched: download.fetched, is_new: download.is_new })
}

/// Lets the file `to` be fetched anew whatever the server says of its version: it turned out to be
/// damaged.
pub fn forget(to: &Path) {
    // Without the note nobody knows which version it is.
    drop(fs::remove_file(Noted::of(to.to_owned()).note));
}

/// What tells an address from others in a note, without what may be secret in it.
fn name(url: &str) -> String {
    let shown = Location::Url(url.to_owned()).to_string();
    if shown == url {
        return shown;
    }
    let hash: String = Sha256::digest(url).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{shown} {hash}")
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
    fn version(&self, name: &str) -> Option<Version> {
        let mut note = String::new();
        File::open(&self.note).ok()?.take(NOTE).read_to_string(&mut note).ok()?;
        let mut lines = note.lines();
        let is_of = lines.next() == Some(name);
        let length = lines.next()?.parse().ok()?;
        let mut tag = || lines.next().filter(|line| !line.is_empty()).map(str::to_owned);
        is_of.then(|| Version { length, etag: tag(), modified: tag() })
    }

    /// How many bytes the file has, which is no link that leads elsewhere.
    fn length(&self) -> Option<u64> {
        let metadata = fs::symlink_metadata(&self.file).ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    fn remember(&self, name: &str, version: &Version) -> io::Result<()> {
        let tag = |tag: &Option<String>| tag.clone().unwrap_or_default();
        let (etag, modified) = (tag(&version.etag), tag(&version.modified));
        let mut note = create(&self.note)?;
        note.write_all(format!("{name}\n{}\n{etag}\n{modified}\n", version.length).as_bytes())
    }

    fn forget(&self) {
        // What is left behind is fetched anew.
        drop(fs::remove_file(&self.note));
        drop(fs::remove_file(&self.file));
    }
}

/// Makes a file anew: a link that lies in its place leads nowhere.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::options().write(true).create_new(true).open(path)
}

struct Download<'c> {
    client: &'c Client,
    whole: Noted,
    part: Noted,
    /// The most bytes that the file may have.
    most: u64,
    fetched: u64,
    is_new: bool,
}

impl Download<'_> {
    fn failed(&self, error: io::Error) -> Failure {
        Error::io(self.part.file.display().to_string(), error).into()
    }

    fn attempt(
        &mut self,
        name: &str,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> std::result::Result<(), Failure> {
        let there = self.part.length().unwrap_or(0);
        let begun = self.part.version(name).filter(|it| there > 0 && there < it.length);
        let old = self.whole.version(name).filter(|it| self.whole.length() == Some(it.length));
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
                self.part.remember(name, &version).map_err(|error| self.failed(error))?;
                self.receive(response, 0, length, told)?;
                self.finish(name, version)
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
                self.receive(response, there, total, told)?;
                self.finish(name, version)
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
        let most = self.most.min(length.unwrap_or(u64::MAX));
        let too_long = |length| {
            // It cannot be told which of it is the file.
            self.part.forget();
            Failure::from(self.client.misbehaves(&beyond(length, most)))
        };
        if let Some(length) = length.filter(|length| *length > most) {
            return Err(too_long(length));
        }
        let opened = match start {
            0 => create(&self.part.file),
            _ => File::options()
                .append(true)
                .custom_flags(OFlags::NOFOLLOW.bits() as i32)
                .open(&self.part.file),
        };
        let mut out = opened.map_err(|error| self.failed(error))?;
        let mut at = start;
        let (came, outcome) = self.client.pour(response, &mut |piece| {
            at += piece.len() as u64;
            if at > most {
                return Err(too_long(at));
            }
            out.write_all(piece).map_err(|error| self.failed(error))?;
            told(at, length);
            Ok(())
        });
        self.fetched += came;
        outcome?;
        if length.is_some_and(|length| at < length) {
            let why = format!("the connection ended after {at} of {} bytes", length.unwrap_or(0));
            let error = self.client.misbehaves(&why);
            return Err(Failure { error, again: Again::Later, came: at > start });
        }
        out.sync_all().map_err(|error| self.failed(error))
    }

    /// All of it is there: gives it its name, and says which version it is.
    fn finish(&self, name: &str, version: Version) -> std::result::Result<(), Failure> {
        let finish = || {
            let length = fs::metadata(&self.part.file)?.len();
            // An old file with a new note would be taken for the new one.
            drop(fs::remove_file(&self.whole.note));
            fs::rename(&self.part.file, &self.whole.file)?;
            self.whole.remember(name, &Version { length, ..version })?;
            drop(fs::remove_file(&self.part.note));
            Ok(())
        };
        finish().map_err(|error| self.failed(error))
    }
}
