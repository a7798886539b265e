//! The parent's side: from a request to a report.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fathom_block::Spent;
use fathom_confine::{Canceller, Confined, Confinement};
use fathom_report::Report;
use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use super::failure::{Code, Failure, Phase};
use super::request::{Content, Image, Inspection, Key, check};
use super::roots::Roots;
use super::session::Session;
use super::verifications::Verifications;
use super::wire::{self, Answer, Ask, DiskOrder, MAX_ASK, Order, Task, decode, encode};

/// How much of what a child says of a failure is told.
const MAX_MESSAGE: usize = 4096;

/// What one request may use up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// What its child may use up, and whether it may run without full confinement. The time on the wall
    /// is that of the whole request, with what is done before there is a child.
    pub child: fathom_confine::Limits,
    /// The longest report, in bytes.
    pub report: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { child: fathom_confine::Limits::default(), report: 256 << 20 }
    }
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// How much of it is done: bytes or images.
    pub done: u64,
    /// How much there is to do, where that is known.
    pub total: Option<u64>,
}

/// What a request came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report as JSON. It has been read as one, and is what it was read from.
    pub report: Vec<u8>,
    /// Why there is no operating system in the report, where there is none.
    pub none: Option<Failure>,
    /// What the child read of its disks, by its own account.
    pub read: Spent,
    /// What was fetched from servers for it.
    pub fetched: Spent,
    /// The most memory that the child had at once.
    pub peak_memory: u64,
    /// How long the child computed.
    pub cpu: Duration,
    /// How long it took.
    pub took: Duration,
    /// Which layers of the confinement held.
    pub confinement: Confinement,
}

/// The checksum of a file or disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// What it is of.
    pub name: String,
    /// How many bytes that has.
    pub length: u64,
    /// `sha256:HEX`.
    pub checksum: String,
}

/// Reads images that strangers made, each in a child of its own.
#[derive(Debug)]
pub struct Images {
    program: PathBuf,
    arguments: Vec<OsString>,
    roots: Arc<Roots>,
    limits: Limits,
    verifications: Verifications,
}

/// What a child answered.
struct Answered {
    result: Vec<u8>,
    none: Option<Failure>,
    spent: wire::Spent,
    usage: fathom_confine::Usage,
    confinement: Confinement,
}

impl Images {
    /// Reads images beneath `roots`. `program`, with these arguments, must call
    /// [`child::main`](super::child::main) first of all.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = OsString>,
        roots: impl Into<Arc<Roots>>,
        limits: Limits,
    ) -> Self {
        let arguments = arguments.into_iter().collect();
        let verifications = Verifications::default();
        Self { program: program.into(), arguments, roots: roots.into(), limits, verifications }
    }

    /// How often bytes were compared with a checksum.
    pub(crate) fn verifications(&self) -> &Verifications {
        &self.verifications
    }

    /// The roots that images are read from.
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// Starts a child, and says how it is confined; it has nothing to do. The thread that calls must
    /// live until this returns.
    pub fn probe(&self) -> Result<Confinement, Failure> {
        let limits = fathom_confine::Limits { allow_degraded: true, ..self.limits.child.clone() };
        let arguments: Vec<_> = self.arguments.iter().map(OsString::as_os_str).collect();
        let child = Confined::spawn(&self.program, &arguments, &limits, &Canceller::new())
            .map_err(|ended| Failure::ended(&ended, Phase::Starting))?;
        Ok(child.confinement().clone())
    }

    /// Looks at a machine. `progress` is told how far that is; `canceller` ends it from another
    /// thread. The thread that calls must live until it returns.
    pub fn inspect(
        &self,
        request: &Inspection,
        progress: &mut dyn FnMut(Progress),
        canceller: &Canceller,
    ) -> Result<Outcome, Failure> {
        let began = Instant::now();
        let now = match request.now {
            Some(seconds) => (seconds, 0),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or((0, 0), |since| (since.as_secs(), since.subsec_nanos())),
        };
        let mut session = self.session(&request.images, began, progress, canceller)?;
        let task = Task::Inspect { deep: request.deep, now, largest_disk: request.largest_disk };
        let answered = self.run(task, &request.keys, &mut session, began, canceller)?;
        session.tell(Phase::Reporting, answered.result.len() as u64, None);
        if let Err(error) = serde_json::from_slice::<Report>(&answered.result) {
            let why = format!("what the child sent is no report: {error}");
            return Err(Failure::new(Code::ProtocolViolated, Phase::Reporting, why));
        }
        let wire::Spent { bytes, requests, rounds } = answered.spent;
        Ok(Outcome {
            report: answered.result,
            none: answered.none,
            read: Spent { bytes, requests, rounds },
            fetched: session.fetched(),
            peak_memory: answered.usage.peak_memory,
            cpu: answered.usage.cpu,
            took: began.elapsed(),
            confinement: answered.confinement,
        })
    }

    /// Computes the checksum of an image: of its file, which is one and needs no child, or of what the
    /// guest sees on each of its disks.
    pub fn checksum(
        &self,
        image: &Image,
        content: Content,
        progress: &mut dyn FnMut(Progress),
        canceller: &Canceller,
    ) -> Result<Vec<Sum>, Failure> {
        let began = Instant::now();
        let images = std::slice::from_ref(image);
        let mut session = self.session(images, began, progress, canceller)?;
        if content == Content::File {
            let checksum = session.hash(0)?;
            let (name, length) = match session.source(0) {
                Some((source, _)) => match source.place {
                    wire::Place::Path(name) | wire::Place::Url(name) => (name, source.length),
                },
                None => (String::new(), 0),
            };
            return Ok(vec![Sum { name, length, checksum: checksum.to_string() }]);
        }
        let answered = self.run(Task::Hash, &[], &mut session, began, canceller)?;
        let sums: Option<Vec<Sum>> = decode(&answered.result);
        sums.filter(|sums| {
            sums.iter().all(|sum| {
                sum.checksum.starts_with("sha256:") && Checksum::parse(&sum.checksum).is_ok()
            })
        })
        .ok_or_else(|| {
            let why = "what the child sent are no checksums";
            Failure::new(Code::ProtocolViolated, Phase::Reporting, why)
        })
    }

    fn session<'a>(
        &'a self,
        images: &'a [Image],
        began: Instant,
        progress: &'a mut dyn FnMut(Progress),
        canceller: &'a Canceller,
    ) -> Result<Session<'a>, Failure> {
        check(images, Some(&*self.roots))
            .map_err(|refusal| Failure::refused(refusal, Phase::Opening))?;
        if canceller.is_cancelled() {
            return Err(Failure::new(Code::Cancelled, Phase::Opening, "cancelled"));
        }
        let until = began + self.limits.child.wall;
        Session::open(images, &self.roots, &self.verifications, until, canceller, progress)
    }

    /// Starts a child, and answers it until it has a result.
    fn run(
        &self,
        task: Task,
        keys: &[Key],
        session: &mut Session<'_>,
        began: Instant,
        canceller: &Canceller,
    ) -> Result<Answered, Failure> {
        session.tell(Phase::Starting, 0, None);
        let mut phase = Phase::Starting;
        let order = self.order(task, keys, session)?;
        let left = self.limits.child.wall.saturating_sub(began.elapsed());
        let limits = fathom_confine::Limits { wall: left, ..self.limits.child.clone() };
        let arguments: Vec<_> = self.arguments.iter().map(OsString::as_os_str).collect();
        let mut child = Confined::spawn(&self.program, &arguments, &limits, canceller)
            .map_err(|ended| Failure::ended(&ended, phase))?;
        let confinement = child.confinement().clone();
        child.send(&encode(&order), &[]).map_err(|ended| Failure::ended(&ended, phase))?;
        loop {
            let ended = |ended| Failure::ended(&ended, phase);
            let message = child.receive(MAX_ASK).map_err(ended)?;
            let Some(ask) = decode::<Ask>(&message.bytes) else {
                return Err(ended(child.violated("what is no question")));
            };
            match ask {
                Ask::Read { id, ranges } => {
                    let bytes = session.read(id, &ranges).unwrap_or_else(|refused| {
                        let mut bytes = vec![1];
                        bytes.extend(encode(&refused));
                        bytes
                    });
                    session.check_unchanged(phase)?;
                    child.send(&bytes, &[]).map_err(ended)?;
                }
                Ask::Admit { from, asked, role } => {
                    let (answer, id) = session.admit(from, &asked, &role)?;
                    let descriptor = id.and_then(|id| session.source(id)?.1);
                    child.send(&encode(&answer), descriptor.as_slice()).map_err(ended)?;
                }
                Ask::Disk { index } => {
                    let index = index as usize;
                    let known = order.disks.len() > index;
                    let Some((source, fd)) = session.source(index).filter(|_| known) else {
                        return Err(ended(child.violated("a question about no disk")));
                    };
                    let answer = Answer::Source(source);
                    child.send(&encode(&answer), fd.as_slice()).map_err(ended)?;
                }
                Ask::Doing { phase: now, done, total } => {
                    phase = now;
                    session.tell(now, done, total);
                }
                Ask::Failed(failure) => {
                    session.check_unchanged(phase)?;
                    return Err(told(failure));
                }
                Ask::Done { spent, none } => {
                    let result = child.receive(self.limits.report).map_err(ended)?.bytes;
                    session.check_unchanged(phase)?;
                    let none = none.map(told);
                    let usage = child.finish();
                    return Ok(Answered { result, none, spent, usage, confinement });
                }
            }
        }
    }

    fn order(&self, task: Task, keys: &[Key], session: &Session<'_>) -> Result<Order, Failure> {
        let images = session.images();
        let disk = |(index, image): (usize, &Image)| {
            let (source, _) = session.source(index)?;
            let checksum = image.checksum.as_deref();
            let checksum = checksum.and_then(|text| Checksum::parse(text).ok());
            Some(DiskOrder {
                format: image.format.clone(),
                snapshot: image.snapshot.clone(),
                checksum: checksum.map(|checksum| checksum.to_string()),
                source,
            })
        };
        let disks: Option<Vec<_>> = images.iter().enumerate().map(disk).collect();
        let disks = disks.ok_or_else(|| {
            Failure::new(Code::InvalidRequest, Phase::Starting, "an image is not there any more")
        })?;
        Ok(Order { task, disks, keys: keys.to_vec() })
    }
}

/// A failure that a child told of. It may say what it likes; what follows from its code it may not
/// choose, nor claim what only a parent knows.
fn told(failure: Failure) -> Failure {
    let code = match failure.code {
        code @ (Code::NotFound
        | Code::InvalidRequest
        | Code::Unsupported
        | Code::DiskTooLarge
        | Code::Corrupt
        | Code::Encrypted
        | Code::ReferenceRefused
        | Code::SourceUnreachable
        | Code::ReadFailed) => code,
        _ => Code::ProtocolViolated,
    };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let message: String = failure.message.chars().take(MAX_MESSAGE).map(plain).collect();
    Failure::new(code, failure.phase, message)
}
