//! The service, its workers, and who may use it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::Settings;

#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Listen here, over what the settings say.
    #[arg(long, value_name = "ADDRESS", value_hint = ValueHint::Other)]
    pub(crate) listen: Option<String>,

    /// Keep everything in this folder, over what the settings say.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,

    /// Let jobs read images in this folder; may be repeated.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) images: Vec<PathBuf>,

    /// Do no jobs in this process: leave them to `fathom worker`.
    #[arg(long)]
    pub(crate) no_worker: bool,

    #[command(flatten)]
    pub(crate) logging: Logging,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Args, Debug)]
pub(crate) struct WorkerOptions {
    /// What the worker is called, over what the settings say.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) id: Option<String>,

    /// The pool whose jobs it does, over what the settings say.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) pool: Option<String>,

    /// How many jobs it does at once, over what the settings say.
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    pub(crate) concurrency: Option<u32>,

    /// Keep everything in this folder, over what the settings say.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,

    /// Let jobs read images in this folder; may be repeated.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) images: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) logging: Logging,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What is written about what is done.
#[derive(Args, Debug)]
pub(crate) struct Logging {
    /// How much is written about what is done (error, warn, info, debug, trace), over what the settings
    /// say.
    #[arg(long = "log-level", value_name = "LEVEL", value_hint = ValueHint::Other)]
    pub(crate) level: Option<String>,

    /// How a line of it looks (auto, text, json), over what the settings say.
    #[arg(long = "log-format", value_name = "FORMAT", value_hint = ValueHint::Other)]
    pub(crate) format: Option<String>,
}

/// The store that the service uses.
#[derive(Args, Debug)]
pub(crate) struct Kept {
    /// The folder of the service's data, over what the settings say.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) data: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Subcommand, Debug)]
pub(crate) enum TokenCommand {
    /// Make a token; its secret is printed this once.
    Create(TokenCreate),
    /// List all tokens, without their secrets.
    List(Kept),
    /// Let a token count no more.
    Revoke(TokenRevoke),
}

#[derive(Args, Debug)]
pub(crate) struct TokenCreate {
    /// What people call it.
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) name: String,

    /// What its bearer may do.
    #[arg(long, value_enum)]
    pub(crate) role: AccessRole,

    /// A namespace that its bearer sees; may be repeated. Without any, all of them.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) namespace: Vec<String>,

    /// How long it counts, as 90d or 12h.
    #[arg(long = "for", value_name = "SPAN", default_value = "90d", value_hint = ValueHint::Other)]
    pub(crate) lifetime: String,

    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum AccessRole {
    /// Looks.
    Viewer,
    /// Sends jobs, and calls them off.
    Operator,
    /// Decides who may do what.
    Admin,
}

#[derive(Args, Debug)]
pub(crate) struct TokenRevoke {
    /// Which, by its id.
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) id: String,

    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Subcommand, Debug)]
pub(crate) enum UserCommand {
    /// Let somebody log in; their password is asked for, or read from standard input.
    Create(UserCreate),
    /// List all users.
    List(Kept),
    /// Give somebody a new password, and end their sessions.
    Passwd(UserName),
    /// Let somebody log in no more, and end their sessions.
    Disable(UserName),
    /// Let somebody log in again.
    Enable(UserName),
    /// Forget somebody, and end their sessions.
    Delete(UserName),
}

#[derive(Args, Debug)]
pub(crate) struct UserCreate {
    /// What they are called.
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) name: String,

    /// What they may do.
    #[arg(long, value_enum)]
    pub(crate) role: AccessRole,

    /// A namespace that they see; may be repeated. Without any, all of them.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) namespace: Vec<String>,

    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Args, Debug)]
pub(crate) struct UserName {
    /// Who.
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// Compute the chain of the audit anew: whether anything in it was changed or taken out.
    Verify(Kept),
    /// Print the audit, a line of JSON each.
    List(Kept),
}
