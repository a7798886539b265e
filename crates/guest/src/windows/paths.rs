//! Paths as Windows writes them, as paths of the tree.

/// Where Windows lies on its own disk.
pub(super) const WINDOWS: &str = "/Windows";

/// The path of the tree that a path of Windows means, where it lies on the disk of the system, whose
/// drive letter is `drive`. What names variables of a user, or another drive, means none.
pub(super) fn on_system_drive(path: &str, drive: Option<char>) -> Option<String> {
    let path = path.trim().trim_matches('"').replace('/', "\\");
    let path = path.strip_prefix(r"\??\").or(path.strip_prefix(r"\\?\")).unwrap_or(&path);
    let after = |prefix: &str| {
        let head = path.get(..prefix.len())?;
        head.eq_ignore_ascii_case(prefix).then(|| &path[prefix.len()..])
    };
    let in_windows =
        [r"\SystemRoot\", r"%SystemRoot%\", r"%windir%\"].iter().find_map(|it| after(it));
    if let Some(rest) = in_windows {
        return Some(joined(WINDOWS, rest));
    }
    if after(r"System32\").is_some() || after(r"SysWOW64\").is_some() {
        return Some(joined(WINDOWS, path));
    }
    for (variable, folder) in [
        ("%SystemDrive%", ""),
        ("%ProgramFiles%", "/Program Files"),
        ("%ProgramData%", "/ProgramData"),
    ] {
        if let Some(rest) = after(variable) {
            return Some(joined(folder, rest));
        }
    }
    let mut start = path.chars();
    let (letter, colon) = (start.next()?, start.next()?);
    let is_system = colon == ':' && drive.is_some_and(|drive| drive.eq_ignore_ascii_case(&letter));
    is_system.then(|| joined("", &path[2..]))
}

fn joined(folder: &str, rest: &str) -> String {
    let parts = rest.split('\\').filter(|part| !part.is_empty() && *part != "." && *part != "..");
    parts.fold(folder.to_owned(), |path, part| path + "/" + part)
}

/// The program of a command: what stands in quotes, or what ends in `.exe`, or the first word.
pub(super) fn program(command: &str) -> &str {
    let command = command.trim();
    if let Some(rest) = command.strip_prefix('"') {
        return rest.split('"').next().unwrap_or(rest);
    }
    let lower = command.to_ascii_lowercase();
    match [".exe", ".sys", ".dll"].iter().filter_map(|end| lower.find(end)).min() {
        Some(at) => &command[..at + 4],
        None => command.split_whitespace().next().unwrap_or(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_windows() {
        for (path, meant) in [
            (r"\SystemRoot\System32\drivers\x.sys", Some("/Windows/System32/drivers/x.sys")),
            (r"system32\DRIVERS\viostor.sys", Some("/Windows/system32/DRIVERS/viostor.sys")),
            (r"%systemroot%\system32\svchost.exe", Some("/Windows/system32/svchost.exe")),
            (r"\??\C:\Windows\a.sys", Some("/Windows/a.sys")),
            ("\"C:\\Program Files\\a b\\c.exe\"", Some("/Program Files/a b/c.exe")),
            (r"%SystemDrive%\inetpub", Some("/inetpub")),
            (r"c:\..\..\x", Some("/x")),
            (r"D:\data", None),
            (r"%APPDATA%\x", None),
            ("é:", None),
            ("", None),
        ] {
            assert_eq!(on_system_drive(path, Some('C')).as_deref(), meant, "{path}");
        }
        assert_eq!(on_system_drive(r"C:\x", None), None);
    }

    #[test]
    fn programs_of_commands() {
        assert_eq!(program("\"C:\\a b\\c.exe\" -k x"), r"C:\a b\c.exe");
        assert_eq!(program(r"C:\a b\c.EXE -k x"), r"C:\a b\c.EXE");
        assert_eq!(program("cmd /c x"), "cmd");
        assert_eq!(program("İ.exe"), "İ.exe");
    }
}
