//! Node.js: the `package.json` of every package in a folder `node_modules`.
//!
//! What is installed is listed, not what a lock file wishes for: a `package-lock.json` with no
//! `node_modules` beside it is the plan of packages that are not there.

use fathom_block::{Error, Result};
use fathom_report::PackageKind;
use serde_json::Value;

use super::finds::{Finds, told};
use super::whole;
use crate::walk::Entry;

/// The longest `package.json` that is read. Those of the largest packages have some 100 KiB.
const MAX_JSON: usize = 1 << 20;

/// Folders whose folders are packages.
const MODULES: [&[u8]; 2] = [b"/node_modules", b"/usr/share/nodejs"];

pub(super) fn recognise(entry: &Entry) -> bool {
    entry.path.strip_suffix(b"/package.json").is_some_and(|folder| name(folder).is_some())
}

/// The name that a package has by its folder: the last part, or `@scope/name`.
fn name(folder: &[u8]) -> Option<&[u8]> {
    let split = |path: &[u8]| path.iter().rposition(|&byte| byte == b'/');
    let last = split(folder)?;
    let mut parent = &folder[..last];
    let mut name = &folder[last + 1..];
    let scope = split(parent)?;
    if parent.get(scope + 1) == Some(&b'@') {
        name = &folder[scope + 1..];
        parent = &folder[..scope];
    }
    MODULES.iter().any(|modules| parent.ends_with(modules)).then_some(name)
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let bytes = whole(entry, MAX_JSON)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let json: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::corrupt("package.json", 0, error.to_string()))?;
    let folder = entry.path.strip_suffix(b"/package.json").unwrap_or_default();
    let folder_name = String::from_utf8_lossy(name(folder).unwrap_or_default()).into_owned();
    let says = |key: &str| json.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
    // What has neither is a note to the compiler, not a package.
    if says("name").is_none() && says("version").is_none() {
        return Ok(());
    }
    let place = String::from_utf8_lossy(folder).into_owned();
    let found = finds.add(
        PackageKind::Npm,
        says("name").unwrap_or(&folder_name),
        says("version").unwrap_or_default(),
        &place,
    );
    if let Some(found) = found {
        found.licence = licence(&json);
        found.vendor = json.get("author").and_then(|author| text(author, "name"));
        found.origin = json.get("repository").and_then(|repository| text(repository, "url"));
    }
    Ok(())
}

/// A text, or the one that an object has by this key.
fn text(value: &Value, key: &str) -> Option<String> {
    value.as_str().or_else(|| value.get(key)?.as_str()).and_then(told)
}

/// `license` is a text, or of old an object; `licenses` a list of these.
fn licence(json: &Value) -> Option<String> {
    let one = |value: &Value| text(value, "type");
    json.get("license").and_then(one).or_else(|| {
        let several = json.get("licenses")?.as_array()?;
        let several: Vec<_> = several.iter().take(8).filter_map(one).collect();
        (!several.is_empty()).then(|| several.join(" OR "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::tests::{check, found};

    #[test]
    fn folders() {
        let check = |folder: &str, expected: Option<&str>| {
            let found = name(folder.as_bytes()).map(|name| std::str::from_utf8(name).unwrap());
            assert_eq!(found, expected, "{folder}");
        };
        check("/a/node_modules/b", Some("b"));
        check("/a/node_modules/@s/b", Some("@s/b"));
        check("/a/node_modules/b/node_modules/c", Some("c"));
        check("/usr/share/nodejs/b", Some("b"));
        check("/a/node_modules/b/lib", None);
        check("/a/b", None);
        check("/b", None);
        check("", None);
    }

    #[test]
    fn packages() {
        check(
            &[
                ("/n/node_modules/a/package.json", br#"{"name": "a", "version": "1.0.0"}"#),
                ("/n/node_modules/@s/b/package.json", b"\xef\xbb\xbf{\"version\": \"2.0.0\"}"),
                ("/n/node_modules/c/package.json", br#"{"type": "module"}"#),
                ("/n/node_modules/a/test/package.json", br#"{"name": "t", "version": "1"}"#),
                ("/n/package.json", br#"{"name": "n", "version": "1"}"#),
            ],
            &["@s/b 2.0.0", "a 1.0.0"],
            None,
        );
        let path = "/n/node_modules/a/package.json";
        check(&[(path, b"{")], &[], Some("package.json"));
        let deep = [b"{\"name\":".to_vec(), vec![b'['; 100_000]].concat();
        check(&[(path, &deep)], &[], Some("recursion"));
        let (listing, _) = found(&[(
            path,
            br#"{"name": "a", "version": "1", "licenses": [{"type": "MIT"}, "ISC"], "author": {"name": "Joe"}, "repository": "a/b"}"#,
        )]);
        let package = &listing.items[0];
        assert_eq!(package.licence.as_deref(), Some("MIT OR ISC"));
        assert_eq!(package.vendor.as_deref(), Some("Joe"));
        assert_eq!(package.origin.as_deref(), Some("a/b"));
        assert_eq!(package.location.as_deref(), Some("/n/node_modules/a"));
    }
}
