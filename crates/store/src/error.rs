//! What goes wrong with a database.

use std::fmt;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such thing.
    NotFound,
    /// Somebody else was faster, or it is there already and is another.
    Conflict,
    /// What was asked for makes no sense.
    Invalid,
    /// The database does not answer, or not for us.
    Unreachable,
    /// The database has too much to do; it may be asked again.
    Busy,
    /// The database is not what it should be: damaged, or of another version.
    Unfit,
    /// A bug of ours, or a database that does what it should not.
    Internal,
}

/// An error of the store.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<sqlx::Error>,
}

/// What the store answers.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of ours.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The same, led by what was being done.
    #[must_use]
    pub fn within(mut self, doing: &str) -> Self {
        self.what = format!("{doing}: {}", self.what);
        self
    }

    /// Whether the same may well succeed when it is tried again at once.
    pub(crate) fn is_passing(&self) -> bool {
        self.kind == ErrorKind::Busy
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.what)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let (kind, what) = match &error {
            sqlx::Error::Database(database) => {
                let code = database.code();
                (of_code(code.as_deref().unwrap_or("")), "the database refuses")
            }
            sqlx::Error::PoolTimedOut => {
                (ErrorKind::Busy, "no connection to the database was free in time")
            }
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => {
                (ErrorKind::Unreachable, "the database cannot be reached")
            }
            sqlx::Error::WorkerCrashed => (ErrorKind::Unreachable, "the database has gone away"),
            sqlx::Error::Configuration(_) => {
                (ErrorKind::Invalid, "the address of the database makes no sense")
            }
            sqlx::Error::RowNotFound => (ErrorKind::NotFound, "there is no such row"),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                (ErrorKind::Unfit, "the database answers what it should not")
            }
            _ => (ErrorKind::Internal, "the database cannot be asked"),
        };
        Self { kind, what: what.to_owned(), source: Some(error) }
    }
}

/// SQLSTATE of PostgreSQL, or the extended code of SQLite.
fn of_code(code: &str) -> ErrorKind {
    match code {
        // Serialisation, deadlock, lock not available; SQLITE_BUSY and SQLITE_LOCKED.
        "40001" | "40P01" | "55P03" | "5" | "6" | "261" | "517" | "262" => ErrorKind::Busy,
        // Too many connections, shutting down, starting up.
        "53300" | "57P01" | "57P02" | "57P03" => ErrorKind::Unreachable,
        // Integrity.
        "23505" | "23503" | "23514" | "19" | "1555" | "2067" | "787" | "275" => ErrorKind::Conflict,
        // Who we are, and which database.
        "28000" | "28P01" | "3D000" | "42501" => ErrorKind::Unreachable,
        // SQLITE_CORRUPT, SQLITE_NOTADB; a table or column that is not there.
        "11" | "26" | "42P01" | "42703" | "XX001" | "XX002" => ErrorKind::Unfit,
        // The disk is full, or the file cannot be written.
        "13" | "53100" | "10" | "8" | "14" => ErrorKind::Unreachable,
        _ => ErrorKind::Internal,
    }
}
