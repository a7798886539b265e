//! What is said of looking at this host.

use clap::Args;

use super::Settings;

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}
