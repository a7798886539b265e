//! Logging in with a password, and out again.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::rfc3339;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{json, read};
use crate::access::{Role, begin_session};
use crate::caller::Caller;
use crate::password;
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How long a login waits for others to be looked at.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who wants to come in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// What they are called.
    #[schemars(length(min = 1, max = 100), regex(pattern = super::access::PLAIN))]
    name: String,
    /// Their password.
    #[schemars(length(min = 1, max = 1024), extend("writeOnly" = true, "format" = "password"))]
    password: String,
}

/// What somebody gets who has come in.
#[derive(Serialize, JsonSchema)]
struct Session {
    /// What to send as `Authorization: Bearer`.
    token: String,
    /// Until when it counts.
    expires_at: String,
    /// What its bearer may do.
    role: String,
    /// The namespaces that its bearer sees; nothing: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<String>>,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/login", "login", login)
            .about("Get a token for a name and a password. It counts for some hours.")
            .for_all()
            .takes(of::<Login>)
            .example(|| serde_json::json!({ "name": "ann", "password": "" }))
            .trouble("401", "The name or the password is wrong, or the user is disabled.")
            .trouble("429", "Too many have failed; wait as long as Retry-After says.")
            .replies(200, "Name and password are right.", Some(of::<Session>)),
        Route::post("/api/v1/logout", "logout", logout)
            .about("Let the token that came of a login count no more.")
            .needs(Role::Viewer)
            .replies(204, "It counts no more.", None),
    ]
}

async fn login(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let Login { name, password } = read(&headers, &body)?;
    let named = (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !named || !(1..=password::MOST).contains(&password.chars().count()) {
        let detail = "name has 1 to 100 characters and none that controls, password 1 to 1024";
        return Err(Problem::invalid(detail));
    }
    service.inner.guesses.begin(&name, caller.from).map_err(|seconds| {
        let detail = "too many logins have failed; wait before the next";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", detail).retry_after(seconds)
    })?;
    let busy = || {
        let detail = "too many are logging in at the moment; try again";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", detail).retry_after(1)
    };
    // Each takes 19 MiB and a processor for a while.
    let turn = tokio::time::timeout(PATIENCE, service.inner.logins.acquire()).await;
    let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
    let store = service.desk().store();
    let user = store.user(&name).await?;
    let kept = user.as_ref().map(|user| user.password.clone());
    let compared =
        tokio::task::spawn_blocking(move || password::matches(kept.as_deref(), &password)).await;
    drop(turn);
    let refused = || {
        let detail = "the name or the password is wrong, or the user is disabled";
        Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", detail)
    };
    let user = match user {
        Some(user) if compared.is_ok_and(|it| it) && user.disabled_at.is_none() => user,
        user => {
            // A name that nobody has may be a password in the wrong place.
            let whom = if user.is_some() { name.as_str() } else { "somebody who is not known" };
            service.record(caller.told("login", whom, "denied")).await?;
            return Err(refused());
        }
    };
    service.record(caller.told("login", &name, "allowed")).await?;
    let lifetime = service.inner.rules.session_lifetime;
    let Some((token, secret)) = begin_session(store, &user, lifetime).await? else {
        return Err(refused());
    };
    service.inner.guesses.succeed(&name, caller.from);
    let session = Session {
        token: secret.expose().to_owned(),
        expires_at: rfc3339(token.created_at.after(lifetime)),
        role: user.role,
        namespaces: user.namespaces,
    };
    Ok(json(StatusCode::OK, &session))
}

async fn logout(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let Some(id) = &caller.session else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "WRONG_STATE",
            "this token did not come of a login; whoever made it can revoke it",
        ));
    };
    service.record(caller.deed("logout", id)).await?;
    service.desk().store().revoke_token(id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
