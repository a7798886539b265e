//! Who may do what, and the tokens by which it is known who asks.

use std::fmt;
use std::time::Duration;

use fathom_store::{Store, Time, Token, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What somebody may do. Each may do all that those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Sends jobs, and calls them off.
    Operator,
    /// Decides who may do what.
    Admin,
}

impl Role {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Operator, Self::Admin].into_iter().find(|role| role.as_str() == text)
    }
}

/// The text by which somebody shows who they are: shown once, when it is made, and masked everywhere
/// else.
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// What every token begins with, so that it is known for one where it lies around.
const PREFIX: &str = "fathom_";

/// Makes a token and keeps its digest; the secret is not kept.
pub async fn new_token(
    store: &Store,
    name: &str,
    role: Role,
    namespaces: Option<Vec<String>>,
    lifetime: Option<Duration>,
    by: &str,
) -> Result<(Token, Secret), fathom_store::Error> {
    let (token, secret) = make(name, role.as_str(), namespaces, by, None);
    store.add_token(&token, lifetime).await?;
    Ok((token, secret))
}

/// Makes the token that somebody gets by logging in. Nothing where they may not log in any more.
pub(crate) async fn begin_session(
    store: &Store,
    user: &User,
    lifetime: Duration,
) -> Result<Option<(Token, Secret)>, fathom_store::Error> {
    let namespaces = user.namespaces.clone();
    let (mut token, secret) =
        make(&user.name, &user.role, namespaces, "login", Some(user.name.clone()));
    token.created_at = store.now().await?;
    Ok(store.begin_session(user, &token, lifetime).await?.then_some((token, secret)))
}

fn make(
    name: &str,
    role: &str,
    namespaces: Option<Vec<String>>,
    by: &str,
    owner: Option<String>,
) -> (Token, Secret) {
    let id = hex(&rand::random::<[u8; 6]>());
    let secret = format!("{PREFIX}{id}_{}", hex(&rand::random::<[u8; 32]>()));
    let token = Token {
        id,
        name: name.to_owned(),
        digest: digest(&secret),
        role: role.to_owned(),
        namespaces,
        created_by: by.to_owned(),
        created_at: Time(0),
        expires_at: None,
        revoked_at: None,
        used_at: None,
        owner,
    };
    (token, Secret(secret))
}

/// What is kept of a token. Its secret is 256 random bits, which no amount of guessing finds: a plain
/// digest will do.
pub(crate) fn digest(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Whether it can be a token of ours at all.
pub(crate) fn looks_like_one(text: &str) -> bool {
    text.len() == PREFIX.len() + 12 + 1 + 64
        && text.starts_with(PREFIX)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
