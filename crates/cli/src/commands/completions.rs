//! `fathom completions`.

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::{Failure, Verdict};
use crate::output::Out;

pub(crate) fn run(shell: Shell) -> Result<Verdict, Failure> {
    let mut out = Out::new();
    out.bytes(script(shell).as_bytes())?;
    out.finish()?;
    Ok(Verdict::Done)
}

/// The script for a shell.
fn script(shell: Shell) -> String {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "fathom", &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Zsh {
        // With two colons zsh takes everything behind the first path for paths, options too.
        script = script.replace("\n'*::", "\n'*:");
    }
    for argument in lists(&command) {
        match shell {
            Shell::Bash => bash_list(&mut script, argument),
            Shell::Zsh => zsh_list(&mut script, argument),
            Shell::Fish => fish_list(&mut script, argument),
            _ => {}
        }
    }
    if shell == Shell::Fish {
        script.push_str(FISH_WORDS);
        script.push_str(&fish_words(&command));
    }
    script
}

/// Options that take several of a few words, parted by commas. The generator of scripts offers the
/// first word alone.
fn lists(command: &Command) -> Vec<&Arg> {
    let own = command.get_arguments().filter(|argument| argument.get_value_delimiter().is_some());
    let inner = command.get_subcommands().flat_map(lists);
    own.chain(inner).filter(|argument| !argument.get_possible_values().is_empty()).collect()
}

fn words(argument: &Arg) -> String {
    let values = argument.get_possible_values();
    values.iter().map(|value| value.get_name()).collect::<Vec<_>>().join(" ")
}

/// What stands before the last comma is kept, and what follows it is completed.
fn bash_list(script: &mut String, argument: &Arg) {
    let words = words(argument);
    let one = format!(r#"compgen -W "{words}" -- "${{cur}}""#);
    let list = format!(r#"compgen -P "${{cur%"${{cur##*,}}"}}" -W "{words}" -- "${{cur##*,}}""#);
    *script = script.replace(&one, &list);
}

/// `_sequence` of zsh completes lists; what it offers stands in place of the words, which are in
/// brackets.
fn zsh_list(script: &mut String, argument: &Arg) {
    let Some([name]) = argument.get_value_names() else { return };
    let long = argument.get_long().unwrap_or_default();
    let Some(option) = script.find(&format!("'*--{long}=")) else { return };
    let Some(start) = script[option..].find(&format!(":{name}:(")) else { return };
    let start = option + start;
    let Some(length) = script[start..].find(")' \\\n") else { return };
    let action = format!(":{name}:_sequence compadd - {}", words(argument));
    script.replace_range(start..=start + length, &action);
}

/// `__fish_append` of fish puts words behind what is there.
fn fish_list(script: &mut String, argument: &Arg) {
    let long = argument.get_long().unwrap_or_default();
    let Some(option) = script.find(&format!(" -l {long} ")) else { return };
    let Some(start) = script[option..].find(" -a \"") else { return };
    let start = option + start;
    let Some(length) = script[start..].find("\"\n") else { return };
    let action = format!(" -a \"(__fish_append , {})", words(argument));
    script.replace_range(start..start + length, &action);
}

/// What leads the words of [`fish_words`].
const FISH_WORDS: &str = "\n# Words behind commands, which the generator leaves out.\n";

/// Words that stand for themselves, behind the commands that take them.
fn fish_words(command: &Command) -> String {
    let mut lines = String::new();
    let mut of = |command: &Command, condition: &str| {
        for argument in command.get_positionals() {
            let words = words(argument);
            if !words.is_empty() && command.get_name() != "completions" {
                lines.push_str(&format!(
                    "complete -c fathom -n \"{condition}\" -f -a \"{words}\"\n"
                ));
            }
        }
    };
    for outer in command.get_subcommands() {
        let condition = format!("__fish_fathom_using_subcommand {}", outer.get_name());
        of(outer, &condition);
        for inner in outer.get_subcommands() {
            let name = inner.get_name();
            of(inner, &format!("{condition}; and __fish_seen_subcommand_from {name}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_completed_behind_a_comma() {
        let bash = script(Shell::Bash);
        let command = "source /dev/stdin; COMP_WORDS=(fathom inspect x --section packages,us); \
                       COMP_CWORD=4; _fathom fathom packages,us --section; echo \"${COMPREPLY[@]}\"";
        let mut child = std::process::Command::new("bash")
            .args(["--norc", "-c", command])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), bash.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "packages,users\n");
        let zsh = script(Shell::Zsh);
        assert!(zsh.contains(":SECTION:_sequence compadd - identity kernels"), "no list");
        assert!(zsh.contains(":PROFILE:_sequence compadd - security hardening"), "no list");
    }

    #[test]
    fn fish_is_told_the_words() {
        let fish = script(Shell::Fish);
        assert!(fish.contains(" -a \"(__fish_append , identity kernels"), "no list");
        assert!(fish.contains(" -a \"(__fish_append , security hardening"), "no list");
        let man = "-n \"__fish_fathom_using_subcommand man\" -f -a \"disk info convert";
        assert!(fish.contains(man), "no commands");
        let list = "__fish_seen_subcommand_from list\" -f -a \"security hardening";
        assert!(fish.contains(list), "no profiles");
    }

    #[test]
    fn images_are_files_and_commands_are_words() {
        let zsh = script(Shell::Zsh);
        assert!(!zsh.contains(":_default"), "something is completed by anything");
        assert!(zsh.contains(":IMAGE:_files"));
        assert!(zsh.contains("\n'*:images -- "), "no option is completed behind an image");
        assert!(script(Shell::Bash).contains("-o -h --output --help disk info convert"));
    }
}
