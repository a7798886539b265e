//! `fathom token`: who may use the interface.

use std::time::Duration;

use fathom_config::Span;
use fathom_jobs::rfc3339;
use fathom_server::{Role, new_token};
use fathom_store::{Store, Token};

use super::{block_on, failed, kept, record};
use crate::args::{TokenCommand, TokenCreate};
use crate::exit::{Failure, Verdict, say};
use crate::output::Out;
use crate::text::harmless;

pub(crate) fn run(command: &TokenCommand) -> Result<Verdict, Failure> {
    block_on(async {
        match command {
            TokenCommand::Create(options) => create(options).await,
            TokenCommand::List(options) => {
                let (_, store) = kept(options).await?;
                list(&store).await
            }
            TokenCommand::Revoke(options) => {
                let (_, store) = kept(&options.kept).await?;
                record(&store, "revokeToken", &options.id).await?;
                let revoked = store.revoke_token(&options.id).await;
                if revoked.map_err(|error| failed("the token", &error))? {
                    return Ok(Verdict::Done);
                }
                let what = format!("token {:?}", options.id);
                let why = "there is none of that id that counts; `fathom token list` shows them";
                Err(fathom_block::Error::not_found(what, why).into())
            }
        }
    })
}

async fn create(options: &TokenCreate) -> Result<Verdict, Failure> {
    let lifetime: Span = options
        .lifetime
        .parse()
        .map_err(|why| Failure::Usage(format!("--for {}: {why}", options.lifetime)))?;
    let (config, store) = kept(&options.kept).await?;
    let longest = config.auth.tokens.max_lifetime.get();
    if lifetime.get() > longest || lifetime.get() == Duration::ZERO {
        return Err(Failure::Usage(format!(
            "--for {}: auth.tokens.max_lifetime allows up to {}",
            options.lifetime, config.auth.tokens.max_lifetime
        )));
    }
    let role = Role::from(options.role);
    let namespaces = (!options.namespace.is_empty()).then(|| options.namespace.clone());
    record(&store, "createToken", &format!("{} as {}", options.name, role.as_str())).await?;
    let by = "fathom token create";
    let (token, secret) =
        new_token(&store, &options.name, role, namespaces, Some(lifetime.get()), by)
            .await
            .map_err(|error| failed("the token", &error))?;
    say(&format!("token {} for {}; it is shown this once:", token.id, options.name));
    let mut out = Out::new();
    out.line(secret.expose())?;
    out.finish()?;
    Ok(Verdict::Done)
}

async fn list(store: &Store) -> Result<Verdict, Failure> {
    let tokens = store.tokens().await.map_err(|error| failed("the tokens", &error))?;
    let mut out = Out::new();
    out.line("ID            ROLE      NAMESPACES        STATE                         NAME")?;
    for token in &tokens {
        let namespaces =
            token.namespaces.as_ref().map_or("all".to_owned(), |names| names.join(","));
        out.line(harmless(&format!(
            "{:<12}  {:<8}  {namespaces:<16}  {:<28}  {}",
            token.id,
            token.role,
            state(token),
            match &token.owner {
                Some(owner) => format!("{owner} (logged in)"),
                None => token.name.clone(),
            }
        )))?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn state(token: &Token) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(at), _) => format!("revoked {}", day(at)),
        (None, Some(at)) => format!("until {}", day(at)),
        (None, None) => "for ever".to_owned(),
    }
}

fn day(at: fathom_store::Time) -> String {
    rfc3339(at).chars().take(10).collect()
}
