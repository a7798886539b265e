//! `fathom man`.

use std::fs;

use clap::CommandFactory as _;

use crate::args::{Arguments, Man};
use crate::exit::{Failure, Verdict};
use crate::output::Out;

pub(crate) fn run(options: &Man) -> Result<Verdict, Failure> {
    let mut command = Arguments::command();
    command.build();
    if let Some(folder) = &options.output {
        let failed = || Failure::host(folder.display().to_string());
        fs::create_dir_all(folder).map_err(failed())?;
        clap_mangen::generate_to(command, folder).map_err(failed())?;
        return Ok(Verdict::Done);
    }
    let mut command = &command;
    for name in &options.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            Failure::Usage(format!("there is no command {name:?}; `fathom --help` lists them"))
        })?;
    }
    let name = command.get_bin_name().unwrap_or("fathom").replace(' ', "-");
    let page = clap_mangen::Man::new(command.clone()).title(name);
    let mut text = Vec::new();
    page.render(&mut text).map_err(Failure::host("the manual page"))?;
    let mut out = Out::new();
    out.bytes(&text)?;
    out.finish()?;
    Ok(Verdict::Done)
}
