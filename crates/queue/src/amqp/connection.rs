//! The connection to RabbitMQ, made anew, to whichever address answers, when it has failed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lapin::options::ConfirmSelectOptions;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::tcp::OwnedTLSConfig;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind, runtime};

use crate::mask::mask;
use crate::{Error, Kind, Result, Settings};

pub(super) struct Connector {
    addresses: Vec<(String, AMQPUri)>,
    settings: Settings,
    authority: Option<String>,
    session: tokio::sync::Mutex<Option<Arc<Session>>>,
    epoch: AtomicU64,
}

/// A connection, and what was agreed on it.
pub(super) struct Session {
    /// Which connection of ours it is. The numbers of deliveries mean nothing on another one.
    pub(super) epoch: u64,
    pub(super) publisher: Channel,
    pub(super) consumer: Channel,
    pub(super) connection: Connection,
    /// The pools whose queues are there.
    known: Mutex<BTreeSet<String>>,
    /// The deliveries that we hold.
    held: Mutex<BTreeSet<u64>>,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Connector> {
        let authority = match &settings.authority {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
                Error::with(Kind::Invalid, format!("{} cannot be read", path.display()), error)
            })?),
            None => None,
        };
        // The client takes what the process has chosen; that it is chosen already is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut addresses = Vec::new();
        for url in &settings.urls {
            let shown = mask(url);
            let mut address: AMQPUri = url.parse().map_err(|_| {
                // What the parser says may repeat the address.
                Error::new(Kind::Invalid, format!("{shown} is not an address of RabbitMQ"))
            })?;
            // Without a login the parser takes that which RabbitMQ comes with.
            if !url.contains('@') {
                if let Some(user) = &settings.username {
                    address.authority.userinfo.username.clone_from(user);
                }
                if let Some(password) = &settings.password {
                    address.authority.userinfo.password.clone_from(password);
                }
            }
            addresses.push((shown, address));
        }
        Ok(Connector {
            addresses,
            settings: settings.clone(),
            authority,
            session: tokio::sync::Mutex::new(None),
            epoch: AtomicU64::new(0),
        })
    }

    /// The connection, made where there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>> {
        let mut held = self.session.lock().await;
        if let Some(session) = &*held
            && session.is_alive()
        {
            return Ok(Arc::clone(session));
        }
        *held = None;
        let session = Arc::new(self.connect().await?);
        *held = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The connection, if there is one.
    pub(super) async fn current(&self) -> Option<Arc<Session>> {
        self.session.lock().await.clone()
    }

    /// Another connection is to be made.
    pub(super) async fn forget(&self, session: &Session) {
        let mut held = self.session.lock().await;
        if held.as_ref().is_some_and(|held| held.epoch == session.epoch) {
            *held = None;
        }
    }

    /// Connects to the first address that answers.
    async fn connect(&self) -> Result<Session> {
        let mut last = None;
        for (shown, address) in &self.addresses {
            let connected = tokio::time::timeout(self.settings.timeout, self.connect_to(address));
            let error = match connected.await {
                Ok(Ok(session)) => return Ok(session),
                Ok(Err(error)) => {
                    let error = explain(&format!("{shown} cannot be used"), &error);
                    match error.kind() {
                        Kind::Lost => Error::with(
                            Kind::Unreachable,
                            format!("{shown} cannot be reached"),
                            error,
                        ),
                        _ => error,
                    }
                }
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
        Err(last.unwrap_or_else(|| Error::new(Kind::Invalid, "no address of RabbitMQ is set")))
    }

    async fn connect_to(&self, address: &AMQPUri) -> lapin::Result<Session> {
        let name = format!("fathom {}", self.settings.consumer);
        let connection = Connection::connect_uri_with_config(
            address.clone(),
            ConnectionProperties::default().with_connection_name(name.into()),
            OwnedTLSConfig { identity: None, cert_chain: self.authority.clone() },
            runtime::default_runtime()?,
        )
        .await?;
        let publisher = connection.create_channel().await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Session {
            epoch: self.epoch.fetch_add(1, Ordering::Relaxed),
            consumer: connection.create_channel().await?,
            publisher,
            connection,
            known: Mutex::default(),
            held: Mutex::default(),
        })
    }
}

impl Session {
    fn is_alive(&self) -> bool {
        self.connection.status().connected()
            && self.publisher.status().connected()
            && self.consumer.status().connected()
    }

    pub(super) fn knows(&self, pool: &str) -> bool {
        locked(&self.known).contains(pool)
    }

    pub(super) fn learn(&self, pool: &str) {
        locked(&self.known).insert(pool.to_owned());
    }

    pub(super) fn hold(&self, tags: impl Iterator<Item = u64>) {
        locked(&self.held).extend(tags);
    }

    pub(super) fn let_go(&self, tag: u64) {
        locked(&self.held).remove(&tag);
    }

    /// Says how to acknowledge these: the number of a delivery, and whether all before it are meant
    /// too. We hold them no longer.
    pub(super) fn acknowledgements(&self, tags: &BTreeSet<u64>) -> Vec<(u64, bool)> {
        acknowledgements(&mut locked(&self.held), tags)
    }
}

fn acknowledgements(held: &mut BTreeSet<u64>, tags: &BTreeSet<u64>) -> Vec<(u64, bool)> {
    // All that we hold up to there are among them.
    let joined = held.iter().take_while(|tag| tags.contains(tag)).last().copied();
    let mut acknowledgements: Vec<_> = joined.map(|tag| (tag, true)).into_iter().collect();
    for tag in tags {
        if held.remove(tag) && joined.is_none_or(|joined| *tag > joined) {
            acknowledgements.push((*tag, false));
        }
    }
    acknowledgements
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says what has failed. What the client says shows no password.
pub(super) fn explain(what: &str, error: &lapin::Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
            | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => Kind::Refused,
            AMQPErrorKind::Hard(
                AMQPHardError::CONNECTIONFORCED
                | AMQPHardError::INTERNALERROR
                | AMQPHardError::RESOURCEERROR,
            ) => Kind::Lost,
            _ => Kind::Protocol,
        },
        ErrorKind::IOError(_)
        | ErrorKind::RuntimeShutdownError(_)
        | ErrorKind::MissingHeartbeatError
        | ErrorKind::InvalidChannel(_)
        | ErrorKind::InvalidChannelState(..)
        | ErrorKind::InvalidConnectionState(_) => Kind::Lost,
        _ => Kind::Protocol,
    };
    Error::with(kind, what, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_acknowledged_at_once_where_nothing_lies_between() {
        let check = |held: &[u64], tags: &[u64], expected: &[(u64, bool)], rest: &[u64]| {
            let held = Mutex::new(BTreeSet::from_iter(held.iter().copied()));
            let tags = BTreeSet::from_iter(tags.iter().copied());
            assert_eq!(acknowledgements(&mut locked(&held), &tags), expected);
            assert_eq!(*locked(&held), BTreeSet::from_iter(rest.iter().copied()));
        };
        check(&[1, 2, 3], &[1, 2, 3], &[(3, true)], &[]);
        check(&[1, 2, 3], &[2, 3], &[(2, false), (3, false)], &[1]);
        check(&[2, 4, 7, 9], &[2, 4, 9], &[(4, true), (9, false)], &[7]);
        // Those that we hold no longer are passed over.
        check(&[5], &[1, 5], &[(5, true)], &[]);
        check(&[], &[1], &[], &[]);
    }
}
