//! `fathom man`.

use std::fs;

use clap::{Command, CommandFactory as _};
use clap_mangen::roff::{Roff, roman};

use crate::args::{Arguments, Man};
use crate::exit::{self, Failure, Verdict};
use crate::output::Out;

/// What every piece of a page begins with as it is rendered; a page needs it once.
const PREAMBLE: &[u8] = b".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

pub(crate) fn run(options: &Man) -> Result<Verdict, Failure> {
    let mut command = without_help(Arguments::command());
    command.build();
    if let Some(folder) = &options.output {
        fs::create_dir_all(folder).map_err(Failure::host(folder.display().to_string()))?;
        for command in all(&command) {
            let path = folder.join(format!("{}.1", name(command)));
            fs::write(&path, page(command)?).map_err(Failure::host(path.display().to_string()))?;
        }
        return Ok(Verdict::Done);
    }
    let mut command = &command;
    for name in &options.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            Failure::Usage(format!("there is no command {name:?}; `fathom --help` lists them"))
        })?;
    }
    let mut out = Out::new();
    out.bytes(&page(command)?)?;
    out.finish()?;
    Ok(Verdict::Done)
}

/// The command without those that print its help, which need no pages.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

/// The command and all within it.
fn all(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(all)).collect()
}

/// What its page is called: `fathom-disk-info`.
fn name(command: &Command) -> String {
    command.get_bin_name().unwrap_or("fathom").replace(' ', "-")
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let man = clap_mangen::Man::new(command.clone())
        .title(name(command).to_uppercase())
        .source(concat!("fathom ", env!("CARGO_PKG_VERSION")))
        .manual("Fathom");
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut piece = |render: &dyn Fn(&mut dyn std::io::Write) -> std::io::Result<()>| {
        let mut piece = Vec::new();
        render(&mut piece).map_err(Failure::host("the manual page"))?;
        pieces.push(piece.strip_prefix(PREAMBLE).unwrap_or(&piece).to_vec());
        Ok::<(), Failure>(())
    };
    piece(&|out| man.render_title(out))?;
    piece(&|out| man.render_name_section(out))?;
    piece(&|out| man.render_synopsis_section(out))?;
    piece(&|out| man.render_description_section(out))?;
    piece(&|out| man.render_options_section(out))?;
    if command.has_subcommands() {
        piece(&|out| man.render_subcommands_section(out))?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    piece(&|out| rest(&after).to_writer(out))?;
    Ok([PREAMBLE, pieces.concat().as_slice()].concat())
}

/// What stands below the options in the help of a command, as sections of a page; and the exit codes,
/// which are the same for all.
fn rest(after: &str) -> Roff {
    let mut page = Roff::default();
    let mut codes = Vec::new();
    let after = if after == exit::TABLE { "" } else { after };
    let mut noted = false;
    for paragraph in after.split("\n\n") {
        if let Some(examples) = paragraph.strip_prefix("Examples:\n") {
            page.control("SH", ["EXAMPLES"]);
            page.control("nf", []);
            page.text([roman(examples)]);
            page.control("fi", []);
        } else if let Some(own) = paragraph.strip_prefix("Exit codes: ") {
            codes.push(own);
        } else if !paragraph.is_empty() {
            match std::mem::replace(&mut noted, true) {
                true => page.control("PP", []),
                false => page.control("SH", ["NOTES"]),
            };
            page.text([roman(paragraph)]);
        }
    }
    page.control("SH", ["EXIT STATUS"]);
    for own in codes {
        page.text([roman(own)]);
        page.control("PP", []);
    }
    for line in exit::TABLE.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once("  ") {
            page.control("TP", []);
            page.text([roman(code)]);
            page.text([roman(meaning)]);
        }
    }
    page
}
