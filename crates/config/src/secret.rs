//! Secrets that stand somewhere else: in a file or in a variable.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::environment::Environment;

/// The largest secret: a key in PEM has a few thousand bytes.
const MAX_BYTES: u64 = 64 << 10;

/// Whether others than its owner and group can read the file; nothing where that cannot be told.
pub fn others_can_read(file: &Path) -> Option<u32> {
    let mode = std::fs::metadata(file).ok()?.permissions().mode() & 0o7777;
    (mode & 0o004 != 0).then_some(mode)
}

/// The text of the file without newlines at its end, and what is to be warned about.
pub(crate) fn of_file(path: &str) -> Result<(String, Option<String>), String> {
    let file = Path::new(path);
    let failed = |error: std::io::Error| format!("the file {path} cannot be read: {error}");
    // What is no file may never end, or never begin.
    if !std::fs::metadata(file).map_err(failed)?.is_file() {
        return Err(format!("{path} is no file"));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(failed)?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("the file {path} has more than {MAX_BYTES} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("the file {path} is not UTF-8"))?;
    let text = text.trim_end_matches(['\n', '\r']);
    if text.is_empty() {
        return Err(format!("the file {path} is empty"));
    }
    let warning = others_can_read(file).map(|mode| {
        format!(
            "everybody on this host can read {path} (mode {mode:04o}); chmod o= takes that away"
        )
    });
    Ok((text.to_owned(), warning))
}

/// The text of the variable.
pub(crate) fn of_variable(name: &str, environment: &Environment) -> Result<String, String> {
    match environment.get(name) {
        Some(Ok(text)) => Ok(text.to_owned()),
        Some(Err(_)) => Err(format!("the environment variable {name} is not UTF-8")),
        None => Err(format!("there is no environment variable {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8], mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let fine = write("fine", b"hush\r\n", 0o640);
        assert_eq!(of_file(&fine).unwrap(), ("hush".to_owned(), None));
        let (_, warning) = of_file(&write("open", b"hush", 0o644)).unwrap();
        assert!(warning.unwrap().contains("(mode 0644)"));
        for (path, why) in [
            (write("empty", b"\n", 0o600), "is empty"),
            (write("binary", b"\xff", 0o600), "is not UTF-8"),
            (write("large", &[b'x'; 70_000], 0o600), "has more than"),
            ("/dev/zero".to_owned(), "is no file"),
            (folder.path().to_str().unwrap().to_owned(), "is no file"),
            (format!("{fine}/x"), "cannot be read"),
        ] {
            let error = of_file(&path).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
