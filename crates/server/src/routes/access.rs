//! Who may use the interface, and what was done with it.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use fathom_jobs::rfc3339;
use fathom_store::Token;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{json, read};
use crate::access::{Role, new_token};
use crate::caller::Caller;
use crate::parameters::{Id, Parameters};
use crate::problem::Problem;
use crate::route::{Route, of};
use crate::service::Service;

/// How long a token counts where nothing is said, as far as it may.
const USUAL: u64 = 90 * 24 * 3600;

/// Without characters that control a terminal.
pub(super) const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]+$";

/// A token that is to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What people call it.
    #[schemars(length(min = 1, max = 100), regex(pattern = PLAIN))]
    name: String,
    /// What its bearer may do.
    role: Role,
    /// The namespaces that its bearer sees; nothing: all that whoever makes it sees.
    #[serde(default)]
    #[schemars(
        length(min = 1),
        inner(length(min = 1, max = 100), regex(pattern = PLAIN))
    )]
    namespaces: Option<Vec<String>>,
    /// How long it counts, as far as the settings let it; nothing: 90 days.
    #[serde(default, deserialize_with = "super::whole")]
    #[schemars(range(min = 1))]
    lifetime_seconds: Option<i64>,
}

/// A token without its secret.
#[derive(Serialize, JsonSchema)]
struct TokenView {
    /// By which it is named.
    id: String,
    /// What people call it.
    name: String,
    /// What its bearer may do.
    role: String,
    /// The namespaces that its bearer sees; nothing: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespaces: Option<Vec<String>>,
    /// Who made it.
    created_by: String,
    /// When.
    created_at: String,
    /// Until when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Since when it does not count any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
    /// Whose it is, of those that somebody got by logging in.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

/// A token that was made: its secret is told this once.
#[derive(Serialize, JsonSchema)]
struct MadeToken {
    /// By which it is named.
    id: String,
    /// What to send as `Authorization: Bearer`.
    token: String,
}

/// All tokens.
#[derive(Serialize, JsonSchema)]
struct TokenList {
    /// The newest first.
    tokens: Vec<TokenView>,
}

/// A page of what was done.
#[derive(Serialize, JsonSchema)]
struct AuditPage {
    /// The oldest first.
    entries: Vec<AuditEntry>,
    /// The cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that was done.
#[derive(Serialize, JsonSchema)]
struct AuditEntry {
    /// Which it is.
    number: i64,
    /// When.
    at: String,
    /// Who did what on what.
    deed: Value,
    /// By which it is chained to the one before.
    digest: String,
}

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/tokens", "createToken", create)
            .about("Make a token; its secret is told this once.")
            .takes(of::<NewToken>)
            .example(|| serde_json::json!({ "name": "ci", "role": "operator", "lifetime_seconds": 86_400 }))
            .replies(201, "It is made.", Some(of::<MadeToken>)),
        Route::get("/api/v1/tokens", "listTokens", list)
            .about("List all tokens, without their secrets.")
            .replies(200, "All of them.", Some(of::<TokenList>)),
        Route::delete("/api/v1/tokens/{id}", "revokeToken", revoke)
            .about("Let a token count no more.")
            .replies(204, "It counts no more.", None),
        Route::get("/api/v1/audit", "listAudit", audit)
            .about("List what was done, and by whom.")
            .paged()
            .replies(200, "A page of it.", Some(of::<AuditPage>)),
    ]
}

async fn create(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let wanted: NewToken = read(&headers, &body)?;
    caller.everywhere()?;
    let plain = |text: &str| {
        (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control)
    };
    if !plain(&wanted.name) {
        return Err(Problem::invalid("name: it has 1 to 100 characters, and none that controls"));
    }
    if wanted
        .namespaces
        .as_ref()
        .is_some_and(|names| names.is_empty() || !names.iter().all(|it| plain(it)))
    {
        return Err(Problem::invalid("namespaces: it is a list of at least one name"));
    }
    let longest = service.inner.rules.token_lifetime.as_secs();
    let lifetime = wanted.lifetime_seconds.map_or(USUAL.min(longest), i64::unsigned_abs);
    if !(1..=longest).contains(&lifetime) {
        let why = format!("lifetime_seconds: it is from 1 to {longest} (auth.tokens.max_lifetime)");
        return Err(Problem::invalid(why));
    }
    let about = format!("{} as {}", wanted.name, wanted.role.as_str());
    service.record(caller.deed("createToken", &about)).await?;
    let (token, secret) = new_token(
        service.desk().store(),
        &wanted.name,
        wanted.role,
        wanted.namespaces,
        Some(Duration::from_secs(lifetime)),
        &caller.name,
    )
    .await?;
    let made = MadeToken { id: token.id, token: secret.expose().to_owned() };
    Ok(json(StatusCode::CREATED, &made))
}

async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    let tokens = service.desk().store().tokens().await?;
    let tokens = tokens.into_iter().map(shown).collect();
    Ok(json(StatusCode::OK, &TokenList { tokens }))
}

async fn revoke(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    service.record(caller.deed("revokeToken", &id)).await?;
    if !service.desk().store().revoke_token(&id).await? {
        return Err(Problem::not_found("there is no token of that id that counts"));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn audit(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    let (most, after) = parameters.page(service.inner.rules.page_limit)?;
    let most = i64::from(most);
    let mut entries = service.desk().store().audit(after.unwrap_or(0), most + 1).await?;
    let more = entries.len() as i64 > most;
    entries.truncate(usize::try_from(most).unwrap_or(0));
    let next = more.then(|| entries.last().map(|it| it.number.to_string())).flatten();
    let entries = entries
        .into_iter()
        .map(|it| AuditEntry {
            number: it.number,
            at: rfc3339(it.at),
            deed: serde_json::from_str(&it.document).unwrap_or(Value::Null),
            digest: it.digest,
        })
        .collect();
    Ok(json(StatusCode::OK, &AuditPage { entries, next }))
}

fn shown(token: Token) -> TokenView {
    TokenView {
        id: token.id,
        name: token.name,
        role: token.role,
        namespaces: token.namespaces,
        created_by: token.created_by,
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
        revoked_at: token.revoked_at.map(rfc3339),
        used_at: token.used_at.map(rfc3339),
        owner: token.owner,
    }
}
