//! `fathom serve`: the interface, and unless told otherwise a worker.

use std::net::IpAddr;
use std::time::Duration;

use fathom_config::Config;
use fathom_identity::Provider;
use fathom_server::{Identities, Rate, Role, Rules, Service, Tls};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tracing::info;

use super::{block_on, failed, host, open, path, paths, settings, transport, watched, webhooks};
use crate::args::Serve;
use crate::exit::{Failure, Verdict};
use crate::interrupt::HalfWritten;

/// How long requests that were begun may go on when the service ends.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(options: &Serve) -> Result<Verdict, Failure> {
    let config = settings(
        &options.settings,
        [
            ("log.level", options.logging.level.clone()),
            ("log.format", options.logging.format.clone()),
            ("server.listen", options.listen.clone()),
            ("data_folder", path(options.data.as_ref())),
            ("worker.image_roots", paths(&options.images)),
        ],
    )?;
    let mut registry = Registry::default();
    let _watched = watched::begin(&config, &mut registry)?;
    // What is being done is ended, not cut off.
    let _ending = HalfWritten::begin();
    block_on(serve(&config, registry, !options.no_worker))
}

async fn serve(
    config: &Config,
    mut registry: Registry,
    with_worker: bool,
) -> Result<Verdict, Failure> {
    let say = |message: &str| watched::say(config, message);
    let listen = config.server.listen.get();
    let store = open(config).await?;
    let transport = transport::open(config, &host::name(config)).await?;
    // Who does no jobs need not have the images that others read.
    let places =
        (with_worker || host::has_images(config)).then(|| host::Places::of(config)).transpose()?;
    let desk = host::desk(store.clone(), transport.clone(), places.as_ref());
    let open = is_open(config, &store).await?;
    let (stop, stopped) = watch::channel(false);
    let told = webhooks::start(config, store.clone(), stopped.clone()).await?;
    let mut worker = None;
    let advisories = host::advisories(config);
    if let Some(places) = places.filter(|_| with_worker) {
        let known = advisories.clone();
        let begun = host::worker(config, &desk, transport, &places, known, &mut registry, stopped);
        worker = Some(begun.await?);
    }
    let identities = identities(config)?;
    let rules = Rules { open, identities, advisories: advisories.clone(), ..rules(config) };
    let service = Service::new(desk.clone(), rules, registry, env!("CARGO_PKG_VERSION"));
    let tls = match (&config.server.tls.certificate, &config.server.tls.key) {
        (Some(certificate), Some(key)) => {
            Some(Tls { certificate: certificate.clone(), key: key.clone(), tell: watched::tell })
        }
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let bound = fathom_server::bind(service.clone(), listen, tls)
        .map_err(Failure::host(format!("listening at {listen}")))?;
    let address = bound.address().map_err(Failure::host("listening"))?;
    say(&format!("{} is kept in {}", "what is known", config.store.url));
    if let Some((_, description)) = &worker {
        let places = description.configuration.concurrency;
        say(&format!("worker {} does {places} jobs at once", description.worker_id));
    }
    let mut endings = vec![bound.ending()];
    if config.metrics.enabled {
        let at = config.metrics.address();
        let counted = fathom_server::metrics_only(service, at, &config.metrics.path)
            .map_err(Failure::host(format!("listening at {at} for what is counted")))?;
        let at = counted.address().map_err(Failure::host("listening"))?;
        endings.push(counted.ending());
        tokio::spawn(counted.run());
        say(&format!("what is counted is at http://{at}{}", config.metrics.path));
    }
    if open {
        say("warning: no token is asked for: whoever is on this machine may do everything");
    }
    say(&format!("serving {scheme}://{address}"));
    let rematching = advisories.map(|known| host::rematching(store.clone(), known));
    let housekeeping = host::housekeeping(desk, config);
    let mut served = tokio::spawn(bound.run());
    let ended = tokio::select! {
        ended = &mut served => Some(ended),
        () = host::told_to_end() => None,
    };
    if ended.is_none() {
        info!("ending: what was begun is finished first; once more ends at once");
    }
    stop.send_replace(true);
    if let Some((worker, _)) = worker {
        let _ = worker.await;
    }
    endings.iter().for_each(|ending| ending.end(PATIENCE));
    let ended = match ended {
        Some(ended) => ended,
        None => served.await,
    };
    let _ = told.await;
    housekeeping.abort();
    rematching.inspect(tokio::task::JoinHandle::abort);
    store.close().await;
    match ended {
        Ok(Ok(())) => Ok(Verdict::Done),
        Ok(Err(error)) => Err(Failure::Host(format!("serving at {address}"), error)),
        Err(_) => Err(Failure::Usage("the service ended by a bug".to_owned())),
    }
}

/// Whether whoever is on this machine needs no token: only where nobody else can come, nobody has made
/// a token or a user yet, and the settings name neither a token nor a provider of identities.
async fn is_open(config: &Config, store: &fathom_store::Store) -> Result<bool, Failure> {
    let loopback = config.server.listen.get().ip().is_loopback();
    if !config.auth.enabled && !loopback {
        return Err(Failure::Usage(
            "auth.enabled is false and server.listen is not the loopback: anybody could do \
             everything; let one of them be otherwise"
                .to_owned(),
        ));
    }
    let tokens = store.tokens().await.map_err(|error| failed("the tokens", &error))?;
    let some = tokens.iter().any(|token| token.revoked_at.is_none());
    let users = store.users().await.map_err(|error| failed("the users", &error))?;
    let auth = &config.auth;
    let some =
        some || !users.is_empty() || auth.oidc.issuer.is_some() || auth.tokens.bootstrap.is_some();
    if !loopback && !some {
        watched::say(
            config,
            "warning: there is no token, so that nobody can ask for anything; `fathom token create` makes one",
        );
    }
    Ok(loopback && (!some || !config.auth.enabled))
}

/// Whose tokens count besides ours.
fn identities(config: &Config) -> Result<Option<Identities>, Failure> {
    let Some(provider) = provider(config)? else { return Ok(None) };
    let roles = config.auth.oidc.roles.clone();
    let role = move |name: &str| {
        let among = |names: &[String]| names.iter().any(|it| it == name);
        let all = [
            (Role::Admin, &roles.admin),
            (Role::Operator, &roles.operator),
            (Role::Viewer, &roles.viewer),
        ];
        all.into_iter().find_map(|(role, names)| among(names).then_some(role))
    };
    Ok(Some(Identities::new(provider, role, |what| tracing::warn!("{what}"))))
}

/// The provider of identities that the settings name.
pub(crate) fn provider(config: &Config) -> Result<Option<Provider>, Failure> {
    let oidc = &config.auth.oidc;
    let (Some(issuer), Some(audience)) = (&oidc.issuer, &oidc.audience) else { return Ok(None) };
    let settings = fathom_identity::Settings {
        issuer: issuer.clone(),
        audience: audience.clone(),
        keys: oidc.jwks_url.clone(),
        ca_file: oidc.ca_file.clone(),
        user_claim: oidc.user_claim.clone(),
        roles_claim: oidc.roles_claim.clone(),
        namespaces_claim: oidc.namespaces_claim.clone(),
        leeway: oidc.leeway.get(),
    };
    Provider::new(settings)
        .map(Some)
        .map_err(|why| Failure::Usage(format!("auth.oidc.issuer or auth.oidc.jwks_url: {why}")))
}

fn rules(config: &Config) -> Rules {
    let server = &config.server;
    let allowed = config.security.ip_allowlist.clone();
    let proxies = server.trusted_proxies.clone();
    let limit = server.rate_limit.clone();
    Rules {
        body_limit: usize::try_from(server.body_limit.get()).unwrap_or(usize::MAX),
        page_limit: server.page_limit,
        request_timeout: server.request_timeout.get(),
        max_connections: usize::try_from(server.max_connections).unwrap_or(usize::MAX),
        idle_timeout: server.idle_timeout.get(),
        rate: (limit.per_second > 0)
            .then(|| Rate { per_second: limit.per_second.into(), burst: limit.burst }),
        admits: Box::new(move |from: IpAddr| {
            allowed.is_empty() || allowed.iter().any(|network| network.contains(from))
        }),
        trusts: Box::new(move |from: IpAddr| proxies.iter().any(|proxy| proxy.contains(from))),
        tokens: config.auth.tokens.enabled,
        token_lifetime: config.auth.tokens.max_lifetime.get(),
        bootstrap: config.auth.tokens.bootstrap.clone(),
        session_lifetime: config.auth.users.session_lifetime.get(),
        ..Rules::default()
    }
}
