//! `fathom user`: who may log in with a password.

use fathom_jobs::rfc3339;
use fathom_server::{Role, hash_password};
use fathom_store::{Store, Time, User, UserChange};

use super::{block_on, failed, kept, record};
use crate::args::{UserCommand, UserCreate, UserName};
use crate::exit::{Failure, Verdict, say};
use crate::output::Out;
use crate::password;
use crate::text::harmless;

pub(crate) fn run(command: &UserCommand) -> Result<Verdict, Failure> {
    block_on(async {
        match command {
            UserCommand::Create(options) => create(options).await,
            UserCommand::List(options) => {
                let (_, store) = kept(options).await?;
                list(&store).await
            }
            UserCommand::Passwd(options) => {
                let (_, store) = kept(&options.kept).await?;
                // Whoever is not there needs no password.
                known(&store, &options.name).await?;
                let hash = new_password(&options.name)?;
                change(&store, options, "changePassword", UserChange::Password(&hash)).await
            }
            UserCommand::Disable(options) => {
                let (_, store) = kept(&options.kept).await?;
                change(&store, options, "disableUser", UserChange::Disable).await
            }
            UserCommand::Enable(options) => {
                let (_, store) = kept(&options.kept).await?;
                change(&store, options, "enableUser", UserChange::Enable).await
            }
            UserCommand::Delete(options) => {
                let (_, store) = kept(&options.kept).await?;
                change(&store, options, "deleteUser", UserChange::Delete).await
            }
        }
    })
}

async fn create(options: &UserCreate) -> Result<Verdict, Failure> {
    let plain = |text: &str| {
        (1..=100).contains(&text.len())
            && !text.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    if !plain(&options.name) {
        let why = "a name has 1 to 100 bytes, and no blanks and control characters";
        return Err(Failure::Usage(format!("{:?}: {why}", options.name)));
    }
    let (_, store) = kept(&options.kept).await?;
    if store.user(&options.name).await.map_err(failed_user)?.is_some() {
        return Err(there(&options.name));
    }
    let password = new_password(&options.name)?;
    let role = Role::from(options.role);
    record(&store, "createUser", &format!("{} as {}", options.name, role.as_str())).await?;
    let user = User {
        name: options.name.clone(),
        password,
        role: role.as_str().to_owned(),
        namespaces: (!options.namespace.is_empty()).then(|| options.namespace.clone()),
        created_by: "fathom user create".to_owned(),
        created_at: Time(0),
        changed_at: Time(0),
        login_at: None,
        disabled_at: None,
    };
    if !store.add_user(&user).await.map_err(failed_user)? {
        return Err(there(&options.name));
    }
    say(&format!("{} may log in as {}", harmless(&user.name), user.role));
    Ok(Verdict::Done)
}

fn new_password(name: &str) -> Result<String, Failure> {
    let password = password::read(&harmless(name))?;
    hash_password(password.expose()).map_err(Failure::Usage)
}

async fn known(store: &Store, name: &str) -> Result<(), Failure> {
    match store.user(name).await.map_err(failed_user)? {
        Some(_) => Ok(()),
        None => Err(absent(name)),
    }
}

async fn change(
    store: &Store,
    options: &UserName,
    action: &str,
    change: UserChange<'_>,
) -> Result<Verdict, Failure> {
    known(store, &options.name).await?;
    record(store, action, &options.name).await?;
    if store.change_user(&options.name, change).await.map_err(failed_user)? {
        return Ok(Verdict::Done);
    }
    Err(absent(&options.name))
}

async fn list(store: &Store) -> Result<Verdict, Failure> {
    let users = store.users().await.map_err(failed_user)?;
    let mut out = Out::new();
    out.line("ROLE      NAMESPACES        LAST LOGIN  STATE     NAME")?;
    for user in &users {
        let namespaces = user.namespaces.as_ref().map_or("all".to_owned(), |names| names.join(","));
        let login = user.login_at.map_or("never".to_owned(), day);
        let state = if user.disabled_at.is_some() { "disabled" } else { "enabled" };
        out.line(harmless(&format!(
            "{:<8}  {namespaces:<16}  {login:<10}  {state:<8}  {}",
            user.role, user.name
        )))?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn day(at: Time) -> String {
    rfc3339(at).chars().take(10).collect()
}

fn failed_user(error: fathom_store::Error) -> Failure {
    failed("the users", &error)
}

fn there(name: &str) -> Failure {
    Failure::Usage(format!("{name:?} is there already; `fathom user passwd` gives a new password"))
}

fn absent(name: &str) -> Failure {
    let why = "there is none of that name; `fathom user list` shows them";
    fathom_block::Error::not_found(format!("user {name:?}"), why).into()
}
