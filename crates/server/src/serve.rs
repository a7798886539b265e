//! From a socket to the handlers.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;

use crate::caller::{Door, Told, harden, pass};
use crate::problem::Problem;
use crate::routes;
use crate::service::Service;

/// How long a new connection may be silent.
const FIRST_REQUEST: Duration = Duration::from_secs(15);

/// The files of a certificate and its key. They are read again where they have changed.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The chain, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

/// A service that is about to run.
pub struct Bound {
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    handle: Handle<SocketAddr>,
}

/// Ends a service.
#[derive(Clone)]
pub struct Ending {
    handle: Handle<SocketAddr>,
}

impl Ending {
    /// Lets what was begun go on for so long, and takes nothing new.
    pub fn end(&self, patience: Duration) {
        self.handle.graceful_shutdown(Some(patience));
    }
}

/// Takes the address. Whoever comes waits until it runs.
pub fn bind(service: Service, listen: SocketAddr, tls: Option<Tls>) -> std::io::Result<Bound> {
    Ok(Bound { listener: socket(listen)?, router: router(service), tls, handle: Handle::new() })
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
        .layer(from_fn(harden));
    Ok(Bound { listener: socket(listen)?, router, tls: None, handle: Handle::new() })
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
        let Self { listener, router, tls, handle } = self;
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        match tls {
            None => {
                axum_server::from_tcp(listener)?
                    .handle(handle)
                    .first_request_timeout(FIRST_REQUEST)
                    .serve(service)
                    .await
            }
            Some(tls) => {
                let provider = rustls::crypto::ring::default_provider();
                // Somebody else may have said so already: it is the same.
                let _ = rustls::crypto::CryptoProvider::install_default(provider);
                let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key).await?;
                let renewal = tokio::spawn(renew(config.clone(), tls));
                let served = axum_server::from_tcp_rustls(listener, config)?
                    .handle(handle)
                    .first_request_timeout(FIRST_REQUEST)
                    .serve(service)
                    .await;
                renewal.abort();
                served
            }
        }
    }
}

/// Reads the certificate again where its files have changed. One that cannot be read is no reason to
/// stop with the one that is there.
async fn renew(config: RustlsConfig, tls: Tls) {
    let changed = |path: &PathBuf| std::fs::metadata(path).and_then(|it| it.modified()).ok();
    let mut known = (changed(&tls.certificate), changed(&tls.key));
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = (changed(&tls.certificate), changed(&tls.key));
        if now != known && config.reload_from_pem_file(&tls.certificate, &tls.key).await.is_ok() {
            known = now;
        }
    }
}

fn router(service: Service) -> Router {
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
        .layer(from_fn(harden))
}

/// The operations that are `wanted`, each behind its door.
fn of(service: &Service, wanted: impl Fn(&crate::route::Route) -> bool) -> Router {
    let mut router = Router::new();
    for route in routes::all().into_iter().filter(wanted) {
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
