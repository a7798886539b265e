//! What shells offer for a value, where others are taken as well.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};

/// Text, of which some is known beforehand.
#[derive(Clone, Copy)]
pub(super) struct Offered(&'static [&'static str]);

/// Profiles that are built in.
pub(super) const PROFILES: Offered =
    Offered(&["security", "hardening", "compliance", "performance", "migration", "all"]);

/// The words of commands.
pub(super) const COMMANDS: Offered = Offered(&[
    "disk",
    "info",
    "convert",
    "inspect",
    "scan",
    "db",
    "build",
    "status",
    "search",
    "update",
    "import",
    "export",
    "keygen",
    "diff",
    "profile",
    "list",
    "show",
    "test",
    "serve",
    "worker",
    "job",
    "submit",
    "list",
    "show",
    "watch",
    "cancel",
    "result",
    "replay",
    "token",
    "create",
    "list",
    "revoke",
    "user",
    "create",
    "list",
    "passwd",
    "disable",
    "enable",
    "delete",
    "audit",
    "verify",
    "list",
    "ls",
    "tree",
    "cat",
    "stat",
    "hash",
    "find",
    "cp",
    "config",
    "check",
    "show",
    "schema",
    "doctor",
    "completions",
    "man",
]);

impl TypedValueParser for Offered {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|name| PossibleValue::new(*name))))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn words(command: &Command) -> Vec<String> {
        let of = |inner: &Command| {
            let name = inner.get_name().to_owned();
            std::iter::once(name).chain(words(inner)).collect::<Vec<_>>()
        };
        command.get_subcommands().flat_map(of).collect()
    }

    #[test]
    fn what_is_offered_is_what_there_is() {
        assert_eq!(COMMANDS.0, words(&crate::args::Arguments::command()));
        let built_in = fathom_profile::PROFILES.iter().map(|(name, _)| *name);
        assert_eq!(PROFILES.0, built_in.chain(["all"]).collect::<Vec<_>>());
    }
}
