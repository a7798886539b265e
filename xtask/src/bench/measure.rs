//! Timing whole processes.

use std::path::Path;

use anyhow::Result;

use crate::shell::bash;

/// What one command costs: medians.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// Seconds on the clock.
    pub(super) wall: f64,
    /// Seconds of user and system time.
    pub(super) cpu: f64,
    /// The largest resident set, in KiB.
    pub(super) memory: u64,
}

/// Runs the command once unmeasured, and then `runs` times.
pub(super) fn measure(command: &str, runs: usize) -> Result<Figures> {
    once(command)?;
    let all = (0..runs.max(1)).map(|_| once(command)).collect::<Result<Vec<_>>>()?;
    Ok(median(&all))
}

/// Runs two commands in turn, so that a machine that grows slower slows both.
pub(super) fn alternate(a: &str, b: &str, runs: usize) -> Result<(Figures, Figures)> {
    once(a)?;
    once(b)?;
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        of_a.push(once(a)?);
        of_b.push(once(b)?);
    }
    Ok((median(&of_a), median(&of_b)))
}

fn median(all: &[Figures]) -> Figures {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Figures {
        wall: middle(all.iter().map(|figures| figures.wall).collect()),
        cpu: middle(all.iter().map(|figures| figures.cpu).collect()),
        memory: all.iter().map(|figures| figures.memory).max().unwrap_or(0),
    }
}

fn once(command: &str) -> Result<Figures> {
    // GNU time rounds to hundredths of a second; the shell's own clock does not.
    let script = format!(
        "start=$EPOCHREALTIME; /usr/bin/time -q -f '%U %S %M' {command} 2>&1 >/dev/null | tail -n 1; \
         echo \"$start $EPOCHREALTIME\""
    );
    let said = bash(Path::new("/"), &script)?;
    let words: Vec<f64> = said.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [user, system, memory, start, end] = words[..] else {
        return Err(anyhow::anyhow!("{command}: unreadable figures: {said}"));
    };
    Ok(Figures { wall: end - start, cpu: user + system, memory: memory as u64 })
}
