//! Who a token is about: one of ours, or one that a provider of identities has signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use fathom_identity::{Identity, Provider, Refusal};
use fathom_secret::Secret;
use fathom_store::Time;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;

use crate::access::{self, Role};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::service::Service;

/// How exactly it is known when a token was last used.
const USED: Duration = Duration::from_secs(60);

/// How long a request waits for the keys of a provider.
const KEYS: Duration = Duration::from_secs(10);

/// Which of a provider's roles are which of ours.
type Roles = Box<dyn Fn(&str) -> Option<Role> + Send + Sync>;

/// Tells whoever runs the service what happens to it.
type Tell = Box<dyn Fn(&str) + Send + Sync>;

/// A provider of identities whose tokens count here.
pub struct Identities {
    asked: Arc<Asked>,
    roles: Roles,
    /// Held by who asks it for its keys, so that one thread waits for it and no more.
    turn: Arc<Mutex<()>>,
}

/// What a thread needs that asks for keys.
struct Asked {
    provider: Provider,
    /// Whether it had keys for us when it was asked last.
    well: AtomicBool,
    tell: Tell,
}

impl Identities {
    /// Tokens of this provider. `roles` says which of its roles are which of ours; `tell` is told when
    /// it cannot be asked any more, and when it can again.
    pub fn new(
        provider: Provider,
        roles: impl Fn(&str) -> Option<Role> + Send + Sync + 'static,
        tell: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let asked = Asked { provider, well: AtomicBool::new(true), tell: Box::new(tell) };
        Self { asked: Arc::new(asked), roles: Box::new(roles), turn: Arc::default() }
    }

    /// Who the token is about. Waits for the provider only where its keys are not at hand.
    async fn identify(&self, token: &str) -> Result<Identity, Refusal> {
        let provider = &self.asked.provider;
        let outcome = provider.identify(token, SystemTime::now());
        if outcome != Err(Refusal::Keys) {
            if provider.is_due()
                && let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
            {
                self.renew(turn);
            }
            return outcome;
        }
        let renewed = async {
            let turn = Arc::clone(&self.turn).lock_owned().await;
            // A panic in it leaves the keys as they are.
            let _ = self.renew(turn).await;
        };
        match tokio::time::timeout(KEYS, renewed).await {
            Ok(()) => provider.identify(token, SystemTime::now()),
            Err(_) => Err(Refusal::Away("it does not answer in time".to_owned())),
        }
    }

    /// Who gives up waiting for it leaves the turn to the thread.
    fn renew(&self, turn: OwnedMutexGuard<()>) -> JoinHandle<()> {
        let asked = Arc::clone(&self.asked);
        tokio::task::spawn_blocking(move || {
            let renewed = asked.provider.renew();
            let was = asked.well.swap(renewed.is_ok(), Ordering::Relaxed);
            match renewed {
                Ok(()) if !was => (asked.tell)("the provider of identities answers again"),
                Err(why) if was => {
                    (asked.tell)(&format!("the provider of identities has no keys for us: {why}"));
                }
                _ => {}
            }
            drop(turn);
        })
    }
}

/// Finds out who brings this token.
pub(crate) async fn identify(
    service: &Service,
    caller: &mut Caller,
    secret: &str,
) -> Result<(), Problem> {
    let rules = &service.inner.rules;
    if rules.bootstrap.as_ref().is_some_and(|it| *it == Secret::new(secret)) {
        caller.name = "bootstrap".to_owned();
        caller.role = Some(Role::Admin);
        caller.namespaces = None;
        return Ok(());
    }
    let outcome = match &rules.identities {
        _ if access::looks_like_one(secret) => ours(service, caller, secret).await,
        Some(identities) => theirs(identities, caller, secret).await,
        None => Err(unknown("the token is not known, has expired or was revoked")),
    };
    // Guesses have their limit.
    if outcome.is_err() {
        service.limit(&format!("from {}", caller.from))?;
    }
    outcome
}

async fn ours(service: &Service, caller: &mut Caller, secret: &str) -> Result<(), Problem> {
    let store = service.desk().store();
    let Some(token) = store.token(&access::digest(secret)).await? else {
        return Err(unknown("the token is not known, has expired or was revoked"));
    };
    caller.name = match &token.owner {
        Some(owner) => format!("{owner} (user)"),
        None if !service.inner.rules.tokens => {
            return Err(unknown("this service takes no tokens of its own (auth.tokens.enabled)"));
        }
        None => format!("{} ({})", token.name, token.id),
    };
    caller.session = token.owner.is_some().then(|| token.id.clone());
    caller.role = Role::parse(&token.role);
    caller.namespaces = token.namespaces;
    // A note for people: that it cannot be made stops nobody.
    let (store, id) = (store.clone(), token.id);
    if token.used_at.is_none_or(|at| Time::of_this_machine().since(at) > USED) {
        tokio::spawn(async move { store.use_token(&id).await });
    }
    Ok(())
}

async fn theirs(identities: &Identities, caller: &mut Caller, secret: &str) -> Result<(), Problem> {
    let identity = identities.identify(secret).await.map_err(|refusal| match refusal {
        Refusal::Token(why) => unknown(why),
        // Why is for whoever runs this: it may say where things are in their network.
        Refusal::Keys | Refusal::Away(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "IDENTITY_PROVIDER_UNAVAILABLE",
            "the provider of identities cannot be asked for its keys at the moment, and its tokens \
             cannot be checked; try again, or use a token of this service",
        )
        .retry_after(5),
    })?;
    caller.name = format!("{} (oidc)", identity.user);
    if identity.namespaces.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "FORBIDDEN",
            "the token names no namespace that its bearer may see",
        ));
    }
    caller.role = identity.roles.iter().filter_map(|role| (identities.roles)(role)).max();
    caller.namespaces = identity.namespaces;
    Ok(())
}

pub(crate) fn unknown(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", detail)
}
