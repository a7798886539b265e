//! From a socket to the handlers.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};

use crate::caller::{Door, Told, harden, pass};
use crate::connections::{Connections, Gate, Peer};
use crate::problem::Problem;
use crate::routes;
use crate::service::Service;

/// How long the first request of a connection may take, and before it the agreement on TLS.
const FIRST_REQUEST: Duration = Duration::from_secs(15);
/// How long whoever speaks HTTP/2 may leave us without a sign of life, once asked for one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// How many connections may ask for what is counted.
const COUNTERS: usize = 32;

/// The files of a certificate and its key. They are read again where they have changed.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
    /// Tells whoever runs the service what happens to them.
    pub tell: fn(&str),
}

/// A service that is about to run.
pub struct Bound {
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    connections: Connections,
    idle: Duration,
    handle: Handle<Peer>,
}

/// Ends a service.
#[derive(Clone)]
pub struct Ending {
    handle: Handle<Peer>,
}

impl Ending {
    /// Lets what was begun go on for so long, and takes nothing new.
    pub fn end(&self, patience: Duration) {
        self.handle.graceful_shutdown(Some(patience));
    }
}

/// Takes the address. Whoever comes waits until it runs.
pub fn bind(service: Service, listen: SocketAddr, tls: Option<Tls>) -> std::io::Result<Bound> {
    Ok(Bound {
        listener: socket(listen)?,
        connections: service.inner.connections.clone(),
        idle: service.inner.rules.idle_timeout,
        router: router(service, tls.is_some()),
        tls,
        handle: Handle::new(),
    })
}

/// The same for what is counted and how the service is alone, at `path` and `/health`.
pub fn metrics_only(service: Service, listen: SocketAddr, path: &str) -> std::io::Result<Bound> {
    let counted = service.clone();
    let router = Router::new()
        .route(
            path,
            get(move |headers: HeaderMap| {
                let service = counted.clone();
                async move {
                    let mut response = routes::system::told(&service, &headers).await;
                    // It comes every few seconds.
                    response.extensions_mut().insert(Told);
                    response
                }
            }),
        )
        .merge(of(&service, |route| route.path.starts_with("/health")))
        .layer(from_fn_with_state(false, harden));
    Ok(Bound {
        listener: socket(listen)?,
        connections: Connections::new(COUNTERS),
        idle: service.inner.rules.idle_timeout,
        router,
        tls: None,
        handle: Handle::new(),
    })
}

fn socket(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Bound {
    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What ends it.
    pub fn ending(&self) -> Ending {
        Ending { handle: self.handle.clone() }
    }

    /// Answers until it is ended.
    pub async fn run(self) -> std::io::Result<()> {
        let Self { listener, router, tls, connections, idle, handle } = self;
        let service = router.into_make_service_with_connect_info::<Peer>();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let server = Server::<Peer>::from_listener(Gate { listener, connections })
            .handle(handle)
            .first_request_timeout(FIRST_REQUEST);
        let server = patient(server, idle);
        match tls {
            None => server.serve(service).await,
            Some(tls) => {
                let provider = rustls::crypto::ring::default_provider();
                // Somebody else may have said so already: it is the same.
                let _ = rustls::crypto::CryptoProvider::install_default(provider);
                let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await?;
                let renewal = tokio::spawn(renew(config.clone(), tls));
                let acceptor = RustlsAcceptor::new(config).handshake_timeout(FIRST_REQUEST);
                let served = server.acceptor(acceptor).serve(service).await;
                renewal.abort();
                served
            }
        }
    }
}

/// Waits for nobody without end.
fn patient<A>(mut server: Server<Peer, A>, idle: Duration) -> Server<Peer, A> {
    let builder = server.http_builder();
    builder.http1().header_read_timeout(idle);
    builder.http2().keep_alive_interval(SIGN_OF_LIFE).keep_alive_timeout(SIGN_OF_LIFE);
    server
}

/// Reads the certificate again where its files have changed. One that cannot be read is no reason to
/// stop with the one that is there.
async fn renew(config: RustlsConfig, tls: Tls) {
    let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|it| it.modified()).ok();
    let mut known = (changed(&tls.certificate), changed(&tls.key));
    let mut told = false;
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = (changed(&tls.certificate), changed(&tls.key));
        if now == known {
            continue;
        }
        match config.reload_from_pem_file(&tls.certificate, &tls.key).await {
            Ok(()) => {
                known = now;
                told = false;
                (tls.tell)("the certificate was exchanged");
            }
            // They may be being written at this moment: it is tried again.
            Err(error) if !told => {
                told = true;
                (tls.tell)(&format!(
                    "warning: the certificate cannot be read again, and the one before goes on: {}: \
                     {error}",
                    tls.certificate.display()
                ));
            }
            Err(_) => {}
        }
    }
}

fn router(service: Service, secure: bool) -> Router {
    let limit = service.inner.rules.body_limit;
    of(&service, |_| true)
        .fallback(async || Problem::not_found("there is nothing at this address"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "this address knows no such method",
            )
        })
        .layer(DefaultBodyLimit::max(limit))
        .layer(from_fn_with_state(secure, harden))
}

/// The operations that are `wanted`, each behind its door.
fn of(service: &Service, wanted: impl Fn(&crate::route::Route) -> bool) -> Router {
    let mut router = Router::new();
    for route in routes::all().into_iter().map(|(_, route)| route).filter(wanted) {
        let door = Door {
            service: service.clone(),
            needs: route.needs,
            id: route.id,
            path: route.path,
            parameters: route.parameters.iter().map(|parameter| parameter.name).collect(),
        };
        let handler = route.handler.with_state(service.clone());
        router = router.route(route.path, handler.layer(from_fn_with_state(door, pass)));
    }
    router
}
