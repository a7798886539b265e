//! PHP: the list that Composer keeps of what it put into `vendor`.
//!
//! The file of version 2 has the list under `packages`; that of version 1 is the list.

use fathom_block::{Error, Result};
use fathom_report::PackageKind;
use serde_json::Value;

use super::finds::{Finds, told};
use super::whole;
use crate::walk::Entry;

/// The longest list that is read. One of two hundred packages has half a MiB.
const MAX_JSON: usize = 4 << 20;

const SUFFIX: &[u8] = b"/composer/installed.json";

pub(super) fn recognise(entry: &Entry) -> bool {
    entry.path.ends_with(SUFFIX)
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let bytes = whole(entry, MAX_JSON)?;
    let corrupt = |why: String| Error::corrupt("installed.json", 0, why);
    let json: Value = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    let packages = json.get("packages").unwrap_or(&json).as_array();
    let packages = packages.ok_or_else(|| corrupt("it holds no list of packages".to_owned()))?;
    let folder = entry.path.strip_suffix(b"/installed.json").unwrap_or_default();
    let folder = String::from_utf8_lossy(folder).into_owned();
    for package in packages {
        let says = |key: &str| package.get(key).and_then(Value::as_str);
        let (Some(name), Some(version)) = (says("name"), says("version")) else {
            finds.problem(corrupt("a package has no name or no version".to_owned()));
            continue;
        };
        let place = match says("install-path") {
            Some(path) => beneath(&folder, path),
            None => beneath(&folder, &format!("../{name}")),
        };
        if let Some(found) = finds.add(PackageKind::Composer, name, version, &place) {
            let list = |key: &str| package.get(key).and_then(Value::as_array);
            let licences = list("license").into_iter().flatten().filter_map(Value::as_str);
            found.licence = told(&licences.take(8).collect::<Vec<_>>().join(" OR "));
            let author = list("authors").and_then(|authors| authors.first());
            found.vendor = author.and_then(|author| author.get("name")?.as_str()).and_then(told);
            let source = package.get("source").and_then(|source| source.get("url")?.as_str());
            found.origin = source.and_then(told);
        }
    }
    Ok(())
}

/// The path that `path` means in the folder.
fn beneath(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use crate::languages::tests::{check, found};

    #[test]
    fn lists() {
        let two = br#"{"packages": [{"name": "a/b", "version": "v1.2.0", "install-path": "../a/b", "license": ["MIT", "BSD"], "authors": [{"name": "Joe"}]}, {"name": "x"}], "dev": true}"#;
        let one = br#"[{"name": "c/d", "version": "2.0"}]"#;
        check(&[("/srv/vendor/composer/installed.json", one)], &["c/d 2.0"], None);
        let path = "/srv/vendor/composer/installed.json";
        check(&[(path, two)], &["a/b v1.2.0"], Some("no name"));
        let (listing, _) = found(&[(path, two)]);
        assert_eq!(listing.items[0].location.as_deref(), Some("/srv/vendor/a/b"));
        assert_eq!(listing.items[0].licence.as_deref(), Some("MIT OR BSD"));
        check(&[(path, b"{}")], &[], Some("no list"));
        check(&[(path, b"[{]")], &[], Some("installed.json"));
    }
}
