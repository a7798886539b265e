//! The service: `serve`, `worker`, and what is done to their store from beside them.

mod audit;
mod host;
mod serve;
mod token;
mod transport;
mod user;
mod watched;
mod webhooks;
mod worker;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fathom_config::{Config, Loaded};
use fathom_server::Role;
use fathom_store::{Deed, Options, Store};

use crate::args::{AccessRole, Kept, Settings};
use crate::exit::Failure;

pub(super) use audit::run as audit;
pub(super) use serve::{provider, run as serve};
pub(super) use token::run as token;
pub(super) use user::run as user;
pub(super) use worker::run as worker;

/// The settings, with what was typed over them.
fn settings(
    options: &Settings,
    typed: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> Result<Config, Failure> {
    let mut sources = super::config::sources(options, None)?;
    for (path, value) in typed {
        if let Some(value) = value {
            sources.overrides = sources.overrides.set(path, value);
        }
    }
    let Loaded { config, .. } = super::config::loaded(&sources)?;
    Ok(config)
}

/// A path as a setting.
fn path(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

/// Folders as a setting: nothing where none was named.
fn paths(paths: &[PathBuf]) -> Option<String> {
    let absolute = |path: &PathBuf| {
        // A folder is named from here, and kept by where it is.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        match path.components().any(|part| part == std::path::Component::ParentDir) {
            true => path.canonicalize().unwrap_or(path),
            false => path,
        }
    };
    let paths: Vec<_> = paths.iter().map(|path| absolute(path).display().to_string()).collect();
    (!paths.is_empty()).then(|| paths.join(","))
}

/// Runs what is not done in one go.
fn block_on<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::host("the threads of the service"))?
        .block_on(future)
}

/// The store that the settings name. The folder of a database of this machine is made for its owner
/// alone, where it is not there.
async fn open(config: &Config) -> Result<Store, Failure> {
    let url = config.store.url.expose();
    if let Some(file) = url.strip_prefix("sqlite://")
        && let Some(folder) = Path::new(file).parent()
    {
        make_private(folder)?;
    }
    let options = Options { connections: config.store.max_connections, ..Options::default() };
    let opened = tokio::time::timeout(Duration::from_secs(60), Store::open(url, &options)).await;
    let shown = config.store.url.to_string();
    match opened {
        Ok(opened) => opened.map_err(|error| failed(&shown, &error)),
        Err(_) => Err(Failure::Usage(format!("{shown}: the store does not answer"))),
    }
}

fn make_private(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(Failure::host(folder.display().to_string()))
}

/// The store of the settings that were named, for a command beside the service.
async fn kept(kept: &Kept) -> Result<(Config, Store), Failure> {
    let config = settings(&kept.settings, [("data_folder", path(kept.data.as_ref()))])?;
    let store = open(&config).await?;
    Ok((config, store))
}

/// An error of the store, about what it was.
fn failed(what: &str, error: &fathom_store::Error) -> Failure {
    use fathom_store::ErrorKind;
    let why = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Busy => {
            fathom_block::Error::unreachable(what, why).into()
        }
        ErrorKind::NotFound => fathom_block::Error::not_found(what, why).into(),
        ErrorKind::Unfit => fathom_block::Error::unsupported(what, why).into(),
        _ => Failure::Usage(format!("{what}: {why}")),
    }
}

/// Whoever can write to the store may do this; that it was done is recorded all the same.
async fn record(store: &Store, action: &str, target: &str) -> Result<(), Failure> {
    let deed = Deed {
        actor: "command line".to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        outcome: "allowed".to_owned(),
        correlation: String::new(),
        from: String::new(),
    };
    store.record(&[deed]).await.map_err(|error| failed("the audit", &error))
}

impl From<AccessRole> for Role {
    fn from(role: AccessRole) -> Self {
        match role {
            AccessRole::Viewer => Self::Viewer,
            AccessRole::Operator => Self::Operator,
            AccessRole::Admin => Self::Admin,
        }
    }
}
