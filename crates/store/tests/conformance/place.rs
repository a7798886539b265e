//! Where a case has its database.

use std::sync::atomic::{AtomicU32, Ordering};

use fathom_store::{LATEST, Options, Store};
use sqlx::Connection as _;

/// A database of one case's own.
pub(crate) struct Place {
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Place {
    pub(crate) async fn open(&self) -> Store {
        self.open_at(LATEST).await
    }

    /// Does to the database what a stranger might.
    pub(crate) async fn run(&self, statement: &str) {
        let mut connection = self.connect().await;
        let text = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::query(text).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.sum(table, "1").await
    }

    /// What something of a table's rows comes to.
    pub(crate) async fn sum(&self, table: &str, of: &str) -> i64 {
        use sqlx::Row as _;
        let mut connection = self.connect().await;
        let text = format!("SELECT CAST(COALESCE(SUM({of}), 0) AS BIGINT) AS n FROM {table}");
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        row.try_get("n").unwrap()
    }

    async fn connect(&self) -> sqlx::AnyConnection {
        sqlx::any::install_default_drivers();
        let address = match self.address.contains("://") {
            true => self.address.clone(),
            false => format!("sqlite://{}", self.address),
        };
        sqlx::AnyConnection::connect(&address).await.unwrap()
    }

    pub(crate) async fn open_at(&self, layout: i64) -> Store {
        Store::open_at(&self.address, &Options::default(), layout).await.unwrap()
    }
}

/// Places of both engines. That of PostgreSQL is only there where there is a server.
pub(crate) async fn places() -> Vec<Place> {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("fathom.db").display().to_string();
    let mut places = vec![Place { address, _folder: folder }];
    match std::env::var("FATHOM_TEST_POSTGRES") {
        Ok(server) => places.push(postgres(&server).await),
        Err(_) if std::env::var_os("FATHOM_TEST_REQUIRED").is_some() => {
            panic!("FATHOM_TEST_POSTGRES is not set");
        }
        Err(_) => println!("skipped: FATHOM_TEST_POSTGRES is not set; cargo xtask test sets it"),
    }
    places
}

async fn postgres(server: &str) -> Place {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("store_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = sqlx::PgConnection::connect(server).await.unwrap();
    let text = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(text).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (before, after) = server.rsplit_once('/').unwrap();
    let behind = after.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
    let address = format!("{before}/{name}{behind}");
    Place { address, _folder: tempfile::tempdir().unwrap() }
}

/// Runs a case in both places.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($place:ident) $body:block)*) => {$(
        $(#[$meta])*
        #[test]
        fn $name() {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                for $place in crate::place::places().await {
                    $body
                }
            });
        }
    )*};
}
pub(crate) use on_both;
