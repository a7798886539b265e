//! The parent's side: starting a child, talking to it, and learning how it ended.

use std::ffi::OsStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::canceller::{Canceller, kill};
use crate::channel::{Channel, Message};
use crate::confinement::Confinement;
use crate::ended::{Ended, How};
use crate::limits::{Limits, Orders};
use crate::tail::Tail;
use crate::usage::Usage;

/// How long a child may take until it is confined.
const START: Duration = Duration::from_secs(20);

/// How long a child may take to end by itself when it has nothing more to say.
const END: Duration = Duration::from_secs(2);

/// How often the memory of a child that talks all the time is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A confined child. It is killed when this is dropped, when its time is up, and when the thread that
/// started it ends.
#[derive(Debug)]
pub struct Confined {
    child: Arc<Mutex<Child>>,
    process: u32,
    channel: Option<Channel>,
    confinement: Confinement,
    canceller: Canceller,
    tail: Option<Tail>,
    usage: Usage,
    looked: Instant,
    reaped: bool,
}

impl Confined {
    /// Starts `program`, which must call [`enter`](crate::enter) first of all, and waits until it is
    /// confined. It has no environment, the root for its folder, and nobody hears what it prints.
    pub fn spawn(
        program: &Path,
        arguments: &[&OsStr],
        limits: &Limits,
        canceller: &Canceller,
    ) -> Result<Self, Ended> {
        let not_started = |error: io::Error| Ended {
            how: How::NotStarted(error),
            said: String::new(),
            usage: Usage::default(),
        };
        if canceller.is_cancelled() {
            let (said, usage) = (String::new(), Usage::default());
            return Err(Ended { how: How::Cancelled, said, usage });
        }
        let deadline = Instant::now() + limits.wall;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(|errno| not_started(errno.into()))?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            // Each further arena of the C library reserves address space, which counts.
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(not_started)?;
        let tail = child.stderr.take().map(Tail::of);
        let process = child.id();
        let child = Arc::new(Mutex::new(child));
        canceller.watch(&child);
        let mut confined = Self {
            child,
            process,
            channel: Some(Channel::of_parent(ours, deadline.min(Instant::now() + START))),
            confinement: Confinement::default(),
            canceller: canceller.clone(),
            tail,
            usage: Usage::default(),
            looked: Instant::now(),
            reaped: false,
        };
        confined.send(&Orders::of(limits).encode(), &[])?;
        let hello = confined.receive(1024)?;
        let Some(confinement) = Confinement::decode(&hello.bytes) else {
            return Err(confined.violated("no account of its confinement"));
        };
        if !confinement.is_complete() && !limits.allow_degraded {
            return Err(confined.end(Some(How::Degraded(confinement))));
        }
        confined.confinement = confinement;
        if let Some(channel) = &mut confined.channel {
            channel.wait_until(Some(deadline));
        }
        Ok(confined)
    }

    /// Which layers hold. Unless it was allowed that some do not, all do.
    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// What it has used up so far.
    pub fn usage(&mut self) -> Usage {
        self.usage.look(self.process);
        self.usage
    }

    /// Sends it a message, with descriptors that it may read.
    pub fn send(&mut self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Ended> {
        let sent = self.open()?.send(bytes, descriptors);
        sent.map_err(|error| self.failed(&error))
    }

    /// Waits for its next message, of at most `ceiling` bytes.
    pub fn receive(&mut self, ceiling: usize) -> Result<Message, Ended> {
        let received = self.open()?.receive(ceiling);
        if self.looked.elapsed() >= LOOK {
            self.usage.look(self.process);
            self.looked = Instant::now();
        }
        match received {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(self.end(None)),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Ends it because of what it said: `what` follows "the child process sent".
    pub fn violated(&mut self, what: impl Into<String>) -> Ended {
        self.end(Some(How::Violated(what.into())))
    }

    /// It has said what there is to say. Lets it end, and says what it has used up.
    pub fn finish(mut self) -> Usage {
        // It waits for us: its memory is still there to be looked at.
        self.usage.look(self.process);
        self.channel = None;
        self.reap(END);
        self.usage
    }

    fn open(&mut self) -> Result<&Channel, Ended> {
        match &self.channel {
            Some(channel) => Ok(channel),
            None => Err(Ended {
                how: How::Violated("nothing: it has ended".to_owned()),
                said: String::new(),
                usage: self.usage,
            }),
        }
    }

    fn failed(&mut self, error: &io::Error) -> Ended {
        let how = match error.kind() {
            io::ErrorKind::TimedOut => Some(How::TimedOut),
            io::ErrorKind::InvalidData => Some(How::Violated(error.to_string())),
            // Why it is gone its status tells.
            io::ErrorKind::BrokenPipe => None,
            _ => Some(How::NotStarted(io::Error::new(error.kind(), error.to_string()))),
        };
        self.end(how)
    }

    /// Ends it, and says why. Where that is not known yet, how it ended tells.
    fn end(&mut self, how: Option<How>) -> Ended {
        self.channel = None;
        let patience = if how.is_some() { Duration::ZERO } else { END };
        let (status, by_itself) = self.reap(patience);
        let said = self.tail.take().map(|tail| tail.text()).unwrap_or_default();
        let how = match how {
            _ if self.canceller.is_cancelled() => How::Cancelled,
            Some(how) => how,
            None if !by_itself => How::Violated("nothing more, and did not end".to_owned()),
            None => judge(status, &said),
        };
        Ended { how, said, usage: self.usage }
    }

    /// Waits for its end, and kills it where that does not come in time. Also says whether it came by
    /// itself.
    fn reap(&mut self, patience: Duration) -> (Option<ExitStatus>, bool) {
        self.reaped = true;
        let until = Instant::now() + patience;
        let mut by_itself = true;
        let mut pause = Duration::from_micros(200);
        while !self.has_ended() {
            if by_itself && Instant::now() >= until {
                by_itself = false;
                kill(&self.child);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        // Until it is reaped the kernel keeps its account.
        self.usage.look(self.process);
        let status = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
        (status.ok(), by_itself)
    }

    /// Whether it has ended. It stays to be reaped.
    fn has_ended(&self) -> bool {
        let Some(process) = Pid::from_raw(self.process as i32) else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(process), options), Ok(None))
    }
}

/// Why a child ended that nobody here ended.
fn judge(status: Option<ExitStatus>, said: &str) -> How {
    // What the standard library says when there is no memory, before it aborts.
    let starved = said.contains("memory allocation of") && said.contains("failed");
    // Nothing limits how many threads there are but the memory for their stacks.
    let no_thread = said.contains("failed to spawn thread");
    let Some(status) = status else { return How::Exited(-1) };
    match status.signal() {
        Some(libc::SIGXCPU) => How::CpuExhausted,
        Some(libc::SIGABRT) if starved => How::OutOfMemory,
        Some(signal) => How::Signalled(signal),
        None if no_thread => How::OutOfMemory,
        None => How::Exited(status.code().unwrap_or(-1)),
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if !self.reaped {
            self.channel = None;
            kill(&self.child);
            self.reap(Duration::ZERO);
        }
    }
}
