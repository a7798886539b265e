//! Connections to Redis: one for commands, one that waits. Both are made when they are needed, and
//! made anew, to whichever address answers as a primary, when they have failed.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, IntoConnectionInfo as _, ServerErrorKind};
use redis::{RedisError, TlsCertificates, Value};
use tokio::sync::Mutex;

use crate::mask::mask;
use crate::patience::{Patience, within};
use crate::{Error, Kind, Result, Settings};

pub(super) struct Connections {
    clients: Vec<(String, Client)>,
    settings: Settings,
    commands: Mutex<Option<MultiplexedConnection>>,
    waiting: Mutex<Option<MultiplexedConnection>>,
}

impl Connections {
    pub(super) fn new(settings: &Settings) -> Result<Connections> {
        let authority = match &settings.authority {
            Some(path) => Some(std::fs::read(path).map_err(|error| {
                Error::with(Kind::Invalid, format!("{} cannot be read", path.display()), error)
            })?),
            None => None,
        };
        // Redis's client takes what the process has chosen; that it is chosen already is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut clients = Vec::new();
        for url in &settings.urls {
            let shown = mask(url);
            let client = client(url, settings, authority.clone()).map_err(|_| {
                // What the client says may repeat the address.
                Error::new(Kind::Invalid, format!("{shown} is not an address of Redis"))
            })?;
            clients.push((shown, client));
        }
        Ok(Connections {
            clients,
            settings: settings.clone(),
            commands: Mutex::new(None),
            waiting: Mutex::new(None),
        })
    }

    /// The connection for commands.
    pub(super) async fn commands(&self) -> Result<MultiplexedConnection> {
        let mut held = self.commands.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        let connection = self.connect(Some(self.settings.timeout)).await?;
        *held = Some(connection.clone());
        Ok(connection)
    }

    /// Runs a command that may take that long by itself. Only one waits at a time.
    pub(super) async fn wait(&self, command: &redis::Cmd, wait: Duration) -> Result<Value> {
        let mut held = self.waiting.lock().await;
        let mut patience = Patience::new(self.settings.patience);
        loop {
            // Taken, so that a call that is dropped half-way leaves no connection with an answer in it.
            let connection = match held.take() {
                Some(connection) => Ok(connection),
                None => self.connect(None).await,
            };
            let error = match connection {
                Ok(mut connection) => {
                    let answer = async {
                        match command.query_async(&mut connection).await {
                            // The groups are made by who takes next.
                            Err(error) if code(&error).as_deref() == Some("NOGROUP") => {
                                Ok(Value::Nil)
                            }
                            answer => answer.map_err(|error| explain("waiting", error)),
                        }
                    };
                    match within(wait + self.settings.timeout, "Redis", answer).await {
                        Ok(value) => {
                            *held = Some(connection);
                            return Ok(value);
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            patience.after(error).await?;
        }
    }

    /// Says what has failed, and forgets the connection where it is at fault.
    pub(super) async fn failed(&self, what: &str, error: RedisError) -> Error {
        let error = explain(what, error);
        if error.is_passing() {
            *self.commands.lock().await = None;
        }
        error
    }

    /// Connects to the first address that answers as a primary.
    async fn connect(&self, timeout: Option<Duration>) -> Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.settings.timeout))
            .set_response_timeout(timeout);
        let mut last = None;
        for (shown, client) in &self.clients {
            let connected = async {
                let mut connection =
                    client.get_multiplexed_async_connection_with_config(&config).await?;
                let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut connection).await?;
                Ok::<_, RedisError>((connection, role))
            };
            let error = match tokio::time::timeout(self.settings.timeout, connected).await {
                Ok(Ok((connection, role))) => match role.first() {
                    Some(Value::BulkString(role)) if role != b"master" => {
                        Error::new(Kind::Unreachable, format!("{shown} is a replica"))
                    }
                    _ => return Ok(connection),
                },
                Ok(Err(error)) => match explain(&format!("{shown} cannot be used"), error) {
                    error if error.kind() == Kind::Lost => {
                        Error::with(Kind::Unreachable, format!("{shown} cannot be reached"), error)
                    }
                    error => error,
                },
                Err(_) => Error::new(
                    Kind::Unreachable,
                    format!("{shown} did not answer within {:?}", self.settings.timeout),
                ),
            };
            // That one refuses us is worth more to who reads it than that another is away.
            if last.as_ref().is_none_or(|last: &Error| last.is_passing()) {
                last = Some(error);
            }
        }
        Err(last.unwrap_or_else(|| Error::new(Kind::Invalid, "no address of Redis is set")))
    }
}

fn client(
    url: &str,
    settings: &Settings,
    authority: Option<Vec<u8>>,
) -> redis::RedisResult<Client> {
    let info = url.into_connection_info()?;
    let mut login = info.redis_settings().clone();
    if let (Some(user), None) = (&settings.username, login.username()) {
        login = login.set_username(user);
    }
    if let (Some(password), None) = (&settings.password, login.password()) {
        login = login.set_password(password);
    }
    let info = info.set_redis_settings(login);
    if url.starts_with("rediss://") {
        let certificates = TlsCertificates { client_tls: None, root_cert: authority };
        Client::build_with_tls(info, certificates)
    } else {
        Client::open(info)
    }
}

/// The code of what the server says, also where it says it of one of several commands.
pub(super) fn code(error: &RedisError) -> Option<String> {
    if let Some(code) = error.code() {
        return Some(code.to_owned());
    }
    let errors = error.clone().into_server_errors()?;
    errors.first().map(|(_, error)| error.code().to_owned())
}

/// What the server or the client says, without what it was asked.
pub(super) fn said(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    }
}

fn explain(what: &str, error: RedisError) -> Error {
    let refused =
        matches!(code(&error).as_deref(), Some("WRONGPASS" | "NOAUTH" | "NOPERM" | "DENIED"));
    let kind = match error.kind() {
        _ if refused => Kind::Refused,
        ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
            Kind::Refused
        }
        ErrorKind::InvalidClientConfig => Kind::Invalid,
        ErrorKind::Io
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::TryAgain,
        ) => Kind::Lost,
        _ if error.is_connection_dropped() || error.is_timeout() => Kind::Lost,
        _ => Kind::Protocol,
    };
    Error::with(kind, what, said(&error))
}
