//! What is said of the settings of the service.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// Where settings are taken from. They are in docs/configuration.md.
#[derive(Args, Debug)]
pub(crate) struct Settings {
    /// The file of settings. Default: that of the environment's FATHOM_CONFIG, or
    /// /etc/fathom/fathom.yaml if there is one.
    #[arg(long = "config", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// Set this over what the file and the environment say, as transport.type=redis; may be repeated.
    /// Lists are parted by commas.
    #[arg(long = "set", value_name = "PATH=VALUE", value_hint = ValueHint::Other)]
    pub(crate) set: Vec<String>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with the settings, all of it at once.
    Check(ConfigCheck),
    /// Print the settings as they came to be, secrets masked.
    Show(ConfigShow),
    /// Print the JSON Schema of the file.
    Schema,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigCheck {
    /// The file of settings, as --config.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "file")]
    pub(crate) named: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigShow {
    /// Say of each setting where its value comes from.
    #[arg(long)]
    pub(crate) origins: bool,

    /// Print JSON; the default is YAML.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}
