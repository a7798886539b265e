//! .NET: `PROGRAM.deps.json`, which says from which packages the libraries beside it are.

use std::collections::BTreeMap;

use fathom_block::{Error, Result};
use fathom_report::PackageKind;
use serde::Deserialize;

use super::finds::Finds;
use super::whole;
use crate::walk::Entry;

/// The longest list that is read. That of a large server has a few MiB.
const MAX_JSON: usize = 4 << 20;

#[derive(Deserialize)]
struct Dependencies {
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

#[derive(Deserialize)]
struct Library {
    /// `package` is from NuGet, `project` was built along with the program.
    #[serde(default, rename = "type")]
    kind: String,
}

pub(super) fn recognise(entry: &Entry) -> bool {
    entry.path.ends_with(b".deps.json")
}

pub(super) fn read(entry: &Entry, finds: &mut Finds) -> Result<()> {
    let bytes = whole(entry, MAX_JSON)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let corrupt = |why: String| Error::corrupt("deps.json", 0, why);
    let found: Dependencies =
        serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
    let place = finds.place().to_owned();
    for (name, _) in found.libraries.iter().filter(|(_, library)| library.kind == "package") {
        match name.rsplit_once('/') {
            Some((name, version)) => {
                finds.add(PackageKind::Nuget, name, version, &place);
            }
            None => finds.problem(corrupt(format!("{name:?} has no version"))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::languages::tests::check;

    #[test]
    fn libraries() {
        let json = br#"{"runtimeTarget": {"name": ".NETCoreApp,Version=v8.0"}, "targets": {},
            "libraries": {"app/1.0.0": {"type": "project", "serviceable": false},
            "Newtonsoft.Json/13.0.3": {"type": "package", "sha512": "sha512-x"}}}"#;
        check(&[("/opt/app/app.deps.json", json)], &["Newtonsoft.Json 13.0.3"], None);
        check(&[("/opt/app/app.deps.json", b"{}")], &[], None);
        check(
            &[("/a.deps.json", br#"{"libraries": {"x": {"type": "package"}}}"#)],
            &[],
            Some("no version"),
        );
        check(&[("/a.deps.json", b"[")], &[], Some("deps.json"));
    }
}
