//! Programs, as "Add or remove programs" lists them: of the machine, the 32-bit ones of a 64-bit
//! machine, and those of each user.

use fathom_report::{Listing, Package, PackageKind};

use super::super::moment;
use super::super::registry::{Name, Node, Registry};
use super::super::users::profiles::Profile;
use super::bare;
use crate::files::Read;

const UNINSTALL: &str = r"Microsoft\Windows\CurrentVersion\Uninstall";
const UNINSTALL_32: &str = r"WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall";

/// All programs.
pub(super) fn all(
    registry: &Registry<'_>,
    architecture: Option<&str>,
    profiles: &[Profile],
) -> Listing<Package> {
    let mut all = Listing::complete(Vec::new(), Vec::new());
    for (path, architecture) in [(UNINSTALL, architecture), (UNINSTALL_32, Some("i686"))] {
        match registry.key(Name::Software, path) {
            Read::There(key) => list(&mut all, &key, architecture, "machine"),
            Read::Absent => {}
            Read::Unread(why) => all.join(Listing::unknown(why)),
        }
    }
    for profile in profiles {
        for (path, architecture) in [(UNINSTALL, None), (UNINSTALL_32, Some("i686"))] {
            match profile.key(registry, &format!(r"Software\{path}")) {
                Read::There(key) => list(&mut all, &key, architecture, profile.name()),
                Read::Absent => {}
                Read::Unread(why) => all.hide(why),
            }
        }
    }
    all
}

fn list(all: &mut Listing<Package>, key: &Node<'_>, architecture: Option<&str>, scope: &str) {
    for program in key.children() {
        if let Some(package) = program_of(&program, architecture, scope) {
            all.items.push(package);
        }
    }
    all.evidence.push(key.place().into());
}

/// The program that the key tells of. What Windows does not show there either is none: parts of
/// itself, updates of programs, and what has no name.
fn program_of(key: &Node<'_>, architecture: Option<&str>, scope: &str) -> Option<Package> {
    let values = key.values();
    let text = |name: &str| values.text(name).there();
    let name = text("DisplayName")?;
    if matches!(values.number("SystemComponent"), Read::There(number) if number != 0) {
        return None;
    }
    let is_update = matches!(
        text("ReleaseType").as_deref(),
        Some("Security Update" | "Update Rollup" | "Hotfix" | "Update" | "Service Pack")
    );
    if text("ParentKeyName").is_some() || is_update {
        return None;
    }
    Some(Package {
        architecture: architecture.map(str::to_owned),
        vendor: text("Publisher"),
        origin: text("InstallSource"),
        installed: text("InstallDate").and_then(|day| moment::day(&day)),
        size: values.wide("EstimatedSize").there().and_then(|size| size.checked_mul(1024)),
        location: text("InstallLocation"),
        scope: Some(scope.to_owned()),
        ..bare(PackageKind::Program, name, text("DisplayVersion"), key.place())
    })
}
