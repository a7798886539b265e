//! Opening a database.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Connection as _, Executor as _, Row as _,
    Transaction,
};
use tokio::sync::Notify;

use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::machine::{Bases, Documents, Numbers};
use crate::migration;
use crate::time::Time;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many connections to a server, or readers of a file, there may be.
    pub connections: u32,
    /// How long to wait for a free one.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 8, patience: Duration::from_secs(10) }
    }
}

/// Connections to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// In use.
    pub busy: u32,
    /// Open, and not in use.
    pub idle: u32,
    /// How many there may be.
    pub most: u32,
}

/// What we know. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    read: AnyPool,
    /// SQLite has one writer: here it waits its turn without holding a lock.
    write: AnyPool,
    /// Rung where jobs may have become ready, by this process.
    bell: Notify,
    numbers: Numbers,
    bases: Bases,
    documents: Documents,
    /// How often had been swept when these were last true.
    swept: AtomicI64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Store({:?})", self.inner.engine)
    }
}

impl Store {
    /// Opens the database at `address`, a path, `sqlite://PATH` or `postgres://…`, and brings its tables to this
    /// program's layout. A file that is not there is made.
    pub async fn open(address: &str, options: &Options) -> Result<Self> {
        Self::open_at(address, options, migration::LATEST).await
    }

    /// The same with the tables of an earlier layout: for tests of upgrades.
    #[doc(hidden)]
    pub async fn open_at(address: &str, options: &Options, layout: i64) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let server = ["postgres://", "postgresql://"].iter().any(|it| address.starts_with(it));
        let store = if server {
            Self::server(address, options).await?
        } else if let Some(path) = address.strip_prefix("sqlite://") {
            Self::file(Path::new(path), options).await?
        } else if let Some((scheme, _)) = address.split_once("://") {
            let what = format!("a database is sqlite://PATH or postgres://…, not {scheme}://…");
            return Err(Error::new(ErrorKind::Invalid, what));
        } else {
            Self::file(Path::new(address), options).await?
        };
        store.migrate(layout).await.map_err(|error| error.within("preparing the tables"))?;
        Ok(store)
    }

    async fn server(address: &str, options: &Options) -> Result<Self> {
        // A pool would try again and again, and say in the end that it had no connection.
        AnyConnection::connect(address).await?.close().await?;
        let pool = AnyPoolOptions::new()
            .max_connections(options.connections.max(2))
            .acquire_timeout(options.patience)
            .connect(address)
            .await?;
        Ok(Self::over(Engine::Postgres, pool.clone(), pool))
    }

    async fn file(path: &Path, options: &Options) -> Result<Self> {
        let invalid = |what: &str| Error::new(ErrorKind::Invalid, what.to_owned());
        let text = path.to_str().ok_or_else(|| invalid("the path of a database is UTF-8"))?;
        if text.is_empty() || text.contains(['?', '#', '%', '\0']) {
            return Err(invalid("the path of a database has none of ? # % in it"));
        }
        make_private(path)?;
        let address = format!("sqlite://{text}?mode=rw");
        let patience = options.patience.as_millis();
        let pool = |connections: u32, settings: String| {
            AnyPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.patience)
                .idle_timeout(None)
                .max_lifetime(None)
                .after_connect(move |connection, _| {
                    let settings = settings.clone();
                    Box::pin(async move {
                        connection.execute(sqlx::raw_sql(AssertSqlSafe(settings))).await.map(|_| ())
                    })
                })
        };
        let both = format!(
            "PRAGMA busy_timeout = {patience}; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;"
        );
        // As durable as a server: what was answered for survives a loss of power.
        let writes = format!("{both} PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;");
        // The file remembers its mode. While another process sets it too SQLite does not wait, whatever
        // it was told, but refuses. It stays open so that the log is not taken away in between.
        let first = patiently(|| async {
            let mut first = AnyConnection::connect(&address).await?;
            let mode = format!("{both} PRAGMA journal_mode = WAL;");
            first.execute(sqlx::raw_sql(AssertSqlSafe(mode))).await?;
            Ok(first)
        })
        .await?;
        let write = pool(1, writes).connect(&address).await?;
        let read = pool(options.connections.max(1), format!("{both} PRAGMA query_only = ON;"))
            .connect(&address)
            .await?;
        first.close().await?;
        Ok(Self::over(Engine::Sqlite, read, write))
    }

    fn over(engine: Engine, read: AnyPool, write: AnyPool) -> Self {
        let inner = Inner {
            engine,
            read,
            write,
            bell: Notify::new(),
            numbers: Numbers::default(),
            bases: Bases::default(),
            documents: Documents::default(),
            swept: AtomicI64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Which database keeps it.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Which time it is to the database. Fails where it does not answer.
    pub async fn now(&self) -> Result<Time> {
        let row = sqlx::query(self.sql("SELECT {now} AS at")).fetch_one(self.read()).await?;
        Ok(Time(row.try_get("at")?))
    }

    /// Its connections.
    pub fn connections(&self) -> Connections {
        let Inner { engine, read, write, .. } = &*self.inner;
        let of = |pool: &AnyPool| {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            let busy = pool.size().saturating_sub(idle);
            Connections { busy, idle, most: pool.options().get_max_connections() }
        };
        match engine {
            Engine::Postgres => of(read),
            Engine::Sqlite => {
                let (reading, writing) = (of(read), of(write));
                Connections {
                    busy: reading.busy.saturating_add(writing.busy),
                    idle: reading.idle.saturating_add(writing.idle),
                    most: reading.most.saturating_add(writing.most),
                }
            }
        }
    }

    /// Closes it: what was begun is ended first.
    pub async fn close(&self) {
        self.inner.read.close().await;
        self.inner.write.close().await;
    }

    /// Ends when somebody in this process has made work, or after `patience`.
    pub async fn work(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.inner.bell.notified()).await;
    }

    pub(crate) fn fact_numbers(&self) -> &Numbers {
        &self.inner.numbers
    }

    pub(crate) fn bases(&self) -> &Bases {
        &self.inner.bases
    }

    pub(crate) fn documents(&self) -> &Documents {
        &self.inner.documents
    }

    /// Whether there was a sweep since this was last asked, of which this was the last.
    pub(crate) fn has_swept(&self, number: i64) -> bool {
        self.inner.swept.swap(number, Ordering::Relaxed) != number
    }

    pub(crate) fn ring(&self) {
        self.inner.bell.notify_waiters();
    }

    pub(crate) fn sql(&self, text: &'static str) -> AssertSqlSafe<String> {
        self.inner.engine.sql(text)
    }

    pub(crate) fn read(&self) -> &AnyPool {
        &self.inner.read
    }

    /// A transaction that may write from its first statement on: two of SQLite that both read first
    /// and write then would have to give up.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>> {
        Ok(match self.inner.engine {
            Engine::Sqlite => self.inner.write.begin_with("BEGIN IMMEDIATE").await?,
            Engine::Postgres => self.inner.write.begin().await?,
        })
    }
}

/// Makes the file for its owner alone, where it is not there.
fn make_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made =
        std::fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(
            ErrorKind::Unreachable,
            format!("{} cannot be opened: {error}", path.display()),
        )),
    }
}

/// Tries again, a few times, what only failed because others were at it.
pub(crate) async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    const TRIES: u32 = 8;
    let mut pause = Duration::from_millis(5);
    for _ in 1..TRIES {
        match attempt().await {
            Err(error) if error.is_passing() => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    attempt().await
}
