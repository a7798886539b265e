//! How many connections are open at once, and which of them gives way where there are too many: one
//! that nobody known is served by, the one that has been so for longest. Whoever opens connections and
//! says nothing, or speaks slowly, pushes out others of the kind and nobody else.

use std::collections::HashMap;
use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum_server::{AddrListener, Address};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The connections of one listener.
#[derive(Clone)]
pub(crate) struct Connections {
    most: usize,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    open: HashMap<SocketAddr, Open>,
    /// How many there ever were.
    ever: u64,
}

struct Open {
    /// Which of all that there ever were.
    number: u64,
    /// Since when nobody known is served by it.
    idle_since: Instant,
    /// How many requests of somebody known it is busy with.
    busy: usize,
    /// Ends it.
    end: oneshot::Sender<()>,
}

impl Connections {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), table: Arc::default() }
    }

    /// Takes a connection in; nothing where none has to give way to it.
    fn enter(&self, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
        let (end, ended) = oneshot::channel();
        let mut table = self.lock();
        while table.open.len() >= self.most {
            let idle = table.open.iter().filter(|(_, it)| it.busy == 0);
            let longest = idle.min_by_key(|(_, it)| it.idle_since).map(|(peer, _)| *peer);
            let ended = longest.and_then(|peer| table.open.remove(&peer))?;
            // It may just have gone by itself.
            let _ = ended.end.send(());
        }
        table.ever += 1;
        let number = table.ever;
        table.open.insert(peer, Open { number, idle_since: Instant::now(), busy: 0, end });
        Some(Connection { stream, ended: Some(ended), peer, number, all: self.clone() })
    }

    /// Says that somebody known is served by this connection, until what is returned is dropped.
    pub(crate) fn busy(&self, peer: SocketAddr) -> Busy {
        if let Some(open) = self.lock().open.get_mut(&peer) {
            open.busy += 1;
        }
        Busy { peer, all: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where connections come in, one after the other: what is done with each beside the others comes in
/// no order, and the newest would have to give way to those that came before it.
pub(crate) struct Gate {
    pub(crate) listener: TcpListener,
    pub(crate) connections: Connections,
}

/// Who is connected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Address for Peer {
    type Stream = Connection;
    type Listener = Gate;
}

impl Connected<Peer> for Peer {
    fn connect_info(peer: Peer) -> Self {
        peer
    }
}

impl AddrListener<Connection, Peer> for Gate {
    /// A gate is made of a listener.
    async fn bind_to(_: Peer) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Connection, Peer)> {
        loop {
            let (stream, peer) = self.listener.accept().await?;
            // Where all are busy, whoever comes is turned away.
            if let Some(connection) = self.connections.enter(stream, peer) {
                return Ok((connection, Peer(peer)));
            }
        }
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

/// While this lives a connection does not give way.
pub(crate) struct Busy {
    peer: SocketAddr,
    all: Connections,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(open) = self.all.lock().open.get_mut(&self.peer) {
            open.busy = open.busy.saturating_sub(1);
            open.idle_since = Instant::now();
        }
    }
}

/// The body of an answer, whose connection is busy until all of it is sent.
pub(crate) struct Sent {
    body: Body,
    _busy: Busy,
}

impl Sent {
    pub(crate) fn body(body: Body, busy: Busy) -> Body {
        Body::new(Self { body, _busy: busy })
    }
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection, which ends where it has to give way.
pub(crate) struct Connection {
    stream: TcpStream,
    ended: Option<oneshot::Receiver<()>>,
    peer: SocketAddr,
    number: u64,
    all: Connections,
}

impl Connection {
    /// Fails where it has to give way, and wakes up when it does.
    fn goes_on(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some(ended) = &mut self.ended
            && Pin::new(ended).poll(context).is_ready()
        {
            self.ended = None;
        }
        match self.ended {
            Some(_) => Ok(()),
            None => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut table = self.all.lock();
        // Who had to give way is out of it already, and another may have come from the same place.
        if table.open.get(&self.peer).is_some_and(|it| it.number == self.number) {
            table.open.remove(&self.peer);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.goes_on(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
