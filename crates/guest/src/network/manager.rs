//! What NetworkManager itself is told.

use super::glob;
use super::ini::{Style, sections};
use super::layers::layered;
use crate::files::{Files, Read};

const MANAGER: &str = "/etc/NetworkManager/NetworkManager.conf";
const FOLDERS: [&str; 3] =
    ["/etc/NetworkManager/conf.d", "/run/NetworkManager/conf.d", "/usr/lib/NetworkManager/conf.d"];

/// Its files, the last counting most: the vendor's come first, and the main file before what the
/// administrator adds.
pub(super) fn paths(files: &Files<'_>) -> Vec<String> {
    let folders = layered(files, &FOLDERS, |name| name.ends_with(".conf"));
    let (own, mut paths): (Vec<String>, Vec<String>) =
        folders.into_values().partition(|path| path.starts_with(FOLDERS[0]));
    paths.push(MANAGER.to_owned());
    paths.extend(own);
    paths
}

/// Which devices the administrator keeps from it. What the vendor keeps from it depends on files that
/// are made when the system runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unmanaged(Vec<String>);

impl Unmanaged {
    pub(super) fn of(files: &Files<'_>, hides: &str) -> Self {
        let mut specifications: Vec<String> = Vec::new();
        for path in paths(files).into_iter().filter(|path| path.starts_with("/etc/")) {
            let Read::There(text) = files.text(&path, hides) else { continue };
            for section in sections(&text, Style::Keyfile) {
                for (name, value) in section.settings.iter().filter(|_| section.name == "keyfile") {
                    let values = value.split([',', ';']).map(str::trim);
                    let values = values.filter(|one| !one.is_empty()).map(str::to_owned);
                    match name.as_str() {
                        "unmanaged-devices" => specifications = values.collect(),
                        "unmanaged-devices+" => specifications.extend(values),
                        _ => {}
                    }
                }
            }
        }
        Self(specifications)
    }

    /// Whether the device is kept from it; nothing where that depends on more than its name.
    pub(super) fn has(&self, name: &str) -> Option<bool> {
        let mut kept = Some(false);
        for specification in &self.0 {
            let (excepted, rest) = match specification.strip_prefix("except:") {
                Some(rest) => (true, rest),
                None => (false, specification.as_str()),
            };
            let fits = match rest.strip_prefix("interface-name:") {
                Some(named) => Some(glob::fits(named.trim_start_matches(['=', '~']), name)),
                None if rest == "*" => Some(true),
                None => None,
            };
            match (fits, excepted) {
                (Some(true), true) => return Some(false),
                (Some(true), false) => kept = Some(true),
                (Some(false), _) => {}
                (None, _) => return None,
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;

    #[test]
    fn devices_are_kept_by_their_names() {
        let tree = memory::tree(&[
            (MANAGER, b"[keyfile]\nunmanaged-devices=interface-name:a*;interface-name:ens3\n[x]\nunmanaged-devices=*\n"),
            ("/etc/NetworkManager/conf.d/b.conf", b"[keyfile]\nunmanaged-devices+=except:interface-name:ab\n"),
            ("/usr/lib/NetworkManager/conf.d/10.conf", b"[keyfile]\nunmanaged-devices=*\n"),
        ]);
        let unmanaged = Unmanaged::of(&Files::new(&tree), "x");
        for (name, kept) in [("ens3", true), ("aa", true), ("ab", false), ("eth0", false)] {
            assert_eq!(unmanaged.has(name), Some(kept), "{name}");
        }
        assert_eq!(Unmanaged(vec!["mac:00:11:22:33:44:55".to_owned()]).has("eth0"), None);
        assert_eq!(Unmanaged::default().has("eth0"), Some(false));
    }
}
