//! What rpm's own configuration says of where its database is.

use crate::files::{Files, Read};
use crate::packages::HIDES;

/// Files of macros in the order in which rpm reads them: the later counts. Beside them come all
/// that are in the folders.
const FILES: [&str; 4] =
    ["/usr/lib/rpm/macros", "/usr/lib/rpm/macros.d/", "/etc/rpm/", "/etc/rpm/macros"];

/// The macros that matter.
#[derive(Default)]
pub(super) struct Configured {
    /// `%_dbpath`.
    pub(super) folder: Option<String>,
    /// `%_db_backend`.
    pub(super) container: Option<String>,
}

/// Reads the files of macros. One that cannot be read has been noted.
pub(super) fn read(files: &Files<'_>) -> Configured {
    let mut configured = Configured::default();
    for file in FILES {
        let Some(folder) = file.strip_suffix('/') else {
            configured.file(files.text(file, HIDES));
            continue;
        };
        for (name, _) in files.children(folder, HIDES).there().unwrap_or_default() {
            if name.starts_with("macros.") {
                configured.file(files.text(&format!("{folder}/{name}"), HIDES));
            }
        }
    }
    configured
}

impl Configured {
    fn file(&mut self, text: Read<String>) {
        let Read::There(text) = text else { return };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some("%_dbpath"), Some(path), None) => self.folder = expand(path),
                (Some("%_db_backend"), Some(name), None) => self.container = expand(name),
                _ => {}
            }
        }
    }
}

/// The value without the macros that stand for the usual folders; nothing where others are left.
fn expand(value: &str) -> Option<String> {
    let mut value = value.to_owned();
    for (name, folder) in
        [("_var", "/var"), ("_localstatedir", "/var"), ("_usr", "/usr"), ("_prefix", "/usr")]
    {
        value = value.replace(&format!("%{{{name}}}"), folder);
    }
    (!value.contains('%')).then(|| value.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::tree;

    #[test]
    fn the_later_counts() {
        let check = |text: &[(&str, &str)], folder: Option<&str>, container: Option<&str>| {
            let bytes: Vec<_> = text.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
            let tree = tree(&bytes);
            let configured = read(&Files::new(&tree));
            assert_eq!(configured.folder.as_deref(), folder, "{text:?}");
            assert_eq!(configured.container.as_deref(), container, "{text:?}");
        };
        check(&[], None, None);
        let main =
            ("/usr/lib/rpm/macros", "# x\n%_dbpath\t\t%{_var}/lib/rpm\n%_db_backend   ndb\n");
        check(&[main], Some("/var/lib/rpm"), Some("ndb"));
        let fedora = ("/usr/lib/rpm/macros.d/macros.x", "%_dbpath %{_usr}/lib/sysimage/rpm/\n");
        check(&[main, fedora], Some("/usr/lib/sysimage/rpm"), Some("ndb"));
        let own = ("/etc/rpm/macros.db", "%_db_backend sqlite\n%_dbpath_rebuild /tmp\n");
        check(&[main, own], Some("/var/lib/rpm"), Some("sqlite"));
        check(&[("/etc/rpm/macros", "%_dbpath %(echo ~/.rpmdb)\n")], None, None);
        check(&[("/etc/rpm/other", "%_dbpath /x\n")], None, None);
    }
}
