//! What is said of rules.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::hints::PROFILES;

/// Which rules to apply.
#[derive(Args, Debug)]
pub(crate) struct Profiles {
    /// Apply the rules of this profile: security, hardening, compliance, performance, migration, one
    /// of a folder of --rules, or all; may be repeated or parted by commas.
    #[arg(long = "profile", value_name = "PROFILE", value_delimiter = ',')]
    #[arg(value_parser = PROFILES, hide_possible_values = true)]
    pub(crate) profiles: Vec<String>,

    #[command(flatten)]
    pub(crate) rules: Rules,

    /// End with exit code 1 if a rule of this severity or a graver one fails. Default: whatever comes
    /// of the rules, the exit code says nothing of it.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<FailOn>,
}

/// Where rules are besides those that are built in.
#[derive(Args, Debug)]
pub(crate) struct Rules {
    /// Take the rules in this folder too (docs/profiles.md); may be repeated.
    #[arg(long = "rules", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(crate) folders: Vec<PathBuf>,
}

/// How grave a rule is.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// Somebody can take the system over, or it will not work.
    Critical,
    /// It should not stay so.
    High,
    /// It is weaker than it need be.
    Medium,
    /// A matter of good order.
    Low,
}

impl From<FailOn> for fathom_report::Severity {
    fn from(limit: FailOn) -> Self {
        match limit {
            FailOn::Critical => Self::Critical,
            FailOn::High => Self::High,
            FailOn::Medium => Self::Medium,
            FailOn::Low => Self::Low,
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// Name the rules.
    List(ProfileList),
    /// Show a rule in full: what it asks, why, and how it is checked.
    Show(ProfileShow),
    /// Read the rules in a folder and run their fixtures.
    Test(ProfileTest),
}

#[derive(Args, Debug)]
pub(crate) struct ProfileList {
    /// Only the rules of this profile.
    #[arg(value_parser = PROFILES, hide_possible_values = true)]
    pub(crate) profile: Option<String>,
    #[command(flatten)]
    pub(crate) rules: Rules,
}

#[derive(Args, Debug)]
pub(crate) struct ProfileShow {
    /// The rule.
    #[arg(value_hint = ValueHint::Other)]
    pub(crate) rule: String,
    #[command(flatten)]
    pub(crate) rules: Rules,
}

#[derive(Args, Debug)]
pub(crate) struct ProfileTest {
    /// The folder.
    #[arg(value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}
