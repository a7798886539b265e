//! Running the program under limits, and what must hold of every run.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::oracle::Work;
use crate::shell;

/// What one run may use.
const SECONDS: u32 = 10;
const ADDRESS_SPACE: u64 = 512 << 20;

/// How much of what it prints is looked at.
const LOOKED_AT: u64 = 1 << 20;

/// The longest line on standard error that a person would read.
const LONGEST_LINE: usize = 1000;

/// Something to ask the program, and what the answer must be.
pub(super) struct Ask {
    /// The command line, cut at blanks.
    pub(super) arguments: &'static str,
    codes: Vec<i32>,
    says: &'static str,
    shows: &'static str,
}

/// Asks `arguments`, which must succeed.
pub(super) fn ask(arguments: &'static str) -> Ask {
    Ask { arguments, codes: vec![0], says: "", shows: "" }
}

impl Ask {
    /// It must end with this exit code, or with any of several.
    pub(super) fn code(self, codes: impl Into<Vec<i32>>) -> Self {
        Self { codes: codes.into(), ..self }
    }

    /// It must fail with the code, and its standard error must hold `says`.
    pub(super) fn fails(self, code: i32, says: &'static str) -> Self {
        Self { codes: vec![code], says, ..self }
    }

    /// Its standard output must hold this.
    pub(super) fn shows(self, shows: &'static str) -> Self {
        Self { shows, ..self }
    }
}

/// The program.
pub(super) struct Fathom(PathBuf);

impl Fathom {
    /// The program of the same build as this one, built anew where that is needed.
    pub(super) fn build() -> Result<Self> {
        shell::visible(&shell::project(), "cargo build --quiet --package fathom-cli")?;
        let path = std::env::current_exe()?.with_file_name("fathom");
        if !path.exists() {
            bail!("{} was not built", path.display());
        }
        Ok(Self(path))
    }

    /// Asks one thing and checks the answer.
    pub(super) fn ask(&self, work: &Work, ask: &Ask) -> Result<()> {
        let (out, err) = (work.path("stdout"), work.path("stderr"));
        let status = Command::new("timeout")
            .args([&SECONDS.to_string(), "prlimit", &format!("--as={ADDRESS_SPACE}"), "--"])
            .arg(&self.0)
            .args(ask.arguments.split_whitespace())
            .current_dir(work.directory())
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .status()?;
        let read = |path: &PathBuf| -> Result<String> {
            let mut bytes = Vec::new();
            File::open(path)?.take(LOOKED_AT).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let (shown, said) = (read(&out)?, read(&err)?);
        let start: String = said.chars().take(LONGEST_LINE).collect();
        let code = status.code().with_context(|| format!("{status}: {start}"))?;
        if !ask.codes.contains(&code) {
            bail!("exit code {code}, not {:?}: {start}", ask.codes);
        }
        check_said(code, &said).with_context(|| start.clone())?;
        if shown.chars().any(|c| c.is_control() && c != '\n') {
            bail!("control characters reach the terminal");
        }
        if !said.contains(ask.says) {
            bail!("it says {start:?}, not {:?}", ask.says);
        }
        if !shown.contains(ask.shows) {
            bail!(
                "it shows {:?}, not {:?}",
                shown.chars().take(500).collect::<String>(),
                ask.shows
            );
        }
        fs::remove_file(out)?;
        fs::remove_file(err)?;
        Ok(())
    }
}

/// One line for every problem, and none of them obeyed by a terminal.
fn check_said(code: i32, said: &str) -> Result<()> {
    if code > 1 && said.is_empty() {
        bail!("it fails and does not say why");
    }
    for line in said.lines() {
        if !line.starts_with("fathom: ") {
            bail!("a line is not the program's");
        }
        if line.len() > LONGEST_LINE {
            bail!("a line has {} bytes", line.len());
        }
        if line.chars().any(char::is_control) {
            bail!("control characters reach the terminal");
        }
    }
    Ok(())
}
