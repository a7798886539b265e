//! `docs/cli.md` is generated from the clap types, and this test holds it to them.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

use crate::args::Arguments;
use crate::exit;

#[test]
fn docs_cli_md_says_what_the_program_takes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let wanted = reference();
    if std::env::var_os("FATHOM_BLESS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "docs/cli.md is out of date: run `FATHOM_BLESS=1 cargo test -p fathom-cli reference`"
    );
}

fn reference() -> String {
    let mut text = String::from(
        "# The command line\n\nGenerated from the program's own help; \
         `FATHOM_BLESS=1 cargo test -p fathom-cli reference` writes it anew.\n",
    );
    let mut command = Arguments::command();
    command.build();
    section(&mut text, &command, "");
    let _ = write!(text, "\n## Exit codes\n\n```text\n{}\n```\n", exit::TABLE);
    text
}

fn section(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent}{}", command.get_name());
    if command.get_subcommands().next().is_none() {
        let about = command.get_long_about().or(command.get_about());
        let _ = write!(text, "\n## `{name}`\n\n{}\n\n", about.cloned().unwrap_or_default());
        let positionals: Vec<_> = command.get_positionals().map(usage).collect();
        let _ = write!(text, "```text\n{name} [OPTIONS] {}\n```\n\n", positionals.join(" "));
        let _ = writeln!(text, "| argument | meaning |\n|---|---|");
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            let _ = writeln!(text, "| `{}` | {} |", spelled(argument), meaning(argument));
        }
        return;
    }
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        section(text, inner, &format!("{name} "));
    }
}

fn values(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let takes = argument.get_action().takes_values();
    match names {
        _ if !takes => String::new(),
        [] => argument.get_id().to_string().to_uppercase(),
        names => names.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" "),
    }
}

fn usage(argument: &Arg) -> String {
    let name = values(argument);
    if argument.is_required_set() { name } else { format!("[{name}]") }
}

fn spelled(argument: &Arg) -> String {
    let mut parts = Vec::new();
    if let Some(short) = argument.get_short() {
        parts.push(format!("-{short}"));
    }
    if let Some(long) = argument.get_long() {
        parts.push(format!("--{long}"));
    }
    let value = values(argument);
    match (parts.is_empty(), value.is_empty()) {
        (true, _) => value,
        (false, true) => parts.join(", "),
        (false, false) => format!("{} {value}", parts.join(", ")),
    }
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).cloned().unwrap_or_default();
    let mut text = help.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    if argument.get_action().takes_values() {
        // Where others are taken as well, the text says so.
        let offered = match argument.is_hide_possible_values_set() {
            true => Vec::new(),
            false => argument.get_possible_values(),
        };
        let choices: Vec<_> =
            offered.iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !choices.is_empty() {
            let _ = write!(text, " One of {}.", choices.join(", "));
        }
        let defaults: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !defaults.is_empty() {
            let _ = write!(text, " Default: `{}`.", defaults.join(" "));
        }
    }
    text.replace('|', "\\|")
}
