//! Roles and features: those of a server, as the server manager remembers them, and those that are
//! packages of their own ("features on demand").

use fathom_report::{Listing, Package, PackageKind};

use super::super::registry::{Name, Registry};
use super::updates::{Identity, PACKAGES, installed, state};
use super::{architecture, bare};
use crate::files::Read;

const SERVER: &str = r"Microsoft\ServerManager\ServicingStorage\ServerComponentCache";

/// All that are installed.
pub(super) fn all(registry: &Registry<'_>) -> Listing<Package> {
    let mut all = Listing::complete(Vec::new(), Vec::new());
    match registry.key(Name::Software, SERVER) {
        Read::There(components) => {
            for key in components.children() {
                let values = key.values();
                // 0 is available, 1 installed; what else there is is not installed either.
                if matches!(values.number("InstallState"), Read::There(1)) {
                    let name = key.name().to_owned();
                    all.items.push(Package {
                        vendor: Some("Microsoft".to_owned()),
                        ..bare(PackageKind::Feature, name, None, key.place())
                    });
                }
            }
            all.evidence.push(components.place().into());
        }
        // A client has none.
        Read::Absent => {}
        Read::Unread(why) => all.join(Listing::unknown(why)),
    }
    if let Read::There(packages) = registry.key(Name::Software, PACKAGES) {
        for key in packages.children() {
            let Some(identity) = Identity::of(key.name()) else { continue };
            // A feature in another language is a package more.
            if !is_feature(identity.name) || !identity.language.is_empty() {
                continue;
            }
            let values = key.values();
            let Some(state) = state(&values) else { continue };
            let name = identity.name.trim_end_matches("-Package").to_owned();
            all.items.push(Package {
                architecture: architecture(identity.architecture),
                installed: installed(&values),
                state: state.map(str::to_owned),
                vendor: Some("Microsoft".to_owned()),
                ..bare(PackageKind::Feature, name, Some(identity.version.to_owned()), key.place())
            });
        }
    }
    all
}

/// Features on demand, by how their packages are called.
fn is_feature(name: &str) -> bool {
    name.ends_with("-FOD-Package") || name.ends_with("-FoD-Package") || name.starts_with("OpenSSH-")
}
