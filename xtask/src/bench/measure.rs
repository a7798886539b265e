//! Timing whole processes.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::shell::bash;

/// A command to be measured.
pub(super) struct Program {
    words: Vec<String>,
    /// The codes that it may end with.
    codes: Vec<i32>,
}

impl Program {
    /// A program and its arguments, parted by blanks.
    pub(super) fn new(words: &str) -> Self {
        Self::of(words.split_whitespace().map(str::to_owned).collect())
    }

    /// Several programs, as a script of bash.
    pub(super) fn script(script: String) -> Self {
        Self::of(vec!["bash".into(), "-euo".into(), "pipefail".into(), "-c".into(), script])
    }

    fn of(words: Vec<String>) -> Self {
        Self { words, codes: vec![0] }
    }

    /// The same, which may end with these codes.
    pub(super) fn ending_with(self, codes: &[i32]) -> Self {
        Self { codes: codes.to_vec(), ..self }
    }

    /// Seconds from its start to its end.
    fn once(&self) -> Result<f64> {
        let [program, arguments @ ..] = &self.words[..] else { bail!("there is nothing to run") };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status().with_context(|| format!("{program} could not be started"))?;
        let seconds = start.elapsed().as_secs_f64();
        if !status.code().is_some_and(|code| self.codes.contains(&code)) {
            bail!("{status}: {}", self.words.join(" "));
        }
        Ok(seconds)
    }

    /// Runs it once unmeasured, and then `runs` times.
    pub(super) fn time(&self, runs: usize) -> Result<Seconds> {
        self.once()?;
        Seconds::of((0..runs.max(1)).map(|_| self.once()).collect::<Result<_>>()?)
    }

    /// The largest resident set, in KiB.
    pub(super) fn memory(&self) -> Result<u64> {
        let words = self.words.join(" ");
        let script =
            format!("{{ /usr/bin/time -q -f %M {words} 2>&1 >/dev/null || true; }} | tail -n 1");
        let said = bash(std::path::Path::new("/"), &script)?;
        said.trim().parse().with_context(|| format!("{words}: unreadable figure: {said}"))
    }
}

/// Seconds on the clock, over several runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds {
    pub(super) least: f64,
    pub(super) median: f64,
}

impl Seconds {
    fn of(mut all: Vec<f64>) -> Result<Self> {
        all.sort_by(f64::total_cmp);
        let least = *all.first().context("nothing was measured")?;
        Ok(Self { least, median: all[all.len() / 2] })
    }
}

/// Runs two commands in turn, so that a machine that grows slower slows both.
pub(super) fn alternate(a: &Program, b: &Program, runs: usize) -> Result<(Seconds, Seconds)> {
    a.once()?;
    b.once()?;
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        of_a.push(a.once()?);
        of_b.push(b.once()?);
    }
    Ok((Seconds::of(of_a)?, Seconds::of(of_b)?))
}
