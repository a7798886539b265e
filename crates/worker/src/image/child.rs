//! The child's side: it is confined first, and only then learns what there is to read.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use fathom_block::source::FileSource;
use fathom_block::{
    Admitted, Disk, Error, Format, Gate, Location, Opener, ReadAt, Result, Wish, check_range,
};
use fathom_confine::{Channel, Message};
use fathom_volume::Keys;

use super::checksum;
use super::failure::{Failure, Phase, describe};
use super::inspect::Sum;
use super::wire::{
    Answer, Ask, MAX_ANSWER, MAX_RANGES, MAX_READ, Order, Place, Refused, Source, Spent, Task,
    decode, encode,
};

/// How many bytes are hashed between two words of progress.
const STEP: u64 = 64 << 20;

/// What the program does that is started as a child: confines itself, does what its parent says, and
/// ends. To be called first of all, while there is one thread.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            use std::io::Write as _;
            // Whoever types this command has no parent that listens.
            let _ = writeln!(io::stderr(), "fathom: this command is for fathom itself: {error}");
            ExitCode::from(2)
        }
    }
}

fn serve() -> io::Result<()> {
    let (channel, _) = fathom_confine::enter()?;
    let link = Arc::new(Link(Mutex::new(channel)));
    let Some(order) = decode::<Order>(&link.receive()?.bytes) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "that is no order"));
    };
    match work(&link, &order) {
        Ok((result, spent, none)) => {
            link.say(&Ask::Done { spent, none })?;
            link.send(&result)?;
        }
        Err(failure) => link.say(&Ask::Failed(failure))?,
    }
    // The parent looks at what was used up, and then lets go.
    link.wait();
    Ok(())
}

/// The connection to the parent. One thread at a time asks and is answered.
struct Link(Mutex<Channel>);

impl Link {
    fn channel(&self) -> std::sync::MutexGuard<'_, Channel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receive(&self) -> io::Result<Message> {
        self.channel().receive(MAX_ANSWER)?.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.channel().send(bytes, &[])
    }

    fn say(&self, ask: &Ask) -> io::Result<()> {
        self.send(&encode(ask))
    }

    fn ask(&self, ask: &Ask) -> io::Result<Message> {
        let channel = self.channel();
        channel.send(&encode(ask), &[])?;
        channel.receive(MAX_ANSWER)?.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn doing(&self, phase: Phase, done: u64, total: Option<u64>) -> Result<()> {
        self.say(&Ask::Doing { phase, done, total }).map_err(gone)
    }

    fn wait(&self) {
        let _ = self.channel().receive(1);
    }
}

fn gone(error: io::Error) -> Error {
    Error::io("the process that started this one", error)
}

/// Bytes that the parent reads.
struct Proxied {
    link: Arc<Link>,
    id: u32,
    length: u64,
    name: String,
}

impl Proxied {
    /// Reads as much as is sent at once.
    fn read_batch(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        let ranges: Vec<(u64, u32)> =
            reads.iter().map(|(offset, buf)| (*offset, buf.len() as u32)).collect();
        let answer = self.link.ask(&Ask::Read { id: self.id, ranges }).map_err(gone)?;
        let total: usize = reads.iter().map(|(_, buf)| buf.len()).sum();
        match answer.bytes.split_first() {
            Some((0, bytes)) if bytes.len() == total => {
                let mut rest = bytes;
                for (_, buf) in reads {
                    let (now, later) = rest.split_at(buf.len());
                    buf.copy_from_slice(now);
                    rest = later;
                }
                Ok(())
            }
            Some((1, refused)) => match decode::<Refused>(refused) {
                Some(refused) => Err(refused.into_error()),
                None => Err(self.nonsense()),
            },
            _ => Err(self.nonsense()),
        }
    }

    fn nonsense(&self) -> Error {
        Error::io(&*self.name, io::Error::other("what is read for this process came wrongly"))
    }
}

impl ReadAt for Proxied {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        check_range(offset, buf.len(), self.length).map_err(|error| error.within(&self.name))?;
        let mut at = offset;
        for part in buf.chunks_mut(MAX_READ) {
            let length = part.len() as u64;
            self.read_batch(&mut [(at, part)])?;
            at += length;
        }
        Ok(())
    }

    fn read_many(&self, reads: &mut [(u64, &mut [u8])]) -> Result<()> {
        for (offset, buf) in reads.iter() {
            check_range(*offset, buf.len(), self.length)
                .map_err(|error| error.within(&self.name))?;
        }
        let mut rest = reads;
        while !rest.is_empty() {
            let (mut count, mut total) = (0, 0);
            for (_, buf) in rest.iter().take(MAX_RANGES) {
                if total + buf.len() > MAX_READ {
                    break;
                }
                (count, total) = (count + 1, total + buf.len());
            }
            let (now, later) = std::mem::take(&mut rest).split_at_mut(count.max(1));
            match now {
                // One that is longer than is sent at once.
                [(offset, buf)] if count == 0 => self.read_at(*offset, buf)?,
                now => self.read_batch(now)?,
            }
            rest = later;
        }
        Ok(())
    }
}

/// Asks the parent for what an image wants to open.
struct Asking {
    link: Arc<Link>,
    /// What the parent knows those by that are open.
    known: Mutex<HashMap<Location, u32>>,
}

impl Asking {
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Location, u32>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an answer of the parent lets through.
    fn admitted(&self, answer: Message) -> Result<Admitted> {
        let wrongly = || gone(io::Error::other("its answer makes no sense"));
        let source = match decode::<Answer>(&answer.bytes) {
            Some(Answer::Source(source)) => source,
            Some(Answer::Refused(refused)) => return Err(refused.into_error()),
            None => return Err(wrongly()),
        };
        let Source { id, place, length, descriptor } = source;
        let location = match place {
            Place::Path(path) => Location::Path(path.into()),
            Place::Url(url) => Location::Url(url),
        };
        let name = location.to_string();
        self.known().insert(location.clone(), id);
        let reader: Arc<dyn ReadAt> = match (descriptor, answer.descriptors.into_iter().next()) {
            (true, Some(file)) => Arc::new(FileSource::of_length(File::from(file), name, length)),
            (false, None) => Arc::new(Proxied { link: Arc::clone(&self.link), id, length, name }),
            _ => return Err(wrongly()),
        };
        Ok(Admitted::Reader(reader, location))
    }
}

/// The gate of this process, which may open nothing itself.
struct AskingGate(Arc<Asking>);

impl Gate for AskingGate {
    fn admit(&self, wish: &Wish<'_>) -> Result<Admitted> {
        let from = self.0.known().get(wish.from).copied();
        let Some(from) = from else { return Err(wish.refuse("what asks for it is not known")) };
        let (asked, role) = (wish.asked.to_owned(), wish.role.to_owned());
        let answer = self.0.link.ask(&Ask::Admit { from, asked, role }).map_err(gone)?;
        self.0.admitted(answer)
    }
}

type Worked = (Vec<u8>, Spent, Option<Failure>);

/// Does what was ordered.
fn work(link: &Arc<Link>, order: &Order) -> std::result::Result<Worked, Failure> {
    let phase = Phase::Discovering;
    let failed = |error: Error| Failure::read(&error, phase);
    link.doing(phase, 0, None).map_err(failed)?;
    let asking = Arc::new(Asking { link: Arc::clone(link), known: Mutex::default() });
    let opener = Opener::new().gate(AskingGate(Arc::clone(&asking)));
    let mut disks: Vec<(Disk, Option<String>)> = Vec::new();
    for (index, disk) in order.disks.iter().enumerate() {
        let answer = link.ask(&Ask::Disk { index: index as u32 }).map_err(gone);
        let admitted = answer.and_then(|answer| asking.admitted(answer)).map_err(failed)?;
        let opener = opener
            .clone()
            .format(disk.format.as_deref().and_then(Format::from_name))
            .snapshot(disk.snapshot.clone());
        let opened = opener.open_admitted(admitted).map_err(failed)?;
        disks.extend(opened.into_iter().map(|one| (one, disk.checksum.clone())));
    }
    let (result, none) = match order.task {
        Task::Inspect { deep, now, largest_disk } => {
            disks.iter().try_for_each(|(disk, _)| check_size(disk, largest_disk))?;
            inspect(link, &disks, order, deep, now)?
        }
        Task::Hash => (hash(link, &disks).map_err(|e| Failure::read(&e, Phase::Hashing))?, None),
    };
    let fathom_block::Spent { bytes, requests, rounds } = opener.meter().spent();
    Ok((result, Spent { bytes, requests, rounds }, none))
}

/// Refuses a disk that is larger than is asked to be looked at.
fn check_size(disk: &Disk, largest: Option<u64>) -> std::result::Result<(), Failure> {
    let length = disk.reader.len();
    match largest {
        Some(largest) if length > largest => {
            let why = format!(
                "{}: the disk has {length} bytes, and no more than {largest} are to be looked at",
                disk.name
            );
            Err(Failure::new(super::failure::Code::DiskTooLarge, Phase::Discovering, why))
        }
        _ => Ok(()),
    }
}

fn inspect(
    link: &Link,
    disks: &[(Disk, Option<String>)],
    order: &Order,
    deep: bool,
    (seconds, nanoseconds): (u64, u32),
) -> std::result::Result<(Vec<u8>, Option<Failure>), Failure> {
    let named: Vec<_> = disks
        .iter()
        .map(|(disk, _)| fathom_volume::Disk {
            name: disk.name.clone(),
            reader: Arc::clone(&disk.reader),
            sector_size: disk.sector_size,
        })
        .collect();
    let keys = order
        .keys
        .iter()
        .map(|key| fathom_volume::Key::new(key.volume.clone(), key.secret.as_bytes().to_vec()));
    let discovery = fathom_volume::discover(&named, &Keys::new(keys.collect()));
    let phase = Phase::Inspecting;
    link.doing(phase, 0, None).map_err(|error| Failure::read(&error, phase))?;
    let now = UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds.min(999_999_999)));
    let now = now.unwrap_or(UNIX_EPOCH);
    let options = fathom_guest::Options { deep, now, learned: None };
    let inspection = fathom_guest::inspect(&discovery, &options);
    let none = inspection.none.as_ref().map(|error| Failure::read(error, phase));
    let generator = concat!("fathom ", env!("CARGO_PKG_VERSION"));
    let report = inspection.into_report(disks, generator, &describe);
    let bytes = serde_json::to_vec(&report)
        .map_err(|error| Failure::read(&Error::io("report", error.into()), Phase::Reporting))?;
    Ok((bytes, none))
}

/// The checksums of what the guest sees.
fn hash(link: &Link, disks: &[(Disk, Option<String>)]) -> Result<Vec<u8>> {
    let total: u64 = disks.iter().map(|(disk, _)| disk.reader.len()).sum();
    let (mut done, mut told) = (0, 0);
    let mut sums = Vec::new();
    for (disk, _) in disks {
        let checksum = checksum::digest::<Error>(&*disk.reader, &mut |count| {
            done += count;
            if done - told >= STEP {
                told = done;
                link.doing(Phase::Hashing, done, Some(total))?;
            }
            Ok(())
        })?;
        let (name, length) = (disk.name.clone(), disk.reader.len());
        sums.push(Sum { name, length, checksum: checksum.to_string() });
    }
    Ok(encode(&sums))
}
