//! The servers, and what is done to them from outside.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fathom_queue::{Settings, Ticket, Transport, Type};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which transport is tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Peer {
    Amqp,
    Folder,
    Kafka,
    Redis,
}

/// A server that is killed is nobody else's at that time.
static AMQP: RwLock<()> = RwLock::const_new(());
static FOLDER: RwLock<()> = RwLock::const_new(());
static KAFKA: RwLock<()> = RwLock::const_new(());
static REDIS: RwLock<()> = RwLock::const_new(());

/// Who uses the server, alone or beside others.
#[expect(dead_code, reason = "held, never looked at")]
enum Use {
    Beside(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

/// A queue of our own on the server.
pub(crate) struct Bench {
    pub(crate) peer: Peer,
    pub(crate) settings: Settings,
    folder: tempfile::TempDir,
    _use: Use,
}

impl Peer {
    /// What `cargo xtask services` calls it.
    fn service(self) -> &'static str {
        match self {
            Peer::Amqp => "rabbitmq",
            Peer::Folder => "folder",
            Peer::Kafka => "kafka",
            Peer::Redis => "redis",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Peer::Amqp => "FATHOM_TEST_AMQP",
            Peer::Folder => "",
            Peer::Kafka => "FATHOM_TEST_KAFKA",
            Peer::Redis => "FATHOM_TEST_REDIS",
        }
    }

    fn lock(self) -> &'static RwLock<()> {
        match self {
            Peer::Amqp => &AMQP,
            Peer::Folder => &FOLDER,
            Peer::Kafka => &KAFKA,
            Peer::Redis => &REDIS,
        }
    }

    fn transport(self) -> Type {
        match self {
            Peer::Amqp => Type::Amqp,
            Peer::Folder => Type::Folder,
            Peer::Kafka => Type::Kafka,
            Peer::Redis => Type::Redis,
        }
    }

    /// Whether messages of higher priority come first.
    pub(crate) fn has_priorities(self) -> bool {
        self != Peer::Kafka
    }

    /// Whether somebody has to log in.
    pub(crate) fn has_passwords(self) -> bool {
        self.is_server()
    }

    /// Whether there is a server, which can be restarted.
    pub(crate) fn is_server(self) -> bool {
        self != Peer::Folder
    }

    /// What it counts of what came back from consumers that have died so many times.
    pub(crate) fn counted(self, deaths: u32) -> u32 {
        match self {
            Peer::Kafka => 1,
            // Whether there was one before.
            Peer::Amqp => 2,
            Peer::Folder | Peer::Redis => deaths + 1,
        }
    }

    /// A queue on the server, beside others.
    pub(crate) async fn bench(self) -> Option<Bench> {
        let url = self.url(self.variable())?;
        let guard = Use::Beside(self.lock().read().await);
        Some(self.at(url, guard))
    }

    /// A queue on the server, and the server for ourselves.
    pub(crate) async fn alone(self) -> Option<Bench> {
        let url = self.url(self.variable())?;
        let guard = Use::Alone(self.lock().write().await);
        Some(self.at(url, guard))
    }

    /// The address, or nothing where the test is to be passed over.
    pub(crate) fn url(self, variable: &str) -> Option<String> {
        if variable.is_empty() {
            return Some(String::new());
        }
        if let Ok(url) = std::env::var(variable) {
            return Some(url);
        }
        let without = std::env::var("FATHOM_TEST_WITHOUT").unwrap_or_default();
        let excused = without.split(',').any(|name| name == self.service());
        let required = std::env::var("FATHOM_TEST_REQUIRED").is_ok_and(|value| value == "1");
        assert!(!required || excused, "{variable} is not set");
        println!("skipped: {variable} is not set; cargo xtask test sets it");
        None
    }

    fn at(self, url: String, guard: Use) -> Bench {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(self.transport());
        settings.urls = if url.is_empty() { Vec::new() } else { vec![url] };
        settings.folder = folder.path().join("jobs");
        settings.queue = format!("test.{}.{number}", std::process::id());
        settings.exchange = format!("test.{}", std::process::id());
        settings.group = "testers".to_owned();
        settings.claim_after = Duration::from_secs(1);
        settings.timeout = Duration::from_secs(3);
        Bench { peer: self, settings, folder, _use: guard }
    }
}

impl Bench {
    /// A consumer of this name.
    pub(crate) async fn open(&self, consumer: &str) -> Box<dyn Transport> {
        let mut settings = self.settings.clone();
        settings.consumer = consumer.to_owned();
        fathom_queue::open(&settings).await.unwrap()
    }

    /// A folder that goes away.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Publishes with the client that people use elsewhere.
    pub(crate) fn produce(&self, bodies: &[&[u8]]) -> bool {
        let Some(python) = self.peer.url("FATHOM_TEST_PYTHON") else { return false };
        let script =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/producer.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(self.peer.service())
            .arg(self.settings.urls.first().map_or(self.settings.folder.as_os_str(), OsStr::new))
            .arg(&self.settings.queue)
            .arg(&self.settings.exchange)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        for body in bodies {
            let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(input, "{hex}").unwrap();
        }
        drop(input);
        assert!(child.wait().unwrap().success());
        true
    }

    /// Asks for something to be done to the server.
    pub(crate) fn control(&self, verb: &str) {
        let socket = std::env::var("FATHOM_TEST_CONTROL").unwrap();
        let mut stream = UnixStream::connect(socket).unwrap();
        writeln!(stream, "{verb} {}", self.peer.service()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.trim(), "ok");
    }
}

/// A ticket.
pub(crate) fn ticket(job: impl Into<String>, priority: u8) -> Ticket {
    let job = job.into();
    Ticket { key: job.clone(), job, pool: fathom_queue::DEFAULT_POOL.to_owned(), priority }
}
