//! Running other people's tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A file system that another thread's new process has just inherited a file of is busy until that
/// process has started its program; so an unmount is patient.
const PRELUDE: &str = r#"
umount() {
  local attempt
  for attempt in {1..20}; do
    if command umount "$@" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  command umount "$@"
}
"#;

/// Runs a bash script in `directory`, stopping at its first failure, and returns what it printed.
pub(crate) fn bash(directory: &Path, script: &str) -> Result<String> {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &format!("{PRELUDE}{script}")])
        .current_dir(directory)
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .context("bash could not be started")?;
    if !output.status.success() {
        bail!(
            "{} in {}:\n{script}\n{}{}",
            output.status,
            directory.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The top of the project.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// Where generated images and downloads are kept: outside git and outside `target`.
pub(crate) fn cache() -> Result<PathBuf> {
    let directory = match std::env::var_os("FATHOM_CACHE") {
        Some(directory) => PathBuf::from(directory),
        None => match std::env::var_os("XDG_CACHE_HOME") {
            Some(base) => PathBuf::from(base).join("fathom"),
            None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?)
                .join(".cache/fathom"),
        },
    };
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    Ok(directory)
}

/// Runs a bash script whose output the developer sees.
pub(crate) fn visible(directory: &Path, script: &str) -> Result<()> {
    let status = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .stdin(Stdio::null())
        .status()
        .context("bash could not be started")?;
    if status.success() { Ok(()) } else { bail!("{status}: {script}") }
}
